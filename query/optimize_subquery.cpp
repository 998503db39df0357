#include <algorithm>
#include <map>

#include "query/optimizer.h"
#include "query/plan_walk.h"

namespace idem::optimizer {

namespace {

using Slots = std::map<uint32_t, const BoundExpression*>;  // slot → its value over the outer input

bool reads_any(BoundExpression& e, const Slots& slots) {
  bool found = false;
  for_each_part(e, [&](BoundExpression& part) {
    if (part.kind == BoundKind::kSlot && slots.count(part.index) > 0) found = true;
  });
  return found;
}

bool plan_reads_any(const PlanPtr& plan, const Slots& slots) {
  bool found = false;
  for_each_node(plan, [&](const PlanPtr& node) {
    for_each_expression(*node, [&](BoundPtr& e) { found = found || reads_any(*e, slots); });
  });
  return found;
}

// Over the subquery's columns shifted behind the outer ones; slots become what they stand for.
void lift(BoundPtr& e, const Slots& slots, uint32_t outer_width) {
  if (e->is_column()) {
    e->index += outer_width;
    return;
  }
  if (e->kind == BoundKind::kSlot) {
    const auto found = slots.find(e->index);
    if (found != slots.end()) e = found->second->clone();
    return;
  }
  for (BoundPtr& child : e->children) lift(child, slots, outer_width);
  for (auto& [slot, value] : e->correlated) lift(value, slots, outer_width);
}

// The subquery as the right side of a join: its plan without the conditions that read outer columns, and
// those conditions over outer ++ inner columns. `outputs`: the subquery's output expressions over inner
// columns.
struct Unnested {
  PlanPtr plan;
  std::vector<BoundPtr> conditions;
  std::vector<BoundPtr> outputs;
};

// Nodes that do not change whether there is a row.
PlanPtr skip_for_existence(PlanPtr plan) {
  while (true) {
    if (plan->kind == PlanKind::kProject || plan->kind == PlanKind::kSort ||
        (plan->kind == PlanKind::kDistinct)) {
      plan = plan->children[0];
      continue;
    }
    const bool is_harmless_limit = plan->kind == PlanKind::kLimit && !plan->offset && plan->limit &&
                                   plan->limit->is_constant() && !plan->limit->value.is_null() &&
                                   plan->limit->value.as_int() > 0;
    if (!is_harmless_limit) return plan;
    plan = plan->children[0];
  }
}

bool try_unnest(const BoundExpression& subquery, uint32_t outer_width, Unnested* out) {
  // A copy of the expression elsewhere runs the same plan.
  if (subquery.subquery.use_count() > 1) return false;
  PlanPtr plan = mutable_subquery(subquery);
  Slots slots;
  for (const auto& [slot, value] : subquery.correlated) {
    if (has_subquery(*value)) return false;
    slots[slot] = value.get();
  }
  std::vector<BoundPtr> outputs;
  if (subquery.subquery_kind == SubqueryKind::kExists) {
    plan = skip_for_existence(std::move(plan));
  } else if (!slots.empty()) {
    if (plan->kind != PlanKind::kProject) return false;
    for (const BoundPtr& e : plan->expressions) {
      if (reads_any(*e, slots) || is_volatile(*e) || has_subquery(*e)) return false;
      outputs.push_back(e->clone());
    }
    plan = plan->children[0];
  }
  if (outputs.empty()) {
    for (uint32_t i = 0; i < plan->columns.size(); i++)
      outputs.push_back(BoundExpression::column(i, plan->columns[i].type));
  }
  std::vector<BoundPtr> kept;
  while (plan->kind == PlanKind::kFilter) {
    for (BoundPtr& condition : split_conjuncts(plan->expressions[0]->clone())) {
      if (!reads_any(*condition, slots)) {
        kept.push_back(std::move(condition));
        continue;
      }
      if (has_subquery(*condition) || is_volatile(*condition)) return false;
      lift(condition, slots, outer_width);
      out->conditions.push_back(std::move(condition));
    }
    plan = plan->children[0];
  }
  // Inner joins in between may hold conditions on outer columns too; everything else must not know of them.
  if (!slots.empty() && plan->kind == PlanKind::kJoin && plan->join_type == JoinType::kInner &&
      plan->join_condition && plan->correlated.empty() && reads_any(*plan->join_condition, slots)) {
    return false;
  }
  if (!slots.empty() && plan_reads_any(plan, slots)) return false;
  out->plan = make_filter(std::move(plan), std::move(kept));
  out->outputs = std::move(outputs);
  return true;
}

bool is_equality(const BoundExpression& e) {
  if (e.kind == BoundKind::kAnd) {
    return std::all_of(e.children.begin(), e.children.end(),
                       [](const BoundPtr& c) { return is_equality(*c); });
  }
  return e.kind == BoundKind::kCall && e.function->name == "=";
}

// Replaces one conjunct by a semi or anti join; false if it is not of that kind.
bool unnest_conjunct(const BoundExpression& conjunct, PlanPtr* input) {
  const BoundExpression* subquery = &conjunct;
  bool negated = false;
  if (subquery->kind == BoundKind::kNot) {
    negated = true;
    subquery = subquery->children[0].get();
  }
  if (subquery->kind != BoundKind::kSubquery) return false;
  const bool is_exists = subquery->subquery_kind == SubqueryKind::kExists;
  // NOT IN is not an anti join: a NULL among the values makes it unknown for every row.
  const bool is_in =
      subquery->subquery_kind == SubqueryKind::kAny && !negated && is_equality(*subquery->comparison);
  if (!is_exists && !is_in) return false;
  // Without a tie to the outer row it is computed once and remembered.
  if (is_exists && subquery->correlated.empty()) return false;
  for (const BoundPtr& side : subquery->children) {
    if (has_subquery(*side) || is_volatile(*side)) return false;
  }
  const auto outer_width = static_cast<uint32_t>((*input)->columns.size());
  Unnested unnested;
  if (!try_unnest(*subquery, outer_width, &unnested)) return false;
  if (is_exists && unnested.conditions.empty()) return false;
  std::vector<BoundPtr> conditions = std::move(unnested.conditions);
  if (is_in) {
    std::vector<BoundPtr> definitions;
    for (const BoundPtr& side : subquery->children) definitions.push_back(side->clone());
    for (BoundPtr& output : unnested.outputs) {
      shift_columns(*output, outer_width);
      definitions.push_back(std::move(output));
    }
    BoundPtr comparison = subquery->comparison->clone();
    substitute_columns(comparison, definitions);
    for (BoundPtr& part : split_conjuncts(std::move(comparison))) conditions.push_back(std::move(part));
  }
  auto join = std::make_shared<LogicalPlan>();
  join->kind = PlanKind::kJoin;
  join->join_type = negated ? JoinType::kAnti : JoinType::kSemi;
  join->columns = (*input)->columns;
  join->join_condition = join_conjuncts(std::move(conditions));
  join->children = {std::move(*input), unnest_subqueries(std::move(unnested.plan))};
  *input = std::move(join);
  return true;
}

}  // namespace

PlanPtr unnest_subqueries(PlanPtr plan) {
  if (plan->kind != PlanKind::kMaterialize) {
    for (PlanPtr& child : plan->children) child = unnest_subqueries(std::move(child));
  }
  if (plan->kind != PlanKind::kFilter) return plan;
  PlanPtr input = std::move(plan->children[0]);
  std::vector<BoundPtr> kept;
  for (BoundPtr& conjunct : split_conjuncts(std::move(plan->expressions[0]))) {
    if (!unnest_conjunct(*conjunct, &input)) kept.push_back(std::move(conjunct));
  }
  return make_filter(std::move(input), std::move(kept));
}

}  // namespace idem::optimizer
