#include <algorithm>

#include "query/optimizer.h"
#include "query/plan_order.h"
#include "query/plan_walk.h"

namespace idem::optimizer {

namespace {

bool can_reverse(const LogicalPlan& plan) {
  switch (plan.kind) {
    case PlanKind::kScan: return true;
    case PlanKind::kFilter:
    case PlanKind::kProject: return can_reverse(*plan.children[0]);
    case PlanKind::kUnionAll:
      return std::all_of(plan.children.begin(), plan.children.end(),
                         [](const PlanPtr& child) { return can_reverse(*child); });
    default: return false;
  }
}

void reverse(LogicalPlan& plan) {
  if (plan.kind == PlanKind::kScan) plan.backwards = !plan.backwards;
  for (const PlanPtr& child : plan.children) reverse(*child);
  if (plan.kind == PlanKind::kUnionAll) std::reverse(plan.children.begin(), plan.children.end());
}

PlanPtr remove_sort(PlanPtr sort) {
  if (sort->sort_keys.size() != 1 || !sort->sort_keys[0].expression->is_column()) return sort;
  const SortKey& key = sort->sort_keys[0];
  const PlanPtr& input = sort->children[0];
  if (!is_table_time(*input, key.expression->index)) return sort;
  if (key.descending) {
    if (!can_reverse(*input)) return sort;
    reverse(*input);
  }
  return input;
}

std::optional<uint64_t> constant_count(const BoundPtr& e, uint64_t if_absent) {
  if (!e) return if_absent;
  if (!e->is_constant()) return std::nullopt;
  if (e->value.is_null()) return if_absent;
  if (e->value.as_int() < 0) return std::nullopt;
  return static_cast<uint64_t>(e->value.as_int());
}

// A scan below stops by itself.
bool stops_early(const LogicalPlan& plan) {
  return plan.limit_hint || (plan.kind == PlanKind::kProject && stops_early(*plan.children[0]));
}

// At most `rows` rows of this plan are read.
void limit_below(PlanPtr& plan, uint64_t rows) {
  switch (plan->kind) {
    case PlanKind::kScan:
    case PlanKind::kRecursive:
      plan->limit_hint = std::min(rows, plan->limit_hint.value_or(UINT64_MAX));
      break;
    case PlanKind::kProject: limit_below(plan->children[0], rows); break;
    case PlanKind::kUnionAll:
      for (PlanPtr& child : plan->children) {
        limit_below(child, rows);
        if (stops_early(*child) || child->kind == PlanKind::kLimit || child->kind == PlanKind::kValues)
          continue;
        PlanPtr limit = make_node(PlanKind::kLimit, std::move(child));
        limit->limit = BoundExpression::constant(Value::of_int(TypeId::kBigInt, static_cast<int64_t>(rows)));
        child = std::move(limit);
      }
      break;
    default: break;
  }
}

PlanPtr improve_limit(PlanPtr plan) {
  const std::optional<uint64_t> limit = constant_count(plan->limit, UINT64_MAX),
                                offset = constant_count(plan->offset, 0);
  if (!limit || !offset || *limit == UINT64_MAX || *offset > INT64_MAX || *limit > INT64_MAX - *offset)
    return plan;
  if (*limit == 0) return make_empty(plan->columns);
  PlanPtr& child = plan->children[0];
  if (child->kind == PlanKind::kSort) {
    plan->sort_keys = std::move(child->sort_keys);
    child = child->children[0];
    return plan;
  }
  limit_below(child, *limit + *offset);
  return plan;
}

// LIMIT of a projection is the projection of LIMIT, and so next to a sort below it.
PlanPtr limit_below_projection(PlanPtr plan) {
  PlanPtr project = plan->children[0];
  if (project->kind != PlanKind::kProject || project->children[0]->kind != PlanKind::kSort) return plan;
  plan->children[0] = project->children[0];
  plan->columns = plan->children[0]->columns;
  project->children[0] = std::move(plan);
  return project;
}

}  // namespace

PlanPtr use_order_and_limits(PlanPtr plan) {
  if (plan->kind == PlanKind::kMaterialize) return plan;
  for (PlanPtr& child : plan->children) child = use_order_and_limits(std::move(child));
  if (plan->kind == PlanKind::kSort) return remove_sort(std::move(plan));
  if (plan->kind != PlanKind::kLimit || !plan->sort_keys.empty()) return plan;
  plan = limit_below_projection(std::move(plan));
  if (plan->kind == PlanKind::kLimit) return improve_limit(std::move(plan));
  plan->children[0] = improve_limit(std::move(plan->children[0]));
  return plan;
}

}  // namespace idem::optimizer
