#pragma once

#include "query/logical_plan.h"
#include "query/stored_rows.h"

namespace idem {

// SELECT DISTINCT ON (…): of rows that are equal in the given expressions the first.
class DistinctOnOperator final : public StoredRowsOperator {
 public:
  DistinctOnOperator(const LogicalPlan& plan, OperatorPtr input) : plan_(plan), input_(std::move(input)) {}
  void start(EvaluationState& state) override;

 private:
  const LogicalPlan& plan_;
  OperatorPtr input_;
};

// INTERSECT and EXCEPT, with or without ALL. Rows come in the order of their first appearance on the left.
class SetOperator final : public StoredRowsOperator {
 public:
  SetOperator(const LogicalPlan& plan, OperatorPtr left, OperatorPtr right)
      : plan_(plan), left_(std::move(left)), right_(std::move(right)) {}
  void start(EvaluationState& state) override;

 private:
  const LogicalPlan& plan_;
  OperatorPtr left_, right_;
};

}  // namespace idem
