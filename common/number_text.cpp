#include "common/number_text.h"

#include <array>
#include <charconv>
#include <cmath>
#include <cstring>
#include <fast_float/fast_float.h>
#include <limits>

#include "common/ascii.h"
#include "common/digit_chunk.h"
#include "common/digit_pairs.h"
#include "common/error.h"

namespace idem {

namespace {

void trim(const char*& begin, const char*& end) {
  while (begin != end && is_space(*begin)) ++begin;
  while (begin != end && is_space(end[-1])) --end;
}

// Appends the digits at p to *value, as long as there are some; wraps around, so callers count the digits.
const char* read_digits(const char* p, const char* end, uint64_t* value) {
  uint64_t v = *value;
  while (end - p >= 8) {
    const uint64_t chunk = load_chunk(p);
    if (non_digit_bytes(chunk) != 0) break;
    v = v * 100'000'000 + value_of_eight_digits(chunk);
    p += 8;
  }
  while (p != end && is_digit(*p)) v = v * 10 + static_cast<uint64_t>(*p++ - '0');
  *value = v;
  return p;
}

// Optional sign and digits as magnitude; the largest magnitude read is 10^19 - 1.
NumberResult parse_magnitude(const char* begin, const char* end, bool* negative, uint64_t* magnitude) {
  trim(begin, end);
  *negative = false;
  if (begin != end && (*begin == '-' || *begin == '+')) *negative = *begin++ == '-';
  if (begin == end || !is_digit(*begin)) return NumberResult::kBadSyntax;
  while (begin != end && *begin == '0') ++begin;
  *magnitude = 0;
  const char* stop = read_digits(begin, end, magnitude);
  if (stop != end) return NumberResult::kBadSyntax;
  return stop - begin > 19 ? NumberResult::kOutOfRange : NumberResult::kOk;
}

template <class T>
bool parse_narrow(const char* begin, const char* end, T* value) {
  int64_t wide;
  if (try_parse_int64(begin, end, &wide) != NumberResult::kOk) return false;
  if (wide < std::numeric_limits<T>::min() || wide > std::numeric_limits<T>::max()) return false;
  *value = static_cast<T>(wide);
  return true;
}

constexpr std::array<double, 23> kExactPowers = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                                 1e8,  1e9,  1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
                                                 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};

template <class T>
constexpr uint64_t kExactIntegers = uint64_t{1} << std::numeric_limits<T>::digits;

// digits[.digits] whose digits and power of ten are both exact in T, so that one division rounds correctly.
template <class T>
bool parse_plain(const char* p, const char* end, T* value) {
  constexpr ptrdiff_t kMaxFraction = sizeof(T) == 8 ? 22 : 10;
  const char* first = p;
  uint64_t digits = 0;
  p = read_digits(p, end, &digits);
  ptrdiff_t count = p - first;
  ptrdiff_t fraction = 0;
  if (p != end && *p == '.') {
    const char* point = ++p;
    p = read_digits(p, end, &digits);
    fraction = p - point;
    count += fraction;
  }
  if (p != end || count == 0 || count > 19 || fraction > kMaxFraction || digits > kExactIntegers<T>)
    return false;
  *value = static_cast<T>(digits) / static_cast<T>(kExactPowers[static_cast<size_t>(fraction)]);
  return true;
}

bool equals_ignoring_case(const char* begin, const char* end, std::string_view lower) {
  if (static_cast<size_t>(end - begin) != lower.size()) return false;
  for (size_t i = 0; i < lower.size(); ++i) {
    if ((begin[i] | 0x20) != lower[i]) return false;
  }
  return true;
}

template <class T>
bool parse_special(const char* begin, const char* end, T* value) {
  if (equals_ignoring_case(begin, end, "nan")) {
    *value = std::numeric_limits<T>::quiet_NaN();
    return true;
  }
  if (equals_ignoring_case(begin, end, "infinity") || equals_ignoring_case(begin, end, "inf")) {
    *value = std::numeric_limits<T>::infinity();
    return true;
  }
  return false;
}

bool has_nonzero_digit(const char* p, const char* end) {
  for (; p != end && (*p | 0x20) != 'e'; ++p) {
    if (*p >= '1' && *p <= '9') return true;
  }
  return false;
}

template <class T>
NumberResult parse_floating(const char* begin, const char* end, T* value) {
  trim(begin, end);
  bool negative = false;
  if (begin != end && (*begin == '-' || *begin == '+')) negative = *begin++ == '-';
  T magnitude;
  if (!parse_plain(begin, end, &magnitude)) {
    if (begin == end) return NumberResult::kBadSyntax;
    if (!is_digit(*begin) && *begin != '.') {
      if (!parse_special(begin, end, &magnitude)) return NumberResult::kBadSyntax;
    } else {
      const auto result = fast_float::from_chars(begin, end, magnitude);
      if (result.ptr != end || result.ec == std::errc::invalid_argument) return NumberResult::kBadSyntax;
      if (std::isinf(magnitude) || (magnitude == 0 && has_nonzero_digit(begin, end)))
        return NumberResult::kOutOfRange;
    }
  }
  *value = negative ? -magnitude : magnitude;
  return NumberResult::kOk;
}

SqlError bad_syntax(std::string_view text, std::string_view type) {
  return sql_error(sqlstate::kInvalidTextRepresentation, "invalid input syntax for type {}: \"{}\"", type,
                   text);
}

SqlError integer_out_of_range(std::string_view text, std::string_view type) {
  return sql_error(sqlstate::kNumericValueOutOfRange, "value \"{}\" is out of range for type {}", text, type);
}

template <class T>
T integer_from_text(std::string_view text, std::string_view type) {
  int64_t value;
  const NumberResult result = try_parse_int64(text.data(), text.data() + text.size(), &value);
  if (result == NumberResult::kBadSyntax) throw bad_syntax(text, type);
  if (result == NumberResult::kOutOfRange || value < std::numeric_limits<T>::min() ||
      value > std::numeric_limits<T>::max()) {
    throw integer_out_of_range(text, type);
  }
  return static_cast<T>(value);
}

template <class T>
T floating_from_text(std::string_view text, std::string_view type) {
  T value;
  const NumberResult result = parse_floating(text.data(), text.data() + text.size(), &value);
  if (result == NumberResult::kBadSyntax) throw bad_syntax(text, type);
  if (result == NumberResult::kOutOfRange) {
    throw sql_error(sqlstate::kNumericValueOutOfRange, "\"{}\" is out of range for type {}", text, type);
  }
  return value;
}

int digit_count(uint64_t v) {
  int count = 1;
  for (;;) {
    if (v < 10) return count;
    if (v < 100) return count + 1;
    if (v < 1000) return count + 2;
    if (v < 10'000) return count + 3;
    v /= 10'000;
    count += 4;
  }
}

// Lays out decimal digits d1d2…dn with value d1.d2…dn * 10^exponent.
char* lay_out(char* out, const char* digits, int count, int exponent, int exponent_limit) {
  if (exponent < -4 || exponent >= exponent_limit) {
    *out++ = digits[0];
    if (count > 1) {
      *out++ = '.';
      std::memcpy(out, digits + 1, static_cast<size_t>(count - 1));
      out += count - 1;
    }
    *out++ = 'e';
    *out++ = exponent < 0 ? '-' : '+';
    const auto size = static_cast<uint32_t>(exponent < 0 ? -exponent : exponent);
    if (size < 10) *out++ = '0';
    return format_uint64(out, size);
  }
  if (exponent < 0) {
    *out++ = '0';
    *out++ = '.';
    for (int i = exponent + 1; i < 0; ++i) *out++ = '0';
    std::memcpy(out, digits, static_cast<size_t>(count));
    return out + count;
  }
  const int whole = exponent + 1;
  for (int i = 0; i < whole; ++i) *out++ = i < count ? digits[i] : '0';
  if (count > whole) {
    *out++ = '.';
    std::memcpy(out, digits + whole, static_cast<size_t>(count - whole));
    out += count - whole;
  }
  return out;
}

// Numbers with up to 15 digits, at most `places` of them after the point: such a decimal that reads back to
// the value is the shortest one, since no other with 15 digits is as near.
char* format_plain(char* out, double magnitude, int places) {
  const double scaled = magnitude * kExactPowers[static_cast<size_t>(places)];
  if (!(scaled < 1e15) || magnitude < 1e-4) return nullptr;
  auto digits = static_cast<uint64_t>(scaled + 0.5);
  if (static_cast<double>(digits) / kExactPowers[static_cast<size_t>(places)] != magnitude) return nullptr;
  while (places > 0 && digits % 10 == 0) {
    digits /= 10;
    --places;
  }
  if (places == 0) return format_uint64(out, digits);
  const auto divisor = static_cast<uint64_t>(kExactPowers[static_cast<size_t>(places)]);
  out = format_uint64(out, digits / divisor);
  *out = '.';
  uint64_t fraction = digits % divisor;
  for (int i = places; i > 0; --i) {
    out[i] = static_cast<char>('0' + fraction % 10);
    fraction /= 10;
  }
  return out + places + 1;
}

// From the scientific form that std::to_chars writes.
char* lay_out_scientific(char* out, const char* begin, const char* end, int exponent_limit,
                         bool strip_zeros) {
  std::array<char, 32> digits;
  int count = 0;
  const char* p = begin;
  for (; p != end && *p != 'e'; ++p) {
    if (*p != '.') digits[static_cast<size_t>(count++)] = *p;
  }
  int exponent = 0;
  const bool negative = p[1] == '-';
  std::from_chars(p + 2, end, exponent);
  if (negative) exponent = -exponent;
  while (strip_zeros && count > 1 && digits[static_cast<size_t>(count - 1)] == '0') --count;
  return lay_out(out, digits.data(), count, exponent, exponent_limit);
}

template <class T>
char* format_floating(char* out, T value, int extra_float_digits) {
  constexpr bool kIsDouble = sizeof(T) == 8;
  if (std::isnan(value)) return std::copy_n("NaN", 3, out);
  if (std::signbit(value)) {
    *out++ = '-';
    value = -value;
  }
  if (std::isinf(value)) return std::copy_n("Infinity", 8, out);
  if (value == 0) {
    *out++ = '0';
    return out;
  }
  std::array<char, 64> buffer;
  char* const first = buffer.data();
  char* const last = first + buffer.size();
  if (extra_float_digits > 0) {
    if constexpr (kIsDouble) {
      for (const int places : {2, 6}) {
        if (char* end = format_plain(out, value, places)) return end;
      }
    }
    const auto result = std::to_chars(first, last, value, std::chars_format::scientific);
    return lay_out_scientific(out, first, result.ptr, kIsDouble ? 15 : 6, false);
  }
  const int digits = std::max(1, (kIsDouble ? 15 : 6) + extra_float_digits);
  const auto result = std::to_chars(first, last, value, std::chars_format::scientific, digits - 1);
  return lay_out_scientific(out, first, result.ptr, digits, true);
}

}  // namespace

NumberResult try_parse_int64(const char* begin, const char* end, int64_t* value) {
  bool negative;
  uint64_t magnitude;
  const NumberResult result = parse_magnitude(begin, end, &negative, &magnitude);
  if (result != NumberResult::kOk) return result;
  constexpr uint64_t kLimit = uint64_t{1} << 63;
  if (magnitude > kLimit - (negative ? 0 : 1)) return NumberResult::kOutOfRange;
  *value = static_cast<int64_t>(negative ? 0 - magnitude : magnitude);
  return NumberResult::kOk;
}

NumberResult try_parse_double(const char* begin, const char* end, double* value) {
  return parse_floating(begin, end, value);
}
NumberResult try_parse_float(const char* begin, const char* end, float* value) {
  return parse_floating(begin, end, value);
}

bool parse_int64(const char* begin, const char* end, int64_t* value) {
  return try_parse_int64(begin, end, value) == NumberResult::kOk;
}
bool parse_int32(const char* begin, const char* end, int32_t* value) {
  return parse_narrow(begin, end, value);
}
bool parse_int16(const char* begin, const char* end, int16_t* value) {
  return parse_narrow(begin, end, value);
}

bool parse_uint32(const char* begin, const char* end, uint32_t* value) {
  int64_t wide;
  if (try_parse_int64(begin, end, &wide) != NumberResult::kOk) return false;
  if (wide < std::numeric_limits<int32_t>::min() || wide > std::numeric_limits<uint32_t>::max()) return false;
  *value = static_cast<uint32_t>(wide);
  return true;
}

bool parse_double(const char* begin, const char* end, double* value) {
  return parse_floating(begin, end, value) == NumberResult::kOk;
}
bool parse_float(const char* begin, const char* end, float* value) {
  return parse_floating(begin, end, value) == NumberResult::kOk;
}

int64_t int64_from_text(std::string_view text) { return integer_from_text<int64_t>(text, "bigint"); }
int32_t int32_from_text(std::string_view text) { return integer_from_text<int32_t>(text, "integer"); }
int16_t int16_from_text(std::string_view text) { return integer_from_text<int16_t>(text, "smallint"); }

uint32_t oid_from_text(std::string_view text) {
  const auto wide = integer_from_text<int64_t>(text, "oid");
  uint32_t value;
  if (!parse_uint32(text.data(), text.data() + text.size(), &value)) throw integer_out_of_range(text, "oid");
  return static_cast<uint32_t>(wide);
}

double double_from_text(std::string_view text) {
  return floating_from_text<double>(text, "double precision");
}
float float_from_text(std::string_view text) { return floating_from_text<float>(text, "real"); }

char* format_uint64(char* out, uint64_t value) {
  const int count = digit_count(value);
  char* p = out + count;
  while (value >= 100) {
    p = write_digit_pair(p - 2, static_cast<uint32_t>(value % 100)) - 2;
    value /= 100;
  }
  if (value >= 10) {
    write_digit_pair(p - 2, static_cast<uint32_t>(value));
  } else {
    p[-1] = static_cast<char>('0' + value);
  }
  return out + count;
}

char* format_int64(char* out, int64_t value) {
  auto magnitude = static_cast<uint64_t>(value);
  if (value < 0) {
    *out++ = '-';
    magnitude = 0 - magnitude;
  }
  return format_uint64(out, magnitude);
}

char* format_double(char* out, double value, int extra_float_digits) {
  return format_floating(out, value, extra_float_digits);
}
char* format_float(char* out, float value, int extra_float_digits) {
  return format_floating(out, value, extra_float_digits);
}

}  // namespace idem
