#include "query/plan_builder.h"

#include <algorithm>
#include <set>

#include "common/error.h"
#include "query/asof_join.h"
#include "query/distinct_operator.h"
#include "query/filter_project.h"
#include "query/hash_aggregate.h"
#include "query/hash_join.h"
#include "query/lateral_operators.h"
#include "query/latest_on.h"
#include "query/limit_operator.h"
#include "query/operator_timer.h"
#include "query/plan_order.h"
#include "query/recursive_operator.h"
#include "query/row_source.h"
#include "query/sample_by.h"
#include "query/scan_operator.h"
#include "query/sort_operator.h"
#include "query/window_join.h"
#include "query/window_operator.h"

namespace idem {

namespace {

// The scan's column that is column `column` of `plan`'s output, seen through projections of plain columns and
// filters.
struct ScanColumn {
  const LogicalPlan* scan = nullptr;
  uint32_t column = 0;
};
ScanColumn trace_to_scan(const LogicalPlan& plan, uint32_t column) {
  const LogicalPlan* node = &plan;
  for (;;) {
    switch (node->kind) {
      case PlanKind::kScan: return {node, column};
      case PlanKind::kFilter: break;
      case PlanKind::kProject:
        if (!node->expressions[column]->is_column()) return {};
        column = node->expressions[column]->index;
        break;
      default: return {};
    }
    node = node->children[0].get();
  }
}

// Whether rows that are equal in these columns stand together because they come sorted by them first.
bool is_sorted_by(const LogicalPlan& plan, const std::vector<BoundPtr>& columns) {
  std::set<uint32_t> missing;
  for (const BoundPtr& column : columns) {
    if (!column->is_column()) return false;
    missing.insert(column->index);
  }
  if (missing.size() == 1 &&
      (is_ascending_by(plan, *missing.begin()) || is_descending_by(plan, *missing.begin())))
    return true;
  if (plan.kind != PlanKind::kSort) return false;
  std::set<uint32_t> sorted;
  for (const SortKey& key : plan.sort_keys) {
    if (!key.expression->is_column()) return false;
    if (missing.erase(key.expression->index) == 0 && !sorted.contains(key.expression->index)) return false;
    sorted.insert(key.expression->index);
    if (missing.empty()) return true;
  }
  return false;
}

bool is_negative_constant(const BoundExpression* expression) {
  return expression && expression->is_constant() && !expression->value.is_null() &&
         expression->value.as_int() < 0;
}

}  // namespace

OperatorPtr PlanBuilder::build(const LogicalPlan& plan) { return timed(plan, build_node(plan)); }

OperatorPtr PlanBuilder::timed(const LogicalPlan& plan, OperatorPtr made) {
  if (!profile_ || !made) return made;
  return std::make_unique<TimedOperator>(std::move(made), profile_->of(plan));
}

OperatorPtr PlanBuilder::build_node(const LogicalPlan& plan) {
  const auto child = [&](size_t i) { return build(*plan.children[i]); };
  switch (plan.kind) {
    case PlanKind::kScan: {
      const auto direction =
          plan.backwards ? ScanOperator::Direction::kBackwardsReversed : ScanOperator::Direction::kForwards;
      auto scan = std::make_unique<ScanOperator>(plan, direction);
      scans_[&plan] = scan.get();
      return scan;
    }
    case PlanKind::kVirtualScan: return std::make_unique<VirtualScanOperator>(plan);
    case PlanKind::kTableFunction: return std::make_unique<TableFunctionOperator>(plan);
    case PlanKind::kValues: return std::make_unique<ValuesOperator>(plan);
    case PlanKind::kFilter: return std::make_unique<FilterOperator>(child(0), *plan.expressions[0]);
    case PlanKind::kProject: return std::make_unique<ProjectOperator>(child(0), plan.expressions);
    case PlanKind::kAggregate: {
      OperatorPtr input = child(0);
      const auto scan = scans_.find(plan.children[0].get());
      return std::make_unique<HashAggregateOperator>(plan, std::move(input),
                                                     scan == scans_.end() ? nullptr : scan->second);
    }
    case PlanKind::kSort: return std::make_unique<SortOperator>(plan.sort_keys, column_types(plan), child(0));
    case PlanKind::kLimit: return build_limit(plan);
    case PlanKind::kDistinct: return build_distinct(plan);
    case PlanKind::kUnionAll: {
      std::vector<OperatorPtr> inputs;
      for (size_t i = 0; i < plan.children.size(); ++i) inputs.push_back(child(i));
      return std::make_unique<UnionAllOperator>(std::move(inputs));
    }
    case PlanKind::kSetOperation: return build_set_operation(plan);
    case PlanKind::kSampleBy: return std::make_unique<SampleByOperator>(plan, child(0));
    case PlanKind::kLatestOn: return build_latest_on(plan);
    case PlanKind::kProjectSet: return std::make_unique<ProjectSetOperator>(plan, child(0));
    case PlanKind::kJoin: return build_join(plan);
    case PlanKind::kWindowJoin: {
      OperatorPtr left = child(0);
      return std::make_unique<WindowJoinOperator>(plan, std::move(left), child(1));
    }
    case PlanKind::kMaterialize: {
      const bool is_new = !run_.shared.contains(plan.shared_id);
      if (is_new) {
        run_.shared.try_emplace(plan.shared_id);
        OperatorPtr query = child(0);
        run_.shared[plan.shared_id].query = std::move(query);
      }
      return std::make_unique<SharedRowsOperator>(plan, run_);
    }
    case PlanKind::kRecursive: {
      OperatorPtr first = child(0);
      run_.shared.try_emplace(plan.shared_id);
      return std::make_unique<RecursiveOperator>(plan, run_, std::move(first), child(1));
    }
    case PlanKind::kWorkingTable: return std::make_unique<WorkingTableOperator>(plan, run_);
    case PlanKind::kWindow: return std::make_unique<WindowOperator>(plan, child(0));
  }
  throw sql_error(sqlstate::kInternalError, "unknown kind of plan node");
}

// Distinct rows are groups by all columns.
OperatorPtr PlanBuilder::build_distinct(const LogicalPlan& plan) {
  OperatorPtr input = build(*plan.children[0]);
  if (!plan.distinct_on.empty()) {
    if (is_sorted_by(*plan.children[0], plan.distinct_on))
      return std::make_unique<SortedDistinctOnOperator>(plan, std::move(input));
    return std::make_unique<DistinctOnOperator>(plan, std::move(input));
  }
  auto groups = std::make_unique<LogicalPlan>();
  groups->kind = PlanKind::kAggregate;
  groups->columns = plan.columns;
  groups->children = plan.children;
  for (uint32_t c = 0; c < plan.columns.size(); ++c)
    groups->groups.push_back(BoundExpression::column(c, plan.columns[c].type));
  run_.nodes.push_back(std::move(groups));
  return std::make_unique<HashAggregateOperator>(*run_.nodes.back(), std::move(input), nullptr);
}

// Both sides' rows are grouped by all of their columns and counted; those of the left side have a mark.
OperatorPtr PlanBuilder::build_set_operation(const LogicalPlan& plan) {
  const auto width = static_cast<uint32_t>(plan.columns.size());
  const auto add_node = [&](PlanKind kind, const PlanColumn& last) {
    run_.nodes.push_back(std::make_unique<LogicalPlan>());
    LogicalPlan& node = *run_.nodes.back();
    node.kind = kind;
    node.columns = plan.columns;
    node.columns.push_back(last);
    return &node;
  };
  const PlanColumn mark{"", TypeId::kBoolean};
  std::vector<OperatorPtr> sides;
  for (size_t side = 0; side < 2; ++side) {
    LogicalPlan* marked = add_node(PlanKind::kProject, mark);
    for (uint32_t c = 0; c < width; ++c)
      marked->expressions.push_back(BoundExpression::column(c, plan.columns[c].type));
    marked->expressions.push_back(
        BoundExpression::constant(side == 0 ? Value::of_bool(true) : Value::null(TypeId::kBoolean)));
    sides.push_back(std::make_unique<ProjectOperator>(build(*plan.children[side]), marked->expressions));
  }
  LogicalPlan* counts = add_node(PlanKind::kAggregate, {"", TypeId::kBigInt});
  counts->columns.push_back({"", TypeId::kBigInt});
  auto both = std::make_shared<LogicalPlan>();
  both->kind = PlanKind::kUnionAll;
  both->columns = plan.columns;
  both->columns.push_back(mark);
  counts->children.push_back(std::move(both));
  for (uint32_t c = 0; c < width; ++c)
    counts->groups.push_back(BoundExpression::column(c, plan.columns[c].type));
  for (const bool of_left : {true, false}) {
    BoundAggregate& count = counts->aggregates.emplace_back();
    std::vector<SqlType> types;
    if (of_left) {
      count.arguments.push_back(BoundExpression::column(width, TypeId::kBoolean));
      types.push_back(TypeId::kBoolean);
    }
    const ResolvedAggregate resolved = resolve_aggregate("count", types);
    count.function = resolved.function;
    count.types = resolved.types;
    count.name = "count";
  }
  auto grouped = std::make_unique<HashAggregateOperator>(
      *counts, std::make_unique<UnionAllOperator>(std::move(sides)), nullptr);
  return std::make_unique<SetOperator>(plan, std::move(grouped));
}

OperatorPtr PlanBuilder::build_join(const LogicalPlan& plan) {
  if (!plan.correlated.empty()) return std::make_unique<LateralJoinOperator>(plan, build(*plan.children[0]));
  OperatorPtr left = build(*plan.children[0]);
  std::vector<std::shared_ptr<JoinFilter>> filters;
  for (FilteredScan& found : filtered_scans(plan)) {
    const auto scan = scans_.find(found.scan);
    if (scan == scans_.end()) continue;
    filters.push_back(std::make_shared<JoinFilter>(std::move(found.filter)));
    scan->second->add_join_filter(filters.back());
  }
  OperatorPtr right = build(*plan.children[1]);
  if (plan.join_type == JoinType::kAsof || plan.join_type == JoinType::kLt) {
    return std::make_unique<AsofJoinOperator>(plan, std::move(left), std::move(right));
  }
  auto pairs = std::make_unique<HashJoinOperator>(plan, std::move(left), std::move(right));
  for (auto& filter : filters) pairs->add_filter(std::move(filter));
  if (plan.join_type == JoinType::kRight || plan.join_type == JoinType::kFull) {
    return std::make_unique<OuterJoinOperator>(plan, std::move(pairs));
  }
  return pairs;
}

OperatorPtr PlanBuilder::build_latest_on(const LogicalPlan& plan) {
  const LogicalPlan& child = *plan.children[0];
  if (child.kind == PlanKind::kScan && !child.backwards && child.table->schema->has_timestamp() &&
      child.scan_columns[plan.timestamp_column] ==
          static_cast<uint32_t>(child.table->schema->timestamp_column) &&
      !plan.partition_columns.empty()) {
    auto scan = std::make_unique<ScanOperator>(child, ScanOperator::Direction::kBackwards);
    ScanOperator& rows = *scan;
    return std::make_unique<LatestOnScanOperator>(plan, timed(child, std::move(scan)), rows);
  }
  return std::make_unique<LatestOnOperator>(plan, build(child));
}

OperatorPtr PlanBuilder::build_limit(const LogicalPlan& plan) {
  const LogicalPlan& child = *plan.children[0];
  if (!plan.sort_keys.empty()) return build_top_rows(plan, plan.sort_keys, child);
  if (plan.limit && child.kind == PlanKind::kSort)
    return build_top_rows(plan, child.sort_keys, *child.children[0]);
  if (is_negative_constant(plan.limit.get())) {
    if (OperatorPtr reversed = build_reversed(child)) {
      return std::make_unique<LastRowsOperator>(plan, std::move(reversed), true);
    }
    return std::make_unique<LastRowsOperator>(plan, build(child), false);
  }
  return std::make_unique<LimitOperator>(plan, build(child));
}

OperatorPtr PlanBuilder::build_top_rows(const LogicalPlan& limit, const std::vector<SortKey>& keys,
                                        const LogicalPlan& input) {
  auto top = std::make_unique<TopRowsOperator>(limit, keys, column_types(input), build(input));
  const BoundExpression& first = *keys[0].expression;
  if (!first.is_column()) return top;
  const ScanColumn source = trace_to_scan(input, first.index);
  if (!source.scan || source.scan->scan_columns[source.column] == UINT32_MAX) return top;
  if (auto threshold = top->make_threshold(source.column))
    scans_.at(source.scan)->set_threshold(std::move(threshold));
  return top;
}

OperatorPtr PlanBuilder::build_reversed(const LogicalPlan& plan) {
  switch (plan.kind) {
    case PlanKind::kScan:
      return timed(plan, std::make_unique<ScanOperator>(
                             plan, plan.backwards ? ScanOperator::Direction::kForwards
                                                  : ScanOperator::Direction::kBackwardsReversed));
    case PlanKind::kFilter: {
      OperatorPtr input = build_reversed(*plan.children[0]);
      if (!input) return nullptr;
      return timed(plan, std::make_unique<FilterOperator>(std::move(input), *plan.expressions[0]));
    }
    case PlanKind::kProject: {
      OperatorPtr input = build_reversed(*plan.children[0]);
      if (!input) return nullptr;
      return timed(plan, std::make_unique<ProjectOperator>(std::move(input), plan.expressions));
    }
    default: return nullptr;
  }
}

}  // namespace idem
