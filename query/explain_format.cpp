#include "query/explain_format.h"

#include <algorithm>
#include <fmt/ranges.h>

#include "common/json_text.h"

namespace idem {

namespace {

double millis(int64_t nanos) { return static_cast<double>(nanos) / 1e6; }
uint64_t kilobytes(uint64_t bytes) { return (bytes + 1023) / 1024; }

void add_lines(const ExplainedNode& node, int depth, std::vector<std::string>& lines) {
  const std::string indent(static_cast<size_t>(depth * 6 + 2), ' ');
  std::string line = depth == 0 ? "" : std::string(static_cast<size_t>(depth * 6 - 4), ' ') + "->  ";
  line += node.title;
  line += depth == 0
              ? fmt::format("  (cost=0.00..{:.2f} rows={:.0f} width={})", node.cost, node.rows, node.width)
              : fmt::format("  (rows={:.0f})", node.rows);
  if (node.done && node.done->runs == 0) {
    line += " (never executed)";
  } else if (node.done) {
    line += fmt::format(" (actual time={:.3f} ms rows={} loops={})", millis(node.done->nanos),
                        node.done->rows.load(), node.done->runs.load());
  }
  lines.push_back(std::move(line));
  for (const ExplainedDetail& detail : node.details)
    lines.push_back(indent + (detail.label.empty() ? "" : detail.label + ": ") +
                    fmt::to_string(fmt::join(detail.items, ", ")));
  if (node.done && node.done->vectors_read + node.done->vectors_skipped > 0) {
    lines.push_back(fmt::format("{}Vectors: {} read, {} skipped", indent, node.done->vectors_read.load(),
                                node.done->vectors_skipped.load()));
  }
  if (node.done && node.done->memory_bytes > 0)
    lines.push_back(fmt::format("{}Memory: {} kB", indent, kilobytes(node.done->memory_bytes)));
  if (node.done && node.done->spilled_bytes > 0)
    lines.push_back(fmt::format("{}Spilled: {} kB", indent, kilobytes(node.done->spilled_bytes)));
  for (const ExplainedNode& input : node.inputs) {
    if (!input.relation.empty()) lines.push_back(indent + input.relation);
    add_lines(input, depth + 1, lines);
  }
}

// Writes JSON as PostgreSQL's EXPLAIN lays it out: a member or element on each line.
class JsonWriter {
 public:
  void open(char bracket) {
    text_ += bracket;
    depth_ += 1;
    first_ = true;
  }
  void close(char bracket) {
    depth_ -= 1;
    new_line();
    text_ += bracket;
    first_ = false;
  }
  void begin_value() {
    if (!first_) text_ += ',';
    first_ = false;
    new_line();
  }
  void key(std::string_view name) {
    begin_value();
    append_json_string(text_, name);
    text_ += ": ";
  }
  void string(std::string_view value) { append_json_string(text_, value); }
  void member(std::string_view name, std::string_view value) {
    key(name);
    string(value);
  }
  void number(std::string_view name, double value, int digits = 0) {
    key(name);
    text_ += fmt::format("{:.{}f}", value, digits);
  }
  void number(std::string_view name, uint64_t value) {
    key(name);
    text_ += fmt::to_string(value);
  }
  std::string take() { return std::move(text_); }

 private:
  void new_line() {
    text_ += '\n';
    text_.append(depth_ * 2, ' ');
  }
  std::string text_;
  size_t depth_ = 0;
  bool first_ = true;
};

void write_work(const NodeProfile& done, JsonWriter& json) {
  json.number("Actual Total Time", millis(done.nanos), 3);
  json.number("Actual Rows", done.rows.load());
  json.number("Actual Loops", done.runs.load());
  json.number("Vectors Read", done.vectors_read.load());
  json.number("Vectors Skipped", done.vectors_skipped.load());
  json.number("Peak Memory Usage", kilobytes(done.memory_bytes));
  json.number("Disk Usage", kilobytes(done.spilled_bytes));
}

// What comes several times under a label is one array.
void write_details(const std::vector<ExplainedDetail>& details, JsonWriter& json) {
  for (auto detail = details.begin(); detail != details.end(); ++detail) {
    const auto is_same = [&](const ExplainedDetail& other) { return other.label == detail->label; };
    if (std::any_of(details.begin(), detail, is_same)) continue;
    const std::string_view label = detail->label.empty() ? "Rows From" : std::string_view(detail->label);
    if (!detail->is_list && std::none_of(detail + 1, details.end(), is_same)) {
      json.member(label, detail->items[0]);
      continue;
    }
    json.key(label);
    json.open('[');
    for (auto each = detail; each != details.end(); ++each) {
      if (!is_same(*each)) continue;
      for (const std::string& item : each->items) {
        json.begin_value();
        json.string(item);
      }
    }
    json.close(']');
  }
}

void write_node(const ExplainedNode& node, JsonWriter& json) {
  json.open('{');
  json.member("Node Type", node.type);
  if (node.relation.starts_with("InitPlan")) {
    json.member("Parent Relationship", "InitPlan");
    json.member("Subplan Name", node.relation);
  } else if (!node.relation.empty()) {
    json.member("Parent Relationship", node.relation);
  }
  for (const auto& [name, value] : node.attributes) json.member(name, value);
  json.number("Startup Cost", 0.0, 2);
  json.number("Total Cost", node.cost, 2);
  json.number("Plan Rows", node.rows, 0);
  json.number("Plan Width", uint64_t{node.width});
  write_details(node.details, json);
  if (node.done) write_work(*node.done, json);
  if (!node.inputs.empty()) {
    json.key("Plans");
    json.open('[');
    for (const ExplainedNode& input : node.inputs) {
      json.begin_value();
      write_node(input, json);
    }
    json.close(']');
  }
  json.close('}');
}

}  // namespace

std::vector<std::string> explain_lines(const ExplainedNode& root) {
  std::vector<std::string> lines;
  add_lines(root, 0, lines);
  return lines;
}

std::string explain_json(const ExplainedNode& root, const std::optional<ExplainTimes>& times) {
  JsonWriter json;
  json.open('[');
  json.begin_value();
  json.open('{');
  json.key("Plan");
  write_node(root, json);
  if (times) {
    json.number("Planning Time", millis(times->planning_nanos), 3);
    json.number("Execution Time", millis(times->execution_nanos), 3);
  }
  json.close('}');
  json.close(']');
  return json.take();
}

}  // namespace idem
