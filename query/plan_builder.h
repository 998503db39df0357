#pragma once

#include <map>
#include <memory>
#include <vector>

#include "query/execution.h"
#include "query/operator.h"

namespace idem {

class KeptRows;
class QueryProfile;
class ScanOperator;

// What the operators of one plan share across its runs: CTEs that are computed once per run, and the rows
// that a recursion's step reads. Used by the thread that starts operators.
struct PlanRun {
  struct Shared {
    OperatorPtr query;                     // of a CTE, built where it is met first
    uint64_t computed_in = 0;              // the run that `rows` belongs to
    std::shared_ptr<const KeptRows> rows;  // of the CTE; of a recursion: its working table
  };
  uint64_t number = 0;                              // of the run, from 1
  std::map<uint32_t, Shared> shared;                // by LogicalPlan::shared_id
  std::vector<std::unique_ptr<LogicalPlan>> nodes;  // that are not in the plan, but what operators do
};

// Physical operators for a plan, which outlives them. With `profile`, each operator's work is counted there
// under its node.
class PlanBuilder {
 public:
  PlanBuilder(PlanRun& run, QueryProfile* profile) : run_(run), profile_(profile) {}

  // Throws SqlError 0A000 for what no operator can do.
  OperatorPtr build(const LogicalPlan& plan);

 private:
  OperatorPtr build_node(const LogicalPlan& plan);
  OperatorPtr timed(const LogicalPlan& plan, OperatorPtr made);
  OperatorPtr build_latest_on(const LogicalPlan& plan);
  OperatorPtr build_limit(const LogicalPlan& plan);
  OperatorPtr build_reversed(const LogicalPlan& plan);  // null if the rows cannot come in reverse
  OperatorPtr build_join(const LogicalPlan& plan);
  OperatorPtr build_distinct(const LogicalPlan& plan);
  OperatorPtr build_set_operation(const LogicalPlan& plan);
  OperatorPtr build_top_rows(const LogicalPlan& limit, const std::vector<SortKey>& keys,
                             const LogicalPlan& input);

  PlanRun& run_;
  QueryProfile* profile_;
  std::map<const LogicalPlan*, ScanOperator*> scans_;  // built so far
};

}  // namespace idem
