#pragma once

#include <array>
#include <cstdint>

#include "common/sql_type.h"

namespace idem {

// An unsigned integer of 256 bits: products and scaled dividends of 38-digit decimals. Overflow wraps around.
struct U256 {
  uint128_t low = 0;
  uint128_t high = 0;

  constexpr bool operator==(const U256&) const = default;
};

inline bool operator<(const U256& a, const U256& b) {
  return a.high != b.high ? a.high < b.high : a.low < b.low;
}

inline U256 add_wide(const U256& a, const U256& b) {
  U256 sum{a.low + b.low, a.high + b.high};
  sum.high += sum.low < a.low;
  return sum;
}

inline U256 subtract_wide(const U256& a, const U256& b) {
  return {a.low - b.low, a.high - b.high - (a.low < b.low)};
}

U256 multiply_wide(uint128_t a, uint128_t b);
U256 multiply_wide(const U256& a, uint128_t b);
// Quotient; the divisor must not be zero.
U256 divide_wide(const U256& a, uint128_t b, uint128_t* remainder);

}  // namespace idem
