#pragma once

#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "tests/unit/storage/table_model.h"

namespace idem::simulation {

// What the database must be like, and what each transaction must do to it, in the plainest way: rows are
// lists, every table is copied when it is written. What the storage is compared with.

struct ModelTable : TableModel {
  using TableModel::TableModel;
  uint64_t schema_changed = 0;              // stamp of the last change of its schema
  uint64_t rows_changed = 0;                // stamp of the last commit that wrote it
  uint64_t undropped = 0;                   // stamp of the commit that brought it back
  std::optional<uint64_t> view_generation;  // of a materialized view: how often its entry was changed
};

// All tables at one commit. A value; tables are shared until they are written.
struct World {
  uint64_t stamp = 0;                                             // of the commit; grows
  std::map<uint32_t, std::shared_ptr<const ModelTable>> tables;   // by TableId
  std::map<uint32_t, std::shared_ptr<const ModelTable>> dropped;  // as they were
  std::map<std::string, std::string> runs;  // committed ones: key → tag of what it wrote

  const ModelTable* table(TableId id) const;
  const ModelTable* find(const std::string& name) const;
  // For messages and comparison: names, columns and rows of all tables but the dropped ones, and the runs.
  std::string text() const;
};

// As World::text(), of what the database holds. Throws SqlError as reading does.
std::string text_of(const Snapshot& snapshot);

// A transaction on the model. Its methods mirror those of Transaction; rows are named by their ids for ever.
class ModelTransaction {
 public:
  explicit ModelTransaction(std::shared_ptr<const World> base);

  const World& view() const { return view_; }
  const std::shared_ptr<const World>& base() const { return base_; }
  bool has_work() const {
    return !work_.empty() || !names_.empty() || !run_key_.empty() || !forgotten_.empty();
  }
  // What the commit must do on top of the newest world.
  struct Outcome {
    std::shared_ptr<const World> world;  // null: it must fail
    std::set<std::string> errors;        // with one of these SQLSTATEs
    bool writes = false;                 // it takes a place in the log
    bool may_conflict = false;  // 40001 is right, too: rows that it moves were changed and are the same again
  };
  Outcome commit_on(const World& newest) const;
  // Goes on on top of a newer world; `outcome` is that of commit_on() it. False where others have dropped columns of its rows: what
  // their values are if the columns come back is not said.
  bool move_to(std::shared_ptr<const World> newest, const Outcome& outcome);

  // `ids` are given to rows that meet no other of the same key. Rows inserted one after the other are one
  // batch until they are read.
  void insert(TableId table, const std::vector<TableModel::Row>& rows, const std::vector<uint64_t>& ids);
  // Rows whose keys are not there, and must not be when they are committed.
  void insert_unmatched(TableId table, const std::vector<TableModel::Row>& rows,
                        const std::vector<uint64_t>& ids);
  void remove(TableId table, const std::vector<size_t>& indices);
  void update(TableId table, const std::vector<size_t>& indices, const std::vector<TableModel::Row>& rows);
  void truncate(TableId table);
  void drop_partition(TableId table, int64_t start);
  // The rows of a partition become rows of another table, with these ids; `replace`: in place of those of its partition.
  void move_partition(TableId from, int64_t start, TableId to, bool replace,
                      const std::vector<uint64_t>& ids);
  // The rows of an earlier version in place of those that are there; `schema` is the table's from then on.
  void restore(const ModelTable& version, const std::vector<uint64_t>& ids, const TableSchema& schema,
               bool altered);
  // With the ids that the database gave to the table and its columns.
  void create_table(const TableSchema& schema);
  void alter_table(const TableSchema& schema);
  void drop_table(TableId table);
  // One that was dropped when the transaction began, with the schema that the database gave it.
  void undrop_table(const TableSchema& schema);
  // The table becomes a materialized view, or the view's entry another one.
  void change_view(TableId table);
  // Its commit is the run of this key.
  void begin_run(const std::string& key, const std::string& tag) {
    run_key_ = key;
    run_tag_ = tag;
  }
  void forget_run(const std::string& key) { forgotten_.insert(key); }
  // A state to come back to, by assignment.
  ModelTransaction save();
  // The transaction reads: what was inserted before is a batch of its own.
  void read();

 private:
  struct Operation {
    enum class Kind { kInsert, kDelete, kUpdate, kTruncate, kDropPartition, kRestore, kDetach, kAttach };
    Kind kind = Kind::kInsert;
    std::vector<TableModel::Row> rows;
    std::vector<uint64_t> ids;
    std::vector<int64_t> partitions;  // of the rows deleted or updated; or the one that is dropped or moved
    std::vector<ColumnSchema> shape;  // of `rows`
    bool needs_same = false;          // of moved partitions: the one there must be as it was
    bool must_be_new = false;         // of inserted rows: no other may have their keys
  };
  struct TableWork {
    bool created = false, dropped = false, undropped = false, altered = false;
    bool changes_view = false;                   // the entry of a materialized view
    std::optional<uint64_t> dropped_generation;  // what it was when it was dropped with the table
    bool collects = false;                       // the last operation is an insert that takes more rows
    std::vector<Operation> operations;
  };
  struct NameChange {
    TableId table{};
    std::string before, after;  // "" where there is none
  };
  using Aliases = std::map<uint64_t, uint64_t>;  // ids of own rows → of what they became

  ModelTable& write(TableId table);
  TableWork& work_on(TableId table) { return work_[static_cast<uint32_t>(table)]; }
  int64_t partition_of(const TableModel& table, const TableModel::Row& row) const;
  Operation& add(TableId table, Operation operation);
  static void apply_insert(ModelTable* table, const Operation& operation, uint64_t stamp, Aliases* aliases,
                           bool* writes);
  static bool apply(ModelTable* table, const Operation& operation, uint64_t stamp, Aliases* aliases,
                    bool* writes);
  bool apply_all(const TableWork& work, const ModelTable& newest, uint64_t stamp, ModelTable* next,
                 Outcome* outcome) const;
  bool partition_is_same(const Operation& operation, const ModelTable& newest, bool* may_conflict) const;
  bool stands_on_base(TableId table, int64_t start) const;
  void change_names(const World& newest, std::set<std::string>* errors) const;
  void commit_table(TableId table, const TableWork& work, const World& newest, World* next,
                    Outcome* outcome) const;

  std::shared_ptr<const World> base_;
  World view_;
  std::map<uint32_t, std::shared_ptr<ModelTable>> own_;  // the writable ones of view_
  bool was_moved_ = false;                               // on top of a newer version than it began with
  std::map<uint32_t, TableWork> work_;
  std::vector<NameChange> names_;
  std::string run_key_, run_tag_;
  std::set<std::string> forgotten_;
};

// Rows in the shape of other columns of the same table: columns by id, initial values for those that are new.
TableModel::Row reshape_row(const TableModel::Row& row, const std::vector<ColumnSchema>& from,
                            const std::vector<ColumnSchema>& to);

}  // namespace idem::simulation
