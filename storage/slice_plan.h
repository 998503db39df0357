#pragma once

#include <memory>
#include <utility>
#include <vector>

#include "storage/change_cursor.h"

namespace idem {

// How a change is carried out in the blocks of one slice. A block gets a patch where few of its rows change and is
// written anew where many do:
//
//   block      change                     fate
//   0          –                          kept, with the patch that it has
//   1          3 rows replaced            patched: its patch and the change become the next one
//   2          900 rows inserted          rewritten into a new row group; the slice is cut there
//   3          every row deleted          dropped, without reading it
struct BlockPlan {
  enum class Fate : uint8_t { kKept, kPatched, kRewritten, kDropped };
  // Of the next patch; a row of the old one or a new one.
  struct Item {
    uint16_t position = 0;
    BlockPatch::Kind kind = BlockPatch::Kind::kDelete;
    const BlockPatch::Item* old = nullptr;
    // Where there is no old item: the number of the new row; of an inserted row that is encoded already its number
    // among the inserted ones.
    uint32_t new_row = 0;
    bool encoded = false;
  };
  Fate fate = Fate::kKept;
  uint32_t begin = 0, end = 0;          // base rows, within one vector of the row group
  uint32_t first_row = 0, end_row = 0;  // rows of the slice
  ChangeRange change;
  std::vector<Item> items;
};

struct SlicePlan {
  bool changes = false;
  bool first_row_changes = false, last_row_changes = false;  // its bounds are not the old ones any more
  std::vector<BlockPlan> blocks;                             // of a slice that changes
};

// Plans a change slice by slice, in order. `change` outlives it.
class SlicePlanner {
 public:
  explicit SlicePlanner(const PartitionChange& change) : change_(change), cursor_(change.positions) {}

  // Of the next slice, whose first shown row is ordinal `first`.
  SlicePlan plan(const Slice& slice, uint64_t first);
  // What is left after the last slice: insertions at the end.
  bool inserts_at_end() const { return cursor_.next() != UINT64_MAX; }
  // Rows of the change's batch that patches show, by the number of the new row.
  const std::vector<uint32_t>& new_rows() const { return new_rows_; }

 private:
  void plan_block(const Slice& slice, uint64_t ordinal, BlockPlan* block);
  void merge(const BlockPatch* patch, uint64_t ordinal, uint32_t limit, BlockPlan* block);
  void add_inserted(BlockPlan* block, uint32_t position, uint64_t index);
  void add_new(BlockPlan* block, uint32_t position, BlockPatch::Kind kind, uint32_t batch_row);

  const PartitionChange& change_;
  ChangeCursor cursor_;
  std::vector<uint32_t> new_rows_;
};

// Where the new rows of patches were written.
struct PatchRowPlaces {
  struct Range {
    std::shared_ptr<const RowGroup> group;
    uint32_t first = 0, count = 0;
  };
  std::vector<Range> ranges;  // in order of the rows' numbers
  std::pair<std::shared_ptr<const RowGroup>, uint32_t> of(uint32_t new_row) const;
  uint32_t used() const { return ranges.empty() ? 0 : ranges.back().first + ranges.back().count; }
};
// The overlay of the slice after the change: patched blocks have the planned patches, whose new rows are where `place`
// says; those that are not kept have none.
std::shared_ptr<const Overlay> overlay_after(const Slice& slice, const SlicePlan& plan,
                                             const PatchRowPlaces& places, const PartitionChange& change);

// Writes them into the row group in memory that the partition's earlier patches use, where there is room, or a new one.
PatchRowPlaces write_patch_rows(const Partition& before, const PartitionChange& change,
                                const std::vector<uint32_t>& batch_rows, const WriteContext& context);

// The row group in memory if this writer may add rows to it; null otherwise.
MemoryRowGroup* growing_group(const RowGroup* group, const WriteContext& context);

}  // namespace idem
