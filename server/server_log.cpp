#include "server/server_log.h"

#include <fmt/chrono.h>
#include <fmt/format.h>
#include <spdlog/formatter.h>
#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include "common/error.h"
#include "common/json_text.h"
#include "query/session.h"

namespace idem {

namespace {

constexpr std::string_view kStatements =
    "statements";  // the logger whose messages are members already, in JSON

class JsonFormatter final : public spdlog::formatter {
 public:
  void format(const spdlog::details::log_msg& message, spdlog::memory_buf_t& dest) override {
    const auto micros =
        std::chrono::duration_cast<std::chrono::microseconds>(message.time.time_since_epoch()).count();
    const std::string time =
        fmt::format("{:%FT%T}.{:06}Z", fmt::gmtime(micros / 1'000'000), micros % 1'000'000);
    const std::string_view name(message.logger_name.data(), message.logger_name.size());
    const std::string_view text(message.payload.data(), message.payload.size());
    const auto level = spdlog::level::to_string_view(message.level);
    const std::string line = fmt::format(
        "{{\"time\":\"{}\",\"level\":\"{}\",{}}}\n", time, std::string_view(level.data(), level.size()),
        name == kStatements ? std::string(text) : "\"message\":" + json_quoted(text));
    dest.append(line.data(), line.data() + line.size());
  }
  std::unique_ptr<spdlog::formatter> clone() const override { return std::make_unique<JsonFormatter>(); }
};

// On one line, so that nobody's statement looks like a message of the log.
std::string on_one_line(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '\n') out += "\\n";
    else if (c == '\r') out += "\\r";
    else if (static_cast<unsigned char>(c) < 0x20) out += ' ';
    else out += c;
  }
  return out;
}

}  // namespace

ServerLog::ServerLog(const Options& options) {
  auto sink = std::make_shared<spdlog::sinks::stderr_sink_mt>();
  messages_ = std::make_shared<spdlog::logger>("idemdb", sink);
  statements_ = std::make_shared<spdlog::logger>(std::string(kStatements), sink);
  set(options);
  spdlog::set_default_logger(messages_);
}

ServerLog::~ServerLog() = default;

void ServerLog::set(const Options& options) {
  const auto level = spdlog::level::from_str(options.level);
  is_json_ = options.is_json;
  audits_ = options.audits;
  messages_->set_level(level);
  statements_->set_level(
      level == spdlog::level::off ? level : spdlog::level::info);  // they were asked for on their own
  for (const auto& logger : {messages_, statements_}) logger->flush_on(spdlog::level::trace);
  if (options.is_json) messages_->sinks().front()->set_formatter(std::make_unique<JsonFormatter>());
  else messages_->sinks().front()->set_formatter(std::make_unique<spdlog::pattern_formatter>());
}

void log_refused_login(std::string_view client_address, const SqlError& error) {
  if (error.sqlstate() != sqlstate::kInvalidAuthorization && error.sqlstate() != sqlstate::kInvalidPassword)
    return;
  spdlog::warn("{} was not let in: {}", client_address, on_one_line(error.message()));
}

void ServerLog::write(std::string_view event, const SessionActivity& who, std::string_view text,
                      std::string_view text_detail, std::string_view json_members) {
  if (is_json_) {
    statements_->info(
        "\"event\":\"{}\",\"pid\":{},\"user\":{},\"database\":{},\"application\":{},\"client\":{},{}"
        "\"statement\":{}",
        event, who.pid, json_quoted(who.user), json_quoted(who.database), json_quoted(who.application_name),
        json_quoted(who.client_address), json_members, json_quoted(text));
    return;
  }
  statements_->info("{}: {}session {} of {} from {} ({}): {}", event, text_detail, who.pid,
                    on_one_line(who.user), who.client_address, on_one_line(who.application_name),
                    on_one_line(text));
}

void ServerLog::slow(const SessionActivity& who, std::string_view text, int64_t micros) {
  const double millis = static_cast<double>(micros) / 1e3;
  write("slow", who, text, fmt::format("{:.3f} ms, ", millis),
        fmt::format("\"duration_ms\":{:.3f},", millis));
}

void ServerLog::audited(const SessionActivity& who, std::string_view text, const SqlError* error) {
  if (!error) return write("audit", who, text, "done, ", "\"outcome\":\"done\",");
  write("audit", who, text, fmt::format("failed ({}), ", error->sqlstate()),
        fmt::format("\"outcome\":\"failed\",\"sqlstate\":{},\"error\":{},", json_quoted(error->sqlstate()),
                    json_quoted(error->message())));
}

}  // namespace idem
