#include "common/persistent_map.h"

#include <gtest/gtest.h>
#include <map>
#include <random>
#include <string>

namespace idem {
namespace {

using Map = PersistentMap<int, std::string>;

std::map<int, std::string> to_map(const Map& map) { return {map.begin(), map.end()}; }

// Grows to thousands of entries, shrinks to few and grows again, so that nodes are split and joined on every level.
TEST(PersistentMapTest, AgreesWithAnOrderedMapAndCopiesStay) {
  for (const int keys : {40, 1'000, 20'000}) {
    std::mt19937 random(7);
    Map map;
    std::map<int, std::string> expected;
    std::vector<std::pair<Map, std::map<int, std::string>>> copies;
    for (int i = 0; i < 60'000; ++i) {
      const int key = static_cast<int>(random() % static_cast<unsigned>(keys));
      if (random() % 100 < (i / 20'000 % 2 == 0 ? 20 : 80)) {
        ASSERT_EQ(map.erase(key), expected.erase(key) == 1);
      } else {
        map.put(key, std::to_string(i));
        expected[key] = std::to_string(i);
      }
      ASSERT_EQ(map.size(), expected.size());
      ASSERT_EQ(map.contains(key), expected.contains(key));
      const int wanted = static_cast<int>(random() % static_cast<unsigned>(keys));
      const auto lower = map.lower_bound(wanted);
      const auto expected_lower = expected.lower_bound(wanted);
      ASSERT_EQ(lower == map.end(), expected_lower == expected.end());
      if (lower != map.end()) { ASSERT_EQ(*lower, *expected_lower); }
      if (i % 4'000 == 0) copies.emplace_back(map, expected);
    }
    EXPECT_EQ(to_map(map), expected);
    for (const auto& [copy, at_that_time] : copies) EXPECT_EQ(to_map(copy), at_that_time);
    for (const auto& [key, value] : expected) ASSERT_TRUE(map.erase(key));
    EXPECT_TRUE(map.empty());
    EXPECT_TRUE(map.begin() == map.end());
  }
}

TEST(PersistentMapTest, AscendingAndDescendingKeys) {
  Map up, down;
  for (int i = 0; i < 50'000; ++i) {
    up.put(i, "");
    down.put(-i, "");
  }
  EXPECT_EQ(up.size(), 50'000u);
  EXPECT_EQ(up.find(33'333)->first, 33'333);
  EXPECT_EQ(down.begin()->first, -49'999);
  int next = 0;
  for (const auto& [key, value] : up) ASSERT_EQ(key, next++);
  EXPECT_EQ(next, 50'000);
}

TEST(PersistentMapTest, ErasesWhatAPredicateTakes) {
  Map map;
  for (int i = 0; i < 1'000; ++i) map.put(i, std::to_string(i));
  map.erase_if([](const auto& entry) { return entry.first % 3 != 0; });
  EXPECT_EQ(map.size(), 334u);
  for (const auto& [key, value] : map) EXPECT_EQ(key % 3, 0);
}

TEST(PersistentMapTest, FindsByWhatComparesWithKeys) {
  PersistentMap<std::string, int> map;
  map.put("b", 1);
  EXPECT_EQ(map.find(std::string_view("b"))->second, 1);
  EXPECT_TRUE(map.find("a") == map.end());
  EXPECT_EQ(map.lower_bound("a")->first, "b");
  PersistentMap<std::pair<int, std::string>, int> pairs;
  pairs.put({1, "x"}, 2);
  EXPECT_EQ(pairs.find({1, "x"})->second, 2);
}

TEST(PersistentMapTest, AChangeSharesAllOtherEntries) {
  Map map;
  for (int i = 0; i < 10'000; ++i) map.put(i, std::to_string(i));
  Map copy = map;
  copy.put(5'000, "other");
  for (int i = 0; i < 10'000; ++i) ASSERT_EQ(&*map.find(i) == &*copy.find(i), i != 5'000);
}

}  // namespace
}  // namespace idem
