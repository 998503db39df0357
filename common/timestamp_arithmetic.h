#pragma once

#include <cstdint>
#include <string_view>

#include "common/decimal.h"
#include "common/interval.h"

namespace idem {

class TimeZone;

// Arithmetic on timestamps (microseconds since 1970 UTC) as PostgreSQL. A zone, where one can be given, is
// the one whose wall clock days and months are counted in; null is UTC. Infinite timestamps stay infinite.
// Overflow is 22008 `timestamp out of range`.

// Months first (clamped to the end of the month), then days, then microseconds.
int64_t add_interval(int64_t micros, const Interval& interval, const TimeZone* zone = nullptr);
int64_t subtract_interval(int64_t micros, const Interval& interval, const TimeZone* zone = nullptr);
// a - b in days and time of day.
Interval subtract_timestamps(int64_t a, int64_t b);
// a - b in years, months, days and time of day.
Interval age(int64_t a, int64_t b, const TimeZone* zone = nullptr);
// To `digits` (0..6) of the second, half away from zero: timestamp(n), time(n). Infinite timestamps stay.
int64_t round_to_second_digits(int64_t micros, int digits);
int32_t add_days(int32_t date, int64_t days);  // 22008 `date out of range`
// Time of day plus interval, modulo 24 hours; days and months do not count.
int64_t add_interval_to_time(int64_t micros_of_day, const Interval& interval);

enum class TimeUnit : uint8_t {
  kMicrosecond,
  kMillisecond,
  kSecond,
  kMinute,
  kHour,
  kDay,
  kWeek,
  kMonth,
  kQuarter,
  kYear,
  kDecade,
  kCentury,
  kMillennium,
  // Only extracted, not truncated to:
  kEpoch,
  kDayOfWeek,
  kIsoDayOfWeek,
  kDayOfYear,
  kIsoYear,
  kJulian,
  kTimezone,
  kTimezoneHour,
  kTimezoneMinute,
};

// Spellings of date_trunc, extract and date_part in any case: 'hour', 'hours', 'mon', 'dow' …; false if
// unknown.
bool find_time_unit(std::string_view name, TimeUnit* unit);
// `type_name` for the message. Throws 22023 `unit "…" not recognized for type timestamp without time zone`.
TimeUnit time_unit_from_text(std::string_view name, std::string_view type_name);
std::string_view time_unit_name(TimeUnit unit);

// The start of the unit that contains `micros`; a week begins on Monday. Throws 0A000 for units above
// kMillennium.
int64_t truncate_timestamp(TimeUnit unit, int64_t micros, const TimeZone* zone = nullptr);
Interval truncate_interval(TimeUnit unit, const Interval& interval);

// extract() is numeric with the scale that PostgreSQL shows (second: 6, millisecond: 3, epoch: 6). For an
// infinite timestamp the fields that grow (year, epoch …) are 22003 here, since Decimal has no infinity, and
// `*is_null` is set for the others.
Decimal extract_timestamp(TimeUnit unit, int64_t micros, bool* is_null, const TimeZone* zone = nullptr);
Decimal extract_date(TimeUnit unit, int32_t days, bool* is_null);
Decimal extract_time(TimeUnit unit, int64_t micros_of_day);
Decimal extract_interval(TimeUnit unit, const Interval& interval);

// date_part(): the same as double, infinite for the growing fields of infinite timestamps.
double date_part_timestamp(TimeUnit unit, int64_t micros, bool* is_null, const TimeZone* zone = nullptr);

// Whole-number fields of finite timestamps, for kernels: every unit but kEpoch and kJulian; seconds and
// smaller are cut to whole ones (millisecond 5500 of 5.5 s, as PostgreSQL counts the whole seconds in).
int64_t extract_whole(TimeUnit unit, int64_t utc_or_local_micros);

// The start of the bin of width `stride` (counted from `origin`) that contains `micros`. Throws 0A000 if
// stride has months, 22008 unless it is positive.
int64_t date_bin(const Interval& stride, int64_t micros, int64_t origin);

}  // namespace idem
