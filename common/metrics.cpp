#include "common/metrics.h"

#include <functional>
#include <thread>

namespace idem {

size_t Counter::place_of_thread() {
  thread_local const size_t place = std::hash<std::thread::id>()(std::this_thread::get_id()) % kPlaces;
  return place;
}

uint64_t Counter::value() const {
  uint64_t sum = 0;
  for (const Place& place : places_) sum += place.value.load(std::memory_order_relaxed);
  return sum;
}

LatencyHistogram::Values LatencyHistogram::values() const {
  Values values;
  for (size_t i = 0; i <= kBuckets; ++i) values.counts[i] = counts_[i].value();
  values.sum_micros = sum_micros_.value();
  return values;
}

}  // namespace idem
