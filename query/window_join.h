#pragma once

#include "query/aggregate_groups.h"
#include "query/operator.h"
#include "query/range_aggregate.h"
#include "query/timed_rows.h"

namespace idem {

// WINDOW JOIN: each left row with aggregates over the right rows of its keys whose time is in a window around its own, and,
// with INCLUDE PREVAILING, over the last one before that window.
//
//   right rows, by key, then time    key 0: 10:00 10:01 10:04 10:07 │ key 1: 10:02 10:03 …
//   left row 10:05, key 0, 2 minutes PRECEDING           ├───┤
//                                            ▲ the prevailing row
//
// A window is a range of the right rows. Its ends move on from those of the last left row of the key. Aggregates of right
// columns alone are put together from partial states (range_aggregate.h); if there are others (DISTINCT, ORDER BY, columns of both
// sides), all are folded from the pairs of rows. The right rows are kept in memory; the left ones are read in parallel, and
// their order is that of the result.
class WindowJoinOperator final : public Operator {
 public:
  // `plan` (kWindowJoin) outlives the operator.
  WindowJoinOperator(const LogicalPlan& plan, OperatorPtr left, OperatorPtr right);
  ~WindowJoinOperator() override;

  void start(EvaluationState& state) override;
  size_t morsel_count() const override { return left_->morsel_count(); }
  uint64_t row_estimate() const override { return left_->row_estimate(); }
  std::unique_ptr<MorselStream> open(EvaluationState& state) override;
  void reset() override;
  void describe(OperatorDetails& details) const override;

 private:
  class Stream;
  using Ranges = std::vector<RangeAggregate>;  // one for each aggregate, over the right rows
  void order_by_key();
  std::shared_ptr<const Ranges> make_ranges(EvaluationState& state) const;

  const LogicalPlan& plan_;
  const AggregateSpec spec_;
  OperatorPtr left_, right_;
  const size_t left_columns_;
  std::vector<bool> needed_;              // columns of left ++ right that aggregates read
  bool reads_right_alone_ = true;         // no aggregate needs pairs
  TimedRows right_rows_;                  // by key, then time
  std::vector<uint32_t> key_begin_;       // of each key among them, then the end
  std::shared_ptr<const Ranges> ranges_;  // if reads_right_alone_
};

}  // namespace idem
