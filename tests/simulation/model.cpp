#include "tests/simulation/model.h"

#include <algorithm>

namespace idem::simulation {

namespace {

std::string table_text(const TableSchema& schema, const std::optional<uint64_t>& view_generation,
                       const std::vector<std::string>& rows) {
  std::string text = fmt::format("{} {}", schema.name, static_cast<uint32_t>(schema.id));
  if (view_generation) text += fmt::format(", view changed {} times", *view_generation);
  text += " (";
  for (const ColumnSchema& column : schema.columns)
    text += column.name + " " + format_type(column.type) + ",";
  text += ")\n";
  for (const std::string& row : rows) text += row + "\n";
  return text;
}

bool same_shape(const std::vector<ColumnSchema>& a, const std::vector<ColumnSchema>& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](const ColumnSchema& x, const ColumnSchema& y) { return x.id == y.id; });
}

std::vector<const TableModel::Stored*> rows_of_partition(const ModelTable& table, int64_t start) {
  std::vector<const TableModel::Stored*> rows;
  for (const TableModel::Stored& row : table.rows) {
    const bool inside =
        !table.schema.has_timestamp() ||
        partition_start(table.schema.partition_by,
                        row.values[static_cast<size_t>(table.schema.timestamp_column)].as_int()) == start;
    if (inside) rows.push_back(&row);
  }
  return rows;
}

}  // namespace

const ModelTable* World::table(TableId id) const {
  const auto found = tables.find(static_cast<uint32_t>(id));
  return found == tables.end() ? nullptr : found->second.get();
}

const ModelTable* World::find(const std::string& name) const {
  for (const auto& [id, table] : tables) {
    if (table->schema.name == name) return table.get();
  }
  return nullptr;
}

std::string World::text() const {
  std::map<std::string, std::string> by_name;
  for (const auto& [id, table] : tables)
    by_name[table->schema.name] = table_text(table->schema, table->view_generation, table->texts());
  std::string text;
  for (const auto& [name, table] : by_name) text += table;
  for (const auto& [key, tag] : runs) text += fmt::format("run {}: {}\n", key, tag);
  return text;
}

std::string text_of(const Snapshot& snapshot) {
  std::string text;
  for (const auto& [name, id] : snapshot.catalog->tables) {
    const auto version = snapshot.table(id);
    if (!version) {
      text += name.second + " has no version\n";
      continue;
    }
    const MaterializedView* view = snapshot.catalog->materialized_view(id);
    text += table_text(*version->schema, view ? std::optional(view->generation) : std::nullopt,
                       exact_rows_of(version));
  }
  for (const auto& [key, run] : snapshot.catalog->runs) {
    std::string tags;
    for (const RunWrite& write : run->writes) tags += write.tag;
    text += fmt::format("run {}: {}\n", key, tags);
  }
  return text;
}

TableModel::Row reshape_row(const TableModel::Row& row, const std::vector<ColumnSchema>& from,
                            const std::vector<ColumnSchema>& to) {
  TableModel::Row result;
  for (const ColumnSchema& column : to) {
    const auto found =
        std::find_if(from.begin(), from.end(), [&](const ColumnSchema& c) { return c.id == column.id; });
    result.push_back(found == from.end() ? column.initial : row[static_cast<size_t>(found - from.begin())]);
  }
  return result;
}

ModelTransaction::ModelTransaction(std::shared_ptr<const World> base)
    : base_(std::move(base)), view_(*base_) {}

ModelTable& ModelTransaction::write(TableId table) {
  const auto id = static_cast<uint32_t>(table);
  auto& own = own_[id];
  if (!own) {
    own = std::make_shared<ModelTable>(*view_.tables.at(id));
    view_.tables[id] = own;
  }
  return *own;
}

int64_t ModelTransaction::partition_of(const TableModel& table, const TableModel::Row& row) const {
  if (!table.schema.has_timestamp()) return INT64_MIN;
  return partition_start(table.schema.partition_by,
                         row[static_cast<size_t>(table.schema.timestamp_column)].as_int());
}

void ModelTransaction::insert(TableId table, const std::vector<TableModel::Row>& rows,
                              const std::vector<uint64_t>& ids) {
  ModelTable& own = write(table);
  const Operation operation{Operation::Kind::kInsert, rows, ids, {}, own.schema.columns};
  apply(&own, operation, UINT64_MAX, nullptr, nullptr);
  TableWork& work = work_on(table);
  if (work.collects) {
    Operation& last = work.operations.back();
    last.rows.insert(last.rows.end(), rows.begin(), rows.end());
    last.ids.insert(last.ids.end(), ids.begin(), ids.end());
  } else {
    add(table, operation);
    work.collects = true;
  }
}

void ModelTransaction::insert_unmatched(TableId table, const std::vector<TableModel::Row>& rows,
                                        const std::vector<uint64_t>& ids) {
  ModelTable& own = write(table);
  Operation operation{Operation::Kind::kInsert, rows, ids, {}, own.schema.columns};
  apply(&own, operation, UINT64_MAX, nullptr, nullptr);
  operation.must_be_new = own.schema.has_keys();
  add(table, std::move(operation));
}

ModelTransaction::Operation& ModelTransaction::add(TableId table, Operation operation) {
  TableWork& work = work_on(table);
  work.collects = false;
  work.operations.push_back(std::move(operation));
  return work.operations.back();
}

void ModelTransaction::read() {
  for (auto& [id, work] : work_) work.collects = false;
}

ModelTransaction ModelTransaction::save() {
  own_.clear();  // what is written from now on is copied first
  return *this;
}

void ModelTransaction::remove(TableId table, const std::vector<size_t>& indices) {
  ModelTable& own = write(table);
  Operation operation{Operation::Kind::kDelete, {}, {}, {}, {}};
  for (const size_t i : indices) {
    operation.ids.push_back(own.rows[i].id);
    operation.partitions.push_back(partition_of(own, own.rows[i].values));
  }
  apply(&own, operation, UINT64_MAX, nullptr, nullptr);
  add(table, std::move(operation));
}

void ModelTransaction::update(TableId table, const std::vector<size_t>& indices,
                              const std::vector<TableModel::Row>& rows) {
  ModelTable& own = write(table);
  Operation operation{Operation::Kind::kUpdate, rows, {}, {}, own.schema.columns};
  for (const size_t i : indices) {
    operation.ids.push_back(own.rows[i].id);
    operation.partitions.push_back(partition_of(own, own.rows[i].values));
  }
  apply(&own, operation, UINT64_MAX, nullptr, nullptr);
  add(table, std::move(operation));
}

void ModelTransaction::truncate(TableId table) {
  write(table).rows.clear();
  add(table, {Operation::Kind::kTruncate, {}, {}, {}, {}});
}

void ModelTransaction::drop_partition(TableId table, int64_t start) {
  ModelTable& own = write(table);
  Operation operation{Operation::Kind::kDropPartition, {}, {}, {start}, {}};
  apply(&own, operation, UINT64_MAX, nullptr, nullptr);
  add(table, std::move(operation));
}

// Whether no earlier operation here has taken the place of what the base has in a partition.
bool ModelTransaction::stands_on_base(TableId table, int64_t start) const {
  const auto found = work_.find(static_cast<uint32_t>(table));
  if (found == work_.end()) return true;
  if (found->second.created || found->second.undropped) return false;
  return std::none_of(found->second.operations.begin(), found->second.operations.end(),
                      [&](const Operation& operation) {
                        switch (operation.kind) {
                          case Operation::Kind::kTruncate:
                          case Operation::Kind::kRestore: return true;
                          case Operation::Kind::kDropPartition:
                          case Operation::Kind::kDetach: return operation.partitions[0] == start;
                          default: return false;
                        }
                      });
}

void ModelTransaction::move_partition(TableId from, int64_t start, TableId to, bool replace,
                                      const std::vector<uint64_t>& ids) {
  ModelTable& source = write(from);
  Operation attach{Operation::Kind::kAttach, {}, {}, {start}, write(to).schema.columns};
  for (const TableModel::Stored* row : rows_of_partition(source, start)) {
    TableModel::Row moved;
    for (const ColumnSchema& column : attach.shape) {
      moved.push_back(row->values[static_cast<size_t>(source.schema.find_column(column.name))]);
    }
    attach.ids.push_back(ids[attach.rows.size()]);
    attach.rows.push_back(std::move(moved));
  }
  Operation detach{Operation::Kind::kDetach, {}, {}, {start}, {}};
  detach.needs_same = stands_on_base(from, start);
  apply(&source, detach, UINT64_MAX, nullptr, nullptr);
  add(from, std::move(detach));
  if (replace) drop_partition(to, start);
  attach.needs_same = stands_on_base(to, start);
  apply(&write(to), attach, UINT64_MAX, nullptr, nullptr);
  add(to, std::move(attach));
}

void ModelTransaction::restore(const ModelTable& version, const std::vector<uint64_t>& ids,
                               const TableSchema& schema, bool altered) {
  if (altered) alter_table(schema);
  Operation operation{Operation::Kind::kRestore, {}, ids, {}, version.schema.columns};
  for (const TableModel::Stored& row : version.rows) operation.rows.push_back(row.values);
  apply(&write(schema.id), operation, UINT64_MAX, nullptr, nullptr);
  add(schema.id, std::move(operation));
  if (view_.table(schema.id)->view_generation) change_view(schema.id);  // of other rows than its entry says
}

void ModelTransaction::create_table(const TableSchema& schema) {
  const auto id = static_cast<uint32_t>(schema.id);
  own_[id] = std::make_shared<ModelTable>(schema);
  view_.tables[id] = own_[id];
  work_on(schema.id).created = true;
  names_.push_back({schema.id, "", schema.name});
}

void ModelTransaction::alter_table(const TableSchema& schema) {
  ModelTable& own = write(schema.id);
  if (own.schema.name != schema.name) names_.push_back({schema.id, own.schema.name, schema.name});
  for (TableModel::Stored& row : own.rows) {
    row.values = reshape_row(row.values, own.schema.columns, schema.columns);
  }
  own.schema = schema;
  work_on(schema.id).altered = true;
  work_on(schema.id).collects = false;
}

void ModelTransaction::drop_table(TableId table) {
  const auto id = static_cast<uint32_t>(table);
  TableWork& work = work_on(table);
  const ModelTable& own = *view_.tables.at(id);
  names_.push_back({table, own.schema.name, ""});
  TableWork drop;
  drop.dropped = true;
  drop.changes_view = work.changes_view;
  drop.dropped_generation = own.view_generation;
  view_.tables.erase(id);
  own_.erase(id);
  if (work.created || work.undropped) work_.erase(id);
  else work = std::move(drop);
}

void ModelTransaction::undrop_table(const TableSchema& schema) {
  const auto id = static_cast<uint32_t>(schema.id);
  own_[id] = std::make_shared<ModelTable>(*base_->dropped.at(id));
  own_[id]->schema = schema;
  view_.tables[id] = own_[id];
  view_.dropped.erase(id);
  work_on(schema.id).undropped = true;
  names_.push_back({schema.id, "", schema.name});
  if (own_[id]->view_generation) ++*own_[id]->view_generation;  // what it was computed of is no longer known
}

void ModelTransaction::change_view(TableId table) {
  ModelTable& own = write(table);
  own.view_generation = own.view_generation ? *own.view_generation + 1 : 0;
  work_on(table).changes_view = true;
}

// Rows of one key within the batch follow each other; what counts is whether the last of them changes
// something.
void ModelTransaction::apply_insert(ModelTable* table, const Operation& operation, uint64_t stamp,
                                    Aliases* aliases, bool* writes) {
  std::map<uint64_t, std::pair<uint64_t, std::string>> met;  // by id: when it was changed, what it was
  const bool as_it_is = same_shape(operation.shape, table->schema.columns);
  for (size_t i = 0; i < operation.rows.size(); ++i) {
    const TableModel::Row row =
        as_it_is ? operation.rows[i] : reshape_row(operation.rows[i], operation.shape, table->schema.columns);
    if (table->schema.has_keys()) {
      if (const size_t at = table->find_key(row); at < table->rows.size()) {
        const TableModel::Stored& stored = table->rows[at];
        met.try_emplace(stored.id, stored.changed, TableModel::text_of(stored.values));
      }
    }
    const size_t rows_before = table->rows.size();
    const uint64_t became = table->upsert(row, operation.ids[i], stamp);
    if (aliases) (*aliases)[operation.ids[i]] = became;
    if (table->rows.size() == rows_before) continue;
    met.try_emplace(became, stamp, "");
  }
  for (const auto& [id, before] : met) {
    TableModel::Stored& stored = table->rows[table->find_id(id)];
    if (TableModel::text_of(stored.values) == before.second) {
      stored.changed = before.first;
    } else if (writes) {
      *writes = true;
    }
  }
}

// False if a row that is to be deleted or updated is gone.
bool ModelTransaction::apply(ModelTable* table, const Operation& operation, uint64_t stamp, Aliases* aliases,
                             bool* writes) {
  if (writes && operation.kind != Operation::Kind::kInsert) *writes = true;
  const auto find = [&](uint64_t id) {
    if (aliases) {
      if (const auto found = aliases->find(id); found != aliases->end()) id = found->second;
    }
    return table->find_id(id);
  };
  const auto row_at = [&](size_t i) { return table->rows.begin() + static_cast<std::ptrdiff_t>(i); };
  const auto shaped = [&](size_t i) {
    if (same_shape(operation.shape, table->schema.columns)) return operation.rows[i];
    return reshape_row(operation.rows[i], operation.shape, table->schema.columns);
  };
  switch (operation.kind) {
    case Operation::Kind::kInsert: apply_insert(table, operation, stamp, aliases, writes); return true;
    case Operation::Kind::kDelete:
      for (const uint64_t id : operation.ids) {
        const size_t at = find(id);
        if (at == table->rows.size() || table->is_tombstone(table->rows[at].values)) return false;
        table->rows.erase(row_at(at));
      }
      return true;
    case Operation::Kind::kUpdate: {
      // Rows that move are taken out first, then put back in order.
      std::vector<TableModel::Stored> moved;
      for (size_t i = 0; i < operation.ids.size(); ++i) {
        const size_t at = find(operation.ids[i]);
        if (at == table->rows.size() || table->is_tombstone(table->rows[at].values)) return false;
        TableModel::Row row = shaped(i);
        const auto ts = static_cast<size_t>(std::max(table->schema.timestamp_column, 0));
        if (table->schema.has_timestamp() && table->rows[at].values[ts].as_int() != row[ts].as_int()) {
          moved.push_back({table->rows[at].id, stamp, std::move(row)});
          table->rows.erase(row_at(at));
        } else {
          table->rows[at].values = std::move(row);
          table->rows[at].changed = stamp;
        }
      }
      for (TableModel::Stored& row : moved) {
        const size_t place = table->place_for(row.values);
        table->rows.insert(row_at(place), std::move(row));
      }
      return true;
    }
    case Operation::Kind::kTruncate: table->rows.clear(); return true;
    case Operation::Kind::kRestore:
      table->rows.clear();
      for (size_t i = 0; i < operation.rows.size(); ++i) {
        table->rows.push_back({operation.ids[i], stamp, shaped(i)});
        if (aliases) (*aliases)[operation.ids[i]] = operation.ids[i];
      }
      return true;
    case Operation::Kind::kAttach:
      for (size_t i = 0; i < operation.rows.size(); ++i) {
        TableModel::Row row = shaped(i);
        const size_t place = table->place_for(row);
        table->rows.insert(row_at(place), {operation.ids[i], stamp, std::move(row)});
        if (aliases) (*aliases)[operation.ids[i]] = operation.ids[i];
      }
      return true;
    case Operation::Kind::kDropPartition:
    case Operation::Kind::kDetach:
      if (!table->schema.has_timestamp()) {
        table->rows.clear();
        return true;
      }
      std::erase_if(table->rows, [&](const TableModel::Stored& row) {
        const auto ts = static_cast<size_t>(table->schema.timestamp_column);
        return partition_start(table->schema.partition_by, row.values[ts].as_int()) ==
               operation.partitions[0];
      });
      return true;
  }
  return true;
}

// Applies a table's operations to the newest version, as if they had been executed on it. False on a
// conflict: a row that is deleted or updated was changed since this transaction's snapshot.
bool ModelTransaction::apply_all(const TableWork& work, const ModelTable& newest, uint64_t stamp,
                                 ModelTable* next, Outcome* outcome) const {
  const std::vector<Operation>& operations = work.operations;
  // How rows moved before is not known any more: what names some by their places cannot be carried over.
  if (newest.undropped > base_->stamp) outcome->may_conflict = true;
  for (const Operation& operation : operations) {
    const bool moved_away = operation.kind == Operation::Kind::kDetach && operation.needs_same;
    if (moved_away && !partition_is_same(operation, newest, &outcome->may_conflict)) return false;
  }
  // What comes before a TRUNCATE or RESTORE, or before its partition is dropped, does not matter any more.
  size_t first = 0;
  std::map<int64_t, size_t> dropped_at;
  for (size_t i = 0; i < operations.size(); ++i) {
    const bool replaces_all =
        operations[i].kind == Operation::Kind::kTruncate || operations[i].kind == Operation::Kind::kRestore;
    if (replaces_all) first = i;
    const bool drops = operations[i].kind == Operation::Kind::kDropPartition ||
                       operations[i].kind == Operation::Kind::kDetach;
    if (drops) dropped_at[operations[i].partitions[0]] = i;
  }
  const auto matters = [&](int64_t partition, size_t operation) {
    const auto found = dropped_at.find(partition);
    return found == dropped_at.end() || found->second < operation;
  };
  Aliases aliases;
  for (size_t i = first; i < operations.size(); ++i) {
    Operation operation = operations[i];
    if (operation.kind == Operation::Kind::kDelete || operation.kind == Operation::Kind::kUpdate) {
      Operation left = operation;
      left.ids.clear();
      left.rows.clear();
      for (size_t r = 0; r < operation.ids.size(); ++r) {
        if (!matters(operation.partitions[r], i)) continue;
        left.ids.push_back(operation.ids[r]);
        if (!operation.rows.empty()) left.rows.push_back(operation.rows[r]);
        const auto own = aliases.find(operation.ids[r]);
        // On the version that it was moved to, a row of its own may have become one of others, which is gone by now.
        if (own != aliases.end() && was_moved_) outcome->may_conflict = true;
        const size_t at = newest.find_id(own == aliases.end() ? operation.ids[r] : own->second);
        if (at == newest.rows.size() || newest.rows[at].changed <= base_->stamp) continue;
        if (own == aliases.end()) return false;
        // A row of its own that had met one of others before, and may have become that one.
        outcome->may_conflict = true;
      }
      operation = std::move(left);
    }
    if (operation.must_be_new) {
      for (const TableModel::Row& given : operation.rows) {
        const TableModel::Row row = reshape_row(given, operation.shape, next->schema.columns);
        if (matters(partition_of(*next, row), i) && next->find_key(row) < next->rows.size()) return false;
      }
    }
    const bool attached = operation.kind == Operation::Kind::kAttach && operation.needs_same &&
                          matters(operation.partitions[0], i);
    if (attached && (newest.schema_changed > base_->stamp ||
                     !partition_is_same(operation, newest, &outcome->may_conflict))) {
      return false;
    }
    if (!apply(next, operation, stamp, &aliases, &outcome->writes)) return false;
  }
  return true;
}

bool ModelTransaction::partition_is_same(const Operation& operation, const ModelTable& newest,
                                         bool* may_conflict) const {
  const ModelTable* before = base_->table(newest.schema.id);
  if (!before) return false;
  const auto was = rows_of_partition(*before, operation.partitions[0]);
  const auto is = rows_of_partition(newest, operation.partitions[0]);
  for (size_t i = 0; i < std::max(was.size(), is.size()); ++i) {
    if (i >= was.size() || i >= is.size()) return false;
    const bool as_they_were =
        same_shape(before->schema.columns, newest.schema.columns)
            ? TableModel::text_of(was[i]->values) == TableModel::text_of(is[i]->values)
            : TableModel::text_of(reshape_row(was[i]->values, before->schema.columns,
                                              newest.schema.columns)) == TableModel::text_of(is[i]->values);
    if (!as_they_were) return false;
  }
  // Rows may have come and gone again: the storage need not see that they are the same.
  if (newest.rows_changed > base_->stamp) *may_conflict = true;
  return true;
}

void ModelTransaction::change_names(const World& newest, std::set<std::string>* errors) const {
  std::map<std::string, TableId> names;
  for (const auto& [id, table] : newest.tables) names[table->schema.name] = static_cast<TableId>(id);
  for (const NameChange& change : names_) {
    if (!change.before.empty()) {
      const auto found = names.find(change.before);
      if (found == names.end() || found->second != change.table) {
        errors->insert("42P01");
        return;
      }
      names.erase(found);
    }
    if (change.after.empty()) continue;
    if (!names.emplace(change.after, change.table).second) {
      errors->insert("42P07");
      return;
    }
  }
}

ModelTransaction::Outcome ModelTransaction::commit_on(const World& newest) const {
  Outcome outcome;
  auto next = std::make_shared<World>(newest);
  next->stamp = newest.stamp + 1;
  change_names(newest, &outcome.errors);
  outcome.writes = !names_.empty() || !run_key_.empty() || !forgotten_.empty();
  for (const std::string& key : forgotten_) next->runs.erase(key);
  if (!run_key_.empty()) next->runs[run_key_] = run_tag_;
  for (const auto& [id, work] : work_)
    commit_table(static_cast<TableId>(id), work, newest, next.get(), &outcome);
  if (outcome.errors.empty()) outcome.world = std::move(next);
  return outcome;
}

bool ModelTransaction::move_to(std::shared_ptr<const World> newest, const Outcome& outcome) {
  base_ = std::move(newest);
  view_ = *outcome.world;
  own_.clear();
  was_moved_ = true;
  for (auto& [id, work] : work_) {
    const ModelTable* table = view_.table(static_cast<TableId>(id));
    if (!table) continue;
    for (Operation& operation : work.operations) {
      const bool is_gone =
          std::any_of(operation.shape.begin(), operation.shape.end(),
                      [&](const auto& column) { return table->schema.find_column(column.id) < 0; });
      if (is_gone && !work.altered && !work.created && !work.undropped) return false;
      if (operation.kind != Operation::Kind::kInsert) continue;
      for (TableModel::Row& row : operation.rows)
        row = reshape_row(row, operation.shape, table->schema.columns);
      operation.shape = table->schema.columns;
    }
  }
  return true;
}

void ModelTransaction::commit_table(TableId table_id, const TableWork& work, const World& newest, World* next,
                                    Outcome* outcome) const {
  const auto id = static_cast<uint32_t>(table_id);
  if (work.dropped) {
    if (!newest.table(table_id)) {
      outcome->errors.insert("42P01");
      return;
    }
    next->dropped[id] = newest.tables.at(id);
    next->tables.erase(id);
    if (work.changes_view) {
      if (newest.tables.at(id)->view_generation != base_->table(table_id)->view_generation)
        outcome->errors.insert("40001");
      auto dropped = std::make_shared<ModelTable>(*newest.tables.at(id));
      dropped->view_generation = work.dropped_generation;
      next->dropped[id] = std::move(dropped);
    }
    return;
  }
  if (work.created) {
    outcome->writes = true;
    auto created = std::make_shared<ModelTable>(*view_.tables.at(id));
    for (TableModel::Stored& row : created->rows) row.changed = next->stamp;
    created->schema_changed = next->stamp;
    next->tables[id] = std::move(created);
    return;
  }
  const auto& tables = work.undropped ? newest.dropped : newest.tables;
  const auto found = tables.find(id);
  if (found == tables.end()) {
    outcome->errors.insert("42P01");
    return;
  }
  const std::shared_ptr<const ModelTable>& head = found->second;
  const ModelTable& own = *view_.tables.at(id);
  const bool altered = work.altered || work.undropped;
  if (altered && !work.undropped && head->schema_changed > base_->stamp) {
    outcome->errors.insert("40001");
    return;
  }
  auto table = std::make_shared<ModelTable>(*head);
  if (work.changes_view || work.undropped) {
    if (!work.undropped && head->view_generation != base_->table(table_id)->view_generation)
      outcome->errors.insert("40001");
    table->view_generation = own.view_generation;
    outcome->writes = true;
  }
  if (altered) {
    table->schema = own.schema;
    table->schema_changed = next->stamp;
    for (TableModel::Stored& row : table->rows)
      row.values = reshape_row(row.values, head->schema.columns, table->schema.columns);
    outcome->writes = true;
  }
  if (!apply_all(work, *head, next->stamp, table.get(), outcome)) {
    outcome->errors.insert("40001");
    return;
  }
  table->rows_changed = next->stamp;
  if (work.undropped) table->undropped = next->stamp;
  next->dropped.erase(id);
  next->tables[id] = std::move(table);
}

}  // namespace idem::simulation
