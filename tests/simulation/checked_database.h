#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>

#include "common/error.h"
#include "tests/simulation/model.h"

namespace idem::simulation {

// The database did what it must not do.
class Violation : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

class CheckedDatabase;

// A transaction of the database and the same one on the model. Every method does the same to both.
// Throws SqlError as the database does: then the transaction is over. Throws Violation.
class CheckedTransaction {
 public:
  explicit CheckedTransaction(CheckedDatabase& database);

  const World& view() const { return model_.view(); }
  // From now on it stands on what is visible now. False if it can not, as commit(): then it is over.
  bool see_newer();
  void insert(TableId table, const std::vector<TableModel::Row>& rows, bool one_by_one);
  void remove(TableId table, const std::vector<size_t>& indices);
  // Full new rows; keys and the partition must stay.
  void update(TableId table, const std::vector<size_t>& indices, const std::vector<TableModel::Row>& rows);
  // Rows of a table, by index in what the transaction sees of it, and those that are to be added.
  struct Merge {
    std::vector<size_t> updated, removed;
    std::vector<TableModel::Row> new_rows;  // one for each updated one; keys and time stay
    std::vector<TableModel::Row> inserted;  // their keys are not there
  };
  void merge(TableId table, const Merge& merge);
  void truncate(TableId table);
  void drop_partition(TableId table, int64_t start);
  // A partition that is there into another table of the same columns and keys.
  void move_partition(TableId from, int64_t start, TableId to, bool replace);
  // Does nothing where the version is kept no more, or is not one of those that the transaction's snapshot has.
  bool restore(TableId table, uint64_t version);
  TableId create_table(TableSchema schema);
  // `change` edits a copy of the table's schema.
  void alter_table(TableId table, const std::function<void(TableSchema*)>& change);
  void drop_table(TableId table);
  // Does nothing where it is kept no more.
  bool undrop_table(TableId table, const std::string& name);
  // The rows of `source`, which this transaction has not written, in place of those of `view`, a table of the same columns that it
  // has made or that is a materialized view. Does nothing where the version read is kept no more.
  bool refresh(TableId view, TableId source);
  // One at a time: a later one takes its place.
  void set_savepoint();
  bool has_savepoint() const { return savepoint_ != nullptr; }
  void rollback_to_savepoint();
  // The commit is the run of a key that was not committed yet; the caller lets one session at a time have it.
  void begin_run(const std::string& key, const std::string& tag);
  void forget_run(const std::string& key);
  // Compares what the transaction sees of a table with the model.
  void check_view(TableId table);
  // True if it was committed; false if it had to fail (a conflict, a name) and did.
  bool commit(bool synchronous);
  void describe(const std::string& operation);

 private:
  friend class CheckedDatabase;
  std::shared_ptr<const TableVersion> read(TableId table);
  bool had_to_fail(const SqlError& error, const ModelTransaction::Outcome& outcome) const;

  CheckedDatabase& database_;
  std::unique_ptr<Transaction> transaction_;
  ModelTransaction model_;
  std::shared_ptr<const Transaction::Savepoint> savepoint_;
  std::optional<ModelTransaction> model_savepoint_;
  bool needs_history_ = false;
};

// A database on a simulated disk, and all the states that it may be found in.
//
//   possible: durable ── asynchronous commits ── visible ── a commit whose outcome nobody knows
//
// What is read is always the visible one. After a crash it is found in one of them, which is the only one
// from then on. One thread; the database has none of its own.
class CheckedDatabase {
 public:
  explicit CheckedDatabase(std::unique_ptr<SimulatedFileSystem> files);
  // On a copy of this disk, in the only state that it may be found in.
  CheckedDatabase(std::unique_ptr<SimulatedFileSystem> files, std::shared_ptr<const World> world);
  ~CheckedDatabase();

  // Opens the folder and finds out which of the possible states it is in. Throws SqlError, Violation.
  void open();
  bool is_open() const { return database_ != nullptr; }
  // Everything that holds rows of it must be gone.
  void close(bool orderly);
  // Drops the database and what was not synced, or only the database.
  void crash(uint64_t seed, SimulatedFileSystem::Unsynced unsynced = SimulatedFileSystem::Unsynced::kRandom);
  void kill();

  std::unique_ptr<CheckedTransaction> begin() { return std::make_unique<CheckedTransaction>(*this); }
  // Commits transactions at once that have done nothing but insert into one table. Gives how many of them wrote.
  struct TogetherWithOthers {
    std::unique_ptr<CheckedTransaction> transaction;
    bool synchronous = true;
  };
  size_t commit_together(TableId table, const std::vector<TogetherWithOthers>& commits);
  void checkpoint();
  // All that is visible has become durable.
  void note_durable();
  // Reads everything and compares it with the model. Throws SqlError, Violation.
  void check();
  // Reads an earlier version of a table and compares it with what the table was. False where it is kept no
  // more. Throws SqlError, Violation.
  bool check_version(TableId table, uint64_t version);
  // Versions of a table that can be asked for, ascending.
  std::vector<uint64_t> versions_of(TableId table) const;
  // After the log has failed: a write must say so.
  void check_refuses_writes();
  bool write_failed() const { return database_->status().write_failed; }

  SimulatedFileSystem& files() { return *files_; }
  Database& database() { return *database_; }
  SettableClock& clock() { return clock_; }
  const std::shared_ptr<const World>& visible() const { return possible_[visible_]; }
  size_t possible_count() const { return possible_.size(); }
  std::vector<uint64_t> next_row_ids(size_t count);

  DatabaseOptions options;
  bool keeps_versions = true;  // all of them can be read

 private:
  friend class CheckedTransaction;
  void settle();
  void note_versions();
  std::optional<KeptVersion> find_version(TableId table, uint64_t version);

  SettableClock clock_;
  std::unique_ptr<SimulatedFileSystem> files_;
  std::unique_ptr<Database> database_;
  std::deque<std::shared_ptr<const World>> possible_;
  size_t visible_ = 0;
  std::map<uint32_t, std::map<uint64_t, std::shared_ptr<const ModelTable>>>
      versions_;  // by table and version
  uint64_t last_row_id_ = 0;
};

// Writes a row, reads everything, checkpoints and reads again: throws if anything of that fails.
void check_works(CheckedDatabase& database);

// What a statement may end with when the disk fails: 58030, 53100.
bool is_io_failure(const SqlError& error);

}  // namespace idem::simulation
