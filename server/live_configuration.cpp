#include "server/live_configuration.h"

#include <fmt/ranges.h>
#include <spdlog/spdlog.h>

#include "common/error.h"

namespace idem {

LiveConfiguration::LiveConfiguration(FileSystem& files, ConfigurationSource source, Configuration now,
                                     Use check, Use apply)
    : files_(files),
      source_(std::move(source)),
      check_(std::move(check)),
      apply_(std::move(apply)),
      now_(std::move(now)) {}

void LiveConfiguration::set(const std::string& name, const std::optional<std::string>& value) {
  if (name == "data" || name == "config")
    throw sql_error("55P02", "parameter \"{}\" cannot be changed", name);
  std::lock_guard lock(mutex_);
  KeptSettings kept = source_.read_kept(now_.data);
  auto& values = is_server_setting(name) ? kept.server : kept.session;
  if (value) values[name] = *value;
  else values.erase(name);
  keep(kept);
}

void LiveConfiguration::reset_all() {
  std::lock_guard lock(mutex_);
  keep({});
}

void LiveConfiguration::keep(const KeptSettings& kept) {
  check_(source_.read_with(kept));  // so that the next start does not fail because of it
  replace_file(files_, KeptSettings::path(now_.data), kept.text()).throw_if_error();
}

bool LiveConfiguration::reload() {
  std::lock_guard lock(mutex_);
  try {
    Configuration next = source_.read();
    check_(next);
    apply_(next);
    const std::vector<std::string> waiting = changes_for_restart(now_, next);
    now_ = std::move(next);
    spdlog::info("the configuration was read again");
    if (!waiting.empty())
      spdlog::warn("these settings take effect at the next start: {}", fmt::join(waiting, ", "));
    return true;
  } catch (const SqlError& error) {
    spdlog::error("the configuration was not read again: {}", error.message());
    return false;
  }
}

}  // namespace idem
