#pragma once

#include <cstddef>
#include <cstdint>
#include <unordered_map>
#include <vector>

#include "storage/table_version.h"

namespace idem {

// Slices [first, end) of a partition that are worth writing anew, joined, with their overlays folded in.
struct SliceRun {
  size_t first = 0, end = 0;
};

// What is to be done so that a partition that nobody writes any more becomes a sorted run of well-filled row groups.
//
//   slices    131072 | 40000 | 9000 + overlay | 70000 | 131072 | 20000
//             stays    └────── one run ───────┘         stays    stays: the last may be short
//
// A run ends where what it holds fills its row groups and what follows is well filled. It is given only where there are
// fewer row groups afterwards, or an overlay goes that holds more than one row in 128. Takes at most `row_budget` rows
// and subtracts them; what is left over is for the next time.
std::vector<SliceRun> plan_compaction(const Partition& partition, uint64_t* row_budget);

// Which partitions stay the same from one checkpoint to the next: tables that a checkpoint passes over have not changed
// since the last one that looked at them. Used by one thread.
class ColdPartitions {
 public:
  // Whether the partition has the rows that it had at the checkpoint before this one.
  bool is_cold(uint32_t table, const Partition& partition) const;
  void note(uint32_t table, const Partition& partition);
  // What was noted of tables becomes what is known of them.
  void finish_checkpoint();
  void forget(uint32_t table) { known_.erase(table); }

 private:
  using ContentIds = std::unordered_map<int64_t, uint64_t>;  // by start
  std::unordered_map<uint32_t, ContentIds> known_, noted_;   // by table
};

}  // namespace idem
