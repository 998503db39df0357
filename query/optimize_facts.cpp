#include <algorithm>

#include "query/optimizer.h"
#include "query/plan_walk.h"
#include "storage/tombstones.h"

namespace idem::optimizer {

namespace {

// The number of rows where it is known without reading any.
std::optional<uint64_t> exact_rows(const LogicalPlan& plan) {
  switch (plan.kind) {
    case PlanKind::kScan:
      if (plan.scan_filter || hides_rows(*plan.table->schema) || plan.scan_range.min_timestamp != INT64_MIN ||
          plan.scan_range.max_timestamp != INT64_MAX) {
        return std::nullopt;
      }
      return plan.table->row_count;
    case PlanKind::kProject: return exact_rows(*plan.children[0]);
    case PlanKind::kValues: return plan.rows.size();
    case PlanKind::kUnionAll: {
      uint64_t rows = 0;
      for (const PlanPtr& child : plan.children) {
        const std::optional<uint64_t> part = exact_rows(*child);
        if (!part) return std::nullopt;
        rows += *part;
      }
      return rows;
    }
    default: return std::nullopt;
  }
}

struct TimeSpan {
  int64_t min = INT64_MAX, max = INT64_MIN;  // min > max: no rows
};

// The first and last designated timestamp of whole tables.
std::optional<TimeSpan> exact_span(const LogicalPlan& plan, uint32_t column) {
  switch (plan.kind) {
    case PlanKind::kScan: {
      const int timestamp = plan.table->schema->timestamp_column;
      if (!exact_rows(plan) || timestamp < 0 || plan.scan_columns[column] != static_cast<uint32_t>(timestamp))
        return std::nullopt;
      TimeSpan span;
      for (size_t i = 0; i < plan.table->partitions.size(); i++) {
        const Partition& partition = *plan.table->partitions[i];
        if (partition.row_count == 0) continue;
        span.min = std::min(span.min, partition.min_timestamp);
        span.max = std::max(span.max, partition.max_timestamp);
      }
      return span;
    }
    case PlanKind::kProject:
      return plan.expressions[column]->is_column()
                 ? exact_span(*plan.children[0], plan.expressions[column]->index)
                 : std::nullopt;
    case PlanKind::kUnionAll: {
      TimeSpan span;
      for (const PlanPtr& child : plan.children) {
        const std::optional<TimeSpan> part = exact_span(*child, column);
        if (!part) return std::nullopt;
        span.min = std::min(span.min, part->min);
        span.max = std::max(span.max, part->max);
      }
      return span;
    }
    default: return std::nullopt;
  }
}

std::optional<Value> known_aggregate(const BoundAggregate& aggregate, const LogicalPlan& input) {
  if (aggregate.filter || !aggregate.order_by.empty()) return std::nullopt;
  const std::string& name = aggregate.function->name;
  if (name == "count" && !aggregate.distinct) {
    // count(1) counts rows too, as count(ts) does.
    const bool counts_rows =
        aggregate.arguments.empty() ||
        (aggregate.arguments.size() == 1 &&
         ((aggregate.arguments[0]->is_constant() && !aggregate.arguments[0]->value.is_null()) ||
          (aggregate.arguments[0]->is_column() && exact_span(input, aggregate.arguments[0]->index))));
    const std::optional<uint64_t> rows = exact_rows(input);
    if (!counts_rows || !rows) return std::nullopt;
    return Value::of_int(aggregate.types.result, static_cast<int64_t>(*rows));
  }
  const bool is_first = name == "min" || name == "first", is_last = name == "max" || name == "last";
  if ((!is_first && !is_last) || aggregate.arguments.size() != 1 || !aggregate.arguments[0]->is_column())
    return std::nullopt;
  if ((name == "first" || name == "last") && input.kind == PlanKind::kUnionAll) return std::nullopt;
  const std::optional<TimeSpan> span = exact_span(input, aggregate.arguments[0]->index);
  if (!span || aggregate.types.result != aggregate.arguments[0]->type) return std::nullopt;
  if (span->min > span->max) return Value::null(aggregate.types.result);
  return Value::of_int(aggregate.types.result, is_first ? span->min : span->max);
}

PlanPtr use_table_facts(PlanPtr plan, Planning& planning) {
  if (!plan->groups.empty() || !plan->grouping_sets.empty() || plan->with_set_index) return plan;
  std::vector<BoundPtr> row;
  for (const BoundAggregate& aggregate : plan->aggregates) {
    std::optional<Value> value = known_aggregate(aggregate, *plan->children[0]);
    if (!value) return plan;
    row.push_back(BoundExpression::constant(std::move(*value)));
  }
  if (row.empty()) return plan;
  planning.uses_rows = true;
  PlanPtr result = make_empty(plan->columns);
  result->rows.push_back(std::move(row));
  return result;
}

// DISTINCT over rows that differ in their groups anyway.
bool is_distinct_already(const LogicalPlan& plan) {
  if (plan.kind == PlanKind::kDistinct) return plan.distinct_on.empty();
  const LogicalPlan* aggregate = &plan;
  if (plan.kind == PlanKind::kProject) aggregate = plan.children[0].get();
  if (aggregate->kind == PlanKind::kFilter) aggregate = aggregate->children[0].get();
  if (aggregate->kind != PlanKind::kAggregate || !aggregate->grouping_sets.empty()) return false;
  if (&plan == aggregate) return true;
  if (plan.kind != PlanKind::kProject) return plan.kind == PlanKind::kFilter;
  for (uint32_t group = 0; group < aggregate->groups.size(); group++) {
    const bool shown =
        std::any_of(plan.expressions.begin(), plan.expressions.end(),
                    [group](const BoundPtr& e) { return e->is_column() && e->index == group; });
    if (!shown) return false;
  }
  return true;
}

}  // namespace

PlanPtr use_known_facts(PlanPtr plan, Planning& planning) {
  if (plan->kind == PlanKind::kMaterialize) return plan;
  for (PlanPtr& child : plan->children) child = use_known_facts(std::move(child), planning);
  if (plan->kind == PlanKind::kAggregate) return use_table_facts(std::move(plan), planning);
  if (plan->kind == PlanKind::kDistinct && plan->distinct_on.empty() &&
      is_distinct_already(*plan->children[0])) {
    return plan->children[0];
  }
  return plan;
}

}  // namespace idem::optimizer
