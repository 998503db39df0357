#include "storage/database.h"

#include <random>
#include <unordered_set>

#include "common/error.h"
#include "storage/backup.h"
#include "storage/change_feed.h"
#include "storage/database_state.h"
#include "storage/kept_slices.h"
#include "storage/manifest_writer.h"
#include "storage/retention.h"
#include "storage/transaction_state.h"
#include "storage/version_lookup.h"

namespace idem {

namespace {

uint64_t random_database_id() {
  std::random_device source;
  const uint64_t id = static_cast<uint64_t>(source()) << 32 | source();
  return id == 0 ? 1 : id;
}

// Refuses a folder that holds something else; what an interrupted creation left may be there.
void check_foreign(FileSystem& files, const std::string& folder) {
  for (const DirectoryEntry& entry : files.list(folder).value_or_throw()) {
    const bool ours = entry.name == "lock" || entry.name == "manifests" || entry.name == "tables" ||
                      entry.name == "log" || entry.name == "CURRENT.new";
    if (ours) continue;
    throw sql_error(sqlstate::kObjectNotInPrerequisiteState,
                    "\"{}\" is not a data folder: it holds \"{}\" and no manifest", folder, entry.name)
        .with_hint("Choose an empty or a new folder.");
  }
}

void create_layout(DatabaseState& db) {
  check_foreign(db.files, db.folder);
  make_directories(db.files, join_path(db.folder, "manifests")).throw_if_error();
  WrittenState first;
  auto catalog = std::make_shared<const Catalog>(initial_catalog(db.options.superuser));
  first.next_object_id = catalog->next_object_id;
  first.catalog = std::move(catalog);
  ManifestWriter(db.files, db.folder, random_database_id()).write(std::move(first));
}

}  // namespace

std::unique_ptr<Database> Database::open(FileSystem& files, Clock& clock, const std::string& folder,
                                         DatabaseOptions options, RecoveryReport* report) {
  if (!options.own_threads) options.background_checkpoint = false;
  auto state = std::make_unique<DatabaseState>(files, clock, folder, std::move(options));
  const std::string current = join_path(folder, "CURRENT");
  if (!files.exists(current).value_or_throw()) make_directories(files, folder).throw_if_error();
  state->folder_lock = files.lock(folder).value_or_throw();
  if (!files.exists(current).value_or_throw()) create_layout(*state);
  recover_database(*state, report);
  state->start_background();
  return std::unique_ptr<Database>(new Database(std::move(state)));
}

Database::Database(std::unique_ptr<DatabaseState> state) : state_(std::move(state)) {}
Database::~Database() = default;

Snapshot Database::snapshot() const { return *state_->published_snapshot(); }

std::unique_ptr<Transaction> Database::begin() {
  if (state_->closing) throw sql_error(sqlstate::kAdminShutdown, "the database is shutting down");
  return std::unique_ptr<Transaction>(new Transaction(std::make_unique<Transaction::State>(*state_)));
}

RunLock Database::lock_run(const std::string& key, const std::function<void()>& check) {
  return state_->run_locks.acquire(key, check);
}

std::unique_ptr<Transaction> Database::begin_alone(TableId table) {
  const uint64_t owner = state_->next_owner.fetch_add(1, std::memory_order_relaxed);
  const std::shared_ptr<TableState> alone_on = state_->table_state(table);
  if (!alone_on) return begin();  // dropped
  alone_on->gate.close_to_others(owner);
  auto transaction =
      std::unique_ptr<Transaction>(new Transaction(std::make_unique<Transaction::State>(*state_, owner)));
  transaction->state_->alone_on = alone_on;
  catch_up();
  transaction->refresh();
  return transaction;
}

void Database::catch_up() {
  CommitNumber logged{};
  {
    std::lock_guard lock(state_->commit_latch);
    logged = state_->last_logged;
  }
  state_->wait_visible(logged);
}

void Database::checkpoint() { run_checkpoint(*state_); }

KeptVersion Database::find_version(const Snapshot& snapshot, TableId table, const VersionTarget& target) {
  return idem::find_version(*state_, snapshot, table, target);
}

std::vector<HistoryLine> Database::table_history(const Snapshot& snapshot, TableId table) const {
  const auto version = snapshot.table(table);
  const auto history = state_->history(table);
  return version && history ? history->lines(version->version) : std::vector<HistoryLine>();
}

void Database::read_changes(const Snapshot& snapshot, TableId table, VersionNumber from, VersionNumber to,
                            const std::function<bool(VersionChanges)>& take) {
  idem::read_changes(*state_, snapshot, table, from, to, take);
}

void Database::vacuum(const RetentionRequest& request) {
  // Twice: once the newest versions are written, they need no older ones to be rebuilt from. What is given back already is not
  // written first, so that a full disk can be emptied.
  run_checkpoint(*state_, request, 0);
  try {
    run_checkpoint(*state_, request, kCompactionRows);
  } catch (const SqlError& error) {
    if (error.sqlstate() != sqlstate::kDiskFull) throw;
    run_checkpoint(*state_, request, 0);  // without what would give back more
  }
}

std::vector<VacuumPreview> Database::preview_vacuum(const RetentionRequest& request) {
  return idem::preview_vacuum(*state_, request);
}

BackupReport Database::backup(const std::string& target) { return back_up(*state_, target); }

void Database::when_visible(CommitNumber commit, std::function<void(const SqlError*)> done) {
  state_->when_visible(commit, std::move(done));
}

void Database::request_sync() { state_->log->request_sync(); }

void Database::wait_visible(CommitNumber commit) { state_->wait_visible(commit); }
bool Database::is_visible(CommitNumber commit) { return state_->is_visible(commit); }

void Database::close(bool with_checkpoint) {
  if (state_->closing.exchange(true)) return;
  state_->stop_background();
  if (with_checkpoint && !state_->failed.load()) run_checkpoint(*state_, 0);
  if (!state_->failed.load()) state_->log->flush();
}

StorageStatus Database::status() const {
  const DatabaseState& db = *state_;
  StorageStatus status;
  status.published = db.published_snapshot()->commit;
  const wal::LogStats log = db.log->stats();
  status.durable = static_cast<CommitNumber>(log.durable_commit);
  status.memory_rows_bytes = db.memory->load();
  status.chunk_cache_bytes = db.cache.used_bytes();
  status.log_bytes_since_checkpoint = db.log_end.load() - db.checkpoint_log_end.load();
  status.log_syncs = log.syncs;
  status.log_segments = log.segments;
  status.last_checkpoint_micros = db.last_checkpoint_micros.load();
  status.write_failed = db.failed.load();
  std::lock_guard lock(db.failure_mutex);
  status.write_failure = status.write_failed ? db.failure : db.checkpoint_failure;
  return status;
}

uint64_t Database::table_disk_bytes(TableId table) const {
  const auto version = state_->published_snapshot()->table(table);
  if (!version) return 0;
  uint64_t bytes = 0;
  std::unordered_set<const void*> counted;
  const auto count = [&](const RowGroup& group) {
    if (group.in_memory()) return;
    const auto& encoded = static_cast<const SegmentRowGroup&>(group);
    const bool own = !encoded.file().pack() && encoded.file().table_id() == table;
    const void* part = own ? static_cast<const void*>(&encoded.file()) : &group;
    if (counted.insert(part).second) bytes += own ? encoded.file().size() : encoded.size().bytes;
  };
  version->partitions.for_each([&](const std::shared_ptr<const Partition>& partition) {
    for (const Slice& slice : partition->slices) for_each_row_group(slice, count);
  });
  return bytes;
}

std::string Database::table_directory(const TableSchema& schema) const {
  return fmt::format("tables/{}", static_cast<uint32_t>(schema.id));
}

int64_t Database::change_slot_retention_micros() const {
  return state_->options.change_slot_retention_micros;
}

const std::string& Database::folder() const { return state_->folder; }
uint64_t Database::database_id() const { return state_->database_id; }

}  // namespace idem
