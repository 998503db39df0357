#include "common/timestamp_arithmetic.h"

#include <algorithm>
#include <array>
#include <limits>

#include "common/calendar.h"
#include "common/error.h"
#include "common/time_zone.h"

namespace idem {

namespace {

SqlError out_of_range() { return sql_error(sqlstate::kDatetimeFieldOverflow, "timestamp out of range"); }

int64_t checked(int64_t micros) {
  if (!is_valid_timestamp(micros) || !is_finite_timestamp(micros)) throw out_of_range();
  return micros;
}

int64_t local_of(int64_t utc, const TimeZone* zone) { return zone ? zone->utc_to_local(utc) : utc; }
int64_t utc_of(int64_t local, const TimeZone* zone) { return zone ? zone->local_to_utc(local) : local; }

int64_t with_days(int64_t days, int64_t micros_of_day) {
  int64_t micros;
  if (__builtin_mul_overflow(days, kMicrosPerDay, &micros) ||
      __builtin_add_overflow(micros, micros_of_day, &micros)) {
    throw out_of_range();
  }
  return micros;
}

struct UnitName {
  std::string_view name;
  TimeUnit unit;
};

constexpr std::array kUnitNames = {
    UnitName{"microsecond", TimeUnit::kMicrosecond},
    UnitName{"microseconds", TimeUnit::kMicrosecond},
    UnitName{"us", TimeUnit::kMicrosecond},
    UnitName{"usec", TimeUnit::kMicrosecond},
    UnitName{"usecs", TimeUnit::kMicrosecond},
    UnitName{"usecond", TimeUnit::kMicrosecond},
    UnitName{"useconds", TimeUnit::kMicrosecond},
    UnitName{"millisecond", TimeUnit::kMillisecond},
    UnitName{"milliseconds", TimeUnit::kMillisecond},
    UnitName{"ms", TimeUnit::kMillisecond},
    UnitName{"msec", TimeUnit::kMillisecond},
    UnitName{"msecs", TimeUnit::kMillisecond},
    UnitName{"msecond", TimeUnit::kMillisecond},
    UnitName{"mseconds", TimeUnit::kMillisecond},
    UnitName{"second", TimeUnit::kSecond},
    UnitName{"seconds", TimeUnit::kSecond},
    UnitName{"s", TimeUnit::kSecond},
    UnitName{"sec", TimeUnit::kSecond},
    UnitName{"secs", TimeUnit::kSecond},
    UnitName{"minute", TimeUnit::kMinute},
    UnitName{"minutes", TimeUnit::kMinute},
    UnitName{"m", TimeUnit::kMinute},
    UnitName{"min", TimeUnit::kMinute},
    UnitName{"mins", TimeUnit::kMinute},
    UnitName{"hour", TimeUnit::kHour},
    UnitName{"hours", TimeUnit::kHour},
    UnitName{"h", TimeUnit::kHour},
    UnitName{"hr", TimeUnit::kHour},
    UnitName{"hrs", TimeUnit::kHour},
    UnitName{"day", TimeUnit::kDay},
    UnitName{"days", TimeUnit::kDay},
    UnitName{"d", TimeUnit::kDay},
    UnitName{"week", TimeUnit::kWeek},
    UnitName{"weeks", TimeUnit::kWeek},
    UnitName{"w", TimeUnit::kWeek},
    UnitName{"month", TimeUnit::kMonth},
    UnitName{"months", TimeUnit::kMonth},
    UnitName{"mon", TimeUnit::kMonth},
    UnitName{"mons", TimeUnit::kMonth},
    UnitName{"quarter", TimeUnit::kQuarter},
    UnitName{"qtr", TimeUnit::kQuarter},
    UnitName{"year", TimeUnit::kYear},
    UnitName{"years", TimeUnit::kYear},
    UnitName{"y", TimeUnit::kYear},
    UnitName{"yr", TimeUnit::kYear},
    UnitName{"yrs", TimeUnit::kYear},
    UnitName{"decade", TimeUnit::kDecade},
    UnitName{"decades", TimeUnit::kDecade},
    UnitName{"dec", TimeUnit::kDecade},
    UnitName{"decs", TimeUnit::kDecade},
    UnitName{"century", TimeUnit::kCentury},
    UnitName{"centuries", TimeUnit::kCentury},
    UnitName{"c", TimeUnit::kCentury},
    UnitName{"cent", TimeUnit::kCentury},
    UnitName{"millennium", TimeUnit::kMillennium},
    UnitName{"millennia", TimeUnit::kMillennium},
    UnitName{"mil", TimeUnit::kMillennium},
    UnitName{"mils", TimeUnit::kMillennium},
    UnitName{"epoch", TimeUnit::kEpoch},
    UnitName{"dow", TimeUnit::kDayOfWeek},
    UnitName{"isodow", TimeUnit::kIsoDayOfWeek},
    UnitName{"doy", TimeUnit::kDayOfYear},
    UnitName{"isoyear", TimeUnit::kIsoYear},
    UnitName{"julian", TimeUnit::kJulian},
    UnitName{"jd", TimeUnit::kJulian},
    UnitName{"timezone", TimeUnit::kTimezone},
    UnitName{"timezone_hour", TimeUnit::kTimezoneHour},
    UnitName{"timezone_minute", TimeUnit::kTimezoneMinute},
    UnitName{"timezone_h", TimeUnit::kTimezoneHour},
    UnitName{"timezone_m", TimeUnit::kTimezoneMinute},
};

// The first year of a period of `length` years that contains an astronomical year; centuries begin with
// year 1.
int64_t first_year_of_period(int64_t year, int64_t length) {
  return floor_divide(year - 1, length) * length + 1;
}

// Centuries and millennia are counted from 1, and -1 is the one before.
int64_t period_number(int64_t year, int64_t length) {
  const int64_t index = floor_divide(year - 1, length);
  return index >= 0 ? index + 1 : index;
}

int64_t year_as_shown(int64_t astronomical) { return astronomical > 0 ? astronomical : astronomical - 1; }

int64_t start_of_date_unit(TimeUnit unit, int64_t days) {
  CivilDate date = civil_from_days(days);
  switch (unit) {
    case TimeUnit::kDay: return days;
    case TimeUnit::kWeek: return days - (iso_day_of_week(days) - 1);
    case TimeUnit::kMonth: return days_from_civil(date.year, date.month, 1);
    case TimeUnit::kQuarter: return days_from_civil(date.year, (date.month - 1) / 3 * 3 + 1, 1);
    case TimeUnit::kYear: return days_from_civil(date.year, 1, 1);
    case TimeUnit::kDecade: return days_from_civil(floor_divide(date.year, 10) * 10, 1, 1);
    case TimeUnit::kCentury: return days_from_civil(first_year_of_period(date.year, 100), 1, 1);
    case TimeUnit::kMillennium: return days_from_civil(first_year_of_period(date.year, 1000), 1, 1);
    default: break;
  }
  throw sql_error(sqlstate::kFeatureNotSupported,
                  "unit \"{}\" not supported for type timestamp without time zone", time_unit_name(unit));
}

int64_t micros_of_time_unit(TimeUnit unit) {
  switch (unit) {
    case TimeUnit::kMicrosecond: return 1;
    case TimeUnit::kMillisecond: return kMicrosPerMilli;
    case TimeUnit::kSecond: return kMicrosPerSecond;
    case TimeUnit::kMinute: return kMicrosPerMinute;
    case TimeUnit::kHour: return kMicrosPerHour;
    default: return 0;
  }
}

int64_t date_field(TimeUnit unit, int64_t days) {
  switch (unit) {
    case TimeUnit::kDay: return civil_from_days(days).day;
    case TimeUnit::kMonth: return civil_from_days(days).month;
    case TimeUnit::kQuarter: return (civil_from_days(days).month - 1) / 3 + 1;
    case TimeUnit::kYear: return year_as_shown(civil_from_days(days).year);
    case TimeUnit::kDecade: return floor_divide(civil_from_days(days).year, 10);
    case TimeUnit::kCentury: return period_number(civil_from_days(days).year, 100);
    case TimeUnit::kMillennium: return period_number(civil_from_days(days).year, 1000);
    case TimeUnit::kWeek: return iso_week(days).week;
    case TimeUnit::kIsoYear: return year_as_shown(iso_week(days).year);
    case TimeUnit::kDayOfWeek: return day_of_week(days);
    case TimeUnit::kIsoDayOfWeek: return iso_day_of_week(days);
    case TimeUnit::kDayOfYear: return day_of_year(days);
    default: return 0;
  }
}

SqlError unsupported(TimeUnit unit, std::string_view type_name) {
  return sql_error(sqlstate::kFeatureNotSupported, "unit \"{}\" not supported for type {}",
                   time_unit_name(unit), type_name);
}

int64_t offset_field(TimeUnit unit, int32_t offset_seconds) {
  if (unit == TimeUnit::kTimezoneHour) return offset_seconds / 3600;
  if (unit == TimeUnit::kTimezoneMinute) return offset_seconds / 60 % 60;
  return offset_seconds;
}

bool grows(TimeUnit unit) {
  switch (unit) {
    case TimeUnit::kYear:
    case TimeUnit::kDecade:
    case TimeUnit::kCentury:
    case TimeUnit::kMillennium:
    case TimeUnit::kJulian:
    case TimeUnit::kIsoYear:
    case TimeUnit::kEpoch: return true;
    default: return false;
  }
}

Decimal julian_date(int64_t days, int64_t micros_of_day) {
  return add(decimal_from_int64(days - kMinDate),
             divide(decimal_from_int64(micros_of_day), decimal_from_int64(kMicrosPerDay)));
}

constexpr int64_t kQuarterDaysPerYear = 365 * 4 + 1;
constexpr int64_t kQuarterDaysPerMonth = 30 * 4;

}  // namespace

int64_t add_interval(int64_t micros, const Interval& interval, const TimeZone* zone) {
  if (!is_finite_timestamp(micros)) return micros;
  if (interval.months != 0 || interval.days != 0) {
    const int64_t local = local_of(micros, zone);
    int64_t days = days_of_micros(local);
    if (interval.months != 0) days = days_from_civil(add_months(civil_from_days(days), interval.months));
    if (interval.months != 0 && interval.days != 0 && zone) {
      // Each step lands on a valid wall clock time, as PostgreSQL takes them one after the other.
      const int64_t between = local_of(utc_of(with_days(days, time_of_day(local)), zone), zone);
      micros = utc_of(with_days(days_of_micros(between) + interval.days, time_of_day(between)), zone);
    } else {
      micros = utc_of(with_days(days + interval.days, time_of_day(local)), zone);
    }
    checked(micros);
  }
  if (__builtin_add_overflow(micros, interval.micros, &micros)) throw out_of_range();
  return checked(micros);
}

int64_t subtract_interval(int64_t micros, const Interval& interval, const TimeZone* zone) {
  return add_interval(micros, negate(interval), zone);
}

Interval subtract_timestamps(int64_t a, int64_t b) {
  if (!is_finite_timestamp(a) || !is_finite_timestamp(b)) {
    throw sql_error(sqlstate::kDatetimeFieldOverflow, "cannot subtract infinite timestamps");
  }
  Interval difference;
  if (__builtin_sub_overflow(a, b, &difference.micros)) {
    throw sql_error(sqlstate::kDatetimeFieldOverflow, "interval out of range");
  }
  return justify_hours(difference);
}

Interval age(int64_t a, int64_t b, const TimeZone* zone) {
  if (!is_finite_timestamp(a) || !is_finite_timestamp(b)) throw out_of_range();
  const bool is_negative = a < b;
  const int64_t later = local_of(is_negative ? b : a, zone);
  const int64_t earlier = local_of(is_negative ? a : b, zone);
  const CivilDate to = civil_from_days(days_of_micros(later));
  const CivilDate from = civil_from_days(days_of_micros(earlier));
  Interval result;
  result.micros = time_of_day(later) - time_of_day(earlier);
  result.days = to.day - from.day;
  result.months = (to.year - from.year) * 12 + to.month - from.month;
  if (result.micros < 0) {
    result.micros += kMicrosPerDay;
    --result.days;
  }
  // The days that are missing in the last month are borrowed from the month of the earlier date.
  while (result.days < 0) {
    result.days += days_in_month(from.year, from.month);
    --result.months;
  }
  return is_negative ? negate(result) : result;
}

int64_t round_to_second_digits(int64_t micros, int digits) {
  if (digits < 0 || digits >= 6 || !is_finite_timestamp(micros)) return micros;
  int64_t unit = 1;
  for (int i = digits; i < 6; ++i) unit *= 10;
  const int128_t rounded =
      (static_cast<int128_t>(micros) + (micros < 0 ? -unit / 2 : unit / 2)) / unit * unit;
  if (rounded < kMinTimestamp || rounded > kMaxTimestamp) throw out_of_range();
  return static_cast<int64_t>(rounded);
}

int32_t add_days(int32_t date, int64_t days) {
  if (!is_finite_date(date)) return date;
  int64_t sum;
  if (__builtin_add_overflow(static_cast<int64_t>(date), days, &sum) || sum < kMinDate || sum >= kEndDate) {
    throw sql_error(sqlstate::kDatetimeFieldOverflow, "date out of range");
  }
  return static_cast<int32_t>(sum);
}

int64_t add_interval_to_time(int64_t micros_of_day, const Interval& interval) {
  return floor_modulo(micros_of_day + interval.micros % kMicrosPerDay, kMicrosPerDay);
}

bool find_time_unit(std::string_view name, TimeUnit* unit) {
  for (const UnitName& candidate : kUnitNames) {
    if (candidate.name.size() == name.size() &&
        std::equal(name.begin(), name.end(), candidate.name.begin(),
                   [](char a, char b) { return (a >= 'A' && a <= 'Z' ? a + 32 : a) == b; })) {
      *unit = candidate.unit;
      return true;
    }
  }
  return false;
}

TimeUnit time_unit_from_text(std::string_view name, std::string_view type_name) {
  TimeUnit unit;
  if (!find_time_unit(name, &unit)) {
    throw sql_error(sqlstate::kInvalidParameterValue, "unit \"{}\" not recognized for type {}", name,
                    type_name);
  }
  return unit;
}

std::string_view time_unit_name(TimeUnit unit) {
  for (const UnitName& candidate : kUnitNames) {
    if (candidate.unit == unit) return candidate.name;
  }
  return {};
}

int64_t truncate_timestamp(TimeUnit unit, int64_t micros, const TimeZone* zone) {
  if (!is_finite_timestamp(micros)) return micros;
  const int64_t local = local_of(micros, zone);
  if (const int64_t step = micros_of_time_unit(unit); step != 0) {
    return micros - floor_modulo(local, step);  // keeps the offset, also in the hour that is there twice
  }
  return checked(utc_of(with_days(start_of_date_unit(unit, days_of_micros(local)), 0), zone));
}

Interval truncate_interval(TimeUnit unit, const Interval& interval) {
  Interval result = interval;
  if (const int64_t step = micros_of_time_unit(unit); step != 0) {
    result.micros -= result.micros % step;
    return result;
  }
  result.micros = 0;
  if (unit == TimeUnit::kDay) return result;
  result.days = 0;
  int32_t months = 0;
  switch (unit) {
    case TimeUnit::kMonth: months = 1; break;
    case TimeUnit::kQuarter: months = 3; break;
    case TimeUnit::kYear: months = 12; break;
    case TimeUnit::kDecade: months = 120; break;
    case TimeUnit::kCentury: months = 1200; break;
    case TimeUnit::kMillennium: months = 12'000; break;
    default: throw unsupported(unit, "interval");
  }
  result.months -= result.months % months;
  return result;
}

int64_t extract_whole(TimeUnit unit, int64_t micros) {
  const int64_t in_minute = floor_modulo(micros, kMicrosPerMinute);
  switch (unit) {
    case TimeUnit::kMicrosecond: return in_minute;
    case TimeUnit::kMillisecond: return in_minute / kMicrosPerMilli;
    case TimeUnit::kSecond: return in_minute / kMicrosPerSecond;
    case TimeUnit::kMinute: return time_of_day(micros) / kMicrosPerMinute % 60;
    case TimeUnit::kHour: return time_of_day(micros) / kMicrosPerHour;
    default: return date_field(unit, days_of_micros(micros));
  }
}

Decimal extract_timestamp(TimeUnit unit, int64_t micros, bool* is_null, const TimeZone* zone) {
  *is_null = false;
  if (!is_finite_timestamp(micros)) {
    if (grows(unit)) throw sql_error(sqlstate::kNumericValueOutOfRange, "cannot convert infinity to numeric");
    *is_null = true;
    return {};
  }
  const int64_t local = local_of(micros, zone);
  switch (unit) {
    case TimeUnit::kEpoch: return {micros, 6};
    case TimeUnit::kSecond: return {floor_modulo(local, kMicrosPerMinute), 6};
    case TimeUnit::kMillisecond: return {floor_modulo(local, kMicrosPerMinute), 3};
    case TimeUnit::kJulian: return julian_date(days_of_micros(local), time_of_day(local));
    case TimeUnit::kTimezone:
    case TimeUnit::kTimezoneHour:
    case TimeUnit::kTimezoneMinute:
      return decimal_from_int64(offset_field(unit, zone ? zone->utc_offset_at(micros) : 0));
    default: return decimal_from_int64(extract_whole(unit, local));
  }
}

Decimal extract_date(TimeUnit unit, int32_t days, bool* is_null) {
  *is_null = false;
  if (micros_of_time_unit(unit) != 0 || unit >= TimeUnit::kTimezone) throw unsupported(unit, "date");
  if (!is_finite_date(days)) {
    if (grows(unit)) throw sql_error(sqlstate::kNumericValueOutOfRange, "cannot convert infinity to numeric");
    *is_null = true;
    return {};
  }
  if (unit == TimeUnit::kEpoch) return decimal_from_int64(days * (kMicrosPerDay / kMicrosPerSecond));
  if (unit == TimeUnit::kJulian) return decimal_from_int64(static_cast<int64_t>(days) - kMinDate);
  return decimal_from_int64(date_field(unit, days));
}

Decimal extract_time(TimeUnit unit, int64_t micros_of_day) {
  switch (unit) {
    case TimeUnit::kEpoch: return {micros_of_day, 6};
    case TimeUnit::kSecond: return {micros_of_day % kMicrosPerMinute, 6};
    case TimeUnit::kMillisecond: return {micros_of_day % kMicrosPerMinute, 3};
    case TimeUnit::kMicrosecond: return decimal_from_int64(micros_of_day % kMicrosPerMinute);
    case TimeUnit::kMinute: return decimal_from_int64(micros_of_day / kMicrosPerMinute % 60);
    case TimeUnit::kHour: return decimal_from_int64(micros_of_day / kMicrosPerHour);
    default: throw unsupported(unit, "time without time zone");
  }
}

Decimal extract_interval(TimeUnit unit, const Interval& a) {
  const int64_t years = a.months / 12;
  const int64_t months = a.months % 12;
  switch (unit) {
    case TimeUnit::kEpoch: {
      const int64_t quarter_days =
          years * kQuarterDaysPerYear + months * kQuarterDaysPerMonth + static_cast<int64_t>(a.days) * 4;
      return {static_cast<int128_t>(quarter_days) * (kMicrosPerDay / 4) + a.micros, 6};
    }
    case TimeUnit::kSecond: return {a.micros % kMicrosPerMinute, 6};
    case TimeUnit::kMillisecond: return {a.micros % kMicrosPerMinute, 3};
    case TimeUnit::kMicrosecond: return decimal_from_int64(a.micros % kMicrosPerMinute);
    case TimeUnit::kMinute: return decimal_from_int64(a.micros / kMicrosPerMinute % 60);
    case TimeUnit::kHour: return decimal_from_int64(a.micros / kMicrosPerHour);
    case TimeUnit::kDay: return decimal_from_int64(a.days);
    case TimeUnit::kMonth: return decimal_from_int64(months);
    case TimeUnit::kQuarter: return decimal_from_int64(months / 3 + 1);
    case TimeUnit::kYear: return decimal_from_int64(years);
    case TimeUnit::kDecade: return decimal_from_int64(years / 10);
    case TimeUnit::kCentury: return decimal_from_int64(years / 100);
    case TimeUnit::kMillennium: return decimal_from_int64(years / 1000);
    default: throw unsupported(unit, "interval");
  }
}

double date_part_timestamp(TimeUnit unit, int64_t micros, bool* is_null, const TimeZone* zone) {
  *is_null = false;
  if (!is_finite_timestamp(micros)) {
    *is_null = !grows(unit);
    return micros > 0 ? std::numeric_limits<double>::infinity() : -std::numeric_limits<double>::infinity();
  }
  if (unit == TimeUnit::kJulian) {
    const int64_t local = local_of(micros, zone);
    return static_cast<double>(days_of_micros(local) - kMinDate) +
           static_cast<double>(time_of_day(local)) / static_cast<double>(kMicrosPerDay);
  }
  return decimal_to_double(extract_timestamp(unit, micros, is_null, zone));
}

int64_t date_bin(const Interval& stride, int64_t micros, int64_t origin) {
  if (!is_finite_timestamp(micros)) return micros;
  if (!is_finite_timestamp(origin)) throw sql_error(sqlstate::kDatetimeFieldOverflow, "origin out of range");
  if (stride.months != 0) {
    throw sql_error(sqlstate::kFeatureNotSupported,
                    "timestamps cannot be binned into intervals containing months or years");
  }
  int64_t width;
  if (__builtin_mul_overflow(static_cast<int64_t>(stride.days), kMicrosPerDay, &width) ||
      __builtin_add_overflow(width, stride.micros, &width)) {
    throw sql_error(sqlstate::kDatetimeFieldOverflow, "interval out of range");
  }
  if (width <= 0) throw sql_error(sqlstate::kDatetimeFieldOverflow, "stride must be greater than zero");
  const int128_t distance = static_cast<int128_t>(micros) - origin;
  int128_t into_bin = distance % width;
  if (into_bin < 0) into_bin += width;
  const int128_t start = micros - into_bin;
  if (start < kMinTimestamp) throw out_of_range();
  return static_cast<int64_t>(start);
}

}  // namespace idem
