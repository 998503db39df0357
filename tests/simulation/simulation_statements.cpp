// What the sessions of a simulation do in their transactions.

#include <algorithm>
#include <set>

#include "tests/simulation/simulation.h"

namespace idem::simulation {

namespace {

constexpr size_t kMostRows = 160;  // tables beyond it are truncated before they grow on
constexpr size_t kMostTables = 4;

}  // namespace

TableId Simulation::pick_table(const World& view) {
  auto it = view.tables.begin();
  std::advance(it, static_cast<std::ptrdiff_t>(dice_.below(view.tables.size())));
  return static_cast<TableId>(it->first);
}

void Simulation::operate(Session& session, size_t number) {
  if (session.reads_committed && !session.transaction->see_newer()) {
    note(fmt::format("session {}: conflict with what was committed", number));
    session.transaction.reset();
    return;
  }
  if (dice_.chance(8)) {
    if (session.transaction->has_savepoint() && dice_.chance(60)) {
      note(fmt::format("session {}: rollback to savepoint", number));
      return session.transaction->rollback_to_savepoint();
    }
    note(fmt::format("session {}: savepoint", number));
    return session.transaction->set_savepoint();
  }
  const World& view = session.transaction->view();
  if (view.tables.empty() || (view.tables.size() < kMostTables && dice_.chance(ddl_percent_))) {
    note(fmt::format("session {}: create", number));
    return create_table(session);
  }
  const TableId table = pick_table(view);
  const ModelTable& model = *view.table(table);
  // By value: what is said after a statement outlives the table as it was before it.
  const auto say = [this, number, name = model.schema.name](const char* what) {
    note(fmt::format("session {}: {} {}", number, what, name));
  };
  if (dice_.chance(ddl_percent_)) {
    if (dice_.chance(25)) {
      say("drop");
      return session.transaction->drop_table(table);
    }
    if (dice_.chance(25)) return undrop_table(session, number);
    say("alter");
    return alter_table(session, table);
  }
  const uint64_t choice = dice_.below(100);
  if (choice < 2 || model.rows.size() > kMostRows) {
    say("truncate");
    session.transaction->truncate(table);
  } else if (choice < 4 && model.schema.partition_by != PartitionUnit::kNone && !model.rows.empty()) {
    say("drop a partition of");
    drop_partition(session, table);
  } else if (choice < 8 && !model.rows.empty()) {
    move_partition(session, number, table);
  } else if (choice < 10) {
    const std::vector<uint64_t> versions = database_.versions_of(table);
    if (versions.empty()) return;
    const uint64_t version = versions[dice_.below(versions.size())];
    if (session.transaction->restore(table, version))
      say(fmt::format("restore version {} of", version).c_str());
  } else if (choice < 12) {
    refresh(session, number, table);
  } else if (choice < 16) {
    say("overwrite");
    session.transaction->truncate(table);
    insert(session, table);
  } else if (choice < 22 && !model.rows.empty()) {
    say("merge into");
    merge(session, table);
  } else if (choice < 36 && !model.rows.empty()) {
    const bool remove = choice < 28;
    say(remove ? "delete from" : "update");
    change_rows(session, table, remove);
  } else {
    say("insert into");
    insert(session, table);
  }
  if (dice_.chance(25)) session.transaction->check_view(table);
}

void Simulation::create_table(Session& session) {
  TableSchema schema = model_schema(static_cast<Shape>(dice_.below(static_cast<uint64_t>(Shape::kCount))));
  // Few names, so that they meet.
  schema.name = fmt::format("t{}", dice_.below(kMostTables + 2));
  if (session.transaction->view().find(schema.name)) return;
  session.transaction->create_table(std::move(schema));
}

void Simulation::undrop_table(Session& session, size_t number) {
  const World& view = session.transaction->view();
  const std::string name = fmt::format("t{}", dice_.below(kMostTables + 2));
  if (view.dropped.empty() || view.tables.size() >= kMostTables || view.find(name)) return;
  auto dropped = view.dropped.begin();
  std::advance(dropped, static_cast<std::ptrdiff_t>(dice_.below(view.dropped.size())));
  note(fmt::format("session {}: undrop table {} as {}", number, dropped->first, name));
  session.transaction->undrop_table(static_cast<TableId>(dropped->first), name);
}

void Simulation::alter_table(Session& session, TableId table) {
  const uint64_t choice = dice_.below(4);
  std::string name = fmt::format("t{}", dice_.below(kMostTables + 2));
  if (choice == 0 && session.transaction->view().find(name)) return;
  session.transaction->alter_table(table, [&](TableSchema* schema) {
    if (choice == 0) {
      schema->name = name;
    } else if (choice == 1 && schema->columns.size() > 4) {
      // One that nothing depends on.
      const auto c = static_cast<uint32_t>(schema->columns.size() - 1);
      const bool is_key =
          std::find(schema->upsert_keys.begin(), schema->upsert_keys.end(), c) != schema->upsert_keys.end();
      const auto index = static_cast<int>(c);
      if (is_key || schema->version_column == index || schema->deleted_column == index) return;
      schema->columns.pop_back();
    } else if (choice == 2) {
      schema->columns.back().name = fmt::format("c{}", ++next_name_);
    } else if (schema->columns.size() < 10) {
      static constexpr TypeId kTypes[] = {TypeId::kSymbol, TypeId::kBigInt, TypeId::kDouble, TypeId::kVarchar,
                                          TypeId::kInteger};
      ColumnSchema column =
          test_column(fmt::format("c{}", ++next_name_), kTypes[dice_.below(std::size(kTypes))]);
      column.initial = dice_.chance(50) ? Value::null(column.type) : value_for(column, false);
      schema->columns.push_back(std::move(column));
    }
  });
}

Value Simulation::value_for(const ColumnSchema& column, bool is_timestamp) {
  if (is_timestamp) {
    // Close together, crossing days now and then; new ones at the end are the most frequent.
    const uint64_t t = dice_.chance(40) ? std::min(times_ - 1, step_ + dice_.below(3)) : dice_.below(times_);
    return Value::of_int(column.type, static_cast<int64_t>(t) * 3'600'000'000);
  }
  if (dice_.chance(15)) return Value::null(column.type);
  switch (column.type.id) {
    case TypeId::kSymbol: return Value::of_string(column.type, fmt::format("S{}", dice_.below(symbols_)));
    case TypeId::kVarchar:
      return Value::of_string(column.type,
                              std::string(dice_.below(12), static_cast<char>('a' + dice_.below(26))));
    case TypeId::kDouble: {
      static constexpr double kValues[] = {0.0, -0.0, 1.5, 1e300, std::numeric_limits<double>::quiet_NaN()};
      return Value::of_double(
          column.type, dice_.chance(70) ? static_cast<double>(dice_.below(50)) : kValues[dice_.below(5)]);
    }
    case TypeId::kBoolean: return Value::of_bool(dice_.chance(25));
    default: return Value::of_int(column.type, static_cast<int64_t>(dice_.below(5)) - 1);
  }
}

TableModel::Row Simulation::row_for(const TableSchema& schema) {
  TableModel::Row row;
  for (size_t c = 0; c < schema.columns.size(); ++c) {
    row.push_back(value_for(schema.columns[c], static_cast<int>(c) == schema.timestamp_column || c == 0));
  }
  return row;
}

void Simulation::insert(Session& session, TableId table) {
  const ModelTable& model = *session.transaction->view().table(table);
  const uint64_t count = 1 + dice_.below(dice_.chance(15) ? 60 : 4);
  const bool again = dice_.chance(20) && !model.rows.empty();  // a redelivery, mostly unchanged
  const size_t from = again ? dice_.below(model.rows.size()) : 0;
  std::vector<TableModel::Row> rows;
  for (uint64_t i = 0; i < count; ++i) {
    const bool same = again && from + i < model.rows.size() && !dice_.chance(3);
    rows.push_back(same ? model.rows[from + i].values : row_for(model.schema));
  }
  session.transaction->insert(table, rows, dice_.chance(40));
}

std::vector<size_t> Simulation::pick_rows(const ModelTable& model) {
  std::set<size_t> picked;
  for (uint64_t n = 1 + dice_.below(dice_.chance(20) ? 40 : 3); n > 0; --n) {
    const size_t row = dice_.below(model.rows.size());
    if (!model.is_tombstone(model.rows[row].values)) picked.insert(row);
  }
  return {picked.begin(), picked.end()};
}

// A statement that updates, deletes and inserts at once.
void Simulation::merge(Session& session, TableId table) {
  const ModelTable& model = *session.transaction->view().table(table);
  CheckedTransaction::Merge merge;
  for (const size_t row : pick_rows(model)) {
    if (dice_.chance(40)) {
      merge.removed.push_back(row);
      continue;
    }
    const TableModel::Row& before = model.rows[row].values;
    TableModel::Row after = row_for(model.schema);
    for (const uint32_t key : model.schema.upsert_keys) after[key] = before[key];
    if (model.schema.has_timestamp()) {
      const auto ts = static_cast<size_t>(model.schema.timestamp_column);
      after[ts] = before[ts];
    }
    merge.updated.push_back(row);
    merge.new_rows.push_back(std::move(after));
  }
  const bool inserts = model.schema.deleted_column < 0;  // whether a deleted row is there is another matter
  TableModel known(model);
  for (uint64_t n = inserts ? dice_.below(5) : 0; n > 0; --n) {
    TableModel::Row row = row_for(model.schema);
    if (known.schema.has_keys() && known.find_key(row) < known.rows.size()) continue;
    known.upsert(row, 0, 0);
    merge.inserted.push_back(std::move(row));
  }
  session.transaction->merge(table, merge);
}

// A table that holds what another one held.
void Simulation::refresh(Session& session, size_t number, TableId source) {
  const World& view = session.transaction->view();
  const ModelTable& model = *view.table(source);
  if (database_.visible()->table(source) != &model) return;  // its versions are those of commits
  for (const auto& [id, candidate] : view.tables) {
    const bool fits = candidate->view_generation && candidate->schema.id != source &&
                      std::equal(candidate->schema.columns.begin(), candidate->schema.columns.end(),
                                 model.schema.columns.begin(), model.schema.columns.end(),
                                 [](const auto& a, const auto& b) { return a.type == b.type; });
    if (!fits) continue;
    note(fmt::format("session {}: refresh {} from {}", number, candidate->schema.name, model.schema.name));
    session.transaction->refresh(static_cast<TableId>(id), source);
    return;
  }
  if (view.tables.size() >= kMostTables) return;
  TableSchema schema = model.schema;
  schema.name = fmt::format("t{}", dice_.below(kMostTables + 2));
  if (view.find(schema.name)) return;
  note(fmt::format("session {}: materialize {} as {}", number, model.schema.name, schema.name));
  const TableId table = session.transaction->create_table(std::move(schema));
  session.transaction->refresh(table, source);
}

void Simulation::change_rows(Session& session, TableId table, bool remove) {
  const ModelTable& model = *session.transaction->view().table(table);
  const std::vector<size_t> indices = pick_rows(model);
  if (indices.empty()) return;
  if (remove) return session.transaction->remove(table, indices);
  std::vector<TableModel::Row> rows;
  for (const size_t i : indices) {
    const TableModel::Row& before = model.rows[i].values;
    TableModel::Row row = row_for(model.schema);
    for (const uint32_t key : model.schema.upsert_keys) row[key] = before[key];
    if (model.schema.has_timestamp()) {
      const auto ts = static_cast<size_t>(model.schema.timestamp_column);
      const auto unit = model.schema.partition_by;
      const bool moves_on =
          partition_start(unit, before[ts].as_int()) == partition_start(unit, row[ts].as_int());
      if (model.schema.has_keys() || !moves_on || dice_.chance(50)) row[ts] = before[ts];
    }
    rows.push_back(std::move(row));
  }
  session.transaction->update(table, indices, rows);
}

int64_t Simulation::pick_partition(const ModelTable& model) {
  if (!model.schema.has_timestamp()) return INT64_MIN;
  const TableModel::Row& row = model.rows[dice_.below(model.rows.size())].values;
  return partition_start(model.schema.partition_by,
                         row[static_cast<size_t>(model.schema.timestamp_column)].as_int());
}

void Simulation::drop_partition(Session& session, TableId table) {
  session.transaction->drop_partition(table, pick_partition(*session.transaction->view().table(table)));
}

namespace {

std::vector<std::string> names_of(const TableSchema& schema, const std::vector<uint32_t>& columns) {
  std::vector<std::string> names;
  for (const uint32_t column : columns) names.push_back(schema.columns[column].name);
  return names;
}

bool rows_fit(const TableSchema& from, const TableSchema& to) {
  if (from.id == to.id || from.columns.size() != to.columns.size()) return false;
  for (const ColumnSchema& column : to.columns) {
    const int index = from.find_column(column.name);
    if (index < 0 || from.columns[static_cast<size_t>(index)].type != column.type) return false;
  }
  const bool same_keys = names_of(from, from.upsert_keys) == names_of(to, to.upsert_keys);
  return same_keys && from.timestamp_column == to.timestamp_column && from.partition_by == to.partition_by &&
         from.deleted_column == to.deleted_column;
}

}  // namespace

void Simulation::move_partition(Session& session, size_t number, TableId table) {
  const World& view = session.transaction->view();
  const ModelTable& model = *view.table(table);
  const int64_t start = pick_partition(model);
  for (const auto& [id, candidate] : view.tables) {
    const auto& other = candidate;
    if (!rows_fit(model.schema, other->schema)) continue;
    const bool is_there =
        std::any_of(other->rows.begin(), other->rows.end(), [&](const TableModel::Stored& row) {
          const auto& schema = other->schema;
          return !schema.has_timestamp() ||
                 partition_start(schema.partition_by,
                                 row.values[static_cast<size_t>(schema.timestamp_column)].as_int()) == start;
        });
    note(fmt::format("session {}: move a partition of {} into {}", number, model.schema.name,
                     other->schema.name));
    return session.transaction->move_partition(table, start, static_cast<TableId>(id), is_there);
  }
}

}  // namespace idem::simulation
