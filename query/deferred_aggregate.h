#pragma once

#include <memory>
#include <span>
#include <vector>

#include "query/aggregate_states.h"
#include "query/group_table.h"

namespace idem {

// The rows of one aggregate call with DISTINCT or ORDER BY, kept until all are there: group, arguments, sort
// expressions. With DISTINCT only the first of equal arguments of a group is kept.
class DeferredRows {
 public:
  DeferredRows(const BoundAggregate& aggregate, EvaluationState& state);

  // rows: those that the aggregate's filter lets through; groups[i] belongs to the i-th of them.
  void add(const DataChunk& input, Selection rows, const uint32_t* groups, std::span<const Vector> arguments,
           ColumnExpressions* order);
  // No more rows come; others may merge() them.
  void seal() { rows_->seal(); }
  // Adds the rows of another range, which is sealed and whose group g is groups[g] here; kNoGroup: not those.
  void merge(const DeferredRows& other, const std::vector<uint32_t>& groups);
  uint64_t next_growth() const {
    return (has_own_rows() ? rows_->next_growth() : 0) + (seen_ ? seen_->next_growth() : 0);
  }
  uint64_t memory_bytes() const {
    return (has_own_rows() ? rows_->memory_bytes() : 0) + (seen_ ? seen_->memory_bytes() : 0);
  }
  // After seal(): folds all rows into the states, in the order that the call asks for; different ones in their own order, as
  // PostgreSQL does.
  void fold(char* states, uint32_t stride, AggregateArena& arena, const ExecutionContext& context);

  // One range of the input; its group g is groups[g] of those that the states are of, or g where `groups` is empty.
  struct Range {
    DeferredRows* rows;
    std::vector<uint32_t> groups;
  };
  // The same for consecutive ranges, the groups of the first of which are the first ones of all. Different rows stay where they are if
  // their order is of no matter: threads look up which of a range are new, beside those of earlier ones.
  static void fold_ranges(const std::vector<Range>& ranges, char* states, uint32_t stride,
                          AggregateArena& arena, const ExecutionContext& context);

 private:
  struct Piece {
    size_t range, segment;
    std::vector<uint32_t> fresh;  // rows that no earlier range has
  };
  // A group's number in each range by its number among all; of the first range they are the same.
  using NumbersInRange = std::vector<std::vector<uint32_t>>;

  bool may_stay_apart() const {
    return aggregate_.distinct && aggregate_.order_by.empty() && !aggregate_.function->order_sensitive &&
           seen_->has_all_groups();
  }
  static void find_fresh(const std::vector<Range>& ranges, const NumbersInRange& numbers, Piece& piece);
  void fold_rows(const DataChunk& rows, const std::vector<uint32_t>& groups, char* states, uint32_t stride,
                 AggregateArena& arena) const;
  // Otherwise they are the keys of `seen_`.
  bool has_own_rows() const { return !aggregate_.distinct || !aggregate_.order_by.empty(); }
  void append(std::span<const Vector> columns, Selection rows);

  const BoundAggregate& aggregate_;
  std::unique_ptr<GroupTable> seen_;  // DISTINCT: group and arguments
  std::shared_ptr<RowStore> rows_;
  std::vector<Vector> columns_;
  std::vector<uint32_t> numbers_;
};

}  // namespace idem
