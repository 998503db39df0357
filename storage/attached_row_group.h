#pragma once

#include "storage/attachment.h"
#include "storage/segment_file.h"

namespace idem {

// A row group in a segment file of another table. Keeps the file open. Statistics of SYMBOL columns bound the codes of the
// whole file: right for skipping vectors where a symbol is none of those, not for more.
class AttachedRowGroup final : public SegmentRowGroup {
 public:
  // `stored`: as the table that wrote it reads it.
  AttachedRowGroup(std::shared_ptr<const SegmentRowGroup> stored,
                   std::shared_ptr<const Attachment> attachment);

  bool has_column(ColumnId column) const override;
  void read(const ColumnSchema& column, uint32_t first, uint32_t count, Vector* out) const override;
  VectorStatistics statistics(ColumnId column, uint32_t vector_index) const override;

  const std::shared_ptr<const Attachment>& attachment() const override { return attachment_; }
  const std::shared_ptr<const SegmentRowGroup>& stored() const { return stored_; }

 private:
  const std::shared_ptr<const SegmentRowGroup> stored_;
  const std::shared_ptr<const Attachment> attachment_;
};

// A row group as another table reads it, be it a table's own or one that was attached to it.
std::shared_ptr<const SegmentRowGroup> attach_row_group(const std::shared_ptr<const SegmentRowGroup>& group,
                                                        std::shared_ptr<const Attachment> attachment);

}  // namespace idem
