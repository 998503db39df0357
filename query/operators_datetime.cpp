#include <cstdlib>

#include "common/calendar.h"
#include "common/error.h"
#include "common/interval.h"
#include "common/timestamp_arithmetic.h"
#include "query/function_registry.h"
#include "query/kernel.h"

namespace idem {

namespace {

// DATE and TIME have an int32_t and an int64_t behind them like other types; what they mean is in the
// signature.
void add_date_operators(FunctionRegistry& registry) {
  const SqlType date = TypeId::kDate, integer = TypeId::kInteger, time = TypeId::kTime,
                stamp = TypeId::kTimestamp, interval = TypeId::kInterval;
  registry.add("+", {date, integer}, date, row_kernel<[](int32_t d, int32_t n) { return add_days(d, n); }>);
  registry.add("+", {integer, date}, date, row_kernel<[](int32_t n, int32_t d) { return add_days(d, n); }>);
  registry.add("-", {date, integer}, date,
               row_kernel<[](int32_t d, int32_t n) { return add_days(d, -static_cast<int64_t>(n)); }>);
  registry.add("-", {date, date}, integer, row_kernel<[](int32_t a, int32_t b) {
                 if (!is_finite_date(a) || !is_finite_date(b)) {
                   throw SqlError(sqlstate::kDatetimeFieldOverflow, "cannot subtract infinite dates");
                 }
                 return a - b;
               }>);
  registry.add("+", {date, time}, stamp, row_kernel<[](int32_t d, int64_t t) {
                 return is_finite_date(d) ? timestamp_from_date(d) + t : timestamp_from_date(d);
               }>);
  registry.add("+", {time, date}, stamp, row_kernel<[](int64_t t, int32_t d) {
                 return is_finite_date(d) ? timestamp_from_date(d) + t : timestamp_from_date(d);
               }>);
  registry.add(
      "+", {date, interval}, stamp,
      row_kernel<[](int32_t d, const Interval& i) { return add_interval(timestamp_from_date(d), i); }>);
  registry.add(
      "+", {interval, date}, stamp,
      row_kernel<[](const Interval& i, int32_t d) { return add_interval(timestamp_from_date(d), i); }>);
  registry.add(
      "-", {date, interval}, stamp,
      row_kernel<[](int32_t d, const Interval& i) { return subtract_interval(timestamp_from_date(d), i); }>);
}

// An interval without months and days moves all rows by one number.
template <int kSign>
void move_timestamps(EvaluationState&, const CallTypes& types, std::span<const Vector> arguments,
                     uint32_t size, Selection selection, Vector* result) {
  const Vector &stamps = arguments[0], &intervals = arguments[1];
  const int64_t* from = stamps.values<int64_t>();
  const Interval* by = intervals.values<Interval>();
  int64_t* out = result->allocate_as<int64_t>(types.result, size);
  const uint32_t stamp_mask = stamps.is_constant() ? 0 : ~0U,
                 interval_mask = intervals.is_constant() ? 0 : ~0U;
  const Interval first = intervals.is_constant() ? *by : Interval{};
  constexpr int64_t kSafe = int64_t{1} << 60;
  if (intervals.is_constant() && first.months == 0 && std::abs(int64_t{first.days}) < 1'000'000 &&
      first.micros < kSafe && first.micros > -kSafe && !stamps.is_constant() && selection.is_all()) {
    const int64_t delta = kSign * (first.days * kMicrosPerDay + first.micros);
    // Within these bounds the result is in range and the value is not infinite.
    const int64_t latest = delta > 0 ? kMaxTimestamp - delta : kMaxTimestamp;
    const int64_t earliest = delta < 0 ? kMinTimestamp - delta : kMinTimestamp;
    bool suspicious = false;
    for (uint32_t i = 0; i < selection.count; ++i) {
      suspicious |= (from[i] > latest) | (from[i] < earliest);
      out[i] = static_cast<int64_t>(static_cast<uint64_t>(from[i]) + static_cast<uint64_t>(delta));
    }
    if (!suspicious) return;
  }
  for (uint32_t i = 0; i < selection.count; ++i) {
    const uint32_t row = selection[i];
    if (!stamps.is_valid(row) || !intervals.is_valid(row)) continue;
    const int64_t stamp = from[row & stamp_mask];
    const Interval& interval = by[row & interval_mask];
    out[row] = kSign > 0 ? add_interval(stamp, interval) : subtract_interval(stamp, interval);
  }
}

void add_timestamp_operators(FunctionRegistry& registry, SqlType stamp) {
  const SqlType interval = TypeId::kInterval;
  registry.add("+", {stamp, interval}, stamp, move_timestamps<1>).blind = true;
  registry.add("-", {stamp, interval}, stamp, move_timestamps<-1>).blind = true;
  registry.add("+", {interval, stamp}, stamp,
               row_kernel<[](const Interval& i, int64_t t) { return add_interval(t, i); }>);
  registry.add("-", {stamp, stamp}, interval,
               row_kernel<[](int64_t a, int64_t b) { return subtract_timestamps(a, b); }>);
}

void add_interval_operators(FunctionRegistry& registry) {
  const SqlType interval = TypeId::kInterval, time = TypeId::kTime, number = TypeId::kDouble;
  registry.add("+", {interval, interval}, interval,
               row_kernel<[](const Interval& a, const Interval& b) { return add(a, b); }>);
  registry.add("-", {interval, interval}, interval,
               row_kernel<[](const Interval& a, const Interval& b) { return subtract(a, b); }>);
  registry.add("-", {interval}, interval, row_kernel<[](const Interval& a) { return negate(a); }>);
  registry.add("*", {interval, number}, interval,
               row_kernel<[](const Interval& a, double f) { return multiply(a, f); }>);
  registry.add("*", {number, interval}, interval,
               row_kernel<[](double f, const Interval& a) { return multiply(a, f); }>);
  registry.add("/", {interval, number}, interval,
               row_kernel<[](const Interval& a, double f) { return divide(a, f); }>);
  registry.add("+", {time, interval}, time,
               row_kernel<[](int64_t t, const Interval& i) { return add_interval_to_time(t, i); }>);
  registry.add("+", {interval, time}, time,
               row_kernel<[](const Interval& i, int64_t t) { return add_interval_to_time(t, i); }>);
  registry.add("-", {time, interval}, time, row_kernel<[](int64_t t, const Interval& i) {
                 return add_interval_to_time(t, Interval{-(i.micros % kMicrosPerDay), 0, 0});
               }>);
  registry.add("-", {time, time}, interval, row_kernel<[](int64_t a, int64_t b) {
                 return Interval{a - b, 0, 0};
               }>);
}

}  // namespace

void register_datetime_operators(FunctionRegistry& registry) {
  add_date_operators(registry);
  add_timestamp_operators(registry, TypeId::kTimestamp);
  add_timestamp_operators(registry, TypeId::kTimestampTz);
  add_interval_operators(registry);
}

}  // namespace idem
