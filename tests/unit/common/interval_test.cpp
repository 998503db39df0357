#include "common/interval.h"

#include <gtest/gtest.h>
#include <string>

#include "tests/unit/common/expect_sql_error.h"

namespace idem {
namespace {

Interval iv(std::string_view text, IntervalFields fields = IntervalFields::kAll) {
  return interval_from_text(text, fields);
}
std::string str(const Interval& interval) {
  char buffer[kMaxIntervalText];
  return {buffer, format_interval(buffer, interval)};
}

// Inputs and outputs of PostgreSQL 15.
TEST(Interval, ReadsEveryForm) {
  EXPECT_EQ(str(iv("1 day 02:00:00")), "1 day 02:00:00");
  EXPECT_EQ(str(iv("1 year 2 mons")), "1 year 2 mons");
  EXPECT_EQ(str(iv("P1Y2M3DT4H")), "1 year 2 mons 3 days 04:00:00");
  EXPECT_EQ(str(iv("P0001-02-03T04:05:06")), "1 year 2 mons 3 days 04:05:06");
  EXPECT_EQ(str(iv("1h 30m")), "01:30:00");
  EXPECT_EQ(str(iv("-3 days")), "-3 days");
  EXPECT_EQ(str(iv("1.5 hours")), "01:30:00");
  EXPECT_EQ(str(iv("@ 1 minute ago")), "-00:01:00");
  EXPECT_EQ(str(iv("1-2 3 4:05")), "1 year 2 mons 3 days 04:05:00");
  EXPECT_EQ(str(iv("1.5 months")), "1 mon 15 days");
  EXPECT_EQ(str(iv("-1 day +2:00")), "-1 days +02:00:00");
  EXPECT_EQ(str(iv("1.234567891 s")), "00:00:01.234568");
  EXPECT_EQ(str(iv("1 c 2 dec")), "120 years");
  EXPECT_EQ(str(iv("0")), "00:00:00");
  for (const char* bad : {"", "abc", "1 hour 2 hours", "1 fortnight", "ago", "day", "P"}) {
    expect_sql_error("22007", "invalid input syntax for type interval: \"" + std::string(bad) + "\"",
                     [&] { iv(bad); });
  }
  expect_sql_error("22015", "interval field value out of range: \"99999999999 days\"",
                   [] { iv("99999999999 days"); });
}

TEST(Interval, QualifiedLiterals) {
  EXPECT_EQ(str(iv("5", IntervalFields::kMinute)), "00:05:00");
  EXPECT_EQ(str(iv("5", IntervalFields::kYear)), "5 years");
  EXPECT_EQ(str(iv("1 2", IntervalFields::kDayToHour)), "1 day 02:00:00");
  EXPECT_EQ(str(iv("4:05", IntervalFields::kMinuteToSecond)), "00:04:05");
  EXPECT_EQ(str(iv("1 2:03:04", IntervalFields::kDayToMinute)), "1 day 02:03:00");
  EXPECT_EQ(str(interval_from_text("1.2345 s", IntervalFields::kSecond, 2)), "00:00:01.23");
}

TEST(Interval, ComparesWithMonthsOf30Days) {
  EXPECT_EQ(compare(iv("1 mon"), iv("30 days")), 0);
  EXPECT_EQ(hash_interval(iv("1 mon")), hash_interval(iv("720:00:00")));
  EXPECT_LT(compare(iv("1 mon"), iv("31 days")), 0);
}

TEST(Interval, Arithmetic) {
  EXPECT_EQ(str(multiply(iv("1 year 2 mons 3 days 04:05:06.5"), 1.5)), "1 year 9 mons 4 days 18:07:39.75");
  EXPECT_EQ(str(divide(iv("1 mon"), 7)), "4 days 06:51:25.6896");
  EXPECT_EQ(str(multiply(iv("1 day"), 0.33)), "07:55:12");
  EXPECT_EQ(str(justify_interval(iv("1 mon -1 hour"))), "29 days 23:00:00");
  EXPECT_EQ(str(justify_hours(iv("100:00:00"))), "4 days 04:00:00");
  EXPECT_EQ(str(justify_days(iv("45 days"))), "1 mon 15 days");
  expect_sql_error("22012", "", [] { divide(iv("1 day"), 0); });
  expect_sql_error("22008", "interval out of range", [] { add(iv("2147483647 days"), iv("1 day")); });
}

}  // namespace
}  // namespace idem
