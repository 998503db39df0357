#include "common/persistent_vector.h"

#include <gtest/gtest.h>
#include <random>

namespace idem {
namespace {

using Vec = PersistentVector<int>;

std::vector<int> to_vector(const Vec& v) {
  std::vector<int> out;
  v.for_each([&](int x) { out.push_back(x); });
  EXPECT_EQ(out, std::vector<int>(v.begin(), v.end()));
  return out;
}

std::vector<size_t> differences(const Vec& a, const Vec& b) {
  std::vector<size_t> out;
  Vec::for_each_difference(a, b, [&](size_t i) { out.push_back(i); });
  return out;
}

TEST(PersistentVectorTest, TransformedSharesWhatDoesNotDiffer) {
  for (const int size : {0, 1, 32, 33, 1'000, 40'000}) {
    std::vector<int> values;
    for (int i = 0; i < size; ++i) values.push_back(i);
    const Vec v = Vec::from(values);
    std::vector<int> asked;
    const Vec same = v.transformed([&](int x) {
      asked.push_back(x);
      return x;
    });
    EXPECT_EQ(asked, values);
    Vec::for_each_difference(v, same, [](size_t) { FAIL(); });
    if (size > 0) { EXPECT_EQ(&same.back(), &v.back()); }
    const Vec other = v.transformed([](int x) { return x % 100 == 7 ? -x : x; });
    for (int& x : values) x = x % 100 == 7 ? -x : x;
    EXPECT_EQ(to_vector(other), values);
    EXPECT_EQ(to_vector(v).size(), values.size());
    if (size > 32) {
      EXPECT_NE(&other[0], &v[0]);
      EXPECT_EQ(&other[32], &v[32]);
    }
  }
}

TEST(PersistentVectorTest, PushBackAtEveryHeight) {
  Vec v;
  std::vector<int> expected;
  for (int i = 0; i < 40'000; ++i) {
    v = v.push_back(i);
    expected.push_back(i);
  }
  EXPECT_EQ(v.size(), 40'000u);
  EXPECT_EQ(v.back(), 39'999);
  EXPECT_EQ(v[1024], 1024);
  EXPECT_EQ(to_vector(v), expected);
  EXPECT_TRUE(differences(v, Vec::from(expected)).empty());
}

TEST(PersistentVectorTest, FromEverySizeAroundTheNodeBounds) {
  for (const size_t n : {0, 1, 31, 32, 33, 1023, 1024, 1025, 32768, 32769}) {
    std::vector<int> values(n);
    for (size_t i = 0; i < n; ++i) values[i] = static_cast<int>(i * 7);
    const Vec v = Vec::from(values);
    EXPECT_EQ(to_vector(v), values);
    const Vec longer = v.push_back(-1);
    EXPECT_EQ(longer.back(), -1);
    EXPECT_EQ(v.size(), n);
    EXPECT_EQ(differences(v, longer), std::vector<size_t>{n});
    EXPECT_EQ(differences(longer, v), std::vector<size_t>{n});
  }
}

TEST(PersistentVectorTest, SetLeavesTheOriginalAlone) {
  const Vec v = Vec::from(std::vector<int>(5000, 1));
  const Vec changed = v.set(17, 2).set(4999, 3).set(100, 1);
  EXPECT_EQ(v[17], 1);
  EXPECT_EQ(changed[17], 2);
  EXPECT_EQ(differences(v, changed), (std::vector<size_t>{17, 4999}));
}

TEST(PersistentVectorTest, DifferenceSkipsSharedParts) {
  // A type whose comparison counts how often it is asked.
  struct Counted {
    int value = 0;
    int* asked = nullptr;
    bool operator==(const Counted& other) const {
      ++*asked;
      return value == other.value;
    }
  };
  int asked = 0;
  const auto v = PersistentVector<Counted>::from(std::vector<Counted>(100'000, Counted{1, &asked}));
  const auto changed = v.set(54'321, Counted{2, &asked});
  std::vector<size_t> found;
  PersistentVector<Counted>::for_each_difference(v, changed, [&](size_t i) { found.push_back(i); });
  EXPECT_EQ(found, std::vector<size_t>{54'321});
  EXPECT_EQ(asked, 32);
}

TEST(PersistentVectorTest, RandomChangesAgainstAPlainVector) {
  std::mt19937 random(1);
  Vec v;
  std::vector<int> plain;
  for (int round = 0; round < 50; ++round) {
    const Vec before = v;
    const std::vector<int> plain_before = plain;
    for (int i = 0; i < 100; ++i) {
      const int value = static_cast<int>(random() % 3);
      if (plain.empty() || random() % 2) {
        v = v.push_back(value);
        plain.push_back(value);
      } else {
        const size_t at = random() % plain.size();
        v = v.set(at, value);
        plain[at] = value;
      }
    }
    EXPECT_EQ(to_vector(v), plain);
    EXPECT_EQ(to_vector(before), plain_before);
    std::vector<size_t> expected;
    for (size_t i = 0; i < plain.size(); ++i) {
      if (i >= plain_before.size() || plain[i] != plain_before[i]) expected.push_back(i);
    }
    EXPECT_EQ(differences(before, v), expected);
  }
}

}  // namespace
}  // namespace idem
