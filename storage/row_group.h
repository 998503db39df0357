#pragma once

#include <cstdint>
#include <memory>

#include "storage/schema.h"
#include "storage/vector.h"

namespace idem {

inline constexpr uint32_t kRowGroupSize = 131'072;  // 64 vectors

// What is known of one column in one vector of a row group without reading it. Bounds are values of the physical type
// in the low bytes of the words (integers sign-extended, doubles bit-cast); only for types with a total order of at most
// 8 bytes and for symbols (bounds of codes); otherwise has_bounds is false.
struct VectorStatistics {
  bool has_bounds = false;
  int64_t min = 0,
          max = 0;  // for reals and doubles: bit patterns of the double value; NaN counts as the largest
  uint32_t null_count = 0;
};

// Up to 131,072 rows, immutable, columns held separately. Two forms with this one interface: in memory
// (memory_row_group.h, whose tail may still grow beyond the rows any version shows) and in a segment file
// (segment_row_group.h, decoded a vector at a time). Any thread may read.
class RowGroup {
 public:
  virtual ~RowGroup() = default;
  virtual uint32_t row_count() const = 0;  // rows written; a slice shows a part of them
  virtual bool in_memory() const = 0;
  // Whether the group holds the column; one added later is absent and reads as ColumnSchema::initial.
  virtual bool has_column(ColumnId column) const = 0;
  // Rows [first, first + count) of one vector (first / 2048 == (first + count - 1) / 2048) as a vector of `count` rows.
  // Throws SqlError XX001 where a checksum does not hold, 58030 where reading fails.
  virtual void read(const ColumnSchema& column, uint32_t first, uint32_t count, Vector* out) const = 0;
  virtual VectorStatistics statistics(ColumnId column, uint32_t vector_index) const = 0;
  virtual uint64_t disk_bytes() const = 0;
  virtual uint64_t memory_bytes() const = 0;
};

// What a row group gives for a column that it does not hold: ColumnSchema::initial, as a constant vector.
void read_initial(const ColumnSchema& column, Vector* out);

}  // namespace idem
