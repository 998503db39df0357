#pragma once

#include <optional>
#include <string>
#include <vector>

#include "query/explain.h"

namespace idem {

struct ExplainTimes {
  int64_t planning_nanos = 0, execution_nanos = 0;
};

// EXPLAIN (FORMAT TEXT): a line for each node, indented, then what it does and, if it was executed, what it did.
std::vector<std::string> explain_lines(const ExplainedNode& root);
// EXPLAIN (FORMAT JSON): an array of one object, with PostgreSQL's keys where it has them.
std::string explain_json(const ExplainedNode& root, const std::optional<ExplainTimes>& times);

}  // namespace idem
