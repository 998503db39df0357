#include <gtest/gtest.h>

#include "expression_examples.h"

namespace idem::test {
namespace {

constexpr Example kTimeseriesExamples[] = {
    {"timestamp_floor('5m', timestamp '2024-01-15 10:37:12')", "2024-01-15 10:35:00"},
    {"timestamp_floor('h', timestamp '2024-01-15 10:37:12')", "2024-01-15 10:00:00"},
    {"timestamp_floor('hour', timestamp '2024-01-15 10:37:12')", "2024-01-15 10:00:00"},
    {"timestamp_floor('d', timestamp '1969-12-31 10:37:12')", "1969-12-31 00:00:00"},
    {"timestamp_floor('w', timestamp '2024-01-18 10:37:12')", "2024-01-15 00:00:00"},
    {"timestamp_floor('M', timestamp '2024-01-18 10:37:12')", "2024-01-01 00:00:00"},
    {"timestamp_floor('3M', timestamp '2024-05-18 10:37:12')", "2024-04-01 00:00:00"},
    {"timestamp_floor('y', timestamp '2024-05-18 10:37:12')", "2024-01-01 00:00:00"},
    {"timestamp_floor('7d', timestamp '2024-05-18 10:37:12', timestamp '2024-05-01')", "2024-05-15 00:00:00"},
    {"timestamp_floor('x', timestamp '2024-05-18')", "22023: invalid unit \"x\""},
    {"timestamp_ceil('5m', timestamp '2024-01-15 10:37:12')", "2024-01-15 10:40:00"},
    {"timestamp_ceil('d', timestamp '2024-01-15')", "2024-01-15 00:00:00"},
    {"timestamp_ceil('M', timestamp '2024-12-15')", "2025-01-01 00:00:00"},
    {"time_bucket('300s', timestamp '2024-01-15 10:37:12')", "2024-01-15 10:35:00"},
    {"time_bucket('1 week', timestamp '2024-01-18 10:37:12')", "2024-01-15 00:00:00"},
    {"time_bucket('1 month', timestamp '2024-01-18 10:37:12')", "2024-01-01 00:00:00"},
    {"dateadd('d', 2, timestamp '2024-02-28')", "2024-03-01 00:00:00"},
    {"dateadd('M', 1, timestamp '2024-01-31')", "2024-02-29 00:00:00"},
    {"dateadd('h', -3, timestamp '2024-01-01 01:00')", "2023-12-31 22:00:00"},
    {"datediff('d', timestamp '2024-01-01', timestamp '2024-03-01 12:00')", "60"},
    {"datediff('M', timestamp '2024-03-15', timestamp '2024-01-20')", "1"},
    {"datediff('y', timestamp '2020-06-01', timestamp '2024-05-31')", "3"},
    {"hour(timestamp '2024-01-15 10:37:12.5')", "10"},
    {"minute(timestamp '2024-01-15 10:37:12.5')", "37"},
    {"second(timestamp '2024-01-15 10:37:12.5')", "12"},
    {"millis(timestamp '2024-01-15 10:37:12.512345')", "512"},
    {"micros(timestamp '2024-01-15 10:37:12.512345')", "345"},
    {"day_of_week(timestamp '2024-01-14')", "7"},
    {"day_of_week_sunday_first(timestamp '2024-01-14')", "1"},
    {"days_in_month(timestamp '2024-02-14')", "29"},
    {"is_leap_year(timestamp '2024-02-14')", "t"},
    {"to_str(timestamp '2024-01-05 09:08:07.123456', 'yyyy-MM-dd HH:mm:ss.SSSUUU')",
     "2024-01-05 09:08:07.123456"},
    {"to_str(timestamp '2024-01-05 09:08:07', 'dd.MM.yyyy')", "05.01.2024"},
    {"to_timestamp('2024-01-05T09:08:07.250', 'yyyy-MM-ddTHH:mm:ss.SSS')", "2024-01-05 09:08:07.25+00"},
    {"to_timezone(timestamp '2024-07-15 10:00', 'Europe/Berlin')", "2024-07-15 12:00:00"},
    {"to_utc(timestamp '2024-07-15 12:00', 'Europe/Berlin')", "2024-07-15 10:00:00"},
    {"1705312800000000::timestamp", "2024-01-15 10:00:00"},
    // TIMESTAMP is UTC here: a suffix in SQL text is applied.
    {"'2024-01-15 10:00:00+02'::timestamp", "2024-01-15 08:00:00"},
    {"now()", "2024-01-15 10:30:00+00"},
    {"version()", "PostgreSQL 15.0 (IdemDB), 64-bit"},
};

TEST(TimeSeriesFunctionTest, FollowsTheDialect) { expect_examples(kTimeseriesExamples); }

}  // namespace
}  // namespace idem::test
