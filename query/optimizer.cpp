#include "query/optimizer.h"

#include "query/plan_walk.h"
#include "query/table_union.h"

namespace idem::optimizer {

bool reads_only(const BoundExpression& expression, uint32_t from, uint32_t to) {
  bool within = true;
  for_each_column(expression, [&](uint32_t column) { within = within && column >= from && column < to; });
  return within;
}

void shift_columns(BoundExpression& expression, int64_t by) {
  remap_columns(expression, [by](uint32_t column) { return static_cast<uint32_t>(column + by); });
}

PlanPtr make_filter(PlanPtr child, std::vector<BoundPtr> conditions) {
  if (conditions.empty()) return child;
  PlanPtr filter = make_node(PlanKind::kFilter, std::move(child));
  filter->expressions.push_back(join_conjuncts(std::move(conditions)));
  return filter;
}

PlanPtr make_empty(std::vector<PlanColumn> columns) {
  auto plan = std::make_shared<LogicalPlan>();
  plan->kind = PlanKind::kValues;
  plan->columns = std::move(columns);
  return plan;
}

PlanPtr make_selection(PlanPtr child, std::span<const uint32_t> kept) {
  PlanPtr project = make_node(PlanKind::kProject, std::move(child));
  project->columns.clear();
  for (uint32_t column : kept) {
    const PlanColumn& source = project->children[0]->columns[column];
    project->columns.push_back(source);
    project->expressions.push_back(BoundExpression::column(column, source.type));
  }
  return project;
}

namespace {

// Plans of CTEs and of the subqueries that are left: each on its own, once.
void optimize_inner_plans(const PlanPtr& plan, Planning& planning) {
  if (plan->kind == PlanKind::kMaterialize) {
    PlanPtr& shared = plan->children[0];
    if (planning.finished.insert(shared.get()).second) {
      // Readers share the node, so it keeps its place.
      PlanPtr content = std::make_shared<LogicalPlan>(std::move(*shared));
      content = optimize_plan(std::move(content), planning);
      *shared = std::move(*content);
    }
  } else {
    for (const PlanPtr& child : plan->children) optimize_inner_plans(child, planning);
  }
  for_each_expression(*plan, [&](BoundPtr& e) {
    for_each_part(*e, [&](BoundExpression& part) {
      if (!part.subquery || planning.finished.count(part.subquery.get()) > 0) return;
      PlanPtr shared = mutable_subquery(part);
      planning.finished.insert(shared.get());
      PlanPtr content = std::make_shared<LogicalPlan>(std::move(*shared));
      content = optimize_plan(std::move(content), planning);
      *shared = std::move(*content);
    });
  });
}

}  // namespace

PlanPtr optimize_plan(PlanPtr plan, Planning& planning) {
  const std::vector<PlanColumn> columns = plan->columns;
  fold_constants(*plan, planning);
  plan = unnest_subqueries(std::move(plan));
  plan = push_down_conditions(std::move(plan));
  fold_constants(*plan, planning);
  plan = expand_unions(std::move(plan), planning);
  find_scan_ranges(*plan, planning);
  plan = narrow_time_joins(std::move(plan));
  plan = order_joins(std::move(plan));
  plan = use_known_facts(std::move(plan), planning);
  plan = simplify_aggregations(std::move(plan));
  plan = merge_projections(std::move(plan));
  plan = use_order_and_limits(std::move(plan));
  plan = prune_columns(std::move(plan));
  plan = merge_projections(std::move(plan));
  plan = limit_partitions(std::move(plan));
  optimize_inner_plans(plan, planning);
  plan->columns = columns;
  return plan;
}

}  // namespace idem::optimizer

namespace idem {

namespace {

// Whether rows decide about the order of a plan's parts: tables under UNION ALL are in order if their times are one after the
// other, and time joins read what is in reach of the left side.
bool has_order_by_rows(const PlanPtr& plan) {
  bool has_union = false, needs_order = false, has_time_join = false;
  for_each_node(plan, [&](const PlanPtr& node) {
    switch (node->kind) {
      case PlanKind::kUnionAll: has_union = true; break;
      case PlanKind::kVirtualScan: has_union = has_union || TableUnion::in(*node); break;
      case PlanKind::kSort:
      case PlanKind::kSampleBy:
      case PlanKind::kLatestOn:
      case PlanKind::kWindow: needs_order = true; break;
      case PlanKind::kWindowJoin: has_time_join = true; break;
      case PlanKind::kJoin:
        has_time_join =
            has_time_join || node->join_type == JoinType::kAsof || node->join_type == JoinType::kLt;
        break;
      default: break;
    }
  });
  return has_time_join || (has_union && needs_order);
}

}  // namespace

PlanPtr optimize(PlanPtr plan, ExecutionContext* context, bool* uses_rows) {
  optimizer::Planning planning;
  planning.context = context;
  planning.uses_rows = uses_rows && has_order_by_rows(plan);
  plan = optimizer::optimize_plan(std::move(plan), planning);
  if (uses_rows) *uses_rows = *uses_rows || planning.uses_rows;
  return plan;
}

}  // namespace idem
