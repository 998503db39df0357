#include <algorithm>
#include <map>
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
  std::map<uint32_t, int> readers;  // of each WITH query
  bool clock = false;

  void add(const PlanPtr& plan) {
    for_each_node(plan, [&](const PlanPtr& node) {
      if (node->kind == PlanKind::kScan) scans.push_back(node.get());
      if (node->kind == PlanKind::kMaterialize) ++readers[node->shared_id];
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
class TimeTracer {
 public:
  TimeTracer(QueryBinder& binder, const Reads& reads) : binder_(binder), reads_(reads) {}

  // Whether the rows of the node come from those of tables with the same time, or with a time in its bucket. Buckets may be made
  // above everything but groups, projections, filters and orders.
  bool follow(LogicalPlan& node, uint32_t column);
  // Whether nothing else that the query reads is one of these tables.
  bool is_only_reader() const;

  SampledTables result;
  LogicalPlan* sampling = nullptr;  // the node that makes buckets; null: none does
  uint32_t sampled_column = 0;      // of that node's input

 private:
  bool follow_buckets(LogicalPlan& node, uint32_t column);
  bool follow_value(LogicalPlan& node, const BoundExpression& value);
  bool follow_sample_by(LogicalPlan& node, uint32_t column);
  bool follow_join(LogicalPlan& node, uint32_t column);
  bool follow_scan(const LogicalPlan& node, uint32_t column);
  std::optional<uint32_t> bucketed_column(const BoundExpression& value);

  QueryBinder& binder_;
  const Reads& reads_;
  std::set<const LogicalPlan*> scans_;
};

bool TimeTracer::follow_buckets(LogicalPlan& node, uint32_t column) {
  sampling = &node;
  sampled_column = column;
  return follow(*node.children[0], column);
}

bool TimeTracer::follow_sample_by(LogicalPlan& node, uint32_t column) {
  if (sampling || column != 0 || !is_plain_sampling(node.sample) || !node.sample_timestamp->is_column())
    return false;
  result.buckets = node.sample;
  return follow_buckets(node, node.sample_timestamp->index);
}

// The column of date_trunc('hour', column) and of other functions that never fall as time goes on.
std::optional<uint32_t> TimeTracer::bucketed_column(const BoundExpression& value) {
  static constexpr std::string_view kNames[] = {"date_trunc", "timestamp_floor", "date_bin", "time_bucket"};
  if (value.kind != BoundKind::kCall || !is_timestamp(value.type.id) ||
      std::find(std::begin(kNames), std::end(kNames), value.function->name) == std::end(kNames))
    return std::nullopt;
  std::optional<uint32_t> column;
  for (const BoundPtr& argument : value.children) {
    if (argument->is_column() && !column) {
      column = argument->index;
      continue;
    }
    const std::optional<Value> constant = binder_.constant_value(*argument);
    if (!constant || constant->is_null()) return std::nullopt;
  }
  return column;
}

bool TimeTracer::follow_value(LogicalPlan& node, const BoundExpression& value) {
  if (value.is_column()) return follow(*node.children[0], value.index);
  const std::optional<uint32_t> column = sampling ? std::nullopt : bucketed_column(value);
  if (!column) return false;
  BoundPtr bucket = value.clone();
  for (BoundPtr& argument : bucket->children) {
    if (argument->is_column()) argument->index = 0;
  }
  result.bucket = std::move(bucket);
  return follow_buckets(node, *column);
}

// Each row of the side that gives the time meets rows of the other, whatever stands beside it.
bool TimeTracer::follow_join(LogicalPlan& node, uint32_t column) {
  const auto left_width = static_cast<uint32_t>(node.children[0]->columns.size());
  const bool by_left = node.join_type != JoinType::kRight && node.join_type != JoinType::kFull;
  if (column < left_width) return by_left && follow(*node.children[0], column);
  const bool by_right =
      node.correlated.empty() && (node.join_type == JoinType::kInner || node.join_type == JoinType::kCross);
  return by_right && follow(*node.children[1], column - left_width);
}

bool TimeTracer::follow_scan(const LogicalPlan& node, uint32_t column) {
  const TableSchema& schema = *node.table->schema;
  if (!schema.has_timestamp() || node.scan_columns[column] != static_cast<uint32_t>(schema.timestamp_column))
    return false;
  scans_.insert(&node);
  result.tables.insert(schema.id);
  result.partition_by = schema.partition_by;
  return true;
}

bool TimeTracer::follow(LogicalPlan& node, uint32_t column) {
  const LogicalPlan* const sampling_above = sampling;
  switch (node.kind) {
    case PlanKind::kFilter:
    case PlanKind::kSort: return follow(*node.children[0], column);
    case PlanKind::kDistinct: return node.distinct_on.empty() && follow(*node.children[0], column);
    case PlanKind::kMaterialize:
      return reads_.readers.at(node.shared_id) == 1 && follow(*node.children[0], column);
    case PlanKind::kProject: return follow_value(node, *node.expressions[column]);
    case PlanKind::kAggregate:
      return node.grouping_sets.empty() && column < node.groups.size() &&
             follow_value(node, *node.groups[column]);
    case PlanKind::kSampleBy: return follow_sample_by(node, column);
    case PlanKind::kJoin: return follow_join(node, column) && sampling == sampling_above;
    case PlanKind::kUnionAll:
      return std::all_of(node.children.begin(), node.children.end(),
                         [&](const PlanPtr& child) { return follow(*child, column); }) &&
             sampling == sampling_above;
    case PlanKind::kScan: return follow_scan(node, column);
    default: return false;
  }
}

bool TimeTracer::is_only_reader() const {
  return std::none_of(reads_.scans.begin(), reads_.scans.end(), [&](const LogicalPlan* scan) {
    return !scans_.contains(scan) && result.tables.contains(scan->table->schema->id);
  });
}

// The designated timestamp of a query, or where it has none the first of its columns that comes from the time of tables.
std::optional<TimeTracer> trace_time(QueryBinder& binder, const QueryResult& query, const Reads& reads,
                                     int* timestamp) {
  if (reads.clock) return std::nullopt;
  for (size_t i = 0; i < query.visible; ++i) {
    const int column = static_cast<int>(i);
    if (*timestamp >= 0 ? column != *timestamp : !is_timestamp(query.plan->columns[i].type.id)) continue;
    TimeTracer tracer(binder, reads);
    if (!tracer.follow(*query.plan, static_cast<uint32_t>(i)) || !tracer.is_only_reader()) continue;
    *timestamp = column;
    return tracer;
  }
  return std::nullopt;
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
  binder.bind_views_whole();
  QueryResult result = binder.bind_view_text(view);
  StoredQuery stored;
  stored.timestamp = result.timestamp;
  Reads reads;
  reads.add(result.plan);
  for (const auto& [slot, plan] : binder.init_plans()) reads.add(plan);
  const std::set<TableId> tables = reads.tables();
  stored.sources.assign(tables.begin(), tables.end());
  stored.reads_clock = reads.clock;
  const std::optional<TimeTracer> traced = trace_time(binder, result, reads, &stored.timestamp);
  if (traced) stored.sampled = traced->result;
  if (within && traced->sampling) {
    PlanPtr& input = traced->sampling->children[0];
    input = keep_times(binder, std::move(input), traced->sampled_column, *within);
  } else if (within) {
    result.plan =
        keep_times(binder, std::move(result.plan), static_cast<uint32_t>(stored.timestamp), *within);
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
