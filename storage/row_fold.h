#pragma once

#include <memory>
#include <vector>

#include "storage/partition_change.h"
#include "storage/row_compare.h"
#include "storage/stored_rows.h"

namespace idem {

// Makes the result of rows with equal keys, column by column, by the merge policies of a table, and keeps the
// results that are no row of the batch.
//
//   stored   id 7  10:00  pro   visits 3  ─┐
//   batch 0  id 7  09:00  free  visits 9  ─┴▶ id 7  10:00  pro  visits 9     folded row 0
//   batch 1  id 8  11:00  team  visits 1  ──▶ batch row 1: nothing to put together
//
// Results are numbered like this: rows of the batch by their row, folded ones from the batch's row count on.
// One result at a time: begin_…, then add_batch_row() as often as there are rows, then ask, then take().
class RowFold {
 public:
  RowFold(const std::shared_ptr<const TableSchema>& schema, std::shared_ptr<const ColumnBatch> batch);

  // The result begins as a row of the batch, as a row of the current block of `stored`, which stays the current one
  // until take(), or as what several stored rows make in their order.
  void begin_with_batch_row(uint32_t row);
  void begin_with_stored_row(StoredRows* stored, uint64_t ordinal);
  void begin_with_stored_rows(StoredRows* stored, const std::vector<uint64_t>& ordinals);
  // Applies a newer row to the result.
  void add_batch_row(uint32_t row);

  // Whether the (first) stored row that the result began with equals it to the bit in every column.
  bool equals_stored();
  // Whether the result, or what the stored rows alone made, is a tombstone (DELETED WHEN).
  bool is_tombstone();
  bool began_as_tombstone() const { return began_as_tombstone_; }
  uint32_t take();

  // Gives a change, whose rows are numbered as above, the batch or a new one to take its rows from.
  void finish(PartitionChange* change) const;

  const ColumnView& batch_view(size_t column) const { return batch_views_[column]; }
  // Whether a row of a batch or of stored rows is a tombstone, by the view of the column that says so.
  static bool is_true(const ColumnView& view, uint32_t row) {
    return !view.is_null(row) && view.at<uint8_t>(row) != 0;
  }

 private:
  enum class Origin : uint8_t { kBatch, kStored, kGathered };
  struct Cell {
    Origin origin = Origin::kBatch;
    uint32_t row = 0;
    bool operator==(const Cell&) const = default;
  };

  const ColumnView& view_of(size_t column);
  void fold(Cell newer);
  const ColumnView& view_at(const Cell& cell, size_t column);

  const std::shared_ptr<const TableSchema> schema_;
  const std::shared_ptr<const ColumnBatch> batch_;
  std::vector<ColumnView> batch_views_, gathered_views_;
  StoredRows* stored_ = nullptr;
  std::unique_ptr<ColumnBatch> gathered_;  // several stored rows of one key
  std::unique_ptr<ColumnBatch> folded_;    // results that are no row of the batch
  std::vector<Cell> cells_;                // by column: where the value of the result is
  Cell first_;
  bool began_as_tombstone_ = false;
};

}  // namespace idem
