#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "common/error.h"
#include "storage/catalog.h"
#include "storage/column_batch.h"
#include "storage/table_history.h"

namespace idem {

class Database;

struct CommitResult {
  CommitNumber commit{};  // of this transaction; unchanged state: the commit it was compared with
  bool wrote = false;     // false: nothing was logged
  WriteCounts counts;     // over all tables; final only now, since duplicates are found at commit
  // Of commit_without_waiting(): nobody may be told before this commit is visible (Database::when_visible). 0: it is.
  CommitNumber visible_after{};
};

class Transaction;

// A commit that is carried out for its owner (Database::commit_together).
struct CommitRequest {
  Transaction* transaction = nullptr;
  bool synchronous = true;  // false: the answer does not wait for the disk, and stands on nothing
};

// How it ended.
struct CommitOutcome {
  CommitResult result;
  std::optional<SqlError> error;  // then nothing of it is there
};

// A private state of the database on top of a snapshot: statements write into it, commit publishes all
// its tables in one step. Owned by one session; one thread at a time. Destroying it rolls back.
//
// Inserts are collected and matched late (at the next read of that table, or at commit), so that a thousand single-row inserts in
// a transaction cost what one batch costs. Deletes and updates apply at once to a private table version.
// At commit, under the latches of the tables it wrote (taken in order of id): where a partition is still the one that the
// transaction started from, its private one is published; elsewhere the changes are matched again against the newest
// version (inserts by key, deletes and updates by their positions moved over the inserts since; a row that was itself
// changed since is 40001).
class Transaction {
 public:
  ~Transaction();

  // What a statement sees: the snapshot plus this transaction's own writes. Flushes collected inserts of all tables.
  const Snapshot& read_view();
  // The same names and schemas, but collected inserts stay collected: for statements that only write.
  const Snapshot& schema_view() const;
  // A newer snapshot under the private changes (READ COMMITTED calls it before each statement). Keeps own writes on top.
  void refresh();

  // Rows to append or, where the table has keys, to upsert. Checks NOT NULL (23502). The rows count as accepted.
  void insert(TableId table, ColumnBatch&& rows);
  // Rows that a MERGE found missing. As insert(), but if one of their keys has come into the table by the time of the commit,
  // that is 40001.
  void insert_unmatched(TableId table, ColumnBatch&& rows);
  // One row's path without a batch of its own: the collected batch of the table, to append to in place (then call
  // inserted_rows). Valid until the next call on this transaction.
  ColumnBatch& pending_rows(TableId table);
  void inserted_rows(TableId table, uint32_t count);

  // Rows of read_view()'s version of the table, sorted and unique by position.
  void remove(TableId table, const std::vector<RowPosition>& rows);
  // Full new rows, row i for positions[i]. A changed timestamp or key moves the row; 23505 if it takes another row's key.
  void update(TableId table, const std::vector<RowPosition>& rows, ColumnBatch&& new_rows);
  // Both in one step, as MERGE does: a removed row's keys are free for an updated one. No position is in both lists.
  void modify(TableId table, const std::vector<RowPosition>& updated, ColumnBatch&& new_rows,
              const std::vector<RowPosition>& removed);
  void truncate(TableId table);
  void drop_partitions(TableId table, const std::vector<int64_t>& starts);
  // Rows, columns, keys and policies of an earlier version (Database::find_version) in place of what is there,
  // without reading any of them. Name, owner, TTL and options stay.
  void restore(TableId table, std::shared_ptr<const TableVersion> version);
  // Moves a whole partition into another table of the same columns and keys. With `replace` it takes the place of the one with its
  // start. Throws 42704, 42710, 42P16, 22023, 23505; at commit 40001 where its rows were changed meanwhile.
  void move_partition(TableId from, int64_t start, TableId to, bool replace);

  // DDL on the private catalog. Names are checked here and again at commit (42P07, 42P01, …).
  TableId create_table(TableSchema schema);  // ids and dictionaries are assigned here
  void drop_table(TableId table);
  void alter_table(TableId table,
                   TableSchema schema);  // metadata only: names, options, keys, added and dropped columns
  // A changed column type: `rows` is the whole table again, in the new shape.
  void rewrite_table(TableId table, TableSchema schema, ColumnBatch&& rows);
  // Brings back a table that the catalog lists as dropped.
  void undrop_table(TableId table, const std::string& schema, const std::string& name);
  // `version` is the one that the tag names. 42710 if the table has such a tag.
  void create_tag(TableTag tag, KeptVersion version);
  void drop_tag(TableId table, const std::string& name);
  // Creates a slot or moves it on; `version` is the one that it is at.
  void put_slot(ChangeSlot slot, KeptVersion version);
  void drop_slot(const std::string& name);
  // Makes a table of this transaction a materialized view, or takes the place of the view's present entry, whose generation is one
  // less. `read`: the versions that its sources name.
  void put_materialized_view(MaterializedView view, std::vector<KeptVersion> read);
  void create_schema(const std::string& name, const std::string& owner, bool owns_objects = false);
  void put_schema(SchemaInfo schema);  // another owner, other options
  void drop_schema(const std::string& name);
  void put_view(ViewSchema view);  // create or replace
  void drop_view(const std::string& schema, const std::string& name);
  void rename_view(const ViewSchema& view, ViewSchema renamed);  // keeps its grants
  void put_role(Role role);
  void drop_role(const std::string& name);
  // Grants, as single entries (catalog_change.h): those of others at the same time stay.
  void set_access(uint32_t object, AccessEntry entry);
  void set_membership(RoleMembership membership, bool member);
  void set_default_access(DefaultAccessKey key, AccessEntry entry);

  // Makes this a run: its commit is registered under the key (Catalog::runs), also if it changes nothing else. The caller
  // holds Database::lock_run(key) until the commit is visible.
  void begin_run(std::string key);
  // Puts everything back to where it was before the run's first commit (run_restore.h), so that it can be executed again.
  // Throws SqlError 55000 if commits of others would be lost, unless `force`; 22023 for a version that is gone.
  void restore_run(const Run& run, bool force);
  void end_run(std::vector<RunWrite> writes);  // before commit()
  void forget_run(const std::string& key);

  // In place of what protected the table so far. Whoever changes a protected table gets 42501.
  void protect_table(TableId table, TableProtection protection);

  // Who does what, for the log and the history; `operation` in the words of table_history(): INSERT, COPY, MERGE, …
  void describe(std::string user, std::string operation);

  // A state to come back to: what was written and defined since then is undone. It shares with the transaction what is not
  // changed later. Only for the transaction that gave it.
  class Savepoint;
  std::shared_ptr<const Savepoint> savepoint();
  void rollback_to(const Savepoint& savepoint);

  bool has_writes() const;
  bool writes(TableId table) const;  // has changed it so far
  // What was committed when the transaction or its present statement began, without its own writes.
  const Snapshot& committed_view() const;
  // Logs, waits until the record is durable and published (unless `synchronous` is false), answers. On an error nothing
  // is visible and the transaction is over. An empty transaction waits until what it saw is durable.
  CommitResult commit(bool synchronous);
  // As commit(true), but where the record is not durable yet the caller has it synced (Database::request_sync) and waits.
  CommitResult commit_without_waiting();
  // Whether it does no more than insert rows into one table that is there for all.
  bool only_inserts() const;
  // The same, and they are few, in a way that its commit may be one with those of others (Database::commit_together).
  bool may_share_commit() const;
  void rollback();

 private:
  friend class Database;
  struct State;
  enum class Wait : uint8_t { kUntilVisible, kNot, kLater };
  class Commit;
  class SharedCommit;
  CommitResult commit(Wait wait);
  explicit Transaction(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace idem
