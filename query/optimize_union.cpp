#include <optional>

#include "query/optimizer.h"
#include "query/plan_statistics.h"
#include "query/plan_walk.h"
#include "query/table_union.h"

namespace idem::optimizer {

namespace {

// Which tables of a union can have rows that meet conditions.
class UnionPruning {
 public:
  UnionPruning(const TableUnion& tables, const BoundExpression* condition, Planning& planning)
      : tables_(tables), condition_(condition), planning_(planning) {}

  bool may_have_rows(size_t branch) {
    const UnionShape::Branch& at = tables_.shape().branches[branch];
    if (!condition_ || at.timestamp < 0) return true;
    const ScanRange& range = range_for(at);
    const TimeRange& times = tables_.times(branch);
    if (range.max_timestamp < times.min || range.min_timestamp > times.max) return false;
    return rows_in_range(tables_.table(branch), range) > 0;
  }

 private:
  // The times that the conditions leave of a table with its timestamp in this column: the same for nearly all.
  const ScanRange& range_for(const UnionShape::Branch& branch) {
    if (range_ && column_ == branch.timestamp && type_ == branch.timestamp_type) return *range_;
    const TableSchema& schema = *branch.schema;
    LogicalPlan scan;
    scan.kind = PlanKind::kScan;
    auto table = std::make_shared<TableVersion>();
    table->schema = branch.schema;
    scan.table = std::move(table);
    scan.scan_columns.assign(tables_.shape().columns.size(), UINT32_MAX);
    scan.scan_columns[static_cast<size_t>(branch.timestamp)] = static_cast<uint32_t>(schema.timestamp_column);
    scan.scan_filter = condition_->clone();
    find_scan_ranges(scan, planning_);
    range_ = scan.scan_range;
    column_ = branch.timestamp;
    type_ = branch.timestamp_type;
    return *range_;
  }

  const TableUnion& tables_;
  const BoundExpression* const condition_;
  Planning& planning_;
  std::optional<ScanRange> range_;
  int column_ = -1;
  SqlType type_;
};

PlanPtr union_of(const TableUnion& tables, const BoundExpression* condition, std::vector<PlanColumn> columns,
                 Planning& planning) {
  UnionPruning pruning(tables, condition, planning);
  std::vector<PlanPtr> children;
  const size_t branches = tables.shape().branches.size();
  for (size_t i = 0; i < branches; ++i) {
    if (pruning.may_have_rows(i)) children.push_back(tables.branch_plan(i));
  }
  if (children.size() < branches) planning.uses_rows = true;
  if (children.empty()) return make_empty(std::move(columns));
  if (children.size() == 1) {
    children[0]->columns = std::move(columns);
    return std::move(children[0]);
  }
  auto plan = std::make_shared<LogicalPlan>();
  plan->kind = PlanKind::kUnionAll;
  plan->columns = std::move(columns);
  plan->children = std::move(children);
  return plan;
}

}  // namespace

PlanPtr expand_unions(PlanPtr plan, Planning& planning) {
  if (const TableUnion* tables = TableUnion::in(*plan))
    return union_of(*tables, nullptr, std::move(plan->columns), planning);
  if (plan->kind == PlanKind::kFilter) {
    LogicalPlan& input = *plan->children[0];
    if (const TableUnion* tables = TableUnion::in(input)) {
      PlanPtr expanded = union_of(*tables, plan->expressions[0].get(), std::move(input.columns), planning);
      return push_conditions(std::move(expanded), split_conjuncts(std::move(plan->expressions[0])));
    }
  }
  if (plan->kind != PlanKind::kMaterialize) {
    for (PlanPtr& child : plan->children) child = expand_unions(std::move(child), planning);
  }
  return plan;
}

}  // namespace idem::optimizer
