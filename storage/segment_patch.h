#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "storage/overlay.h"
#include "storage/schema.h"
#include "storage/segment_id.h"

namespace idem {

// An overlay as a segment file holds it (docs/format/segment.md, "Patch"): positions in the blocks of a row group, and
// the rows there by segment, row group and row.
struct SegmentPatch {
  struct RowGroupName {
    TableId table{};  // in whose folder the file is
    SegmentId segment{};
    uint32_t row_group = 0;
    bool operator==(const RowGroupName&) const = default;
  };
  struct Item {
    uint16_t position = 0;
    BlockPatch::Kind kind = BlockPatch::Kind::kDelete;
    uint32_t source = 0, row = 0;  // index into sources, row of that row group; not of deletions
  };
  struct Block {
    uint32_t index = 0;
    std::vector<Item> items;
  };

  RowGroupName base;
  std::vector<RowGroupName> sources;
  std::vector<Block> blocks;  // ascending
};

std::string encode_segment_patch(const SegmentPatch& patch);
// Checks everything that can be checked without the row groups: order, kinds, numbers. Throws XX001 in words without the
// file's name.
SegmentPatch decode_segment_patch(std::string_view bytes);

// The overlay of a row group that a patch describes; `sources` are its row groups in the order of SegmentPatch::sources,
// `file` and `index` say where the patch is. Throws XX001 where it names rows that are not there.
std::shared_ptr<const Overlay> overlay_of(const SegmentPatch& patch, const RowGroup& base,
                                          const std::vector<std::shared_ptr<const RowGroup>>& sources,
                                          std::shared_ptr<const SegmentFile> file, uint32_t index);

}  // namespace idem
