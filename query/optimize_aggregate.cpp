#include <algorithm>
#include <array>
#include <cstdlib>
#include <limits>

#include "common/string_order.h"
#include "query/optimizer.h"
#include "query/plan_walk.h"

namespace idem::optimizer {

namespace {

// Equal values of these types are the same in every respect; 1.0 and 1.00 or 0 and -0 are not.
bool equal_means_same(SqlType type) {
  switch (physical_type(type)) {
    case PhysicalType::kBool:
    case PhysicalType::kInt16:
    case PhysicalType::kInt32:
    case PhysicalType::kInt64:
    case PhysicalType::kUuid: return true;
    case PhysicalType::kString: return compares_by_bytes(type.id);
    default: return false;
  }
}

// An aggregation in the making: of what its outputs become, as expressions over the new ones.
struct Outputs {
  std::vector<BoundPtr> of_old;  // by column of the old aggregation
  bool changed = false;
};

// Rewrites an expression over the input to one over the kept groups; false where it needs more.
bool express_by_groups(BoundPtr& e, const std::vector<BoundPtr>& groups, const std::vector<bool>& kept,
                       bool whole) {
  for (uint32_t g = 0; g < groups.size(); ++g) {
    if (!kept[g] || !groups[g]->equals(*e)) continue;
    if (!whole && !equal_means_same(e->type)) return false;
    e = BoundExpression::column(g, e->type);
    return true;
  }
  if (e->is_column() || e->kind == BoundKind::kSubquery) return false;
  return std::all_of(e->children.begin(), e->children.end(),
                     [&](BoundPtr& child) { return express_by_groups(child, groups, kept, false); });
}

// GROUP BY a, f(a): rows that agree in a agree in f(a), which is computed of each group.
void drop_dependent_groups(LogicalPlan& plan, Outputs& outputs) {
  const size_t count = plan.groups.size();
  std::vector<bool> kept(count, true);
  std::vector<std::pair<size_t, BoundPtr>> dropped;  // over the groups kept so far
  for (size_t g = 0; g < count && dropped.size() + 1 < count; ++g) {
    if (plan.groups[g]->is_column() || !is_movable(*plan.groups[g])) continue;
    kept[g] = false;
    BoundPtr by_others = plan.groups[g]->clone();
    kept[g] = !express_by_groups(by_others, plan.groups, kept, true);
    if (!kept[g]) dropped.emplace_back(g, std::move(by_others));
  }
  if (dropped.empty()) return;
  outputs.changed = true;
  std::vector<BoundPtr> left;
  for (size_t g = 0; g < count; ++g) {
    if (!kept[g]) continue;
    outputs.of_old[g] = BoundExpression::column(static_cast<uint32_t>(left.size()), plan.groups[g]->type);
    left.push_back(std::move(plan.groups[g]));
  }
  for (size_t d = dropped.size(); d-- > 0;) {
    substitute_columns(dropped[d].second, outputs.of_old);
    outputs.of_old[dropped[d].first] = std::move(dropped[d].second);
  }
  plan.groups = std::move(left);
}

// sum(x + addend) of a smallint x and a constant integer, which cannot overflow in between.
struct ShiftedSum {
  const BoundExpression* base = nullptr;  // x; null: the aggregate is nothing of the kind
  int64_t addend = 0;
};

ShiftedSum shifted_sum(const BoundAggregate& aggregate) {
  if (aggregate.function->name != "sum" || aggregate.distinct || !aggregate.order_by.empty()) return {};
  const BoundExpression& e = *aggregate.arguments[0];
  const auto is_small = [](const BoundExpression& x) { return x.type.id == TypeId::kSmallInt; };
  if (is_small(e)) return {&e, 0};
  const ScalarFunction* widen = find_cast(TypeId::kSmallInt, TypeId::kInteger, CastContext::kImplicit);
  const auto is_widened = [&](const BoundExpression& x) {
    return x.kind == BoundKind::kCall && x.function == widen && is_small(*x.children[0]);
  };
  const auto is_addend = [](const BoundExpression& x) {
    constexpr int64_t kMost =
        std::numeric_limits<int32_t>::max() + int64_t{std::numeric_limits<int16_t>::min()};
    return x.is_constant() && x.type.id == TypeId::kInteger && !x.value.is_null() &&
           std::abs(x.value.as_int()) <= kMost;
  };
  if (e.kind != BoundKind::kCall || e.type.id != TypeId::kInteger) return {};
  if (is_widened(e)) return {e.children[0].get(), 0};
  if (e.children.size() != 2 || (e.function->name != "+" && e.function->name != "-")) return {};
  const BoundExpression &left = *e.children[0], &right = *e.children[1];
  const bool adds = e.function->name == "+";
  if (is_widened(left) && is_addend(right))
    return {left.children[0].get(), adds ? right.value.as_int() : -right.value.as_int()};
  if (adds && is_addend(left) && is_widened(right)) return {right.children[0].get(), left.value.as_int()};
  return {};
}

bool same_filter(const BoundAggregate& a, const BoundAggregate& b) {
  return a.filter && b.filter ? a.filter->equals(*b.filter) : !a.filter && !b.filter;
}

BoundPtr call_operator(const char* symbol, BoundPtr left, BoundPtr right) {
  const ResolvedCall call = resolve_operator(symbol, std::array<SqlType, 2>{left->type, right->type});
  std::vector<BoundPtr> operands;
  operands.push_back(std::move(left));
  operands.push_back(std::move(right));
  return BoundExpression::call(call, std::move(operands));
}

// sum(x + 1), sum(x + 2) … are sum(x) + 1 * count(x), sum(x) + 2 * count(x) …
class SumSharing {
 public:
  SumSharing(LogicalPlan& plan, Outputs& outputs) : plan_(plan), outputs_(outputs) {
    for (const BoundAggregate& aggregate : plan.aggregates) sums_.push_back(shifted_sum(aggregate));
  }

  void run() {
    std::vector<bool> shared;
    for (size_t a = 0; a < sums_.size(); ++a) shared.push_back(is_shared(a));
    if (std::find(shared.begin(), shared.end(), true) == shared.end()) return;
    outputs_.changed = true;
    const auto old_groups =
        static_cast<uint32_t>(outputs_.of_old.size() - sums_.size() - (plan_.with_set_index ? 1 : 0));
    for (size_t a = 0; a < sums_.size(); ++a) {
      BoundPtr& output = outputs_.of_old[old_groups + a];
      if (!shared[a]) {
        output = column_of(std::move(plan_.aggregates[a]));
        continue;
      }
      output = column_of(over_base("sum", a));
      if (sums_[a].addend == 0) continue;
      BoundPtr more =
          call_operator("*", BoundExpression::constant(Value::of_int(TypeId::kBigInt, sums_[a].addend)),
                        column_of(over_base("count", a)));
      output = call_operator("+", std::move(output), std::move(more));
    }
    plan_.aggregates = std::move(aggregates_);
  }

 private:
  bool is_shared(size_t a) const {
    if (!sums_[a].base) return false;
    for (size_t b = 0; b < sums_.size(); ++b) {
      if (b != a && sums_[b].base && sums_[b].addend != sums_[a].addend &&
          sums_[b].base->equals(*sums_[a].base) && same_filter(plan_.aggregates[a], plan_.aggregates[b]))
        return true;
    }
    return false;
  }

  BoundAggregate over_base(const char* name, size_t a) const {
    BoundAggregate result;
    const SqlType type = sums_[a].base->type;
    const ResolvedAggregate resolved = resolve_aggregate(name, {&type, 1});
    result.function = resolved.function;
    result.types = resolved.types;
    result.arguments.push_back(sums_[a].base->clone());
    if (plan_.aggregates[a].filter) result.filter = plan_.aggregates[a].filter->clone();
    result.name = name;
    return result;
  }

  BoundPtr column_of(BoundAggregate aggregate) {
    const SqlType type = aggregate.types.result;
    const auto at = std::find_if(aggregates_.begin(), aggregates_.end(), [&](const BoundAggregate& known) {
      return equal_aggregates(known, aggregate);
    });
    const auto index =
        static_cast<uint32_t>(plan_.groups.size() + static_cast<size_t>(at - aggregates_.begin()));
    if (at == aggregates_.end()) aggregates_.push_back(std::move(aggregate));
    return BoundExpression::column(index, type);
  }

  LogicalPlan& plan_;
  Outputs& outputs_;
  std::vector<ShiftedSum> sums_;  // by aggregate
  std::vector<BoundAggregate> aggregates_;
};

PlanPtr simplify_aggregation(PlanPtr plan) {
  Outputs outputs;
  outputs.of_old.resize(plan->columns.size());
  const std::vector<PlanColumn> columns = plan->columns;
  const size_t old_groups = plan->groups.size(), old_aggregates = plan->aggregates.size();
  if (plan->grouping_sets.empty()) drop_dependent_groups(*plan, outputs);
  const auto new_groups = static_cast<uint32_t>(plan->groups.size());
  if (new_groups == old_groups) {
    for (uint32_t g = 0; g < new_groups; ++g) outputs.of_old[g] = BoundExpression::column(g, columns[g].type);
  }
  for (uint32_t a = 0; a < old_aggregates; ++a)
    outputs.of_old[old_groups + a] = BoundExpression::column(new_groups + a, columns[old_groups + a].type);
  SumSharing(*plan, outputs).run();
  if (!outputs.changed) return plan;
  std::vector<PlanColumn> made;
  for (const BoundPtr& group : plan->groups) made.push_back({"", group->type, {}, 0, group->shape});
  for (const BoundAggregate& aggregate : plan->aggregates)
    made.push_back({aggregate.name, aggregate.types.result});
  if (plan->with_set_index) {
    outputs.of_old.back() = BoundExpression::column(static_cast<uint32_t>(made.size()), columns.back().type);
    made.push_back(columns.back());
  }
  plan->columns = std::move(made);
  for (size_t c = 0; c < columns.size(); ++c) {
    if (outputs.of_old[c]->is_column()) plan->columns[outputs.of_old[c]->index] = columns[c];
  }
  PlanPtr project = make_node(PlanKind::kProject, std::move(plan));
  project->columns = columns;
  project->expressions = std::move(outputs.of_old);
  for (size_t c = 0; c < columns.size(); ++c) project->expressions[c]->shape = columns[c].shape;
  return project;
}

// All aggregates have DISTINCT over the same arguments, in whatever order.
bool aggregates_distinct_values(const LogicalPlan& plan) {
  if (plan.aggregates.empty() || !plan.grouping_sets.empty()) return false;
  const BoundAggregate& first = plan.aggregates[0];
  return std::all_of(plan.aggregates.begin(), plan.aggregates.end(), [&](const BoundAggregate& a) {
    return a.distinct && !a.filter && a.order_by.empty() && !a.function->order_sensitive &&
           equal_expressions(a.arguments, first.arguments);
  });
}

// count(DISTINCT x) … GROUP BY g is count(x) … GROUP BY g of the groups of g and x.
PlanPtr group_distinct_values(PlanPtr plan) {
  if (!aggregates_distinct_values(*plan)) return plan;
  PlanPtr values = make_node(PlanKind::kAggregate, std::move(plan->children[0]));
  std::vector<std::string> names;
  for (const PlanColumn& column : values->columns) names.push_back(column.name);
  values->columns.clear();
  const auto add_group = [&](BoundPtr group) {
    const auto at = std::find_if(values->groups.begin(), values->groups.end(),
                                 [&](const BoundPtr& known) { return known->equals(*group); });
    BoundPtr column =
        BoundExpression::column(static_cast<uint32_t>(at - values->groups.begin()), group->type);
    column->shape = group->shape;
    if (at == values->groups.end()) {
      values->columns.push_back({expression_text(*group, names), group->type, {}, 0, group->shape});
      values->groups.push_back(std::move(group));
    }
    return column;
  };
  for (size_t g = 0; g < plan->groups.size(); ++g) {
    plan->groups[g] = add_group(std::move(plan->groups[g]));
    values->columns[plan->groups[g]->index].name = plan->columns[g].name;
  }
  std::vector<BoundPtr> arguments;
  for (BoundPtr& argument : plan->aggregates[0].arguments)
    arguments.push_back(add_group(std::move(argument)));
  for (BoundAggregate& aggregate : plan->aggregates) {
    aggregate.distinct = false;
    aggregate.arguments.clear();
    for (const BoundPtr& argument : arguments) aggregate.arguments.push_back(argument->clone());
  }
  plan->children[0] = simplify_aggregation(std::move(values));
  return plan;
}

}  // namespace

PlanPtr simplify_aggregations(PlanPtr plan) {
  if (plan->kind == PlanKind::kMaterialize) return plan;
  for (PlanPtr& child : plan->children) child = simplify_aggregations(std::move(child));
  if (plan->kind != PlanKind::kAggregate) return plan;
  return group_distinct_values(simplify_aggregation(std::move(plan)));
}

}  // namespace idem::optimizer
