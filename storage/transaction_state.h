#pragma once

#include <map>
#include <set>

#include "storage/catalog_change.h"
#include "storage/database_state.h"
#include "storage/table_changes.h"
#include "storage/transaction.h"

namespace idem {

struct Transaction::State {
  explicit State(DatabaseState& database)
      : State(database, database.next_owner.fetch_add(1, std::memory_order_relaxed)) {}
  State(DatabaseState& database, uint64_t owner_id);
  ~State() { end_alone(); }
  void end_alone();

  // Changes of a table, begun when it is first written. Throws SqlError 42P01 for one that does not exist.
  TableChanges& changes_of(TableId table);
  // The same for inserts, which leave names and schemas of the view as they are.
  TableChanges& inserts_into(TableId table);
  const TableChanges* find_changes(TableId table) const;
  static TableChanges& writable(std::shared_ptr<TableChanges>& changes);  // its own, apart from savepoints
  void add_ddl(CatalogChange change);  // checks it against the private catalog and applies it
  const Snapshot& assemble(bool with_collected);
  void forget_access(uint32_t object);  // of something that was dropped
  void rebase(std::shared_ptr<const Snapshot> snapshot);
  void assign_columns(TableSchema* schema, const TableSchema* before) const;
  void check_open() const;
  // 42501 for an immutable table.
  void check_changeable(TableId table) const;
  // 42501 if one of these partitions (null: any) is frozen.
  void check_not_frozen(TableId table, const std::vector<int64_t>* starts) const;

  DatabaseState& db;
  const uint64_t owner;
  std::shared_ptr<const Snapshot> base;
  std::shared_ptr<const Catalog> catalog;  // base's, with the private DDL applied
  std::vector<CatalogChange> ddl;
  std::map<uint32_t, std::shared_ptr<TableChanges>> tables;  // by TableId; savepoints may hold them too
  std::set<uint32_t> dropped;
  std::map<uint32_t, std::shared_ptr<const TableVersion>> undropped;  // what they had been when dropped
  std::vector<std::pair<TableId, KeptVersion>> tagged;                // for the tags and slots among `ddl`
  std::shared_ptr<TableState> alone_on;                               // of Database::begin_alone
  Snapshot view;
  bool view_is_current = false;
  bool names_are_current = false;  // of `view`: rows may have been written since
  bool over = false;
  std::string user, operation, run_key;
  std::vector<RunWrite> run_writes;
  // Of a run that is executed again: versions that its tables were put back to; tables that were dropped for it;
  // versions that were the newest when that was decided.
  std::map<uint32_t, VersionNumber> run_before;
  std::set<uint32_t> run_discarded;
  std::map<uint32_t, VersionNumber> run_heads;
  std::map<uint32_t, TableProtection>
      protected_from;  // what protected the tables of PutProtection changes before
  TableOperation table_operation = TableOperation::kOther;
};

class Transaction::Savepoint {
 private:
  friend class Transaction;
  std::shared_ptr<const Snapshot> base_;
  std::shared_ptr<const Catalog> catalog_;
  size_t ddl_ = 0, tagged_ = 0;
  std::map<uint32_t, std::shared_ptr<TableChanges>> tables_;
  std::set<uint32_t> dropped_;
  std::map<uint32_t, std::shared_ptr<const TableVersion>> undropped_;
  std::map<uint32_t, TableProtection> protected_from_;
  std::string operation_;
  TableOperation table_operation_ = TableOperation::kOther;
};

}  // namespace idem
