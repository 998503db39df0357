#include <cmath>
#include <memory>

#include "common/calendar.h"
#include "common/decimal.h"
#include "common/error.h"
#include "common/interval.h"
#include "common/time_zone.h"
#include "common/timestamp_arithmetic.h"
#include "query/function_registry.h"
#include "query/kernel.h"
#include "query/signature_types.h"

namespace idem {

namespace {

using View = std::string_view;

// ---- the present

int64_t transaction_time(const KernelCall& call) {
  return call.state.context != nullptr ? call.state.context->transaction_time_micros : 0;
}
int64_t statement_time(const KernelCall& call) {
  return call.state.context != nullptr ? call.state.context->statement_time_micros : 0;
}

// ---- truncation

// The divisor is a constant of the loop, so that no division is left in it. Infinities pass.
template <int64_t kUnit>
void floor_all(const int64_t* in, uint32_t count, int64_t* out) {
  for (uint32_t i = 0; i < count; ++i) {
    const int64_t floored = (in[i] / kUnit - (in[i] % kUnit < 0)) * kUnit;
    out[i] = is_finite_timestamp(in[i]) ? floored : in[i];
  }
}

bool floor_fixed(TimeUnit unit, const int64_t* in, uint32_t count, int64_t* out) {
  switch (unit) {
    case TimeUnit::kMillisecond: floor_all<kMicrosPerMilli>(in, count, out); return true;
    case TimeUnit::kSecond: floor_all<kMicrosPerSecond>(in, count, out); return true;
    case TimeUnit::kMinute: floor_all<kMicrosPerMinute>(in, count, out); return true;
    case TimeUnit::kHour: floor_all<kMicrosPerHour>(in, count, out); return true;
    case TimeUnit::kDay: floor_all<kMicrosPerDay>(in, count, out); return true;
    default: return false;
  }
}

// The unit's name is looked up when it changes: once where it is a constant.
class LastUnit {
 public:
  explicit LastUnit(View type_name) : type_name_(type_name) {}
  TimeUnit get(View name) {
    if (name != name_ || name_.data() == nullptr) {
      unit_ = time_unit_from_text(name, type_name_);
      name_ = name;
    }
    return unit_;
  }

 private:
  View type_name_, name_;
  TimeUnit unit_ = TimeUnit::kDay;
};

View type_name(SqlType type) {
  switch (type.id) {
    case TypeId::kTimestamp: return "timestamp without time zone";
    case TypeId::kTimestampTz: return "timestamp with time zone";
    case TypeId::kDate: return "date";
    case TypeId::kTime: return "time without time zone";
    default: return "interval";
  }
}

void truncate_kernel(EvaluationState&, const CallTypes& types, std::span<const Vector> arguments,
                     uint32_t size, Selection selection, Vector* result) {
  const Vector &units = arguments[0], &stamps = arguments[1];
  int64_t* out = result->allocate_as<int64_t>(types.result, size);
  LastUnit last(type_name(types.arguments[1]));
  if (units.is_constant() && !stamps.is_constant() && selection.is_all()) {
    if (floor_fixed(last.get(*units.values<View>()), stamps.values<int64_t>(), selection.count, out)) return;
  }
  const kernel_detail::Reader<View> names(units);
  const kernel_detail::Reader<int64_t> values(stamps);
  for (uint32_t i = 0; i < selection.count; ++i) {
    const uint32_t row = selection[i];
    out[row] = truncate_timestamp(last.get(names[row]), values[row]);
  }
}

int64_t truncate_in_zone(KernelCall&, View unit, int64_t stamp, View zone_name) {
  const auto zone = time_zone_from_name(zone_name);
  return truncate_timestamp(time_unit_from_text(unit, "timestamp with time zone"), stamp, zone.get());
}

// ---- extraction

bool is_whole_unit(TimeUnit unit) {
  switch (unit) {
    case TimeUnit::kMinute:
    case TimeUnit::kHour:
    case TimeUnit::kDay:
    case TimeUnit::kWeek:
    case TimeUnit::kMonth:
    case TimeUnit::kQuarter:
    case TimeUnit::kYear:
    case TimeUnit::kDayOfWeek:
    case TimeUnit::kIsoDayOfWeek:
    case TimeUnit::kDayOfYear:
    case TimeUnit::kIsoYear:
    case TimeUnit::kDecade:
    case TimeUnit::kCentury:
    case TimeUnit::kMillennium: return true;
    default: return false;
  }
}

bool has_zone_field(TimeUnit unit) {
  return unit == TimeUnit::kTimezone || unit == TimeUnit::kTimezoneHour || unit == TimeUnit::kTimezoneMinute;
}

// extract() and date_part() of timestamps; R is Decimal or double.
template <class R>
void extract_kernel(EvaluationState&, const CallTypes& types, std::span<const Vector> arguments,
                    uint32_t size, Selection selection, Vector* result) {
  R* out = result->allocate_as<R>(types.result, size);
  LastUnit last(type_name(types.arguments[1]));
  const kernel_detail::Reader<View> names(arguments[0]);
  const kernel_detail::Reader<int64_t> values(arguments[1]);
  kernel_detail::NullMarker nulls(result, size);
  const bool has_zone = types.arguments[1].id == TypeId::kTimestampTz;
  for (uint32_t i = 0; i < selection.count; ++i) {
    const uint32_t row = selection[i];
    const TimeUnit unit = last.get(names[row]);
    const int64_t stamp = values[row];
    if (!has_zone && has_zone_field(unit)) {
      throw sql_error(sqlstate::kFeatureNotSupported,
                      "unit \"{}\" not supported for type timestamp without time zone", names[row]);
    }
    if (is_whole_unit(unit) && is_finite_timestamp(stamp)) {
      const int64_t whole = extract_whole(unit, stamp);
      if constexpr (std::is_same_v<R, double>) {
        out[row] = static_cast<double>(whole);
      } else {
        out[row] = Decimal{whole, 0};
      }
      continue;
    }
    bool is_null = false;
    if constexpr (std::is_same_v<R, double>) {
      out[row] = date_part_timestamp(unit, stamp, &is_null);
    } else {
      out[row] = extract_timestamp(unit, stamp, &is_null);
    }
    if (!is_null) continue;
    out[row] = R{};
    nulls.mark(row);
  }
}

std::optional<Decimal> date_field(View name, int32_t days) {
  bool is_null = false;
  const Decimal value = extract_date(time_unit_from_text(name, "date"), days, &is_null);
  return is_null ? std::nullopt : std::optional(value);
}

void register_fields(FunctionRegistry& r) {
  for (const SqlType stamp : {kStamp, kStampTz}) {
    r.add("date_trunc", {kText, stamp}, stamp, truncate_kernel);
    r.add("extract", {kText, stamp}, kDecimal, extract_kernel<Decimal>);
    r.add("date_part", {kText, stamp}, kDouble, extract_kernel<double>);
  }
  r.add("date_trunc", {kText, kStampTz, kText}, kStampTz,
        row_kernel<[](KernelCall& c, View unit, int64_t t, View zone) {
          return truncate_in_zone(c, unit, t, zone);
        }>);
  r.add("date_trunc", {kText, kInterval}, kInterval, row_kernel<[](View unit, const Interval& i) {
          return truncate_interval(time_unit_from_text(unit, "interval"), i);
        }>);
  r.add("extract", {kText, kDate}, kDecimal,
        row_kernel<[](View unit, int32_t d) { return date_field(unit, d); }>);
  r.add("extract", {kText, kTime}, kDecimal, row_kernel<[](View unit, int64_t t) {
          return extract_time(time_unit_from_text(unit, "time without time zone"), t);
        }>);
  r.add("extract", {kText, kInterval}, kDecimal, row_kernel<[](View unit, const Interval& i) {
          return extract_interval(time_unit_from_text(unit, "interval"), i);
        }>);
  r.add("date_part", {kText, kDate}, kDouble, row_kernel<[](View unit, int32_t d) {
          bool is_null = false;
          const double value =
              date_part_timestamp(time_unit_from_text(unit, "date"), timestamp_from_date(d), &is_null);
          return is_null ? std::nullopt : std::optional(value);
        }>);
  r.add("date_part", {kText, kTime}, kDouble, row_kernel<[](View unit, int64_t t) {
          return decimal_to_double(extract_time(time_unit_from_text(unit, "time without time zone"), t));
        }>);
  r.add("date_part", {kText, kInterval}, kDouble, row_kernel<[](View unit, const Interval& i) {
          return decimal_to_double(extract_interval(time_unit_from_text(unit, "interval"), i));
        }>);
}

// ---- construction

int64_t make_timestamp(int32_t year, int32_t month, int32_t day, int32_t hour, int32_t minute,
                       double second) {
  return timestamp_from_date(make_date(year, month, day)) + make_time(hour, minute, second);
}

template <size_t kCount>
Interval make_interval(const KernelCall& call) {
  const auto part = [&](size_t i) { return i < kCount && i < 6 ? int64_t{call.at<int32_t>(i)} : 0; };
  const double seconds = kCount > 6 ? call.at<double>(6) : 0;
  if (!std::isfinite(seconds)) throw SqlError(sqlstate::kDatetimeFieldOverflow, "interval out of range");
  const int64_t months = part(0) * 12 + part(1);
  const int64_t days = part(2) * 7 + part(3);
  const auto micros = static_cast<int64_t>(std::nearbyint(seconds * 1e6));
  const auto fits = [](int64_t v) { return v == static_cast<int32_t>(v); };
  if (!fits(months) || !fits(days)) throw SqlError(sqlstate::kDatetimeFieldOverflow, "interval out of range");
  return {part(4) * kMicrosPerHour + part(5) * kMicrosPerMinute + micros, static_cast<int32_t>(days),
          static_cast<int32_t>(months)};
}

int64_t timestamp_of_epoch(double seconds) {
  if (std::isnan(seconds)) throw SqlError(sqlstate::kDatetimeFieldOverflow, "timestamp cannot be NaN");
  if (std::isinf(seconds)) return 0 < seconds ? kTimestampInfinity : kTimestampMinusInfinity;
  const double micros = std::nearbyint(seconds * 1e6);
  if (!(static_cast<double>(kMinTimestamp) <= micros && micros < 9.2233720368547e18)) {
    throw sql_error(sqlstate::kDatetimeFieldOverflow, "timestamp out of range: \"{}\"", seconds);
  }
  return static_cast<int64_t>(micros);
}

void register_construction(FunctionRegistry& r) {
  r.add("make_date", {kInt4, kInt4, kInt4}, kDate,
        row_kernel<[](int32_t y, int32_t m, int32_t d) { return make_date(y, m, d); }>);
  r.add("make_time", {kInt4, kInt4, kDouble}, kTime,
        row_kernel<[](int32_t h, int32_t m, double s) { return make_time(h, m, s); }>);
  for (const View name : {"make_timestamp", "make_timestamptz"}) {
    r.add(name, {kInt4, kInt4, kInt4, kInt4, kInt4, kDouble}, name == "make_timestamp" ? kStamp : kStampTz,
          row_kernel<[](int32_t y, int32_t mo, int32_t d, int32_t h, int32_t mi, double s) {
            return make_timestamp(y, mo, d, h, mi, s);
          }>);
  }
  r.add("make_timestamptz", {kInt4, kInt4, kInt4, kInt4, kInt4, kDouble, kText}, kStampTz,
        row_kernel<[](int32_t y, int32_t mo, int32_t d, int32_t h, int32_t mi, double s, View zone) {
          return time_zone_from_name(zone)->local_to_utc(make_timestamp(y, mo, d, h, mi, s));
        }>);
  r.add("make_interval", {}, kInterval, row_kernel<[](KernelCall&) { return Interval{}; }>);
  r.add("make_interval", {kInt4}, kInterval, row_kernel<[](KernelCall& c) { return make_interval<1>(c); }>);
  r.add("make_interval", {kInt4, kInt4}, kInterval,
        row_kernel<[](KernelCall& c) { return make_interval<2>(c); }>);
  r.add("make_interval", {kInt4, kInt4, kInt4}, kInterval,
        row_kernel<[](KernelCall& c) { return make_interval<3>(c); }>);
  r.add("make_interval", {kInt4, kInt4, kInt4, kInt4}, kInterval,
        row_kernel<[](KernelCall& c) { return make_interval<4>(c); }>);
  r.add("make_interval", {kInt4, kInt4, kInt4, kInt4, kInt4}, kInterval,
        row_kernel<[](KernelCall& c) { return make_interval<5>(c); }>);
  r.add("make_interval", {kInt4, kInt4, kInt4, kInt4, kInt4, kInt4}, kInterval,
        row_kernel<[](KernelCall& c) { return make_interval<6>(c); }>);
  r.add("make_interval", {kInt4, kInt4, kInt4, kInt4, kInt4, kInt4, kDouble}, kInterval,
        row_kernel<[](KernelCall& c) { return make_interval<7>(c); }>);
  r.add("to_timestamp", {kDouble}, kStampTz, row_kernel<[](double s) { return timestamp_of_epoch(s); }>);
}

// ---- zones: AT TIME ZONE is timezone(zone, x)

int32_t zone_offset(const Interval& offset) {
  if (offset.months != 0 || offset.days != 0) {
    throw SqlError(sqlstate::kInvalidParameterValue, "interval time zone must not include months or days");
  }
  return static_cast<int32_t>(offset.micros / kMicrosPerSecond);
}

// The zone is looked up when its name changes.
template <bool kToUtc, size_t kZoneAt>
void zone_kernel(EvaluationState&, const CallTypes& types, std::span<const Vector> arguments, uint32_t size,
                 Selection selection, Vector* result) {
  int64_t* out = result->allocate_as<int64_t>(types.result, size);
  const kernel_detail::Reader<View> names(arguments[kZoneAt]);
  const kernel_detail::Reader<int64_t> stamps(arguments[1 - kZoneAt]);
  std::shared_ptr<const TimeZone> zone;
  View name;
  for (uint32_t i = 0; i < selection.count; ++i) {
    const uint32_t row = selection[i];
    if (!zone || names[row] != name) {
      name = names[row];
      zone = time_zone_from_name(name);
    }
    out[row] = kToUtc ? zone->local_to_utc(stamps[row]) : zone->utc_to_local(stamps[row]);
  }
}

void register_zones(FunctionRegistry& r) {
  r.add("timezone", {kText, kStamp}, kStampTz, zone_kernel<true, 0>);
  r.add("timezone", {kText, kStampTz}, kStamp, zone_kernel<false, 0>);
  r.add("timezone", {kInterval, kStamp}, kStampTz, row_kernel<[](const Interval& offset, int64_t local) {
          return is_finite_timestamp(local) ? local - zone_offset(offset) * kMicrosPerSecond : local;
        }>);
  r.add("timezone", {kInterval, kStampTz}, kStamp, row_kernel<[](const Interval& offset, int64_t utc) {
          return is_finite_timestamp(utc) ? utc + zone_offset(offset) * kMicrosPerSecond : utc;
        }>);
  // QuestDB's pair.
  r.add("to_timezone", {kStamp, kText}, kStamp, zone_kernel<false, 1>);
  r.add("to_utc", {kStamp, kText}, kStamp, zone_kernel<true, 1>);
}

void register_present(FunctionRegistry& r) {
  for (const View name : {"now", "transaction_timestamp"}) {
    r.add(name, {}, kStampTz, row_kernel<[](KernelCall& c) { return transaction_time(c); }>,
          Volatility::kStable);
  }
  r.add("statement_timestamp", {}, kStampTz, row_kernel<[](KernelCall& c) { return statement_time(c); }>,
        Volatility::kStable);
  r.add("today", {}, kStamp,
        row_kernel<[](KernelCall& c) { return truncate_timestamp(TimeUnit::kDay, transaction_time(c)); }>,
        Volatility::kStable);
}

}  // namespace

void register_datetime_functions(FunctionRegistry& r) {
  register_present(r);
  register_fields(r);
  register_construction(r);
  register_zones(r);
  for (const SqlType stamp : {kStamp, kStampTz}) {
    r.add("date_bin", {kInterval, stamp, stamp}, stamp,
          row_kernel<[](const Interval& stride, int64_t t, int64_t origin) {
            return date_bin(stride, t, origin);
          }>);
    r.add("age", {stamp, stamp}, kInterval, row_kernel<[](int64_t a, int64_t b) { return age(a, b); }>);
    r.add("age", {stamp}, kInterval, row_kernel<[](KernelCall& c, int64_t t) {
            return age(truncate_timestamp(TimeUnit::kDay, transaction_time(c)), t);
          }>,
          Volatility::kStable);
    r.add("isfinite", {stamp}, kBool, row_kernel<[](int64_t t) { return is_finite_timestamp(t); }>);
  }
  r.add("isfinite", {kDate}, kBool, row_kernel<[](int32_t d) { return is_finite_date(d); }>);
  r.add("isfinite", {kInterval}, kBool, row_kernel<[](const Interval&) { return true; }>);
  r.add("justify_hours", {kInterval}, kInterval,
        row_kernel<[](const Interval& i) { return justify_hours(i); }>);
  r.add("justify_days", {kInterval}, kInterval,
        row_kernel<[](const Interval& i) { return justify_days(i); }>);
  r.add("justify_interval", {kInterval}, kInterval,
        row_kernel<[](const Interval& i) { return justify_interval(i); }>);
}

}  // namespace idem
