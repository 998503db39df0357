#pragma once

#include <atomic>
#include <cstdint>
#include <string>

namespace idem {

// An account of memory in use, with a limit; budgets form a tree (server → query → operator), and a
// reservation counts against all of its ancestors.
//
// Thread-safe, by relaxed atomics: `used` may exceed `limit` for the moment in which a refused reservation is
// being taken back. A parent outlives its children; a budget must be empty when destroyed.
class MemoryBudget {
 public:
  static constexpr uint64_t kUnlimited = UINT64_MAX;

  MemoryBudget(std::string name, uint64_t limit_bytes, MemoryBudget* parent = nullptr);
  ~MemoryBudget();
  MemoryBudget(const MemoryBudget&) = delete;
  MemoryBudget& operator=(const MemoryBudget&) = delete;

  // False, and nothing reserved, if this budget or an ancestor would exceed its limit.
  [[nodiscard]] bool try_reserve(uint64_t bytes);
  // Throws SqlError 53200 that names the budget whose limit was met.
  void reserve(uint64_t bytes);
  void release(uint64_t bytes);

  const std::string& name() const { return name_; }
  uint64_t used() const { return used_.load(std::memory_order_relaxed); }
  uint64_t peak() const { return peak_.load(std::memory_order_relaxed); }
  uint64_t limit() const { return limit_.load(std::memory_order_relaxed); }
  // Below what is used now: nothing more is granted until enough was released.
  void set_limit(uint64_t bytes) { limit_.store(bytes, std::memory_order_relaxed); }
  MemoryBudget* parent() const { return parent_; }

 private:
  MemoryBudget* reserve_or_find_full(uint64_t bytes);

  const std::string name_;
  MemoryBudget* const parent_;
  std::atomic<uint64_t> limit_;
  std::atomic<uint64_t> used_{0};
  std::atomic<uint64_t> peak_{0};
};

// Bytes held in a budget, given back when destroyed. Used by one thread at a time. An empty one holds no
// budget.
class MemoryReservation {
 public:
  MemoryReservation() = default;
  explicit MemoryReservation(MemoryBudget& budget, uint64_t bytes = 0);  // throws as MemoryBudget::reserve
  ~MemoryReservation() { reset(); }
  MemoryReservation(MemoryReservation&& other) noexcept;
  MemoryReservation& operator=(MemoryReservation&& other) noexcept;

  uint64_t bytes() const { return bytes_; }
  [[nodiscard]] bool try_grow(uint64_t more_bytes);
  void grow(uint64_t more_bytes);  // throws as MemoryBudget::reserve
  void shrink(uint64_t fewer_bytes);
  // Grows or shrinks to `bytes`; throws as MemoryBudget::reserve.
  void resize(uint64_t bytes);
  // Gives everything back.
  void reset();

 private:
  MemoryBudget* budget_ = nullptr;
  uint64_t bytes_ = 0;
};

}  // namespace idem
