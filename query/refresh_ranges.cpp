#include "query/refresh_ranges.h"

#include "common/calendar.h"
#include "query/expression_evaluator.h"
#include "query/plan_walk.h"
#include "query/sample_buckets.h"

namespace idem {

namespace {

constexpr int64_t kFarthest = int64_t{100'000} * 366 * kMicrosPerDay;  // buckets are counted up to here
constexpr int kMostSteps = 8;  // to a bucket that begins where the one before ends

bool is_bound(const SampleBuckets& buckets, int64_t time) {
  return buckets.start_of(time) == time && buckets.next(buckets.start_of(time - 1)) == time;
}

std::optional<TimeRange> widened(const SampleBuckets& buckets, const TimeRange& times) {
  if (times.min < -kFarthest || times.max > kFarthest) return std::nullopt;
  int64_t first = buckets.start_of(times.min), end = buckets.next(buckets.start_of(times.max));
  for (int step = 0; !is_bound(buckets, first); ++step) {
    if (step == kMostSteps) return std::nullopt;
    first = buckets.start_of(first - 1);
  }
  for (int step = 0; end <= times.max || !is_bound(buckets, end); ++step) {
    if (step == kMostSteps) return std::nullopt;
    end = buckets.next(end);
  }
  return TimeRange{first, end - 1};
}

// The last time of the bucket that begins at `start`: found by steps that double, then by halving the last one.
std::optional<int64_t> last_time(const BucketStart& start_of, int64_t start) {
  int64_t inside = start, outside = start + 1;
  for (int64_t step = 1; start_of(outside) <= start; step *= 2) {
    inside = outside;
    if (inside > kFarthest - step) return std::nullopt;
    outside = inside + step;
  }
  while (outside - inside > 1) {
    const int64_t middle = inside + (outside - inside) / 2;
    (start_of(middle) <= start ? inside : outside) = middle;
  }
  return inside;
}

// Times in [first, last] have starts in it, since starts never fall and those of `first` and of the time behind `last` are the times
// themselves; all others have theirs outside.
std::optional<TimeRange> widened(const BucketStart& start_of, const TimeRange& times) {
  if (times.min < -kFarthest || times.max > kFarthest) return std::nullopt;
  const int64_t first = start_of(times.min);
  if (start_of(first) != first || start_of(first - 1) >= first) return std::nullopt;
  const std::optional<int64_t> last = last_time(start_of, start_of(times.max));
  if (!last || start_of(*last + 1) != *last + 1) return std::nullopt;
  return TimeRange{first, *last};
}

template <class Buckets>
std::optional<std::vector<TimeRange>> all_widened(const Buckets& buckets,
                                                  const std::vector<TimeRange>& times) {
  std::vector<TimeRange> ranges;
  for (const TimeRange& range : times) {
    const std::optional<TimeRange> whole = widened(buckets, range);
    if (!whole) return std::nullopt;
    ranges.push_back(*whole);
  }
  return joined_ranges(std::move(ranges));
}

}  // namespace

std::optional<std::vector<TimeRange>> whole_buckets(const SampleSpec& spec,
                                                    const std::vector<TimeRange>& times) {
  return all_widened(SampleBuckets(spec, 0), times);
}

std::optional<std::vector<TimeRange>> whole_buckets(const BucketStart& start_of,
                                                    const std::vector<TimeRange>& times) {
  return all_widened(start_of, times);
}

BucketStart bucket_start(const BoundExpression& bucket, EvaluationState& state) {
  return [&bucket, &state](int64_t time) {
    std::vector<BoundPtr> column;
    column.push_back(BoundExpression::constant(Value::of_int(bucket.type, time)));
    BoundPtr call = bucket.clone();
    substitute_columns(call, column);
    return evaluate_constant(state, *call).as_int();
  };
}

std::vector<TimeRange> at_most(std::vector<TimeRange> ranges, size_t most) {
  if (ranges.size() <= most) return ranges;
  return {{ranges.front().min, ranges.back().max}};
}

}  // namespace idem
