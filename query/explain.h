#pragma once

#include <memory>
#include <string>
#include <vector>

#include "query/logical_plan.h"
#include "query/query_profile.h"

namespace idem {

// The lines of EXPLAIN: one for each node, indented, then what it does. With `profile`, also what it did.
std::vector<std::string> explain_lines(const BoundQuery& query, bool verbose,
                                       const QueryProfile* profile = nullptr);
std::vector<std::string> explain_lines(const LogicalPlan& plan, bool verbose);

// What EXPLAIN shows of a statement that writes: itself, above the query that gives its rows.
struct ExplainedWrite {
  std::string title;                        // "Insert on t"
  std::shared_ptr<const BoundQuery> query;  // null: it reads nothing
  std::string without_query;                // what it does then, e.g. "Values: 3 rows"
};
std::vector<std::string> explain_lines(const ExplainedWrite& write, bool verbose,
                                       const QueryProfile* profile = nullptr);

}  // namespace idem
