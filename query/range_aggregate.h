#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "query/aggregate.h"
#include "query/bound_expression.h"
#include "query/operator_memory.h"

namespace idem {

// One aggregate over any ranges of rows whose order is fixed: frames of windows, windows of WINDOW JOIN.
//
//   rows      0 … 15 │ 16 … 31 │ 32 … 47 │ …
//   level 1   [    ]   [     ]   [     ]      partial states of 16 rows each
//   level 2   [ 0 … 255 ] …                   of 16 states each
//
// A range is put together from whole states of the highest level that fits and single rows at its ends: of n rows, about
// 30 steps for each power of 16 in n. Nothing is ever taken out of a state, so that sums of doubles stay as exact as they are.
//
// One thread appends rows and builds the levels; then any thread may fold.
class RangeAggregate {
 public:
  static constexpr size_t kShortRange = 32;  // is folded row by row, without levels

  // `aggregate`, neither DISTINCT nor ordered, outlives this object.
  RangeAggregate(const BoundAggregate& aggregate, MemoryBudget* budget);

  void clear();
  // The next rows, kVectorSize of them in all calls but the last: the aggregate's arguments, and the rows that its filter lets
  // through, ascending, if it has one.
  void append(std::vector<Vector> arguments, uint32_t count, std::optional<std::vector<uint16_t>> passing);
  void build_levels();
  bool has_levels() const { return !levels_.empty(); }

  // Fold rows [from, to), in their order, into a state. `arena` is the state's.
  void fold_rows(size_t from, size_t to, char* state, AggregateArena& arena) const;
  void fold(size_t from, size_t to, char* state, AggregateArena& arena) const;

  uint64_t memory_bytes() const { return memory_.bytes(); }

 private:
  struct Chunk {
    std::vector<Vector> arguments;
    uint32_t count = 0;
    std::optional<std::vector<uint16_t>> passing;
  };
  void climb(size_t level, size_t from, size_t to, char* state, AggregateArena& arena) const;
  void take(size_t level, size_t from, size_t to, char* state, AggregateArena& arena) const;

  const BoundAggregate& aggregate_;
  const uint32_t stride_;
  size_t rows_ = 0;
  std::vector<Chunk> chunks_;
  std::vector<std::vector<char>> levels_;
  std::unique_ptr<AggregateArena> arena_;  // of the levels
  OperatorMemory memory_;
};

}  // namespace idem
