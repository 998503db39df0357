#pragma once

#include <atomic>
#include <memory>
#include <vector>

#include "storage/column_batch.h"
#include "storage/memory_row_group.h"
#include "storage/position_delta.h"
#include "storage/segment_row_group.h"
#include "storage/table_version.h"

namespace idem {

// Rows [first, first + count) of a row group in a segment file, which a large insert has written already.
struct EncodedRows {
  std::shared_ptr<const SegmentRowGroup> group;
  uint32_t first = 0, count = 0;
};

// What one commit does to one partition: rows by ordinal in the version before, and the new rows.
//
// Says what happens, not how it is stored: applied to the same rows it gives the same rows, whatever row
// groups hold them. This is what the log keeps.
struct PartitionChange {
  int64_t start = INT64_MIN;  // of the partition; it is created if it does not exist
  PositionDelta positions;
  std::shared_ptr<const ColumnBatch> rows;  // where the new rows are; null if there are none
  std::vector<uint32_t> replaced_rows;      // row for each of positions.replaced
  // Rows for the inserted ones: first_inserted, first_inserted + 1, … if the list is empty.
  uint32_t first_inserted = 0;
  std::vector<uint32_t> inserted_rows;
  // If there are any, the inserted rows are these, in this order, and `rows` holds the replaced ones alone.
  std::vector<EncodedRows> encoded;

  bool empty() const { return positions.empty(); }
  uint32_t inserted_row(uint64_t index) const {
    return inserted_rows.empty() ? first_inserted + static_cast<uint32_t>(index) : inserted_rows[index];
  }
  // Of the inserted rows [first, first + count), where they are encoded.
  std::vector<EncodedRows> encoded_part(uint64_t first, uint64_t count) const;
};

// With what and for whom new row groups are made.
struct WriteContext {
  std::shared_ptr<const TableSchema> schema;
  MemoryAccount account;
  std::shared_ptr<std::atomic<uint64_t>> content_ids;
  // Row groups in memory may be appended to by committers (kCommitted, under the table's latch) or by the
  // transaction that made them.
  uint64_t owner = MemoryRowGroup::kCommitted;
};

// The partition after a change; `before` may be null. Null if no row is left.
//
// Rows at the end are written into the last row group where there is room. Of the blocks of 2,048 rows that the change
// touches, those with few changes get a patch (overlay.h), others are written anew together with what is inserted there,
// neighbouring ones into one row group; all other rows stay where they are.
std::shared_ptr<const Partition> apply_change(const std::shared_ptr<const Partition>& before,
                                              const PartitionChange& change, const WriteContext& context);

// Puts a partition in place of the one with its start (null: removes it) and keeps the order and the row
// count.
void replace_partition(TableVersion* version, int64_t start, std::shared_ptr<const Partition> partition);

}  // namespace idem
