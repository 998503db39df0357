#pragma once

#include <map>
#include <memory>
#include <unordered_map>
#include <vector>

#include "storage/table_version.h"

namespace idem {

// Where a reorganization wrote rows anew, and how versions come to show them there.
//
// A reorganization encodes the slices of one version while later commits go on. Applied to a later version it moves what
// is still shown of those slices, and carries over what was changed in them since:
//
//   encoded      slice [G 0..70000) + overlay O            ──▶ rows of E, in the order in which they were shown
//   later        slice [G 0..70000) + overlay O'           ──▶ slice of E + overlay (what O' has and O has not)
//                slice [G 0..4096), others, [G 6144..)     ──▶ the same parts of E
//
// Rows of patches that were written anew (their base staying where it is) are moved by name. Where a later version cannot
// be expressed so (it was restored to something older), its partition stays as it is, to be reorganized another time.
// One thread.
class RowMoves {
 public:
  struct Target {
    std::shared_ptr<const RowGroup> group;
    uint32_t first = 0, count = 0;
  };

  // What a slice showed is now in these rows.
  void add_slice(const Slice& slice, std::vector<Target> targets);
  // The rows of an overlay's patches are now those of another one, which has the same items in all blocks that it has.
  void add_overlay(std::shared_ptr<const Overlay> from, std::shared_ptr<const Overlay> to);
  bool empty() const { return slices_.empty() && overlays_.empty(); }

  // The overlay with its rows at their new places; itself where none moved.
  std::shared_ptr<const Overlay> moved(const std::shared_ptr<const Overlay>& overlay) const;
  // The same rows at their new places; null where nothing is to be moved or cannot be.
  std::shared_ptr<const Partition> apply(const Partition& partition, const TableSchema& schema) const;
  std::shared_ptr<const TableVersion> apply(const TableVersion& version) const;

 private:
  friend class PartitionMover;
  struct MovedSlice {
    Slice slice;
    std::vector<Target> targets;
  };
  struct PatchRow {
    std::shared_ptr<const RowGroup> group;
    uint32_t row = 0;
  };

  bool concerns(const Slice& slice) const;
  bool concerns(const BlockPatch& patch) const;
  PatchRow moved(const BlockPatch& patch, const BlockPatch::Item& item) const;

  std::unordered_map<const RowGroup*, std::vector<MovedSlice>> slices_;  // ascending by first row
  std::unordered_map<const Overlay*,
                     std::pair<std::shared_ptr<const Overlay>, std::shared_ptr<const Overlay>>>
      overlays_;  // from itself, which keeps the key alive, and to
  std::unordered_map<const RowGroup*, std::unordered_map<uint32_t, PatchRow>> patch_rows_;
};

}  // namespace idem
