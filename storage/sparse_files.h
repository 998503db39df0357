#pragma once

#include <unordered_set>

#include "storage/manifest_writer.h"

namespace idem {

// Files of which hardly anything is named any more: packs most of whose segments are not, and segment files most of whose row
// groups no version shows, because partitions were dropped or overwritten. A checkpoint writes anew what newest versions show
// of them, so that they go.
//
//   segment 12:  row group 0 (day 1, dropped) │ 1 (day 2, dropped) │ 2 ◀── day 3
//                                                                    └──▶ written anew; the file is removed
class SparseFiles {
 public:
  // Looks at packs, and where `at_segments` says so at segment files, of what the manifest says.
  SparseFiles(const ManifestWriter& manifest, bool at_segments);

  bool holds_rows_of(const Slice& slice) const;
  bool holds_rows_of(const TableVersion& version) const;

 private:
  bool holds(const SegmentFile* file) const;

  const ManifestWriter& manifest_;
  bool any_pack_ = false;
  std::unordered_set<const SegmentFile*> segments_;
};

}  // namespace idem
