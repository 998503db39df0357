#include "query/refresh_ranges.h"

#include "common/calendar.h"
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

}  // namespace

std::optional<std::vector<TimeRange>> whole_buckets(const SampleSpec& spec,
                                                    const std::vector<TimeRange>& times) {
  const SampleBuckets buckets(spec, 0);
  std::vector<TimeRange> ranges;
  for (const TimeRange& range : times) {
    const std::optional<TimeRange> whole = widened(buckets, range);
    if (!whole) return std::nullopt;
    ranges.push_back(*whole);
  }
  return joined_ranges(std::move(ranges));
}

std::vector<TimeRange> at_most(std::vector<TimeRange> ranges, size_t most) {
  if (ranges.size() <= most) return ranges;
  return {{ranges.front().min, ranges.back().max}};
}

}  // namespace idem
