#pragma once

#include "query/kept_rows.h"
#include "query/plan_builder.h"

namespace idem {

// A CTE that is read more than once: whoever starts first computes it, for all readers of the run.
class SharedRowsOperator final : public KeptRowsOperator {
 public:
  SharedRowsOperator(const LogicalPlan& plan, PlanRun& run) : plan_(plan), run_(run) {}
  void start(EvaluationState& state) override;

 private:
  const LogicalPlan& plan_;
  PlanRun& run_;
};

// WITH RECURSIVE: the start's rows, then those that the step makes of the rows of the round before, until
// there are no (new) ones, or as many as anybody reads (the plan's limit_hint). Of UNION the rows that were met stay in memory.
class RecursiveOperator final : public KeptRowsOperator {
 public:
  RecursiveOperator(const LogicalPlan& plan, PlanRun& run, OperatorPtr first, OperatorPtr step)
      : plan_(plan), run_(run), first_(std::move(first)), step_(std::move(step)) {}
  void start(EvaluationState& state) override;

 private:
  class Rounds;
  const LogicalPlan& plan_;
  PlanRun& run_;
  OperatorPtr first_, step_;
};

// The rows of the round before, as the step of a recursion reads them.
class WorkingTableOperator final : public KeptRowsOperator {
 public:
  WorkingTableOperator(const LogicalPlan& plan, PlanRun& run) : plan_(plan), run_(run) {}
  void start(EvaluationState& state) override;

 private:
  const LogicalPlan& plan_;
  PlanRun& run_;
};

}  // namespace idem
