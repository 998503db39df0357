#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "storage/slice_reader.h"

namespace idem {

// A condition that lets a scan skip partitions, slices and vectors by their statistics. It only prunes: whoever scans
// still filters the rows. Bounds in the form of VectorStatistics, both inclusive.
struct ScanBound {
  uint32_t column = 0;              // index into the schema
  std::optional<int64_t> min, max;  // keep vectors whose [min, max] meets [this->min, this->max]
  bool is_null_only = false, not_null_only = false;
};

// The unit of parallel work: consecutive rows of one slice, mostly those of a row group.
struct Morsel {
  uint32_t partition = 0, slice = 0;
  uint32_t begin = 0, end = 0;  // rows that the slice shows, counted from its first
  uint64_t first_ordinal = 0;   // of `begin` within the partition
};

// Which morsels of a version a scan must read, in table order. Rows outside the time range are left out where slice and vector
// bounds tell.
struct ScanRange {
  int64_t min_timestamp = INT64_MIN, max_timestamp = INT64_MAX;  // inclusive, of the designated timestamp
};
struct ScanPlan {
  std::vector<Morsel> morsels;
  uint64_t rows = 0;  // in the morsels: an upper bound of the result
  uint32_t partitions_total = 0, partitions_read = 0;
};
ScanPlan plan_scan(const TableVersion& version, const ScanRange& range, const std::vector<ScanBound>& bounds);

// Whether a morsel may hold NULLs in a column; false only where statistics say so.
bool may_have_nulls(const TableVersion& version, const Morsel& morsel, ColumnId column);

// Reads one morsel, a vector at a time, forwards or backwards. Not shared between threads.
class MorselReader {
 public:
  MorselReader(std::shared_ptr<const TableVersion> version, Morsel morsel,
               const std::vector<ScanBound>* bounds, bool backwards = false);

  // Moves to the next vector that `bounds` do not exclude; returns its rows (0 = end). Columns are then read on demand. A
  // block that a patch makes longer than a vector comes as two.
  uint32_t next();
  void read(uint32_t column, Vector* out);  // all rows of the current vector
  void read_positions(Vector* out) const;   // RowPosition::packed() as a kSequence BIGINT vector
  uint32_t vectors_skipped() const { return skipped_; }

 private:
  std::shared_ptr<const TableVersion> version_;
  Morsel morsel_;
  SliceReader reader_;
  const std::vector<ScanBound>* bounds_;
  bool backwards_;
  uint32_t first_ = 0, count_ = 0, cursor_ = 0, skipped_ = 0;
};

}  // namespace idem
