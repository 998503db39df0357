#pragma once

#include "query/logical_plan.h"
#include "query/stored_rows.h"

namespace idem {

std::vector<SqlType> column_types(const LogicalPlan& plan);

// VALUES, and a SELECT without FROM. `plan` outlives the operator, here and below.
class ValuesOperator final : public StoredRowsOperator {
 public:
  explicit ValuesOperator(const LogicalPlan& plan) : plan_(plan) {}
  void start(EvaluationState& state) override;

 private:
  const LogicalPlan& plan_;
};

// A set-returning function in FROM; arguments may be slots (LATERAL).
class TableFunctionOperator final : public StoredRowsOperator {
 public:
  explicit TableFunctionOperator(const LogicalPlan& plan) : plan_(plan) {}
  void start(EvaluationState& state) override;

 private:
  const LogicalPlan& plan_;
};

// Catalog relations and table functions of the server: rows made by a provider.
class VirtualScanOperator final : public StoredRowsOperator {
 public:
  explicit VirtualScanOperator(const LogicalPlan& plan) : plan_(plan) {}
  void start(EvaluationState& state) override;

 private:
  const LogicalPlan& plan_;
};

// The inputs' rows one input after the other.
class UnionAllOperator final : public Operator {
 public:
  explicit UnionAllOperator(std::vector<OperatorPtr> inputs) : inputs_(std::move(inputs)) {}
  void start(EvaluationState& state) override;
  size_t morsel_count() const override { return first_morsel_.back(); }
  uint64_t row_estimate() const override;
  std::unique_ptr<MorselStream> open(EvaluationState& state) override;
  void reset() override;

 private:
  class Stream;
  std::vector<OperatorPtr> inputs_;
  std::vector<size_t> first_morsel_ = {0};  // of each input, then the number of all
};

}  // namespace idem
