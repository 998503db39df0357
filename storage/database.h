#pragma once

#include <functional>
#include <memory>
#include <span>
#include <string>
#include <variant>
#include <vector>

#include "common/clock.h"
#include "common/error.h"
#include "common/file.h"
#include "common/memory_budget.h"
#include "common/worker_pool.h"
#include "storage/catalog.h"
#include "storage/load_limits.h"
#include "storage/run_locks.h"
#include "storage/transaction.h"

namespace idem {

struct DatabaseOptions {
  uint64_t chunk_cache_bytes = 256ull << 20;
  uint64_t memory_rows_bytes =
      512ull << 20;  // in-memory rows beyond this start a checkpoint, and writers wait beyond twice this
  uint64_t log_segment_bytes = 64ull << 20;
  // Log since the last checkpoint that starts the next; a commit counts 4 kB more.
  uint64_t checkpoint_log_bytes = 128ull << 20;
  bool background_checkpoint = true;
  // False: no thread but the caller's: no background checkpoint, and LogOptions::own_threads. Then one thread at a time may
  // call, and the same calls do the same to the disk.
  bool own_threads = true;
  int64_t history_retention_micros =
      int64_t{7} * 86'400 * 1'000'000;  // how long versions can be read that others replaced
  int64_t log_retention_micros =
      int64_t{3'600} * 1'000'000;  // how long the log is kept for versions in between,
  int64_t change_slot_retention_micros =
      int64_t{30} * 86'400 * 1'000'000;  // how long a change slot holds versions beyond that
  // How long a run's key and the versions that it needs are kept; none: as long as versions.
  std::optional<int64_t> run_retention_micros;
  uint64_t log_retention_bytes = uint64_t{4} << 30;  // and at most how much of it
  uint64_t history_versions = 10'000;  // of a table that are kept at most; then the oldest go first
  int64_t housekeeping_micros =
      60'000'000;  // how often an idle database looks for what is to be forgotten or compacted
  std::string superuser = "admin";
  LoadLimits load;                // smaller ones are for tests
  WorkerPool* workers = nullptr;  // share the encoding of large inserts; outlives the database
};

struct RecoveryReport {
  uint64_t replayed_commits = 0, log_bytes = 0;
  bool torn_tail = false;
  std::string torn_tail_text;  // what was cut, for the log
  int64_t micros = 0;
};

struct StorageStatus {  // for wal_status(), memory(), idem status
  CommitNumber published{}, durable{};
  uint64_t memory_rows_bytes = 0, chunk_cache_bytes = 0;
  uint64_t log_bytes_since_checkpoint = 0, log_syncs = 0, log_segments = 0;
  int64_t last_checkpoint_micros = 0;  // UTC, 0 = none yet
  bool write_failed = false;
  std::string write_failure;
};

struct DatabaseState;
struct RetentionRequest;
struct VacuumPreview;
struct VersionChanges;

// Which version of a table is meant: VERSION AS OF, TIMESTAMP AS OF, AT TAG.
struct VersionNumberTarget {
  VersionNumber number{};
};
struct VersionTimeTarget {
  int64_t micros = 0;
};
struct VersionTagTarget {
  std::string tag;
};
using VersionTarget = std::variant<VersionNumberTarget, VersionTimeTarget, VersionTagTarget>;
struct BackupReport;

// An opened data folder. One per process and folder: a second one is refused (SqlError 55006 naming the other's pid).
//
// Opening: newest whole manifest, then the log (docs/storage.md). Closing: waits for running commits, checkpoints when asked, syncs.
// All members may be called from any thread.
class Database {
 public:
  // Creates the layout when the folder is empty or missing; 55000 when it holds something else.
  static std::unique_ptr<Database> open(FileSystem& files, Clock& clock, const std::string& folder,
                                        DatabaseOptions options, RecoveryReport* report = nullptr);
  ~Database();

  Snapshot snapshot() const;  // the published state: durable commits only (or those of asynchronous ones)
  std::unique_ptr<Transaction> begin();
  // A transaction beside which nobody else commits to the table until it ends: for what lost to others too often. Waits for what
  // is being committed; it must write no other table that exists.
  std::unique_ptr<Transaction> begin_alone(TableId table);
  // Returns when all that has been committed so far is visible: before what lost to it is tried again.
  void catch_up();
  // The right to execute the run of a key: waits for whoever has it (RunLocks::acquire).
  RunLock lock_run(const std::string& key, const std::function<void()>& check);
  void checkpoint();  // everything published so far is in segment files on return

  // An earlier version of a table that `snapshot` has, as it was. Throws SqlError 22023 that names the nearest
  // ones that can be read, 42704 for a tag that is not there.
  KeptVersion find_version(const Snapshot& snapshot, TableId table, const VersionTarget& target);
  // What is known of a table's versions, oldest first.
  std::vector<HistoryLine> table_history(const Snapshot& snapshot, TableId table) const;
  // What each version after `from` changed, up to `to`: change_feed.h.
  void read_changes(const Snapshot& snapshot, TableId table, VersionNumber from, VersionNumber to,
                    const std::function<bool(VersionChanges)>& take);
  // Forgets versions (expire_history in retention.h) and gives back their files and the log.
  void vacuum(const RetentionRequest& request);
  std::vector<VacuumPreview> preview_vacuum(const RetentionRequest& request);
  // A consistent copy in a folder of its own below `target`, while writers and readers go on: storage/backup.h.
  BackupReport backup(const std::string& target);
  void close(bool with_checkpoint);

  // Commits each as commit_without_waiting() does, or commit(false), those together that may share a commit
  // (Transaction::may_share_commit): for the rows of all the table is locked, matched and changed once. As if one came after the
  // other, those of one table in this order.
  std::vector<CommitOutcome> commit_together(std::span<const CommitRequest> requests);
  // Calls back when what was committed up to there is durable and visible, or with the error that says it never will be;
  // at once, from this thread, if it is known already. From whichever thread found out; must not throw or block.
  void when_visible(CommitNumber commit, std::function<void(const SqlError*)> done);
  // Whoever awaits a commit that nobody waited for has it synced: by the log's own thread, or by this one. Throws as a commit.
  void request_sync();
  void wait_visible(CommitNumber commit);
  bool is_visible(CommitNumber commit);

  StorageStatus status() const;
  uint64_t table_disk_bytes(TableId table) const;
  int64_t change_slot_retention_micros() const;
  std::string table_directory(const TableSchema& schema) const;  // relative to the data folder
  const std::string& folder() const;
  uint64_t database_id() const;

 private:
  explicit Database(std::unique_ptr<DatabaseState> state);
  std::unique_ptr<DatabaseState> state_;
};

}  // namespace idem
