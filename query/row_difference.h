#pragma once

#include <optional>
#include <vector>

#include "query/group_table.h"
#include "storage/column_batch.h"
#include "storage/table_version.h"

namespace idem {

// What must become of stored rows so that they are these, each as often as it is among them. Rows are compared as GROUP BY does:
// NULL equals NULL, numbers by value.
class RowDifference {
 public:
  // `wanted` outlives it. Memory is counted against `budget`.
  RowDifference(const ColumnBatch& wanted, MemoryBudget* budget);
  RowDifference(const RowDifference&) = delete;
  RowDifference& operator=(const RowDifference&) = delete;

  // Stored rows: their positions (RowPosition::packed), then all columns.
  void add_stored(const DataChunk& rows);

  // After all stored rows. Positions of those that are not wanted, ascending; rows of `wanted` that are not stored.
  std::vector<RowPosition> take_superfluous();
  std::vector<uint32_t> take_missing();

 private:
  GroupTable groups_;  // of equal rows
  std::optional<GroupTable::Probe> stored_groups_;
  std::vector<uint32_t> group_of_row_;  // of the wanted rows
  std::vector<uint32_t> missing_;       // of each group: how many wanted rows are not stored
  std::vector<int64_t> superfluous_;
};

}  // namespace idem
