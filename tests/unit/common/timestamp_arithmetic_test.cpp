#include "common/timestamp_arithmetic.h"

#include <cmath>
#include <gtest/gtest.h>
#include <string>

#include "common/calendar.h"
#include "common/time_zone.h"
#include "common/timestamp_text.h"
#include "tests/unit/common/expect_sql_error.h"

namespace idem {
namespace {

int64_t ts(std::string_view text) { return timestamp_from_text(text, {}); }
Interval iv(std::string_view text) { return interval_from_text(text); }
std::string str(int64_t micros) {
  char buffer[kMaxTimestampText];
  return {buffer, format_timestamp(buffer, micros)};
}
std::string str(const Interval& interval) {
  char buffer[kMaxIntervalText];
  return {buffer, format_interval(buffer, interval)};
}
std::string field(TimeUnit unit, std::string_view text) {
  bool is_null;
  return decimal_to_string(extract_timestamp(unit, ts(text), &is_null));
}

// Expected values are those of PostgreSQL 15.
TEST(TimestampArithmetic, AddsIntervals) {
  EXPECT_EQ(str(add_interval(ts("2024-01-31 10:00"), iv("1 month"))), "2024-02-29 10:00:00");
  EXPECT_EQ(str(add_interval(ts("2024-03-31"), iv("-1 month"))), "2024-02-29 00:00:00");
  EXPECT_EQ(str(add_interval(ts("2024-01-31"), iv("1 month 1 day 01:00"))), "2024-03-01 01:00:00");
  EXPECT_EQ(str(add_interval(ts("infinity"), iv("1 day"))), "infinity");
  expect_sql_error("22008", "timestamp out of range", [] { add_interval(ts("294247-01-01"), iv("1 year")); });
}

TEST(TimestampArithmetic, DaysFollowTheWallClock) {
  const auto zone = find_time_zone("America/New_York");
  EXPECT_EQ(str(add_interval(ts("2024-03-09 17:00"), iv("1 day"), zone.get())), "2024-03-10 16:00:00");
  EXPECT_EQ(str(add_interval(ts("2024-03-09 17:00"), iv("24:00"), zone.get())), "2024-03-10 17:00:00");
  EXPECT_EQ(str(truncate_timestamp(TimeUnit::kDay, ts("2024-03-10 17:00"), zone.get())),
            "2024-03-10 05:00:00");
}

TEST(TimestampArithmetic, Differences) {
  EXPECT_EQ(str(subtract_timestamps(ts("2024-03-01 01:00"), ts("2024-02-28 02:00"))), "1 day 23:00:00");
  EXPECT_EQ(str(age(ts("2024-03-01"), ts("2023-01-31 12:00"))), "1 year 1 mon 12:00:00");
  EXPECT_EQ(str(age(ts("2023-01-31"), ts("2024-03-01"))), "-1 years -1 mons -1 days");
}

TEST(TimestampArithmetic, Truncates) {
  const int64_t t = ts("2024-08-15 10:20:30.456789");
  EXPECT_EQ(str(truncate_timestamp(TimeUnit::kMillisecond, t)), "2024-08-15 10:20:30.456");
  EXPECT_EQ(str(truncate_timestamp(TimeUnit::kHour, t)), "2024-08-15 10:00:00");
  EXPECT_EQ(str(truncate_timestamp(TimeUnit::kWeek, t)), "2024-08-12 00:00:00");
  EXPECT_EQ(str(truncate_timestamp(TimeUnit::kQuarter, t)), "2024-07-01 00:00:00");
  EXPECT_EQ(str(truncate_timestamp(TimeUnit::kCentury, t)), "2001-01-01 00:00:00");
  EXPECT_EQ(str(truncate_timestamp(TimeUnit::kHour, ts("1969-12-31 23:30"))), "1969-12-31 23:00:00");
  expect_sql_error("0A000", "", [&] { truncate_timestamp(TimeUnit::kDayOfWeek, t); });
}

TEST(TimestampArithmetic, Extracts) {
  const char* t = "2024-12-30 10:20:30.5";
  EXPECT_EQ(field(TimeUnit::kSecond, t), "30.500000");
  EXPECT_EQ(field(TimeUnit::kMillisecond, t), "30500.000");
  EXPECT_EQ(field(TimeUnit::kMicrosecond, t), "30500000");
  EXPECT_EQ(field(TimeUnit::kEpoch, t), "1735554030.500000");
  EXPECT_EQ(field(TimeUnit::kWeek, t), "1");
  EXPECT_EQ(field(TimeUnit::kIsoYear, t), "2025");
  EXPECT_EQ(field(TimeUnit::kDayOfYear, t), "365");
  EXPECT_EQ(field(TimeUnit::kIsoDayOfWeek, t), "1");
  EXPECT_EQ(field(TimeUnit::kYear, "0044-03-15 BC"), "-44");
  EXPECT_EQ(field(TimeUnit::kCentury, "0044-03-15 BC"), "-1");
  EXPECT_EQ(field(TimeUnit::kMillennium, "2000-12-31"), "2");
  bool is_null;
  EXPECT_TRUE(std::isinf(date_part_timestamp(TimeUnit::kYear, kTimestampInfinity, &is_null)));
  date_part_timestamp(TimeUnit::kHour, kTimestampInfinity, &is_null);
  EXPECT_TRUE(is_null);
  EXPECT_EQ(decimal_to_string(extract_interval(TimeUnit::kEpoch, iv("1 year 1 mon 1 day 00:00:01"))),
            "34236001.000000");
  expect_sql_error("0A000", "unit \"hour\" not supported for type date",
                   [&] { extract_date(TimeUnit::kHour, 0, &is_null); });
  expect_sql_error("22023", "unit \"foo\" not recognized for type date",
                   [] { time_unit_from_text("foo", "date"); });
}

TEST(TimestampArithmetic, Bins) {
  EXPECT_EQ(str(date_bin(iv("15 minutes"), ts("2024-01-15 10:29:59"), ts("2001-01-01"))),
            "2024-01-15 10:15:00");
  EXPECT_EQ(str(date_bin(iv("1 day"), ts("2000-12-31 23:00"), ts("2001-01-01 12:00"))),
            "2000-12-31 12:00:00");
  expect_sql_error("0A000", "", [] { date_bin(iv("1 mon"), 0, 0); });
  expect_sql_error("22008", "stride must be greater than zero", [] { date_bin(iv("-1 day"), 0, 0); });
}

TEST(TimestampArithmetic, RoundsToSecondDigits) {
  EXPECT_EQ(str(round_to_second_digits(ts("2024-01-15 10:00:00.9995"), 3)), "2024-01-15 10:00:01");
  EXPECT_EQ(str(round_to_second_digits(ts("2024-01-15 10:00:00.4"), 0)), "2024-01-15 10:00:00");
}

TEST(Calendar, DaysAndBack) {
  for (int64_t days = kMinDate; days < 3'000'000; days += 17) {
    const CivilDate date = civil_from_days(days);
    ASSERT_EQ(days_from_civil(date), days);
    ASSERT_LE(date.day, days_in_month(date.year, date.month));
    const IsoWeek week = iso_week(days);
    ASSERT_EQ(days_from_iso_week(week.year, week.week, week.weekday), days);
  }
  EXPECT_EQ(make_date(-1, 2, 29), days_from_civil(0, 2, 29));
  expect_sql_error("22008", "", [] { make_date(2023, 2, 29); });
  expect_sql_error("22008", "", [] { make_time(24, 0, 1); });
}

}  // namespace
}  // namespace idem
