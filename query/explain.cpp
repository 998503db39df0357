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

std::string_view join_name(const LogicalPlan& plan) {
  const bool hashed = !plan.join_keys.empty();
  switch (plan.join_type) {
    case JoinType::kInner: return hashed ? "Hash Join" : "Nested Loop";
    case JoinType::kCross: return "Nested Loop";
    case JoinType::kLeft: return hashed ? "Hash Left Join" : "Nested Loop Left Join";
    case JoinType::kRight: return hashed ? "Hash Right Join" : "Nested Loop Right Join";
    case JoinType::kFull: return hashed ? "Hash Full Join" : "Nested Loop Full Join";
    case JoinType::kSemi: return hashed ? "Hash Semi Join" : "Nested Loop Semi Join";
    case JoinType::kAnti: return hashed ? "Hash Anti Join" : "Nested Loop Anti Join";
    case JoinType::kAsof: return "ASOF Join";
    case JoinType::kLt: return "LT Join";
  }
  return "Join";
}

std::string plan_title(const LogicalPlan& plan) {
  switch (plan.kind) {
    case PlanKind::kScan: {
      const TableSchema& schema = *plan.table->schema;
      const std::string name =
          schema.schema_name == "public" ? schema.name : schema.schema_name + "." + schema.name;
      return fmt::format("Seq Scan{} on {}", plan.backwards ? " Backward" : "", name);
    }
    case PlanKind::kVirtualScan: return "System Scan";
    case PlanKind::kTableFunction: return fmt::format("Function Scan on {}", plan.table_function->name);
    case PlanKind::kValues: return plan.rows.size() == 1 ? "Result" : "Values Scan";
    case PlanKind::kFilter: return "Filter";
    case PlanKind::kProject: return "Projection";
    case PlanKind::kProjectSet: return "ProjectSet";
    case PlanKind::kAggregate:
      return plan.grouping_sets.empty() ? (plan.groups.empty() ? "Aggregate" : "HashAggregate")
                                        : "MixedAggregate";
    case PlanKind::kSampleBy: return "Sample By";
    case PlanKind::kLatestOn: return "Latest On";
    case PlanKind::kJoin: return std::string(join_name(plan));
    case PlanKind::kSort: return "Sort";
    case PlanKind::kLimit: return plan.sort_keys.empty() ? "Limit" : "Top-N";
    case PlanKind::kDistinct: return "Unique";
    case PlanKind::kUnionAll: return "Append";
    case PlanKind::kSetOperation:
      return fmt::format("SetOp {}{}", plan.set_except ? "Except" : "Intersect", plan.set_all ? " All" : "");
    case PlanKind::kWindow: return "WindowAgg";
    case PlanKind::kMaterialize: return fmt::format("CTE {}", plan.shared_id);
    case PlanKind::kRecursive: return "Recursive Union";
    case PlanKind::kWorkingTable: return "WorkTable Scan";
  }
  return "";
}

class Explainer {
 public:
  Explainer(bool verbose, const QueryProfile* profile) : verbose_(verbose), profile_(profile) {}

  // The statement above a query that gives its rows.
  void add_title(const std::string& title, const LogicalPlan* rows_from) {
    const double total = rows_from ? cost(*rows_from) : 0;
    lines_.push_back(fmt::format("{}  (cost=0.00..{:.2f} rows=0 width=0)", title, total));
  }
  void add_line(const std::string& line) { lines_.push_back(line); }

  void add(const BoundQuery& query, int depth) {
    add(*query.plan, depth);
    int number = 0;
    for (const auto& [slot, plan] : query.init_plans) {
      lines_.push_back(fmt::format("{}InitPlan {} (returns ${})",
                                   std::string(static_cast<size_t>(depth * 6 + 2), ' '), ++number, slot + 1));
      add(*plan, depth + 1);
    }
  }

  void add(const LogicalPlan& plan, int depth) {
    std::string line = depth == 0 ? "" : std::string(static_cast<size_t>(depth * 6 - 4), ' ') + "->  ";
    line += plan_title(plan);
    const double rows = estimate_rows(plan);
    if (depth == 0) {
      line += fmt::format("  (cost=0.00..{:.2f} rows={:.0f} width={})", cost(plan), rows, row_width(plan));
    } else {
      line += fmt::format("  (rows={:.0f})", rows);
    }
    const NodeProfile* done = profile_ ? profile_->find(plan) : nullptr;
    if (done) line += " " + actual_text(*done);
    lines_.push_back(std::move(line));
    indent_ = std::string(static_cast<size_t>(depth * 6 + 2), ' ');
    add_details(plan);
    if (done) add_work(*done);
    if (plan.kind == PlanKind::kMaterialize && !shown_.insert(plan.shared_id).second) return;
    for (const auto& child : plan.children) add(*child, depth + 1);
    add_subplans(plan, depth);
  }
  std::vector<std::string> take() { return std::move(lines_); }

 private:
  void detail(std::string_view label, const std::string& text) {
    if (!text.empty()) lines_.push_back(fmt::format("{}{}: {}", indent_, label, text));
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
      if (plan.kind != PlanKind::kJoin) break;
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

  static std::string actual_text(const NodeProfile& done) {
    if (done.runs == 0) return "(never executed)";
    return fmt::format("(actual time={:.3f} ms rows={} loops={})", static_cast<double>(done.nanos) / 1e6,
                       done.rows.load(), done.runs.load());
  }

  void add_work(const NodeProfile& done) {
    if (done.vectors_read + done.vectors_skipped > 0) {
      detail("Vectors",
             fmt::format("{} read, {} skipped", done.vectors_read.load(), done.vectors_skipped.load()));
    }
    if (done.memory_bytes > 0) detail("Memory", fmt::format("{} kB", (done.memory_bytes + 1023) / 1024));
    if (done.spilled_bytes > 0) detail("Spilled", fmt::format("{} kB", (done.spilled_bytes + 1023) / 1024));
  }

  void add_scan(const LogicalPlan& plan) {
    const std::vector<std::string> output = names(plan.columns);
    detail("Columns", plan.columns.empty() ? "none" : join(output, [](const std::string& n) {
             return n.empty() ? "(position)" : n;
           }));
    detail("Time Range", range_text(plan.scan_range));
    if (plan.table->schema->has_timestamp()) {
      const ScanPlan scan = plan_scan(*plan.table, plan.scan_range, plan.scan_bounds);
      detail("Partitions", fmt::format("{} of {}", scan.partitions_read, scan.partitions_total));
    }
    if (plan.scan_filter) detail("Filter", expression_text(*plan.scan_filter, output));
    if (plan.limit_hint) detail("Stop After", fmt::format("{} rows", *plan.limit_hint));
    if (!verbose_) return;
    detail("Bounds On", join(plan.scan_bounds,
                             [&](const ScanBound& b) { return plan.table->schema->columns[b.column].name; }));
    detail("Dynamic Bounds On", join(plan.dynamic_bounds, [&](const DynamicBound& b) {
             return plan.table->schema->columns[b.column].name;
           }));
  }

  void add_sample(const LogicalPlan& plan, const std::vector<std::string>& input) {
    const SampleSpec& spec = plan.sample;
    detail("Bucket", fmt::format("{}{}{}{}", spec.count, spec.unit,
                                 spec.align_to_calendar ? "" : " from first observation",
                                 spec.time_zone.empty() ? "" : " in " + spec.time_zone));
    detail("Timestamp", expression_text(*plan.sample_timestamp, input));
    if (!spec.fill.empty()) {
      detail("Fill", join(spec.fill, [](SampleSpec::Fill fill) {
               switch (fill) {
                 case SampleSpec::Fill::kNone: return "none";
                 case SampleSpec::Fill::kNull: return "null";
                 case SampleSpec::Fill::kPrev: return "prev";
                 case SampleSpec::Fill::kLinear: return "linear";
                 case SampleSpec::Fill::kValue: return "value";
               }
               return "";
             }));
    }
  }

  void add_details(const LogicalPlan& plan) {
    const std::vector<std::string> input = input_names(plan);
    const auto text = [&](const BoundPtr& e) { return expression_text(*e, input); };
    switch (plan.kind) {
      case PlanKind::kScan: add_scan(plan); break;
      case PlanKind::kTableFunction:
      case PlanKind::kVirtualScan:
        detail("Columns", join(plan.columns, [](const PlanColumn& c) { return c.name; }));
        detail("Arguments", join(plan.expressions, text));
        break;
      case PlanKind::kValues:
        if (plan.rows.size() == 1) detail("Output", join(plan.rows[0], text));
        break;
      case PlanKind::kFilter: detail("Filter", text(plan.expressions[0])); break;
      case PlanKind::kProject: detail("Output", join(plan.expressions, text)); break;
      case PlanKind::kProjectSet:
        detail("Functions", join(plan.set_calls, [&](const SetCall& call) {
                 return call.function->name + "(" + join(call.arguments, text) + ")";
               }));
        break;
      case PlanKind::kSampleBy: add_sample(plan, input); [[fallthrough]];
      case PlanKind::kAggregate:
        detail("Group Key", join(plan.groups, text));
        for (const auto& set : plan.grouping_sets) {
          detail("Grouping Set",
                 "(" + join(set, [&](uint32_t group) { return text(plan.groups[group]); }) + ")");
        }
        detail("Aggregates",
               join(plan.aggregates, [&](const BoundAggregate& a) { return aggregate_text(a, input); }));
        break;
      case PlanKind::kLatestOn:
        detail("Timestamp", input[plan.timestamp_column]);
        detail("Partition By", join(plan.partition_columns, [&](uint32_t column) { return input[column]; }));
        break;
      case PlanKind::kJoin: add_join(plan, input); break;
      case PlanKind::kSort:
      case PlanKind::kLimit:
        detail("Sort Key", join(plan.sort_keys, [&](const SortKey& key) { return key_text(key, input); }));
        if (plan.limit) detail("Limit", text(plan.limit));
        if (plan.offset) detail("Offset", text(plan.offset));
        break;
      case PlanKind::kDistinct: detail("On", join(plan.distinct_on, text)); break;
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
    if (!plan.join_keys.empty()) {
      detail("Keys", join(plan.join_keys, [&](const auto& key) {
               return expression_text(*key.first, left) + " = " + expression_text(*key.second, right);
             }));
    }
    if (plan.join_condition) detail("Join Filter", expression_text(*plan.join_condition, input));
    if (!plan.correlated.empty()) {
      detail("Lateral", join(plan.correlated, [&](const auto& c) {
               return fmt::format("${} = {}", c.first + 1, expression_text(*c.second, left));
             }));
    }
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
  void add_subplans(const LogicalPlan& plan, int depth) {
    for_each_expression(const_cast<LogicalPlan&>(plan), [&](BoundPtr& e) {
      for_each_part(*e, [&](BoundExpression& part) {
        if (!part.subquery) return;
        lines_.push_back(std::string(static_cast<size_t>(depth * 6 + 2), ' ') + "SubPlan");
        add(*part.subquery, depth + 1);
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
  std::vector<std::string> lines_;
  std::string indent_;
  std::set<uint32_t> shown_;
};

}  // namespace

std::vector<std::string> explain_lines(const BoundQuery& query, bool verbose, const QueryProfile* profile) {
  Explainer explainer(verbose, profile);
  explainer.add(query, 0);
  return explainer.take();
}

std::vector<std::string> explain_lines(const LogicalPlan& plan, bool verbose) {
  Explainer explainer(verbose, nullptr);
  explainer.add(plan, 0);
  return explainer.take();
}

std::vector<std::string> explain_lines(const ExplainedWrite& write, bool verbose,
                                       const QueryProfile* profile) {
  Explainer explainer(verbose, profile);
  explainer.add_title(write.title, write.query ? write.query->plan.get() : nullptr);
  if (write.query) {
    explainer.add(*write.query, 1);
  } else {
    explainer.add_line("  " + write.without_query);
  }
  return explainer.take();
}

}  // namespace idem
