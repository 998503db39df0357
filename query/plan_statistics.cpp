#include "query/plan_statistics.h"

#include <algorithm>
#include <cmath>

namespace idem {

namespace {

constexpr double kEqualSelectivity = 0.005;
constexpr double kRangeSelectivity = 1.0 / 3;
constexpr double kPatternSelectivity = 0.05;
constexpr double kOtherSelectivity = 0.5;
constexpr double kFunctionRows = 100;
constexpr double kCatalogRows = 200;

// The scan column behind an output column.
struct Origin {
  const LogicalPlan* scan = nullptr;
  uint32_t column = 0;  // of the schema
};

Origin origin_of(const LogicalPlan& plan, uint32_t column) {
  switch (plan.kind) {
    case PlanKind::kScan:
      return plan.scan_columns[column] == UINT32_MAX ? Origin{} : Origin{&plan, plan.scan_columns[column]};
    case PlanKind::kFilter:
    case PlanKind::kSort:
    case PlanKind::kLimit:
    case PlanKind::kLatestOn:
    case PlanKind::kDistinct: return origin_of(*plan.children[0], column);
    case PlanKind::kWindow:
    case PlanKind::kProjectSet:
      return column < plan.children[0]->columns.size() ? origin_of(*plan.children[0], column) : Origin{};
    case PlanKind::kProject:
      return plan.expressions[column]->is_column()
                 ? origin_of(*plan.children[0], plan.expressions[column]->index)
                 : Origin{};
    case PlanKind::kJoin: {
      const size_t left = plan.children[0]->columns.size();
      return column < left ? origin_of(*plan.children[0], column)
                           : origin_of(*plan.children[1], column - static_cast<uint32_t>(left));
    }
    default: return {};
  }
}

double clamp_rows(double rows) { return std::max(1.0, std::round(rows)); }

double join_rows(const LogicalPlan& plan) {
  const double left = estimate_rows(*plan.children[0]), right = estimate_rows(*plan.children[1]);
  double rows = left * right;
  for (const auto& [l, r] : plan.join_keys) {
    const double distinct = std::max(estimate_distinct(*l, *plan.children[0], left),
                                     estimate_distinct(*r, *plan.children[1], right));
    rows /= std::max(1.0, distinct);
  }
  if (plan.join_condition) rows *= estimate_selectivity(*plan.join_condition, plan);
  switch (plan.join_type) {
    case JoinType::kLeft: return std::max(rows, left);
    case JoinType::kRight: return std::max(rows, right);
    case JoinType::kFull: return std::max(rows, left + right);
    case JoinType::kSemi: return std::min(rows, left);
    case JoinType::kAnti: return std::max(1.0, left - std::min(rows, left) / 2);
    case JoinType::kAsof:
    case JoinType::kLt: return left;
    default: return rows;
  }
}

}  // namespace

uint64_t rows_in_range(const TableVersion& table, const ScanRange& range) {
  if (range.min_timestamp == INT64_MIN && range.max_timestamp == INT64_MAX) return table.row_count;
  double rows = 0;
  for (size_t i = 0; i < table.partitions.size(); i++) {
    const Partition& partition = *table.partitions[i];
    if (partition.row_count == 0 || partition.max_timestamp < range.min_timestamp ||
        partition.min_timestamp > range.max_timestamp) {
      continue;
    }
    const double low = static_cast<double>(std::max(partition.min_timestamp, range.min_timestamp));
    const double high = static_cast<double>(std::min(partition.max_timestamp, range.max_timestamp));
    const double span =
        static_cast<double>(partition.max_timestamp) - static_cast<double>(partition.min_timestamp);
    const double part = span <= 0 ? 1 : std::clamp((high - low) / span, 0.0, 1.0);
    rows += std::max(1.0, part * static_cast<double>(partition.row_count));
  }
  return static_cast<uint64_t>(rows);
}

double estimate_distinct(const BoundExpression& expression, const LogicalPlan& input, double rows) {
  if (expression.is_constant() || expression.kind == BoundKind::kSlot) return 1;
  if (expression.type.id == TypeId::kBoolean) return std::min(rows, 2.0);
  if (expression.is_column()) {
    const Origin origin = origin_of(input, expression.index);
    if (origin.scan) {
      const TableSchema& schema = *origin.scan->table->schema;
      const ColumnSchema& column = schema.columns[origin.column];
      if (column.dictionary)
        return std::min(rows, std::max(1.0, static_cast<double>(column.dictionary->size())));
      if (schema.keys_unique && schema.upsert_keys.size() == 1 && schema.upsert_keys[0] == origin.column) {
        return std::max(1.0, static_cast<double>(origin.scan->table->row_count));
      }
    }
  }
  // Half of the rows where columns are keys, tens of them where they are not: in between.
  return std::max(1.0, std::pow(rows, 0.75));
}

double estimate_selectivity(const BoundExpression& e, const LogicalPlan& input) {
  switch (e.kind) {
    case BoundKind::kConstant: return e.value.is_null() || !e.value.as_bool() ? 0 : 1;
    case BoundKind::kAnd: {
      double part = 1;
      for (const BoundPtr& child : e.children) part *= estimate_selectivity(*child, input);
      return part;
    }
    case BoundKind::kOr: {
      double none = 1;
      for (const BoundPtr& child : e.children) none *= 1 - estimate_selectivity(*child, input);
      return 1 - none;
    }
    case BoundKind::kNot: return 1 - estimate_selectivity(*e.children[0], input);
    case BoundKind::kIsNull: return 0.02;
    case BoundKind::kInList: {
      double one = kEqualSelectivity;
      if (e.children[0]->is_column()) {
        const Origin origin = origin_of(input, e.children[0]->index);
        if (origin.scan && origin.scan->table->schema->columns[origin.column].dictionary) {
          one = 1.0 / std::max(1u, origin.scan->table->schema->columns[origin.column].dictionary->size());
        }
      }
      return std::min(1.0, one * static_cast<double>(e.children.size() - 1));
    }
    case BoundKind::kCall: {
      const std::string& name = e.function->name;
      if (name == "=" && e.children.size() == 2) {
        for (const BoundPtr& side : e.children) {
          if (!side->is_column()) continue;
          const Origin origin = origin_of(input, side->index);
          if (origin.scan && origin.scan->table->schema->columns[origin.column].dictionary) {
            return 1.0 / std::max(1u, origin.scan->table->schema->columns[origin.column].dictionary->size());
          }
        }
        return kEqualSelectivity;
      }
      if (name == "<>") return 1 - kEqualSelectivity;
      if (name == "<" || name == "<=" || name == ">" || name == ">=") return kRangeSelectivity;
      if (name == "~~" || name == "~" || name == "~~*" || name == "~*") return kPatternSelectivity;
      return kOtherSelectivity;
    }
    default: return kOtherSelectivity;
  }
}

double estimate_rows(const LogicalPlan& plan) {
  switch (plan.kind) {
    case PlanKind::kScan: {
      double rows = static_cast<double>(rows_in_range(*plan.table, plan.scan_range));
      if (plan.scan_filter) rows *= estimate_selectivity(*plan.scan_filter, plan);
      if (plan.limit_hint) rows = std::min(rows, static_cast<double>(*plan.limit_hint));
      return clamp_rows(rows);
    }
    case PlanKind::kVirtualScan: return kCatalogRows;
    case PlanKind::kTableFunction: return kFunctionRows;
    case PlanKind::kWorkingTable: return kFunctionRows;
    case PlanKind::kValues: return static_cast<double>(plan.rows.size());
    case PlanKind::kFilter:
      return clamp_rows(estimate_rows(*plan.children[0]) *
                        estimate_selectivity(*plan.expressions[0], *plan.children[0]));
    case PlanKind::kProject:
    case PlanKind::kSort:
    case PlanKind::kWindow:
    case PlanKind::kWindowJoin:
    case PlanKind::kMaterialize: return estimate_rows(*plan.children[0]);
    case PlanKind::kProjectSet: return estimate_rows(*plan.children[0]) * 10;
    case PlanKind::kAggregate: {
      const double rows = estimate_rows(*plan.children[0]);
      double groups = 1;
      for (const BoundPtr& group : plan.groups) groups *= estimate_distinct(*group, *plan.children[0], rows);
      return clamp_rows(std::min(rows, groups) *
                        static_cast<double>(std::max<size_t>(1, plan.grouping_sets.size())));
    }
    case PlanKind::kSampleBy: return clamp_rows(estimate_rows(*plan.children[0]) / 10);
    case PlanKind::kLatestOn: {
      const double rows = estimate_rows(*plan.children[0]);
      double keys = 1;
      for (uint32_t column : plan.partition_columns) {
        keys *= estimate_distinct(*BoundExpression::column(column, plan.columns[column].type),
                                  *plan.children[0], rows);
      }
      return clamp_rows(std::min(rows, keys));
    }
    case PlanKind::kJoin: return clamp_rows(join_rows(plan));
    case PlanKind::kLimit: {
      double rows = estimate_rows(*plan.children[0]);
      if (plan.limit && plan.limit->is_constant() && !plan.limit->value.is_null()) {
        rows = std::min(rows, std::abs(static_cast<double>(plan.limit->value.as_int())));
      }
      return rows;
    }
    case PlanKind::kDistinct: return clamp_rows(estimate_rows(*plan.children[0]) / 5);
    case PlanKind::kUnionAll:
    case PlanKind::kRecursive: {
      double rows = 0;
      for (const auto& child : plan.children) rows += estimate_rows(*child);
      return plan.kind == PlanKind::kRecursive ? rows * 10 : rows;
    }
    case PlanKind::kSetOperation: return estimate_rows(*plan.children[0]);
  }
  return 1;
}

uint32_t row_width(const LogicalPlan& plan) {
  uint32_t width = 0;
  for (const PlanColumn& column : plan.columns) {
    const PhysicalType physical = physical_type(column.type);
    constexpr uint32_t kTextWidth = 32;
    width += physical == PhysicalType::kString ? kTextWidth : static_cast<uint32_t>(physical_size(physical));
  }
  return width;
}

}  // namespace idem
