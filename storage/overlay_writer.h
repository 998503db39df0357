#pragma once

#include <memory>
#include <vector>

#include "storage/column_batch.h"
#include "storage/row_moves.h"
#include "storage/segment_writer.h"

namespace idem {

// Whether a manifest can name an overlay as it is: positions and rows are in segment files that stay.
bool is_persisted(const Overlay& overlay);
// Whether an encoded slice is better written anew than kept with its overlay: too much of it has changed, or its rows come
// from too many places, or from files that are about to be removed.
bool outgrows_overlay(const Slice& slice);

// Writes overlays of encoded slices into a segment file: the rows of each that are in memory as a row group, then all
// its positions as a patch. Rows that are in segment files already stay there. One thread.
class OverlayWriter {
 public:
  // Takes the slice's overlay if it is not persisted as it is.
  void add(const Slice& slice);
  bool empty() const { return overlays_.empty(); }

  uint64_t item_count() const;

  // Row groups and patches of all that were added. Throws as SegmentWriter::add_row_group().
  void write(SegmentWriter* writer);
  // After the file was finished: what was written where.
  void note_moves(const std::shared_ptr<SegmentFile>& file, RowMoves* moves) const;

 private:
  struct Pending {
    std::shared_ptr<const Overlay> overlay;
    std::shared_ptr<const RowGroup> base;
    SegmentPatch patch;
    std::vector<std::shared_ptr<const RowGroup>> sources;  // null: the row group that was written for it
    uint32_t row_group = 0, index = 0;
  };

  void write_rows(SegmentWriter* writer, Pending* pending) const;

  std::vector<Pending> overlays_;
};

}  // namespace idem
