#pragma once

#include <optional>
#include <vector>

#include "query/logical_plan.h"
#include "storage/changed_times.h"

namespace idem {

// The whole buckets of SAMPLE BY that hold these times, ascending and disjoint: between two of their ends lie all rows of the
// buckets that begin there, and no others. Nothing where that can not be told: at a bound of the calendar, or with buckets that a
// change of the clock cuts apart.
std::optional<std::vector<TimeRange>> whole_buckets(const SampleSpec& spec,
                                                    const std::vector<TimeRange>& times);

// At most `most` ranges that cover these: all of them, or one from the first to the last.
std::vector<TimeRange> at_most(std::vector<TimeRange> ranges, size_t most);

}  // namespace idem
