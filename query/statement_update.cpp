#include <algorithm>
#include <numeric>

#include "query/insert_plan.h"
#include "query/portal.h"
#include "query/returning.h"
#include "query/statement_executors.h"
#include "storage/tombstones.h"

namespace idem {

namespace {

void refuse_current_of(const ast::Identifier& current_of) {
  if (!current_of.empty()) throw SqlError(sqlstate::kFeatureNotSupported, "WHERE CURRENT OF is not supported").with_position(current_of.position);
}

// The rows that a statement acts on, in table order, each once: a join that finds one twice counts once, as in PostgreSQL.
struct TargetSet {
  explicit TargetSet(std::shared_ptr<const TableSchema> schema) : rows(std::move(schema)) {}
  std::vector<RowPosition> positions;
  ColumnBatch rows;   // new rows of UPDATE, old rows of DELETE … RETURNING
  void sort_and_deduplicate();
};

void TargetSet::sort_and_deduplicate() {
  auto before = [&](uint32_t a, uint32_t b) { return positions[a].packed() < positions[b].packed(); };
  std::vector<uint32_t> order(positions.size());
  std::iota(order.begin(), order.end(), 0);
  bool sorted = std::is_sorted(order.begin(), order.end(), before);
  if (!sorted) std::stable_sort(order.begin(), order.end(), before);
  auto same = [&](uint32_t a, uint32_t b) { return positions[a].packed() == positions[b].packed(); };
  auto end = std::unique(order.begin(), order.end(), same);
  if (sorted && end == order.end()) return;
  order.erase(end, order.end());
  std::vector<RowPosition> kept;
  for (uint32_t i : order) kept.push_back(positions[i]);
  if (rows.rows() > 0) {
    ColumnBatch kept_rows(rows.schema_ptr());
    kept_rows.append_rows(rows, order.data(), order.size());
    rows = std::move(kept_rows);
  }
  positions = std::move(kept);
}

// Runs the plan of bind_target_rows. output_of[c]: which of the plan's columns is the value of table column c.
TargetSet collect(const std::shared_ptr<StatementRun>& run, const BoundQuery& query, const std::vector<Value>& parameters,
                  std::shared_ptr<const TableSchema> schema, const std::vector<uint32_t>& output_of) {
  TargetSet set(std::move(schema));
  auto stream = execute(query, StatementRun::share_context(run), parameters);
  DataChunk chunk;
  while (stream->next(&chunk)) {
    Vector packed = flatten(chunk.columns[0], chunk.size, chunk.selection, false);
    for (uint32_t i = 0; i < chunk.count(); i++) {
      set.positions.push_back(RowPosition::unpack(packed.values<int64_t>()[chunk.selection[i]]));
    }
    for (size_t c = 0; c < output_of.size(); c++) set.rows.column(c).append_vector(chunk.columns[output_of[c]], chunk.selection);
  }
  set.sort_and_deduplicate();
  return set;
}

std::vector<TargetOutput> assignment_outputs(const TableSchema& schema, const ast::UpdateStatement& s, std::vector<uint32_t>* targets) {
  std::vector<ast::Identifier> names;
  for (const ast::Assignment& a : s.assignments) {
    if (a.columns.size() != 1) {
      throw SqlError(sqlstate::kFeatureNotSupported, "UPDATE … SET (columns) = (query) is not supported").with_position(a.columns[0].position);
    }
    names.push_back(a.columns[0]);
  }
  *targets = resolve_target_columns(schema, names);
  std::vector<TargetOutput> outputs;
  for (size_t i = 0; i < s.assignments.size(); i++) {
    const ColumnSchema& column = schema.columns[(*targets)[i]];
    bool is_default = s.assignments[i].value->kind == ast::ExpressionKind::kDefault;
    outputs.push_back({is_default ? nullptr : s.assignments[i].value.get(), assignment_type(column.type), column.name});
  }
  return outputs;
}

// What UPDATE needs besides the plan of its rows.
struct UpdatePlan {
  std::shared_ptr<const TableSchema> schema;
  BoundQuery query;
  std::vector<uint32_t> output_of;
};

std::shared_ptr<UpdatePlan> plan_update(SessionState& session, const ast::UpdateStatement& s, ParameterTypes& types) {
  auto plan = std::make_shared<UpdatePlan>();
  plan->schema = session.target_table(s.table)->schema;
  const TableSchema& schema = *plan->schema;
  std::vector<uint32_t> targets;
  auto outputs = assignment_outputs(schema, s, &targets);
  std::vector<ast::ExpressionPtr> defaults;  // SET c = DEFAULT takes the stored text
  for (size_t i = 0; i < outputs.size(); i++) {
    if (outputs[i].value) continue;
    const std::string& text = schema.columns[targets[i]].default_text;
    defaults.push_back(parser::parse_expression(text.empty() ? "NULL" : text));
    outputs[i].value = defaults.back().get();
  }
  plan->query = bind_target_rows(s.table, s.alias.text, s.from, s.where.get(), outputs, session, types, s.with.get()).query;
  uint32_t columns = static_cast<uint32_t>(schema.columns.size());
  for (uint32_t c = 0; c < columns; c++) plan->output_of.push_back(1 + c);
  for (uint32_t i = 0; i < targets.size(); i++) plan->output_of[targets[i]] = 1 + columns + i;
  return plan;
}

uint64_t run_update(SessionState& session, const UpdatePlan& plan, const std::vector<Value>& parameters, Returning* returning) {
  session.check_writable("UPDATE");
  auto run = session.start_run();
  TargetSet set = collect(run, plan.query, parameters, plan.schema, plan.output_of);
  if (returning) {
    EvaluationState state{&run->context, parameters};
    returning->add(set.rows, state);
  }
  uint64_t count = set.positions.size();
  if (count > 0) session.write_transaction("UPDATE").update(plan.schema->id, set.positions, std::move(set.rows));
  return count;
}

struct DeletePlan {
  std::shared_ptr<const TableSchema> schema;
  BoundQuery query;
  bool everything = false;       // no condition: by metadata
  uint64_t row_count = 0;
  bool is_empty = false;         // not even tombstones
};

std::shared_ptr<DeletePlan> plan_delete(SessionState& session, const ast::DeleteStatement& s, ParameterTypes& types) {
  auto plan = std::make_shared<DeletePlan>();
  auto table = session.target_table(s.table);
  plan->schema = table->schema;
  plan->everything = !s.where && s.using_tables.empty() && s.returning.empty();
  plan->row_count = plan->everything ? visible_rows(*table) : 0;
  plan->is_empty = table->row_count == 0;
  if (!plan->everything) plan->query = bind_target_rows(s.table, s.alias.text, s.using_tables, s.where.get(), {}, session, types, s.with.get()).query;
  return plan;
}

uint64_t run_delete(SessionState& session, const DeletePlan& plan, const std::vector<Value>& parameters, Returning* returning) {
  session.check_writable("DELETE");
  Transaction& transaction = session.write_transaction("DELETE");
  if (plan.everything) {
    if (!plan.is_empty) transaction.truncate(plan.schema->id);
    return plan.row_count;
  }
  auto run = session.start_run();
  std::vector<uint32_t> output_of;
  for (uint32_t c = 0; returning && c < plan.schema->columns.size(); c++) output_of.push_back(1 + c);
  TargetSet set = collect(run, plan.query, parameters, plan.schema, output_of);
  if (returning) {
    EvaluationState state{&run->context, parameters};
    returning->add(set.rows, state);
  }
  if (!set.positions.empty()) transaction.remove(plan.schema->id, set.positions);
  return set.positions.size();
}

// A command, or rows where there is RETURNING. `run` gets null or the collector and gives the number of rows.
template <class Plan, class Run>
std::unique_ptr<Portal> write_portal(SessionState& session, std::shared_ptr<Plan> plan, const std::vector<ast::SelectItem>& items,
                                     const std::string& alias, StatementInput input, std::string verb, Run run) {
  if (items.empty()) {
    return std::make_unique<CommandPortal>([&session, plan, verb, run, input = std::move(input)] {
      return fmt::format("{} {}", verb, run(session, *plan, input.parameters, nullptr));
    });
  }
  auto returning = std::make_shared<Returning>(items, *plan->schema, alias, session, input.parameter_types);
  std::vector<PlanColumn> columns = returning->columns();
  return std::make_unique<RowsPortal>(std::move(columns), [&session, plan, returning, verb, run, input = std::move(input)] {
    uint64_t rows = run(session, *plan, input.parameters, returning.get());
    return RowsPortal::Result{returning->take(), fmt::format("{} {}", verb, rows)};
  });
}

}  // namespace

std::unique_ptr<Portal> execute_update(SessionState& session, const ast::UpdateStatement& s, StatementInput input) {
  refuse_current_of(s.current_of);
  session.begin_statement();
  auto plan = plan_update(session, s, input.parameter_types);
  return write_portal(session, std::move(plan), s.returning, s.alias.text, std::move(input), "UPDATE", run_update);
}

std::unique_ptr<Portal> execute_delete(SessionState& session, const ast::DeleteStatement& s, StatementInput input) {
  refuse_current_of(s.current_of);
  session.begin_statement();
  auto plan = plan_delete(session, s, input.parameter_types);
  return write_portal(session, std::move(plan), s.returning, s.alias.text, std::move(input), "DELETE", run_delete);
}

std::vector<PlanColumn> describe_write(SessionState& session, const ast::Statement& statement, ParameterTypes& types) {
  session.begin_statement();
  if (const auto* insert = ast::try_as<ast::InsertStatement>(&statement)) return describe_insert(session, *insert, types);
  if (const auto* update = ast::try_as<ast::UpdateStatement>(&statement)) {
    auto plan = plan_update(session, *update, types);
    if (update->returning.empty()) return {};
    return Returning(update->returning, *plan->schema, update->alias.text, session, types).columns();
  }
  const auto& remove = ast::as<ast::DeleteStatement>(statement);
  auto plan = plan_delete(session, remove, types);
  if (remove.returning.empty()) return {};
  return Returning(remove.returning, *plan->schema, remove.alias.text, session, types).columns();
}

}  // namespace idem
