#include <gtest/gtest.h>

#include "tests/unit/query/expression_examples.h"

namespace idem::test {
namespace {

// Results of dates, times and intervals as PostgreSQL 15 gives them.
constexpr Example kDatetimeExamples[] = {
    {"'2024-01-15'::date + 30", "2024-02-14"},
    {"'2024-03-31'::timestamp + '1 month'::interval", "2024-04-30 00:00:00"},
    {"'2024-01-15 10:00'::timestamp - '2024-01-14 09:00'::timestamp", "1 day 01:00:00"},
    {"'2024-01-15'::timestamp::date", "2024-01-15"},
    {"'10:30'::time + '1 hour'::interval", "11:30:00"},
    {"interval '1 day' * 2.5", "2 days 12:00:00"},
    {"interval '1 day' / 2", "12:00:00"},
    {"date '2024-01-01' < timestamp '2024-01-01 00:00:01'", "t"},
    {"date_trunc('hour', timestamp '2024-01-15 10:37:12.5')", "2024-01-15 10:00:00"},
    {"date_trunc('week', timestamp '2024-01-18 10:37:12.5')", "2024-01-15 00:00:00"},
    {"date_trunc('month', timestamp '2024-01-18 10:37:12.5')", "2024-01-01 00:00:00"},
    {"date_trunc('quarter', timestamp '2024-05-18 10:37:12.5')", "2024-04-01 00:00:00"},
    {"date_trunc('day', timestamptz '2024-05-18 10:37:12.5+00')", "2024-05-18 00:00:00+00"},
    {"date_trunc('day', date '2024-05-18')", "2024-05-18 00:00:00+00"},
    {"date_trunc('day', timestamptz '2024-05-18 23:37:12.5+00', 'Europe/Berlin')", "2024-05-18 22:00:00+00"},
    {"date_trunc('hour', interval '3 days 02:47:33')", "3 days 02:00:00"},
    {"date_trunc('foo', timestamp '2024-01-15')",
     "22023: unit \"foo\" not recognized for type timestamp without time zone"},
    {"extract(epoch from timestamp '2024-01-15 10:00:00.5')", "1705312800.500000"},
    {"extract(second from timestamp '2024-01-15 10:00:07.25')", "7.250000"},
    {"extract(dow from date '2024-01-14')", "0"},
    {"extract(isodow from timestamp '2024-01-14')", "7"},
    {"extract(week from timestamp '2024-01-14')", "2"},
    {"extract(hour from time '10:20')", "10"},
    {"extract(day from interval '3 days 5 hours')", "3"},
    {"extract(millennium from timestamp '2024-01-14')", "3"},
    {"date_part('year', timestamp '2024-01-14')", "2024"},
    {"date_part('epoch', interval '1 day 2 hours')", "93600"},
    {"date_part('doy', date '2024-03-01')", "61"},
    {"date_bin('15 minutes', timestamp '2024-01-15 10:37:12', timestamp '2001-01-01')",
     "2024-01-15 10:30:00"},
    {"age(timestamp '2024-03-10', timestamp '2023-12-25 10:00')", "2 mons 15 days 14:00:00"},
    {"make_date(2024,2,29)", "2024-02-29"},
    {"make_date(2023,2,29)", "22008: date field value out of range: 2023-02-29"},
    {"make_time(10,20,30.5)", "10:20:30.5"},
    {"make_timestamp(2024,1,15,10,20,30.5)", "2024-01-15 10:20:30.5"},
    {"make_interval(1,2,3,4,5,6,7.5)", "1 year 2 mons 25 days 05:06:07.5"},
    {"justify_hours(interval '27 hours')", "1 day 03:00:00"},
    {"justify_days(interval '35 days')", "1 mon 5 days"},
    {"justify_interval(interval '1 mon -1 hour')", "29 days 23:00:00"},
    {"isfinite(timestamp 'infinity')", "f"},
    {"to_timestamp(1705312800.5)", "2024-01-15 10:00:00.5+00"},
    {"timestamp '2024-01-15 10:00' at time zone 'Europe/Berlin'", "2024-01-15 09:00:00+00"},
    {"timestamptz '2024-07-15 10:00+00' at time zone 'Europe/Berlin'", "2024-07-15 12:00:00"},
    {"greatest('2024-01-01'::date, '2024-02-01')", "2024-02-01"},
    {"'12:34:56.789'::time", "12:34:56.789"},
    {"'2024-02-30'::date", "22008: date/time field value out of range: \"2024-02-30\""},
    {"'10:00'::time - '11:00'::time", "-01:00:00"},
    {"'23:00'::time + interval '2 hours'", "01:00:00"},
    {"interval '1 year 2 months 3 days 04:05:06.789'", "1 year 2 mons 3 days 04:05:06.789"},
    {"interval '1.5 days'", "1 day 12:00:00"},
    {"interval '1 day' = interval '24 hours'", "t"},
    {"interval '1 month' > interval '29 days'", "t"},
    {"-interval '1 day 2 hours'", "-1 days -02:00:00"},
    {"interval '1 day' + interval '2 hours'", "1 day 02:00:00"},
    {"2 * interval '1 hour'", "02:00:00"},
    {"'2024-01-31'::date + interval '1 month'", "2024-02-29 00:00:00"},
    {"'2024-01-31'::date - '2024-01-01'::date", "30"},
    {"'2024-01-31'::date - 1", "2024-01-30"},
    {"timestamp '2024-01-31' > date '2024-01-30'", "t"},
    {"'2024-01-15 10:00:00.123456789'::timestamp", "2024-01-15 10:00:00.123457"},
    {"'2024-01-15 10:00:00.6'::timestamp(0)", "2024-01-15 10:00:01"},
    {"array[now()::date] is null", "f"},
};

TEST(DateTimeFunctionTest, GivesTheResultsOfPostgres) { expect_examples(kDatetimeExamples); }

}  // namespace
}  // namespace idem::test
