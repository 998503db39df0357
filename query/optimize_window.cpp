#include <algorithm>

#include "query/optimizer.h"
#include "query/plan_walk.h"

namespace idem::optimizer {

namespace {

using Window = LogicalPlan::Window;

constexpr uint64_t kMostRowsOfPartition = 1000;  // beyond, sorting whole partitions is as good

bool is_ranking(const Window& window) {
  const std::string& name = window.function_name;
  return !window.aggregate.function && (name == "row_number" || name == "rank" || name == "dense_rank");
}

bool same_order(const Window& a, const Window& b) {
  return std::equal(a.partition_by.begin(), a.partition_by.end(), b.partition_by.begin(),
                    b.partition_by.end(),
                    [](const BoundPtr& x, const BoundPtr& y) { return x->equals(*y); }) &&
         std::equal(a.order_by.begin(), a.order_by.end(), b.order_by.begin(), b.order_by.end(),
                    [](const SortKey& x, const SortKey& y) {
                      return x.descending == y.descending && x.nulls_first == y.nulls_first &&
                             x.expression->equals(*y.expression);
                    });
}

// The largest value of a column for which the condition may hold, where it is column <op> constant.
struct Bound {
  uint32_t column = 0;
  int64_t most = 0;
};
std::optional<Bound> upper_bound(const BoundExpression& condition) {
  if (condition.kind != BoundKind::kCall || condition.children.size() != 2) return std::nullopt;
  const bool swapped = condition.children[0]->is_constant();
  const BoundExpression& column = *condition.children[swapped ? 1 : 0];
  const BoundExpression& constant = *condition.children[swapped ? 0 : 1];
  if (!column.is_column() || !constant.is_constant() || constant.value.is_null() ||
      !is_integer(constant.type.id) || !is_integer(column.type.id))
    return std::nullopt;
  const std::string& op = condition.function->name;
  const int64_t value = constant.value.as_int();
  if (op == "=" || op == (swapped ? ">=" : "<=")) return Bound{column.index, value};
  if (op == (swapped ? ">" : "<") && value > INT64_MIN) return Bound{column.index, value - 1};
  return std::nullopt;
}

void limit_window(const BoundExpression& filter, LogicalPlan& plan) {
  for (const Window& window : plan.windows) {
    if (!is_ranking(window) || !same_order(window, plan.windows[0])) return;
  }
  const auto first = static_cast<uint32_t>(plan.children[0]->columns.size());
  const auto consider = [&](const BoundExpression& condition) {
    const std::optional<Bound> bound = upper_bound(condition);
    if (!bound || bound->column < first || bound->most < 1) return;
    const auto rows = static_cast<uint64_t>(bound->most);
    if (rows <= kMostRowsOfPartition) plan.limit_hint = std::min(rows, plan.limit_hint.value_or(rows));
  };
  if (filter.kind != BoundKind::kAnd) return consider(filter);
  for (const BoundPtr& condition : filter.children) consider(*condition);
}

}  // namespace

PlanPtr limit_partitions(PlanPtr plan) {
  if (plan->kind == PlanKind::kMaterialize) return plan;
  for (PlanPtr& child : plan->children) child = limit_partitions(std::move(child));
  if (plan->kind == PlanKind::kFilter && plan->children[0]->kind == PlanKind::kWindow) {
    limit_window(*plan->expressions[0], *plan->children[0]);
  }
  return plan;
}

}  // namespace idem::optimizer
