#include <algorithm>

#include "query/optimizer.h"
#include "query/plan_walk.h"

namespace idem::optimizer {

namespace {

constexpr uint32_t kGone = UINT32_MAX;

using Needed = std::vector<bool>;
using Mapping = std::vector<uint32_t>;  // old output column → new one, or kGone

void need(Needed& needed, const BoundPtr& e) {
  if (e) for_each_column(*e, [&](uint32_t column) { needed[column] = true; });
}
void remap(BoundPtr& e, const Mapping& mapping) {
  if (e) remap_columns(*e, [&](uint32_t column) { return mapping[column]; });
}

Mapping identity(size_t width) {
  Mapping mapping(width);
  for (uint32_t i = 0; i < width; i++) mapping[i] = i;
  return mapping;
}

// Keeps the items that are needed; what stood at i is at the result's [i].
template <class T>
Mapping keep_needed(std::vector<T>& items, const Needed& needed) {
  Mapping mapping(items.size(), kGone);
  std::vector<T> kept;
  for (size_t i = 0; i < items.size(); i++) {
    if (!needed[i]) continue;
    mapping[i] = static_cast<uint32_t>(kept.size());
    kept.push_back(std::move(items[i]));
  }
  items = std::move(kept);
  return mapping;
}

Mapping prune(PlanPtr& plan, Needed needed);

// All columns of a child, exactly.
void prune_whole(PlanPtr& child) {
  const size_t width = child->columns.size();
  const Mapping mapping = prune(child, Needed(width, true));
  bool exact = child->columns.size() == width;
  for (uint32_t i = 0; i < width && exact; i++) exact = mapping[i] == i;
  if (!exact) child = make_selection(std::move(child), mapping);
}

Mapping prune_scan(LogicalPlan& plan, Needed needed) {
  need(needed, plan.scan_filter);
  Needed again = needed;
  keep_needed(plan.columns, again);
  Mapping mapping = keep_needed(plan.scan_columns, needed);
  remap(plan.scan_filter, mapping);
  return mapping;
}

// Nodes whose output is the child's.
Mapping prune_passing(LogicalPlan& plan, Needed needed) {
  for (const BoundPtr& e : plan.expressions) need(needed, e);
  for (const SortKey& key : plan.sort_keys) need(needed, key.expression);
  for (const BoundPtr& e : plan.distinct_on) need(needed, e);
  if (plan.kind == PlanKind::kLatestOn) {
    needed[plan.timestamp_column] = true;
    for (uint32_t column : plan.partition_columns) needed[column] = true;
  }
  const Mapping mapping = prune(plan.children[0], std::move(needed));
  for (BoundPtr& e : plan.expressions) remap(e, mapping);
  for (SortKey& key : plan.sort_keys) remap(key.expression, mapping);
  for (BoundPtr& e : plan.distinct_on) remap(e, mapping);
  if (plan.kind == PlanKind::kLatestOn) {
    plan.timestamp_column = mapping[plan.timestamp_column];
    for (uint32_t& column : plan.partition_columns) column = mapping[column];
  }
  plan.columns = plan.children[0]->columns;
  return mapping;
}

Mapping prune_project(LogicalPlan& plan, const Needed& needed) {
  const Needed again = needed;
  keep_needed(plan.columns, again);
  Mapping mapping = keep_needed(plan.expressions, needed);
  Needed below(plan.children[0]->columns.size());
  for (const BoundPtr& e : plan.expressions) need(below, e);
  const Mapping child = prune(plan.children[0], std::move(below));
  for (BoundPtr& e : plan.expressions) remap(e, child);
  return mapping;
}

void need_aggregate(Needed& below, const BoundAggregate& aggregate) {
  for (const BoundPtr& e : aggregate.arguments) need(below, e);
  need(below, aggregate.filter);
  for (const BoundAggregate::Order& order : aggregate.order_by) need(below, order.expression);
}
void remap_aggregate(BoundAggregate& aggregate, const Mapping& child) {
  for (BoundPtr& e : aggregate.arguments) remap(e, child);
  remap(aggregate.filter, child);
  for (BoundAggregate::Order& order : aggregate.order_by) remap(order.expression, child);
}

Mapping prune_aggregate(LogicalPlan& plan, Needed needed) {
  const size_t first = (plan.kind == PlanKind::kSampleBy ? 1 : 0) + plan.groups.size();
  for (size_t i = 0; i < first; i++) needed[i] = true;
  const size_t count = plan.aggregates.size();
  // Buckets come from aggregates: one stays.
  if (plan.kind == PlanKind::kSampleBy && count > 0 &&
      std::find(needed.begin() + static_cast<ptrdiff_t>(first), needed.end(), true) == needed.end()) {
    needed[first] = true;
  }
  Needed aggregates(needed.begin() + static_cast<ptrdiff_t>(first),
                    needed.begin() + static_cast<ptrdiff_t>(first + count));
  if (plan.with_set_index && !needed[first + count]) plan.with_set_index = false;
  if (!plan.sample.fill.empty()) {
    keep_needed(plan.sample.fill, aggregates);
    keep_needed(plan.sample.fill_values, aggregates);
  }
  keep_needed(plan.aggregates, aggregates);
  Mapping mapping = keep_needed(plan.columns, needed);
  Needed below(plan.children[0]->columns.size());
  for (const BoundPtr& e : plan.groups) need(below, e);
  for (const BoundAggregate& aggregate : plan.aggregates) need_aggregate(below, aggregate);
  need(below, plan.sample_timestamp);
  const Mapping child = prune(plan.children[0], std::move(below));
  for (BoundPtr& e : plan.groups) remap(e, child);
  for (BoundAggregate& aggregate : plan.aggregates) remap_aggregate(aggregate, child);
  remap(plan.sample_timestamp, child);
  return mapping;
}

Mapping prune_join(LogicalPlan& plan, const Needed& needed) {
  const size_t left_width = plan.children[0]->columns.size(), right_width = plan.children[1]->columns.size();
  const bool left_only = plan.join_type == JoinType::kSemi || plan.join_type == JoinType::kAnti;
  const bool is_time_join = plan.join_type == JoinType::kAsof || plan.join_type == JoinType::kLt;
  Needed both = needed;
  both.resize(left_width + right_width, false);
  need(both, plan.join_condition);
  Needed left(both.begin(), both.begin() + static_cast<ptrdiff_t>(left_width));
  Needed right(both.begin() + static_cast<ptrdiff_t>(left_width), both.end());
  for (const auto& [l, r] : plan.join_keys) {
    need(left, l);
    need(right, r);
  }
  for (const auto& [slot, value] : plan.correlated) need(left, value);
  if (is_time_join) left[plan.left_timestamp] = right[plan.right_timestamp] = true;
  const Mapping left_map = prune(plan.children[0], std::move(left));
  const Mapping right_map = prune(plan.children[1], std::move(right));
  const auto new_left_width = static_cast<uint32_t>(plan.children[0]->columns.size());
  Mapping mapping(left_width + right_width, kGone);
  for (size_t i = 0; i < left_width; i++) mapping[i] = left_map[i];
  for (size_t i = 0; i < right_width; i++) {
    if (right_map[i] != kGone) mapping[left_width + i] = new_left_width + right_map[i];
  }
  remap(plan.join_condition, mapping);
  for (auto& [l, r] : plan.join_keys) {
    remap(l, left_map);
    remap(r, right_map);
  }
  for (auto& [slot, value] : plan.correlated) remap(value, left_map);
  if (is_time_join) {
    plan.left_timestamp = left_map[plan.left_timestamp];
    plan.right_timestamp = right_map[plan.right_timestamp];
  }
  plan.columns = plan.children[0]->columns;
  if (left_only) {
    mapping.resize(left_width);
  } else {
    plan.columns.insert(plan.columns.end(), plan.children[1]->columns.begin(),
                        plan.children[1]->columns.end());
  }
  return mapping;
}

Mapping prune_window_join(LogicalPlan& plan, const Needed& needed) {
  const size_t left_width = plan.children[0]->columns.size(), right_width = plan.children[1]->columns.size();
  const Needed aggregates(needed.begin() + static_cast<ptrdiff_t>(left_width), needed.end());
  std::vector<PlanColumn> own(plan.columns.begin() + static_cast<ptrdiff_t>(left_width), plan.columns.end());
  keep_needed(own, aggregates);
  const Mapping aggregate_map = keep_needed(plan.aggregates, aggregates);
  Needed both(needed.begin(), needed.begin() + static_cast<ptrdiff_t>(left_width));
  both.resize(left_width + right_width, false);
  for (const BoundAggregate& aggregate : plan.aggregates) need_aggregate(both, aggregate);
  Needed left(both.begin(), both.begin() + static_cast<ptrdiff_t>(left_width));
  Needed right(both.begin() + static_cast<ptrdiff_t>(left_width), both.end());
  for (const auto& [l, r] : plan.join_keys) {
    need(left, l);
    need(right, r);
  }
  left[plan.left_timestamp] = right[plan.right_timestamp] = true;
  Mapping mapping = prune(plan.children[0], std::move(left));
  const Mapping right_map = prune(plan.children[1], std::move(right));
  const auto new_left_width = static_cast<uint32_t>(plan.children[0]->columns.size());
  Mapping inputs = mapping;
  for (const uint32_t column : right_map) inputs.push_back(column == kGone ? kGone : new_left_width + column);
  for (BoundAggregate& aggregate : plan.aggregates) remap_aggregate(aggregate, inputs);
  for (auto& [l, r] : plan.join_keys) {
    remap(l, mapping);
    remap(r, right_map);
  }
  plan.left_timestamp = mapping[plan.left_timestamp];
  plan.right_timestamp = right_map[plan.right_timestamp];
  plan.columns = plan.children[0]->columns;
  plan.columns.insert(plan.columns.end(), own.begin(), own.end());
  for (const uint32_t index : aggregate_map)
    mapping.push_back(index == kGone ? kGone : new_left_width + index);
  return mapping;
}

Mapping prune_union(LogicalPlan& plan, const Needed& needed) {
  std::vector<uint32_t> wanted;
  for (uint32_t i = 0; i < needed.size(); i++) {
    if (needed[i]) wanted.push_back(i);
  }
  for (PlanPtr& child : plan.children) {
    const Mapping mapping = prune(child, needed);
    std::vector<uint32_t> kept;
    bool exact = child->columns.size() == wanted.size();
    for (uint32_t i = 0; i < wanted.size(); i++) {
      kept.push_back(mapping[wanted[i]]);
      exact = exact && kept.back() == i;
    }
    if (!exact) child = make_selection(std::move(child), kept);
  }
  return keep_needed(plan.columns, needed);
}

void need_window(Needed& below, const LogicalPlan::Window& window) {
  for (const BoundPtr& e : window.arguments) need(below, e);
  for (const BoundPtr& e : window.partition_by) need(below, e);
  for (const SortKey& key : window.order_by) need(below, key.expression);
  need_aggregate(below, window.aggregate);
}

Mapping prune_window(LogicalPlan& plan, const Needed& needed) {
  const size_t width = plan.children[0]->columns.size();
  Needed below(needed.begin(), needed.begin() + static_cast<ptrdiff_t>(width));
  Needed windows(needed.begin() + static_cast<ptrdiff_t>(width), needed.end());
  const Mapping window_map = keep_needed(plan.windows, windows);
  std::vector<PlanColumn> own(plan.columns.begin() + static_cast<ptrdiff_t>(width), plan.columns.end());
  keep_needed(own, windows);
  for (const LogicalPlan::Window& window : plan.windows) need_window(below, window);
  Mapping mapping = prune(plan.children[0], std::move(below));
  for (LogicalPlan::Window& window : plan.windows) {
    for (BoundPtr& e : window.arguments) remap(e, mapping);
    for (BoundPtr& e : window.partition_by) remap(e, mapping);
    for (SortKey& key : window.order_by) remap(key.expression, mapping);
    remap_aggregate(window.aggregate, mapping);
  }
  plan.columns = plan.children[0]->columns;
  const auto new_width = static_cast<uint32_t>(plan.columns.size());
  plan.columns.insert(plan.columns.end(), own.begin(), own.end());
  for (uint32_t index : window_map) mapping.push_back(index == kGone ? kGone : new_width + index);
  return mapping;
}

Mapping prune_project_set(LogicalPlan& plan, const Needed& needed) {
  const size_t width = plan.children[0]->columns.size();
  Needed below(needed.begin(), needed.begin() + static_cast<ptrdiff_t>(width));
  for (const SetCall& call : plan.set_calls) {
    for (const BoundPtr& e : call.arguments) need(below, e);
  }
  const std::vector<PlanColumn> own(plan.columns.begin() + static_cast<ptrdiff_t>(width), plan.columns.end());
  Mapping mapping = prune(plan.children[0], std::move(below));
  for (SetCall& call : plan.set_calls) {
    for (BoundPtr& e : call.arguments) remap(e, mapping);
  }
  plan.columns = plan.children[0]->columns;
  for (const PlanColumn& column : own) {
    mapping.push_back(static_cast<uint32_t>(plan.columns.size()));
    plan.columns.push_back(column);
  }
  return mapping;
}

Mapping prune_values(LogicalPlan& plan, const Needed& needed) {
  for (auto& row : plan.rows) {
    if (!row.empty()) keep_needed(row, needed);
  }
  return keep_needed(plan.columns, needed);
}

Mapping prune(PlanPtr& plan, Needed needed) {
  switch (plan->kind) {
    case PlanKind::kScan: return prune_scan(*plan, std::move(needed));
    case PlanKind::kValues: return prune_values(*plan, needed);
    case PlanKind::kProject: return prune_project(*plan, needed);
    case PlanKind::kProjectSet: return prune_project_set(*plan, needed);
    case PlanKind::kAggregate:
    case PlanKind::kSampleBy: return prune_aggregate(*plan, std::move(needed));
    case PlanKind::kJoin: return prune_join(*plan, needed);
    case PlanKind::kWindowJoin: return prune_window_join(*plan, needed);
    case PlanKind::kUnionAll: return prune_union(*plan, needed);
    case PlanKind::kWindow: {
      Mapping mapping = prune_window(*plan, needed);
      if (plan->windows.empty()) plan = plan->children[0];
      return mapping;
    }
    case PlanKind::kDistinct:
      if (plan->distinct_on.empty()) break;
      return prune_passing(*plan, std::move(needed));
    case PlanKind::kFilter:
    case PlanKind::kLatestOn:
    case PlanKind::kSort:
    case PlanKind::kLimit: return prune_passing(*plan, std::move(needed));
    case PlanKind::kMaterialize: return identity(plan->columns.size());
    case PlanKind::kVirtualScan:
    case PlanKind::kTableFunction:
    case PlanKind::kSetOperation:
    case PlanKind::kRecursive:
    case PlanKind::kWorkingTable: break;
  }
  for (PlanPtr& child : plan->children) prune_whole(child);
  return identity(plan->columns.size());
}

bool is_simple(const BoundExpression& e) {
  return e.is_column() || e.is_constant() || e.kind == BoundKind::kSlot;
}

// Expressions that are computed once each may be put into the projection above.
bool may_merge(const LogicalPlan& above, const LogicalPlan& below) {
  std::vector<int> uses(below.expressions.size());
  for (const BoundPtr& e : above.expressions) for_each_column(*e, [&](uint32_t column) { uses[column]++; });
  for (size_t i = 0; i < uses.size(); i++) {
    if (is_simple(*below.expressions[i])) continue;
    if (uses[i] > 1 || is_volatile(*below.expressions[i])) return false;
  }
  return true;
}

bool changes_nothing(const LogicalPlan& project) {
  const std::vector<PlanColumn>& input = project.children[0]->columns;
  if (project.expressions.size() != input.size()) return false;
  for (uint32_t i = 0; i < input.size(); i++) {
    if (!project.expressions[i]->is_column() || project.expressions[i]->index != i) return false;
  }
  return true;
}

}  // namespace

PlanPtr prune_columns(PlanPtr plan) {
  prune_whole(plan);
  return plan;
}

PlanPtr merge_projections(PlanPtr plan) {
  if (plan->kind == PlanKind::kMaterialize) return plan;
  for (PlanPtr& child : plan->children) child = merge_projections(std::move(child));
  if (plan->kind != PlanKind::kProject) return plan;
  while (plan->children[0]->kind == PlanKind::kProject && may_merge(*plan, *plan->children[0])) {
    PlanPtr below = plan->children[0];
    for (BoundPtr& e : plan->expressions) substitute_columns(e, below->expressions);
    plan->children[0] = below->children[0];
  }
  if (!changes_nothing(*plan) || plan->children[0]->kind == PlanKind::kMaterialize) return plan;
  PlanPtr child = plan->children[0];
  child->columns = plan->columns;
  return child;
}

}  // namespace idem::optimizer
