#pragma once

#include <bit>
#include <cstdint>
#include <cstring>

namespace idem {

// Eight characters as one word, the first in the lowest byte.
inline uint64_t load_chunk(const char* p) {
  static_assert(std::endian::native == std::endian::little);
  uint64_t chunk;
  std::memcpy(&chunk, p, sizeof chunk);
  return chunk;
}

// High bit set in each byte that is no digit, exact up to the first such byte.
constexpr uint64_t non_digit_bytes(uint64_t chunk) {
  return ((chunk + 0x4646464646464646ULL) | (chunk - 0x3030303030303030ULL)) & 0x8080808080808080ULL;
}

// Bytes of value 0..9, first digit lowest: pairs, then fours, then all eight are joined by multiplications.
constexpr uint32_t join_eight_digits(uint64_t digits) {
  digits = digits * 10 + (digits >> 8);
  return static_cast<uint32_t>((((digits & 0x000000ff000000ffULL) * 0x000f424000000064ULL) +
                                (((digits >> 16) & 0x000000ff000000ffULL) * 0x0000271000000001ULL)) >>
                               32);
}

// The value of eight ASCII digits.
constexpr uint32_t value_of_eight_digits(uint64_t chunk) {
  return join_eight_digits(chunk - 0x3030303030303030ULL);
}

}  // namespace idem
