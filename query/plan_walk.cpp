#include "query/plan_walk.h"

#include <unordered_set>

#include "query/record_functions.h"

namespace idem {

void for_each_expression(LogicalPlan& node, const std::function<void(BoundPtr&)>& fn) {
  const auto visit = [&](BoundPtr& e) {
    if (e) fn(e);
  };
  visit(node.scan_filter);
  for (DynamicBound& bound : node.dynamic_bounds) visit(bound.value);
  for (BoundPtr& e : node.expressions) visit(e);
  for (auto& row : node.rows) {
    for (BoundPtr& e : row) visit(e);
  }
  for (SetCall& call : node.set_calls) {
    for (BoundPtr& e : call.arguments) visit(e);
  }
  const auto visit_aggregate = [&](BoundAggregate& aggregate) {
    for (BoundPtr& e : aggregate.arguments) visit(e);
    visit(aggregate.filter);
    for (BoundAggregate::Order& order : aggregate.order_by) visit(order.expression);
  };
  for (BoundPtr& e : node.groups) visit(e);
  for (BoundAggregate& aggregate : node.aggregates) visit_aggregate(aggregate);
  visit(node.sample_timestamp);
  for (auto& [left, right] : node.join_keys) {
    visit(left);
    visit(right);
  }
  visit(node.join_condition);
  for (auto& [slot, value] : node.correlated) visit(value);
  for (SortKey& key : node.sort_keys) visit(key.expression);
  visit(node.limit);
  visit(node.offset);
  for (BoundPtr& e : node.distinct_on) visit(e);
  for (LogicalPlan::Window& window : node.windows) {
    visit_aggregate(window.aggregate);
    for (BoundPtr& e : window.arguments) visit(e);
    for (BoundPtr& e : window.partition_by) visit(e);
    for (SortKey& key : window.order_by) visit(key.expression);
    visit(window.start_offset);
    visit(window.end_offset);
  }
}

void for_each_part(BoundExpression& e, const std::function<void(BoundExpression&)>& fn) {
  fn(e);
  for (BoundPtr& child : e.children) for_each_part(*child, fn);
  for (auto& [slot, value] : e.correlated) for_each_part(*value, fn);
  if (e.comparison) for_each_part(*e.comparison, fn);
}

PlanPtr mutable_subquery(const BoundExpression& expression) {
  return std::const_pointer_cast<LogicalPlan>(expression.subquery);
}

namespace {

void visit_nodes(const PlanPtr& plan, std::unordered_set<const LogicalPlan*>& seen,
                 const std::function<void(const PlanPtr&)>& fn) {
  if (!seen.insert(plan.get()).second) return;
  for (const PlanPtr& child : plan->children) visit_nodes(child, seen, fn);
  for_each_expression(*plan, [&](BoundPtr& e) {
    for_each_part(*e, [&](BoundExpression& part) {
      if (part.subquery) visit_nodes(mutable_subquery(part), seen, fn);
    });
  });
  fn(plan);
}

}  // namespace

void for_each_node(const PlanPtr& plan, const std::function<void(const PlanPtr&)>& fn) {
  std::unordered_set<const LogicalPlan*> seen;
  visit_nodes(plan, seen, fn);
}

PlanPtr make_node(PlanKind kind, PlanPtr child) {
  auto node = std::make_shared<LogicalPlan>();
  node->kind = kind;
  node->columns = child->columns;
  node->children.push_back(std::move(child));
  return node;
}

PlanPtr with_column(PlanPtr child, std::string name, BoundPtr value) {
  PlanPtr project = make_node(PlanKind::kProject, std::move(child));
  for (uint32_t i = 0; i < project->columns.size(); ++i) {
    project->expressions.push_back(BoundExpression::column(i, project->columns[i].type));
    project->expressions.back()->shape = project->columns[i].shape;
  }
  project->columns.push_back({std::move(name), value->type, {}, 0, value->shape});
  project->expressions.push_back(std::move(value));
  return project;
}

bool has_subquery(const BoundExpression& e) {
  if (e.kind == BoundKind::kSubquery) return true;
  for (const BoundPtr& child : e.children) {
    if (has_subquery(*child)) return true;
  }
  return false;
}

bool is_volatile(const BoundExpression& e) {
  if (e.kind == BoundKind::kCall && e.function->volatility == Volatility::kVolatile) return true;
  for (const BoundPtr& child : e.children) {
    if (is_volatile(*child)) return true;
  }
  if (!e.subquery) return false;
  bool found = false;
  for_each_node(mutable_subquery(e), [&](const PlanPtr& node) {
    for_each_expression(*node, [&](BoundPtr& inner) {
      for_each_part(*inner, [&](BoundExpression& part) {
        found =
            found || (part.kind == BoundKind::kCall && part.function->volatility == Volatility::kVolatile);
      });
    });
  });
  return found;
}

bool is_movable(const BoundExpression& e) { return !has_subquery(e) && !is_volatile(e); }

void substitute_columns(BoundPtr& e, const std::vector<BoundPtr>& definitions) {
  if (e->is_column()) {
    const uint32_t position = e->position;
    e = definitions[e->index]->clone();
    if (position != 0) e->position = position;
    return;
  }
  for (BoundPtr& child : e->children) substitute_columns(child, definitions);
  for (auto& [slot, value] : e->correlated) substitute_columns(value, definitions);
  take_known_field(e);
}

std::vector<BoundPtr> split_conjuncts(BoundPtr condition) {
  std::vector<BoundPtr> parts;
  if (!condition) return parts;
  if (condition->kind != BoundKind::kAnd) {
    parts.push_back(std::move(condition));
    return parts;
  }
  for (BoundPtr& child : condition->children) {
    for (BoundPtr& part : split_conjuncts(std::move(child))) parts.push_back(std::move(part));
  }
  return parts;
}

BoundPtr join_conjuncts(std::vector<BoundPtr> parts) {
  if (parts.empty()) return nullptr;
  if (parts.size() == 1) return std::move(parts[0]);
  return BoundExpression::make(BoundKind::kAnd, TypeId::kBoolean, std::move(parts));
}

}  // namespace idem
