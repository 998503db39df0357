#include "common/time_zone.h"

#include <algorithm>
#include <gtest/gtest.h>
#include <string>

#include "common/timestamp_text.h"
#include "tests/unit/common/expect_sql_error.h"

namespace idem {
namespace {

int64_t utc(std::string_view text) { return timestamp_from_text(text, {}); }
std::string utc_of(std::string_view zone, std::string_view local) {
  char buffer[kMaxTimestampText];
  return {buffer, format_timestamp(buffer, time_zone_from_name(zone)->local_to_utc(utc(local)))};
}

TEST(TimeZone, FindsNamesInAnyCase) {
  EXPECT_EQ(find_time_zone("europe/berlin")->name(), "Europe/Berlin");
  EXPECT_EQ(find_time_zone("Europe/Berlin"), find_time_zone("EUROPE/BERLIN"));
  EXPECT_TRUE(find_time_zone("utc")->is_utc());
  EXPECT_EQ(find_time_zone("Foo/Bar"), nullptr);
  EXPECT_EQ(find_time_zone("../../etc/passwd"), nullptr);
  EXPECT_EQ(find_time_zone(""), nullptr);
  expect_sql_error("22023", "time zone \"foo\" not recognized", [] { time_zone_from_name("foo"); });
  const auto names = time_zone_names();
  EXPECT_TRUE(std::binary_search(names.begin(), names.end(), "America/New_York"));
}

TEST(TimeZone, OffsetsOverTheYears) {
  const auto berlin = find_time_zone("Europe/Berlin");
  EXPECT_EQ(berlin->utc_offset_at(utc("2024-01-15")), 3600);
  EXPECT_EQ(berlin->utc_offset_at(utc("2024-07-15")), 7200);
  EXPECT_EQ(berlin->utc_offset_at(utc("2090-07-15")), 7200);  // beyond the listed transitions
  EXPECT_EQ(berlin->utc_offset_at(utc("1850-01-01")), 3208);  // local mean time
  EXPECT_EQ(berlin->abbreviation_at(utc("2024-07-15")), "CEST");
  EXPECT_TRUE(berlin->is_dst_at(utc("2024-07-15")));
  EXPECT_EQ(find_time_zone("Australia/Sydney")->utc_offset_at(utc("2090-01-15")), 11 * 3600);
}

TEST(TimeZone, PosixOffsetsCountWestwards) {
  EXPECT_EQ(find_time_zone("+02:00")->utc_offset_at(0), -7200);
  EXPECT_EQ(find_time_zone("XYZ3")->utc_offset_at(0), -3 * 3600);
  EXPECT_EQ(find_time_zone("CST6CDT,M4.1.0/3,M10.5.0/1")->utc_offset_at(utc("2024-07-01")), -5 * 3600);
  EXPECT_EQ(fixed_time_zone(9000)->name(), "<+02:30>-02:30");
  EXPECT_EQ(fixed_time_zone(9000)->utc_offset_at(0), 9000);
}

// As PostgreSQL: in a gap the offset from before, in an overlap the later reading.
TEST(TimeZone, GapsAndOverlaps) {
  EXPECT_EQ(utc_of("Europe/Berlin", "2024-03-31 01:59:59"), "2024-03-31 00:59:59");
  EXPECT_EQ(utc_of("Europe/Berlin", "2024-03-31 02:30"), "2024-03-31 01:30:00");
  EXPECT_EQ(utc_of("Europe/Berlin", "2024-03-31 03:00"), "2024-03-31 01:00:00");
  EXPECT_EQ(utc_of("Europe/Berlin", "2024-10-27 01:59"), "2024-10-26 23:59:00");
  EXPECT_EQ(utc_of("Europe/Berlin", "2024-10-27 02:30"), "2024-10-27 01:30:00");
  EXPECT_EQ(utc_of("Europe/Berlin", "2024-10-27 03:00"), "2024-10-27 02:00:00");
}

}  // namespace
}  // namespace idem
