#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "storage/load_limits.h"
#include "storage/upsert_match.h"

namespace idem {

// Which of the rows that a change inserts stand in the place of rows that it deletes and are what became of them.
class RewrittenRows {
 public:
  // Both numbers ascend from call to call.
  void add(uint64_t ordinal, uint64_t number);
  bool empty() const { return runs_.empty(); }
  // fn(ordinal before, number of the inserted row), in their order.
  template <class F>
  void for_each(F&& fn) const {
    for (const Run& run : runs_) {
      for (uint64_t i = 0; i < run.count; ++i) fn(run.ordinal + i, run.number + i);
    }
  }
  // `delta` is that of the change; as its own functions, but for rows rewritten.
  std::optional<uint64_t> forward(const PositionDelta& delta, uint64_t ordinal) const;
  PositionDelta::Origin backward(const PositionDelta& delta, uint64_t ordinal_after) const;

 private:
  struct Run {
    uint64_t ordinal = 0, number = 0, count = 0;
  };
  std::vector<Run> runs_;
};

// Turns replaced rows that stand side by side, limits.dense_rows or more, into deleted ones with rows inserted in their place, if
// there are limits.encoded_rows of them: inserted rows can be encoded into segment files as they come, without going through memory and the log.
//
//   before   0 1 2 3 4 …    replaced {1 2 3 … 900, 2000}, inserted {before 3: 1 row}
//   after                   deleted {1 2 3 … 900}, inserted {before 1: 901 rows}, replaced {2000}
//
// The version after is the same, row by row.
void insert_dense_replacements(PartitionMatch* match, const LoadLimits& limits, RewrittenRows* rewritten);

}  // namespace idem
