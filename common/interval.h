#pragma once

#include <cstdint>
#include <string_view>

namespace idem {

// PostgreSQL's interval: three parts that are kept apart, since a month has no fixed number of days and a
// day (across a change of daylight-saving time) no fixed number of hours.
struct Interval {
  int64_t micros = 0;
  int32_t days = 0;
  int32_t months = 0;
};

// Which fields a literal was qualified with: INTERVAL '5' MINUTE, INTERVAL '1-2' YEAR TO MONTH. The unit of a
// bare number is the last field; smaller parts are cut off.
enum class IntervalFields : uint8_t {
  kAll,
  kYear,
  kMonth,
  kDay,
  kHour,
  kMinute,
  kSecond,
  kYearToMonth,
  kDayToHour,
  kDayToMinute,
  kDayToSecond,
  kHourToMinute,
  kHourToSecond,
  kMinuteToSecond,
};

enum class IntervalResult : uint8_t { kOk, kBadSyntax, kOutOfRange };

// '1 day 02:00:00', '1 year 2 mons', 'P1Y2M3DT4H', '1h 30m', '-3 days', '1.5 hours', '@ 1 minute ago', '1-2 3
// 4:05'. `seconds_digits` (0..6) rounds the seconds; -1 keeps microseconds.
IntervalResult parse_interval(std::string_view text, Interval* interval,
                              IntervalFields fields = IntervalFields::kAll, int seconds_digits = -1);
// Throws 22007 `invalid input syntax for type interval: "…"`, 22015 `interval field value out of range: "…"`.
Interval interval_from_text(std::string_view text, IntervalFields fields = IntervalFields::kAll,
                            int seconds_digits = -1);

inline constexpr int kMaxIntervalText = 96;
// IntervalStyle postgres: `1 year 2 mons 3 days 04:05:06.5`. Returns the end.
char* format_interval(char* out, const Interval& interval);

// As PostgreSQL: a month counts 30 days, a day 24 hours; '1 mon' equals '30 days', and hashes alike.
int compare(const Interval& a, const Interval& b);
uint64_t hash_interval(const Interval& interval);
inline bool operator==(const Interval& a, const Interval& b) { return compare(a, b) == 0; }
inline bool operator<(const Interval& a, const Interval& b) { return compare(a, b) < 0; }

// All throw 22008 `interval out of range`.
Interval add(const Interval& a, const Interval& b);
Interval subtract(const Interval& a, const Interval& b);
Interval negate(const Interval& a);
Interval multiply(const Interval& a, double factor);
Interval divide(const Interval& a, double divisor);  // 22012

Interval justify_hours(const Interval& a);     // 24 hours → 1 day
Interval justify_days(const Interval& a);      // 30 days → 1 month
Interval justify_interval(const Interval& a);  // both, with equal signs

}  // namespace idem
