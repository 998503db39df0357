#pragma once

#include "query/limit_operator.h"
#include "query/logical_plan.h"
#include "query/row_sorter.h"
#include "query/rows_or_runs.h"
#include "query/sort_threshold.h"
#include "query/stored_rows.h"

namespace idem {

// Sort keys over the rows of an input: plain columns are used where they stand, other expressions become
// columns behind them.
class SortInput {
 public:
  SortInput(const std::vector<SortKey>& keys, std::vector<SqlType> input_types);

  const std::vector<SqlType>& row_types() const { return row_types_; }  // input columns, then computed keys
  size_t input_columns() const { return input_columns_; }
  const std::vector<SortColumn>& columns() const { return columns_; }
  const std::vector<const BoundExpression*>& computed() const { return computed_; }

 private:
  std::vector<SqlType> row_types_;
  size_t input_columns_;
  std::vector<SortColumn> columns_;
  std::vector<const BoundExpression*> computed_;
};

// ORDER BY. Equal rows keep the input's order. Rows that are too many for memory are sorted in parts, which are merged
// while they are read.
class SortOperator final : public RowsOrRunsOperator {
 public:
  // `keys` outlive the operator; `input_types` are those of the input's columns.
  SortOperator(const std::vector<SortKey>& keys, std::vector<SqlType> input_types, OperatorPtr input);
  void start(EvaluationState& state) override;

  Operator& input() { return *input_; }

 private:
  std::unique_ptr<MorselStream> open_runs(const ExecutionContext& context) const override;

  OperatorPtr input_;
  SortInput sort_;
};

// ORDER BY … LIMIT: each thread keeps the best rows it has seen, and tells the scan below what is too late to
// matter.
class TopRowsOperator final : public StoredRowsOperator {
 public:
  // `limit` (kLimit) and `keys` outlive the operator; `input_types` are those of the input's columns.
  TopRowsOperator(const LogicalPlan& limit, const std::vector<SortKey>& keys,
                  std::vector<SqlType> input_types, OperatorPtr input);
  void start(EvaluationState& state) override;
  size_t morsel_count() const override;
  uint64_t row_estimate() const override;
  std::unique_ptr<MorselStream> open(EvaluationState& state) override;
  void reset() override;
  void describe(OperatorDetails& details) const override;
  // Shared with the scan whose column `column` is the first sort key.
  std::shared_ptr<SortThreshold> make_threshold(uint32_t column);

 private:
  class Candidates;
  void sort_all_for_last(const RowLimit& limit, EvaluationState& state);

  const LogicalPlan& plan_;
  Operator* input_ = nullptr;           // of all_'s sort
  std::unique_ptr<LimitOperator> all_;  // sorts everything, where more rows are wanted than can be candidates
  bool sorts_all_ = false;
  uint64_t starts_ = 0;
  SortInput sort_;
  std::shared_ptr<SortThreshold> threshold_;  // null: the first key cannot be one
  bool scan_knows_ = false;
};

}  // namespace idem
