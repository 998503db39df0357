#include "storage/transaction.h"

#include "common/error.h"
#include "storage/load_writer.h"
#include "storage/partition_move.h"
#include "storage/transaction_state.h"

namespace idem {

Transaction::State::State(DatabaseState& database, uint64_t owner_id)
    : db(database), owner(owner_id), base(database.published_snapshot()), catalog(base->catalog) {}

void Transaction::State::end_alone() {
  if (!alone_on) return;
  alone_on->gate.open();
  alone_on.reset();
}

void Transaction::State::check_open() const {
  if (over) throw sql_error(sqlstate::kNoActiveSqlTransaction, "the transaction has ended");
}

TableChanges& Transaction::State::writable(std::shared_ptr<TableChanges>& changes) {
  if (changes.use_count() > 1) changes = changes->copy();
  return *changes;
}

TableChanges& Transaction::State::changes_of(TableId table) {
  check_open();
  check_changeable(table);
  const auto id = static_cast<uint32_t>(table);
  const auto found = tables.find(id);
  if (found != tables.end()) {
    view_is_current = names_are_current = false;
    TableChanges& changes = writable(found->second);
    changes.note_operation(table_operation);
    return changes;
  }
  auto version = dropped.contains(id) ? nullptr : base->table(table);
  if (!version) throw sql_error(sqlstate::kUndefinedTable, "relation with id {} does not exist", id);
  auto changes = std::make_unique<TableChanges>(db.write_context(version->schema, owner), version);
  changes->note_operation(table_operation);
  const auto protection = catalog->protections.find(id);
  if (protection != catalog->protections.end()) changes->protect_partitions(protection->second.partitions);
  if (!version->schema->temporary) changes->stream_into(std::make_unique<LoadWriter>(db));
  view_is_current = names_are_current = false;
  return *(tables[id] = std::move(changes));
}

TableChanges& Transaction::State::inserts_into(TableId table) {
  const bool names = names_are_current;
  TableChanges& changes = changes_of(table);
  names_are_current = names;
  return changes;
}

const TableChanges* Transaction::State::find_changes(TableId table) const {
  const auto found = tables.find(static_cast<uint32_t>(table));
  return found == tables.end() ? nullptr : found->second.get();
}

void Transaction::State::add_ddl(CatalogChange change) {
  check_open();
  auto next = std::make_shared<Catalog>(*catalog);
  apply_catalog_change(next.get(), change);
  catalog = std::move(next);
  ddl.push_back(std::move(change));
  view_is_current = names_are_current = false;
}

const Snapshot& Transaction::State::assemble(bool with_collected) {
  if (with_collected) {
    for (auto& [id, changes] : tables) {
      if (changes->pending_rows() > 0) {
        changes->flush();
        view_is_current = false;
      }
      changes->finish_load_file();
    }
  }
  if (view_is_current || (names_are_current && !with_collected)) return view;
  view = *base;
  view.catalog = catalog;
  for (const uint32_t id : dropped) {
    if (id < view.tables.size()) view.tables = view.tables.set(id, nullptr);
  }
  for (const auto& [id, changes] : tables) {
    while (view.tables.size() <= id) view.tables = view.tables.push_back(nullptr);
    view.tables = view.tables.set(id, changes->current());
  }
  view_is_current = names_are_current = true;
  return view;
}

void Transaction::State::rebase(std::shared_ptr<const Snapshot> snapshot) {
  if (snapshot->commit == base->commit) return;
  if (!ddl.empty()) {
    auto next = std::make_shared<Catalog>(*snapshot->catalog);
    for (const CatalogChange& change : ddl) apply_catalog_change(next.get(), change);
    catalog = std::move(next);
  } else {
    catalog = snapshot->catalog;
  }
  for (auto& [id, changes] : tables) {
    if (!undropped.contains(id)) writable(changes).rebase(snapshot->table(static_cast<TableId>(id)));
  }
  base = std::move(snapshot);
  view_is_current = names_are_current = false;
}

// Gives new columns their identities and dictionaries. A column whose type changes becomes another one.
void Transaction::State::assign_columns(TableSchema* schema, const TableSchema* before) const {
  if (before) schema->next_column_id = std::max(schema->next_column_id, before->next_column_id);
  for (ColumnSchema& column : schema->columns) {
    const int known = before && column.id != ColumnId{} ? before->find_column(column.id) : -1;
    const ColumnSchema* old = known < 0 ? nullptr : &before->columns[static_cast<size_t>(known)];
    if (!old || physical_type(old->type) != physical_type(column.type) ||
        (old->type.id == TypeId::kSymbol) != (column.type.id == TypeId::kSymbol)) {
      column.id = static_cast<ColumnId>(schema->next_column_id++);
      column.dictionary = nullptr;
      old = nullptr;
    }
    if (column.type.id != TypeId::kSymbol) {
      column.dictionary = nullptr;
    } else if (old) {
      column.dictionary = old->dictionary;
    } else {
      column.dictionary = std::make_shared<SymbolDictionary>();
    }
  }
  if (!schema->has_timestamp()) schema->partition_by = PartitionUnit::kNone;
}

Transaction::Transaction(std::unique_ptr<State> state) : state_(std::move(state)) {}
Transaction::~Transaction() = default;

const Snapshot& Transaction::read_view() { return state_->assemble(true); }
const Snapshot& Transaction::schema_view() const { return state_->assemble(false); }
void Transaction::refresh() {
  state_->check_open();
  state_->rebase(state_->db.published_snapshot());
}

void Transaction::insert(TableId table, ColumnBatch&& rows) {
  state_->inserts_into(table).insert(std::move(rows));
}
void Transaction::insert_unmatched(TableId table, ColumnBatch&& rows) {
  state_->changes_of(table).insert_unmatched(std::move(rows));
}
ColumnBatch& Transaction::pending_rows(TableId table) { return state_->inserts_into(table).pending(); }
void Transaction::inserted_rows(TableId table, uint32_t count) {
  state_->inserts_into(table).note_pending(count);
}
void Transaction::remove(TableId table, const std::vector<RowPosition>& rows) {
  TableChanges& changes = state_->changes_of(table);
  if (state_->table_operation == TableOperation::kOverwrite) changes.demand_unchanged();
  changes.remove(rows);
}
void Transaction::update(TableId table, const std::vector<RowPosition>& rows, ColumnBatch&& new_rows) {
  state_->changes_of(table).update(rows, std::move(new_rows));
}
void Transaction::modify(TableId table, const std::vector<RowPosition>& updated, ColumnBatch&& new_rows,
                         const std::vector<RowPosition>& removed) {
  state_->changes_of(table).modify(updated, std::move(new_rows), removed);
}
void Transaction::truncate(TableId table) {
  TableChanges& changes = state_->changes_of(table);
  state_->check_not_frozen(table, nullptr);
  changes.truncate();
}
void Transaction::drop_partitions(TableId table, const std::vector<int64_t>& starts) {
  TableChanges& changes = state_->changes_of(table);
  state_->check_not_frozen(table, &starts);
  changes.drop_partitions(starts);
}

void Transaction::restore(TableId table, std::shared_ptr<const TableVersion> version) {
  TableChanges& changes = state_->changes_of(table);
  state_->check_not_frozen(table, nullptr);
  const TableSchema& now = *changes.schema();
  std::shared_ptr<const TableSchema> schema = version->schema;
  if (schema != changes.schema()) {
    auto restored = std::make_shared<TableSchema>(*schema);
    restored->schema_name = now.schema_name;
    restored->name = now.name;
    restored->owner = now.owner;
    restored->ttl_count = now.ttl_count;
    restored->ttl_unit = now.ttl_unit;
    restored->options = now.options;
    restored->next_column_id = std::max(restored->next_column_id, now.next_column_id);
    schema = std::move(restored);
  }
  // Of a run that is executed again the history tells what it did, if it did anything.
  if (!state_->run_before.contains(static_cast<uint32_t>(table)))
    changes.note_operation(TableOperation::kRestore);
  changes.restore(std::move(version), std::move(schema));
  // What its rows were computed of is another version than the one noted.
  if (const MaterializedView* view = state_->catalog->materialized_view(table)) {
    state_->add_ddl(PutMaterializedView{with_unknown_sources(*view)});
  }
}

void Transaction::undrop_table(TableId table, const std::string& schema_name, const std::string& name) {
  const auto id = static_cast<uint32_t>(table);
  const bool dropped_here = state_->dropped.contains(id);
  std::shared_ptr<const TableVersion> last;
  if (dropped_here) {
    last = state_->base->table(table);
  } else if (const auto history = state_->db.history(table)) {
    if (const auto kept = history->kept_before(VersionNumber{UINT64_MAX})) last = kept->version;
  }
  if (!last) throw sql_error(sqlstate::kUndefinedTable, "dropped table \"{}\" does not exist", name);
  state_->add_ddl(UndropTable{table, schema_name, name});
  auto changes = std::make_unique<TableChanges>(state_->db.write_context(last->schema, state_->owner), last);
  auto schema = std::make_shared<TableSchema>(*last->schema);
  schema->schema_name = schema_name;
  schema->name = name;
  changes->note_operation(TableOperation::kUndrop);
  changes->alter(std::move(schema));
  state_->tables[id] = std::move(changes);
  if (dropped_here) {
    state_->dropped.erase(id);
  } else {
    state_->undropped[id] = last;
  }
}

void Transaction::create_tag(TableTag tag, KeptVersion version) {
  const TableId table = tag.table;
  state_->add_ddl(PutTag{std::move(tag)});
  state_->tagged.emplace_back(table, std::move(version));
}
void Transaction::drop_tag(TableId table, const std::string& name) { state_->add_ddl(DropTag{table, name}); }
void Transaction::put_slot(ChangeSlot slot, KeptVersion version) {
  const TableId table = slot.table;
  state_->add_ddl(PutSlot{std::move(slot)});
  state_->tagged.emplace_back(table, std::move(version));
}
void Transaction::drop_slot(const std::string& name) { state_->add_ddl(DropSlot{name}); }
void Transaction::put_materialized_view(MaterializedView view, std::vector<KeptVersion> read) {
  state_->add_ddl(PutMaterializedView{std::move(view)});
  for (KeptVersion& version : read) {
    const TableId table = version.version->schema->id;
    state_->tagged.emplace_back(table, std::move(version));
  }
}

void Transaction::move_partition(TableId from, int64_t start, TableId to, bool replace) {
  TableChanges& source = state_->changes_of(from);
  TableChanges& target = state_->changes_of(to);
  const std::vector<int64_t> moved{start};
  state_->check_not_frozen(from, &moved);
  check_rows_may_move(*source.schema(), *target.schema());
  source.note_operation(TableOperation::kDetach);
  target.note_operation(TableOperation::kAttach);
  const std::shared_ptr<const TableSchema> schema = source.schema();  // the version that holds it goes
  target.attach(source.detach(start), schema, replace);
}

TableId Transaction::create_table(TableSchema schema) {
  const uint32_t id = state_->db.next_object_id.fetch_add(1, std::memory_order_relaxed);
  schema.id = static_cast<TableId>(id);
  schema.next_column_id = 1;
  for (ColumnSchema& column : schema.columns) column.id = ColumnId{};
  state_->assign_columns(&schema, nullptr);
  schema.keys_unique = schema.has_keys();
  state_->add_ddl(CreateTableName{schema.id, schema.schema_name, schema.name, schema.temporary});
  auto shared = std::make_shared<const TableSchema>(std::move(schema));
  auto changes = TableChanges::created(state_->db.write_context(shared, state_->owner), shared);
  changes->note_operation(TableOperation::kCreate);
  if (!shared->temporary) changes->stream_into(std::make_unique<LoadWriter>(state_->db));
  state_->tables[id] = std::move(changes);
  return static_cast<TableId>(id);
}

void Transaction::drop_table(TableId table) {
  const auto id = static_cast<uint32_t>(table);
  const std::shared_ptr<const TableSchema> schema = state_->changes_of(table).schema();
  const bool created = state_->tables[id]->is_created();
  state_->check_not_frozen(table, nullptr);
  state_->add_ddl(DropTableName{table, schema->schema_name, schema->name, schema->temporary, created});
  state_->forget_access(id);
  // What this transaction undropped is as it was before.
  if (!created && state_->undropped.erase(id) == 0) state_->dropped.insert(id);
  state_->tables.erase(id);
}

void Transaction::alter_table(TableId table, TableSchema schema) {
  TableChanges& changes = state_->changes_of(table);
  const std::shared_ptr<const TableSchema> before = changes.schema();
  schema.id = table;
  state_->assign_columns(&schema, before.get());
  if (schema.name != before->name || schema.schema_name != before->schema_name) {
    state_->add_ddl(RenameTable{table, before->schema_name, before->name, schema.schema_name, schema.name,
                                schema.temporary});
  }
  changes.flush();
  if (schema.has_keys() && changes.current()->row_count == 0) schema.keys_unique = true;
  if (!schema.has_keys()) schema.keys_unique = false;
  changes.alter(std::make_shared<const TableSchema>(std::move(schema)));
  state_->view_is_current = state_->names_are_current = false;
}

void Transaction::rewrite_table(TableId table, TableSchema schema, ColumnBatch&& rows) {
  TableChanges& changes = state_->changes_of(table);
  state_->check_not_frozen(table, nullptr);
  schema.id = table;
  state_->assign_columns(&schema, changes.schema().get());
  auto shared = std::make_shared<const TableSchema>(std::move(schema));
  // The rows were built before the new columns had identities: they correspond by place.
  ColumnBatch shaped(shared);
  for (size_t c = 0; c < shaped.column_count(); ++c) {
    for (uint32_t first = 0; first < rows.rows(); first += kVectorSize) {
      const uint32_t count = std::min(kVectorSize, rows.rows() - first);
      shaped.column(c).append_vector(rows.column(c).slice(first, count), {nullptr, count});
    }
  }
  changes.rewrite(shared, std::move(shaped));
  state_->view_is_current = state_->names_are_current = false;
}

void Transaction::create_schema(const std::string& name, const std::string& owner, bool owns_objects) {
  const uint32_t id = state_->db.next_object_id.fetch_add(1, std::memory_order_relaxed);
  state_->add_ddl(CreateSchema{SchemaInfo{id, name, owner, owns_objects}});
}
void Transaction::put_schema(SchemaInfo schema) { state_->add_ddl(PutSchema{std::move(schema)}); }
void Transaction::drop_schema(const std::string& name) {
  const auto known = state_->catalog->schemas.find(name);
  const uint32_t id = known == state_->catalog->schemas.end() ? 0 : known->second.id;
  state_->add_ddl(DropSchema{name});
  state_->forget_access(id);
}

void Transaction::put_view(ViewSchema view) {
  if (view.id == 0) {
    const auto known = state_->catalog->views.find({view.schema_name, view.name});
    view.id = known != state_->catalog->views.end()
                  ? known->second->id
                  : state_->db.next_object_id.fetch_add(1, std::memory_order_relaxed);
  }
  state_->add_ddl(PutView{std::move(view)});
}
void Transaction::drop_view(const std::string& schema, const std::string& name) {
  const auto known = state_->catalog->views.find({schema, name});
  const uint32_t id = known == state_->catalog->views.end() ? 0 : known->second->id;
  state_->add_ddl(DropView{schema, name});
  state_->forget_access(id);
}
void Transaction::rename_view(const ViewSchema& view, ViewSchema renamed) {
  renamed.id = view.id;
  state_->add_ddl(DropView{view.schema_name, view.name});
  state_->add_ddl(PutView{std::move(renamed)});
}

void Transaction::put_role(Role role) {
  if (role.id == 0) {
    const auto known = state_->catalog->roles.find(role.name);
    role.id = known != state_->catalog->roles.end()
                  ? known->second.id
                  : state_->db.next_object_id.fetch_add(1, std::memory_order_relaxed);
  }
  state_->add_ddl(PutRole{std::move(role)});
}
void Transaction::drop_role(const std::string& name) { state_->add_ddl(DropRole{name}); }

void Transaction::set_access(uint32_t object, AccessEntry entry) {
  state_->add_ddl(SetAccess{object, std::move(entry)});
}
void Transaction::State::forget_access(uint32_t object) {
  if (catalog->access.contains(object)) add_ddl(ForgetAccess{object});
}
void Transaction::set_membership(RoleMembership membership, bool member) {
  state_->add_ddl(SetMembership{std::move(membership), member});
}
void Transaction::set_default_access(DefaultAccessKey key, AccessEntry entry) {
  state_->add_ddl(SetDefaultAccess{std::move(key), std::move(entry)});
}

void Transaction::describe(std::string user, std::string operation) {
  state_->user = std::move(user);
  state_->table_operation = table_operation_of(operation);
  state_->operation = std::move(operation);
}

std::shared_ptr<const Transaction::Savepoint> Transaction::savepoint() {
  state_->check_open();
  state_->assemble(true);
  auto savepoint = std::make_shared<Savepoint>();
  savepoint->base_ = state_->base;
  savepoint->catalog_ = state_->catalog;
  savepoint->ddl_ = state_->ddl.size();
  savepoint->tagged_ = state_->tagged.size();
  savepoint->tables_ = state_->tables;
  savepoint->dropped_ = state_->dropped;
  savepoint->undropped_ = state_->undropped;
  savepoint->protected_from_ = state_->protected_from;
  savepoint->operation_ = state_->operation;
  savepoint->table_operation_ = state_->table_operation;
  return savepoint;
}

void Transaction::rollback_to(const Savepoint& savepoint) {
  state_->check_open();
  state_->base = savepoint.base_;
  state_->catalog = savepoint.catalog_;
  state_->ddl.erase(state_->ddl.begin() + static_cast<ptrdiff_t>(savepoint.ddl_), state_->ddl.end());
  state_->tagged.erase(state_->tagged.begin() + static_cast<ptrdiff_t>(savepoint.tagged_),
                       state_->tagged.end());
  state_->tables = savepoint.tables_;
  state_->dropped = savepoint.dropped_;
  state_->undropped = savepoint.undropped_;
  state_->protected_from = savepoint.protected_from_;
  state_->operation = savepoint.operation_;
  state_->table_operation = savepoint.table_operation_;
  state_->view_is_current = state_->names_are_current = false;
}

bool Transaction::has_writes() const {
  if (!state_->ddl.empty() || !state_->run_key.empty()) return true;
  for (const auto& [id, changes] : state_->tables) {
    if (changes->has_writes()) return true;
  }
  return false;
}

bool Transaction::only_inserts() const {
  const State& s = *state_;
  const bool only_a_table = s.tables.size() == 1 && s.ddl.empty() && s.dropped.empty() &&
                            s.undropped.empty() && s.tagged.empty() && s.run_key.empty() &&
                            s.protected_from.empty() && !s.alone_on;
  if (s.over || !only_a_table) return false;
  const TableChanges& changes = *s.tables.begin()->second;
  return changes.operation() == TableOperation::kInsert && !changes.schema()->temporary;
}

bool Transaction::writes(TableId table) const {
  const TableChanges* changes = state_->find_changes(table);
  return changes && changes->has_writes();
}

const Snapshot& Transaction::committed_view() const { return *state_->base; }

void Transaction::rollback() {
  state_->over = true;
  state_->end_alone();
  state_->tables.clear();
  state_->ddl.clear();
  state_->dropped.clear();
  state_->undropped.clear();
  state_->tagged.clear();
}

}  // namespace idem
