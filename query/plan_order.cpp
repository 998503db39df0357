#include "query/plan_order.h"

#include <algorithm>

namespace idem {

bool timestamp_bounds(const LogicalPlan& plan, uint32_t column, int64_t* min, int64_t* max) {
  switch (plan.kind) {
    case PlanKind::kScan: {
      const int timestamp = plan.table->schema->timestamp_column;
      if (timestamp < 0 || plan.scan_columns[column] != static_cast<uint32_t>(timestamp)) return false;
      *min = INT64_MAX;
      *max = INT64_MIN;
      for (size_t i = 0; i < plan.table->partitions.size(); i++) {
        const Partition& partition = *plan.table->partitions[i];
        if (partition.row_count == 0) continue;
        *min = std::min(*min, partition.min_timestamp);
        *max = std::max(*max, partition.max_timestamp);
      }
      *min = std::max(*min, plan.scan_range.min_timestamp);
      *max = std::min(*max, plan.scan_range.max_timestamp);
      return true;
    }
    case PlanKind::kFilter:
    case PlanKind::kLimit:
    case PlanKind::kSort:
    case PlanKind::kLatestOn: return timestamp_bounds(*plan.children[0], column, min, max);
    case PlanKind::kProject: {
      const BoundExpression& e = *plan.expressions[column];
      return e.is_column() && timestamp_bounds(*plan.children[0], e.index, min, max);
    }
    case PlanKind::kUnionAll: {
      *min = INT64_MAX;
      *max = INT64_MIN;
      for (const auto& child : plan.children) {
        int64_t low = 0, high = 0;
        if (!timestamp_bounds(*child, column, &low, &high)) return false;
        *min = std::min(*min, low);
        *max = std::max(*max, high);
      }
      return true;
    }
    default: return false;
  }
}

static bool is_ordered_by(const LogicalPlan& plan, uint32_t column, bool descending) {
  const auto child = [&](uint32_t of_child) {
    return is_ordered_by(*plan.children[0], of_child, descending);
  };
  switch (plan.kind) {
    case PlanKind::kScan: {
      const int timestamp = plan.table->schema->timestamp_column;
      return timestamp >= 0 && plan.scan_columns[column] == static_cast<uint32_t>(timestamp) &&
             plan.ordered_by_time && plan.backwards == descending;
    }
    case PlanKind::kFilter:
    case PlanKind::kLimit:
    case PlanKind::kMaterialize: return child(column);
    case PlanKind::kProject: {
      const BoundExpression& e = *plan.expressions[column];
      return e.is_column() && child(e.index);
    }
    case PlanKind::kJoin:
      // Time-series joins give one row for each left row, in its order.
      return (plan.join_type == JoinType::kAsof || plan.join_type == JoinType::kLt) &&
             column < plan.children[0]->columns.size() && child(column);
    case PlanKind::kWindowJoin: return column < plan.children[0]->columns.size() && child(column);
    case PlanKind::kSampleBy: return column == 0 && plan.sample.time_zone.empty() && !descending;
    case PlanKind::kSort: {
      const SortKey& key = plan.sort_keys[0];
      return key.expression->is_column() && key.expression->index == column && key.descending == descending;
    }
    case PlanKind::kUnionAll: {
      // Tables of consecutive weeks, one after the other.
      std::vector<PlanPtr> children = plan.children;
      if (descending) std::reverse(children.begin(), children.end());
      int64_t previous = INT64_MIN;
      for (const PlanPtr& part : children) {
        int64_t min = 0, max = 0;
        if (!is_ordered_by(*part, column, descending) || !timestamp_bounds(*part, column, &min, &max))
          return false;
        if (min > max) continue;
        if (min < previous) return false;
        previous = max;
      }
      return true;
    }
    default: return false;
  }
}

bool is_ascending_by(const LogicalPlan& plan, uint32_t column) { return is_ordered_by(plan, column, false); }

bool is_descending_by(const LogicalPlan& plan, uint32_t column) { return is_ordered_by(plan, column, true); }

bool is_table_time(const LogicalPlan& plan, uint32_t column) {
  switch (plan.kind) {
    case PlanKind::kScan: return is_ascending_by(plan, column);
    case PlanKind::kFilter:
    case PlanKind::kLimit: return is_table_time(*plan.children[0], column);
    case PlanKind::kProject:
      return plan.expressions[column]->is_column() &&
             is_table_time(*plan.children[0], plan.expressions[column]->index);
    case PlanKind::kSampleBy: return is_ascending_by(plan, column);
    case PlanKind::kJoin:
    case PlanKind::kWindowJoin:
      return is_ascending_by(plan, column) && is_table_time(*plan.children[0], column);
    case PlanKind::kUnionAll:
      return is_ascending_by(plan, column) &&
             std::all_of(plan.children.begin(), plan.children.end(),
                         [&](const PlanPtr& child) { return is_table_time(*child, column); });
    default: return false;
  }
}

bool rises_with_time(const BoundExpression& expression, const LogicalPlan& plan) {
  if (expression.is_column()) return is_table_time(plan, expression.index);
  if (expression.kind != BoundKind::kCall || expression.children.size() != 2) return false;
  const std::string& name = expression.function->name;
  if (name != "date_trunc" && name != "timestamp_floor") return false;
  const BoundExpression& time = *expression.children[1];
  return expression.children[0]->is_constant() && !expression.children[0]->value.is_null() &&
         time.is_column() && time.type.id == TypeId::kTimestamp && is_table_time(plan, time.index);
}

}  // namespace idem
