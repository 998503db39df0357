#pragma once

#include <atomic>
#include <bit>
#include <cstdint>

#include "storage/vector.h"

namespace idem {

// A value's place in an ascending order of unsigned numbers. -0 equals 0, NaN is the largest.
inline uint64_t ordered_bits(int64_t value) { return static_cast<uint64_t>(value) ^ (uint64_t{1} << 63); }
inline uint64_t ordered_bits(double value) {
  if (value == 0) value = 0;
  if (value != value) return UINT64_MAX;
  const auto bits = std::bit_cast<uint64_t>(value);
  return bits >> 63 ? ~bits : bits | uint64_t{1} << 63;
}

// The reverse for doubles; NaN where no other number has these bits.
inline double double_of_ordered_bits(uint64_t bits) {
  return std::bit_cast<double>(bits >> 63 ? bits & ~(uint64_t{1} << 63) : ~bits);
}

// What a top-N tells the scan below it: rows whose first sort key is beyond the bound cannot be among the
// first N any more. Shared by all threads of both; the bound only tightens.
struct SortThreshold {
  uint32_t column = 0;  // of the scan's output; an integer, timestamp, date, real or double
  bool descending = false;
  bool nulls_first = false;
  // Keep rows whose ordered bits (complemented where descending) are at most this.
  std::atomic<uint64_t> bound{UINT64_MAX};

  void tighten(uint64_t to) {
    uint64_t seen = bound.load(std::memory_order_relaxed);
    while (to < seen && !bound.compare_exchange_weak(seen, to, std::memory_order_relaxed)) {}
  }
};

// Whether columns of this type can bound a top-N.
bool can_be_threshold(SqlType type);
// Rows that may still be among the first N: positions go to `out`, which is not the memory of the selection.
uint32_t select_within(const SortThreshold& threshold, const Vector& vector, uint32_t size,
                       Selection selection, uint16_t* out);

}  // namespace idem
