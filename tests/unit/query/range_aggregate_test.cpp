#include "query/range_aggregate.h"

#include <gtest/gtest.h>
#include <random>

#include "common/value_text.h"
#include "query/logical_plan.h"

namespace idem::test {
namespace {

constexpr uint32_t kRows = 3 * kVectorSize + 77;

// Aggregates over the doubles 0, 1, 2 …, of which every seventh is NULL.
class RangeAggregateTest : public ::testing::Test {
 protected:
  static BoundAggregate call(std::string_view name) {
    BoundAggregate aggregate;
    const SqlType type = TypeId::kDouble;
    const ResolvedAggregate resolved = resolve_aggregate(name, {&type, 1});
    aggregate.name = name;
    aggregate.function = resolved.function;
    aggregate.types = resolved.types;
    return aggregate;
  }

  static void fill(RangeAggregate& ranges, bool filtered) {
    for (uint32_t first = 0; first < kRows; first += kVectorSize) {
      const uint32_t count = std::min(kVectorSize, kRows - first);
      std::vector<Vector> arguments(1);
      auto* values = arguments[0].allocate_as<double>(TypeId::kDouble, count);
      uint64_t* validity = arguments[0].allocate_validity();
      std::vector<uint16_t> passing;
      for (uint32_t i = 0; i < count; ++i) {
        values[i] = first + i;
        if ((first + i) % 7 == 0) validity[i >> 6] &= ~(uint64_t{1} << (i & 63));
        if ((first + i) % 3 == 0) passing.push_back(static_cast<uint16_t>(i));
      }
      ranges.append(std::move(arguments), count, filtered ? std::optional(passing) : std::nullopt);
    }
    ranges.build_levels();
  }

  static std::string value_of(const BoundAggregate& aggregate, const std::vector<char>& state) {
    Vector result;
    result.allocate(aggregate.types.result, 1);
    aggregate.function->finalize(state.data(), static_cast<uint32_t>(state.size()), 1, aggregate.types,
                                 &result, 0);
    if (!result.is_valid(0)) return "NULL";
    std::string text;
    append_text(text, result.type, result.data, TextOptions());
    return text;
  }

  static void compare(std::string_view name, bool filtered) {
    const BoundAggregate aggregate = call(name);
    RangeAggregate ranges(aggregate, nullptr);
    fill(ranges, filtered);
    std::mt19937 random(17);
    for (int round = 0; round < 2000; ++round) {
      const size_t from = random() % (kRows + 1);
      const size_t to = from + random() % (std::min<size_t>(kRows - from, round % 2 == 0 ? kRows : 100) + 1);
      AggregateArena arena;
      std::vector<char> whole((aggregate.function->state_size + 7) / 8 * 8), rows = whole;
      aggregate.function->init(whole.data());
      aggregate.function->init(rows.data());
      ranges.fold(from, to, whole.data(), arena);
      ranges.fold_rows(from, to, rows.data(), arena);
      ASSERT_EQ(value_of(aggregate, whole), value_of(aggregate, rows))
          << name << " of " << from << " to " << to;
    }
  }
};

TEST_F(RangeAggregateTest, PartialStatesGiveWhatTheRowsGive) {
  for (const bool filtered : {false, true}) {
    for (const std::string_view name : {"count", "sum", "min", "max", "avg", "first", "last", "array_agg"})
      compare(name, filtered);
  }
}

TEST_F(RangeAggregateTest, IsEmptyAfterClear) {
  const BoundAggregate aggregate = call("count");
  RangeAggregate ranges(aggregate, nullptr);
  fill(ranges, false);
  EXPECT_TRUE(ranges.has_levels());
  EXPECT_GT(ranges.memory_bytes(), kRows * sizeof(double));
  ranges.clear();
  EXPECT_FALSE(ranges.has_levels());
  EXPECT_EQ(ranges.memory_bytes(), 0u);
  fill(ranges, false);
  AggregateArena arena;
  std::vector<char> state(8);
  aggregate.function->init(state.data());
  ranges.fold(0, 70, state.data(), arena);
  EXPECT_EQ(value_of(aggregate, state), "60");
}

}  // namespace
}  // namespace idem::test
