#pragma once

#include "query/limit_operator.h"
#include "query/logical_plan.h"
#include "query/row_sorter.h"
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

// All rows of a started input, with the computed keys, in memory.
std::shared_ptr<RowStore> materialize_for_sort(Operator& input, EvaluationState& state,
                                               const SortInput& sort);

// ORDER BY. Equal rows keep the input's order.
class SortOperator final : public StoredRowsOperator {
 public:
  SortOperator(const LogicalPlan& plan, OperatorPtr input);
  void start(EvaluationState& state) override;

 private:
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
  // Shared with the scan whose column `column` is the first sort key.
  std::shared_ptr<SortThreshold> make_threshold(uint32_t column);

 private:
  class Candidates;
  void sort_all(const RowLimit& limit, EvaluationState& state);

  const LogicalPlan& plan_;
  const std::vector<SortKey>& keys_;
  OperatorPtr input_;
  SortInput sort_;
  std::shared_ptr<SortThreshold> threshold_;  // null: the first key cannot be one
  bool scan_knows_ = false;
};

}  // namespace idem
