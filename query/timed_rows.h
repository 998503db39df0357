#pragma once

#include <memory>
#include <vector>

#include "query/group_table.h"
#include "query/logical_plan.h"
#include "query/operator.h"

namespace idem {

// The right rows of a time-series join (ASOF, LT, WINDOW), in memory and in the order of their time. Rows without a time
// are left out.
struct TimedRows {
  std::shared_ptr<RowStore> rows;    // right columns, then computed keys
  std::vector<int64_t> times;        // ascending
  std::vector<uint32_t> ids;         // of the rows with these times
  std::unique_ptr<GroupTable> keys;  // null: the join has no keys
  std::vector<uint32_t> key_of;      // numbers of their keys; empty: no keys
  OperatorMemory memory{nullptr};    // of what is beside `rows` and `keys`

  uint64_t memory_bytes() const;
  // Gives back `rows` and `ids`.
  void forget_values();
};

// `right`, of the join `plan`, has been started.
TimedRows read_timed_rows(const LogicalPlan& plan, Operator& right, EvaluationState& state);

// The left expressions of a join's keys.
std::vector<const BoundExpression*> left_keys(const LogicalPlan& plan);

}  // namespace idem
