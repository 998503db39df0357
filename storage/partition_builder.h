#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "storage/partition_change.h"

namespace idem {

// Builds a partition from left to right out of rows that stay where they are and rows that are written anew.
// Used by one thread, once.
class PartitionBuilder {
 public:
  PartitionBuilder(const WriteContext& context, const PartitionChange* change);

  // A slice (or a part of one), left in place unless its rows are few and stand beside rows that are not. Bounds are of the
  // designated timestamp, where they are known.
  void keep(Slice slice, std::optional<int64_t> min, std::optional<int64_t> max);
  // Rows that a slice shows, counted from its first, to be written anew.
  void copy(const Slice& slice, uint32_t first, uint32_t count);
  // Rows of a row group that the partition did not have, left in place likewise.
  void place(const EncodedRows& rows);
  void replaced_row(size_t index);                     // positions.replaced[index]
  void inserted_rows(uint64_t first, uint64_t count);  // numbers of inserted rows

  uint64_t rows() const { return total_rows_; }
  // Whether the rows given last end where this slice does and will stay in place.
  bool ends_with(const Slice& slice) const;

  // The partition with all rows given; null if there were none.
  std::shared_ptr<Partition> finish(int64_t start);

 private:
  enum class Source : uint8_t { kStored, kReplaced, kInserted };
  struct Piece {
    Source source;
    uint32_t slice = 0;  // of kStored: index into slices_
    uint64_t first = 0;  // row of the slice, or number of the row
    uint32_t count = 0;
  };
  // Rows left in place, or pieces [first_piece, end_piece) written anew.
  struct Section {
    bool kept = false;
    Slice slice;
    std::optional<int64_t> min, max;  // of a kept slice, where known
    size_t first_piece = 0, end_piece = 0;
    uint64_t rows = 0;
  };

  Section& open_section();
  void add_piece(Piece piece);
  void absorb_small_sections();
  void write_section(const Section& section, bool last, Partition* out);
  void write_column(size_t column, const Section& section,
                    const std::vector<std::shared_ptr<MemoryRowGroup>>& groups);

  const WriteContext& context_;
  const PartitionChange* change_;
  std::vector<Slice> slices_;  // that pieces are read from
  std::vector<Piece> pieces_;
  std::vector<Section> sections_;
  uint64_t total_rows_ = 0;
};

// The first and the last timestamp of rows in order, where they are known without reading them.
std::pair<std::optional<int64_t>, std::optional<int64_t>> known_bounds(const EncodedRows& rows,
                                                                       const TableSchema& schema);
// Capacity of a new row group for so many rows at the end of a partition.
uint32_t row_group_capacity(uint64_t rows);
// Adds a slice behind the others of a partition that is being built; bounds that are not given are read.
void add_slice_to(Partition* partition, const TableSchema& schema, Slice slice, std::optional<int64_t> min,
                  std::optional<int64_t> max);

}  // namespace idem
