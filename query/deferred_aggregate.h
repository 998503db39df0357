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

 private:
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
