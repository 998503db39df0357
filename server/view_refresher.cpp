#include "server/view_refresher.h"

#include <algorithm>
#include <spdlog/spdlog.h>

#include "parser/deparse.h"

namespace idem {

namespace {

constexpr int64_t kSecond = 1'000'000;
constexpr int64_t kShortestPause = kSecond / 20;  // between two rounds; at least as long as the last one took
constexpr int64_t kLongestPause = 5 * kSecond;
constexpr int64_t kPauseWithoutViews = 2 * kSecond;
constexpr int64_t kLongestSleep = 3'600 * kSecond;
constexpr int64_t kFirstRetry = kSecond, kLongestRetry = 600 * kSecond;

}  // namespace

ViewRefresher::ViewRefresher(ServerContext& context, std::string database)
    : context_(context), database_(std::move(database)) {}

void ViewRefresher::start() {
  thread_ = std::thread([this] { run(); });
}

void ViewRefresher::stop() {
  {
    std::lock_guard lock(signal_->mutex);
    signal_->stops = true;
    if (session_) session_->cancel();
  }
  signal_->changed.notify_all();
  if (thread_.joinable()) thread_.join();
}

void ViewRefresher::run() {
  for (;;) {
    const int64_t begin = context_.clock->now_micros();
    int64_t next = 0;
    bool any_views = false;
    {
      // Not held while this sleeps: rows and files that checkpoints and VACUUM replace would stay for it.
      const Snapshot snapshot = context_.database->snapshot();
      next = refresh_due(snapshot);
      await_commit(snapshot.logged);
      any_views = !snapshot.catalog->materialized_views.empty();
    }
    const int64_t now = context_.clock->now_micros();
    const int64_t pause =
        any_views ? std::clamp(now - begin, kShortestPause, kLongestPause) : kPauseWithoutViews;
    if (!sleep(pause, false)) return;
    if (!sleep(std::min(next - std::min(next, now), kLongestSleep), true)) return;
  }
}

int64_t ViewRefresher::refresh_due(const Snapshot& snapshot) {
  const int64_t now = context_.clock->now_micros();
  RefreshSchedule schedule = refresh_schedule(snapshot, now);
  std::erase_if(retries_,
                [&](const auto& retry) { return !snapshot.catalog->materialized_view(retry.first); });
  for (const DueRefresh& view : schedule.due) {
    const auto retry = retries_.find(view.table);
    if (retry == retries_.end() || retry->second.at_micros <= now) refresh(view);
  }
  for (const auto& [view, retry] : retries_)
    schedule.next_micros = std::min(schedule.next_micros, retry.at_micros);
  return schedule.next_micros;
}

void ViewRefresher::refresh(const DueRefresh& view) {
  try {
    execute(view);
    retries_.erase(view.table);
    context_.refresh_failures->forget(view.table);
  } catch (const SqlError& error) { note_failure(view, error); } catch (const std::exception& error) {
    note_failure(view, SqlError(sqlstate::kInternalError, error.what()));
  }
}

void ViewRefresher::execute(const DueRefresh& view) {
  const std::string text =
      fmt::format("REFRESH MATERIALIZED VIEW {}.{}", parser::quote_identifier(view.schema_name),
                  parser::quote_identifier(view.name));
  Session session(context_, view.owner, database_, "", {{"application_name", "materialized view refresh"}});
  session.begin_statement_text(text, 0);
  const auto working = [&](Session* now) {
    std::lock_guard lock(signal_->mutex);
    session_ = now;
    if (now && signal_->stops) now->cancel();
  };
  working(&session);
  try {
    const std::vector<parser::ParsedStatement> statements = session.parse(text);
    const std::unique_ptr<Portal> portal = session.execute(statements[0], text);
    portal->run();
    session.finish_statements();
  } catch (const SqlError& error) {
    session.statement_failed(error);
    working(nullptr);
    throw;
  }
  working(nullptr);
  session.begin_statement_text({});
}

void ViewRefresher::note_failure(const DueRefresh& view, const SqlError& error) {
  {
    std::lock_guard lock(signal_->mutex);
    if (signal_->stops) return;
  }
  if (!context_.database->snapshot().table(view.table)) return;  // dropped meanwhile
  const int64_t now = context_.clock->now_micros();
  Retry& retry = retries_[view.table];
  retry.delay_micros = std::clamp(retry.delay_micros * 2, kFirstRetry, kLongestRetry);
  retry.at_micros = now + retry.delay_micros;
  if (!context_.refresh_failures->note(view.table, {error.message(), now})) return;
  spdlog::warn("materialized view {}.{} could not be refreshed: {} {}", view.schema_name, view.name,
               error.sqlstate(), error.message());
}

void ViewRefresher::await_commit(CommitNumber logged) {
  {
    std::lock_guard lock(signal_->mutex);
    if (signal_->awaits_commit || signal_->write_failed) return;
    signal_->awaits_commit = true;
  }
  const auto next = static_cast<CommitNumber>(static_cast<uint64_t>(logged) + 1);
  context_.database->when_visible(next, [signal = signal_](const SqlError* error) {
    {
      std::lock_guard lock(signal->mutex);
      signal->awaits_commit = false;
      signal->write_failed = error != nullptr;
    }
    signal->changed.notify_all();
  });
}

bool ViewRefresher::sleep(int64_t micros, bool until_commit) {
  std::unique_lock lock(signal_->mutex);
  signal_->changed.wait_for(lock, std::chrono::microseconds(micros), [&] {
    return signal_->stops || (until_commit && !signal_->awaits_commit && !signal_->write_failed);
  });
  return !signal_->stops;
}

}  // namespace idem
