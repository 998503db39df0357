#pragma once

#include "query/operator.h"
#include "query/timed_rows.h"

namespace idem {

// ASOF and LT JOIN: each left row with the last right row of its keys whose time is not after (LT: before)
// its own; NULLs where there is none or it is older than the tolerance.
//
// The right rows are kept in time order. A thread goes through a left morsel and the right rows at once, with
// an array from key to the last row seen. Such arrays are kept for every so many right rows, so that a morsel
// in the middle can begin there:
//
//   right   0 ───────── spacing ───────── 2 spacing ─────────
//                        ▲ last row of each key up to here
class AsofJoinOperator final : public Operator {
 public:
  AsofJoinOperator(const LogicalPlan& plan, OperatorPtr left, OperatorPtr right);
  ~AsofJoinOperator() override;

  void start(EvaluationState& state) override;
  size_t morsel_count() const override { return left_->morsel_count(); }
  uint64_t row_estimate() const override { return left_->row_estimate(); }
  std::unique_ptr<MorselStream> open(EvaluationState& state) override;
  void reset() override;
  void describe(OperatorDetails& details) const override;

 private:
  class Stream;
  static constexpr uint32_t kNone = UINT32_MAX;

  void make_checkpoints(EvaluationState& state);

  const LogicalPlan& plan_;
  OperatorPtr left_, right_;
  size_t left_columns_, right_columns_;
  TimedRows right_rows_;
  size_t spacing_ = 1;
  std::vector<std::vector<uint32_t>>
      checkpoints_;  // [i][key]: last place in times_ before i * spacing_, or kNone
};

}  // namespace idem
