#pragma once

#include <atomic>
#include <cstdint>

namespace idem {

// Where time comes from. Thread-safe. Time of day stamps rows and runs; it never orders commits.
class Clock {
 public:
  virtual ~Clock() = default;
  virtual int64_t now_micros() const = 0;       // UTC, since 1970-01-01
  virtual int64_t monotonic_nanos() const = 0;  // never goes back; for durations and deadlines
};

class SystemClock final : public Clock {
 public:
  int64_t now_micros() const override;
  int64_t monotonic_nanos() const override;
};

// For tests: stands still until told otherwise.
class SettableClock final : public Clock {
 public:
  explicit SettableClock(int64_t now_micros = 0) : now_micros_(now_micros) {}
  int64_t now_micros() const override { return now_micros_.load(std::memory_order_relaxed); }
  int64_t monotonic_nanos() const override { return monotonic_nanos_.load(std::memory_order_relaxed); }
  // Time of day only: it may be set back, as an administrator may.
  void set_now_micros(int64_t micros) { now_micros_.store(micros, std::memory_order_relaxed); }
  // Both clocks.
  void advance_micros(int64_t micros) {
    now_micros_.fetch_add(micros, std::memory_order_relaxed);
    monotonic_nanos_.fetch_add(micros * 1000, std::memory_order_relaxed);
  }

 private:
  std::atomic<int64_t> now_micros_;
  std::atomic<int64_t> monotonic_nanos_{0};
};

}  // namespace idem
