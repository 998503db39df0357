#include <algorithm>
#include <set>

#include "query/plan_walk.h"
#include "query/query_binder.h"
#include "query/query_columns.h"
#include "query/stored_query.h"

namespace idem {

namespace binding {

namespace {

bool reads_clock(BoundExpression& expression) {
  bool found = false;
  for_each_part(expression, [&](BoundExpression& part) {
    if (part.kind != BoundKind::kCall || !part.function) return;
    const Volatility volatility = part.function->volatility;
    found |=
        volatility == Volatility::kVolatile || (volatility == Volatility::kStable && part.children.empty());
  });
  return found;
}

// What a query reads, also in subqueries.
struct Reads {
  std::vector<const LogicalPlan*> scans;
  bool clock = false;

  void add(const PlanPtr& plan) {
    for_each_node(plan, [&](const PlanPtr& node) {
      if (node->kind == PlanKind::kScan) scans.push_back(node.get());
      if (node->kind == PlanKind::kVirtualScan) clock = true;
      for_each_expression(*node, [&](BoundPtr& e) { clock |= reads_clock(*e); });
    });
  }
  std::set<TableId> tables() const {
    std::set<TableId> ids;
    for (const LogicalPlan* scan : scans) ids.insert(scan->table->schema->id);
    return ids;
  }
};

bool is_plain_sampling(const SampleSpec& spec) {
  return spec.align_to_calendar && !spec.from && !spec.to && spec.fill.empty();
}

// The way of a query's timestamp down to the tables that it comes from.
struct SampledPlan {
  SampledTables result;
  std::set<const LogicalPlan*> scans;
  LogicalPlan* sampling = nullptr;  // the node that makes buckets; null: none does
};

bool follow_time(LogicalPlan& node, uint32_t column, SampledPlan* found);

bool follow_sample_by(LogicalPlan& node, uint32_t column, SampledPlan* found) {
  if (found->sampling || column != 0 || !is_plain_sampling(node.sample) ||
      !node.sample_timestamp->is_column())
    return false;
  found->sampling = &node;
  found->result.buckets = node.sample;
  return follow_time(*node.children[0], node.sample_timestamp->index, found);
}

// Each row of the side that gives the time meets rows of the other, whatever stands beside it.
bool follow_join(LogicalPlan& node, uint32_t column, SampledPlan* found) {
  const auto left_width = static_cast<uint32_t>(node.children[0]->columns.size());
  const bool by_left = node.join_type != JoinType::kRight && node.join_type != JoinType::kFull;
  if (column < left_width) return by_left && follow_time(*node.children[0], column, found);
  const bool by_right =
      node.correlated.empty() && (node.join_type == JoinType::kInner || node.join_type == JoinType::kCross);
  return by_right && follow_time(*node.children[1], column - left_width, found);
}

// Whether the rows of the node come from those of tables with the same time. SAMPLE BY may stand above everything but projections,
// filters and orders.
bool follow_time(LogicalPlan& node, uint32_t column, SampledPlan* found) {
  switch (node.kind) {
    case PlanKind::kFilter:
    case PlanKind::kSort: return follow_time(*node.children[0], column, found);
    case PlanKind::kProject:
      return node.expressions[column]->is_column() &&
             follow_time(*node.children[0], node.expressions[column]->index, found);
    case PlanKind::kSampleBy: return follow_sample_by(node, column, found);
    case PlanKind::kJoin: {
      const LogicalPlan* sampling = found->sampling;
      return follow_join(node, column, found) && found->sampling == sampling;
    }
    case PlanKind::kUnionAll: {
      const LogicalPlan* sampling = found->sampling;
      return std::all_of(node.children.begin(), node.children.end(),
                         [&](const PlanPtr& child) { return follow_time(*child, column, found); }) &&
             found->sampling == sampling;
    }
    case PlanKind::kScan: {
      const TableSchema& schema = *node.table->schema;
      if (!schema.has_timestamp() ||
          node.scan_columns[column] != static_cast<uint32_t>(schema.timestamp_column))
        return false;
      found->scans.insert(&node);
      found->result.tables.insert(schema.id);
      found->result.partition_by = schema.partition_by;
      return true;
    }
    default: return false;
  }
}

std::optional<SampledPlan> find_sampled_tables(LogicalPlan& plan, int timestamp, const Reads& reads) {
  SampledPlan found;
  if (timestamp < 0 || reads.clock || !follow_time(plan, static_cast<uint32_t>(timestamp), &found))
    return std::nullopt;
  for (const LogicalPlan* scan : reads.scans) {
    if (!found.scans.contains(scan) && found.result.tables.contains(scan->table->schema->id))
      return std::nullopt;
  }
  return found;
}

// Leaves the rows of a plan whose column is within these times.
PlanPtr keep_times(QueryBinder& binder, PlanPtr plan, uint32_t column, const TimeRange& within) {
  const SqlType type = plan->columns[column].type;
  const auto compared = [&](std::string_view symbol, int64_t micros) {
    std::vector<BoundPtr> sides;
    sides.push_back(BoundExpression::column(column, type));
    sides.push_back(BoundExpression::constant(Value::of_int(type, micros)));
    return binder.call_operator(symbol, std::move(sides), 0);
  };
  std::vector<BoundPtr> bounds;
  bounds.push_back(compared(">=", within.min));
  bounds.push_back(compared("<=", within.max));
  PlanPtr filter = make_node(PlanKind::kFilter, std::move(plan));
  filter->expressions.push_back(QueryBinder::make_and(std::move(bounds)));
  return filter;
}

}  // namespace

}  // namespace binding

using namespace binding;

StoredQuery bind_stored_query(const ViewSchema& view, const NameResolver& names, const TimeRange* within) {
  ParameterTypes none;
  QueryBinder binder(names, none, true);
  QueryResult result = binder.bind_view_text(view);
  StoredQuery stored;
  stored.timestamp = result.timestamp;
  Reads reads;
  reads.add(result.plan);
  for (const auto& [slot, plan] : binder.init_plans()) reads.add(plan);
  const std::set<TableId> tables = reads.tables();
  stored.sources.assign(tables.begin(), tables.end());
  stored.reads_clock = reads.clock;
  const std::optional<SampledPlan> sampled = find_sampled_tables(*result.plan, result.timestamp, reads);
  if (sampled) stored.sampled = sampled->result;
  if (within && sampled->sampling) {
    LogicalPlan& sampling = *sampled->sampling;
    const uint32_t column = sampling.sample_timestamp->index;
    sampling.children[0] = keep_times(binder, std::move(sampling.children[0]), column, *within);
  } else if (within) {
    result.plan =
        keep_times(binder, std::move(result.plan), static_cast<uint32_t>(result.timestamp), *within);
  }
  stored.query = binder.finish(std::move(result.plan));
  return stored;
}

bool gives_columns(const StoredQuery& query, const TableSchema& table) {
  const std::vector<PlanColumn>& now = query.query.plan->columns;
  return now.size() >= table.columns.size() &&
         std::equal(table.columns.begin(), table.columns.end(), now.begin(),
                    [](const ColumnSchema& column, const PlanColumn& given) {
                      return column.type == stored_type(given.type);
                    });
}

BoundQuery bind_stored_rows(std::shared_ptr<const TableVersion> table, const NameResolver& names,
                            const TimeRange* within) {
  ParameterTypes none;
  QueryBinder binder(names, none, true);
  const int timestamp = table->schema->timestamp_column;
  PlanPtr plan = binder.scan_source(std::move(table), "", "").plan;
  plan->scan_columns.insert(plan->scan_columns.begin(), UINT32_MAX);
  plan->columns.insert(plan->columns.begin(), PlanColumn{"", TypeId::kBigInt});
  if (within) plan = keep_times(binder, std::move(plan), static_cast<uint32_t>(timestamp + 1), *within);
  return binder.finish(std::move(plan));
}

}  // namespace idem
