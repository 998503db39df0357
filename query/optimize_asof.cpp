#include <algorithm>

#include "query/optimizer.h"
#include "query/plan_order.h"
#include "query/plan_walk.h"

namespace idem::optimizer {

namespace {

PlanPtr clone_scan(const LogicalPlan& scan) {
  auto copy = std::make_shared<LogicalPlan>();
  copy->kind = PlanKind::kScan;
  copy->columns = scan.columns;
  copy->table = scan.table;
  copy->scan_columns = scan.scan_columns;
  copy->scan_range = scan.scan_range;
  copy->scan_bounds = scan.scan_bounds;
  if (scan.scan_filter) copy->scan_filter = scan.scan_filter->clone();
  for (const DynamicBound& bound : scan.dynamic_bounds)
    copy->dynamic_bounds.push_back({bound.column, bound.op, bound.value->clone()});
  copy->ordered_by_time = scan.ordered_by_time;
  return copy;
}

// The right rows that left rows from `min` to `max` can meet: those of that time, and of the rows before it the
// last of each key.
//
//   right   ──────────────── min ─────────────── max ──────
//           LATEST ON, newest │ all rows          │ none
//           first, to the last key
void narrow(LogicalPlan& join) {
  PlanPtr& right = join.children[1];
  int64_t min = 0, max = 0, right_min = 0, right_max = 0;
  if (right->kind != PlanKind::kScan || right->backwards || right->limit_hint ||
      !is_table_time(*right, join.right_timestamp) ||
      !timestamp_bounds(*join.children[0], join.left_timestamp, &min, &max) || min > max ||
      !timestamp_bounds(*right, join.right_timestamp, &right_min, &right_max))
    return;
  right->scan_range.max_timestamp = std::min(right->scan_range.max_timestamp, max);
  if (right_min >= min || min == INT64_MIN) return;
  PlanPtr latest = make_node(PlanKind::kLatestOn, clone_scan(*right));
  latest->timestamp_column = join.right_timestamp;
  for (const auto& [left_key, right_key] : join.join_keys) {
    if (!right_key->is_column()) return;
    latest->partition_columns.push_back(right_key->index);
  }
  if (latest->partition_columns.empty()) return;
  ScanRange& before = latest->children[0]->scan_range;
  before.max_timestamp = std::min(before.max_timestamp, min - 1);
  if (join.tolerance_micros) {
    int64_t oldest = 0;
    if (!__builtin_sub_overflow(min, *join.tolerance_micros, &oldest))
      before.min_timestamp = std::max(before.min_timestamp, oldest);
  }
  right->scan_range.min_timestamp = std::max(right->scan_range.min_timestamp, min);
  PlanPtr both = make_node(PlanKind::kUnionAll, std::move(latest));
  both->children.push_back(std::move(right));
  right = std::move(both);
}

}  // namespace

PlanPtr narrow_time_joins(PlanPtr plan) {
  if (plan->kind == PlanKind::kMaterialize) return plan;
  for (PlanPtr& child : plan->children) child = narrow_time_joins(std::move(child));
  if (plan->kind == PlanKind::kJoin &&
      (plan->join_type == JoinType::kAsof || plan->join_type == JoinType::kLt) && plan->correlated.empty()) {
    narrow(*plan);
  }
  return plan;
}

}  // namespace idem::optimizer
