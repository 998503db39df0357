#include "common/decimal.h"

#include <gtest/gtest.h>
#include <random>

#include "tests/unit/common/expect_sql_error.h"

namespace idem {
namespace {

Decimal dec(std::string_view text) { return decimal_from_text(text); }
std::string str(const Decimal& d) { return decimal_to_string(d); }

TEST(Decimal, ReadsAndWrites) {
  for (const char* text :
       {"0", "1.50", "-0.05", "12345678901234567890123456789012345678",
        "0.00000000000000000000000000000000000001", "-99999999999999999999999999999999999999"}) {
    EXPECT_EQ(str(dec(text)), text);
  }
  EXPECT_EQ(str(dec(" 12.5e-3 ")), "0.0125");
  EXPECT_EQ(str(dec("1.50e1")), "15.0");
  EXPECT_EQ(str(dec("1e5")), "100000");
  EXPECT_EQ(str(dec("-0.00")), "0.00");
  EXPECT_EQ(str(dec("0.123456789012345678901234567890123456785")),
            "0.12345678901234567890123456789012345679");
  expect_sql_error("22P02", "invalid input syntax for type numeric: \"1x\"", [] { dec("1x"); });
  expect_sql_error("22003", "value overflows numeric format", [] { dec("1e38"); });
  expect_sql_error("22003", "", [] { dec("NaN"); });
}

// Results of PostgreSQL 15.
TEST(Decimal, ArithmeticHasPostgresScales) {
  EXPECT_EQ(str(add(dec("1.10"), dec("2.2"))), "3.30");
  EXPECT_EQ(str(subtract(dec("1"), dec("2.25"))), "-1.25");
  EXPECT_EQ(str(multiply(dec("1.10"), dec("2.200"))), "2.42000");
  EXPECT_EQ(str(divide(dec("10"), dec("4.0"))), "2.5000000000000000");
  EXPECT_EQ(str(divide(dec("1"), dec("3.0"))), "0.33333333333333333333");
  EXPECT_EQ(str(divide(dec("2.0"), dec("7"))), "0.28571428571428571429");
  EXPECT_EQ(str(divide(dec("123456789.123"), dec("0.0003"))), "411522630410.00000000");
  EXPECT_EQ(str(modulo(dec("7.5"), dec("2.25"))), "0.75");
  EXPECT_EQ(str(modulo(dec("-7.5"), dec("2"))), "-1.5");
  EXPECT_EQ(str(integer_divide(dec("7.5"), dec("2"))), "3");
  EXPECT_EQ(str(square_root(dec("2"))), "1.414213562373095");
  EXPECT_EQ(str(square_root(dec("0.00002"))), "0.0044721359549995794");
  EXPECT_EQ(str(power(dec("2"), dec("3"))), "8.0000000000000000");
  EXPECT_EQ(str(power(dec("0.5"), dec("0.3"))), "0.8122523963562355");
  EXPECT_EQ(str(power(dec("2"), dec("-10"))), "0.0009765625000000");
  expect_sql_error("22012", "division by zero", [] { divide(dec("1"), dec("0.0")); });
  expect_sql_error("2201F", "", [] { square_root(dec("-1")); });
}

TEST(Decimal, DropsFractionDigitsBeforeItOverflows) {
  EXPECT_EQ(str(multiply(dec("99418200542788.10"), dec("-3756807374626812553.058215"))),
            "-373495028971273712702128025243617.70924");
  EXPECT_EQ(str(add(dec("99999999999999999999999999999999999999"), dec("0.4"))),
            "99999999999999999999999999999999999999");
  expect_sql_error("22003", "value overflows numeric format",
                   [] { add(dec("99999999999999999999999999999999999999"), dec("0.5")); });
  expect_sql_error("22003", "", [] { multiply(dec("1e20"), dec("1e20")); });
}

TEST(Decimal, RoundsHalfAwayFromZero) {
  EXPECT_EQ(str(round(dec("2.345"), 2)), "2.35");
  EXPECT_EQ(str(round(dec("-2.5"))), "-3");
  EXPECT_EQ(str(round(dec("1250"), -2)), "1300");
  EXPECT_EQ(str(round(dec("1.5"), 3)), "1.500");
  EXPECT_EQ(str(truncate(dec("-2.9"))), "-2");
  EXPECT_EQ(str(ceiling(dec("-2.1"))), "-2");
  EXPECT_EQ(str(floor(dec("-2.1"))), "-3");
  EXPECT_EQ(decimal_to_int64(dec("-2.5")), -3);
}

TEST(Decimal, QuotientsAreTheNearest) {
  std::mt19937_64 random(3);
  for (int i = 0; i < 20'000; ++i) {
    const auto part = [&](int bits) { return static_cast<int64_t>(random() >> (64 - 1 - random() % bits)); };
    const Decimal a{(i % 2 ? 1 : -1) * part(40), static_cast<int32_t>(random() % 4)};
    const Decimal b{part(40) + 1, static_cast<int32_t>(random() % 4)};
    const Decimal quotient = divide(a, b);
    // |quotient * b - a| is at most half a unit of the quotient's last digit, times b.
    const int128_t unit = power_of_ten(quotient.scale + b.scale - a.scale);
    const int128_t distance = quotient.value * b.value - a.value * unit;
    EXPECT_LE((distance < 0 ? -distance : distance) * 2, b.value)
        << decimal_to_string(a) << " / " << decimal_to_string(b);
    EXPECT_EQ(decimal_digit_count(a.value),
              static_cast<int>(decimal_to_string({a.value < 0 ? -a.value : a.value, 0}).size()));
  }
}

TEST(Decimal, RescaleRefusesWhatDoesNotFit) {
  EXPECT_EQ(str(rescale(dec("123.455"), 5, 2)), "123.46");
  try {
    rescale(dec("12345.678"), 5, 2);
    FAIL();
  } catch (const SqlError& error) {
    EXPECT_EQ(error.sqlstate(), "22003");
    EXPECT_EQ(error.message(), "numeric field overflow");
    EXPECT_EQ(error.detail(),
              "A field with precision 5, scale 2 must round to an absolute value less than 10^3.");
  }
}

TEST(Decimal, EqualNumbersOfDifferentScales) {
  for (const char* text : {"0", "1", "-1.5", "12345678901234567890", "0.001", "9999999999999999999999"}) {
    const Decimal a = dec(text);
    const Decimal b = {a.value * power_of_ten(7), a.scale + 7};
    EXPECT_EQ(compare(a, b), 0);
    EXPECT_EQ(hash_decimal(a), hash_decimal(b));
  }
  EXPECT_LT(compare(dec("1.1"), dec("1.11")), 0);
  EXPECT_GT(
      compare(dec("99999999999999999999999999999999999999"), dec("0.00000000000000000000000000000000000001")),
      0);
  EXPECT_LT(compare(dec("-99999999999999999999999999999999999999"), dec("-0.1")), 0);
}

TEST(Decimal, FloatingPoint) {
  EXPECT_EQ(str(decimal_from_double(0.1)), "0.1");
  EXPECT_EQ(str(decimal_from_double(1e15)), "1000000000000000");
  EXPECT_EQ(str(decimal_from_float(1.2345678F)), "1.23457");
  EXPECT_EQ(decimal_to_double(dec("0.1")), 0.1);
  EXPECT_EQ(decimal_to_double(dec("12345678901234567890.123456789")), 12345678901234567890.123456789);
  expect_sql_error("22003", "cannot convert NaN to numeric", [] { decimal_from_double(std::nan("")); });
}

TEST(Decimal, BinaryForm) {
  for (const char* text :
       {"0", "0.00", "1", "-1.5", "10000", "0.0001", "12340000.5678", "123456789.987654321",
        "99999999999999999999999999999999999999", "0.00000000000000000000000000000000000001"}) {
    std::string bytes;
    append_decimal_binary(bytes, dec(text));
    EXPECT_EQ(str(decimal_from_binary(bytes)), text);
  }
  std::string bytes;
  append_decimal_binary(bytes, dec("12340000.5678"));
  EXPECT_EQ(bytes, std::string("\x00\x03\x00\x01\x00\x00\x00\x04\x04\xd2\x00\x00\x16\x2e", 14));
  expect_sql_error("22P03", "", [] { decimal_from_binary("abc"); });
}

}  // namespace
}  // namespace idem
