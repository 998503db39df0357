#pragma once

#include <optional>
#include <string>

namespace idem {

// The server's own settings, as SQL changes them. Thread-safe.
class SystemConfiguration {
 public:
  virtual ~SystemConfiguration() = default;
  // ALTER SYSTEM: keeps the value for the next reload or start; nothing: no longer. 42704, 22023, 55P02, 58030.
  virtual void set(const std::string& name, const std::optional<std::string>& value) = 0;
  virtual void reset_all() = 0;
  // Reads the files again and takes over what may change while the server runs. False if they could not be read; the log says why.
  virtual bool reload() = 0;
};

}  // namespace idem
