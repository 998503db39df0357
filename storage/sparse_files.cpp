#include "storage/sparse_files.h"

#include <algorithm>
#include <unordered_map>

#include "storage/kept_slices.h"

namespace idem {

namespace {

constexpr uint64_t kLeastBytes = 64 << 10;  // smaller files are not worth it

// Null for rows in memory.
const SegmentFile* file_of(const RowGroup& group) {
  return group.in_memory() ? nullptr : &static_cast<const SegmentRowGroup&>(group).file();
}

uint64_t row_group_bytes(const SegmentFile& file) {
  uint64_t bytes = 0;
  for (uint32_t i = 0; i < file.row_group_count(); ++i) bytes += file.row_group(i)->size().bytes;
  return bytes;
}

}  // namespace

SparseFiles::SparseFiles(const ManifestWriter& manifest, bool at_segments)
    : manifest_(manifest), any_pack_(manifest.has_sparse_pack()) {
  if (!at_segments) return;
  // Row groups of all tables, since one may show rows of another's files.
  std::unordered_map<const SegmentFile*, uint64_t> shown;
  std::unordered_set<uint64_t> counted;  // row groups, by segment and index
  for (const auto& [id, table] : manifest.written().tables) {
    for_each_slice(table->versions, [&](const Slice& slice) {
      for_each_row_group(slice, [&](const RowGroup& group) {
        const auto& encoded = static_cast<const SegmentRowGroup&>(group);
        const SegmentFile& file = encoded.file();
        if (file.pack() || file.row_group_count() < 2) return;
        if (!counted.insert(static_cast<uint64_t>(file.id()) << 16 | encoded.index()).second) return;
        shown[&file] += encoded.size().bytes;
      });
    });
  }
  for (const auto& [file, bytes] : shown) {
    const uint64_t all = row_group_bytes(*file);
    if (all >= kLeastBytes && bytes < all / 2) segments_.insert(file);
  }
}

bool SparseFiles::holds(const SegmentFile* file) const {
  if (!file) return false;
  return file->pack() ? any_pack_ && manifest_.is_sparse(file->pack()->id()) : segments_.contains(file);
}

bool SparseFiles::holds_rows_of(const Slice& slice) const {
  if (!any_pack_ && segments_.empty()) return false;
  bool held = slice.overlay && holds(slice.overlay->file().get());
  for_each_row_group(slice, [&](const RowGroup& group) { held = held || holds(file_of(group)); });
  return held;
}

bool SparseFiles::holds_rows_of(const TableVersion& version) const {
  if (!any_pack_ && segments_.empty()) return false;
  bool held = false;
  version.partitions.for_each([&](const std::shared_ptr<const Partition>& partition) {
    held = held || std::any_of(partition->slices.begin(), partition->slices.end(),
                               [&](const Slice& slice) { return holds_rows_of(slice); });
  });
  return held;
}

}  // namespace idem
