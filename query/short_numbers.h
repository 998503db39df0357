#pragma once

#include <array>
#include <bit>
#include <cstdint>

#include "common/digit_chunk.h"

namespace idem {

// Most numbers in files of data are short: of up to eight digits, they are read as one word, without a loop. Other numbers, and
// what is none, are left to common/number_text.h.
//
// All may read kShortNumberSlack bytes from p on, however many the text has.
inline constexpr size_t kShortNumberSlack = 16;

// The lowest `bytes` bytes, 1 to 8.
constexpr uint64_t low_bytes(uint64_t chunk, uint32_t bytes) {
  return chunk & (~uint64_t{0} >> (64 - 8 * bytes));
}

// `count` digits, 1 to 8, the first in the lowest byte; what is behind them does not matter.
inline bool read_short_digits(uint64_t chunk, uint32_t count, uint32_t* value) {
  constexpr uint64_t kZeros = 0x3030303030303030ULL;
  if (low_bytes(non_digit_bytes(chunk), count) != 0) return false;
  *value = join_eight_digits((chunk - kZeros) << (64 - 8 * count));
  return true;
}

// [-]digits
inline bool read_short_integer(const char* p, uint32_t size, int64_t* value) {
  const bool negative = *p == '-';
  const uint32_t count = size - negative;
  uint32_t magnitude = 0;
  if (count - 1 >= 8 || !read_short_digits(load_chunk(p + negative), count, &magnitude)) return false;
  *value = negative ? -int64_t{magnitude} : int64_t{magnitude};
  return true;
}

// [-]digits[.digits]: the digits joined are exact, so one division rounds correctly.
inline bool read_short_double(const char* p, uint32_t size, double* value) {
  constexpr std::array<double, 9> kPowers = {1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8};
  const bool negative = *p == '-';
  const char* first = p + negative;
  const uint32_t length = size - negative;
  if (length - 1 >= 9) return false;
  const uint64_t chunk = load_chunk(first);
  const uint64_t other = chunk ^ 0x2e2e2e2e2e2e2e2eULL;
  const uint64_t points = (other - 0x0101010101010101ULL) & ~other & 0x8080808080808080ULL;
  const auto point = static_cast<uint32_t>(points == 0 ? 8 : std::countr_zero(points) / 8);
  uint32_t digits = 0;
  double magnitude = 0;
  if (point >= length) {  // none
    if (length > 8 || !read_short_digits(chunk, length, &digits)) return false;
    magnitude = digits;
  } else {
    if (length == 1 || (point == 8 && first[8] != '.')) return false;
    const uint64_t before = point == 0 ? 0 : point == 8 ? ~uint64_t{0} : low_bytes(~uint64_t{0}, point);
    const uint64_t joined = (chunk & before) | (load_chunk(first + 1) & ~before);
    if (!read_short_digits(joined, length - 1, &digits)) return false;
    magnitude = static_cast<double>(digits) / kPowers[length - 1 - point];
  }
  *value = negative ? -magnitude : magnitude;
  return true;
}

}  // namespace idem
