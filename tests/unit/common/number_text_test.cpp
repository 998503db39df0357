#include "common/number_text.h"

#include <cmath>
#include <gtest/gtest.h>
#include <limits>
#include <random>
#include <string>

#include "tests/unit/common/expect_sql_error.h"

namespace idem {
namespace {

std::string text_of(double v, int extra = 1) {
  char buffer[kMaxDoubleText];
  return {buffer, format_double(buffer, v, extra)};
}
std::string text_of_float(float v, int extra = 1) {
  char buffer[kMaxDoubleText];
  return {buffer, format_float(buffer, v, extra)};
}
std::string text_of_int(int64_t v) {
  char buffer[kMaxIntegerText];
  return {buffer, format_int64(buffer, v)};
}

TEST(NumberText, ReadsIntegers) {
  EXPECT_EQ(int64_from_text(" -9223372036854775808 "), std::numeric_limits<int64_t>::min());
  EXPECT_EQ(int64_from_text("9223372036854775807"), std::numeric_limits<int64_t>::max());
  EXPECT_EQ(int64_from_text("+00000000000000000000000012345678"), 12345678);
  EXPECT_EQ(int32_from_text("-2147483648"), std::numeric_limits<int32_t>::min());
  EXPECT_EQ(oid_from_text("-1"), 4294967295U);
}

TEST(NumberText, RefusesWhatIsNoInteger) {
  expect_sql_error("22P02", "invalid input syntax for type bigint: \"abc\"", [] { int64_from_text("abc"); });
  expect_sql_error("22P02", "invalid input syntax for type integer: \"\"", [] { int32_from_text(""); });
  expect_sql_error("22P02", "", [] { int64_from_text("1 2"); });
  expect_sql_error("22003", "value \"9223372036854775808\" is out of range for type bigint",
                   [] { int64_from_text("9223372036854775808"); });
  expect_sql_error("22003", "value \"99999\" is out of range for type smallint",
                   [] { int16_from_text("99999"); });
  expect_sql_error("22003", "", [] { oid_from_text("4294967296"); });
}

TEST(NumberText, WritesIntegers) {
  EXPECT_EQ(text_of_int(0), "0");
  EXPECT_EQ(text_of_int(-10), "-10");
  EXPECT_EQ(text_of_int(std::numeric_limits<int64_t>::min()), "-9223372036854775808");
  std::mt19937_64 random(1);
  for (int i = 0; i < 10'000; ++i) {
    const auto v = static_cast<int64_t>(random()) >> (random() % 64);
    EXPECT_EQ(text_of_int(v), std::to_string(v));
  }
}

TEST(NumberText, ReadsFloatingPoint) {
  EXPECT_EQ(double_from_text(" 185.5 "), 185.5);
  EXPECT_EQ(double_from_text("-1234.5678"), -1234.5678);
  EXPECT_EQ(double_from_text(".5"), 0.5);
  EXPECT_EQ(double_from_text("5."), 5.0);
  EXPECT_EQ(double_from_text("1e-5"), 1e-5);
  EXPECT_EQ(double_from_text("5e-324"), 5e-324);
  EXPECT_EQ(float_from_text("16777217"), 16777216.0F);
  EXPECT_EQ(double_from_text("-inf"), -std::numeric_limits<double>::infinity());
  EXPECT_TRUE(std::isnan(double_from_text("nan")));
  expect_sql_error("22003", "\"1e400\" is out of range for type double precision",
                   [] { double_from_text("1e400"); });
  expect_sql_error("22003", "\"1e-50\" is out of range for type real", [] { float_from_text("1e-50"); });
  for (const char* bad : {"", ".", "e5", "1e", "1..2", "1x", "- 1", "--1"}) {
    expect_sql_error("22P02", "", [&] { double_from_text(bad); });
  }
}

TEST(NumberText, WritesFloatingPointAsPostgres) {
  EXPECT_EQ(text_of(0.1), "0.1");
  EXPECT_EQ(text_of(1e20), "1e+20");
  EXPECT_EQ(text_of(1e-5), "1e-05");
  EXPECT_EQ(text_of(0.0001), "0.0001");
  EXPECT_EQ(text_of(123456), "123456");
  EXPECT_EQ(text_of(1e14), "100000000000000");
  EXPECT_EQ(text_of(1e15), "1e+15");
  EXPECT_EQ(text_of(1234567890123456), "1.234567890123456e+15");
  EXPECT_EQ(text_of(0.1 + 0.2), "0.30000000000000004");
  EXPECT_EQ(text_of(-0.0), "-0");
  EXPECT_EQ(text_of(std::nan("")), "NaN");
  EXPECT_EQ(text_of(-std::numeric_limits<double>::infinity()), "-Infinity");
  EXPECT_EQ(text_of(0.1 + 0.2, 0), "0.3");
  EXPECT_EQ(text_of_float(0.1F), "0.1");
  EXPECT_EQ(text_of_float(1e6F), "1e+06");
  EXPECT_EQ(text_of_float(123456), "123456");
  EXPECT_EQ(text_of_float(3.4028235e38F), "3.4028235e+38");
}

TEST(NumberText, EveryDoubleComesBack) {
  std::mt19937_64 random(2);
  for (int i = 0; i < 50'000; ++i) {
    double v;
    if (i % 2 == 0) {
      const uint64_t bits = random();
      std::memcpy(&v, &bits, sizeof v);
    } else {
      v = static_cast<double>(static_cast<int64_t>(random() % 2'000'000'000)) / std::pow(10, random() % 9);
    }
    if (!std::isfinite(v)) continue;
    EXPECT_EQ(double_from_text(text_of(v)), v);
    EXPECT_LE(text_of(v).size(), static_cast<size_t>(kMaxDoubleText));
  }
}

}  // namespace
}  // namespace idem
