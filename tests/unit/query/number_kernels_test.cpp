#include "query/number_kernels.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <gtest/gtest.h>
#include <limits>
#include <random>
#include <vector>

namespace idem {
namespace {

double reference_sum(const std::vector<double>& values) {
  double lanes[8] = {}, rest = 0;
  const size_t whole = values.size() / 8 * 8;
  for (size_t i = 0; i < whole; ++i) lanes[i % 8] += values[i];
  for (size_t i = whole; i < values.size(); ++i) rest += values[i];
  return ((lanes[0] + lanes[4]) + (lanes[2] + lanes[6])) + ((lanes[1] + lanes[5]) + (lanes[3] + lanes[7])) +
         rest;
}

// All forms give what plain loops give, bit by bit, at every length and alignment.
TEST(NumberKernels, AgreeWithPlainLoops) {
  std::mt19937_64 random(1);
  for (const char* name : {"baseline", "avx2", "avx512"}) {
    const NumberKernels* kernels = number_kernels_named(name);
    if (!kernels) continue;
    for (uint32_t count = 0; count < 300; ++count) {
      std::vector<double> memory(count + 3);
      for (double& v : memory) v = static_cast<double>(static_cast<int64_t>(random())) * 1e-12;
      if (count > 4) memory[3 + random() % count] = -std::numeric_limits<double>::infinity();
      const std::vector<double> values(memory.begin() + 3, memory.end());
      const double* data = memory.data() + 3;
      EXPECT_EQ(std::bit_cast<uint64_t>(kernels->sum(data, count)),
                std::bit_cast<uint64_t>(reference_sum(values)))
          << name;
      if (count == 0) continue;
      double result = 0;
      EXPECT_TRUE(kernels->min(data, count, &result));
      EXPECT_EQ(result, *std::min_element(values.begin(), values.end())) << name;
      EXPECT_TRUE(kernels->max(data, count, &result));
      EXPECT_EQ(result, *std::max_element(values.begin(), values.end())) << name;
      memory[3 + random() % count] = std::nan("");
      EXPECT_FALSE(kernels->min(data, count, &result)) << name << " " << count;
      EXPECT_FALSE(kernels->max(data, count, &result)) << name << " " << count;
    }
  }
}

}  // namespace
}  // namespace idem
