#pragma once

#include "query/logical_plan.h"
#include "query/operator.h"

namespace idem {

// LATERAL: for each left row the right child is run with slots set from it. Left order is kept.
class LateralJoinOperator final : public Operator {
 public:
  LateralJoinOperator(const LogicalPlan& plan, OperatorPtr left) : plan_(plan), left_(std::move(left)) {}
  void start(EvaluationState& state) override { left_->start(state); }
  size_t morsel_count() const override { return left_->morsel_count(); }
  uint64_t row_estimate() const override { return left_->row_estimate(); }
  std::unique_ptr<MorselStream> open(EvaluationState& state) override;
  void reset() override { left_->reset(); }

 private:
  class Stream;
  const LogicalPlan& plan_;
  OperatorPtr left_;
};

// Set-returning functions of a select list: see LogicalPlan::set_calls.
class ProjectSetOperator final : public Operator {
 public:
  ProjectSetOperator(const LogicalPlan& plan, OperatorPtr input) : plan_(plan), input_(std::move(input)) {}
  void start(EvaluationState& state) override { input_->start(state); }
  size_t morsel_count() const override { return input_->morsel_count(); }
  uint64_t row_estimate() const override { return input_->row_estimate(); }
  std::unique_ptr<MorselStream> open(EvaluationState& state) override;
  void reset() override { input_->reset(); }

 private:
  class Stream;
  const LogicalPlan& plan_;
  OperatorPtr input_;
};

}  // namespace idem
