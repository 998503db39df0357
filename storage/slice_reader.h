#pragma once

#include <vector>

#include "storage/table_version.h"

namespace idem {

// Rows of slices, seen through their overlays. Rows are counted from the slice's first shown one.
//
// A block (the part of a vector that the slice shows) without a patch is read from the row group as it is. A patched one
// is put together of runs of base rows and rows of patches; it may have more than 2,048 rows and comes in pieces of at
// most so many. Vectors that patch rows are taken from stay decoded while the reader lives, since the blocks of a slice
// share them. Used by one thread; slices must not change while they are open.
class SliceReader {
 public:
  struct Piece {
    uint32_t begin = 0, end = 0;  // rows of the slice, at most 2,048
    uint32_t size() const { return end - begin; }
  };

  void open(const Slice& slice);
  bool is_open() const { return slice_.group != nullptr; }
  const Slice& slice() const { return slice_; }

  // The piece that holds a row, which becomes the current one.
  Piece piece_at(uint32_t row);
  // Of the current piece.
  uint32_t block() const { return block_; }
  const BlockPatch* patch() const { return patch_; }

  // Rows [first, first + count) of one piece. Throws as RowGroup::read().
  void read(const ColumnSchema& column, uint32_t first, uint32_t count, Vector* out);

 private:
  static constexpr uint16_t kBase = UINT16_MAX;
  struct Run {
    uint16_t source = kBase;     // of the patch, or the base
    uint16_t first = 0;          // row of the block's base rows, or of the source vector
    uint16_t count = 0, at = 0;  // where in the block
  };
  struct PatchVector {
    std::shared_ptr<const RowGroup> group;
    uint32_t vector = 0;
    ColumnId column{};
    uint32_t first = 0;  // row of `rows`' first
    Vector rows;         // flat
  };

  void enter(uint32_t row);
  void find_runs();
  PatchVector& patch_vector(const BlockPatch::Source& source, const ColumnSchema& column);
  void materialize(const ColumnSchema& column, uint32_t first, uint32_t count, Vector* out);

  Slice slice_;
  uint32_t origin_ = 0;  // shown rows of the row group before the slice
  uint32_t block_ = 0;
  uint32_t block_begin_ = 0, block_end_ = 0;  // rows of the slice in it
  uint32_t base_begin_ = 0, base_end_ = 0;    // base rows in it
  const BlockPatch* patch_ = nullptr;
  std::vector<Run> runs_;  // of the patched block, once they are needed
  Vector base_;
  std::vector<PatchVector> patch_vectors_;
};

// The designated timestamp of one row of a slice.
int64_t timestamp_at(const Slice& slice, const TableSchema& schema, uint32_t row);

}  // namespace idem
