#include <cmath>

#include "common/calendar.h"
#include "common/error.h"
#include "common/time_zone.h"
#include "query/datetime_format.h"
#include "query/function_registry.h"
#include "query/kernel.h"
#include "query/last_parsed.h"
#include "query/number_format.h"
#include "query/signature_types.h"

namespace idem {

namespace {

using View = std::string_view;

const TimeZone* session_zone(const EvaluationState& state) {
  return state.context != nullptr && state.context->time_zone ? state.context->time_zone.get()
                                                              : utc_time_zone().get();
}

// f(value, template) as text: append(format, state, value, &text), false for NULL.
template <class Format, class T, auto Append>
void format_kernel(EvaluationState& state, const CallTypes& types, std::span<const Vector> arguments,
                   uint32_t size, Selection selection, Vector* result) {
  auto* out = result->allocate_as<View>(types.result, size);
  const kernel_detail::Reader<T> values(arguments[0]);
  const kernel_detail::Reader<View> patterns(arguments[1]);
  kernel_detail::NullMarker nulls(result, size);
  LastParsed<Format> last;
  std::string text;
  for (uint32_t i = 0; i < selection.count; ++i) {
    const uint32_t row = selection[i];
    text.clear();
    if (Append(last.get(patterns[row]), state, values[row], text)) {
      out[row] = result->store_string(text);
    } else {
      out[row] = {};
      nulls.mark(row);
    }
  }
}

bool append_stamp(const DateTimeFormat& format, EvaluationState&, int64_t micros, std::string& text) {
  if (!is_finite_timestamp(micros)) return false;
  format.append_timestamp(text, micros, nullptr);
  return true;
}
bool append_stamp_tz(const DateTimeFormat& format, EvaluationState& state, int64_t micros,
                     std::string& text) {
  if (!is_finite_timestamp(micros)) return false;
  format.append_timestamp(text, micros, session_zone(state));
  return true;
}
bool append_date(const DateTimeFormat& format, EvaluationState&, int32_t days, std::string& text) {
  if (!is_finite_date(days)) return false;
  format.append_timestamp(text, timestamp_from_date(days), nullptr);
  return true;
}
bool append_interval(const DateTimeFormat& format, EvaluationState&, const Interval& interval,
                     std::string& text) {
  format.append_interval(text, interval);
  return true;
}
bool append_decimal(const NumberFormat& format, EvaluationState&, const Decimal& value, std::string& text) {
  format.append(text, value);
  return true;
}
bool append_integer(const NumberFormat& format, EvaluationState&, int64_t value, std::string& text) {
  format.append(text, decimal_from_int64(value));
  return true;
}
bool append_double(const NumberFormat& format, EvaluationState&, double value, std::string& text) {
  if (!std::isfinite(value) || std::fabs(value) >= 1e37)
    throw SqlError(sqlstate::kNumericValueOutOfRange, "value overflows numeric format");
  format.append(text, decimal_from_double(value));
  return true;
}

// f(text, template) → a value.
template <class Format, class R, auto Parse>
void parse_kernel(EvaluationState& state, const CallTypes& types, std::span<const Vector> arguments,
                  uint32_t size, Selection selection, Vector* result) {
  R* out = result->allocate_as<R>(types.result, size);
  const kernel_detail::Reader<View> texts(arguments[0]), patterns(arguments[1]);
  LastParsed<Format> last;
  for (uint32_t i = 0; i < selection.count; ++i) {
    const uint32_t row = selection[i];
    out[row] = Parse(last.get(patterns[row]), state, texts[row]);
  }
}

int64_t parse_stamp(const DateTimeFormat& format, EvaluationState& state, View text) {
  return format.parse(text, session_zone(state));
}
int32_t parse_date(const DateTimeFormat& format, EvaluationState&, View text) {
  return static_cast<int32_t>(days_of_micros(format.parse(text, nullptr)));
}
Decimal parse_number(const NumberFormat& format, EvaluationState&, View text) { return format.parse(text); }

}  // namespace

void register_to_char_functions(FunctionRegistry& r) {
  for (const View name : {"to_char", "to_str"}) {
    r.add(name, {kStamp, kText}, kText, format_kernel<DateTimeFormat, int64_t, append_stamp>);
    r.add(name, {kStampTz, kText}, kText, format_kernel<DateTimeFormat, int64_t, append_stamp_tz>,
          Volatility::kStable);
  }
  r.add("to_str", {kDate, kText}, kText, format_kernel<DateTimeFormat, int32_t, append_date>);
  r.add("to_char", {kInterval, kText}, kText, format_kernel<DateTimeFormat, Interval, append_interval>);
  r.add("to_char", {kDecimal, kText}, kText, format_kernel<NumberFormat, Decimal, append_decimal>);
  r.add("to_char", {TypeId::kBigInt, kText}, kText, format_kernel<NumberFormat, int64_t, append_integer>);
  r.add("to_char", {TypeId::kDouble, kText}, kText, format_kernel<NumberFormat, double, append_double>);
  r.add("to_timestamp", {kText, kText}, kStampTz, parse_kernel<DateTimeFormat, int64_t, parse_stamp>,
        Volatility::kStable);
  r.add("to_date", {kText, kText}, kDate, parse_kernel<DateTimeFormat, int32_t, parse_date>);
  r.add("to_number", {kText, kText}, kDecimal, parse_kernel<NumberFormat, Decimal, parse_number>);
}

}  // namespace idem
