#pragma once

#include <atomic>
#include <optional>

#include "query/group_table.h"
#include "query/join_filter.h"
#include "query/join_input.h"
#include "query/logical_plan.h"
#include "query/rows_or_runs.h"
#include "query/stored_rows.h"

namespace idem {

class PartitionedJoin;

// Joins by equal keys and any further condition; without keys every pair is tried (nested loop, cross join).
// The right child is kept in memory, grouped by key; the left one is read in parallel and its order is that
// of the result.
//
//   key ─GroupTable─▶ group ─▶ right_rows_[group_begin_[group] … group_begin_[group + 1])
//
// Joins that keep right rows without a match are made by OuterJoinOperator on top of this. Where the right rows are too many
// for memory a PartitionedJoin does the work; the order of the left rows is lost then.
//
// What the left child has beyond its plan's columns comes behind the right columns.
class HashJoinOperator final : public Operator {
 public:
  // `plan` (kJoin) outlives the operator.
  HashJoinOperator(const LogicalPlan& plan, OperatorPtr left, OperatorPtr right, JoinSpill spill = {});
  ~HashJoinOperator() override;

  static bool keeps_right(JoinType type) { return type == JoinType::kRight || type == JoinType::kFull; }
  // Whether left rows without a partner are results.
  static bool wants_left_alone(JoinType type) {
    return type == JoinType::kLeft || type == JoinType::kFull || type == JoinType::kAnti;
  }

  // A scan that gives left rows reads it: start() sets it before the left side starts.
  void add_filter(std::shared_ptr<JoinFilter> filter) { filters_.push_back(std::move(filter)); }

  void start(EvaluationState& state) override;
  size_t morsel_count() const override;
  uint64_t row_estimate() const override;
  std::unique_ptr<MorselStream> open(EvaluationState& state) override;
  void reset() override;
  void describe(OperatorDetails& details) const override;

  // Whether rows come from temporary files, those that a RIGHT or FULL join keeps among them.
  bool is_partitioned() const { return partitions_ != nullptr; }
  // Of the right rows that no left row has met so far; complete when all morsels have been read.
  void unmatched_right(std::vector<uint32_t>* ids) const;
  // Fills *chunk with NULLs on the left and the rows ids[first] …; returns how many.
  uint32_t read_unmatched(const std::vector<uint32_t>& ids, size_t first, DataChunk* chunk) const;

 private:
  class Stream;
  void build(EvaluationState& state);
  void set_filters();
  std::optional<ScanBound> key_bound(size_t key) const;
  bool keeps_left() const { return type_ == JoinType::kLeft || type_ == JoinType::kFull; }
  bool keeps_right() const { return keeps_right(type_); }
  bool needs_match() const {
    return type_ == JoinType::kInner || type_ == JoinType::kCross || type_ == JoinType::kRight ||
           type_ == JoinType::kSemi;
  }

  const LogicalPlan& plan_;
  OperatorPtr left_, right_;
  const JoinSpill spill_;
  const JoinType type_;
  size_t left_columns_, right_columns_;
  uint64_t starts_ = 0;
  std::unique_ptr<PartitionedJoin> partitions_;  // null: the right rows are in memory
  std::shared_ptr<RowStore> rows_;               // right columns, then computed keys
  std::vector<size_t> key_columns_;              // of rows_
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
  size_t morsel_count() const override;
  uint64_t row_estimate() const override;
  std::unique_ptr<MorselStream> open(EvaluationState& state) override;
  void reset() override;
  void describe(OperatorDetails& details) const override;

 private:
  class RunsStream;
  const LogicalPlan& plan_;
  uint64_t starts_ = 0;
  std::unique_ptr<HashJoinOperator> pairs_;
  std::shared_ptr<SortedRuns> runs_;  // the pairs, in their order, where they are too many for memory
  std::vector<uint32_t> unmatched_;   // right rows
};

}  // namespace idem
