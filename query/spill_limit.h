#pragma once

#include <algorithm>
#include <cstdint>

#include "query/evaluation.h"
#include "query/session.h"

namespace idem {

// Where rows beyond the memory go; null: nowhere, such queries end with 53200.
inline TemporaryFolder* temporary_folder(const ExecutionContext& context) {
  return context.server ? context.server->temporary : nullptr;
}

// When a thread of an operator puts what it holds out of memory.
//
//   0 ─────────── Q/2 ───────── 7Q/8 ── Q     memory of the query, Q its limit
//     in memory    │  what was put out │
//                  │  is worked up     │  beyond: 53200 for what cannot be put out
//
// Nobody puts out less than a thread's share of Q/16, so that operators above one that fills Q/2 do not write crumbs.
class SpillLimit {
 public:
  explicit SpillLimit(const ExecutionContext& context)
      : budget_(temporary_folder(context) ? context.memory : nullptr),
        threads_(static_cast<size_t>(std::max(context.worker_count, 1))) {
    for (const MemoryBudget* budget = context.memory; budget; budget = budget->parent())
      limit_ = std::min(limit_, budget->limit());
    if (limit_ == MemoryBudget::kUnlimited) budget_ = nullptr;
  }

  MemoryBudget* budget() const { return budget_; }

  // Whether a thread that holds `own` bytes should put them out before it takes `more`: the others may be about to do the same.
  bool reached(uint64_t own, uint64_t more = 0) const { return is_over(own, more, 4, 6); }
  // The same where the rows were put out once before and are worked up part by part.
  bool reached_again(uint64_t own, uint64_t more = 0) const { return is_over(own, more, 7, 7); }

  // Whether what was made should rather be read before more is made ahead of the reader.
  bool is_short() const { return is_over(limit_, 0, 5, 7); }

  // What one part should need at most, while all threads work on one.
  uint64_t part_bytes() const { return limit_ / 2 / threads_; }
  // What a thread collects before it writes.
  uint64_t buffer_bytes() const { return std::clamp<uint64_t>(limit_ / 32 / threads_, 128 << 10, 16 << 20); }
  // Of one block that is read while many others are, and how often it is in memory meanwhile.
  static constexpr uint64_t kBlockCopies = 2;
  uint64_t block_bytes() const { return std::clamp<uint64_t>(limit_ / 2048, 8 << 10, 256 << 10); }
  // How many sources a thread may read side by side, a block of each.
  size_t most_inputs() const {
    return std::max<size_t>(limit_ / 4 / (kBlockCopies * block_bytes() * (threads_ + 1)), 4);
  }

 private:
  // Eighths of the query's and of the server's limit.
  bool is_over(uint64_t own, uint64_t more, uint64_t of_query, uint64_t of_server) const {
    if (!budget_ || own < limit_ / 16 / threads_) return false;
    uint64_t eighths = of_query;
    for (const MemoryBudget* budget = budget_; budget; budget = budget->parent()) {
      if (budget->limit() != MemoryBudget::kUnlimited &&
          budget->used() + more * threads_ > budget->limit() / 8 * eighths)
        return true;
      eighths = of_server;
    }
    return false;
  }

  MemoryBudget* budget_;  // null: nothing is put out
  uint64_t limit_ = MemoryBudget::kUnlimited;
  const size_t threads_;
};

}  // namespace idem
