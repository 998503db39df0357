#include "common/decimal.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>

#include "common/error.h"
#include "common/hash.h"
#include "common/wide_integer.h"

namespace idem {

namespace {

constexpr int kMinSignificantDigits = 16;

constexpr std::array<uint128_t, kMaxDecimalDigits + 1> kPowers = [] {
  std::array<uint128_t, kMaxDecimalDigits + 1> powers{};
  powers[0] = 1;
  for (size_t i = 1; i < powers.size(); ++i) powers[i] = powers[i - 1] * 10;
  return powers;
}();

uint128_t power_at(int exponent) { return kPowers[static_cast<size_t>(exponent)]; }

uint128_t magnitude_of(int128_t v) {
  return v < 0 ? uint128_t{0} - static_cast<uint128_t>(v) : static_cast<uint128_t>(v);
}

int128_t signed_value(uint128_t magnitude, bool negative) {
  const auto v = static_cast<int128_t>(magnitude);
  return negative ? -v : v;
}

int digit_count(uint128_t v) {
  if (v >> 64 == 0) {  // log10(2) is nearly 1233 / 4096
    const int digits = static_cast<int>(std::bit_width(static_cast<uint64_t>(v | 1))) * 1233 >> 12;
    return digits + (v >= power_at(digits) || digits == 0);
  }
  return static_cast<int>(std::upper_bound(kPowers.begin() + 1, kPowers.end(), v) - kPowers.begin());
}

int digit_count(const U256& v) {
  if (v.high == 0) return digit_count(v.low);
  uint128_t rest;
  const U256 top = divide_wide(v, power_at(38), &rest);
  return top.high == 0 && top.low == 0 ? 38 : 38 + digit_count(top.low);
}

SqlError overflow() { return sql_error(sqlstate::kNumericValueOutOfRange, "value overflows numeric format"); }

uint128_t divide_rounded(uint128_t a, uint128_t b) {
  const uint128_t quotient = a / b;
  return quotient + (a - quotient * b >= b - b / 2);
}

// As many digits after the point as 38 digits and scale 38 leave; rounds half away from zero.
Decimal fit(bool negative, const U256& magnitude, int scale) {
  if (magnitude.high == 0 && magnitude.low < power_at(38) && scale <= kMaxDecimalDigits) {
    return {signed_value(magnitude.low, negative), scale};
  }
  int excess = std::max(digit_count(magnitude) - kMaxDecimalDigits, scale - kMaxDecimalDigits);
  for (;; ++excess) {
    if (excess > scale) throw overflow();
    // A scale of at most 76 leaves at most 38 digits to drop, 39 after a carry.
    const int first = std::min(excess, kMaxDecimalDigits);
    uint128_t remainder;
    U256 quotient = divide_wide(magnitude, power_at(first), &remainder);
    bool round_up = remainder >= power_at(first) - power_at(first) / 2;
    if (excess > first) {
      quotient = divide_wide(quotient, power_at(excess - first), &remainder);
      round_up = remainder >= power_at(excess - first) / 2;
    }
    const uint128_t rounded = quotient.low + round_up;
    if (quotient.high == 0 && rounded < power_at(38))
      return {signed_value(rounded, negative), scale - excess};
  }
}

Decimal checked(int128_t value, int scale) { return fit(value < 0, {magnitude_of(value), 0}, scale); }

U256 scaled_magnitude(const Decimal& a, int scale) {
  return multiply_wide(magnitude_of(a.value), power_at(scale - a.scale));
}

Decimal add_slowly(const Decimal& a, const Decimal& b, bool negate_b) {
  const int scale = std::max(a.scale, b.scale);
  const U256 x = scaled_magnitude(a, scale);
  const U256 y = scaled_magnitude(b, scale);
  const bool x_negative = a.value < 0;
  const bool y_negative = (b.value < 0) != negate_b;
  if (x_negative == y_negative) return fit(x_negative, add_wide(x, y), scale);
  if (x < y) return fit(y_negative, subtract_wide(y, x), scale);
  return fit(x_negative, subtract_wide(x, y), scale);
}

// The value at a larger scale if it still fits into 128 bits.
bool scale_up(const Decimal& a, int scale, int128_t* value) {
  return !__builtin_mul_overflow(a.value, static_cast<int128_t>(power_at(scale - a.scale)), value);
}

// Both values at the larger scale.
bool align(const Decimal& a, const Decimal& b, int128_t* x, int128_t* y) {
  const int scale = std::max(a.scale, b.scale);
  return scale_up(a, scale, x) && scale_up(b, scale, y);
}

// Weight and value of the first digit in base 10,000, as PostgreSQL keeps numbers.
struct LeadingDigit {
  int weight = 0;
  int digit = 0;
};

LeadingDigit leading_digit(const Decimal& a) {
  if (a.value == 0) return {};
  const uint128_t magnitude = magnitude_of(a.value);
  const int digits = digit_count(magnitude);
  const int exponent = digits - 1 - a.scale;
  const int weight = exponent >= 0 ? exponent / 4 : -((-exponent + 3) / 4);
  const int wanted = exponent - 4 * weight + 1;
  if (digits < wanted) return {weight, static_cast<int>(magnitude * power_at(wanted - digits))};
  const uint128_t divisor = power_at(digits - wanted);
  return {weight, static_cast<int>(magnitude >> 64 == 0
                                       ? static_cast<uint64_t>(magnitude) / static_cast<uint64_t>(divisor)
                                       : magnitude / divisor)};
}

int quotient_scale(const Decimal& a, const Decimal& b) {
  const LeadingDigit x = leading_digit(a);
  const LeadingDigit y = leading_digit(b);
  const int weight = x.weight - y.weight - (x.digit <= y.digit);
  return std::max({kMinSignificantDigits - 4 * weight, a.scale, b.scale});
}

// a / b rounded at `scale`, or at what 38 digits leave of it.
Decimal divide_at(const Decimal& a, const Decimal& b, int scale) {
  const uint128_t x = magnitude_of(a.value);
  const uint128_t y = magnitude_of(b.value);
  const int whole_digits = std::max(digit_count(x) - a.scale - (digit_count(y) - b.scale) + 1, 0);
  scale = std::min(scale, kMaxDecimalDigits - whole_digits);
  if (scale < 0) throw overflow();
  const int shift = std::max(scale + b.scale - a.scale, 0);
  constexpr int kShortShift = 18;
  if ((x | y) >> 63 == 0 &&
      shift <= kShortShift) {  // averages mostly: the whole part, then the digits of the rest
    const auto n = static_cast<uint64_t>(x), d = static_cast<uint64_t>(y);
    uint128_t quotient = n / d * power_at(shift);
    if (const uint64_t rest = n % d; rest != 0) quotient += divide_rounded(rest * power_at(shift), d);
    return fit((a.value < 0) != (b.value < 0), {quotient, 0}, shift + a.scale - b.scale);
  }
  U256 dividend = multiply_wide(x, power_at(std::min(shift, kMaxDecimalDigits)));
  if (shift > kMaxDecimalDigits) dividend = multiply_wide(dividend, power_at(shift - kMaxDecimalDigits));
  uint128_t remainder;
  U256 quotient = divide_wide(dividend, y, &remainder);
  if (remainder >= y - y / 2) quotient = add_wide(quotient, {1, 0});
  return fit((a.value < 0) != (b.value < 0), quotient, shift + a.scale - b.scale);
}

void check_divisor(const Decimal& b) {
  if (b.value == 0) throw sql_error(sqlstate::kDivisionByZero, "division by zero");
}

// The largest s with s * s <= n, and whether the rest is more than half of the way to s + 1.
uint128_t integer_square_root(const U256& n, bool* round_up) {
  if (n == U256{}) return *round_up = false, 0;
  const long double estimate =
      sqrtl(static_cast<long double>(n.high) * 0x1p128L + static_cast<long double>(n.low));
  auto s = static_cast<uint128_t>(estimate);
  for (int i = 0; i < 3 && s != 0; ++i) {
    uint128_t remainder;
    const uint128_t other = divide_wide(n, s, &remainder).low;
    s = s / 2 + other / 2 + (s & other & 1);
  }
  while (n < multiply_wide(s, s)) --s;
  while (!(n < multiply_wide(s + 1, s + 1))) ++s;
  *round_up = U256{s, 0} < subtract_wide(n, multiply_wide(s, s));
  return s;
}

Decimal power_of_magnitude(Decimal base, uint64_t exponent) {
  Decimal result{1, 0};
  for (;;) {
    if ((exponent & 1) != 0) result = multiply(result, base);
    exponent >>= 1;
    if (exponent == 0) return result;
    base = multiply(base, base);
  }
}

Decimal at_most_scale(const Decimal& a, int scale) {
  if (a.scale > scale) return round(a, scale);
  return fit(a.value < 0, scaled_magnitude(a, std::min(scale, kMaxDecimalDigits)),
             std::min(scale, kMaxDecimalDigits));
}

Decimal whole_power(const Decimal& base, int64_t exponent, int scale) {
  if (exponent >= 0) return at_most_scale(power_of_magnitude(base, static_cast<uint64_t>(exponent)), scale);
  const Decimal divisor = power_of_magnitude(base, static_cast<uint64_t>(-exponent));
  check_divisor(divisor);
  return divide_at({1, 0}, divisor, scale);
}

Decimal fractional_power(const Decimal& base, const Decimal& exponent) {
  if (base.value < 0) {
    throw sql_error(sqlstate::kInvalidArgumentForPower,
                    "a negative number raised to a non-integer power yields a complex result");
  }
  const long double x =
      static_cast<long double>(base.value) / powl(10.0L, static_cast<long double>(base.scale));
  const long double y =
      static_cast<long double>(exponent.value) / powl(10.0L, static_cast<long double>(exponent.scale));
  const long double result = powl(x, y);
  const auto digits_before =
      result > 0 ? static_cast<int>(std::clamp(truncl(y * log10l(x)), -38.0L, 39.0L)) : 0;
  if (!std::isfinite(result) || digits_before >= kMaxDecimalDigits) throw overflow();
  int scale = std::clamp(std::max({kMinSignificantDigits - digits_before, base.scale, exponent.scale}), 0,
                         kMaxDecimalDigits - 1 - std::max(digits_before, 0));
  // 19 digits are what a long double holds; those below are zeros.
  const int computed = std::clamp(18 - digits_before, 0, scale);
  const Decimal value{static_cast<int128_t>(roundl(result * powl(10.0L, static_cast<long double>(computed)))),
                      computed};
  return at_most_scale(value, scale);
}

}  // namespace

int128_t power_of_ten(int exponent) { return static_cast<int128_t>(power_at(exponent)); }
int decimal_digit_count(int128_t value) { return digit_count(magnitude_of(value)); }

int compare(const Decimal& a, const Decimal& b) {
  const int128_t* x = &a.value;
  const int128_t* y = &b.value;
  int128_t scaled;
  if (a.scale < b.scale) {
    if (!scale_up(a, b.scale, &scaled)) return a.value < 0 ? -1 : 1;
    x = &scaled;
  } else if (a.scale > b.scale) {
    if (!scale_up(b, a.scale, &scaled)) return b.value < 0 ? 1 : -1;
    y = &scaled;
  }
  return *x < *y ? -1 : *x > *y ? 1 : 0;
}

uint64_t hash_decimal(const Decimal& value) {
  const Decimal canonical = trim_scale(value);
  return hash_combine(hash_u128(static_cast<uint128_t>(canonical.value)),
                      static_cast<uint64_t>(canonical.scale));
}

Decimal add(const Decimal& a, const Decimal& b) {
  int128_t x, y, sum;
  if (!align(a, b, &x, &y) || __builtin_add_overflow(x, y, &sum)) return add_slowly(a, b, false);
  return checked(sum, std::max(a.scale, b.scale));
}

Decimal subtract(const Decimal& a, const Decimal& b) {
  int128_t x, y, difference;
  if (!align(a, b, &x, &y) || __builtin_sub_overflow(x, y, &difference)) return add_slowly(a, b, true);
  return checked(difference, std::max(a.scale, b.scale));
}

Decimal multiply(const Decimal& a, const Decimal& b) {
  int128_t product;
  const int scale = a.scale + b.scale;
  if (!__builtin_mul_overflow(a.value, b.value, &product)) return checked(product, scale);
  return fit((a.value < 0) != (b.value < 0), multiply_wide(magnitude_of(a.value), magnitude_of(b.value)),
             scale);
}

Decimal divide(const Decimal& a, const Decimal& b) {
  check_divisor(b);
  return divide_at(a, b, quotient_scale(a, b));
}

Decimal modulo(const Decimal& a, const Decimal& b) {
  check_divisor(b);
  const int scale = std::max(a.scale, b.scale);
  int128_t x, y;
  if (align(a, b, &x, &y)) return {x % y, scale};
  uint128_t remainder;
  if (b.scale < scale) {  // b needs more than 128 bits at that scale, so it is larger than a
    if (!scale_up(b, scale, &y)) return {a.value, scale};
    remainder = magnitude_of(a.value) % magnitude_of(y);
  } else {
    divide_wide(scaled_magnitude(a, scale), magnitude_of(b.value), &remainder);
  }
  return fit(a.value < 0, {remainder, 0}, scale);
}

Decimal integer_divide(const Decimal& a, const Decimal& b) {
  check_divisor(b);
  const int scale = std::max(a.scale, b.scale);
  int128_t x, y;
  if (align(a, b, &x, &y)) return checked(x / y, 0);
  if (b.scale < scale && !scale_up(b, scale, &y)) return {0, 0};
  uint128_t remainder;
  const uint128_t divisor = b.scale < scale ? magnitude_of(y) : magnitude_of(b.value);
  const U256 quotient = divide_wide(scaled_magnitude(a, scale), divisor, &remainder);
  return fit((a.value < 0) != (b.value < 0), quotient, 0);
}

Decimal negate(const Decimal& a) { return {-a.value, a.scale}; }
Decimal absolute(const Decimal& a) { return {a.value < 0 ? -a.value : a.value, a.scale}; }

Decimal round(const Decimal& a, int digits) {
  if (digits >= a.scale) {
    const int scale = std::min(digits, kMaxDecimalDigits);
    return fit(a.value < 0, scaled_magnitude(a, scale), scale);
  }
  const int drop = a.scale - digits;
  if (drop > kMaxDecimalDigits) return {0, std::max(digits, 0)};
  const uint128_t rounded = divide_rounded(magnitude_of(a.value), power_at(drop));
  if (digits >= 0) return {signed_value(rounded, a.value < 0), digits};
  return fit(a.value < 0, multiply_wide(rounded, power_at(std::min(-digits, kMaxDecimalDigits))), 0);
}

Decimal truncate(const Decimal& a, int digits) {
  if (digits >= a.scale) return round(a, digits);
  const int drop = a.scale - digits;
  if (drop > kMaxDecimalDigits) return {0, std::max(digits, 0)};
  const int128_t cut = a.value / power_of_ten(drop);
  if (digits >= 0) return {cut, digits};
  return {cut * power_of_ten(-digits), 0};
}

Decimal ceiling(const Decimal& a) {
  const int128_t unit = power_of_ten(a.scale);
  return {a.value / unit + (a.value % unit > 0), 0};
}

Decimal floor(const Decimal& a) {
  const int128_t unit = power_of_ten(a.scale);
  return {a.value / unit - (a.value % unit < 0), 0};
}

Decimal square_root(const Decimal& a) {
  if (a.value < 0) {
    throw sql_error(sqlstate::kInvalidArgumentForPower, "cannot take square root of a negative number");
  }
  const int weight = 2 * leading_digit(a).weight + 1;
  const int whole_digits = std::max((decimal_digit_count(a.value) - a.scale + 1) / 2, 0);
  const int scale =
      std::min(std::max(kMinSignificantDigits - weight, a.scale), kMaxDecimalDigits - 1 - whole_digits);
  const int shift = 2 * scale - a.scale;
  bool round_up = false;
  U256 radicand{magnitude_of(a.value), 0};
  if (shift >= 0) {
    radicand = multiply_wide(radicand.low, power_at(std::min(shift, kMaxDecimalDigits)));
    if (shift > kMaxDecimalDigits) radicand = multiply_wide(radicand, power_at(shift - kMaxDecimalDigits));
  } else {
    radicand.low /= power_at(-shift);
  }
  const uint128_t root = integer_square_root(radicand, &round_up);
  return {static_cast<int128_t>(root + round_up), scale};
}

Decimal power(const Decimal& base, const Decimal& exponent) {
  const Decimal whole = trim_scale(exponent);
  constexpr int128_t kLargestExponent = 0x7fffffff;
  if (base.value == 0 && exponent.value < 0) {
    throw sql_error(sqlstate::kInvalidArgumentForPower, "zero raised to a negative power is undefined");
  }
  if (whole.scale == 0 && whole.value <= kLargestExponent && whole.value >= -kLargestExponent) {
    const int scale = std::max({kMinSignificantDigits, base.scale, exponent.scale});
    return whole_power(base, static_cast<int64_t>(whole.value), scale);
  }
  return fractional_power(base, exponent);
}

Decimal trim_scale(const Decimal& a) {
  if (a.scale == 0) return a;
  if (a.value == 0) return {0, 0};
  Decimal result = a;
  if (magnitude_of(a.value) >> 63 == 0) {
    auto narrow = static_cast<int64_t>(a.value);
    while (result.scale > 0 && narrow % 10 == 0) {
      narrow /= 10;
      --result.scale;
    }
    result.value = narrow;
    return result;
  }
  for (const int step : {16, 8, 4, 2, 1}) {
    while (result.scale >= step && result.value % power_of_ten(step) == 0) {
      result.value /= power_of_ten(step);
      result.scale -= step;
    }
  }
  return result;
}

std::optional<int128_t> unscaled_at(const Decimal& a, int scale) {
  if (a.scale == scale) return a.value;
  int128_t value;
  if (scale > a.scale) {
    if (!scale_up(a, scale, &value) || magnitude_of(value) >= power_at(38)) return std::nullopt;
    return value;
  }
  return signed_value(divide_rounded(magnitude_of(a.value), power_at(a.scale - scale)), a.value < 0);
}

bool try_rescale(const Decimal& a, int precision, int scale, Decimal* result) {
  const auto value = unscaled_at(a, scale);
  if (!value || magnitude_of(*value) >= power_at(precision)) return false;
  *result = {*value, scale};
  return true;
}

Decimal rescale(const Decimal& a, int precision, int scale) {
  Decimal result;
  if (try_rescale(a, precision, scale, &result)) return result;
  const int whole = precision - scale;
  throw sql_error(sqlstate::kNumericValueOutOfRange, "numeric field overflow")
      .with_detail(
          fmt::format("A field with precision {}, scale {} must round to an absolute value less than {}.",
                      precision, scale, whole == 0 ? "1" : fmt::format("10^{}", whole)));
}

Decimal decimal_from_int64(int64_t value) { return {value, 0}; }
Decimal decimal_from_int128(int128_t value) { return checked(value, 0); }

int64_t decimal_to_int64(const Decimal& a) {
  const int128_t whole = *unscaled_at(a, 0);
  const auto narrow = static_cast<int64_t>(whole);
  if (narrow != whole) throw sql_error(sqlstate::kNumericValueOutOfRange, "bigint out of range");
  return narrow;
}

}  // namespace idem
