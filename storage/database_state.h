#pragma once

#include <atomic>
#include <condition_variable>
#include <deque>
#include <map>
#include <mutex>
#include <set>
#include <shared_mutex>
#include <thread>
#include <unordered_map>

#include "storage/catalog_change.h"
#include "storage/chunk_cache.h"
#include "storage/commit_gate.h"
#include "storage/compaction.h"
#include "storage/database.h"
#include "storage/dictionary_file.h"
#include "storage/named_segment.h"
#include "storage/partition_change.h"
#include "storage/run_locks.h"
#include "storage/segment_file.h"
#include "storage/table_history.h"
#include "wal/log.h"

namespace idem {

// A table as committers see it. Its newest version may still wait for its log record; readers see versions
// only through published snapshots.
struct TableState {
  TableId id{};
  std::shared_ptr<TableHistory> history;  // null of a temporary table
  CommitGate gate;                        // of commits on their way, from before they take any latch
  std::mutex latch;                       // held while a commit validates, builds and logs the next version
  std::shared_ptr<const TableVersion> head;  // guarded by latch; null once the table is dropped
  TableProtection protection;                // guarded by latch; as the newest commit left it
};

// A commit whose record is in the log buffer, waiting to become visible. In order of commit.
struct PendingCommit {
  CommitNumber commit{};
  CommitNumber logged{};  // durable once this one is
  int64_t time_micros = 0;
  uint64_t log_end = 0;                                                         // position after its record
  std::shared_ptr<const Catalog> catalog;                                       // null: unchanged
  std::vector<std::pair<TableId, std::shared_ptr<const TableVersion>>> tables;  // null version: dropped
};

class ManifestWriter;

// What the parts of a database share: transactions (commit.cpp), checkpoint.cpp and recovery.cpp work on it.
//
// Order of latches: catalog_latch, tables' latches by id, commit_latch, publish_latch. None is held while
// waiting for the disk, except that append() to a full log buffer waits under commit_latch.
struct DatabaseState final : public wal::LogListener {
  DatabaseState(FileSystem& file_system, Clock& wall_clock, std::string data_folder,
                DatabaseOptions database_options);
  ~DatabaseState() override;

  // wal::LogListener
  void on_durable(wal::CommitNumber commit) override;
  void on_failed(const SqlError& error) override;

  std::shared_ptr<const Snapshot> published_snapshot() const;
  std::shared_ptr<TableState> table_state(TableId id) const;  // null if there never was one
  // With the history that the table has, or a new one.
  std::shared_ptr<TableState> add_table_state(TableId id, std::shared_ptr<const TableVersion> head);
  std::shared_ptr<TableHistory> history(TableId id) const;  // null if there is none; also of dropped tables
  std::shared_ptr<TableHistory> add_history(TableId id);    // the one it has, or a new one
  std::unordered_map<uint32_t, std::shared_ptr<TableHistory>> all_histories() const;
  void remove_history(TableId id);
  // Under commit_latch: whether a record may name this version of a table, which then stays until the
  // manifest no longer needs that record. It is kept, or can be rebuilt from the log.
  bool hold_version(const TableHistory& history, VersionNumber version);
  void remove_table_state(TableId id);
  WriteContext write_context(std::shared_ptr<const TableSchema> schema, uint64_t owner) const;
  // Makes visible, in one step, every commit whose record is covered by `durable`.
  void publish_through(CommitNumber durable);
  void enqueue(PendingCommit commit);  // under commit_latch
  // Waits until everything up to this commit is durable and visible. Throws SqlError 58030.
  void wait_visible(CommitNumber logged);
  void wait_durable(CommitNumber logged);
  // Starts a sync if none is under way. Whether everything up to this commit is durable and visible now.
  bool is_visible(CommitNumber logged);  // and if it is durable makes it so
  void when_visible(CommitNumber logged, std::function<void(const SqlError*)> done);
  void call_back(CommitNumber durable, const SqlError* error);  // those that wait for commits up to this one
  void check_writable() const;                                  // 58030 after the log has failed
  // Waits while in-memory rows exceed twice their limit and a checkpoint can help.
  void wait_for_memory();
  void start_background();
  void stop_background();
  void background_loop();
  bool memory_exceeds(uint64_t limit_bytes) const;  // and a checkpoint would free some of it
  bool checkpoint_is_due() const;
  void wake_checkpoint_if_due();

  FileSystem& files;
  Clock& clock;
  const std::string folder;
  const DatabaseOptions options;
  uint64_t database_id = 0;
  std::unique_ptr<FolderLock> folder_lock;
  ChunkCache cache;
  MemoryAccount memory = std::make_shared<std::atomic<uint64_t>>(0);
  std::shared_ptr<std::atomic<uint64_t>> content_ids = std::make_shared<std::atomic<uint64_t>>(0);
  std::atomic<uint64_t> next_owner{1};
  std::atomic<uint32_t> next_object_id{1};
  std::atomic<uint64_t> next_segment{1};  // ids are given out by checkpoints and by large inserts
  std::atomic<bool> closing{false};
  RunLocks run_locks;

  mutable std::shared_mutex tables_mutex;
  std::unordered_map<uint32_t, std::shared_ptr<TableState>> tables;
  std::unordered_map<uint32_t, std::shared_ptr<TableHistory>> histories;  // of dropped tables too

  std::mutex catalog_latch;
  std::shared_ptr<const Catalog> catalog_head;  // guarded by catalog_latch

  std::mutex commit_latch;
  CommitNumber last_commit{};               // guarded by commit_latch, as is the order of the log
  std::atomic<CommitNumber> last_logged{};  // written under commit_latch
  int64_t last_commit_time = 0;
  std::atomic<uint64_t> log_end{0};
  // The log from here on may be read, by those who hold log_readers shared. Raised under commit_latch.
  std::atomic<uint64_t> log_kept_from{0};
  std::shared_mutex log_readers;
  // Records after the manifest's position that need the log from an earlier one on: (position of the record,
  // position needed). Guarded by commit_latch.
  std::vector<std::pair<uint64_t, uint64_t>> log_holds;
  std::map<uint64_t, LoggedSegment> logged_segments;  // by id; guarded by commit_latch

  mutable std::mutex publish_latch;
  std::deque<PendingCommit> waiting;  // guarded by publish_latch, as are the following
  std::shared_ptr<const Snapshot> published;
  uint64_t published_log_end = 0;

  std::mutex callbacks_mutex;
  std::multimap<CommitNumber, std::function<void(const SqlError*)>>
      callbacks;               // by the commit that they wait for
  CommitNumber called_back{};  // nobody waits for a commit up to this one; guarded by callbacks_mutex

  std::unique_ptr<wal::Log> log;
  CommitNumber manifest_commit{};  // up to here the manifest had everything when the folder was opened
  mutable std::mutex failure_mutex;
  std::string failure;             // guarded by failure_mutex
  std::string checkpoint_failure;  // of the last one, empty if it succeeded
  std::atomic<bool> failed{false};

  // Checkpoints: one at a time. checkpoint_mutex guards what follows.
  std::mutex checkpoint_mutex;
  std::map<std::pair<uint32_t, uint32_t>, std::unique_ptr<DictionaryFile>>
      dictionary_files;  // (table, column)
  // Tables whose folder's name is known to be synced (guarded by folder_mutex); those in whose folder a name may not be.
  std::set<uint32_t> durable_folders, unsynced_folders;
  std::unique_ptr<ManifestWriter> manifest;
  ColdPartitions cold_partitions;
  std::deque<std::pair<int64_t, uint64_t>> log_marks;  // time, position where the log ended then; ascending
  std::atomic<uint64_t> checkpoint_log_end{0};         // what the last one covers: the log up to here
  std::atomic<CommitNumber> checkpoint_commit{};       // and its commits up to this one
  std::atomic<int64_t> last_checkpoint_micros{0};
  std::atomic<uint64_t> memory_after_checkpoint{0};  // what the last one could not free

  std::mutex folder_mutex;  // held while a table's folder is made

  std::mutex background_mutex;
  std::condition_variable background_wakes, memory_freed;
  bool background_stops = false, checkpoint_wanted = false;
  uint32_t memory_waiters = 0;
  uint64_t checkpoints_done = 0;
  std::thread background;
};

// Rows that one checkpoint writes at most for the sake of compaction.
inline constexpr uint64_t kCompactionRows = 16 * kRowGroupSize;
// Encodes what is in memory, compacts partitions that were not written since the last checkpoint, and writes a manifest.
// Throws SqlError 58030, 53100, XX001.
void run_checkpoint(DatabaseState& db, uint64_t compaction_rows = kCompactionRows);
struct RetentionRequest;
// The same, giving back more than the settings say: retention.h.
void run_checkpoint(DatabaseState& db, const RetentionRequest& request,
                    uint64_t compaction_rows = kCompactionRows);
// Whether a checkpoint now would compact something.
bool compaction_is_due(DatabaseState& db);

// Opens what the folder holds into an empty state: manifest, then log. Throws SqlError XX001, 55000, 58030.
void recover_database(DatabaseState& db, RecoveryReport* report);

// Creates the folder of a table's files if it is missing. Throws SqlError 58030, 53100.
void make_table_folder(DatabaseState& db, TableId table);

// In whose folder the files are that tables share.
inline constexpr TableId kSharedFolder{0};

// Paths within the data folder.
std::string table_path(const std::string& folder, TableId table);
std::string segment_path(const std::string& folder, TableId table, uint64_t segment);
std::string segment_path(const std::string& folder,
                         const SegmentDescription& segment);  // of the pack that it is in, if it is
std::string dictionary_path(const std::string& folder, TableId table, ColumnId column);
std::string manifest_path(const std::string& folder, uint64_t manifest);
wal::DatabaseId log_database_id(uint64_t database_id);

}  // namespace idem
