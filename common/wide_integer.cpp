#include "common/wide_integer.h"

#include <bit>

namespace idem {

namespace {

using Limbs = std::array<uint32_t, 8>;

Limbs limbs_of(const U256& a) {
  Limbs limbs;
  for (size_t i = 0; i < 4; ++i) {
    limbs[i] = static_cast<uint32_t>(a.low >> (32 * i));
    limbs[i + 4] = static_cast<uint32_t>(a.high >> (32 * i));
  }
  return limbs;
}

U256 from_limbs(const Limbs& limbs) {
  U256 a;
  for (size_t i = 0; i < 4; ++i) {
    a.low |= static_cast<uint128_t>(limbs[i]) << (32 * i);
    a.high |= static_cast<uint128_t>(limbs[i + 4]) << (32 * i);
  }
  return a;
}

U256 divide_by_limb(Limbs a, uint32_t divisor, uint128_t* remainder) {
  uint64_t rest = 0;
  for (size_t i = 8; i-- > 0;) {
    const uint64_t part = rest << 32 | a[i];
    a[i] = static_cast<uint32_t>(part / divisor);
    rest = part % divisor;
  }
  *remainder = rest;
  return from_limbs(a);
}

}  // namespace

U256 multiply_wide(uint128_t a, uint128_t b) {
  const auto a0 = static_cast<uint64_t>(a);
  const auto a1 = static_cast<uint64_t>(a >> 64);
  const auto b0 = static_cast<uint64_t>(b);
  const auto b1 = static_cast<uint64_t>(b >> 64);
  const uint128_t low = static_cast<uint128_t>(a0) * b0;
  const uint128_t middle = static_cast<uint128_t>(a1) * b0 + static_cast<uint64_t>(low >> 64);
  const uint128_t middle2 = static_cast<uint128_t>(a0) * b1 + static_cast<uint64_t>(middle);
  U256 product;
  product.low = middle2 << 64 | static_cast<uint64_t>(low);
  product.high = static_cast<uint128_t>(a1) * b1 + (middle >> 64) + (middle2 >> 64);
  return product;
}

U256 multiply_wide(const U256& a, uint128_t b) {
  U256 product = multiply_wide(a.low, b);
  product.high += a.high * b;
  return product;
}

// Knuth's algorithm D with limbs of 32 bits.
U256 divide_wide(const U256& a, uint128_t b, uint128_t* remainder) {
  if (a.high == 0) {
    *remainder = a.low % b;
    return {a.low / b, 0};
  }
  const Limbs dividend = limbs_of(a);
  Limbs divisor = limbs_of({b, 0});
  size_t n = 4;
  while (divisor[n - 1] == 0) --n;
  if (n == 1) return divide_by_limb(dividend, divisor[0], remainder);

  // Shifted so that the divisor's top limb has its high bit set: quotient digits are then estimated well.
  const int shift = std::countl_zero(divisor[n - 1]);
  std::array<uint32_t, 9> u{};
  Limbs v{};
  for (size_t i = 0; i < 8; ++i) {
    const uint64_t moved = static_cast<uint64_t>(dividend[i]) << shift;
    u[i] |= static_cast<uint32_t>(moved);
    u[i + 1] = static_cast<uint32_t>(moved >> 32);
  }
  for (size_t i = 0; i < n; ++i) {
    const uint64_t moved = static_cast<uint64_t>(divisor[i]) << shift;
    v[i] |= static_cast<uint32_t>(moved);
    if (i + 1 < n) v[i + 1] = static_cast<uint32_t>(moved >> 32);
  }

  Limbs quotient{};
  for (size_t j = 8 - n + 1; j-- > 0;) {
    const uint64_t top = static_cast<uint64_t>(u[j + n]) << 32 | u[j + n - 1];
    uint64_t digit = top / v[n - 1];
    uint64_t rest = top % v[n - 1];
    while (digit >> 32 != 0 || digit * v[n - 2] > (rest << 32 | u[j + n - 2])) {
      --digit;
      rest += v[n - 1];
      if (rest >> 32 != 0) break;
    }
    int64_t borrow = 0;
    for (size_t i = 0; i < n; ++i) {
      const uint64_t product = digit * v[i];
      const int64_t difference =
          static_cast<int64_t>(u[i + j]) - borrow - static_cast<int64_t>(product & 0xffffffff);
      u[i + j] = static_cast<uint32_t>(difference);
      borrow = static_cast<int64_t>(product >> 32) - (difference >> 32);
    }
    const int64_t difference = static_cast<int64_t>(u[j + n]) - borrow;
    u[j + n] = static_cast<uint32_t>(difference);
    if (difference < 0) {  // the estimate was one too large
      --digit;
      uint64_t carry = 0;
      for (size_t i = 0; i < n; ++i) {
        carry += static_cast<uint64_t>(u[i + j]) + v[i];
        u[i + j] = static_cast<uint32_t>(carry);
        carry >>= 32;
      }
      u[j + n] += static_cast<uint32_t>(carry);
    }
    quotient[j] = static_cast<uint32_t>(digit);
  }

  uint128_t rest = 0;
  for (size_t i = n; i-- > 0;) {
    const uint64_t above = i + 1 <= n ? u[i + 1] : 0;
    const uint64_t limb = (above << 32 | u[i]) >> shift;
    rest = rest << 32 | static_cast<uint32_t>(limb);
  }
  *remainder = rest;
  return from_limbs(quotient);
}

}  // namespace idem
