#include "query/join_filter.h"

#include "query/cast_registry.h"
#include "query/logical_plan.h"

namespace idem {

namespace {

constexpr uint32_t kNoColumn = UINT32_MAX;

// A key of the join over the output of a node; the column is kNoColumn where it is computed above or below.
struct TracedKey {
  uint32_t column = kNoColumn;
  bool as_it_is = true;  // false: through a cast that keeps the order
};
using TracedKeys = std::vector<TracedKey>;

bool wants_partners(const LogicalPlan& join) {
  switch (join.join_type) {
    case JoinType::kInner:
    case JoinType::kRight:
    case JoinType::kSemi: return join.correlated.empty() && !join.join_keys.empty();
    default: return false;
  }
}

TracedKey trace(const BoundExpression& expression) {
  if (expression.is_column()) return {expression.index, true};
  if (expression.kind != BoundKind::kCall || expression.children.size() != 1 ||
      !is_integer(expression.type.id)) {
    return {};
  }
  const BoundExpression& operand = *expression.children[0];
  const bool widens =
      operand.is_column() && is_integer(operand.type.id) &&
      find_cast(operand.type, expression.type.id, CastContext::kImplicit) == expression.function;
  return widens ? TracedKey{operand.index, false} : TracedKey{};
}

void find_scans(const LogicalPlan& plan, TracedKeys keys, std::vector<FilteredScan>* found) {
  switch (plan.kind) {
    case PlanKind::kScan: {
      FilteredScan scan{&plan, {}};
      scan.filter.has_all_keys = true;
      for (size_t k = 0; k < keys.size(); ++k) {
        const bool is_column = keys[k].column != kNoColumn && plan.scan_columns[keys[k].column] != UINT32_MAX;
        scan.filter.has_all_keys = scan.filter.has_all_keys && is_column && keys[k].as_it_is;
        if (is_column) scan.filter.keys.push_back({k, keys[k].column, plan.scan_columns[keys[k].column]});
      }
      if (!scan.filter.keys.empty()) found->push_back(std::move(scan));
      return;
    }
    case PlanKind::kFilter:
    case PlanKind::kSort: return find_scans(*plan.children[0], std::move(keys), found);
    case PlanKind::kProject:
      for (TracedKey& key : keys) {
        if (key.column == kNoColumn) continue;
        const TracedKey below = trace(*plan.expressions[key.column]);
        key = {below.column, key.as_it_is && below.as_it_is};
      }
      return find_scans(*plan.children[0], std::move(keys), found);
    case PlanKind::kUnionAll:
      for (const auto& child : plan.children) find_scans(*child, keys, found);
      return;
    case PlanKind::kJoin:
      if (plan.join_type == JoinType::kRight || plan.join_type == JoinType::kFull) return;
      for (TracedKey& key : keys) {
        if (key.column != kNoColumn && key.column >= plan.children[0]->columns.size()) key.column = kNoColumn;
      }
      return find_scans(*plan.children[0], std::move(keys), found);
    default: return;
  }
}

}  // namespace

std::vector<FilteredScan> filtered_scans(const LogicalPlan& join) {
  std::vector<FilteredScan> found;
  if (!wants_partners(join)) return found;
  TracedKeys keys;
  for (const auto& [left, right] : join.join_keys) keys.push_back(trace(*left));
  find_scans(*join.children[0], std::move(keys), &found);
  return found;
}

}  // namespace idem
