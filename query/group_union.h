#pragma once

#include <memory>
#include <vector>

#include "query/aggregate_groups.h"

namespace idem {

// Groups of one range of the input, of which some are groups of the result.
struct UnitedGroups {
  std::shared_ptr<AggregateGroups> groups;
  std::vector<uint8_t> folded;  // by group: 1 where an earlier range has it; empty: none of them
  uint32_t live = 0;            // how many are not folded

  // Of the groups [first, first + count) those that are not folded, as places behind `first`; count is at most kVectorSize.
  uint32_t select(uint32_t first, uint32_t count, uint16_t* out) const;
};

using RangeGroups = std::vector<std::unique_ptr<AggregateGroups>>;  // of one set, in the order of their rows

// Whether there are enough groups, and they can be told from those of other ranges, for unite_groups().
bool can_unite_groups(const AggregateSpec& spec, const RangeGroups& ranges);

// Brings groups of consecutive ranges together, on all threads. A group stays where its first range has it, and later ranges' states
// of it are folded into that in their order; keys and states are not moved. Threads take parts of the hash.
//
//   range 0   a b c d e …                 part 0, all ranges ─▶ slots of that part ─▶ states folded
//   range 1   f b g a …                   part 1, …
//             live: f g … of a and b the states go to range 0
std::vector<UnitedGroups> unite_groups(const AggregateSpec& spec, RangeGroups ranges,
                                       const ExecutionContext& context);

}  // namespace idem
