#include "common/hash.h"

#include <cmath>
#include <cstring>
#include <limits>

#define XXH_INLINE_ALL
#include <xxhash.h>

namespace idem {

uint64_t hash_double(double value) {
  if (value == 0) value = 0;
  if (std::isnan(value)) value = std::numeric_limits<double>::quiet_NaN();
  uint64_t bits;
  std::memcpy(&bits, &value, sizeof bits);
  return hash_u64(bits);
}

// As the double of the same value, so that REAL and DOUBLE keys may be compared with each other.
uint64_t hash_float(float value) { return hash_double(static_cast<double>(value)); }

uint64_t hash_bytes(const void* data, size_t size) { return XXH3_64bits(data, size); }
uint64_t hash_bytes(const void* data, size_t size, uint64_t seed) {
  return XXH3_64bits_withSeed(data, size, seed);
}

}  // namespace idem
