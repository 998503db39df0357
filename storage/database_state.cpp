#include "storage/database_state.h"

#include <algorithm>

#include "common/error.h"
#include "storage/manifest_writer.h"
#include "storage/position_history.h"
#include "storage/retention.h"

namespace idem {

namespace {

bool housekeeping_is_due(DatabaseState& db) {
  try {
    return expiry_is_due(db) || compaction_is_due(db);
  } catch (const std::exception&) { return false; }  // asked again the next time
}

}  // namespace

DatabaseState::DatabaseState(FileSystem& file_system, Clock& wall_clock, std::string data_folder,
                             DatabaseOptions database_options)
    : files(file_system),
      clock(wall_clock),
      folder(std::move(data_folder)),
      options(std::move(database_options)),
      cache(options.chunk_cache_bytes) {}

DatabaseState::~DatabaseState() {
  stop_background();
  log.reset();  // calls the listener, which is this
}

void DatabaseState::on_durable(wal::CommitNumber commit) {
  publish_through(static_cast<CommitNumber>(commit));
  call_back(static_cast<CommitNumber>(commit), nullptr);
}

void DatabaseState::on_failed(const SqlError& error) {
  {
    std::lock_guard guard(failure_mutex);
    failed.store(true, std::memory_order_release);
    failure = error.message();
  }
  call_back(CommitNumber{UINT64_MAX}, &error);
}

bool DatabaseState::is_visible(CommitNumber logged) {
  if (logged <= manifest_commit) return true;
  if (log->durable_commit() < static_cast<uint64_t>(logged)) return false;
  publish_through(logged);
  return true;
}

void DatabaseState::when_visible(CommitNumber logged, std::function<void(const SqlError*)> done) {
  bool durable = false;
  {
    std::lock_guard guard(callbacks_mutex);
    durable = logged <= called_back;
    if (!durable && !failed.load(std::memory_order_acquire)) {
      callbacks.emplace(logged, std::move(done));
      return;
    }
  }
  // What is not logged itself may have come after those that the last sync made visible.
  if (durable) publish_through(logged);
  if (durable || is_visible(logged)) return done(nullptr);
  try {
    check_writable();
  } catch (const SqlError& error) { done(&error); }
}

// Those that come later see that they need not wait.
void DatabaseState::call_back(CommitNumber through, const SqlError* error) {
  std::vector<std::function<void(const SqlError*)>> due;
  {
    std::lock_guard guard(callbacks_mutex);
    if (!error) called_back = std::max(called_back, through);
    const auto end = callbacks.upper_bound(through);
    for (auto entry = callbacks.begin(); entry != end; ++entry) due.push_back(std::move(entry->second));
    callbacks.erase(callbacks.begin(), end);
  }
  for (const auto& done : due) done(error);
}

void DatabaseState::check_writable() const {
  if (!failed.load(std::memory_order_acquire)) return;
  std::lock_guard guard(failure_mutex);
  throw SqlError(sqlstate::kIoError, failure);
}

std::shared_ptr<const Snapshot> DatabaseState::published_snapshot() const {
  std::lock_guard guard(publish_latch);
  return published;
}

std::shared_ptr<TableState> DatabaseState::table_state(TableId id) const {
  std::shared_lock guard(tables_mutex);
  const auto found = tables.find(static_cast<uint32_t>(id));
  return found == tables.end() ? nullptr : found->second;
}

std::shared_ptr<TableState> DatabaseState::add_table_state(TableId id,
                                                           std::shared_ptr<const TableVersion> head) {
  auto state = std::make_shared<TableState>();
  state->id = id;
  if (!head->schema->temporary) state->history = add_history(id);
  state->head = std::move(head);
  std::unique_lock guard(tables_mutex);
  tables[static_cast<uint32_t>(id)] = state;
  return state;
}

void DatabaseState::remove_table_state(TableId id) {
  std::unique_lock guard(tables_mutex);
  tables.erase(static_cast<uint32_t>(id));
}

std::shared_ptr<TableHistory> DatabaseState::history(TableId id) const {
  std::shared_lock guard(tables_mutex);
  const auto found = histories.find(static_cast<uint32_t>(id));
  return found == histories.end() ? nullptr : found->second;
}

std::shared_ptr<TableHistory> DatabaseState::add_history(TableId id) {
  std::unique_lock guard(tables_mutex);
  auto& history = histories[static_cast<uint32_t>(id)];
  if (!history) history = std::make_shared<TableHistory>();
  return history;
}

std::unordered_map<uint32_t, std::shared_ptr<TableHistory>> DatabaseState::all_histories() const {
  std::shared_lock guard(tables_mutex);
  return histories;
}

void DatabaseState::remove_history(TableId id) {
  std::unique_lock guard(tables_mutex);
  histories.erase(static_cast<uint32_t>(id));
}

bool DatabaseState::hold_version(const TableHistory& history, VersionNumber version) {
  const std::optional<KeptVersion> nearest = history.kept_before(version);
  if (!nearest) return false;
  if (nearest->number() == version) return true;
  if (nearest->log_position < log_kept_from.load()) return false;
  const std::optional<VersionNumber> lost = history.last_lost();
  if (lost && *lost > nearest->number() && *lost <= version) return false;
  log_holds.emplace_back(log_end.load(), nearest->log_position);
  return true;
}

WriteContext DatabaseState::write_context(std::shared_ptr<const TableSchema> schema, uint64_t owner) const {
  return {std::move(schema), memory, content_ids, owner};
}

void DatabaseState::enqueue(PendingCommit commit) {
  std::lock_guard guard(publish_latch);
  waiting.push_back(std::move(commit));
}

void DatabaseState::publish_through(CommitNumber through) {
  // Freed after the latch: a version may take long to free.
  std::shared_ptr<const Snapshot> before;
  std::vector<PendingCommit> done;
  std::lock_guard guard(publish_latch);
  const auto end = std::find_if(waiting.begin(), waiting.end(),
                                [&](const PendingCommit& commit) { return commit.logged > through; });
  if (end == waiting.begin()) return;
  auto next = std::make_shared<Snapshot>(*published);
  // Of several versions of one table only the last is ever seen.
  std::unordered_map<uint32_t, std::shared_ptr<const TableVersion>> newest;
  for (auto commit = waiting.begin(); commit != end; ++commit) {
    next->commit = commit->commit;
    next->logged = commit->logged;
    next->commit_time_micros = commit->time_micros;
    if (commit->catalog) next->catalog = commit->catalog;
    for (const auto& [id, version] : commit->tables) newest[static_cast<uint32_t>(id)] = version;
  }
  for (auto& [id, version] : newest) {
    while (next->tables.size() <= id) next->tables = next->tables.push_back(nullptr);
    next->tables = next->tables.set(id, std::move(version));
  }
  done.reserve(static_cast<size_t>(end - waiting.begin()));
  // Nothing throws from here on: if memory has run out before, they still wait.
  published_log_end = std::prev(end)->log_end;
  std::move(waiting.begin(), end, std::back_inserter(done));
  waiting.erase(waiting.begin(), end);
  before = std::move(published);
  published = std::move(next);
}

void DatabaseState::wait_visible(CommitNumber logged) {
  wait_durable(logged);
  publish_through(logged);
}

void DatabaseState::wait_durable(CommitNumber logged) {
  if (logged > manifest_commit) log->wait_durable(static_cast<uint64_t>(logged));
}

// What readers, old snapshots or temporary tables hold is still there after a checkpoint: one more would not
// help.
bool DatabaseState::memory_exceeds(uint64_t limit_bytes) const {
  const uint64_t used = memory->load(std::memory_order_relaxed);
  return used > limit_bytes &&
         used > memory_after_checkpoint.load(std::memory_order_relaxed) + options.memory_rows_bytes / 8;
}

bool DatabaseState::checkpoint_is_due() const {
  if (memory_exceeds(options.memory_rows_bytes)) return true;
  // A small commit takes as long to replay as this much of a large one (docs/performance.md, "Restart").
  constexpr uint64_t kBytesLikeCommit = 4096;
  // Read before what only grows beyond them.
  const uint64_t covered_bytes = checkpoint_log_end;
  const auto covered_commits = static_cast<uint64_t>(checkpoint_commit.load());
  const uint64_t commits = static_cast<uint64_t>(last_logged.load()) - covered_commits;
  return log_end - covered_bytes + commits * kBytesLikeCommit > options.checkpoint_log_bytes;
}

void DatabaseState::wake_checkpoint_if_due() {
  if (!options.background_checkpoint || !checkpoint_is_due()) return;
  std::lock_guard guard(background_mutex);
  checkpoint_wanted = true;
  background_wakes.notify_one();
}

void DatabaseState::wait_for_memory() {
  if (!options.background_checkpoint) return;
  if (!memory_exceeds(options.memory_rows_bytes * 2)) return;
  std::unique_lock guard(background_mutex);
  ++memory_waiters;
  background_wakes.notify_one();
  // One that begins now sees all that is in memory; what it can not free (readers hold it) must not block
  // writers.
  const uint64_t enough = checkpoints_done + 2;
  memory_freed.wait(guard, [&] {
    return !memory_exceeds(options.memory_rows_bytes * 2) || checkpoints_done >= enough || background_stops;
  });
  --memory_waiters;
}

void DatabaseState::start_background() {
  if (!options.background_checkpoint) return;
  background = std::thread([this] { background_loop(); });
}

void DatabaseState::stop_background() {
  {
    std::lock_guard guard(background_mutex);
    background_stops = true;
    background_wakes.notify_all();
    memory_freed.notify_all();
  }
  if (background.joinable()) background.join();
}

void DatabaseState::background_loop() {
  std::unique_lock guard(background_mutex);
  while (!background_stops) {
    const auto wanted = [&] { return background_stops || checkpoint_wanted || memory_waiters > 0; };
    const bool idle =
        !background_wakes.wait_for(guard, std::chrono::microseconds(options.housekeeping_micros), wanted);
    if (background_stops) return;
    if (idle) {
      guard.unlock();
      const bool due = !failed.load(std::memory_order_acquire) && housekeeping_is_due(*this);
      guard.lock();
      if (!due) continue;
    }
    checkpoint_wanted = false;
    guard.unlock();
    std::string error;
    try {
      // One that memory or the log asks for has no time to lose.
      run_checkpoint(*this, idle ? kCompactionRows : 0);
    } catch (const std::exception& e) { error = e.what(); }  // also where memory has run out
    if (!error.empty()) {
      std::lock_guard failure_guard(failure_mutex);
      checkpoint_failure = error;
    }
    guard.lock();
    ++checkpoints_done;
    memory_freed.notify_all();
    if (!error.empty() && !background_stops) {
      // A full disk is not tried again at once; a commit that meets the limits asks again.
      background_wakes.wait_for(guard, std::chrono::seconds(1), [&] { return background_stops; });
    }
  }
}

}  // namespace idem
