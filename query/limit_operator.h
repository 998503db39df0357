#pragma once

#include "query/logical_plan.h"
#include "query/stored_rows.h"

namespace idem {

struct RowLimit {
  uint64_t offset = 0;
  uint64_t count = UINT64_MAX;
  bool last = false;  // the last `count` rows, before the `offset` last ones
};
// Throws 2201X for a negative offset. A negative limit takes the last rows; NULL is no limit.
RowLimit evaluate_limit(const LogicalPlan& plan, EvaluationState& state);

// LIMIT and OFFSET. Reads its input ahead on all workers and stops them when it has its rows.
class LimitOperator final : public Operator {
 public:
  LimitOperator(const LogicalPlan& plan, OperatorPtr input) : plan_(plan), input_(std::move(input)) {}
  void start(EvaluationState& state) override;
  size_t morsel_count() const override { return limit_.count == 0 ? 0 : 1; }
  uint64_t row_estimate() const override;
  std::unique_ptr<MorselStream> open(EvaluationState& state) override;
  void reset() override { input_->reset(); }
  void describe(OperatorDetails& details) const override { input_->describe(details); }

 private:
  class Stream;
  const LogicalPlan& plan_;
  OperatorPtr input_;
  RowLimit limit_;
};

// LIMIT -n: the last rows of the input, in its order.
//
// Two forms: the input comes newest row first, then reading stops after n rows; or it comes in order, then
// all of it is read and the last n rows are kept.
class LastRowsOperator final : public StoredRowsOperator {
 public:
  LastRowsOperator(const LogicalPlan& plan, OperatorPtr input, bool input_is_reversed)
      : plan_(plan), input_(std::move(input)), input_is_reversed_(input_is_reversed) {}
  void start(EvaluationState& state) override;

 private:
  const LogicalPlan& plan_;
  OperatorPtr input_;
  const bool input_is_reversed_;
};

}  // namespace idem
