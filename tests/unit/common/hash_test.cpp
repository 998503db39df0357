#include "common/hash.h"

#include <gtest/gtest.h>
#include <limits>
#include <random>
#include <string>

#include "common/crc32c.h"
#include "common/md5.h"
#include "common/string_arena.h"
#include "common/wide_integer.h"

namespace idem {
namespace {

TEST(Hash, EqualFloatsHashEqually) {
  EXPECT_EQ(hash_double(0.0), hash_double(-0.0));
  EXPECT_EQ(hash_double(std::numeric_limits<double>::quiet_NaN()),
            hash_double(-std::numeric_limits<double>::quiet_NaN()));
  EXPECT_EQ(hash_float(1.5F), hash_double(1.5));
  EXPECT_NE(hash_combine(1, 2), hash_combine(2, 1));
  EXPECT_EQ(hash_bytes("abc"), hash_bytes(std::string("abc")));
}

TEST(Crc32c, KnownValueAndBothForms) {
  EXPECT_EQ(crc32c("123456789", 9), 0xe3069283U);
  std::mt19937 random(4);
  std::string bytes(20'000, '\0');
  for (char& c : bytes) c = static_cast<char>(random());
  for (const size_t size : {0U, 1U, 7U, 8U, 100U, 3071U, 3072U, 3073U, 6144U, 20'000U}) {
    EXPECT_EQ(crc32c(bytes.data(), size), crc32c_portable(bytes.data(), size));
    const uint32_t first = crc32c(bytes.data(), size / 3);
    EXPECT_EQ(crc32c(bytes.data() + size / 3, size - size / 3, first), crc32c(bytes.data(), size));
  }
}

TEST(Md5, KnownValue) { EXPECT_EQ(md5_hex("abc"), "900150983cd24fb0d6963f7d28e17f72"); }

TEST(StringArena, CopiesStay) {
  StringArena arena;
  std::vector<std::string_view> copies;
  for (int i = 0; i < 5000; ++i) copies.push_back(arena.copy(std::to_string(i)));
  const std::string_view large = arena.copy(std::string(3'000'000, 'x'));
  for (int i = 0; i < 5000; ++i) EXPECT_EQ(copies[static_cast<size_t>(i)], std::to_string(i));
  EXPECT_EQ(large.size(), 3'000'000U);
  EXPECT_GE(arena.bytes(), large.size());
  arena.reset();
  EXPECT_EQ(arena.copy("a"), "a");
}

TEST(WideInteger, DivisionUndoesMultiplication) {
  std::mt19937_64 random(5);
  const auto draw = [&] {
    const uint128_t v = static_cast<uint128_t>(random()) << 64 | random();
    return v >> (random() % 120);
  };
  for (int i = 0; i < 100'000; ++i) {
    const uint128_t a = draw() | 1;
    const uint128_t b = draw() | 1;
    const uint128_t extra = draw() % b;
    uint128_t remainder;
    const U256 quotient = divide_wide(add_wide(multiply_wide(a, b), {extra, 0}), b, &remainder);
    ASSERT_EQ(quotient, (U256{a, 0}));
    ASSERT_TRUE(remainder == extra);
  }
}

}  // namespace
}  // namespace idem
