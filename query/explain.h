#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "query/logical_plan.h"
#include "query/query_profile.h"

namespace idem {

// What a node does, under a label. Labels may come several times.
struct ExplainedDetail {
  std::string label;
  std::vector<std::string> items;
  bool is_list = false;  // of any number of items; otherwise there is one
};

// A plan node as EXPLAIN shows it.
struct ExplainedNode {
  std::string relation;  // to the node above: "SubPlan", "InitPlan 1 (returns $1)"; "": an input
  std::string title;     // "Hash Left Join": what a line begins with
  std::string type;      // "Hash Join": the title without its attributes
  std::vector<std::pair<std::string, std::string>> attributes;  // by PostgreSQL's names: "Join Type", "Left"
  double rows = 0, cost = 0;                                    // estimates; cost with all nodes below
  uint32_t width = 0;
  std::vector<ExplainedDetail> details;
  const NodeProfile* done = nullptr;  // what an execution did
  std::vector<ExplainedNode> inputs;
};

// With `profile`, which outlives the result, also what an execution did.
ExplainedNode explain(const BoundQuery& query, bool verbose, const QueryProfile* profile = nullptr);
ExplainedNode explain(const LogicalPlan& plan, bool verbose);

// What EXPLAIN shows of a statement that writes: itself, above the query that gives its rows.
struct ExplainedWrite {
  std::string title;                        // "Insert on t"
  std::shared_ptr<const BoundQuery> query;  // null: it reads nothing
  std::string without_query;                // what it does then, e.g. "Values: 3 rows"
};
ExplainedNode explain(const ExplainedWrite& write, bool verbose, const QueryProfile* profile = nullptr);

}  // namespace idem
