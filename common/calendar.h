#pragma once

#include <cstdint>
#include <limits>

namespace idem {

// Civil date arithmetic in the proleptic Gregorian calendar. Years are astronomical: 0 is 1 BC, -1 is 2 BC.
// Timestamps are microseconds, dates are days, both since 1970-01-01 UTC.

inline constexpr int64_t kMicrosPerMilli = 1'000;
inline constexpr int64_t kMicrosPerSecond = 1'000'000;
inline constexpr int64_t kMicrosPerMinute = 60 * kMicrosPerSecond;
inline constexpr int64_t kMicrosPerHour = 60 * kMicrosPerMinute;
inline constexpr int64_t kMicrosPerDay = 24 * kMicrosPerHour;

inline constexpr int64_t kTimestampInfinity = std::numeric_limits<int64_t>::max();
inline constexpr int64_t kTimestampMinusInfinity = std::numeric_limits<int64_t>::min();
inline constexpr int32_t kDateInfinity = std::numeric_limits<int32_t>::max();
inline constexpr int32_t kDateMinusInfinity = std::numeric_limits<int32_t>::min();

// PostgreSQL's range from 4713-11-24 BC; the end of timestamps is where 64 bits end (year 294247), of dates
// year 5874897.
inline constexpr int32_t kMinDate = -2'440'588;     // Julian day 0
inline constexpr int32_t kEndDate = 2'145'042'906;  // exclusive: 5874898-01-01
inline constexpr int64_t kMinTimestamp = kMinDate * kMicrosPerDay;
inline constexpr int64_t kMaxTimestamp = kTimestampInfinity - 1;
inline constexpr int32_t kPostgresEpochDays = 10'957;  // 2000-01-01
inline constexpr int64_t kPostgresEpochMicros = kPostgresEpochDays * kMicrosPerDay;

constexpr bool is_finite_timestamp(int64_t t) {
  return t != kTimestampInfinity && t != kTimestampMinusInfinity;
}
constexpr bool is_finite_date(int32_t d) { return d != kDateInfinity && d != kDateMinusInfinity; }
constexpr bool is_valid_timestamp(int64_t t) { return t >= kMinTimestamp || t == kTimestampMinusInfinity; }

constexpr int64_t floor_divide(int64_t a, int64_t b) {  // b > 0
  const int64_t q = a / b;
  return q - (a % b < 0);
}
constexpr int64_t floor_modulo(int64_t a, int64_t b) {
  const int64_t r = a % b;
  return r < 0 ? r + b : r;
}

struct CivilDate {
  int32_t year = 1970;
  int32_t month = 1;  // 1..12
  int32_t day = 1;    // 1..31
};

struct CivilTime {
  int32_t hour = 0;
  int32_t minute = 0;
  int32_t second = 0;
  int32_t micros = 0;
};

// ISO 8601: weeks begin on Monday, week 1 is the one with the first Thursday.
struct IsoWeek {
  int32_t year = 1970;
  int32_t week = 1;     // 1..53
  int32_t weekday = 1;  // 1 Monday .. 7 Sunday
};

constexpr bool is_leap_year(int32_t year) { return (year & 3) == 0 && (year % 100 != 0 || year % 400 == 0); }

constexpr int32_t days_in_month(int32_t year, int32_t month) {
  if (month == 2) return is_leap_year(year) ? 29 : 28;
  return 30 + ((month + (month >> 3)) & 1);
}

// Years count from March here, so that the leap day comes last, and eras of 400 years (146,097 days) repeat.
constexpr int64_t days_from_civil(int64_t year, int32_t month, int32_t day) {
  year -= month <= 2;
  const int64_t era = (year >= 0 ? year : year - 399) / 400;
  const auto year_of_era = static_cast<int32_t>(year - era * 400);
  const int32_t day_of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
  const int32_t day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
  return era * 146'097 + day_of_era - 719'468;
}
constexpr int64_t days_from_civil(const CivilDate& date) {
  return days_from_civil(date.year, date.month, date.day);
}

constexpr CivilDate civil_from_days(int64_t days) {
  days += 719'468;
  const int64_t era = (days >= 0 ? days : days - 146'096) / 146'097;
  const auto day_of_era = static_cast<uint32_t>(days - era * 146'097);
  const uint32_t year_of_era =
      (day_of_era - day_of_era / 1460 + day_of_era / 36'524 - day_of_era / 146'096) / 365;
  const uint32_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
  const uint32_t shifted_month = (5 * day_of_year + 2) / 153;
  const auto day = static_cast<int32_t>(day_of_year - (153 * shifted_month + 2) / 5 + 1);
  const auto month = static_cast<int32_t>(shifted_month < 10 ? shifted_month + 3 : shifted_month - 9);
  return {static_cast<int32_t>(year_of_era + era * 400 + (month <= 2)), month, day};
}

constexpr int64_t days_of_micros(int64_t micros) { return floor_divide(micros, kMicrosPerDay); }
constexpr int64_t time_of_day(int64_t micros) { return floor_modulo(micros, kMicrosPerDay); }

constexpr CivilTime civil_time(int64_t micros_of_day) {
  const auto seconds = static_cast<int32_t>(micros_of_day / kMicrosPerSecond);
  return {seconds / 3600, seconds / 60 % 60, seconds % 60,
          static_cast<int32_t>(micros_of_day % kMicrosPerSecond)};
}

// 0 Sunday .. 6 Saturday
constexpr int32_t day_of_week(int64_t days) { return static_cast<int32_t>(floor_modulo(days + 4, 7)); }
// 1 Monday .. 7 Sunday
constexpr int32_t iso_day_of_week(int64_t days) {
  return static_cast<int32_t>(floor_modulo(days + 3, 7)) + 1;
}
constexpr int32_t day_of_year(int64_t days) {  // 1..366
  return static_cast<int32_t>(days - days_from_civil(civil_from_days(days).year, 1, 1)) + 1;
}
IsoWeek iso_week(int64_t days);
int64_t days_from_iso_week(int32_t iso_year, int32_t week, int32_t weekday = 1);

// `months` later, the day clamped to the length of the month that it falls into.
CivilDate add_months(const CivilDate& date, int64_t months);

// Dates and timestamps convert with infinity kept. Throws 22008 where a date is beyond the timestamps' range.
int64_t timestamp_from_date(int32_t days);
int32_t date_from_timestamp(int64_t micros);

// As make_date and make_timestamp: throw 22008 for a month, day or time of day that does not exist. Year 0
// does not; -1 is 1 BC.
int32_t make_date(int32_t year, int32_t month, int32_t day);
int64_t make_time(int32_t hour, int32_t minute, double second);

}  // namespace idem
