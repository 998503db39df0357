#pragma once

#include <memory>
#include <vector>

#include "query/hash_join.h"
#include "query/spill_partitions.h"

namespace idem {

// A hash join whose right rows are too many for memory: both sides are divided by the hash of their keys, and each pair of
// partitions is joined on its own (Grace join). A morsel is such a pair, and its rows are the result of one thread.
//
// A pair whose right side is still too large is divided again by a HashJoinOperator of the next level. What cannot be
// divided, since it is one key, is joined slice by slice: the left rows meet one part of the right rows after the other,
// and those that have met one are remembered.
class PartitionedJoin {
 public:
  // `plan` outlives this object. The partitions are complete.
  PartitionedJoin(const LogicalPlan& plan, std::unique_ptr<SpillPartitions> left,
                  std::unique_ptr<SpillPartitions> right, uint32_t level, const ExecutionContext& context);
  ~PartitionedJoin();

  size_t morsel_count() const { return pairs_.size(); }
  uint64_t row_estimate() const { return left_->rows() + right_->rows(); }
  uint64_t spilled_bytes() const { return left_->file()->bytes() + right_->file()->bytes(); }
  std::unique_ptr<MorselStream> open(EvaluationState& state) const;

 private:
  class Stream;
  uint64_t memory_for(uint64_t right_rows) const;

  const LogicalPlan& plan_;
  const std::unique_ptr<SpillPartitions> left_, right_;
  const uint32_t level_;
  const SpillLimit limit_;
  std::vector<uint32_t> pairs_;  // partitions that may have results
};

}  // namespace idem
