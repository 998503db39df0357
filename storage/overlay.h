#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "storage/row_group.h"

namespace idem {

class SegmentFile;

// What changed in one block (2,048 rows) of a row group, by position. Immutable; any thread may read.
//
//   base rows       0    1    2    3    4    5  …
//   items           insert before 1: a, b;  replace 3: c;  delete 4;  insert before 5: d
//   shown rows      0  a b 1    2    c         d 5  …
//
// Items ascend by position; at one position insertions come first, in their order, then at most one replacement or
// deletion. A row that is shown through a patch is named by the row group that holds it and its row there, whether that
// is in memory or in a segment file. Rows that others follow in a slice are always inserted before a row of the base, so
// a slice ends where its base rows end.
class BlockPatch {
 public:
  enum class Kind : uint8_t { kInsert, kReplace, kDelete };
  // One vector of a row group, of which rows [begin, end) are used.
  struct Source {
    std::shared_ptr<const RowGroup> group;
    uint32_t vector = 0;
    uint16_t begin = 0, end = 0;
  };
  struct Item {
    uint16_t position = 0;
    Kind kind = Kind::kDelete;
    uint16_t source = 0, row = 0;  // index into sources(), row of that vector; not of deletions
  };
  // More items or insertions than a block can sensibly have; what is read from files is held to it.
  static constexpr uint32_t kMaxItems = 2 * kVectorSize, kMaxInsertions = kVectorSize;

  const std::vector<Item>& items() const { return items_; }
  const std::vector<Source>& sources() const { return sources_; }
  const RowGroup& group_of(const Item& item) const { return *sources_[item.source].group; }
  uint32_t row_of(const Item& item) const { return sources_[item.source].vector * kVectorSize + item.row; }
  // Shown rows less base rows, of the whole block and of those before a position.
  int32_t shift() const { return shift_; }
  int32_t shift_before(uint32_t position) const;

 private:
  friend class BlockPatchBuilder;
  std::vector<Item> items_;
  std::vector<Source> sources_;
  int32_t shift_ = 0;
};

// Collects the items of a patch in their order.
class BlockPatchBuilder {
 public:
  void add(uint32_t position, BlockPatch::Kind kind, const std::shared_ptr<const RowGroup>& group,
           uint32_t row);
  void add_deletion(uint32_t position) { add(position, BlockPatch::Kind::kDelete, nullptr, 0); }
  // An item of another patch of the same base, as it is.
  void add(const BlockPatch& patch, const BlockPatch::Item& item);
  bool empty() const { return patch_.items_.empty(); }
  bool is_full() const {
    return patch_.items_.size() >= BlockPatch::kMaxItems || insertions_ >= BlockPatch::kMaxInsertions;
  }
  // Null if nothing was added. The builder is empty afterwards.
  std::shared_ptr<const BlockPatch> finish();

 private:
  BlockPatch patch_;
  uint32_t insertions_ = 0;
};

// Changes of one row group, a patch for each block that has any. Immutable and path-copied: the overlay of the next
// version shares the patches of the blocks that it does not touch. Any thread may read.
//
//   overlay ─▶ block 0: –   block 1: patch   block 2: –   block 3: patch   (64 at most)
//
// Rows in "shown" order are counted from the first one of the row group on; a slice shows a part of them.
class Overlay {
 public:
  using Blocks = std::vector<std::shared_ptr<const BlockPatch>>;

  // Null if no block has a patch. `file` and `patch` name where it is persisted exactly as it is, if it is.
  static std::shared_ptr<const Overlay> make(Blocks blocks, std::shared_ptr<const SegmentFile> file = nullptr,
                                             uint32_t patch = 0);

  const BlockPatch* patch(uint32_t block) const {
    return block < blocks_.size() ? blocks_[block].get() : nullptr;
  }
  const Blocks& blocks() const { return blocks_; }
  // Shown rows that precede base row `row` and what is inserted before it.
  uint32_t shown_before(uint32_t row) const;
  // The block in which a shown row is.
  uint32_t block_showing(uint32_t shown_row) const;
  // Items that concern base rows [begin, end).
  uint32_t item_count(uint32_t begin, uint32_t end) const;
  uint64_t disk_bytes() const;  // of the row groups in segment files that patches take rows from
  bool touches(uint32_t begin, uint32_t end) const;  // item_count(begin, end) > 0, for whole blocks

  const std::shared_ptr<const SegmentFile>& file() const { return file_; }
  uint32_t patch_index() const { return patch_; }

 private:
  Blocks blocks_;
  std::vector<int32_t> shift_before_;  // of each block, and after the last
  std::shared_ptr<const SegmentFile> file_;
  uint32_t patch_ = 0;
};

}  // namespace idem
