#pragma once

#include <map>
#include <string>

namespace idem {

// A setting of the server, as SHOW gives it to sessions, which cannot change it.
struct ServerSetting {
  std::string value, description;
  // Whether a change takes effect only at the next start; else when the configuration is read again.
  bool needs_restart = false;
  bool is_private = false;  // names a file or folder: superusers only
};

// What the server's configuration says to sessions.
struct ConfiguredSettings {
  // What settings of sessions are at their start, by lower-case name.
  std::map<std::string, std::string> session;
  std::map<std::string, ServerSetting, std::less<>> server;
};

}  // namespace idem
