#include <cstdlib>

#include "common/calendar.h"
#include "common/error.h"
#include "common/interval.h"
#include "common/timestamp_arithmetic.h"
#include "query/function_registry.h"
#include "query/kernel.h"
#include "query/signature_types.h"

namespace idem {

namespace {

using View = std::string_view;

// QuestDB's units: U (or u) microseconds, T milliseconds, s m h d w M y. One of them is a fixed time or a
// number of months.
struct Stride {
  int64_t micros = 0;
  int64_t months = 0;
};

Stride unit_stride(char unit, View text) {
  switch (unit) {
    case 'u':
    case 'U': return {1, 0};
    case 'T': return {kMicrosPerMilli, 0};
    case 's': return {kMicrosPerSecond, 0};
    case 'm': return {kMicrosPerMinute, 0};
    case 'h': return {kMicrosPerHour, 0};
    case 'd': return {kMicrosPerDay, 0};
    case 'w': return {7 * kMicrosPerDay, 0};
    case 'M': return {0, 1};
    case 'y': return {0, 12};
    default:
      throw sql_error(sqlstate::kInvalidParameterValue, "invalid unit \"{}\"", text)
          .with_hint("Units are U, T, s, m, h, d, w, M and y.");
  }
}

// "5m", "h", "hour": a number and a unit, or PostgreSQL's name of a unit.
Stride stride_of(View text) {
  size_t digits = 0;
  int64_t count = 0;
  while (digits < text.size() && '0' <= text[digits] && text[digits] <= '9') {
    count = count * 10 + (text[digits++] - '0');
    if (1'000'000'000 < count) throw sql_error(sqlstate::kInvalidParameterValue, "invalid unit \"{}\"", text);
  }
  if (digits == 0) count = 1;
  if (count == 0) throw sql_error(sqlstate::kInvalidParameterValue, "invalid unit \"{}\"", text);
  const View name = text.substr(digits);
  Stride stride;
  if (name.size() == 1) {
    stride = unit_stride(name[0], text);
  } else {
    TimeUnit unit = TimeUnit::kDay;
    if (!find_time_unit(name, &unit)) unit_stride('?', text);
    switch (unit) {
      case TimeUnit::kMicrosecond: stride = {1, 0}; break;
      case TimeUnit::kMillisecond: stride = {kMicrosPerMilli, 0}; break;
      case TimeUnit::kSecond: stride = {kMicrosPerSecond, 0}; break;
      case TimeUnit::kMinute: stride = {kMicrosPerMinute, 0}; break;
      case TimeUnit::kHour: stride = {kMicrosPerHour, 0}; break;
      case TimeUnit::kDay: stride = {kMicrosPerDay, 0}; break;
      case TimeUnit::kWeek: stride = {7 * kMicrosPerDay, 0}; break;
      case TimeUnit::kMonth: stride = {0, 1}; break;
      case TimeUnit::kQuarter: stride = {0, 3}; break;
      case TimeUnit::kYear: stride = {0, 12}; break;
      default: unit_stride('?', text);
    }
  }
  return {stride.micros * count, stride.months * count};
}

constexpr int64_t kFirstMonday = 4 * kMicrosPerDay;  // 1970-01-05

int64_t month_number(int64_t micros) {
  const CivilDate date = civil_from_days(days_of_micros(micros));
  return int64_t{date.year} * 12 + date.month - 1;
}
int64_t start_of_month(int64_t number) {
  return days_from_civil(floor_divide(number, 12), static_cast<int32_t>(floor_modulo(number, 12)) + 1, 1) *
         kMicrosPerDay;
}

// Bins count from 1970-01-01, weeks from the Monday after it, unless an origin is given.
int64_t floor_to(const Stride& stride, int64_t micros, const int64_t* origin) {
  if (!is_finite_timestamp(micros)) return micros;
  if (stride.months > 0) {
    const int64_t base = month_number(origin != nullptr ? *origin : 0);
    const int64_t offset = origin != nullptr ? *origin - start_of_month(base) : 0;
    int64_t number = month_number(micros - offset) - base;
    number = floor_divide(number, stride.months) * stride.months + base;
    return start_of_month(number) + offset;
  }
  const bool weeks = stride.micros % (7 * kMicrosPerDay) == 0;
  const int64_t base = origin != nullptr ? *origin : weeks ? kFirstMonday : 0;
  return floor_divide(micros - base, stride.micros) * stride.micros + base;
}

int64_t ceil_to(const Stride& stride, int64_t micros) {
  const int64_t floored = floor_to(stride, micros, nullptr);
  if (floored == micros) return micros;
  return stride.months > 0 ? start_of_month(month_number(floored) + stride.months) : floored + stride.micros;
}

// timestamp_floor(unit, ts[, origin]) with the unit parsed when it changes; a fixed stride by plain
// arithmetic.
template <bool kCeil>
void floor_kernel(EvaluationState&, const CallTypes& types, std::span<const Vector> arguments, uint32_t size,
                  Selection selection, Vector* result) {
  int64_t* out = result->allocate_as<int64_t>(types.result, size);
  const kernel_detail::Reader<View> units(arguments[0]);
  const kernel_detail::Reader<int64_t> stamps(arguments[1]);
  View parsed;
  Stride stride;
  for (uint32_t i = 0; i < selection.count; ++i) {
    const uint32_t row = selection[i];
    if (parsed.data() == nullptr || units[row] != parsed) {
      parsed = units[row];
      stride = stride_of(parsed);
    }
    if constexpr (kCeil) {
      out[row] = ceil_to(stride, stamps[row]);
    } else {
      const int64_t* origin = nullptr;
      if (arguments.size() > 2)
        origin = arguments[2].values<int64_t>() + (arguments[2].is_constant() ? 0 : row);
      out[row] = floor_to(stride, stamps[row], origin);
    }
  }
}

// time_bucket(width, ts[, origin]): origin Monday 2000-01-03, months from 2000-01-01.
int64_t bucket(const Interval& width, int64_t micros, const int64_t* origin) {
  if (width.months != 0) {
    if (width.days != 0 || width.micros != 0) {
      throw SqlError(sqlstate::kFeatureNotSupported, "month intervals cannot have day or time component");
    }
    if (width.months < 0) throw SqlError(sqlstate::kInvalidParameterValue, "period must be greater than 0");
    const int64_t base = origin != nullptr ? *origin : kPostgresEpochMicros;
    return floor_to({0, width.months}, micros, &base);
  }
  const int64_t period = width.days * kMicrosPerDay + width.micros;
  if (period <= 0) throw SqlError(sqlstate::kInvalidParameterValue, "period must be greater than 0");
  const int64_t base = origin != nullptr ? *origin : kPostgresEpochMicros + 2 * kMicrosPerDay;
  return floor_to({period, 0}, micros, &base);
}

int64_t add_units(View unit, int64_t count, int64_t micros) {
  const Stride stride = stride_of(unit);
  if (!is_finite_timestamp(micros)) return micros;
  const int64_t months = stride.months * count;
  if (months != 0) {
    if (months != static_cast<int32_t>(months))
      throw SqlError(sqlstate::kDatetimeFieldOverflow, "timestamp out of range");
    return add_interval(micros, Interval{0, 0, static_cast<int32_t>(months)});
  }
  int64_t delta = 0;
  if (__builtin_mul_overflow(stride.micros, count, &delta))
    throw SqlError(sqlstate::kDatetimeFieldOverflow, "timestamp out of range");
  return add_interval(micros, Interval{delta, 0, 0});
}

// Whole units between two timestamps, whichever is the later, as QuestDB.
int64_t units_between(View unit, int64_t a, int64_t b) {
  const Stride stride = stride_of(unit);
  const int64_t low = std::min(a, b), high = std::max(a, b);
  if (stride.months == 0) {
    int64_t distance = 0;
    if (__builtin_sub_overflow(high, low, &distance))
      throw SqlError(sqlstate::kDatetimeFieldOverflow, "timestamp out of range");
    return distance / stride.micros;
  }
  int64_t months = month_number(high) - month_number(low);
  const int64_t low_rest = low - start_of_month(month_number(low)),
                high_rest = high - start_of_month(month_number(high));
  if (high_rest < low_rest) --months;
  return months / stride.months;
}

// hour(ts) and its like.
template <TimeUnit kUnit>
void field_kernel(EvaluationState&, const CallTypes& types, std::span<const Vector> arguments, uint32_t size,
                  Selection selection, Vector* result) {
  int32_t* out = result->allocate_as<int32_t>(types.result, size);
  const kernel_detail::Reader<int64_t> stamps(arguments[0]);
  for (uint32_t i = 0; i < selection.count; ++i) {
    const uint32_t row = selection[i];
    const int64_t stamp = stamps[row];
    if constexpr (kUnit == TimeUnit::kHour) {
      out[row] = static_cast<int32_t>(time_of_day(stamp) / kMicrosPerHour);
    } else if constexpr (kUnit == TimeUnit::kMinute) {
      out[row] = static_cast<int32_t>(time_of_day(stamp) / kMicrosPerMinute % 60);
    } else if constexpr (kUnit == TimeUnit::kSecond) {
      out[row] = static_cast<int32_t>(time_of_day(stamp) / kMicrosPerSecond % 60);
    } else if constexpr (kUnit == TimeUnit::kMillisecond) {
      out[row] = static_cast<int32_t>(time_of_day(stamp) / kMicrosPerMilli % 1000);
    } else if constexpr (kUnit == TimeUnit::kMicrosecond) {
      out[row] = static_cast<int32_t>(time_of_day(stamp) % 1000);
    } else {
      out[row] = static_cast<int32_t>(extract_whole(kUnit, stamp));
    }
  }
}

template <TimeUnit kUnit>
void add_field(FunctionRegistry& r, View name) {
  r.add(name, {kStamp}, kInt4, field_kernel<kUnit>);
  r.add(name, {kStampTz}, kInt4, field_kernel<kUnit>);
}

CivilDate civil_date(int64_t micros) { return civil_from_days(days_of_micros(micros)); }

void register_time_parts(FunctionRegistry& r) {
  add_field<TimeUnit::kYear>(r, "year");
  add_field<TimeUnit::kQuarter>(r, "quarter");
  add_field<TimeUnit::kMonth>(r, "month");
  add_field<TimeUnit::kDay>(r, "day");
  add_field<TimeUnit::kHour>(r, "hour");
  add_field<TimeUnit::kMinute>(r, "minute");
  add_field<TimeUnit::kSecond>(r, "second");
  add_field<TimeUnit::kMillisecond>(r, "millis");
  add_field<TimeUnit::kMicrosecond>(r, "micros");
  add_field<TimeUnit::kWeek>(r, "week_of_year");
  add_field<TimeUnit::kIsoDayOfWeek>(r, "day_of_week");
  r.add("day_of_week_sunday_first", {kStamp}, kInt4,
        row_kernel<[](int64_t t) { return day_of_week(days_of_micros(t)) + 1; }>);
  r.add("days_in_month", {kStamp}, kInt4, row_kernel<[](int64_t t) {
          const CivilDate date = civil_date(t);
          return days_in_month(date.year, date.month);
        }>);
  r.add("is_leap_year", {kStamp}, kBool,
        row_kernel<[](int64_t t) { return is_leap_year(civil_date(t).year); }>);
}

}  // namespace

void register_timeseries_functions(FunctionRegistry& r) {
  for (const SqlType stamp : {kStamp, kStampTz}) {
    r.add("timestamp_floor", {kText, stamp}, stamp, floor_kernel<false>);
    r.add("timestamp_floor", {kText, stamp, stamp}, stamp, floor_kernel<false>);
    r.add("timestamp_ceil", {kText, stamp}, stamp, floor_kernel<true>);
    r.add("time_bucket", {kInterval, stamp}, stamp,
          row_kernel<[](const Interval& w, int64_t t) { return bucket(w, t, nullptr); }>);
    r.add("time_bucket", {kInterval, stamp, stamp}, stamp,
          row_kernel<[](const Interval& w, int64_t t, int64_t origin) { return bucket(w, t, &origin); }>);
    r.add("dateadd", {kText, kInt8, stamp}, stamp,
          row_kernel<[](View u, int64_t n, int64_t t) { return add_units(u, n, t); }>);
    r.add("datediff", {kText, stamp, stamp}, kInt8,
          row_kernel<[](View u, int64_t a, int64_t b) { return units_between(u, a, b); }>);
  }
  // time_bucket(300, seconds): whole numbers.
  r.add("time_bucket", {kInt8, kInt8}, kInt8, row_kernel<[](int64_t width, int64_t n) {
          if (width <= 0) throw SqlError(sqlstate::kInvalidParameterValue, "period must be greater than 0");
          return floor_divide(n, width) * width;
        }>);
  register_time_parts(r);
}

}  // namespace idem
