#include "common/interval.h"

#include <algorithm>
#include <cmath>

#include "common/calendar.h"
#include "common/digit_pairs.h"
#include "common/error.h"
#include "common/hash.h"
#include "common/number_text.h"

namespace idem {

namespace {

constexpr int kDaysPerMonth = 30;
constexpr double kSecondsPerDay = 86'400;

SqlError out_of_range() { return sql_error(sqlstate::kDatetimeFieldOverflow, "interval out of range"); }

int128_t total_micros(const Interval& a) {
  return a.micros +
         (static_cast<int128_t>(a.days) + static_cast<int128_t>(a.months) * kDaysPerMonth) * kMicrosPerDay;
}

int32_t checked_int32(double v) {
  if (!(v >= -2147483648.0 && v <= 2147483647.0)) throw out_of_range();
  return static_cast<int32_t>(v);
}

double round_to_micros(double v) { return std::rint(v * 1e6) / 1e6; }

// Parts given as real numbers: what is left of months goes to days, and of days to microseconds.
Interval from_real_parts(double months, double days, double micros) {
  Interval result;
  result.months = checked_int32(months);
  result.days = checked_int32(days);
  const double extra_days = round_to_micros((months - result.months) * kDaysPerMonth);
  const double whole_extra_days = std::trunc(extra_days);
  double seconds = round_to_micros((days - result.days + extra_days - whole_extra_days) * kSecondsPerDay);
  if (std::fabs(seconds) >= kSecondsPerDay) {
    const double carried = std::trunc(seconds / kSecondsPerDay);
    result.days = checked_int32(result.days + carried);
    seconds -= carried * kSecondsPerDay;
  }
  result.days = checked_int32(result.days + whole_extra_days);
  const double total = std::rint(micros + seconds * 1e6);
  if (!(total >= -9223372036854775808.0 && total < 9223372036854775808.0)) throw out_of_range();
  result.micros = static_cast<int64_t>(total);
  return result;
}

class IntervalWriter {
 public:
  explicit IntervalWriter(char* out) : out_(out) {}

  void part(int32_t value, std::string_view unit) {
    if (value == 0) return;
    if (!is_empty_) *out_++ = ' ';
    if (after_negative_ && value > 0) *out_++ = '+';
    out_ = format_int32(out_, value);
    *out_++ = ' ';
    out_ = std::copy(unit.begin(), unit.end(), out_);
    if (value != 1) *out_++ = 's';
    after_negative_ = value < 0;
    is_empty_ = false;
  }

  void time(int64_t micros) {
    if (micros == 0 && !is_empty_) return;
    if (!is_empty_) *out_++ = ' ';
    auto magnitude = static_cast<uint64_t>(micros);
    if (micros < 0) {
      *out_++ = '-';
      magnitude = 0 - magnitude;
    } else if (after_negative_) {
      *out_++ = '+';
    }
    const uint64_t hours = magnitude / kMicrosPerHour;
    if (hours < 10) *out_++ = '0';
    out_ = format_uint64(out_, hours);
    *out_++ = ':';
    out_ = write_digit_pair(out_, static_cast<uint32_t>(magnitude / kMicrosPerMinute % 60));
    *out_++ = ':';
    out_ = write_digit_pair(out_, static_cast<uint32_t>(magnitude / kMicrosPerSecond % 60));
    out_ = write_fraction(out_, static_cast<uint32_t>(magnitude % kMicrosPerSecond));
  }

  char* end() const { return out_; }

 private:
  char* out_;
  bool is_empty_ = true;
  bool after_negative_ = false;
};

}  // namespace

char* format_interval(char* out, const Interval& interval) {
  IntervalWriter writer(out);
  writer.part(interval.months / 12, "year");
  writer.part(interval.months % 12, "mon");
  writer.part(interval.days, "day");
  writer.time(interval.micros);
  return writer.end();
}

int compare(const Interval& a, const Interval& b) {
  const int128_t x = total_micros(a);
  const int128_t y = total_micros(b);
  return x < y ? -1 : x > y ? 1 : 0;
}

uint64_t hash_interval(const Interval& interval) {
  return hash_u128(static_cast<uint128_t>(total_micros(interval)));
}

Interval add(const Interval& a, const Interval& b) {
  Interval sum;
  if (__builtin_add_overflow(a.months, b.months, &sum.months) ||
      __builtin_add_overflow(a.days, b.days, &sum.days) ||
      __builtin_add_overflow(a.micros, b.micros, &sum.micros)) {
    throw out_of_range();
  }
  return sum;
}

Interval subtract(const Interval& a, const Interval& b) {
  Interval difference;
  if (__builtin_sub_overflow(a.months, b.months, &difference.months) ||
      __builtin_sub_overflow(a.days, b.days, &difference.days) ||
      __builtin_sub_overflow(a.micros, b.micros, &difference.micros)) {
    throw out_of_range();
  }
  return difference;
}

Interval negate(const Interval& a) { return subtract({}, a); }

Interval multiply(const Interval& a, double factor) {
  return from_real_parts(a.months * factor, a.days * factor, static_cast<double>(a.micros) * factor);
}

Interval divide(const Interval& a, double divisor) {
  if (divisor == 0) throw sql_error(sqlstate::kDivisionByZero, "division by zero");
  return from_real_parts(a.months / divisor, a.days / divisor, static_cast<double>(a.micros) / divisor);
}

Interval justify_hours(const Interval& a) {
  Interval result = a;
  const auto carried = static_cast<int32_t>(a.micros / kMicrosPerDay);
  result.micros = a.micros % kMicrosPerDay;
  if (__builtin_add_overflow(a.days, carried, &result.days)) throw out_of_range();
  if (result.days > 0 && result.micros < 0) {
    result.micros += kMicrosPerDay;
    --result.days;
  } else if (result.days < 0 && result.micros > 0) {
    result.micros -= kMicrosPerDay;
    ++result.days;
  }
  return result;
}

Interval justify_days(const Interval& a) {
  Interval result = a;
  result.days = a.days % kDaysPerMonth;
  if (__builtin_add_overflow(a.months, a.days / kDaysPerMonth, &result.months)) throw out_of_range();
  if (result.months > 0 && result.days < 0) {
    result.days += kDaysPerMonth;
    --result.months;
  } else if (result.months < 0 && result.days > 0) {
    result.days -= kDaysPerMonth;
    ++result.months;
  }
  return result;
}

Interval justify_interval(const Interval& a) {
  const int64_t days = a.days + a.micros / kMicrosPerDay;
  int64_t months = a.months + days / kDaysPerMonth;
  Interval result;
  result.micros = a.micros % kMicrosPerDay;
  result.days = static_cast<int32_t>(days % kDaysPerMonth);
  if (months > 0 && (result.days < 0 || (result.days == 0 && result.micros < 0))) {
    result.days += kDaysPerMonth;
    --months;
  } else if (months < 0 && (result.days > 0 || (result.days == 0 && result.micros > 0))) {
    result.days -= kDaysPerMonth;
    ++months;
  }
  if (result.days > 0 && result.micros < 0) {
    result.micros += kMicrosPerDay;
    --result.days;
  } else if (result.days < 0 && result.micros > 0) {
    result.micros -= kMicrosPerDay;
    ++result.days;
  }
  result.months = static_cast<int32_t>(months);
  if (result.months != months) throw out_of_range();
  return result;
}

}  // namespace idem
