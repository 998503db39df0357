#include "query/session_state.h"

namespace idem {

// What the session tells the server's log and metrics about its statements.

void SessionState::end_request() {
  int64_t micros = -1;
  if (request_start_nanos != 0) {
    micros =
        std::max<int64_t>(0, server.clock->monotonic_nanos() - std::exchange(request_start_nanos, 0)) / 1'000;
    server.metrics.requests.add(static_cast<uint64_t>(micros));
  }
  log_audited(nullptr);
  SessionActivity who;
  {
    std::lock_guard lock(activity_mutex);
    switch (status()) {
      case TransactionStatus::kIdle: activity.state = "idle"; break;
      case TransactionStatus::kActive: activity.state = "idle in transaction"; break;
      case TransactionStatus::kFailed: activity.state = "idle in transaction (aborted)"; break;
    }
    if (micros < 0 || !server.statement_log) return;
    const std::optional<int64_t> slow = follow_settings().log_min_duration;
    if (!slow || micros < *slow * 1'000) return;
    who = activity;
  }
  server.statement_log->slow(who, who.query, micros);
}

void SessionState::note_audited(const StatementInput& input) {
  if (server.statement_log && server.statement_log->audits())
    audited.push_back(without_passwords(input.text));
}

void SessionState::log_audited(const SqlError* error) {
  if (audited.empty()) return;
  SessionActivity who;
  {
    std::lock_guard lock(activity_mutex);
    who = activity;
  }
  for (const std::string& text : std::exchange(audited, {})) server.statement_log->audited(who, text, error);
}

}  // namespace idem
