#pragma once

#include <array>
#include <cstdint>
#include <cstring>

namespace idem {

// "00", "01" … "99": two digits are written by one copy.
inline constexpr std::array<char, 200> kDigitPairs = [] {
  std::array<char, 200> pairs{};
  for (size_t i = 0; i < 100; ++i) {
    pairs[2 * i] = static_cast<char>('0' + i / 10);
    pairs[2 * i + 1] = static_cast<char>('0' + i % 10);
  }
  return pairs;
}();

// Writes `value` (0..99) as two digits and returns their end.
inline char* write_digit_pair(char* out, uint32_t value) {
  std::memcpy(out, &kDigitPairs[2 * value], 2);
  return out + 2;
}

// Writes "." and up to six digits of a fraction of a second, zeros at the end left out; nothing for 0.
inline char* write_fraction(char* out, uint32_t micros) {
  if (micros == 0) return out;
  *out = '.';
  write_digit_pair(out + 1, micros / 10'000);
  write_digit_pair(out + 3, micros / 100 % 100);
  write_digit_pair(out + 5, micros % 100);
  out += 7;
  while (out[-1] == '0') --out;
  return out;
}

}  // namespace idem
