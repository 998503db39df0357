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

// The times of the right rows that left rows can meet, and whether they can meet the last one before.
struct Reach {
  int64_t first, last;
  bool row_before;
};

// Of an ASOF, LT or WINDOW JOIN; nothing if the left rows' times are not known.
std::optional<Reach> reach_of(const LogicalPlan& join) {
  int64_t min = 0, max = 0;
  if (!timestamp_bounds(*join.children[0], join.left_timestamp, &min, &max) || min > max) return std::nullopt;
  if (join.kind == PlanKind::kJoin) return Reach{min, max, true};
  return Reach{join.time_window.start_for(min), join.time_window.end_for(max), join.time_window.prevailing};
}

// Reads right rows within reach alone, and of the rows before it the last of each key.
//
//   right   ──────────────── first ─────────────── last ──────
//           LATEST ON, newest │ all rows            │ none
//           first, to the last key
void narrow(LogicalPlan& join) {
  PlanPtr& right = join.children[1];
  int64_t right_min = 0, right_max = 0;
  if (right->kind != PlanKind::kScan || right->backwards || right->limit_hint ||
      !is_table_time(*right, join.right_timestamp) ||
      !timestamp_bounds(*right, join.right_timestamp, &right_min, &right_max))
    return;
  const std::optional<Reach> reach = reach_of(join);
  if (!reach) return;
  right->scan_range.max_timestamp = std::min(right->scan_range.max_timestamp, reach->last);
  if (right_min >= reach->first || reach->first == INT64_MIN) return;
  const int64_t first = std::max(right->scan_range.min_timestamp, reach->first);
  if (!reach->row_before) {
    right->scan_range.min_timestamp = first;
    return;
  }
  PlanPtr latest = make_node(PlanKind::kLatestOn, clone_scan(*right));
  latest->timestamp_column = join.right_timestamp;
  for (const auto& [left_key, right_key] : join.join_keys) {
    if (!right_key->is_column()) return;
    latest->partition_columns.push_back(right_key->index);
  }
  if (latest->partition_columns.empty()) return;
  ScanRange& before = latest->children[0]->scan_range;
  before.max_timestamp = std::min(before.max_timestamp, reach->first - 1);
  if (join.tolerance_micros) {
    int64_t oldest = 0;
    if (!__builtin_sub_overflow(reach->first, *join.tolerance_micros, &oldest))
      before.min_timestamp = std::max(before.min_timestamp, oldest);
  }
  right->scan_range.min_timestamp = first;
  PlanPtr both = make_node(PlanKind::kUnionAll, std::move(latest));
  both->children.push_back(std::move(right));
  right = std::move(both);
}

}  // namespace

PlanPtr narrow_time_joins(PlanPtr plan) {
  if (plan->kind == PlanKind::kMaterialize) return plan;
  for (PlanPtr& child : plan->children) child = narrow_time_joins(std::move(child));
  const bool is_time_join = plan->kind == PlanKind::kWindowJoin ||
                            (plan->kind == PlanKind::kJoin &&
                             (plan->join_type == JoinType::kAsof || plan->join_type == JoinType::kLt));
  if (is_time_join && plan->correlated.empty()) narrow(*plan);
  return plan;
}

}  // namespace idem::optimizer
