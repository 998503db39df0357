#pragma once

#include <vector>

#include "storage/partition_difference.h"
#include "storage/table_history.h"

namespace idem {

// fn(slice) for each slice of each version; those in partitions that versions share once.
template <class F>
void for_each_slice(const std::vector<KeptVersion>& versions, F&& fn) {
  using PartitionPtr = std::shared_ptr<const Partition>;
  PersistentVector<PartitionPtr> before;
  for (const KeptVersion& kept : versions) {
    for_each_changed_partition(before, kept.version->partitions,
                               [&](int64_t, const PartitionPtr&, const PartitionPtr& partition) {
                                 if (!partition) return;
                                 for (const Slice& slice : partition->slices) fn(slice);
                               });
    before = kept.version->partitions;
  }
}

// fn(row group) for the rows that a slice is made of: its own and those that its overlay takes.
template <class F>
void for_each_row_group(const Slice& slice, F&& fn) {
  fn(*slice.group);
  if (!slice.overlay) return;
  for (const auto& patch : slice.overlay->blocks()) {
    if (!patch) continue;
    for (const BlockPatch::Source& source : patch->sources()) fn(*source.group);
  }
}

}  // namespace idem
