#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "query/logical_plan.h"
#include "query/operator.h"
#include "query/row_store.h"
#include "query/spill_partitions.h"

namespace idem {

// Whether a hash join puts rows out into temporary files, and which bits of the hash of the keys divide them.
struct JoinSpill {
  enum When : uint8_t { kIfNeeded, kAtOnce, kNever } when = kIfNeeded;
  uint32_t level = 0;
  std::optional<JoinType> type;  // instead of the plan's, for a join with some of the right rows
};

// Memory of the table of right rows, beside the rows: an estimate for keys that are all different.
inline constexpr uint64_t kJoinTableBytesPerRow = 160;

// The right side of a hash join as it was read: in memory, or divided by the hash of the keys.
struct RightRows {
  std::shared_ptr<RowStore> rows;               // right columns, then computed keys; sealed
  std::vector<size_t> key_columns;              // of rows
  std::unique_ptr<SpillPartitions> partitions;  // right columns alone; then `rows` is null
};
// `right` has been started.
RightRows read_right_rows(const LogicalPlan& plan, Operator& right, JoinSpill spill, EvaluationState& state);

// The left side, which has been started, divided as the right one is; without rows that cannot be in a result.
std::unique_ptr<SpillPartitions> partition_left_rows(const LogicalPlan& plan, Operator& left,
                                                     const SpillPartitions& right, uint32_t level,
                                                     EvaluationState& state);

}  // namespace idem
