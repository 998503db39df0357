#pragma once

#include <atomic>
#include <memory>
#include <vector>

#include "storage/row_group.h"
#include "storage/segment_footer.h"

namespace idem {

class EncodedBlock;
class SegmentFile;
struct Attachment;

// What is known of a row group without reading the footer of its segment.
struct RowGroupSize {
  uint32_t rows = 0;
  uint64_t bytes = 0;  // of its blocks
};

// A row group in a segment file, as the table that wrote it reads it (AttachedRowGroup: as another does). Belongs to its
// SegmentFile, which hands it out and which a shared_ptr to it keeps open. Any thread may read.
//
// read() decodes the whole vector into the output's buffer and narrows it to the rows that were asked for.
// What it gives is, besides kFlat (kDictionary for SYMBOL):
//   kConstant  where all rows of the vector hold one value, or all are NULL;
//   kSequence  where an evenly spaced vector of kInt64 has no NULLs.
// Whoever needs elements calls flatten(). Strings point into the cached block or the output's buffer. A
// column that the segment does not hold (has_column() is false) is answered with ColumnSchema::initial, by
// read() too.
class SegmentRowGroup : public RowGroup {
 public:
  SegmentRowGroup(const SegmentFile& file, uint32_t index, RowGroupSize size);
  ~SegmentRowGroup() override;
  SegmentRowGroup(const SegmentRowGroup&) = delete;
  SegmentRowGroup& operator=(const SegmentRowGroup&) = delete;

  uint32_t row_count() const override { return size_.rows; }
  bool in_memory() const override { return false; }
  bool has_column(ColumnId column) const override;
  void read(const ColumnSchema& column, uint32_t first, uint32_t count, Vector* out) const override;
  VectorStatistics statistics(ColumnId column, uint32_t vector_index) const override;
  uint64_t disk_bytes() const override { return size_.bytes; }
  uint64_t memory_bytes() const override;  // of the footer's part; blocks are the cache's

  const SegmentFile& file() const { return file_; }
  uint32_t index() const { return index_; }
  RowGroupSize size() const { return size_; }
  // How the table reads it; null: as it was written.
  virtual const std::shared_ptr<const Attachment>& attachment() const;
  // Decodes the file's column `stored`, which it has, as one of the type of `column`; codes of a SYMBOL are below `codes`.
  void decode_column(const ColumnSchema& column, ColumnId stored, uint32_t codes, uint32_t first,
                     uint32_t count, Vector* out) const;
  void prepare(size_t columns);  // by the file, before anybody can see its footer

 private:
  struct BlockSlot;

  const RowGroupFooter& footer() const;
  std::shared_ptr<const EncodedBlock> block_of(uint32_t column, uint32_t block) const;

  const SegmentFile& file_;
  const uint32_t index_;
  const RowGroupSize size_;
  // The block that was read last in each column, so that the vectors of one scan find it without the cache.
  std::unique_ptr<BlockSlot[]> last_blocks_;
};

}  // namespace idem
