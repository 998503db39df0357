#pragma once

#include "query/logical_plan.h"
#include "query/operator.h"

namespace idem {

// The rows of the input that meet a condition. `condition` outlives the operator.
class FilterOperator final : public Operator {
 public:
  FilterOperator(OperatorPtr input, const BoundExpression& condition)
      : input_(std::move(input)), condition_(condition) {}

  void start(EvaluationState& state) override { input_->start(state); }
  size_t morsel_count() const override { return input_->morsel_count(); }
  uint64_t row_estimate() const override { return input_->row_estimate(); }
  std::unique_ptr<MorselStream> open(EvaluationState& state) override;
  void reset() override { input_->reset(); }

 private:
  class Stream;
  OperatorPtr input_;
  const BoundExpression& condition_;
};

// One output column for each expression; plain columns are passed on without copying. `expressions` outlive
// the operator.
class ProjectOperator final : public Operator {
 public:
  ProjectOperator(OperatorPtr input, const std::vector<BoundPtr>& expressions)
      : input_(std::move(input)), expressions_(expressions) {}

  void start(EvaluationState& state) override { input_->start(state); }
  size_t morsel_count() const override { return input_->morsel_count(); }
  uint64_t row_estimate() const override { return input_->row_estimate(); }
  std::unique_ptr<MorselStream> open(EvaluationState& state) override;
  void reset() override { input_->reset(); }

 private:
  class Stream;
  OperatorPtr input_;
  const std::vector<BoundPtr>& expressions_;
};

}  // namespace idem
