#pragma once

#include <memory>
#include <vector>

#include "common/persistent_vector.h"
#include "storage/overlay.h"
#include "storage/position_history.h"
#include "storage/row_group.h"
#include "storage/schema.h"

namespace idem {

// Rows [begin, end) of a row group, in sort order, with what the overlay changes in them. A slice that is cut keeps the
// overlay in both parts. SliceReader (slice_reader.h) reads what it shows.
struct Slice {
  std::shared_ptr<const RowGroup> group;
  uint32_t begin = 0, end = 0;
  std::shared_ptr<const Overlay> overlay = nullptr;  // null: none
  // Rows that it shows; base rows [begin, end) with insertions and deletions.
  uint32_t rows() const { return overlay ? shown_before(end) : end - begin; }
  // Those that precede a base row of the slice and what is inserted before that.
  uint32_t shown_before(uint32_t base_row) const {
    return overlay ? overlay->shown_before(base_row) - overlay->shown_before(begin) : base_row - begin;
  }
};

// Slices in order, none overlapping in the sort key. Immutable. Bounds are of the designated timestamp (0 without one).
struct Partition {
  int64_t start = INT64_MIN;  // partition_start() of its rows
  std::vector<Slice> slices;
  std::vector<uint64_t> first_ordinal;        // of each slice; rows are addressed by (partition, ordinal)
  std::vector<int64_t> slice_min, slice_max;  // timestamps of each slice
  uint64_t row_count = 0;
  int64_t min_timestamp = 0, max_timestamp = 0;
  // Where the next patch rows may be written: from row `patch_rows_used` of this row group on, as in the growing row group
  // at a partition's end. Null: nowhere yet.
  std::shared_ptr<const RowGroup> patch_rows;
  uint32_t patch_rows_used = 0;
  // Names the rows, not how they are stored: two partitions with one id hold the same rows in the same order.
  // Reorganization keeps it, every change takes a new one.
  uint64_t content_id = 0;

  // The slice that holds a row; ordinal < row_count.
  size_t slice_of(uint64_t ordinal) const;
};

// A row's place in one version of a table.
struct RowPosition {
  uint32_t partition = 0;  // index into TableVersion::partitions
  uint64_t ordinal = 0;    // within the partition
  // One int64 for a vector of positions: partition in the upper 24 bits, ordinal in the lower 40.
  int64_t packed() const { return static_cast<int64_t>(static_cast<uint64_t>(partition) << 40 | ordinal); }
  static RowPosition unpack(int64_t v) {
    return {static_cast<uint32_t>(static_cast<uint64_t>(v) >> 40),
            static_cast<uint64_t>(v) & ((uint64_t{1} << 40) - 1)};
  }
};

// A table at one moment: an immutable value. A commit publishes the next one, sharing what it did not touch.
struct TableVersion {
  std::shared_ptr<const TableSchema> schema;
  VersionNumber version{};  // 0 after CREATE TABLE, then one more for each transaction that writes
  CommitNumber commit{};    // that made it
  PersistentVector<std::shared_ptr<const Partition>> partitions;  // ascending by start
  uint64_t row_count = 0;
  // How later commits moved the rows of this version (position_history.h).
  HistoryHandle history;

  int find_partition(int64_t start) const;      // index or -1
  size_t lower_partition(int64_t start) const;  // index of the first that does not start before `start`
};

}  // namespace idem
