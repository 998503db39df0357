#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "common/file.h"

namespace idem::tools {

// A server of one user in a folder of its own, without the system's service manager:
//
//   FOLDER/idemdb.toml   settings, for the user to change
//   FOLDER/data          the data folder
//   FOLDER/idemdb.log    what it printed
//   FOLDER/idemdb.pid, FOLDER/idemdb.port   while it runs
class LocalServer {
 public:
  struct Running {
    int pid = 0;
    uint16_t port = 0;
    std::optional<uint16_t> http_port;
  };

  explicit LocalServer(const std::string& folder);
  ~LocalServer();

  // Makes the folder and writes the settings. Throws UsageError when something is there already.
  void create(const std::string& settings);
  bool is_made();

  // Nothing when no server has the data folder.
  std::optional<Running> running();
  // Starts one with idemdb.toml and these arguments, which stays when this program ends; returns when it accepts connections. Throws SqlError with
  // its last words when it ends instead.
  Running start(const std::vector<std::string>& arguments);
  // Ends it cleanly and waits for that; false if none runs. Throws SqlError when it does not end in time, or, unless `force`, kills it.
  bool stop(int timeout_seconds, bool force);

  const std::string& folder() const { return folder_; }
  std::string path(const char* name) const { return join_path(folder_, name); }

 private:
  std::unique_ptr<FileSystem> files_;
  const std::string folder_;
};

}  // namespace idem::tools
