#include "common/memory_budget.h"

#include <cassert>
#include <utility>

#include "common/error.h"

namespace idem {

MemoryBudget::MemoryBudget(std::string name, uint64_t limit_bytes, MemoryBudget* parent)
    : name_(std::move(name)), parent_(parent), limit_(limit_bytes) {}

MemoryBudget::~MemoryBudget() { assert(used() == 0); }

// Reserves in this budget and its ancestors; null on success, else the budget that was full, with nothing
// reserved.
MemoryBudget* MemoryBudget::reserve_or_find_full(uint64_t bytes) {
  const uint64_t now = used_.fetch_add(bytes, std::memory_order_relaxed) + bytes;
  MemoryBudget* full = now > limit() ? this : nullptr;
  if (!full && parent_) full = parent_->reserve_or_find_full(bytes);
  if (full) {
    used_.fetch_sub(bytes, std::memory_order_relaxed);
    return full;
  }
  uint64_t peak = peak_.load(std::memory_order_relaxed);
  while (now > peak && !peak_.compare_exchange_weak(peak, now, std::memory_order_relaxed)) {}
  return nullptr;
}

bool MemoryBudget::try_reserve(uint64_t bytes) { return reserve_or_find_full(bytes) == nullptr; }

void MemoryBudget::reserve(uint64_t bytes) {
  if (MemoryBudget* full = reserve_or_find_full(bytes)) {
    throw sql_error(sqlstate::kOutOfMemory, "out of memory")
        .with_detail(
            fmt::format("Failed on request of {} bytes: {} of {} bytes of the memory limit of {} are in use.",
                        bytes, full->used(), full->limit(), full->name()));
  }
}

void MemoryBudget::release(uint64_t bytes) {
  for (MemoryBudget* budget = this; budget; budget = budget->parent_) {
    [[maybe_unused]] const uint64_t before = budget->used_.fetch_sub(bytes, std::memory_order_relaxed);
    assert(before >= bytes);
  }
}

MemoryReservation::MemoryReservation(MemoryBudget& budget, uint64_t bytes) : budget_(&budget) { grow(bytes); }

MemoryReservation::MemoryReservation(MemoryReservation&& other) noexcept
    : budget_(std::exchange(other.budget_, nullptr)), bytes_(std::exchange(other.bytes_, 0)) {}

MemoryReservation& MemoryReservation::operator=(MemoryReservation&& other) noexcept {
  if (this != &other) {
    reset();
    budget_ = std::exchange(other.budget_, nullptr);
    bytes_ = std::exchange(other.bytes_, 0);
  }
  return *this;
}

bool MemoryReservation::try_grow(uint64_t more_bytes) {
  if (!budget_->try_reserve(more_bytes)) return false;
  bytes_ += more_bytes;
  return true;
}

void MemoryReservation::grow(uint64_t more_bytes) {
  budget_->reserve(more_bytes);
  bytes_ += more_bytes;
}

void MemoryReservation::shrink(uint64_t fewer_bytes) {
  assert(fewer_bytes <= bytes_);
  budget_->release(fewer_bytes);
  bytes_ -= fewer_bytes;
}

void MemoryReservation::resize(uint64_t bytes) {
  if (bytes > bytes_) {
    grow(bytes - bytes_);
  } else if (bytes < bytes_) {
    shrink(bytes_ - bytes);
  }
}

void MemoryReservation::reset() {
  if (bytes_ > 0) shrink(bytes_);
}

}  // namespace idem
