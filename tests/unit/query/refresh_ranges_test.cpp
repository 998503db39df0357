#include "query/refresh_ranges.h"

#include <gtest/gtest.h>

#include "common/calendar.h"
#include "common/timestamp_text.h"
#include "query/sample_buckets.h"

namespace idem {
namespace {

int64_t at(int year, int month, int day, int hour = 0, int minute = 0) {
  return days_from_civil({year, month, day}) * kMicrosPerDay + hour * kMicrosPerHour +
         minute * kMicrosPerMinute;
}

SampleSpec every(int64_t count, char unit, const std::string& zone = "") {
  SampleSpec spec;
  spec.count = count;
  spec.unit = unit;
  spec.time_zone = zone;
  return spec;
}

TEST(WholeBuckets, WidensToBoundsAndJoinsWhatMeets) {
  const std::vector<TimeRange> changed{{at(2024, 1, 1, 10, 5), at(2024, 1, 1, 10, 50)},
                                       {at(2024, 1, 1, 11, 0), at(2024, 1, 1, 11, 0)},
                                       {at(2024, 1, 1, 14, 59), at(2024, 1, 1, 15, 1)}};
  const std::vector<TimeRange> hours{{at(2024, 1, 1, 10), at(2024, 1, 1, 12) - 1},
                                     {at(2024, 1, 1, 14), at(2024, 1, 1, 16) - 1}};
  EXPECT_EQ(whole_buckets(every(1, 'h'), changed), hours);
  const std::vector<TimeRange> month{{at(2024, 1, 1), at(2024, 2, 1) - 1}};
  EXPECT_EQ(whole_buckets(every(1, 'M'), changed), month);
  EXPECT_EQ(whole_buckets(every(1, 'h'), {}), std::vector<TimeRange>());
}

TEST(WholeBuckets, OfAFunctionAreFoundByTrying) {
  const BucketStart hours = [](int64_t time) { return floor_divide(time, kMicrosPerHour) * kMicrosPerHour; };
  const std::vector<TimeRange> changed{{at(2024, 1, 1, 10, 5), at(2024, 1, 1, 11)},
                                       {at(1924, 1, 1, 14, 59), at(1924, 1, 1, 14, 59)}};
  const std::vector<TimeRange> whole{{at(1924, 1, 1, 14), at(1924, 1, 1, 15) - 1},
                                     {at(2024, 1, 1, 10), at(2024, 1, 1, 12) - 1}};
  EXPECT_EQ(whole_buckets(hours, changed), whole);
  const BucketStart moments = [](int64_t time) { return time; };
  EXPECT_EQ(whole_buckets(moments, {{5, 9}}), (std::vector<TimeRange>{{5, 9}}));
}

TEST(WholeBuckets, OfAFunctionMustHoldTheirBegin) {
  const BucketStart ends = [](int64_t time) { return (floor_divide(time, 10) + 1) * 10; };
  EXPECT_FALSE(whole_buckets(ends, {{12, 13}}));
  const BucketStart forever = [](int64_t) { return int64_t{0}; };
  EXPECT_FALSE(whole_buckets(forever, {{12, 13}}));
}

TEST(WholeBuckets, ADayOfAZoneMayHave23Hours) {
  // Berlin, 31 March 2024: from 23:00 UTC of the 30th to 22:00 UTC.
  const std::vector<TimeRange> day{{at(2024, 3, 30, 23), at(2024, 3, 31, 22) - 1}};
  EXPECT_EQ(whole_buckets(every(1, 'd', "Europe/Berlin"), {{at(2024, 3, 31, 12), at(2024, 3, 31, 12)}}), day);
}

TEST(WholeBuckets, NothingAtTheEndOfTime) {
  EXPECT_EQ(whole_buckets(every(1, 'h'), {{INT64_MIN, 0}}), std::nullopt);
  EXPECT_EQ(whole_buckets(every(1, 'h'), {{0, INT64_MAX}}), std::nullopt);
}

// In every range found, over all changes of the clock of a year: a moment is within it exactly when its bucket begins there.
TEST(WholeBuckets, HoldExactlyTheRowsOfTheirBuckets) {
  const std::pair<int64_t, char> spans[] = {{7, 'm'}, {15, 'm'}, {45, 'm'}, {1, 'h'}, {5, 'h'},
                                            {1, 'd'}, {3, 'd'},  {1, 'w'},  {1, 'M'}, {1, 'y'}};
  for (const char* zone :
       {"", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "America/Havana", "Asia/Kathmandu"}) {
    for (const auto& [count, unit] : spans) {
      const SampleSpec spec = every(count, unit, zone);
      const SampleBuckets buckets(spec, 0);
      for (int64_t t = at(2023, 12, 30); t < at(2025, 1, 3); t += 613 * kMicrosPerMinute) {
        const auto ranges = whole_buckets(spec, {{t, t + 40 * kMicrosPerMinute}});
        if (!ranges) continue;
        ASSERT_EQ(ranges->size(), 1u);
        const TimeRange range = (*ranges)[0];
        ASSERT_LE(range.min, t);
        ASSERT_GE(range.max, t + 40 * kMicrosPerMinute);
        ASSERT_EQ(buckets.start_of(range.min), range.min) << zone << ' ' << count << unit;
        ASSERT_EQ(buckets.next(buckets.start_of(range.min - 1)), range.min) << zone << ' ' << count << unit;
        ASSERT_EQ(buckets.next(buckets.start_of(range.max)), range.max + 1) << zone << ' ' << count << unit;
      }
    }
  }
}

TEST(AtMost, OneRangeInPlaceOfTooMany) {
  EXPECT_EQ(at_most({{1, 2}, {4, 5}, {7, 8}}, 2), (std::vector<TimeRange>{{1, 8}}));
  EXPECT_EQ(at_most({{1, 2}, {4, 5}}, 2), (std::vector<TimeRange>{{1, 2}, {4, 5}}));
}

}  // namespace
}  // namespace idem
