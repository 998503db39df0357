#include "query/group_table.h"

#include <gtest/gtest.h>
#include <map>
#include <optional>
#include <random>

namespace idem {
namespace {

using Key = std::pair<std::optional<int64_t>, int32_t>;  // a time and a number

// Numbers rows by (number, time) and expects what a map gives.
class GroupTableTest : public ::testing::TestWithParam<bool> {
 protected:
  GroupTableTest() : table_({TypeId::kInteger, TypeId::kTimestamp}, nullptr) {
    if (GetParam()) table_.expect_time_order();
  }

  void add(const std::vector<Key>& rows) {
    for (size_t first = 0; first < rows.size(); first += kVectorSize) {
      const auto count = static_cast<uint32_t>(std::min<size_t>(kVectorSize, rows.size() - first));
      std::vector<Vector> keys(2);
      auto* numbers = keys[0].allocate_as<int32_t>(TypeId::kInteger, count);
      auto* times = keys[1].allocate_as<int64_t>(TypeId::kTimestamp, count);
      uint64_t* validity = keys[1].allocate_validity();
      for (uint32_t i = 0; i < count; ++i) {
        const Key& key = rows[first + i];
        numbers[i] = key.second;
        times[i] = key.first.value_or(0);
        if (!key.first) validity[i >> 6] &= ~(uint64_t{1} << (i & 63));
      }
      std::vector<uint32_t> groups(count);
      table_.find_or_insert(keys.data(), {nullptr, count}, groups.data());
      for (uint32_t i = 0; i < count; ++i) {
        const auto expected = expected_.try_emplace(rows[first + i], expected_.size()).first->second;
        ASSERT_EQ(groups[i], expected) << "row " << first + i;
      }
    }
    ASSERT_EQ(table_.size(), expected_.size());
  }
  std::vector<Key> rows_of_times(int64_t from, int64_t to, int rows, int numbers) {
    std::vector<Key> keys;
    for (int64_t time = from; time < to; ++time) {
      for (int i = 0; i < rows; ++i) keys.emplace_back(time, static_cast<int32_t>(random_()) % numbers);
    }
    return keys;
  }

  std::mt19937_64 random_{11};
  GroupTable table_;
  std::map<Key, size_t> expected_;
};

TEST_P(GroupTableTest, FewRowsOfManyTimes) {
  const uint64_t first = table_.memory_bytes();
  add(rows_of_times(-30'000, 30'000, 3, 100));
  if (GetParam()) { EXPECT_LT(table_.memory_bytes() - table_.keys()->memory_bytes() - first, 1u << 20); }
}

TEST_P(GroupTableTest, ManyRowsOfFewTimes) { add(rows_of_times(5, 10, 40'000, 30'000)); }

TEST_P(GroupTableTest, AnEarlierTimeAfterAll) {
  add(rows_of_times(0, 20'000, 3, 100));
  add(rows_of_times(100, 110, 3, 100));
  add(rows_of_times(0, 30'000, 2, 100));
}

TEST_P(GroupTableTest, NullIsATimeOfItsOwn) {
  add({{std::nullopt, 1}, {std::nullopt, 2}, {0, 1}, {0, 2}});
  add(rows_of_times(1, 20'000, 2, 100));
  add({{std::nullopt, 1}, {0, 2}, {std::nullopt, 3}});
  add(rows_of_times(-5, 20'000, 1, 100));
}

TEST(GroupTablePackingTest, TellsNullsAndValuesOfManyKeysApart) {
  // 64 + 32 + 16 + 1 bits and one for each that is NULL.
  GroupTable table({TypeId::kBigInt, TypeId::kInteger, TypeId::kSmallInt, TypeId::kBoolean}, nullptr);
  std::vector<Vector> keys(4);
  constexpr uint32_t kRows = 2 * 2 * 2 * 2 * 2;
  auto* bigs = keys[0].allocate_as<int64_t>(TypeId::kBigInt, kRows);
  auto* integers = keys[1].allocate_as<int32_t>(TypeId::kInteger, kRows);
  auto* smalls = keys[2].allocate_as<int16_t>(TypeId::kSmallInt, kRows);
  auto* booleans = keys[3].allocate_as<uint8_t>(TypeId::kBoolean, kRows);
  for (uint32_t i = 0; i < kRows; ++i) {
    bigs[i] = i & 1 ? -1 : 0;
    integers[i] = i & 2 ? -1 : 0;
    smalls[i] = i & 4 ? -1 : 0;
    booleans[i] = i & 8 ? 1 : 0;
  }
  for (size_t null = 0; null < 4; ++null) {
    uint64_t* validity = keys[null].allocate_validity();
    *validity = ~uint64_t{0};
    for (uint32_t i = kRows / 2; i < kRows; ++i) {
      if ((i & 15) == null) *validity &= ~(uint64_t{1} << i);
    }
  }
  std::vector<uint32_t> groups(kRows);
  table.find_or_insert(keys.data(), {nullptr, kRows}, groups.data());
  // The upper half repeats the lower one but for a NULL in four of them.
  for (uint32_t i = 0; i < kRows; ++i) EXPECT_EQ(groups[i], i < 16 ? i : (i & 15) < 4 ? i : i - 16) << i;
  EXPECT_EQ(table.size(), 20u);
}

// Keys of one or two columns, texts among them, NULL and empty ones too.
class GroupTableTextTest : public ::testing::TestWithParam<std::vector<SqlType>> {
 protected:
  using TextKey = std::vector<std::optional<std::string>>;

  static Vector vector_of(SqlType type, const std::vector<TextKey>& rows, size_t column) {
    Vector vector;
    const auto count = static_cast<uint32_t>(rows.size());
    const auto fill = [&](auto* elements, auto make) {
      for (uint32_t i = 0; i < count; ++i) elements[i] = make(rows[i][column].value_or(""));
    };
    if (type.id == TypeId::kInteger) {
      fill(vector.allocate_as<int32_t>(type),
           [](const std::string& text) { return text.empty() ? 0 : std::stoi(text); });
    } else if (type.id == TypeId::kUuid) {
      fill(vector.allocate_as<Uuid>(type), [](const std::string& text) {
        Uuid uuid{};
        std::copy(text.begin(), text.end(), uuid.bytes.begin());
        return uuid;
      });
    } else {
      fill(vector.allocate_as<std::string_view>(type),
           [&](const std::string& text) { return vector.store_string(text); });
    }
    uint64_t* validity = vector.allocate_validity();
    for (uint32_t i = 0; i < count; ++i) {
      if (!rows[i][column]) validity[i >> 6] &= ~(uint64_t{1} << (i & 63));
    }
    return vector;
  }

  std::vector<TextKey> random_rows(size_t count) {
    std::vector<TextKey> rows(count);
    for (TextKey& row : rows) {
      for (size_t c = 0; c < GetParam().size(); ++c) {
        const uint64_t pick = random_() % 3000;
        const bool is_number = GetParam()[c].id == TypeId::kInteger;
        row.push_back(pick == 0 ? std::nullopt
                                : std::optional(pick == 1 && !is_number ? "" : std::to_string(pick)));
      }
    }
    return rows;
  }

  void add(GroupTable& table, std::map<TextKey, uint32_t>& expected, size_t count) {
    const std::vector<TextKey> rows = random_rows(count);
    std::vector<Vector> keys;
    for (size_t c = 0; c < GetParam().size(); ++c) keys.push_back(vector_of(GetParam()[c], rows, c));
    std::vector<uint32_t> groups(count);
    table.find_or_insert(keys.data(), {nullptr, static_cast<uint32_t>(count)}, groups.data());
    for (uint32_t i = 0; i < count; ++i) {
      const auto size = static_cast<uint32_t>(expected.size());
      ASSERT_EQ(groups[i], expected.try_emplace(rows[i], size).first->second) << i;
    }
    GroupTable::Probe(table).find(keys.data(), {nullptr, static_cast<uint32_t>(count)}, true, groups.data());
    for (uint32_t i = 0; i < count; ++i) ASSERT_EQ(groups[i], expected.at(rows[i])) << i;
    GroupTable::Probe(table).find(keys.data(), {nullptr, static_cast<uint32_t>(count)}, false, groups.data());
    for (uint32_t i = 0; i < count; ++i) {
      const bool has_null = std::find(rows[i].begin(), rows[i].end(), std::nullopt) != rows[i].end();
      ASSERT_EQ(groups[i] == GroupTable::kNoGroup, has_null) << i;
    }
  }

  std::mt19937_64 random_{5};
};

TEST_P(GroupTableTextTest, FindsWhatItHas) {
  GroupTable table(GetParam(), nullptr);
  std::map<TextKey, uint32_t> expected;
  for (int i = 0; i < 40; ++i) add(table, expected, 2000);
  EXPECT_EQ(table.size(), expected.size());
}

TEST_P(GroupTableTextTest, MeetsAnotherPartByPart) {
  GroupTable one(GetParam(), nullptr), other(GetParam(), nullptr);
  std::map<TextKey, uint32_t> in_one, in_other;
  for (int i = 0; i < 4; ++i) {
    add(one, in_one, 2000);
    add(other, in_other, 1500);
  }
  ASSERT_TRUE(one.is_comparable(other));
  std::vector<const TextKey*> key_of_other(other.size());
  for (const auto& [key, group] : in_other) key_of_other[group] = &key;
  std::multimap<uint32_t, uint32_t> by_hash;  // of `one`
  for (uint32_t part = 0; part < 8; ++part) {
    one.for_each_in_part(part, 3, [&](uint32_t hash, uint32_t group) {
      EXPECT_EQ(hash >> 29, part);
      by_hash.emplace(hash, group);
    });
  }
  EXPECT_EQ(by_hash.size(), in_one.size());
  size_t met = 0;
  for (uint32_t part = 0; part < 256; ++part) {
    other.for_each_in_part(part, 8, [&](uint32_t hash, uint32_t group) {
      const auto expected = in_one.find(*key_of_other[group]);
      const auto [begin, end] = by_hash.equal_range(hash);
      const auto found = std::find_if(
          begin, end, [&](const auto& of_one) { return one.equal(of_one.second, other, group); });
      ++met;
      ASSERT_EQ(found != end, expected != in_one.end());
      if (found != end) { ASSERT_EQ(found->second, expected->second); }
    });
  }
  EXPECT_EQ(met, in_other.size());
}

INSTANTIATE_TEST_SUITE_P(
    KeyTypes, GroupTableTextTest,
    ::testing::Values(std::vector<SqlType>{TypeId::kVarchar}, std::vector<SqlType>{TypeId::kInteger},
                      std::vector<SqlType>{TypeId::kChar}, std::vector<SqlType>(5, TypeId::kInteger),
                      std::vector<SqlType>{TypeId::kUuid, TypeId::kInteger, TypeId::kInteger},
                      std::vector<SqlType>{TypeId::kVarchar, TypeId::kInteger},
                      std::vector<SqlType>{TypeId::kUuid, TypeId::kVarchar, TypeId::kText}));
INSTANTIATE_TEST_SUITE_P(AnyAndTimeOrder, GroupTableTest, ::testing::Bool());

}  // namespace
}  // namespace idem
