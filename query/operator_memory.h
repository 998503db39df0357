#pragma once

#include <algorithm>
#include <cstdint>

#include "common/memory_budget.h"

namespace idem {

// What one operator's thread holds of the query's memory budget; nothing is counted where there is no budget.
// Reserves in steps, so that a growing table does not touch the shared counters at every vector.
class OperatorMemory {
 public:
  explicit OperatorMemory(MemoryBudget* budget) {
    if (budget) {
      reservation_ = MemoryReservation(*budget);
      counted_ = true;
    }
  }
  // Throws SqlError 53200 when the budget is used up.
  void set(uint64_t bytes) {
    bytes_ = bytes;
    if (!counted_ || (bytes <= reservation_.bytes() && bytes + 4 * kStep > reservation_.bytes())) return;
    const uint64_t step = bytes < kStep ? kSmallStep : kStep;
    reservation_.resize((bytes + step - 1) / step * step);
  }
  uint64_t bytes() const { return bytes_; }

 private:
  static constexpr uint64_t kStep = 64 << 10;
  static constexpr uint64_t kSmallStep = 4 << 10;  // many ranges of an input with a group or two each add up
  MemoryReservation reservation_;
  uint64_t bytes_ = 0;
  bool counted_ = false;
};

}  // namespace idem
