#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "storage/row_group.h"
#include "storage/schema.h"
#include "storage/segment_id.h"

namespace idem {

// What is in a segment file, as docs/format/segment.md describes it.

inline constexpr size_t kSegmentHeaderBytes = 64;
inline constexpr size_t kSegmentTailBytes = 24;
inline constexpr uint32_t kSegmentVersion = 2;

// Consecutive vectors of one column chunk that are read at once: up to about 1 MiB, or a single vector.
struct BlockLocation {
  uint64_t offset = 0;  // in the file
  uint64_t size = 0;
  uint32_t first_vector = 0, vector_count = 0;
  uint32_t directory_crc = 0;
};

struct ColumnChunkFooter {
  std::vector<BlockLocation> blocks;         // in order, covering all vectors
  std::vector<VectorStatistics> statistics;  // of each vector
  size_t block_of(uint32_t vector_index) const;
};

struct RowGroupFooter {
  uint32_t rows = 0;
  std::vector<ColumnChunkFooter> columns;  // in the order of SegmentFooter::columns
  uint32_t vector_count() const { return (rows + kVectorSize - 1) / kVectorSize; }
};

struct SegmentColumn {
  ColumnId id{};
  SqlType type;
  uint32_t dictionary_size = 0;  // SYMBOL: codes below this occur
};

// A patch: which rows of some row group are replaced, deleted and inserted (segment_patch.h).
struct PatchLocation {
  uint64_t offset = 0;  // in the file
  uint64_t size = 0;
  uint32_t crc = 0;
};

struct SegmentFooter {
  uint64_t database_id = 0;
  SegmentId segment_id{};
  TableId table_id{};
  std::vector<SegmentColumn> columns;
  std::vector<RowGroupFooter> row_groups;
  std::vector<PatchLocation> patches;

  int find_column(ColumnId id) const;  // index or -1
};

// What is read from segment files and patches cannot be: SqlError XX001.
[[noreturn]] void throw_damaged(std::string_view why);

std::string encode_segment_header(uint64_t database_id, SegmentId segment_id, TableId table_id);
// The footer with the tail that ends the file.
std::string encode_segment_footer(const SegmentFooter& footer);

struct SegmentTail {
  uint64_t footer_size = 0;
  uint32_t footer_crc = 0;
};
// The last kSegmentTailBytes of a file of `file_size` bytes. Throws XX001.
SegmentTail decode_segment_tail(std::string_view tail, uint64_t file_size);
// Checks the CRC, and that everything it says fits in `file_size` bytes. Throws XX001 in words without the
// file's name.
SegmentFooter decode_segment_footer(std::string_view bytes, const SegmentTail& tail, uint64_t file_size);
// Throws XX001 where the header is not the one that belongs to the footer.
void check_segment_header(std::string_view header, const SegmentFooter& footer);

}  // namespace idem
