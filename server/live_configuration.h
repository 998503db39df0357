#pragma once

#include <functional>
#include <mutex>
#include <optional>
#include <string>

#include "common/file.h"
#include "query/system_configuration.h"
#include "server/configuration.h"

namespace idem {

// The server's settings while it runs: what ALTER SYSTEM keeps for the next reload or start, and what a reload takes over. Thread-safe.
class LiveConfiguration final : public SystemConfiguration {
 public:
  using Use = std::function<void(const Configuration&)>;
  // `check` throws SqlError if the server could not start so; `apply` takes over what may change while it runs, or throws
  // and leaves everything as it was.
  LiveConfiguration(FileSystem& files, ConfigurationSource source, Configuration now, Use check, Use apply);

  void set(const std::string& name, const std::optional<std::string>& value) override;
  void reset_all() override;
  bool reload() override;

 private:
  void keep(const KeptSettings& kept);

  FileSystem& files_;
  const ConfigurationSource source_;
  const Use check_, apply_;
  std::mutex mutex_;   // guards the file and what follows
  Configuration now_;  // as applied; what waits for a restart is as it will be then
};

}  // namespace idem
