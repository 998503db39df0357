#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "common/sql_type.h"

namespace idem {

// 64-bit hashes for hash tables and shuffling. Not cryptographic; the same on every machine and run.

// A bijection of 64 bits whose output bits all depend on all input bits.
inline uint64_t hash_u64(uint64_t x) {
  x ^= x >> 32;
  x *= 0xd6e8feb86659fd93ULL;
  x ^= x >> 32;
  x *= 0xd6e8feb86659fd93ULL;
  x ^= x >> 32;
  return x;
}

// Order matters: combining a with b differs from b with a.
inline uint64_t hash_combine(uint64_t seed, uint64_t hash) {
  const uint128_t product =
      static_cast<uint128_t>(seed ^ 0x9e3779b97f4a7c15ULL) * (hash ^ 0xe7037ed1a0b428dbULL);
  return static_cast<uint64_t>(product) ^ static_cast<uint64_t>(product >> 64) ^ hash;
}

inline uint64_t hash_u128(uint128_t x) {
  return hash_combine(hash_u64(static_cast<uint64_t>(x)), hash_u64(static_cast<uint64_t>(x >> 64)));
}

// Equal floats hash equally: -0 as 0, every NaN alike.
uint64_t hash_float(float value);
uint64_t hash_double(double value);

// XXH3.
uint64_t hash_bytes(const void* data, size_t size);
uint64_t hash_bytes(const void* data, size_t size, uint64_t seed);
inline uint64_t hash_bytes(std::string_view text) { return hash_bytes(text.data(), text.size()); }

}  // namespace idem
