#include <algorithm>
#include <functional>
#include <numeric>
#include <utility>

#include "query/insert_plan.h"
#include "query/portal.h"
#include "query/returning.h"
#include "query/statement_executors.h"
#include "storage/tombstones.h"

namespace idem {

namespace {

void refuse_current_of(const ast::Identifier& current_of) {
  if (!current_of.empty())
    throw SqlError(sqlstate::kFeatureNotSupported, "WHERE CURRENT OF is not supported")
        .with_position(current_of.position);
}

// The rows that a statement acts on, in table order, each once: a join that finds one twice counts once, as in PostgreSQL.
struct TargetSet {
  explicit TargetSet(std::shared_ptr<const TableSchema> schema) : rows(std::move(schema)) {}
  std::vector<RowPosition> positions;
  ColumnBatch rows;                 // new rows of UPDATE, old rows of DELETE … RETURNING
  std::vector<BatchColumn> others;  // for RETURNING: the rows of the FROM or USING list beside them
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
  for (BatchColumn& column : others) {
    BatchColumn kept_values(column.type(), nullptr);
    kept_values.append_from(column, order.data(), order.size());
    column = std::move(kept_values);
  }
  positions = std::move(kept);
}

// What UPDATE and DELETE do, bound.
struct WritePlan {
  std::shared_ptr<const TableSchema> schema;
  BoundQuery query;  // of bind_target_rows
  std::vector<uint32_t>
      output_of;  // which of its columns is the value of each table column; empty: not wanted
  std::vector<ScopeTable> from_tables;  // of the FROM or USING list
  uint32_t first_from_column = 0;       // in the query's columns
  bool everything = false;              // DELETE without a condition: by metadata
  bool rows_stay = false;               // UPDATE of each row at most once, which stays at its place
  uint64_t row_count = 0;               // of the table, then

  void take(TargetRows rows, size_t outputs);
};

void WritePlan::take(TargetRows rows, size_t outputs) {
  query = std::move(rows.query);
  from_tables = std::move(rows.from_tables);
  first_from_column = static_cast<uint32_t>(1 + schema->columns.size() + outputs);
  for (ScopeTable& table : from_tables) {
    for (PlanColumn& column : table.columns) {
      if (column.type.id == TypeId::kSymbol) column.type = TypeId::kVarchar;
    }
  }
}

// Runs the plan of bind_target_rows. With `act`, sets of so many rows are acted on while others are still to come.
TargetSet collect(const std::shared_ptr<StatementRun>& run, const WritePlan& plan,
                  const std::vector<Value>& parameters, bool with_others,
                  const std::function<void(TargetSet&&)>& act = {}) {
  constexpr size_t kRowsAtOnce = 1 << 18;
  TargetSet set(plan.schema);
  if (with_others) {
    for (const ScopeTable& table : plan.from_tables) {
      for (const PlanColumn& column : table.columns) set.others.emplace_back(column.type, nullptr);
    }
  }
  auto stream = execute(plan.query, StatementRun::share_context(run), parameters);
  DataChunk chunk;
  while (stream->next(&chunk)) {
    Vector packed = flatten(chunk.columns[0], chunk.size, chunk.selection, false);
    for (uint32_t i = 0; i < chunk.count(); i++) {
      set.positions.push_back(RowPosition::unpack(packed.values<int64_t>()[chunk.selection[i]]));
    }
    for (size_t c = 0; c < plan.output_of.size(); c++) {
      set.rows.column(c).append_vector(chunk.columns[plan.output_of[c]], chunk.selection);
    }
    for (size_t c = 0; c < set.others.size(); c++) {
      const Vector& values = chunk.columns[plan.first_from_column + c];
      set.others[c].append_vector(flatten(values, chunk.size, chunk.selection, true), chunk.selection);
    }
    if (act && set.positions.size() >= kRowsAtOnce) {
      set.sort_and_deduplicate();
      act(std::exchange(set, TargetSet(plan.schema)));
    }
  }
  set.sort_and_deduplicate();
  return set;
}

// Whether what is assigned needs more than constants and parameters.
bool reads_columns(const SessionState& session, const ast::UpdateStatement& s, const ParameterTypes& types) {
  for (const ast::Assignment& a : s.assignments) {
    if (a.value->kind == ast::ExpressionKind::kDefault) continue;
    ParameterTypes unchanged = types;
    try {
      bind_expression(*a.value, {}, session, unchanged);
    } catch (const SqlError&) { return true; }
  }
  return false;
}

std::shared_ptr<WritePlan> plan_update(SessionState& session, const ast::UpdateStatement& s,
                                       ParameterTypes& types) {
  auto plan = std::make_shared<WritePlan>();
  auto wanted = static_cast<PrivilegeSet>(Privilege::kUpdate);
  if (s.where || !s.from.empty() || !s.returning.empty() || reads_columns(session, s, types))
    wanted = wanted | Privilege::kSelect;
  plan->schema = session.writable_table(s.table, wanted)->schema;
  const TableSchema& schema = *plan->schema;
  const Assignments assigned = resolve_assignments(schema, s.assignments);
  plan->take(bind_target_rows(s.table, s.alias.text, s.from, s.where.get(), assigned.outputs, session, types,
                              s.with.get()),
             assigned.outputs.size());
  uint32_t columns = static_cast<uint32_t>(schema.columns.size());
  for (uint32_t c = 0; c < columns; c++) plan->output_of.push_back(1 + c);
  for (uint32_t i = 0; i < assigned.targets.size(); i++)
    plan->output_of[assigned.targets[i]] = 1 + columns + i;
  const auto is_assigned = [&](uint32_t column) {
    return std::find(assigned.targets.begin(), assigned.targets.end(), column) != assigned.targets.end();
  };
  plan->rows_stay = s.from.empty() &&
                    std::none_of(schema.upsert_keys.begin(), schema.upsert_keys.end(), is_assigned) &&
                    !(schema.has_timestamp() && is_assigned(static_cast<uint32_t>(schema.timestamp_column)));
  return plan;
}

uint64_t run_update(SessionState& session, const WritePlan& plan, const std::vector<Value>& parameters,
                    Returning* returning) {
  session.check_writable("UPDATE");
  Transaction& transaction = session.write_transaction("UPDATE");
  auto run = session.start_run();
  uint64_t count = 0;
  const auto update = [&](TargetSet&& set) {
    count += set.positions.size();
    transaction.update(plan.schema->id, set.positions, std::move(set.rows));
  };
  // The scan goes on reading the version that it began with, in which these rows have the same places.
  const bool at_once = returning || !plan.rows_stay;
  TargetSet set = collect(run, plan, parameters, returning != nullptr,
                          at_once ? std::function<void(TargetSet &&)>() : update);
  if (returning) {
    EvaluationState state{&run->context, parameters};
    returning->add(set.rows, state, set.others);
  }
  update(std::move(set));
  return count;
}

std::shared_ptr<WritePlan> plan_delete(SessionState& session, const ast::DeleteStatement& s,
                                       ParameterTypes& types) {
  auto plan = std::make_shared<WritePlan>();
  auto wanted = static_cast<PrivilegeSet>(Privilege::kDelete);
  if (s.where || !s.using_tables.empty() || !s.returning.empty()) wanted = wanted | Privilege::kSelect;
  auto table = session.writable_table(s.table, wanted);
  plan->schema = table->schema;
  plan->everything = !s.where && s.using_tables.empty() && s.returning.empty();
  plan->row_count = plan->everything ? visible_rows(*table) : 0;
  if (!plan->everything) {
    plan->take(bind_target_rows(s.table, s.alias.text, s.using_tables, s.where.get(), {}, session, types,
                                s.with.get()),
               0);
  }
  for (uint32_t c = 0; !s.returning.empty() && c < plan->schema->columns.size(); c++)
    plan->output_of.push_back(1 + c);
  return plan;
}

uint64_t run_delete(SessionState& session, const WritePlan& plan, const std::vector<Value>& parameters,
                    Returning* returning) {
  session.check_writable("DELETE");
  Transaction& transaction = session.write_transaction("DELETE");
  if (plan.everything) {
    transaction.truncate(plan.schema->id);
    return plan.row_count;
  }
  auto run = session.start_run();
  TargetSet set = collect(run, plan, parameters, returning != nullptr);
  if (returning) {
    EvaluationState state{&run->context, parameters};
    returning->add(set.rows, state, set.others);
  }
  transaction.remove(plan.schema->id, set.positions);
  return set.positions.size();
}

Returning::Source returning_source(const WritePlan& plan, const std::string& alias, const ast::With* with) {
  Returning::Source source{table_scope(*plan.schema, alias), with};
  source.tables.insert(source.tables.end(), plan.from_tables.begin(), plan.from_tables.end());
  return source;
}

ExplainedWrite explained_write(std::string_view verb, const std::shared_ptr<WritePlan>& plan) {
  ExplainedWrite write{fmt::format("{} on {}", verb, plan->schema->name), nullptr, {}};
  if (plan->everything) {
    write.without_query = "All rows, by metadata";
  } else {
    write.query = std::shared_ptr<const BoundQuery>(plan, &plan->query);
  }
  return write;
}

// A command, or rows where there is RETURNING. `run` gets null or the collector and gives the number of rows.
template <class Statement, class Run>
std::unique_ptr<Portal> write_portal(SessionState& session, std::shared_ptr<WritePlan> plan,
                                     const Statement& s, StatementInput input, std::string verb, Run run) {
  if (s.returning.empty()) {
    return std::make_unique<CommandPortal>([&session, plan, verb, run, input = std::move(input)] {
      return fmt::format("{} {}", verb, run(session, *plan, input.parameters, nullptr));
    });
  }
  auto returning = std::make_shared<Returning>(
      s.returning, returning_source(*plan, s.alias.text, s.with.get()), session, input.parameter_types);
  std::vector<PlanColumn> columns = returning->columns();
  return std::make_unique<RowsPortal>(
      std::move(columns), [&session, plan, returning, verb, run, input = std::move(input)] {
        uint64_t rows = run(session, *plan, input.parameters, returning.get());
        return RowsPortal::Result{returning->take(), fmt::format("{} {}", verb, rows)};
      });
}

template <class Statement>
std::vector<PlanColumn> returning_columns(const WritePlan& plan, const Statement& s,
                                          const SessionState& session, ParameterTypes& types) {
  if (s.returning.empty()) return {};
  return Returning(s.returning, returning_source(plan, s.alias.text, s.with.get()), session, types).columns();
}

}  // namespace

std::unique_ptr<Portal> execute_update(SessionState& session, const ast::UpdateStatement& s,
                                       StatementInput input, ExplainedWrite* explained) {
  refuse_current_of(s.current_of);
  session.begin_statement();
  auto plan = plan_update(session, s, input.parameter_types);
  if (explained) *explained = explained_write("Update", plan);
  return write_portal(session, std::move(plan), s, std::move(input), "UPDATE", run_update);
}

std::unique_ptr<Portal> execute_delete(SessionState& session, const ast::DeleteStatement& s,
                                       StatementInput input, ExplainedWrite* explained) {
  refuse_current_of(s.current_of);
  session.begin_statement();
  auto plan = plan_delete(session, s, input.parameter_types);
  if (explained) *explained = explained_write("Delete", plan);
  return write_portal(session, std::move(plan), s, std::move(input), "DELETE", run_delete);
}

std::vector<PlanColumn> describe_write(SessionState& session, const ast::Statement& statement,
                                       ParameterTypes& types) {
  session.begin_statement();
  if (const auto* insert = ast::try_as<ast::InsertStatement>(&statement))
    return describe_insert(session, *insert, types);
  if (const auto* update = ast::try_as<ast::UpdateStatement>(&statement)) {
    return returning_columns(*plan_update(session, *update, types), *update, session, types);
  }
  if (const auto* merge = ast::try_as<ast::MergeStatement>(&statement))
    return describe_merge(session, *merge, types);
  const auto& remove = ast::as<ast::DeleteStatement>(statement);
  return returning_columns(*plan_delete(session, remove, types), remove, session, types);
}

}  // namespace idem
