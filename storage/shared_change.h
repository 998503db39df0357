#pragma once

#include <cstdint>
#include <vector>

#include "storage/partition_change.h"

namespace idem {

// What one owner of several did within a change of all of them.
struct OwnChange {
  uint32_t owner = 0;
  PartitionChange change;
};

// Takes a change apart by whom its rows belong to (`owners`, by row of its batch; numbers 0, 1, …): for each owner that has
// any, in their order, what changes the partition as the owners before left it. One after the other they are the whole change.
//
//   positions before   0 1 2        whole: insert before 1: a (of 1), b (of 0); before 3: c (of 1)
//   of 0: insert before 1: b        of 1, on 0 b 1 2: insert before 1: a; before 4: c
//
// The change inserts and replaces rows of its batch, each at most once; it deletes none.
std::vector<OwnChange> take_apart(const PartitionChange& whole, const std::vector<uint32_t>& owners);

}  // namespace idem
