#pragma once

#include <cstdint>
#include <string_view>

namespace idem {

// Integers and floating point ⇄ text as PostgreSQL reads and writes them.
//
// The parse_ functions accept the whole of [begin, end) or nothing; spaces around a number are allowed. Those
// that return bool are for loaders: false for anything that is not a number in range. The _from_text
// functions throw 22P02 `invalid input syntax for type bigint: "abc"` or 22003 `value "…" is out of range for
// type bigint`.

enum class NumberResult : uint8_t { kOk, kBadSyntax, kOutOfRange };

NumberResult try_parse_int64(const char* begin, const char* end, int64_t* value);
NumberResult try_parse_double(const char* begin, const char* end, double* value);
NumberResult try_parse_float(const char* begin, const char* end, float* value);

bool parse_int64(const char* begin, const char* end, int64_t* value);
bool parse_int32(const char* begin, const char* end, int32_t* value);
bool parse_int16(const char* begin, const char* end, int16_t* value);
bool parse_uint32(const char* begin, const char* end,
                  uint32_t* value);  // as PostgreSQL reads oid: -1 is 4294967295
// Also NaN, Infinity, inf, -Infinity in any case. Plain decimals of up to 15 digits take a short path.
bool parse_double(const char* begin, const char* end, double* value);
bool parse_float(const char* begin, const char* end, float* value);

int64_t int64_from_text(std::string_view text);
int32_t int32_from_text(std::string_view text);
int16_t int16_from_text(std::string_view text);
uint32_t oid_from_text(std::string_view text);
double double_from_text(std::string_view text);
float float_from_text(std::string_view text);

inline constexpr int kMaxIntegerText = 20;
inline constexpr int kMaxDoubleText = 32;

// Write to `out`, which has room for kMaxIntegerText or kMaxDoubleText characters, and return the end. No
// NUL.
char* format_uint64(char* out, uint64_t value);
char* format_int64(char* out, int64_t value);
inline char* format_int32(char* out, int32_t value) { return format_int64(out, value); }
// With extra_float_digits > 0 the shortest text that reads back to the same value; otherwise rounded to
// 15 (float: 6) plus extra_float_digits significant digits, as PostgreSQL does.
char* format_double(char* out, double value, int extra_float_digits = 1);
char* format_float(char* out, float value, int extra_float_digits = 1);

}  // namespace idem
