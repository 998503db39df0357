#include "common/metrics.h"

#include <gtest/gtest.h>
#include <thread>
#include <vector>

namespace idem {
namespace {

TEST(Metrics, CountsOfAllThreads) {
  Counter counter;
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < 10'000; ++i) counter.add(2);
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(counter.value(), 80'000u);
}

TEST(Metrics, PutsTimesIntoBuckets) {
  LatencyHistogram histogram;
  for (const uint64_t micros : {0u, 1u, 16u}) histogram.add(micros);
  histogram.add(17);
  histogram.add(LatencyHistogram::bound_micros(LatencyHistogram::kBuckets - 1));
  histogram.add(LatencyHistogram::bound_micros(LatencyHistogram::kBuckets - 1) + 1);
  histogram.add(UINT64_MAX / 2);
  const LatencyHistogram::Values values = histogram.values();
  EXPECT_EQ(values.counts[0], 3u);
  EXPECT_EQ(values.counts[1], 1u);
  EXPECT_EQ(values.counts[LatencyHistogram::kBuckets - 1], 1u);
  EXPECT_EQ(values.counts[LatencyHistogram::kBuckets], 2u);
}

}  // namespace
}  // namespace idem
