#include <array>
#include <cmath>

#include "common/calendar.h"
#include "common/error.h"
#include "common/interval.h"
#include "query/cast_registry.h"
#include "query/kernel.h"

namespace idem {

namespace {

constexpr std::array<int64_t, 7> kMicrosOfDigit = {1'000'000, 100'000, 10'000, 1'000, 100, 10, 1};

int64_t fitted(const KernelCall& call, int64_t micros) {
  return call.types.result.modifier < 0 ? micros : rounded_micros(micros, call.types.result.modifier);
}

// An integer is microseconds since 1970 UTC.
int64_t timestamp_of_int(int64_t micros) {
  if (!is_valid_timestamp(micros) || !is_finite_timestamp(micros)) {
    throw SqlError(sqlstate::kDatetimeFieldOverflow, "timestamp out of range");
  }
  return micros;
}

}  // namespace

int64_t rounded_micros(int64_t micros, int digits) {
  if (digits < 0 || digits >= 6 || !is_finite_timestamp(micros)) return micros;
  const int64_t unit = kMicrosOfDigit[static_cast<size_t>(digits)];
  return floor_divide(micros + unit / 2, unit) * unit;
}

void time_precision_kernel(EvaluationState& state, const CallTypes& types, std::span<const Vector> arguments,
                           uint32_t size, Selection selection, Vector* result) {
  if (types.result.id == TypeId::kInterval) {
    return row_kernel<[](KernelCall& call, const Interval& v) {
      const int64_t sign = v.micros < 0 ? -1 : 1;
      return Interval{sign * rounded_micros(sign * v.micros, call.types.result.modifier), v.days, v.months};
    }>(state, types, arguments, size, selection, result);
  }
  row_kernel<[](KernelCall& call, int64_t v) { return fitted(call, v); }>(state, types, arguments, size,
                                                                          selection, result);
}

// TIMESTAMPTZ is an instant in UTC like TIMESTAMP (dialect.md 1): the casts between them change only how it
// is shown.
void register_datetime_casts(CastRegistry& r) {
  constexpr auto kImplicit = CastContext::kImplicit;
  constexpr auto kAssignment = CastContext::kAssignment;
  constexpr TypeId kStamp = TypeId::kTimestamp, kStampTz = TypeId::kTimestampTz, kDate = TypeId::kDate,
                   kTime = TypeId::kTime, kInterval = TypeId::kInterval;
  r.add(kStamp, kStampTz, kImplicit, nullptr);
  r.add(kStampTz, kStamp, kAssignment, nullptr);
  for (const TypeId stamp : {kStamp, kStampTz}) {
    r.add(kDate, stamp, kImplicit, row_kernel<[](int32_t d) { return timestamp_from_date(d); }>);
    r.add(stamp, kDate, kAssignment, row_kernel<[](int64_t t) { return date_from_timestamp(t); }>);
    r.add(stamp, kTime, kAssignment, row_kernel<[](KernelCall& call, int64_t t) -> std::optional<int64_t> {
            if (!is_finite_timestamp(t)) return std::nullopt;
            return fitted(call, time_of_day(t));
          }>);
    r.add(TypeId::kBigInt, stamp, kAssignment, row_kernel<[](int64_t v) { return timestamp_of_int(v); }>);
    r.add(TypeId::kInteger, stamp, kAssignment,
          row_kernel<[](int32_t v) { return static_cast<int64_t>(v); }>);
    r.add(stamp, TypeId::kBigInt, CastContext::kExplicit, nullptr);
  }
  r.add(kTime, kInterval, kImplicit, row_kernel<[](int64_t t) { return Interval{t, 0, 0}; }>);
  r.add(kInterval, kTime, kAssignment, row_kernel<[](KernelCall& call, const Interval& i) {
          return fitted(call, floor_modulo(i.micros, kMicrosPerDay));
        }>);
}

}  // namespace idem
