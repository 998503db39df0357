#pragma once

#include "query/logical_plan.h"
#include "query/sort_operator.h"
#include "query/stored_rows.h"

namespace idem {

// SELECT DISTINCT ON (…): of rows that are equal in the given expressions the first. It keeps those rows, in the order of the input;
// when they are too many for memory, as sorted runs in temporary files, whose first rows of equal ones come in the order of the keys.
class DistinctOnOperator final : public RowsOrRunsOperator {
 public:
  // `plan` outlives the operator, here and below.
  DistinctOnOperator(const LogicalPlan& plan, OperatorPtr input);
  void start(EvaluationState& state) override;

 private:
  class RunsStream;
  std::unique_ptr<MorselStream> open_runs(const ExecutionContext& context) const override;

  const std::vector<SortKey> keys_;
  const SortInput sort_;  // rows with their keys
  OperatorPtr input_;
};

// The same for rows that are sorted by the expressions, so that equal ones stand together: it keeps none.
class SortedDistinctOnOperator final : public Operator {
 public:
  SortedDistinctOnOperator(const LogicalPlan& plan, OperatorPtr input)
      : plan_(plan), input_(std::move(input)) {}
  void start(EvaluationState& state) override { input_->start(state); }
  size_t morsel_count() const override { return 1; }
  uint64_t row_estimate() const override { return input_->row_estimate(); }
  std::unique_ptr<MorselStream> open(EvaluationState& state) override;
  void reset() override { input_->reset(); }

 private:
  class Stream;
  const LogicalPlan& plan_;
  OperatorPtr input_;
};

// INTERSECT and EXCEPT, with or without ALL: repeats each row of its input as often as it is in the result. The input has the distinct
// rows of both sides, then how many of them the left side has, then how many both have.
class SetOperator final : public Operator {
 public:
  SetOperator(const LogicalPlan& plan, OperatorPtr counts) : plan_(plan), counts_(std::move(counts)) {}
  void start(EvaluationState& state) override { counts_->start(state); }
  size_t morsel_count() const override { return counts_->morsel_count(); }
  uint64_t row_estimate() const override { return counts_->row_estimate(); }
  std::unique_ptr<MorselStream> open(EvaluationState& state) override;
  void reset() override { counts_->reset(); }
  void describe(OperatorDetails& details) const override { counts_->describe(details); }

 private:
  class Stream;
  const LogicalPlan& plan_;  // kSetOperation
  OperatorPtr counts_;
};

}  // namespace idem
