#pragma once

#include <atomic>
#include <optional>

#include "query/group_table.h"
#include "query/join_filter.h"
#include "query/logical_plan.h"
#include "query/stored_rows.h"

namespace idem {

// Joins by equal keys and any further condition; without keys every pair is tried (nested loop, cross join).
// The right child is kept in memory, grouped by key; the left one is read in parallel and its order is that
// of the result.
//
//   key ─GroupTable─▶ group ─▶ right_rows_[group_begin_[group] … group_begin_[group + 1])
//
// Joins that keep right rows without a match are made by OuterJoinOperator on top of this.
class HashJoinOperator final : public Operator {
 public:
  // `plan` (kJoin) outlives the operator.
  HashJoinOperator(const LogicalPlan& plan, OperatorPtr left, OperatorPtr right);
  ~HashJoinOperator() override;

  // A scan that gives left rows reads it: start() sets it before the left side starts.
  void add_filter(std::shared_ptr<JoinFilter> filter) { filters_.push_back(std::move(filter)); }

  void start(EvaluationState& state) override;
  size_t morsel_count() const override;
  uint64_t row_estimate() const override { return left_->row_estimate(); }
  std::unique_ptr<MorselStream> open(EvaluationState& state) override;
  void reset() override;
  void describe(OperatorDetails& details) const override;

  const std::shared_ptr<RowStore>& right_rows() const { return rows_; }
  // Of the right rows that no left row has met so far; complete when all morsels have been read.
  void unmatched_right(std::vector<uint32_t>* ids) const;

 private:
  class Stream;
  void build(EvaluationState& state);
  void set_filters();
  std::optional<ScanBound> key_bound(size_t key) const;
  bool keeps_left() const { return plan_.join_type == JoinType::kLeft || plan_.join_type == JoinType::kFull; }
  bool keeps_right() const {
    return plan_.join_type == JoinType::kRight || plan_.join_type == JoinType::kFull;
  }
  bool needs_match() const {
    return plan_.join_type == JoinType::kInner || plan_.join_type == JoinType::kCross ||
           plan_.join_type == JoinType::kRight || plan_.join_type == JoinType::kSemi;
  }

  const LogicalPlan& plan_;
  OperatorPtr left_, right_;
  size_t left_columns_, right_columns_;
  std::shared_ptr<RowStore> rows_;  // right columns, then computed keys
  std::vector<size_t> key_columns_;  // of rows_
  std::vector<std::shared_ptr<JoinFilter>> filters_;
  std::unique_ptr<GroupTable> table_;
  std::vector<uint32_t> group_begin_, right_rows_;
  bool keys_unique_ = false;
  std::unique_ptr<std::atomic<uint8_t>[]> met_;  // by row id, where right rows are kept
  OperatorMemory memory_;
};

// RIGHT and FULL JOIN: the pairs, then the right rows that were in none.
class OuterJoinOperator final : public StoredRowsOperator {
 public:
  OuterJoinOperator(const LogicalPlan& plan, std::unique_ptr<HashJoinOperator> pairs)
      : plan_(plan), pairs_(std::move(pairs)) {}
  void start(EvaluationState& state) override;

 private:
  const LogicalPlan& plan_;
  std::unique_ptr<HashJoinOperator> pairs_;
};

}  // namespace idem
