#include <algorithm>
#include <numeric>

#include "query/bind_merge.h"
#include "query/portal.h"
#include "query/position_order.h"
#include "query/returning.h"
#include "query/statement_executors.h"

namespace idem {

namespace {

using MergeAction = ast::MergeClause::Action;

// A MERGE bound to the version of its target that the statement sees.
struct MergePlan {
  std::shared_ptr<const TableSchema> schema;
  std::vector<MergeAction> actions;  // of each WHEN clause
  MergeRows rows;
  uint32_t first_source_column() const { return static_cast<uint32_t>(2 + schema->columns.size()); }
};

std::string_view action_name(MergeAction action) {
  switch (action) {
    case MergeAction::kUpdate:
    case MergeAction::kUpdateAll: return "UPDATE";
    case MergeAction::kInsert:
    case MergeAction::kInsertAll: return "INSERT";
    case MergeAction::kDelete: return "DELETE";
    case MergeAction::kDoNothing: break;
  }
  return "";
}

// What RETURNING reads: the target's row, the source's row, and the action under a name that no query can
// write.
Returning::Source returning_source(const MergePlan& plan, const ast::MergeStatement& s) {
  Returning::Source source{table_scope(*plan.schema, s.alias.text), s.with.get()};
  source.tables[0].last_in_star = true;
  for (ScopeTable table : plan.rows.source_tables) {
    for (PlanColumn& column : table.columns) {
      if (column.type.id == TypeId::kSymbol) column.type = TypeId::kVarchar;
    }
    source.tables.push_back(std::move(table));
  }
  ScopeTable action;
  action.alias = kMergeActionScope;
  action.hidden = true;
  action.columns.push_back({"merge_action", TypeId::kText});
  source.tables.push_back(std::move(action));
  return source;
}

// The condition reads the target.
PrivilegeSet wanted_privileges(const ast::MergeStatement& s) {
  auto wanted = static_cast<PrivilegeSet>(Privilege::kSelect);
  for (const ast::MergeClause& clause : s.clauses) {
    switch (clause.action) {
      case MergeAction::kUpdate:
      case MergeAction::kUpdateAll: wanted = wanted | Privilege::kUpdate; break;
      case MergeAction::kInsert:
      case MergeAction::kInsertAll: wanted = wanted | Privilege::kInsert; break;
      case MergeAction::kDelete: wanted = wanted | Privilege::kDelete; break;
      case MergeAction::kDoNothing: break;
    }
  }
  return wanted;
}

std::shared_ptr<MergePlan> plan_merge(SessionState& session, const ast::MergeStatement& s,
                                      ParameterTypes& types) {
  auto plan = std::make_shared<MergePlan>();
  auto target = session.writable_table(s.table, wanted_privileges(s));
  plan->schema = target->schema;
  for (const ast::MergeClause& clause : s.clauses) plan->actions.push_back(clause.action);
  plan->rows = bind_merge_rows(s, std::move(target), session, types);
  return plan;
}

// Rows collected from the plan, by what happens to them.
class MergeChanges {
 public:
  MergeChanges(const MergePlan& plan, Returning* returning)
      : plan_(plan), returning_(returning), updated_rows_(plan.schema), inserted_rows_(plan.schema) {}

  void add(const DataChunk& chunk, EvaluationState& state);
  // Throws SqlError 21000 where two source rows met one target row, whatever they would do to it.
  void apply(Transaction& transaction, const CancelToken* cancel);
  uint64_t rows() const { return rows_; }

 private:
  void append(ColumnBatch* rows, const DataChunk& chunk, Selection selection) const;
  void note_returned(MergeAction action, const DataChunk& chunk, Selection selection, EvaluationState& state);
  void sort_updated(const CancelToken* cancel);

  const MergePlan& plan_;
  Returning* returning_;
  std::vector<RowPosition> updated_, removed_;
  ColumnBatch updated_rows_, inserted_rows_;
  uint64_t rows_ = 0;
};

void MergeChanges::append(ColumnBatch* rows, const DataChunk& chunk, Selection selection) const {
  for (size_t c = 0; c < plan_.schema->columns.size(); ++c) {
    rows->column(c).append_vector(chunk.columns[2 + c], selection);
  }
}

void MergeChanges::note_returned(MergeAction action, const DataChunk& chunk, Selection selection,
                                 EvaluationState& state) {
  ColumnBatch rows(plan_.schema);
  append(&rows, chunk, selection);
  std::vector<BatchColumn> others;
  for (size_t c = plan_.first_source_column(); c < chunk.columns.size(); ++c) {
    const SqlType type = chunk.columns[c].type;
    others.emplace_back(type.id == TypeId::kSymbol ? SqlType(TypeId::kVarchar) : type, nullptr);
    others.back().append_vector(flatten(chunk.columns[c], chunk.size, selection, true), selection);
  }
  others.emplace_back(TypeId::kText, nullptr);
  const Value name = Value::of_string(TypeId::kText, std::string(action_name(action)));
  for (uint32_t i = 0; i < selection.count; ++i) others.back().append_value(name);
  returning_->add(rows, state, others);
}

void MergeChanges::add(const DataChunk& chunk, EvaluationState& state) {
  const Vector clause = flatten(chunk.columns[0], chunk.size, chunk.selection, false);
  const Vector position = flatten(chunk.columns[1], chunk.size, chunk.selection, false);
  std::vector<std::vector<uint16_t>> acting(plan_.actions.size());
  for (uint32_t i = 0; i < chunk.count(); ++i) {
    const uint32_t row = chunk.selection[i];
    if (!clause.is_valid(row)) continue;
    const auto number = static_cast<size_t>(clause.values<int32_t>()[row]);
    if (plan_.actions[number] != MergeAction::kDoNothing)
      acting[number].push_back(static_cast<uint16_t>(row));
  }
  for (size_t number = 0; number < acting.size(); ++number) {
    const Selection selection{acting[number].data(), static_cast<uint32_t>(acting[number].size())};
    if (selection.count == 0) continue;
    rows_ += selection.count;
    const MergeAction action = plan_.actions[number];
    if (action == MergeAction::kInsert || action == MergeAction::kInsertAll) {
      append(&inserted_rows_, chunk, selection);
    } else {
      auto& positions = action == MergeAction::kDelete ? removed_ : updated_;
      for (const uint16_t row : acting[number]) {
        positions.push_back(RowPosition::unpack(position.values<int64_t>()[row]));
      }
      if (action != MergeAction::kDelete) append(&updated_rows_, chunk, selection);
    }
    if (returning_) note_returned(action, chunk, selection, state);
  }
}

void MergeChanges::sort_updated(const CancelToken* cancel) {
  const std::vector<uint32_t> order = order_of_positions(updated_, cancel);
  if (std::is_sorted(order.begin(), order.end())) return;
  std::vector<RowPosition> positions;
  for (const uint32_t i : order) positions.push_back(updated_[i]);
  ColumnBatch rows(plan_.schema);
  rows.append_rows(updated_rows_, order.data(), order.size());
  updated_ = std::move(positions);
  updated_rows_ = std::move(rows);
}

void MergeChanges::apply(Transaction& transaction, const CancelToken* cancel) {
  sort_updated(cancel);
  sort_positions(&removed_, cancel);
  const auto before = [](const RowPosition& a, const RowPosition& b) { return a.packed() < b.packed(); };
  std::vector<RowPosition> all;
  std::merge(updated_.begin(), updated_.end(), removed_.begin(), removed_.end(), std::back_inserter(all),
             before);
  const auto same = [](const RowPosition& a, const RowPosition& b) { return a.packed() == b.packed(); };
  if (std::adjacent_find(all.begin(), all.end(), same) != all.end()) {
    throw SqlError(sqlstate::kCardinalityViolation, "MERGE command cannot affect row a second time")
        .with_hint("Ensure that not more than one source row matches any one target row.");
  }
  transaction.modify(plan_.schema->id, updated_, std::move(updated_rows_), removed_);
  if (inserted_rows_.rows() > 0) transaction.insert_unmatched(plan_.schema->id, std::move(inserted_rows_));
}

uint64_t run_merge(SessionState& session, const MergePlan& plan, const std::vector<Value>& parameters,
                   Returning* returning) {
  session.check_writable("MERGE");
  Transaction& transaction = session.write_transaction("MERGE");
  auto run = session.start_run();
  EvaluationState state{&run->context, parameters};
  MergeChanges changes(plan, returning);
  auto stream = execute(plan.rows.query, StatementRun::share_context(run), parameters);
  DataChunk chunk;
  while (stream->next(&chunk)) changes.add(chunk, state);
  stream.reset();
  changes.apply(transaction, run->context.cancel);
  return changes.rows();
}

}  // namespace

std::unique_ptr<Portal> execute_merge(SessionState& session, const ast::MergeStatement& s,
                                      StatementInput input, ExplainedWrite* explained) {
  session.begin_statement();
  auto plan = plan_merge(session, s, input.parameter_types);
  if (explained) {
    *explained = {"Merge on " + plan->schema->name,
                  std::shared_ptr<const BoundQuery>(plan, &plan->rows.query), ""};
  }
  if (s.returning.empty()) {
    return std::make_unique<CommandPortal>([&session, plan, input = std::move(input)] {
      return fmt::format("MERGE {}", run_merge(session, *plan, input.parameters, nullptr));
    });
  }
  auto returning =
      std::make_shared<Returning>(s.returning, returning_source(*plan, s), session, input.parameter_types);
  std::vector<PlanColumn> columns = returning->columns();
  return std::make_unique<RowsPortal>(
      std::move(columns), [&session, plan, returning, input = std::move(input)] {
        const uint64_t rows = run_merge(session, *plan, input.parameters, returning.get());
        return RowsPortal::Result{returning->take(), fmt::format("MERGE {}", rows)};
      });
}

std::vector<PlanColumn> describe_merge(SessionState& session, const ast::MergeStatement& s,
                                       ParameterTypes& types) {
  auto plan = plan_merge(session, s, types);
  if (s.returning.empty()) return {};
  return Returning(s.returning, returning_source(*plan, s), session, types).columns();
}

}  // namespace idem
