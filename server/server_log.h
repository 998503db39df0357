#pragma once

#include <atomic>
#include <memory>
#include <string>

#include "query/statement_log.h"

namespace spdlog {
class logger;
}

namespace idem {

// The server's log: to standard error, one line a message, as text or as JSON objects {"time":…,"level":…,"message":…}; messages about
// statements have members of their own. Owned by the server; thread-safe.
class ServerLog final : public StatementLog {
 public:
  struct Options {
    std::string level = "info";  // trace, debug, info, warn, error, off
    bool is_json = false;
    bool audits = false;
  };
  // Makes it the process's log, too (spdlog::info …).
  explicit ServerLog(const Options& options);
  ~ServerLog() override;

  void set(const Options& options);  // at any time

  // -- StatementLog
  bool audits() const override { return audits_; }
  void slow(const SessionActivity& who, std::string_view text, int64_t micros) override;
  void audited(const SessionActivity& who, std::string_view text, const SqlError* error) override;

 private:
  void write(std::string_view event, const SessionActivity& who, std::string_view text,
             std::string_view text_detail, std::string_view json_members);

  std::shared_ptr<spdlog::logger> messages_, statements_;
  std::atomic<bool> is_json_{false}, audits_{false};
};

// A client that was not let in (28000, 28P01): a warning, for whoever watches for guessed passwords.
void log_refused_login(std::string_view client_address, const SqlError& error);

}  // namespace idem
