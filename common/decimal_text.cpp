#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstring>

#include "common/ascii.h"
#include "common/decimal.h"
#include "common/digit_pairs.h"
#include "common/error.h"
#include "common/number_text.h"

// The forms of decimals outside of arithmetic: text, floating point, PostgreSQL's binary form.
namespace idem {

namespace {

enum class DecimalResult : uint8_t { kOk, kBadSyntax, kOverflow };

// Digits of a mantissa, rounded half away from zero when it has more than 38 of them after the point.
class Mantissa {
 public:
  void append(char c, bool after_point) {
    const auto digit = static_cast<uint128_t>(c - '0');
    if (dropped_ == 0 && count_ < kMaxDecimalDigits && scale_ < kMaxDecimalDigits) {
      value_ = value_ * 10 + digit;
      if (value_ != 0) ++count_;
      scale_ += after_point;
    } else if (after_point) {
      if (dropped_++ == 0) rounds_up_ = digit >= 5;
    } else {
      overflows_ = true;
    }
  }
  uint128_t value() const { return value_ + rounds_up_; }
  int scale() const { return scale_; }
  bool overflows() const { return overflows_; }

 private:
  uint128_t value_ = 0;
  int count_ = 0;
  int scale_ = 0;
  int64_t dropped_ = 0;
  bool rounds_up_ = false;
  bool overflows_ = false;
};

bool equals_ignoring_case(std::string_view text, std::string_view lower) {
  if (text.size() != lower.size()) return false;
  for (size_t i = 0; i < text.size(); ++i) {
    if ((text[i] | 0x20) != lower[i]) return false;
  }
  return true;
}

bool is_special(std::string_view text) {
  return equals_ignoring_case(text, "nan") || equals_ignoring_case(text, "inf") ||
         equals_ignoring_case(text, "infinity");
}

DecimalResult apply_exponent(Mantissa mantissa, int exponent, bool negative, Decimal* value) {
  auto magnitude = static_cast<int128_t>(mantissa.value());
  if (negative) magnitude = -magnitude;
  int scale = mantissa.scale() - exponent;
  if (scale < 0) {
    if (magnitude != 0) {
      if (decimal_digit_count(magnitude) - scale > kMaxDecimalDigits) return DecimalResult::kOverflow;
      magnitude *= power_of_ten(-scale);
    }
    scale = 0;
  }
  if (scale > kMaxDecimalDigits) {
    const int drop = scale - kMaxDecimalDigits;
    if (drop > kMaxDecimalDigits) {
      magnitude = 0;
    } else {
      magnitude = *unscaled_at({magnitude, drop}, 0);
    }
    scale = kMaxDecimalDigits;
  }
  if (decimal_digit_count(magnitude) > kMaxDecimalDigits || magnitude == power_of_ten(kMaxDecimalDigits)) {
    return DecimalResult::kOverflow;
  }
  *value = {magnitude, scale};
  return DecimalResult::kOk;
}

DecimalResult parse(const char* p, const char* end, Decimal* value) {
  while (p != end && is_space(*p)) ++p;
  while (p != end && is_space(end[-1])) --end;
  bool negative = false;
  if (p != end && (*p == '-' || *p == '+')) negative = *p++ == '-';
  if (p == end) return DecimalResult::kBadSyntax;
  if (is_special({p, static_cast<size_t>(end - p)})) return DecimalResult::kOverflow;
  Mantissa mantissa;
  bool has_digits = false;
  for (; p != end && is_digit(*p); ++p) {
    mantissa.append(*p, false);
    has_digits = true;
  }
  if (p != end && *p == '.') {
    for (++p; p != end && is_digit(*p); ++p) {
      mantissa.append(*p, true);
      has_digits = true;
    }
  }
  if (!has_digits) return DecimalResult::kBadSyntax;
  int exponent = 0;
  if (p != end && (*p | 0x20) == 'e') {
    ++p;
    const bool exponent_negative = p != end && *p == '-';
    if (p != end && (*p == '-' || *p == '+')) ++p;
    if (p == end) return DecimalResult::kBadSyntax;
    for (; p != end && is_digit(*p); ++p) exponent = std::min(exponent * 10 + (*p - '0'), 100'000);
    if (exponent_negative) exponent = -exponent;
  }
  if (p != end) return DecimalResult::kBadSyntax;
  if (mantissa.overflows()) return DecimalResult::kOverflow;
  return apply_exponent(mantissa, exponent, negative, value);
}

char* format_u128(char* out, uint128_t value) {
  constexpr uint64_t kChunk = 10'000'000'000'000'000'000ULL;  // 19 digits
  if (value < kChunk) return format_uint64(out, static_cast<uint64_t>(value));
  out = format_u128(out, value / kChunk);
  auto rest = static_cast<uint64_t>(value % kChunk);
  for (int i = 18; i > 0; i -= 2) {
    write_digit_pair(out + i - 1, static_cast<uint32_t>(rest % 100));
    rest /= 100;
  }
  *out = static_cast<char>('0' + rest);
  return out + 19;
}

void append_int16(std::string& out, int value) {
  out.push_back(static_cast<char>(value >> 8));
  out.push_back(static_cast<char>(value));
}

int read_uint16(std::string_view bytes, size_t at) {
  return static_cast<uint8_t>(bytes[at]) << 8 | static_cast<uint8_t>(bytes[at + 1]);
}

constexpr int kPositive = 0x0000;
constexpr int kNegative = 0x4000;

Decimal decimal_from_digits_text(const char* begin, const char* end) {
  Decimal value;
  if (parse(begin, end, &value) != DecimalResult::kOk) {
    throw sql_error(sqlstate::kNumericValueOutOfRange, "value overflows numeric format");
  }
  return value;
}

template <class T>
Decimal from_floating(T value, int digits) {
  if (!std::isfinite(value)) {
    throw sql_error(sqlstate::kNumericValueOutOfRange, "cannot convert {} to numeric",
                    std::isnan(value) ? "NaN" : "infinity");
  }
  std::array<char, 64> buffer;
  const auto result = std::to_chars(buffer.data(), buffer.data() + buffer.size(), value,
                                    std::chars_format::scientific, digits - 1);
  // %g drops zeros at the end of the mantissa.
  char* exponent = std::find(buffer.data(), result.ptr, 'e');
  char* mantissa_end = exponent;
  while (mantissa_end[-1] == '0') --mantissa_end;
  if (mantissa_end[-1] == '.') --mantissa_end;
  return decimal_from_digits_text(buffer.data(), std::copy(exponent, result.ptr, mantissa_end));
}

}  // namespace

bool parse_decimal(const char* begin, const char* end, Decimal* value) {
  return parse(begin, end, value) == DecimalResult::kOk;
}

Decimal decimal_from_text(std::string_view text) {
  Decimal value;
  switch (parse(text.data(), text.data() + text.size(), &value)) {
    case DecimalResult::kOk: return value;
    case DecimalResult::kBadSyntax:
      throw sql_error(sqlstate::kInvalidTextRepresentation, "invalid input syntax for type numeric: \"{}\"",
                      text);
    case DecimalResult::kOverflow: break;
  }
  throw sql_error(sqlstate::kNumericValueOutOfRange, "value overflows numeric format");
}

char* format_decimal(char* out, const Decimal& value) {
  auto magnitude = static_cast<uint128_t>(value.value);
  if (value.value < 0) {
    *out++ = '-';
    magnitude = 0 - magnitude;
  }
  if (value.scale == 0) return format_u128(out, magnitude);
  const auto unit = static_cast<uint128_t>(power_of_ten(value.scale));
  out = format_u128(out, magnitude / unit);
  *out++ = '.';
  std::array<char, kMaxDecimalText> digits;
  const auto count = static_cast<size_t>(format_u128(digits.data(), magnitude % unit) - digits.data());
  const size_t zeros = static_cast<size_t>(value.scale) - count;
  std::memset(out, '0', zeros);
  std::memcpy(out + zeros, digits.data(), count);
  return out + value.scale;
}

std::string decimal_to_string(const Decimal& value) {
  std::array<char, kMaxDecimalText> buffer;
  return {buffer.data(), format_decimal(buffer.data(), value)};
}

Decimal decimal_from_double(double value) { return from_floating(value, 15); }
Decimal decimal_from_float(float value) { return from_floating(value, 6); }

double decimal_to_double(const Decimal& a) {
  constexpr int128_t kExactIntegers = int128_t{1} << 53;
  constexpr int kExactPower = 22;
  if (a.scale <= kExactPower && a.value <= kExactIntegers && a.value >= -kExactIntegers) {
    return static_cast<double>(static_cast<int64_t>(a.value)) / static_cast<double>(power_of_ten(a.scale));
  }
  std::array<char, kMaxDecimalText> buffer;
  double result = 0;
  parse_double(buffer.data(), format_decimal(buffer.data(), a), &result);
  return result;
}

void append_decimal_binary(std::string& out, const Decimal& value) {
  // The digits with the point at a multiple of four on both sides.
  std::array<char, 2 * kMaxDecimalText> text;
  std::array<char, kMaxDecimalText> digits;
  uint128_t magnitude = static_cast<uint128_t>(value.value < 0 ? -value.value : value.value);
  const auto count = static_cast<int>(format_u128(digits.data(), magnitude) - digits.data());
  const int fraction_groups = (value.scale + 3) / 4;
  const int whole_groups = (std::max(count - value.scale, 0) + 3) / 4;
  const int size = 4 * (whole_groups + fraction_groups);
  std::memset(text.data(), '0', text.size());
  const int end = 4 * whole_groups + value.scale;
  const int copied = std::min(count, end);  // 0 has one digit and no group
  std::memcpy(text.data() + end - copied, digits.data() + count - copied, static_cast<size_t>(copied));

  std::array<int, 32> groups;
  int group_count = 0;
  int weight = whole_groups - 1;
  for (int i = 0; i < size; i += 4) {
    int group = 0;
    for (int j = 0; j < 4; ++j) group = group * 10 + (text[static_cast<size_t>(i + j)] - '0');
    if (group == 0 && group_count == 0) {
      --weight;
    } else {
      groups[static_cast<size_t>(group_count++)] = group;
    }
  }
  while (group_count > 0 && groups[static_cast<size_t>(group_count - 1)] == 0) --group_count;
  append_int16(out, group_count);
  append_int16(out, group_count == 0 ? 0 : weight);
  append_int16(out, value.value < 0 ? kNegative : kPositive);
  append_int16(out, value.scale);
  for (int i = 0; i < group_count; ++i) append_int16(out, groups[static_cast<size_t>(i)]);
}

Decimal decimal_from_binary(std::string_view bytes) {
  const auto malformed = [] {
    return sql_error(sqlstate::kInvalidBinaryRepresentation, "incorrect binary data format");
  };
  if (bytes.size() < 8) throw malformed();
  const int group_count = read_uint16(bytes, 0);
  const int weight = static_cast<int16_t>(read_uint16(bytes, 2));
  const int sign_word = read_uint16(bytes, 4);
  const int scale = read_uint16(bytes, 6);
  if (bytes.size() != 8 + 2 * static_cast<size_t>(group_count)) throw malformed();
  if (sign_word != kPositive && sign_word != kNegative) {
    if ((sign_word & 0xc000) != 0xc000) {
      throw sql_error(sqlstate::kInvalidBinaryRepresentation, "invalid sign in external \"numeric\" value");
    }
    throw sql_error(sqlstate::kNumericValueOutOfRange, "value overflows numeric format");
  }
  constexpr int kLargestWeight = 20;  // 10^80: beyond what 38 digits hold, and far below what they show
  if (group_count == 0 || weight < -kLargestWeight) return {0, std::min(scale, kMaxDecimalDigits)};
  if (weight > kLargestWeight)
    throw sql_error(sqlstate::kNumericValueOutOfRange, "value overflows numeric format");
  std::string text = sign_word == kNegative ? "-0" : "0";
  for (int i = std::min(0, weight + 1); i < std::max(group_count, weight + 1); ++i) {
    if (i == weight + 1) text += '.';
    const int group = i >= 0 && i < group_count ? read_uint16(bytes, 8 + 2 * static_cast<size_t>(i)) : 0;
    if (group > 9999) {
      throw sql_error(sqlstate::kInvalidBinaryRepresentation, "invalid digit in external \"numeric\" value");
    }
    text += fmt::format("{:04}", group);
  }
  const Decimal value = decimal_from_digits_text(text.data(), text.data() + text.size());
  return round(value, std::min(scale, kMaxDecimalDigits));
}

}  // namespace idem
