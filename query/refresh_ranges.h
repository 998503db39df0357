#pragma once

#include <functional>
#include <optional>
#include <vector>

#include "query/evaluation.h"
#include "query/logical_plan.h"
#include "storage/changed_times.h"

namespace idem {

// The whole buckets of SAMPLE BY that hold these times, ascending and disjoint: between two of their ends lie all rows of the
// buckets that begin there, and no others. Nothing where that can not be told: at a bound of the calendar, or with buckets that a
// change of the clock cuts apart.
std::optional<std::vector<TimeRange>> whole_buckets(const SampleSpec& spec,
                                                    const std::vector<TimeRange>& times);

// Gives for a time where its bucket begins, which never falls from one time to a later one.
using BucketStart = std::function<int64_t(int64_t)>;

// The same for other buckets. Nothing at the far ends of time, and where a bucket does not hold its own begin.
std::optional<std::vector<TimeRange>> whole_buckets(const BucketStart& start_of,
                                                    const std::vector<TimeRange>& times);

// The buckets of an expression over a time, its column 0. Both arguments must outlive the result.
BucketStart bucket_start(const BoundExpression& bucket, EvaluationState& state);

// At most `most` ranges that cover these: all of them, or one from the first to the last.
std::vector<TimeRange> at_most(std::vector<TimeRange> ranges, size_t most);

}  // namespace idem
