#pragma once

#include <array>
#include <atomic>
#include <bit>
#include <cstddef>
#include <cstdint>

namespace idem {

// A number that many threads add to: each to one of a few places, so that they do not fight for one cache line.
class Counter {
 public:
  void add(uint64_t n = 1) { places_[place_of_thread()].value.fetch_add(n, std::memory_order_relaxed); }
  uint64_t value() const;

 private:
  static size_t place_of_thread();

  struct alignas(64) Place {
    std::atomic<uint64_t> value{0};
  };
  static constexpr size_t kPlaces = 8;
  std::array<Place, kPlaces> places_;
};

// How often something took how long, in buckets that double: up to 16 µs, 32 µs, … 33.6 s, and longer. Any thread may add.
class LatencyHistogram {
 public:
  static constexpr size_t kBuckets = 22;  // with a bound; one more has none
  static constexpr uint64_t bound_micros(size_t bucket) { return uint64_t{16} << bucket; }
  struct Values {
    std::array<uint64_t, kBuckets + 1> counts{};
    uint64_t sum_micros = 0;
  };

  void add(uint64_t micros) {
    const size_t above = micros <= bound_micros(0) ? 0 : static_cast<size_t>(std::bit_width(micros - 1)) - 4;
    counts_[above < kBuckets ? above : kBuckets].add();
    sum_micros_.add(micros);
  }
  Values values() const;

 private:
  std::array<Counter, kBuckets + 1> counts_;
  Counter sum_micros_;
};

}  // namespace idem
