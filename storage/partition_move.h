#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "storage/partition_change.h"

namespace idem {

// DETACH and ATTACH PARTITION: rows of one table become rows of another. Those in segment files of a table stay there and are
// read through an Attachment; others are copied: rows in memory, in packs, and blocks with a patch.
//
//   partition of weekly table     change of the yearly table
//   [S1 0..131072)                rows S1 0..131072, attached
//   [S2 0..80000) + patch of      rows S2 0..4096, attached; 2,048 rows copied; rows S2 6144..80000, attached
//                   block 2
//   [in memory]                   rows copied

// Whether rows may move between tables of these schemas: the same columns, designated timestamp and upsert keys, deletions
// hidden by the same column. Throws 42P16 where they differ, 23505 where the target's keys are unique and the source's were
// never checked.
void check_rows_may_move(const TableSchema& from, const TableSchema& to);

// The partition of `to` in which all rows fit. Throws 22023 where they do not.
int64_t partition_for(const Partition& rows, const TableSchema& from, const TableSchema& to);

// Before which row of `current` (may be null) the rows stand, all of them. Throws 23505 where there are others between
// them.
uint64_t place_between(const std::shared_ptr<const Partition>& current, const Partition& rows,
                       const std::shared_ptr<const TableSchema>& schema);

// Changes that insert the rows of a partition of `from`, one after the other, before row `before` of a partition of `to`. Columns
// go by name, symbols by their strings. `next_id` gives the ids of attachments; without it all rows are copied.
std::vector<PartitionChange> insertions_of(const std::shared_ptr<const Partition>& rows,
                                           const std::shared_ptr<const TableSchema>& from,
                                           const std::shared_ptr<const TableSchema>& to, int64_t start,
                                           uint64_t before, const std::function<uint64_t()>& next_id);

}  // namespace idem
