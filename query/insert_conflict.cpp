#include "query/insert_conflict.h"

#include <algorithm>
#include <numeric>

#include "query/insert_plan.h"
#include "storage/key_lookup.h"
#include "storage/stored_rows.h"

namespace idem {

namespace {

SqlError no_matching_keys(const ast::OnConflict& clause, const TableSchema& schema) {
  std::vector<std::string> keys;
  for (uint32_t key : schema.upsert_keys) keys.push_back(schema.columns[key].name);
  SqlError error(sqlstate::kInvalidColumnReference,
                 "there is no unique or exclusion constraint matching the ON CONFLICT specification");
  error.with_position(clause.position);
  error.with_hint(
      keys.empty() ? fmt::format("Table \"{}\" has no upsert keys.", schema.name)
                   : fmt::format("The upsert keys of \"{}\" are ({}).", schema.name, fmt::join(keys, ", ")));
  return error;
}

void check_keys(const ast::OnConflict& clause, const TableSchema& schema) {
  std::vector<uint32_t> named = resolve_target_columns(schema, clause.keys), keys = schema.upsert_keys;
  std::sort(named.begin(), named.end());
  std::sort(keys.begin(), keys.end());
  if (named != keys) throw no_matching_keys(clause, schema);
}

// The rows of a table at some positions, one after the other.
ColumnBatch rows_at(const TableVersion& table, const std::vector<RowPosition>& positions) {
  ColumnBatch rows(table.schema);
  std::optional<StoredRows> stored;
  uint32_t partition = UINT32_MAX;
  for (const RowPosition& position : positions) {
    if (position.partition != partition) {
      partition = position.partition;
      stored.emplace(table.partitions[partition], table.schema);
    }
    stored->move_to(position.ordinal);
    const auto row = static_cast<uint16_t>(stored->row_in_block(position.ordinal));
    for (uint32_t c = 0; c < rows.column_count(); c++)
      rows.column(c).append_vector(stored->vector(c), {&row, 1});
  }
  return rows;
}

// Rows that DO UPDATE may change: those stored, and beside each the one that met it.
struct Candidates {
  std::vector<RowPosition> positions;
  std::vector<uint32_t> proposed;  // row of the statement
};

// What DO UPDATE changes: new rows in the order of their positions.
struct Updates {
  explicit Updates(std::shared_ptr<const TableSchema> schema) : rows(std::move(schema)) {}
  std::vector<RowPosition> positions;
  std::vector<uint32_t> proposed;
  ColumnBatch rows;
};

SqlError met_twice() {
  SqlError error(sqlstate::kCardinalityViolation,
                 "ON CONFLICT DO UPDATE command cannot affect row a second time");
  error.with_hint(
      "Ensure that no rows proposed for insertion within the same command have duplicate constrained "
      "values.");
  return error;
}

Updates compute_updates(const ConflictPlan& plan, const TableVersion& table, Candidates candidates,
                        const ColumnBatch& rows, EvaluationState& state) {
  std::vector<uint32_t> order(candidates.positions.size());
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(), [&](uint32_t a, uint32_t b) {
    return candidates.positions[a].packed() < candidates.positions[b].packed();
  });
  std::vector<RowPosition> positions;
  std::vector<uint32_t> proposed;
  for (uint32_t i : order) {
    positions.push_back(candidates.positions[i]);
    proposed.push_back(candidates.proposed[i]);
  }
  const ColumnBatch old_rows = rows_at(table, positions);
  ColumnBatch new_rows(plan.schema);
  new_rows.append_rows(rows, proposed.data(), proposed.size());

  Updates updates(plan.schema);
  std::vector<ExpressionEvaluator> assigned_rows, values;
  for (const BoundPtr& row : plan.assigned.rows) assigned_rows.emplace_back(*row);
  for (const BoundPtr& value : plan.assigned.values) values.emplace_back(*value);
  std::optional<ExpressionEvaluator> where;
  if (plan.where) where.emplace(*plan.where);
  std::array<uint16_t, kVectorSize> selected;
  for (uint32_t first = 0; first < old_rows.rows(); first += kVectorSize) {
    const uint32_t count = std::min(kVectorSize, old_rows.rows() - first);
    DataChunk input;
    for (const ColumnBatch* side : {&old_rows, static_cast<const ColumnBatch*>(&new_rows)}) {
      for (size_t c = 0; c < side->column_count(); c++)
        input.columns.push_back(side->column(c).slice(first, count));
    }
    input.set_size(count);
    Selection rows_left = input.selection;
    if (where) rows_left = {selected.data(), where->select(state, input, rows_left, selected.data())};
    if (rows_left.count == 0) continue;
    for (uint32_t i = 0; i < rows_left.count; i++) {
      const uint32_t row = first + rows_left[i];
      if (!updates.positions.empty() && updates.positions.back().packed() == positions[row].packed())
        throw met_twice();
      updates.positions.push_back(positions[row]);
      updates.proposed.push_back(proposed[row]);
    }
    for (ExpressionEvaluator& row : assigned_rows) {
      Vector value;
      row.evaluate(state, input, rows_left, &value);
      input.columns.push_back(std::move(value));
    }
    for (uint32_t c = 0; c < plan.schema->columns.size(); c++) {
      const auto target = std::find(plan.targets.begin(), plan.targets.end(), c);
      if (target == plan.targets.end()) {
        updates.rows.column(c).append_vector(input.columns[c], rows_left);
        continue;
      }
      Vector value;
      values[static_cast<size_t>(target - plan.targets.begin())].evaluate(state, input, rows_left, &value);
      updates.rows.column(c).append_vector(value, rows_left);
    }
  }
  return updates;
}

}  // namespace

std::shared_ptr<const ConflictPlan> plan_conflict(std::shared_ptr<const TableSchema> schema,
                                                  const ast::InsertStatement& s, const NameResolver& names,
                                                  ParameterTypes& parameters) {
  if (!s.on_conflict) return nullptr;
  const ast::OnConflict& clause = *s.on_conflict;
  if (!clause.keys.empty()) check_keys(clause, *schema);
  if (!schema->has_keys()) {
    if (clause.do_update) throw no_matching_keys(clause, *schema);
    return nullptr;
  }
  auto plan = std::make_shared<ConflictPlan>();
  plan->schema = schema;
  plan->do_update = clause.do_update;
  if (!clause.do_update) return plan;

  std::vector<ScopeTable> scope = table_scope(*schema, s.alias.text);
  scope.push_back(table_scope(*schema, "excluded")[0]);
  Assignments assigned = resolve_assignments(*schema, clause.assignments);
  plan->targets = std::move(assigned.targets);
  plan->assigned = bind_assignments(assigned.outputs, scope, names, parameters, &plan->slot_count);
  if (clause.where)
    plan->where =
        bind_expression(*clause.where, scope, names, parameters, TypeId::kBoolean, &plan->slot_count);
  return plan;
}

uint64_t insert_with_conflicts(SessionState& session, const ConflictPlan& plan, ColumnBatch&& given,
                               EvaluationState& state, Returning* returning) {
  if (given.rows() == 0) return 0;
  const TableId id = plan.schema->id;
  Transaction& transaction = session.write_transaction("INSERT");
  const auto table = transaction.read_view().table(id);
  auto rows = std::make_shared<const ColumnBatch>(std::move(given));
  if (state.slots.size() < plan.slot_count) state.slots.resize(plan.slot_count);

  const std::vector<KeyMatch> matches = match_keys(*table, rows);
  std::vector<uint32_t> inserted;
  Candidates candidates;
  for (uint32_t row = 0; row < matches.size(); row++) {
    if (matches[row].stored) {
      if (!plan.do_update) continue;
      candidates.positions.push_back(*matches[row].stored);
      candidates.proposed.push_back(row);
    } else if (matches[row].first_row == row) {
      inserted.push_back(row);
    } else if (plan.do_update) {
      throw met_twice();
    }
  }
  Updates updates = compute_updates(plan, *table, std::move(candidates), *rows, state);
  const uint64_t written = inserted.size() + updates.positions.size();

  if (returning) {
    // Back in the order of the statement's rows.
    std::vector<std::pair<uint32_t, int64_t>> order;  // row of the statement, its update or -1
    for (uint32_t row : inserted) order.emplace_back(row, -1);
    for (size_t u = 0; u < updates.proposed.size(); u++)
      order.emplace_back(updates.proposed[u], static_cast<int64_t>(u));
    std::sort(order.begin(), order.end());
    ColumnBatch shown(plan.schema);
    for (const auto& [row, update] : order) {
      const auto u = static_cast<uint32_t>(update);
      if (update < 0) shown.append_rows(*rows, &row, 1);
      else shown.append_rows(updates.rows, &u, 1);
    }
    returning->add(shown, state);
  }
  // The updates first: their rows are named by their places before anything is inserted.
  if (!updates.positions.empty()) transaction.update(id, updates.positions, std::move(updates.rows));
  if (!inserted.empty()) {
    ColumnBatch fresh(plan.schema);
    fresh.append_rows(*rows, inserted.data(), inserted.size());
    transaction.insert_unmatched(id, std::move(fresh));
  }
  return written;
}

}  // namespace idem
