#include "query/explain.h"

#include <fmt/format.h>
#include <set>

#include "common/timestamp_text.h"
#include "query/plan_statistics.h"
#include "query/plan_walk.h"
#include "storage/table_scan.h"

namespace idem {

namespace {

std::string timestamp_text(int64_t micros) {
  char text[kMaxTimestampText];
  return std::string(text, format_timestamp(text, micros));
}

std::string range_text(const ScanRange& range) {
  if (range.min_timestamp > range.max_timestamp) return "nothing";
  if (range.min_timestamp == range.max_timestamp) return timestamp_text(range.min_timestamp);
  std::string text;
  if (range.min_timestamp != INT64_MIN) text = "from " + timestamp_text(range.min_timestamp);
  if (range.max_timestamp != INT64_MAX)
    text += (text.empty() ? "to " : " to ") + timestamp_text(range.max_timestamp);
  return text;
}

// "Left", as PostgreSQL's "Join Type"; empty for time-series joins.
std::string_view join_type_name(JoinType type) {
  switch (type) {
    case JoinType::kInner:
    case JoinType::kCross: return "Inner";
    case JoinType::kLeft: return "Left";
    case JoinType::kRight: return "Right";
    case JoinType::kFull: return "Full";
    case JoinType::kSemi: return "Semi";
    case JoinType::kAnti: return "Anti";
    case JoinType::kAsof:
    case JoinType::kLt: return "";
  }
  return "";
}

void name_join(const LogicalPlan& plan, ExplainedNode& node) {
  const std::string_view type = join_type_name(plan.join_type);
  if (type.empty()) {
    node.type = plan.join_type == JoinType::kAsof ? "ASOF Join" : "LT Join";
    return;
  }
  const std::string_view method = plan.join_keys.empty() ? "Nested Loop" : "Hash";
  node.type = plan.join_keys.empty() ? "Nested Loop" : "Hash Join";
  node.title = type == "Inner" ? node.type : fmt::format("{} {} Join", method, type);
  node.attributes.emplace_back("Join Type", type);
}

void name_scan(const LogicalPlan& plan, ExplainedNode& node) {
  const TableSchema& schema = *plan.table->schema;
  const std::string name =
      schema.schema_name == "public" ? schema.name : schema.schema_name + "." + schema.name;
  node.type = "Seq Scan";
  node.title = fmt::format("Seq Scan{} on {}", plan.backwards ? " Backward" : "", name);
  node.attributes = {{"Scan Direction", plan.backwards ? "Backward" : "Forward"},
                     {"Relation Name", schema.name},
                     {"Schema", schema.schema_name}};
}

std::string type_of_other(const LogicalPlan& plan) {
  switch (plan.kind) {
    case PlanKind::kScan:
    case PlanKind::kJoin:
    case PlanKind::kTableFunction:
    case PlanKind::kSetOperation:
    case PlanKind::kMaterialize: break;
    case PlanKind::kVirtualScan: return "System Scan";
    case PlanKind::kValues: return plan.rows.size() == 1 ? "Result" : "Values Scan";
    case PlanKind::kFilter: return "Filter";
    case PlanKind::kProject: return "Projection";
    case PlanKind::kProjectSet: return "ProjectSet";
    case PlanKind::kAggregate:
      return plan.grouping_sets.empty() ? (plan.groups.empty() ? "Aggregate" : "HashAggregate")
                                        : "MixedAggregate";
    case PlanKind::kSampleBy: return "Sample By";
    case PlanKind::kLatestOn: return "Latest On";
    case PlanKind::kWindowJoin: return "Window Join";
    case PlanKind::kSort: return "Sort";
    case PlanKind::kLimit: return plan.sort_keys.empty() ? "Limit" : "Top-N";
    case PlanKind::kDistinct: return "Unique";
    case PlanKind::kUnionAll: return "Append";
    case PlanKind::kWindow: return "WindowAgg";
    case PlanKind::kRecursive: return "Recursive Union";
    case PlanKind::kWorkingTable: return "WorkTable Scan";
  }
  return "";
}

// Sets title, type and attributes.
void name_node(const LogicalPlan& plan, ExplainedNode& node) {
  switch (plan.kind) {
    case PlanKind::kScan: name_scan(plan, node); break;
    case PlanKind::kJoin: name_join(plan, node); break;
    case PlanKind::kTableFunction:
      node.type = "Function Scan";
      node.title = "Function Scan on " + plan.table_function->name;
      node.attributes.emplace_back("Function Name", plan.table_function->name);
      break;
    case PlanKind::kSetOperation: {
      const std::string command =
          fmt::format("{}{}", plan.set_except ? "Except" : "Intersect", plan.set_all ? " All" : "");
      node.type = "SetOp";
      node.title = "SetOp " + command;
      node.attributes.emplace_back("Command", command);
      break;
    }
    case PlanKind::kMaterialize:
      node.type = "CTE";
      node.title = fmt::format("CTE {}", plan.shared_id);
      node.attributes.emplace_back("Subplan Name", node.title);
      break;
    default: node.type = type_of_other(plan);
  }
  if (node.title.empty()) node.title = node.type;
}

std::string_view fill_name(SampleSpec::Fill fill) {
  switch (fill) {
    case SampleSpec::Fill::kNone: return "none";
    case SampleSpec::Fill::kNull: return "null";
    case SampleSpec::Fill::kPrev: return "prev";
    case SampleSpec::Fill::kLinear: return "linear";
    case SampleSpec::Fill::kValue: return "value";
  }
  return "";
}

std::string time_window_text(const LogicalPlan::TimeWindow& window) {
  const auto bound = [](int64_t offset) {
    if (offset == INT64_MIN || offset == INT64_MAX) return std::string("unbounded");
    return fmt::format("{:+} us", offset);
  };
  return fmt::format("{} to {}{}", bound(window.start), bound(window.end),
                     window.prevailing ? " and the row before" : "");
}

// Describes a plan, which outlives it.
class Explainer {
 public:
  Explainer(bool verbose, const QueryProfile* profile) : verbose_(verbose), profile_(profile) {}

  ExplainedNode explain(const BoundQuery& query) {
    ExplainedNode node = explain(*query.plan);
    int number = 0;
    for (const auto& [slot, plan] : query.init_plans) {
      node.inputs.push_back(explain(*plan));
      node.inputs.back().relation = fmt::format("InitPlan {} (returns ${})", ++number, slot + 1);
    }
    return node;
  }

  ExplainedNode explain(const LogicalPlan& plan) {
    ExplainedNode node;
    name_node(plan, node);
    node.rows = estimate_rows(plan);
    node.cost = cost(plan);
    node.width = row_width(plan);
    node.done = profile_ ? profile_->find(plan) : nullptr;
    node_ = &node;
    add_details(plan);
    if (plan.kind == PlanKind::kMaterialize && !shown_.insert(plan.shared_id).second) return node;
    for (const auto& child : plan.children) node.inputs.push_back(explain(*child));
    add_subplans(plan, node);
    return node;
  }

 private:
  void detail(std::string_view label, std::string text) {
    if (!text.empty()) node_->details.push_back({std::string(label), {std::move(text)}});
  }
  template <class List, class Text>
  void details(std::string_view label, const List& list, Text&& text) {
    ExplainedDetail detail{std::string(label), {}, true};
    for (const auto& item : list) {
      std::string shown(text(item));
      if (!shown.empty()) detail.items.push_back(std::move(shown));  // the position of a row has no name
    }
    if (!detail.items.empty()) node_->details.push_back(std::move(detail));
  }

  static std::vector<std::string> names(const std::vector<PlanColumn>& columns) {
    std::vector<std::string> result;
    for (const PlanColumn& column : columns) result.push_back(column.name);
    return result;
  }
  static std::vector<std::string> input_names(const LogicalPlan& plan) {
    std::vector<std::string> result;
    for (const auto& child : plan.children) {
      for (const PlanColumn& column : child->columns) result.push_back(column.name);
      if (plan.kind != PlanKind::kJoin && plan.kind != PlanKind::kWindowJoin) break;
    }
    return result;
  }

  template <class List, class Text>
  static std::string join(const List& list, Text&& text) {
    std::string result;
    for (const auto& item : list) {
      if (!result.empty()) result += ", ";
      result += text(item);
    }
    return result;
  }

  static std::string key_text(const SortKey& key, const std::vector<std::string>& columns) {
    std::string text = expression_text(*key.expression, columns);
    if (key.descending) text += " DESC";
    if (key.nulls_first != key.descending) text += key.nulls_first ? " NULLS FIRST" : " NULLS LAST";
    return text;
  }

  static std::string aggregate_text(const BoundAggregate& a, const std::vector<std::string>& columns) {
    std::string text = a.name + "(" + (a.distinct ? "DISTINCT " : "");
    text += a.arguments.empty()
                ? "*"
                : join(a.arguments, [&](const BoundPtr& e) { return expression_text(*e, columns); });
    if (!a.order_by.empty()) {
      text += " ORDER BY " + join(a.order_by, [&](const BoundAggregate::Order& o) {
                return expression_text(*o.expression, columns) + (o.descending ? " DESC" : "");
              });
    }
    text += ")";
    if (a.filter) text += " FILTER (WHERE " + expression_text(*a.filter, columns) + ")";
    return text;
  }

  void add_scan(const LogicalPlan& plan) {
    const std::vector<std::string> output = names(plan.columns);
    details("Columns", output, [](const std::string& n) { return n.empty() ? "(position)" : n; });
    if (output.empty()) detail("Columns", "none");
    detail("Time Range", range_text(plan.scan_range));
    if (plan.table->schema->has_timestamp()) {
      const ScanPlan scan = plan_scan(*plan.table, plan.scan_range, plan.scan_bounds);
      detail("Partitions", fmt::format("{} of {}", scan.partitions_read, scan.partitions_total));
    }
    if (plan.scan_filter) detail("Filter", expression_text(*plan.scan_filter, output));
    if (plan.limit_hint) detail("Stop After", fmt::format("{} rows", *plan.limit_hint));
    if (!verbose_) return;
    const auto column_name = [&](const auto& bound) {
      return plan.table->schema->columns[bound.column].name;
    };
    details("Bounds On", plan.scan_bounds, column_name);
    details("Dynamic Bounds On", plan.dynamic_bounds, column_name);
  }

  void add_sample(const LogicalPlan& plan, const std::vector<std::string>& input) {
    const SampleSpec& spec = plan.sample;
    detail("Bucket", fmt::format("{}{}{}{}", spec.count, spec.unit,
                                 spec.align_to_calendar ? "" : " from first observation",
                                 spec.time_zone.empty() ? "" : " in " + spec.time_zone));
    detail("Timestamp", expression_text(*plan.sample_timestamp, input));
    details("Fill", spec.fill, fill_name);
  }

  void add_details(const LogicalPlan& plan) {
    const std::vector<std::string> input = input_names(plan);
    const auto text = [&](const BoundPtr& e) { return expression_text(*e, input); };
    switch (plan.kind) {
      case PlanKind::kScan: add_scan(plan); break;
      case PlanKind::kTableFunction:
      case PlanKind::kVirtualScan:
        details("Columns", plan.columns, [](const PlanColumn& c) { return c.name; });
        details("Arguments", plan.expressions, text);
        break;
      case PlanKind::kValues:
        if (plan.rows.size() == 1) details("Output", plan.rows[0], text);
        break;
      case PlanKind::kFilter: detail("Filter", text(plan.expressions[0])); break;
      case PlanKind::kProject: details("Output", plan.expressions, text); break;
      case PlanKind::kProjectSet:
        details("Functions", plan.set_calls, [&](const SetCall& call) {
          return call.function->name + "(" + join(call.arguments, text) + ")";
        });
        break;
      case PlanKind::kSampleBy: add_sample(plan, input); [[fallthrough]];
      case PlanKind::kAggregate:
        details("Group Key", plan.groups, text);
        for (const auto& set : plan.grouping_sets) {
          detail("Grouping Set",
                 "(" + join(set, [&](uint32_t group) { return text(plan.groups[group]); }) + ")");
        }
        details("Aggregates", plan.aggregates,
                [&](const BoundAggregate& a) { return aggregate_text(a, input); });
        break;
      case PlanKind::kLatestOn:
        detail("Timestamp", input[plan.timestamp_column]);
        details("Partition By", plan.partition_columns, [&](uint32_t column) { return input[column]; });
        break;
      case PlanKind::kJoin: add_join(plan, input); break;
      case PlanKind::kWindowJoin:
        add_join(plan, input);
        detail("Window", time_window_text(plan.time_window));
        details("Aggregates", plan.aggregates,
                [&](const BoundAggregate& a) { return aggregate_text(a, input); });
        break;
      case PlanKind::kSort:
      case PlanKind::kLimit:
        details("Sort Key", plan.sort_keys, [&](const SortKey& key) { return key_text(key, input); });
        if (plan.limit) detail("Limit", text(plan.limit));
        if (plan.offset) detail("Offset", text(plan.offset));
        break;
      case PlanKind::kDistinct: details("On", plan.distinct_on, text); break;
      case PlanKind::kWindow:
        for (const LogicalPlan::Window& window : plan.windows) add_window(window, input);
        if (plan.limit_hint) detail("Rows of Each Partition", std::to_string(*plan.limit_hint));
        break;
      default: break;
    }
  }

  void add_join(const LogicalPlan& plan, const std::vector<std::string>& input) {
    const std::vector<std::string> left = names(plan.children[0]->columns),
                                   right = names(plan.children[1]->columns);
    details("Keys", plan.join_keys, [&](const auto& key) {
      return expression_text(*key.first, left) + " = " + expression_text(*key.second, right);
    });
    if (plan.join_condition) detail("Join Filter", expression_text(*plan.join_condition, input));
    details("Lateral", plan.correlated, [&](const auto& c) {
      return fmt::format("${} = {}", c.first + 1, expression_text(*c.second, left));
    });
    if (plan.tolerance_micros) detail("Tolerance", fmt::format("{} us", *plan.tolerance_micros));
  }

  void add_window(const LogicalPlan::Window& window, const std::vector<std::string>& input) {
    const auto text = [&](const BoundPtr& e) { return expression_text(*e, input); };
    std::string line = window.aggregate.function
                           ? aggregate_text(window.aggregate, input)
                           : window.function_name + "(" + join(window.arguments, text) + ")";
    line += " OVER (";
    if (!window.partition_by.empty()) line += "PARTITION BY " + join(window.partition_by, text);
    if (!window.order_by.empty()) {
      if (!window.partition_by.empty()) line += " ";
      line += "ORDER BY " + join(window.order_by, [&](const SortKey& key) { return key_text(key, input); });
    }
    detail("Window", line + ")");
  }

  // Plans of subqueries in the node's expressions.
  void add_subplans(const LogicalPlan& plan, ExplainedNode& node) {
    for_each_expression(const_cast<LogicalPlan&>(plan), [&](BoundPtr& e) {
      for_each_part(*e, [&](BoundExpression& part) {
        if (!part.subquery) return;
        node.inputs.push_back(explain(*part.subquery));
        node.inputs.back().relation = "SubPlan";
      });
    });
  }

  // A figure that grows with the rows that are read, for planners that compare plans (postgres_fdw).
  static double cost(const LogicalPlan& plan) {
    constexpr double kRowCost = 0.01;
    double rows = plan.kind == PlanKind::kScan
                      ? static_cast<double>(rows_in_range(*plan.table, plan.scan_range))
                      : estimate_rows(plan);
    double total = rows * kRowCost;
    for (const auto& child : plan.children) total += cost(*child);
    return total;
  }

  const bool verbose_;
  const QueryProfile* const profile_;
  ExplainedNode* node_ = nullptr;  // whose details are being added
  std::set<uint32_t> shown_;
};

}  // namespace

ExplainedNode explain(const BoundQuery& query, bool verbose, const QueryProfile* profile) {
  return Explainer(verbose, profile).explain(query);
}

ExplainedNode explain(const LogicalPlan& plan, bool verbose) {
  return Explainer(verbose, nullptr).explain(plan);
}

ExplainedNode explain(const ExplainedWrite& write, bool verbose, const QueryProfile* profile) {
  ExplainedNode node;
  node.title = write.title;
  node.type = "ModifyTable";
  node.attributes.emplace_back("Operation", write.title.substr(0, write.title.find(' ')));
  if (write.query) {
    node.inputs.push_back(explain(*write.query, verbose, profile));
    node.cost = node.inputs[0].cost;
  } else {
    node.details.push_back({"", {write.without_query}});
  }
  return node;
}

}  // namespace idem
