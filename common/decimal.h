#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "common/sql_type.h"

namespace idem {

// A decimal number: value * 10^-scale, at most 38 digits, 0 <= scale <= 38. The scale is what is
// displayed: 1.50 is {150, 2}.
//
// Arithmetic follows PostgreSQL's numeric with its result scales; where a result needs more than 38 digits,
// digits after the point are rounded away (half away from zero), and 22003 `value overflows numeric format`
// is thrown if the digits before it do not fit. There is no NaN and no infinity: reading them is 22003.
struct Decimal {
  int128_t value = 0;
  int32_t scale = 0;
};

inline constexpr int kMaxDecimalDigits = 38;
inline constexpr int kMaxDecimalText = 48;  // sign, point, leading zero, 38 digits

int128_t power_of_ten(int exponent);      // 0..38
int decimal_digit_count(int128_t value);  // of the absolute value; 0 has 1

// Plain or exponent notation, spaces around it. False for anything else, and for what needs more than 38
// digits.
bool parse_decimal(const char* begin, const char* end, Decimal* value);
// Throws 22P02, 22003.
Decimal decimal_from_text(std::string_view text);
char* format_decimal(char* out, const Decimal& value);  // room for kMaxDecimalText; returns the end
std::string decimal_to_string(const Decimal& value);

// By number, not by scale: 1.0 equals 1.00, and hashes alike.
int compare(const Decimal& a, const Decimal& b);
uint64_t hash_decimal(const Decimal& value);
inline bool operator==(const Decimal& a, const Decimal& b) { return compare(a, b) == 0; }

Decimal add(const Decimal& a, const Decimal& b);             // scale: the larger one
Decimal subtract(const Decimal& a, const Decimal& b);        // scale: the larger one
Decimal multiply(const Decimal& a, const Decimal& b);        // scale: the sum
Decimal divide(const Decimal& a, const Decimal& b);          // at least 16 significant digits; 22012
Decimal modulo(const Decimal& a, const Decimal& b);          // sign of a; scale: the larger one; 22012
Decimal integer_divide(const Decimal& a, const Decimal& b);  // PostgreSQL's div(): truncated, scale 0; 22012
Decimal negate(const Decimal& a);
Decimal absolute(const Decimal& a);
inline int sign(const Decimal& a) { return a.value > 0 ? 1 : a.value < 0 ? -1 : 0; }

// To `digits` after the point (negative: before it); the result's scale is max(digits, 0).
Decimal round(const Decimal& a, int digits = 0);  // half away from zero
Decimal truncate(const Decimal& a, int digits = 0);
Decimal ceiling(const Decimal& a);
Decimal floor(const Decimal& a);
Decimal square_root(const Decimal& a);  // 2201F below zero
Decimal power(const Decimal& base,
              const Decimal& exponent);  // exact for whole exponents, else through long double
Decimal trim_scale(const Decimal& a);    // drops zeros at the end

// The value as a column of DECIMAL(precision, scale) keeps it: rounded half away from zero; 22003 `numeric
// field overflow` if digits before the point do not fit.
Decimal rescale(const Decimal& a, int precision, int scale);
// The same without an error: false when it does not fit.
bool try_rescale(const Decimal& a, int precision, int scale, Decimal* result);
// The unscaled integer at `scale`, rounded half away from zero; nothing if it needs more than 38 digits.
std::optional<int128_t> unscaled_at(const Decimal& a, int scale);

Decimal decimal_from_int64(int64_t value);
Decimal decimal_from_int128(int128_t value);  // scale 0; 22003 above 38 digits
// As PostgreSQL casts: 15 significant digits of a double, 6 of a float. 22003 for NaN, infinity and above 38
// digits.
Decimal decimal_from_double(double value);
Decimal decimal_from_float(float value);
int64_t decimal_to_int64(const Decimal& a);  // rounds half away from zero; 22003 `bigint out of range`
double decimal_to_double(const Decimal& a);  // the nearest double

// PostgreSQL's binary form: int16 ndigits, weight, sign, dscale and base-10000 digits, big-endian.
void append_decimal_binary(std::string& out, const Decimal& value);
Decimal decimal_from_binary(std::string_view bytes);  // 22P03, 22003

}  // namespace idem
