#include <algorithm>

#include "parser/parser.h"
#include "query/default_values.h"
#include "query/expression_evaluator.h"
#include "query/insert_conflict.h"
#include "query/insert_plan.h"
#include "query/overwrite_target.h"
#include "query/portal.h"
#include "query/position_order.h"
#include "query/returning.h"
#include "query/statement_executors.h"

namespace idem {

namespace {

constexpr uint32_t kBatchRows = 128 * 1024;  // of INSERT … SELECT: handed to the transaction at a time

void refuse_unsupported(const ast::InsertStatement& s) {
  if (s.overwrite != ast::Overwrite::kNone && s.on_conflict) {
    throw SqlError(sqlstate::kFeatureNotSupported,
                   "ON CONFLICT in a statement that overwrites is not supported")
        .with_position(s.on_conflict->position);
  }
}

// Of INSERT OVERWRITE and INSERT … REPLACE WHERE: what is to be replaced.
struct OverwritePlan {
  ast::Overwrite kind = ast::Overwrite::kAll;
  std::vector<std::string> partitions;
  std::shared_ptr<const BoundExpression> condition;  // over the table's columns
  std::shared_ptr<const BoundQuery> met;             // positions of the rows that meet it
  uint32_t condition_slots = 0;
};

// Null for a plain INSERT.
std::shared_ptr<const OverwritePlan> plan_overwrite(const TableSchema& schema, const ast::InsertStatement& s,
                                                    const SessionState& session, ParameterTypes& types) {
  if (s.overwrite == ast::Overwrite::kNone) return nullptr;
  auto plan = std::make_shared<OverwritePlan>();
  plan->kind = s.overwrite;
  plan->partitions = s.partitions;
  if (s.overwrite == ast::Overwrite::kReplaceWhere) {
    plan->condition = bind_expression(*s.replace_where, table_scope(schema, s.alias.text), session, types,
                                      TypeId::kBoolean, &plan->condition_slots);
    plan->met = std::make_shared<BoundQuery>(
        bind_target_rows(s.table, s.alias.text, {}, s.replace_where.get(), {}, session, types).query);
  }
  return plan;
}

std::vector<RowPosition> positions_of(const BoundQuery& query, const std::shared_ptr<StatementRun>& run,
                                      const std::vector<Value>& parameters) {
  std::vector<RowPosition> positions;
  auto stream = execute(query, StatementRun::share_context(run), parameters);
  DataChunk chunk;
  while (stream->next(&chunk)) {
    const Vector packed = flatten(chunk.columns[0], chunk.size, chunk.selection, false);
    for (uint32_t i = 0; i < chunk.count(); i++) {
      positions.push_back(RowPosition::unpack(packed.values<int64_t>()[chunk.selection[i]]));
    }
  }
  sort_positions(&positions, run->context.cancel);
  return positions;
}

// A plain VALUES list: it reads tables only if a cell has a subquery, which then sees them as the transaction began.
bool is_values(const ast::InsertStatement& s) {
  return !s.query || (s.query->kind == ast::QueryKind::kValues && !s.query->with && !s.with);
}

// ON CONFLICT and the condition of REPLACE WHERE read the stored rows, DO UPDATE changes them, RETURNING reads what was written.
std::shared_ptr<const TableSchema> target_of(const SessionState& session, const ast::InsertStatement& s) {
  auto wanted = static_cast<PrivilegeSet>(Privilege::kInsert);
  if (s.on_conflict || s.replace_where || !s.returning.empty()) wanted = wanted | Privilege::kSelect;
  if (s.on_conflict && s.on_conflict->do_update) wanted = wanted | Privilege::kUpdate;
  if (s.overwrite != ast::Overwrite::kNone) wanted = wanted | Privilege::kDelete;
  return session.writable_table(s.table, wanted)->schema;
}

// The same; what a prepared statement found is asked for again only after something has changed that it depends on.
std::shared_ptr<const TableSchema> target_of(const SessionState& session, const ast::InsertStatement& s,
                                             PreparedEntry* entry) {
  if (!entry) return target_of(session, s);
  const Snapshot& view = session.snapshot();
  PreparedEntry::KnownTarget& known = entry->target;
  if (known.names.hold_for(view.catalog, session.settings.generation()))
    return view.table(known.table)->schema;
  auto schema = target_of(session, s);
  known = {{view.catalog, session.settings.generation()}, schema->id};
  return schema;
}

Returning::Source returning_source(const InsertPlan& plan, const ast::InsertStatement& s) {
  return {table_scope(*plan.schema, s.alias.text), s.with.get()};
}

void append_given_rows(const InsertPlan& plan, const std::vector<Value>& parameters, ColumnBatch& batch) {
  for (const std::vector<BoundPtr>& row : plan.rows) {
    for (size_t c = 0; c < plan.source.size(); c++) {
      const BoundExpression& e =
          plan.source[c] < 0 ? *plan.defaults[c] : *row[static_cast<size_t>(plan.source[c])];
      batch.column(c).append_value(e.kind == BoundKind::kSlot ? parameters[e.index] : e.value);
    }
  }
}

void append_rows(const InsertPlan& plan, EvaluationState& state, ColumnBatch& batch) {
  for (const std::vector<BoundPtr>& row : plan.rows) {
    for (size_t c = 0; c < plan.source.size(); c++) {
      const BoundExpression& e =
          plan.source[c] < 0 ? *plan.defaults[c] : *row[static_cast<size_t>(plan.source[c])];
      if (e.kind == BoundKind::kSlot) batch.column(c).append_value(state.slots[e.index]);
      else if (e.kind == BoundKind::kConstant) batch.column(c).append_value(e.value);
      else batch.column(c).append_value(evaluate_constant(state, e));
    }
  }
}

uint64_t insert_given_rows(SessionState& session, const InsertPlan& plan,
                           const std::vector<Value>& parameters) {
  Transaction& transaction = session.insert_transaction();
  append_given_rows(plan, parameters, transaction.pending_rows(plan.schema->id));
  transaction.inserted_rows(plan.schema->id, static_cast<uint32_t>(plan.rows.size()));
  return plan.rows.size();
}

// Gives the rows of the plan's query to `take`, some `batch_rows` at a time.
template <class Take>
void read_query_rows(const InsertPlan& plan, EvaluationState& state, const std::shared_ptr<StatementRun>& run,
                     uint32_t batch_rows, Take take) {
  auto stream = execute(*plan.query, StatementRun::share_context(run), state.slots);
  ColumnBatch batch(plan.schema);
  DefaultValues defaults(plan.defaults, state);
  DataChunk chunk;
  while (stream->next(&chunk)) {
    for (size_t c = 0; c < plan.source.size(); c++) {
      if (plan.source[c] >= 0) {
        batch.column(c).append_vector(chunk.columns[static_cast<size_t>(plan.source[c])], chunk.selection);
      } else {
        for (uint32_t i = 0; i < chunk.count(); i++) batch.column(c).append_value(defaults.next(c));
      }
    }
    if (batch.rows() < batch_rows) continue;
    take(std::move(batch));
    batch = ColumnBatch(plan.schema);
  }
  if (batch.rows() > 0) take(std::move(batch));
}

uint64_t insert_query_rows(SessionState& session, const InsertPlan& plan, EvaluationState& state,
                           const std::shared_ptr<StatementRun>& run, Returning* returning) {
  uint64_t rows = 0;
  Transaction& transaction = session.write_transaction("INSERT");
  read_query_rows(plan, state, run, kBatchRows, [&](ColumnBatch&& batch) {
    rows += batch.rows();
    if (returning) returning->add(batch, state);
    transaction.insert(plan.schema->id, std::move(batch));
  });
  return rows;
}

// The query's rows are those from before: it was bound to them.
uint64_t run_overwrite(SessionState& session, const InsertPlan& plan, const OverwritePlan& overwrite,
                       EvaluationState& state, const std::shared_ptr<StatementRun>& run,
                       Returning* returning) {
  std::vector<RowPosition> met;
  if (overwrite.met) met = positions_of(*overwrite.met, run, state.slots);
  OverwriteTarget target(session.write_transaction("OVERWRITE"), plan.schema);
  switch (overwrite.kind) {
    case ast::Overwrite::kPartitions: target.replace_partitions(overwrite.partitions); break;
    case ast::Overwrite::kDynamic: target.replace_partitions_with_rows(); break;
    case ast::Overwrite::kReplaceWhere: target.replace_where(overwrite.condition, met); break;
    case ast::Overwrite::kAll:
    case ast::Overwrite::kNone: target.replace_all(); break;
  }
  EvaluationState condition_state{state.context, state.slots};
  condition_state.slots.resize(std::max<size_t>(condition_state.slots.size(), overwrite.condition_slots));
  uint64_t rows = 0;
  const auto take = [&](ColumnBatch&& batch) {
    rows += batch.rows();
    if (returning) returning->add(batch, state);
    target.insert(std::move(batch), condition_state);
  };
  if (plan.query) {
    read_query_rows(plan, state, run, kBatchRows, take);
  } else {
    ColumnBatch batch(plan.schema);
    append_rows(plan, state, batch);
    take(std::move(batch));
  }
  return rows;
}

uint64_t run_insert_with_conflicts(SessionState& session, const InsertPlan& plan,
                                   const ConflictPlan& conflict, EvaluationState& state,
                                   const std::shared_ptr<StatementRun>& run, Returning* returning) {
  ColumnBatch rows(plan.schema);
  if (plan.query)
    read_query_rows(plan, state, run, UINT32_MAX, [&](ColumnBatch&& all) { rows = std::move(all); });
  else append_rows(plan, state, rows);
  return insert_with_conflicts(session, conflict, std::move(rows), state, returning);
}

// What becomes of rows that are there already.
struct InsertMode {
  std::shared_ptr<const ConflictPlan> conflict;    // ON CONFLICT; null: none
  std::shared_ptr<const OverwritePlan> overwrite;  // null: they stay
};

uint64_t run_insert(SessionState& session, const InsertPlan& plan, const InsertMode& mode,
                    const std::vector<Value>& parameters, Returning* returning) {
  session.check_writable("INSERT");
  auto run = session.start_run();
  EvaluationState state{&run->context, parameters};
  if (mode.overwrite) return run_overwrite(session, plan, *mode.overwrite, state, run, returning);
  if (mode.conflict) return run_insert_with_conflicts(session, plan, *mode.conflict, state, run, returning);
  if (plan.query) return insert_query_rows(session, plan, state, run, returning);
  Transaction& transaction = session.write_transaction("INSERT");
  uint32_t count = static_cast<uint32_t>(plan.rows.size());
  if (returning) {
    ColumnBatch batch(plan.schema);
    append_rows(plan, state, batch);
    returning->add(batch, state);
    transaction.insert(plan.schema->id, std::move(batch));
  } else {
    append_rows(plan, state, transaction.pending_rows(plan.schema->id));
    transaction.inserted_rows(plan.schema->id, count);
  }
  return count;
}

std::string insert_tag(uint64_t rows) { return "INSERT 0 " + std::to_string(rows); }

// Of rows of parameters and constants: it needs no more than these and the plan.
class DirectInsertPortal final : public Portal {
 public:
  DirectInsertPortal(SessionState& session, std::shared_ptr<const InsertPlan> plan,
                     std::vector<Value> parameters)
      : session_(session), plan_(std::move(plan)), parameters_(std::move(parameters)) {}
  Kind kind() const override { return Kind::kCommand; }
  const std::vector<PlanColumn>& columns() const override { return columns_; }
  std::string tag() const override { return insert_tag(rows_); }
  void run() override { rows_ = insert_given_rows(session_, *plan_, parameters_); }

 private:
  SessionState& session_;
  const std::shared_ptr<const InsertPlan> plan_;
  const std::vector<Value> parameters_;
  const std::vector<PlanColumn> columns_;
  uint64_t rows_ = 0;
};

}  // namespace

std::vector<PlanColumn> describe_insert(SessionState& session, const ast::InsertStatement& s,
                                        ParameterTypes& types) {
  refuse_unsupported(s);
  session.begin_statement();
  auto plan = plan_insert(target_of(session, s), s, session, types);
  plan_conflict(plan->schema, s, session, types);
  plan_overwrite(*plan->schema, s, session, types);
  if (s.returning.empty()) return {};
  return Returning(s.returning, returning_source(*plan, s), session, types).columns();
}

std::unique_ptr<Portal> execute_insert(SessionState& session, const ast::InsertStatement& s,
                                       StatementInput input, ExplainedWrite* explained) {
  refuse_unsupported(s);
  // A cached plan is a list of VALUES: it reads nothing, so what the transaction collected stays collected.
  std::shared_ptr<const InsertPlan> plan = input.entry ? input.entry->insert_plan : nullptr;
  const bool reads_nothing = !s.on_conflict && s.overwrite == ast::Overwrite::kNone && (plan || is_values(s));
  if (reads_nothing && plan && plan->is_direct && s.returning.empty()) session.begin_insert_statement();
  else if (reads_nothing) session.begin_write_statement();
  else session.begin_statement();
  auto schema = target_of(session, s, input.entry.get());
  if (!plan || plan->schema != schema) {
    if (!is_values(s)) input.parameter_types.values = input.parameters;
    plan = plan_insert(schema, s, session, input.parameter_types);
    if (input.entry && plan->is_cacheable()) input.entry->insert_plan = plan;
  }
  const InsertMode mode{plan_conflict(schema, s, session, input.parameter_types),
                        plan_overwrite(*schema, s, session, input.parameter_types)};
  if (explained) {
    const size_t rows = plan->rows.size();
    *explained = {(mode.overwrite ? "Overwrite on " : "Insert on ") + plan->schema->name, plan->query,
                  fmt::format("Values: {} row{}", rows, rows == 1 ? "" : "s")};
  }
  if (s.returning.empty() && plan->is_direct && !mode.conflict && !mode.overwrite)
    return std::make_unique<DirectInsertPortal>(session, std::move(plan), std::move(input.parameters));
  if (s.returning.empty()) {
    return std::make_unique<CommandPortal>([&session, plan, mode, input = std::move(input)] {
      return insert_tag(run_insert(session, *plan, mode, input.parameters, nullptr));
    });
  }
  auto returning =
      std::make_shared<Returning>(s.returning, returning_source(*plan, s), session, input.parameter_types);
  std::vector<PlanColumn> columns = returning->columns();
  return std::make_unique<RowsPortal>(
      std::move(columns), [&session, plan, mode, returning, input = std::move(input)] {
        uint64_t rows = run_insert(session, *plan, mode, input.parameters, returning.get());
        return RowsPortal::Result{returning->take(), insert_tag(rows)};
      });
}

}  // namespace idem
