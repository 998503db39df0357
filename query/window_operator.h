#pragma once

#include "query/logical_plan.h"
#include "query/partition_top.h"
#include "query/row_sorter.h"
#include "query/rows_or_runs.h"
#include "query/stored_rows.h"
#include "query/window_slices.h"

namespace idem {

// Window functions. Rows are kept in memory and sorted once for each different (PARTITION BY, ORDER BY);
// threads take partitions. The output is in the order of the last of these sorts.
//
// Rows that are too many for memory are put into temporary files. If all windows have a partition column in common they are
// sorted by it, and each part with whole partitions is worked up by an operator of its own. Otherwise they are sorted by one order
// after the other, and its windows are computed slice by slice, whatever the size of a partition (window_slices.h).
//
// Where only the first rows of each partition count (the plan's limit_hint), no others are kept; where it
// is the first one alone, nothing is sorted and rows come in the order of the input.
class WindowOperator final : public Operator {
 public:
  // `in_memory`: whatever it takes.
  WindowOperator(const LogicalPlan& plan, OperatorPtr input, bool in_memory = false);
  ~WindowOperator() override;

  void start(EvaluationState& state) override;
  size_t morsel_count() const override;
  uint64_t row_estimate() const override;
  std::unique_ptr<MorselStream> open(EvaluationState& state) override;
  void reset() override;
  void describe(OperatorDetails& details) const override;

 private:
  class Stream;
  class RunsStream;
  class SlicesStream;
  // One order of the rows, and the windows that are computed in it.
  struct Order {
    std::vector<size_t> windows;
    std::vector<uint32_t> partition_columns;  // of the stored rows
    std::vector<uint32_t> order_columns;
    bool in_order = false;                // the only order column is the time that the input is ordered by
    std::vector<uint32_t> ids;            // sorted
    std::vector<size_t> partition_begin;  // places, and the end
    std::vector<RowChange> changes;       // heads are partitions
    std::vector<uint32_t> place_of;       // by row id; only where the output has another order
  };
  // Where a window's expressions stand among the stored columns.
  struct Columns {
    std::vector<uint32_t> partition, order, arguments;
    uint32_t filter = UINT32_MAX;
  };
  struct Result {
    std::shared_ptr<RowStore> values;  // one column
    std::vector<uint32_t> ids;         // of the value for each place of the window's order
  };

  uint32_t column_of(const BoundExpression& expression);
  std::optional<PartitionTop::Spec> limit_spec() const;
  std::vector<SortColumn> common_partition() const;
  std::vector<SortColumn> sort_columns(const Order& order) const;
  FrameOffsets frame_offsets(const LogicalPlan::Window& window, EvaluationState& state) const;
  WindowFunction::Input function_input(size_t window, const FrameOffsets& offsets,
                                       EvaluationState& state) const;
  void keep_all(EvaluationState& state);
  void keep_first(EvaluationState& state);
  void sort(Order& order, EvaluationState& state) const;
  void compute(size_t window, const Order& order, EvaluationState& state);
  bool can_slice() const;
  void compute_slices(EvaluationState& state);
  WindowSlices::Spec slices_of(size_t order, EvaluationState& state) const;

  const LogicalPlan& plan_;
  OperatorPtr input_;
  const bool in_memory_;
  std::vector<SqlType> row_types_;  // input columns, then computed ones
  std::vector<const BoundExpression*> computed_;
  std::vector<Columns> columns_;  // by window
  std::vector<Order> orders_;
  std::vector<size_t> order_of_;  // by window
  std::optional<PartitionTop::Spec> limit_;
  uint64_t starts_ = 0;
  std::shared_ptr<SortedRuns> runs_;  // by partition, or by the last order; null: the rows are in memory
  bool in_slices_ = false;            // runs_ are by the last order, with the values of the windows before it
  std::vector<FrameOffsets> offsets_;  // by window, if in_slices_
  uint64_t spilled_bytes_ = 0;         // of earlier runs
  std::shared_ptr<RowStore> rows_;
  std::vector<uint32_t> kept_;  // ids of the rows that count, ascending, where a limit leaves some out
  bool all_first_ = false;      // every row in kept_ is the first of its partition
  std::vector<Result> results_;
};

}  // namespace idem
