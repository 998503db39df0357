#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <vector>

#include "common/error.h"
#include "common/persistent_vector.h"
#include "storage/change_rows.h"
#include "storage/column_batch.h"
#include "storage/dense_replacement.h"
#include "storage/partition_change.h"
#include "storage/position_history.h"
#include "storage/transaction.h"
#include "storage/upsert_match.h"
#include "storage/waiting_rows.h"

namespace idem {

class LoadWriter;

// What one transaction did to one table, and the private version that it sees.
//
//   base ──op──▶ ──op──▶ current          each partition by itself: the rows of one key never leave it
//     │ other commits
//   head ──op'─▶ ──op'─▶ current'         rebase: a partition whose rows are the same keeps its operations as
//   they are,
//                                         in another one rows are matched again and positions move
//
// Inserted rows are collected and matched when the version is needed. Of large inserts they are matched, and
// encoded into segment files, as soon as a partition has enough of them for a row group; their batch is
// given up then, and made again of what was stored if others changed the partition meanwhile.
// One thread at a time.
class TableChanges {
 public:
  // On top of a committed version; with the `owner` of WriteContext.
  TableChanges(WriteContext context, std::shared_ptr<const TableVersion> base);
  // A new table.
  static std::unique_ptr<TableChanges> created(WriteContext context,
                                               std::shared_ptr<const TableSchema> schema);

  ~TableChanges();
  // Where large inserts go; without it they stay in memory until a checkpoint.
  void stream_into(std::shared_ptr<LoadWriter> load);
  bool has_load() const;    // rows are on the way there
  void finish_load_file();  // so that other threads may read what this transaction sees
  void prepare_load();      // makes them durable; throws SqlError 58030, 53100
  // The same at this moment, for a savepoint: shares operations, versions and the files of large
  // inserts. Nothing is collected.
  std::unique_ptr<TableChanges> copy() const;

  bool is_created() const { return created_; }
  const std::shared_ptr<const TableVersion>& base() const { return base_; }
  const std::shared_ptr<const TableVersion>& current() const { return current_; }  // without collected rows
  const std::shared_ptr<const TableSchema>& schema() const { return current_->schema; }

  ColumnBatch& pending();
  void note_pending(uint32_t count);  // rows were added to pending(); checks NOT NULL
  void insert(ColumnBatch&& rows);
  void insert_unmatched(ColumnBatch&& rows);
  uint64_t pending_rows() const { return (pending_ ? pending_->rows() : 0) + waiting_.rows(); }
  // The collected rows, if they are few and all that was done; else null.
  const ColumnBatch* few_rows() const;
  // Matches the collected rows. `owner`: whose row groups may be appended to.
  void flush(uint64_t owner);
  void flush() { flush(context_.owner); }

  void remove(const std::vector<RowPosition>& rows);
  void update(const std::vector<RowPosition>& rows, ColumnBatch&& new_rows);
  void modify(const std::vector<RowPosition>& updated, ColumnBatch&& new_rows,
              const std::vector<RowPosition>& removed);
  // Where rows were chosen by a condition to be replaced: those that others bring meanwhile may meet it too, so nobody may
  // have changed the table by the commit.
  void demand_unchanged() { exclusive_ = true; }
  void truncate();
  void drop_partitions(const std::vector<int64_t>& starts);
  // Everything in place of what is there: `schema` with the rows of `version`.
  void restore(std::shared_ptr<const TableVersion> version, std::shared_ptr<const TableSchema> schema);
  // Takes a partition away to another table, 42704 if there is none; and puts one there that detach() gave (partition_move.h).
  // With `replace` it takes the place of the one with its start.
  std::shared_ptr<const Partition> detach(int64_t start);
  void attach(const std::shared_ptr<const Partition>& rows, const std::shared_ptr<const TableSchema>& from,
              bool replace);
  // Starts of partitions that nothing may change from here on: 42501.
  void protect_partitions(std::set<int64_t> starts) { frozen_ = std::move(starts); }
  void alter(std::shared_ptr<const TableSchema> schema);
  void rewrite(std::shared_ptr<const TableSchema> schema, ColumnBatch&& rows);

  // Moves everything on top of a newer committed version. Throws SqlError 40001 where a row that was updated
  // or deleted here was changed since, 42P01 if `head` is null.
  void rebase(std::shared_ptr<const TableVersion> head);
  // Under the table's latch: rebases, matches the rest, and puts few appended rows into the row group of the
  // newest version.
  void prepare_commit(std::shared_ptr<const TableVersion> head);

  bool has_writes() const { return created_ || takes_version_ || !partitions_.empty() || pending_rows() > 0; }
  bool has_effect() const;  // a commit must log it and takes a version
  bool schema_changed() const { return schema_changed_; }
  bool truncated() const { return truncated_; }
  // The version whose rows came in place of those that were there; null if there was none.
  const std::shared_ptr<const TableVersion>& restored() const { return restored_; }
  TableOperation operation() const { return operation_; }
  void note_operation(TableOperation operation) { operation_ = std::max(operation_, operation); }
  const WriteCounts& counts() const { return counts_; }
  // For each partition what happened to it, in order of operations.
  struct PartitionEffect {
    int64_t start = 0;
    bool cleared = false;
    std::vector<const PartitionChange*> changes;
  };
  std::vector<PartitionEffect> effects() const;
  // How positions moved; nothing if rows were only appended.
  std::optional<PositionHistory::Step> history_step() const;

 private:
  enum class Kind : uint8_t { kUpsert, kUnmatched, kMustBeNew, kAsTheyAre, kPositions, kAttach };
  struct Operation {
    Kind kind;
    std::shared_ptr<const OrderedBatch> batch;  // null for kPositions, and where it was given up
    OrderedBatch::Part part;
    PartitionChange change;  // relative to the version before this operation
    uint64_t rows_before = 0;
    MatchCounts counts;
    GivenUpRows given_up;     // where the batch was given up; the rest of it is in `change`
    RewrittenRows rewritten;  // by `change`
  };
  using Operations = PersistentVector<std::shared_ptr<const Operation>>;
  struct PartitionWork {
    bool cleared = false;                   // what the base has here does not count
    std::shared_ptr<const Partition> base;  // null: none
    std::shared_ptr<const Partition> current;
    Operations operations;
    bool in_own_groups = false;  // rows were written where committers do not append
  };

  WriteContext context_for(uint64_t owner) const;
  static std::shared_ptr<const Partition> partition_of(const TableVersion& version,
                                                       int64_t start);  // null: none
  PartitionWork& work_on(int64_t start);
  static MatchMode mode_of(Kind kind) {
    switch (kind) {
      case Kind::kMustBeNew: return MatchMode::kMustBeNew;
      case Kind::kAsTheyAre: return MatchMode::kAsTheyAre;
      default: return MatchMode::kUpsert;
    }
  }
  void upsert(std::shared_ptr<const ColumnBatch> rows, Kind kind, uint64_t owner);
  void match_waiting(bool all, uint64_t owner);
  void match_arrived(const WaitingRows::Arrived& arrived, uint64_t owner);
  bool may_give_up(const PartitionMatch& match, const OrderedBatch::Part& part) const;
  GivenUpRows write_originals_aside(const OrderedBatch& batch, const OrderedBatch::Part& part);
  void encode_inserted(Operation* operation);
  void keep_effective_rows(PartitionChange* change) const;
  void match_again(Operation* operation, const PartitionChange& old,
                   const std::shared_ptr<const Partition>& current);
  void add_operation(PartitionWork* work, int64_t start, Operation operation, uint64_t owner);
  void set_partition(int64_t start, std::shared_ptr<const Partition> partition);
  void set_schema(std::shared_ptr<const TableSchema> schema);
  void check_not_null(const ColumnBatch& rows, uint32_t from) const;
  void sort_by_new_keys();
  void remove_tombstones();
  void replay(PartitionWork* work, int64_t start, std::shared_ptr<const Partition> head_partition,
              const TableVersion& head);
  void reapply(PartitionWork* work, std::shared_ptr<const Partition> head_partition, uint64_t owner);
  static void insert_rewritten(const Operation& before, const std::function<uint64_t(uint64_t)>& moved,
                               const TableSchema& schema, Operation* after);
  uint64_t move_position(uint64_t ordinal, size_t operation, const Operations& old_operations,
                         const Operations& new_operations, int64_t start, const TableVersion& head,
                         const std::shared_ptr<const Partition>& current) const;
  void recount();
  TableChanges(const TableChanges& other);

  WriteContext context_;
  std::shared_ptr<const TableVersion> base_;  // null for a new table
  std::shared_ptr<const TableVersion> current_;
  std::unique_ptr<ColumnBatch> pending_;
  uint32_t pending_checked_ = 0;
  WaitingRows waiting_;               // of large inserts, not yet matched
  uint64_t streamed_rows_ = 0;        // that went through waiting_
  std::shared_ptr<LoadWriter> load_;  // shared with copies; null: nothing is streamed
  std::map<int64_t, PartitionWork> partitions_;
  // By start, as they were: rows that are in another table now. Others must not have changed them, whatever became of the
  // partition here since.
  std::map<int64_t, std::shared_ptr<const Partition>> moved_away_;
  std::set<int64_t> frozen_;
  WriteCounts counts_;
  uint64_t removed_ = 0, truncated_rows_ = 0, updated_ = 0;
  bool created_ = false, truncated_ = false, schema_changed_ = false;
  bool takes_version_ = false;  // UPDATE, DELETE, TRUNCATE and ALTER do, whatever they changed
  bool exclusive_ = false;      // nothing else may have changed the table
  std::shared_ptr<const TableVersion> restored_;  // with truncated_
  TableOperation operation_ = TableOperation::kOther;
};

// 42501.
SqlError frozen_partition(const TableSchema& schema, int64_t start);

}  // namespace idem
