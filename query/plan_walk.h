#pragma once

#include <functional>

#include "query/logical_plan.h"

namespace idem {

// Every expression of one node, its children's left out. The function may replace it.
void for_each_expression(LogicalPlan& node, const std::function<void(BoundPtr&)>& fn);

// The expression and all its parts, parents first; values of correlated columns and comparisons of quantified
// subqueries included, plans of subqueries not.
void for_each_part(BoundExpression& expression, const std::function<void(BoundExpression&)>& fn);

// Every node once, children first, with the plans of subqueries in expressions. Parts that two parents share
// are visited once.
void for_each_node(const PlanPtr& plan, const std::function<void(const PlanPtr&)>& fn);

// The plan of a subquery, which belongs to its expression alone until the plan is finished.
PlanPtr mutable_subquery(const BoundExpression& expression);

// A node over `child` with its columns.
PlanPtr make_node(PlanKind kind, PlanPtr child);

// A projection of the child's columns and one more.
PlanPtr with_column(PlanPtr child, std::string name, BoundPtr value);

bool has_subquery(const BoundExpression& expression);
bool is_volatile(const BoundExpression& expression);  // random() and the like, also in subqueries
// True if it may be computed elsewhere or not at all without a difference but for errors: no volatile
// function, no subquery.
bool is_movable(const BoundExpression& expression);

// Every column reference is replaced by a copy of what the column is made of.
void substitute_columns(BoundPtr& expression, const std::vector<BoundPtr>& definitions);

// The parts of a condition that AND joins; and the reverse (null for none).
std::vector<BoundPtr> split_conjuncts(BoundPtr condition);
BoundPtr join_conjuncts(std::vector<BoundPtr> parts);

}  // namespace idem
