#pragma once

#include <memory>
#include <unordered_map>
#include <vector>

#include "storage/checkpoint_segments.h"
#include "storage/overlay_writer.h"

namespace idem {

// Whether a manifest can name a slice as it is: its rows, and those of its overlay, are in segment files that stay.
bool is_persistent(const Slice& slice);

// Writes rows that no newest version shows any more, for kept versions that do.
//
//   newest version   (truncated)                      nothing to write
//   kept 12          slice [G 0..900)                 written, once
//   kept 11          slice [G 0..700)                 the first part of the same
//
// Give it the partitions of the newest kept version first, then write(), then ask for each. One thread.
class KeptVersionEncoder {
 public:
  // `schema` has the columns of all versions.
  explicit KeptVersionEncoder(std::shared_ptr<const TableSchema> schema) : schema_(std::move(schema)) {}

  void plan(const Partition& partition);
  bool empty() const { return pieces_.empty() && overlays_.empty(); }
  // One segment. Throws SqlError 58030, 53100.
  std::shared_ptr<SegmentFile> write(CheckpointSegments* segments);
  // The version with the written rows in place of those in memory; null if it shows none of them.
  std::shared_ptr<const TableVersion> persistent(const std::shared_ptr<const TableVersion>& version);

 private:
  struct Piece {
    Slice slice;
    std::vector<std::shared_ptr<const RowGroup>> written;  // full ones, the last one may be shorter
    uint32_t first_group = 0;                              // of the file
  };
  const Piece* find(const Slice& slice) const;
  std::shared_ptr<const Partition> persistent(const std::shared_ptr<const Partition>& partition,
                                              const TableSchema& schema);

  const std::shared_ptr<const TableSchema> schema_;
  std::vector<Piece> pieces_;
  OverlayWriter overlays_;  // of slices whose rows are in segment files
  RowMoves moves_;          // of those overlays
  std::unordered_map<const RowGroup*, std::vector<size_t>> by_group_;
  std::unordered_map<const Partition*, std::shared_ptr<const Partition>> seen_;
};

}  // namespace idem
