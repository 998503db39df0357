#pragma once

#include <cstdint>

#include "common/cancellation.h"

namespace idem {

// Looks at a cancel token in one of 4,096 calls: for the turns of a loop that does little in each of them, over what one value
// holds. One thread's.
class CancelCheck {
 public:
  explicit CancelCheck(const CancelToken* cancel) : cancel_(cancel) {}  // null: never cancelled

  void operator()() {
    if (++calls_ % kCallsPerCheck == 0 && cancel_) cancel_->check();
  }

 private:
  static constexpr uint32_t kCallsPerCheck = 1 << 12;
  const CancelToken* cancel_;
  uint32_t calls_ = 0;
};

}  // namespace idem
