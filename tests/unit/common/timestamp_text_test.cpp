#include "common/timestamp_text.h"

#include <gtest/gtest.h>
#include <random>
#include <string>

#include "common/calendar.h"
#include "common/time_zone.h"
#include "tests/unit/common/expect_sql_error.h"

namespace idem {
namespace {

std::string stamp_text(int64_t micros) {
  char buffer[kMaxTimestampText];
  return {buffer, format_timestamp(buffer, micros)};
}
std::string str_tz(int64_t micros, std::string_view zone) {
  char buffer[kMaxTimestampText];
  return {buffer, format_timestamp_tz(buffer, micros, find_time_zone(zone).get())};
}
std::string read(std::string_view text, TimestampTextOptions options = {}) {
  return stamp_text(timestamp_from_text(text, options));
}

TEST(TimestampText, FixedFormsTakeTheFastPath) {
  const auto fast = [](std::string_view text, ZoneSuffix suffix = ZoneSuffix::kApply) -> std::string {
    int64_t micros;
    return parse_timestamp_fast(text.data(), text.data() + text.size(), suffix, &micros) ? stamp_text(micros)
                                                                                         : "general";
  };
  EXPECT_EQ(fast("2024-01-15"), "2024-01-15 00:00:00");
  EXPECT_EQ(fast("2024-01-15T10:20:30"), "2024-01-15 10:20:30");
  EXPECT_EQ(fast("2024-01-15 10:20:30.5"), "2024-01-15 10:20:30.5");
  EXPECT_EQ(fast("2024-01-15 10:20:30.1234565"), "2024-01-15 10:20:30.123456");
  EXPECT_EQ(fast("2024-01-15 10:20:30.123456789Z"), "2024-01-15 10:20:30.123457");
  EXPECT_EQ(fast("2024-01-15 10:20:30+02:30"), "2024-01-15 07:50:30");
  EXPECT_EQ(fast("2024-01-15 10:20:30-0230"), "2024-01-15 12:50:30");
  EXPECT_EQ(fast("2024-01-15 10:20:30+02", ZoneSuffix::kIgnore), "2024-01-15 10:20:30");
  for (const char* other :
       {"2023-02-29", "2024-13-01", "2024-1-15", "2024-01-15 24:00:00", "2024-01-15 10:20", "0000-01-01",
        "2024-01-15x10:20:30", "2024-01-15 10:20:30.", "2024-01-15 10:20:30+", "2024-01-15 10:20:30.5 Z",
        "2O24-01-15", "2024-01-15 10:2a:30", ""}) {
    EXPECT_EQ(fast(other), "general") << other;
  }
}

// Inputs and outputs of PostgreSQL 15.
TEST(TimestampText, GeneralForms) {
  EXPECT_EQ(read("2024-1-5"), "2024-01-05 00:00:00");
  EXPECT_EQ(read("Jan 5 2024"), "2024-01-05 00:00:00");
  EXPECT_EQ(read("January 5, 2024 03:04:05.6 PM"), "2024-01-05 15:04:05.6");
  EXPECT_EQ(read("20240105T101112"), "2024-01-05 10:11:12");
  EXPECT_EQ(read("01/02/2024"), "2024-01-02 00:00:00");
  EXPECT_EQ(read("1-2-99"), "1999-01-02 00:00:00");
  EXPECT_EQ(read("05-Jan-2024"), "2024-01-05 00:00:00");
  EXPECT_EQ(read("2024-005"), "2024-01-05 00:00:00");
  EXPECT_EQ(read("J2451187"), "1999-01-08 00:00:00");
  EXPECT_EQ(read("Mon Jan 15 10:00:00 2024"), "2024-01-15 10:00:00");
  EXPECT_EQ(read("15 January 44 BC"), "0044-01-15 00:00:00 BC");
  EXPECT_EQ(read("2024-01-15 24:00:00"), "2024-01-16 00:00:00");
  EXPECT_EQ(read("2024-01-15 10:00:60"), "2024-01-15 10:01:00");
  EXPECT_EQ(read("epoch"), "1970-01-01 00:00:00");
  EXPECT_EQ(read("-infinity"), "-infinity");
  EXPECT_EQ(read("2024-07-15 10:00 Europe/Berlin"), "2024-07-15 08:00:00");
  EXPECT_EQ(read("2024-01-15 PST"), "2024-01-15 08:00:00");
  EXPECT_EQ(read("4714-11-24 BC"), "4714-11-24 00:00:00 BC");
}

TEST(TimestampText, RelativeToNow) {
  TimestampTextOptions options;
  options.now_micros = timestamp_from_text("2024-03-01 23:30:00", {});
  EXPECT_EQ(read("now", options), "2024-03-01 23:30:00");
  EXPECT_EQ(read("yesterday", options), "2024-02-29 00:00:00");
  EXPECT_EQ(read("tomorrow 10:00", options), "2024-03-02 10:00:00");
  const auto berlin = find_time_zone("Europe/Berlin");
  options.zone = berlin.get();
  EXPECT_EQ(read("today", options), "2024-03-01 23:00:00");  // 2 March, midnight in Berlin
}

TEST(TimestampText, IntegersWhereAllowed) {
  TimestampTextOptions options;
  expect_sql_error("22008", "date/time field value out of range: \"1705312800000000\"",
                   [&] { read("1705312800000000", options); });
  options.allow_integer = true;
  EXPECT_EQ(read("1705312800000000", options), "2024-01-15 10:00:00");
  EXPECT_EQ(read("-1", options), "1969-12-31 23:59:59.999999");
  EXPECT_EQ(read("20240115", options), "2024-01-15 00:00:00");
}

TEST(TimestampText, Errors) {
  for (const char* bad :
       {"abc", "", "10:00", "2024-01", "2024", "Jan 2024", "2024-01-15 junk", "2024-01-15T10"}) {
    expect_sql_error("22007", "invalid input syntax for type timestamp: \"" + std::string(bad) + "\"",
                     [&] { read(bad); });
  }
  for (const char* bad : {"2024-02-30", "2024-13-01", "2024-01-15 10:60", "0000-01-01", "4714-11-23 BC"}) {
    expect_sql_error("22008", "date/time field value out of range: \"" + std::string(bad) + "\"",
                     [&] { read(bad); });
  }
  expect_sql_error("22023", "", [] { read("2024-01-15 10:00 Foo/Bar"); });
}

TEST(TimestampText, DatesAndTimes) {
  char buffer[kMaxTimestampText];
  EXPECT_EQ(std::string(buffer, format_date(buffer, date_from_text("2024-01-15 10:00", {}))), "2024-01-15");
  EXPECT_EQ(std::string(buffer, format_date(buffer, date_from_text("infinity", {}))), "infinity");
  EXPECT_EQ(std::string(buffer, format_date(buffer, date_from_text("12345-01-02", {}))), "12345-01-02");
  EXPECT_EQ(std::string(buffer, format_time(buffer, time_from_text("10:00 pm", {}))), "22:00:00");
  EXPECT_EQ(std::string(buffer, format_time(buffer, time_from_text("101112.25", {}))), "10:11:12.25");
  EXPECT_EQ(std::string(buffer, format_time(buffer, time_from_text("24:00:00", {}))), "24:00:00");
  expect_sql_error("22008", "date/time field value out of range: \"24:00:01\"",
                   [] { time_from_text("24:00:01", {}); });
  expect_sql_error("22007", "invalid input syntax for type time: \"10\"", [] { time_from_text("10", {}); });
}

TEST(TimestampText, ShowsTheOffsetOfTheZone) {
  const int64_t micros = timestamp_from_text("2024-07-01 12:00:00", {});
  EXPECT_EQ(str_tz(micros, "UTC"), "2024-07-01 12:00:00+00");
  EXPECT_EQ(str_tz(micros, "America/New_York"), "2024-07-01 08:00:00-04");
  EXPECT_EQ(str_tz(micros, "Asia/Kolkata"), "2024-07-01 17:30:00+05:30");
}

TEST(TimestampText, EveryTimestampComesBack) {
  std::mt19937_64 random(3);
  for (int i = 0; i < 50'000; ++i) {
    int64_t micros = static_cast<int64_t>(random()) >> (random() % 20);
    if (micros < kMinTimestamp) micros = -micros;
    EXPECT_EQ(timestamp_from_text(stamp_text(micros), {}), micros);
  }
}

}  // namespace
}  // namespace idem
