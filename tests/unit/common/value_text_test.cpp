#include "common/value_text.h"

#include <gtest/gtest.h>

#include "common/array_value.h"
#include "common/decimal.h"
#include "tests/unit/common/expect_sql_error.h"

namespace idem {
namespace {

// Reads, writes, and takes the value through the binary format.
std::string round_trip(SqlType type, std::string_view text, const TextOptions& options = {}) {
  StringArena arena;
  alignas(16) char element[sizeof(Decimal)];
  parse_text(type, text, element, arena, options);
  std::string out;
  append_text(out, type, element, options);
  std::string binary;
  append_binary(binary, type, element);
  alignas(16) char again[sizeof(Decimal)];
  parse_binary(type, binary, again, arena);
  std::string from_binary;
  append_text(from_binary, type, again, options);
  EXPECT_EQ(from_binary, out);
  return out;
}

std::string binary_of(SqlType type, std::string_view text) {
  StringArena arena;
  alignas(16) char element[sizeof(Decimal)];
  parse_text(type, text, element, arena, {});
  std::string binary;
  append_binary(binary, type, element);
  return binary;
}

TEST(ValueText, EveryType) {
  EXPECT_EQ(round_trip(TypeId::kBoolean, " YES "), "t");
  EXPECT_EQ(round_trip(TypeId::kSmallInt, "-5"), "-5");
  EXPECT_EQ(round_trip(TypeId::kReal, "1.5"), "1.5");
  EXPECT_EQ(round_trip(SqlType::decimal(6, 2), "1.005"), "1.01");
  EXPECT_EQ(round_trip(SqlType(TypeId::kVarchar, 3), "äöü  "), "äöü");
  EXPECT_EQ(round_trip(SqlType(TypeId::kChar, 4), "ab"), "ab  ");
  EXPECT_EQ(round_trip(TypeId::kSymbol, "AAPL"), "AAPL");
  EXPECT_EQ(round_trip(TypeId::kTimestamp, "2024-01-15 10:00+02"), "2024-01-15 08:00:00");
  EXPECT_EQ(round_trip(TypeId::kTimestamp, "infinity"), "infinity");
  EXPECT_EQ(round_trip(SqlType(TypeId::kTimestamp, 0), "2024-01-15 10:00:00.5"), "2024-01-15 10:00:01");
  EXPECT_EQ(round_trip(TypeId::kDate, "2024-01-15"), "2024-01-15");
  EXPECT_EQ(round_trip(TypeId::kTime, "10:11:12.5"), "10:11:12.5");
  EXPECT_EQ(round_trip(TypeId::kInterval, "1 day 2h"), "1 day 02:00:00");
  EXPECT_EQ(round_trip(TypeId::kUuid, "{A0EEBC99-9C0B4EF8BB6D6BB9BD380A11}"),
            "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11");
  EXPECT_EQ(round_trip(TypeId::kBytea, "a\\\\b\\001"), "\\x615c6201");
  EXPECT_EQ(round_trip(TypeId::kJsonb, "{\"b\":1, \"a\":[1,2]}"), "{\"a\": [1, 2], \"b\": 1}");
  EXPECT_EQ(round_trip(TypeId::kOid, "-1"), "4294967295");
  EXPECT_EQ(round_trip(TypeId::kInt2Vector, "1 2"), "1 2");
  EXPECT_EQ(round_trip(TypeId::kInternalChar, "abc"), "a");
}

TEST(ValueText, ZonesOfTimestamps) {
  TextOptions options;
  options.ignore_zone_suffix = true;
  EXPECT_EQ(round_trip(TypeId::kTimestamp, "2024-01-15 10:00:00+02", options), "2024-01-15 10:00:00");
  EXPECT_EQ(round_trip(TypeId::kTimestampTz, "2024-01-15 10:00:00+02", options), "2024-01-15 08:00:00+00");
}

TEST(ValueText, Arrays) {
  EXPECT_EQ(round_trip(SqlType::array_of(TypeId::kInteger), " { 1 , NULL, 3 } "), "{1,NULL,3}");
  EXPECT_EQ(round_trip(SqlType::array_of(TypeId::kText), "{a,\"b c\",\"null\",null,\"\",\"x\\\"y\"}"),
            "{a,\"b c\",\"null\",NULL,\"\",\"x\\\"y\"}");
  EXPECT_EQ(round_trip(SqlType::array_of(TypeId::kText), "{}"), "{}");
  expect_sql_error("22P02", "malformed array literal: \"{1,2\"",
                   [] { round_trip(SqlType::array_of(TypeId::kInteger), "{1,2"); });
  expect_sql_error("0A000", "", [] { round_trip(SqlType::array_of(TypeId::kInteger), "{{1},{2}}"); });
}

TEST(ValueText, ArraysCompareByElement) {
  const auto array = [](std::string_view text) {
    StringArena arena;
    std::string_view bytes;
    parse_text(SqlType::array_of(TypeId::kInteger), text, &bytes, arena, {});
    return std::string(bytes);
  };
  EXPECT_EQ(compare_arrays(array("{1,2}"), array("{1,2}")), 0);
  EXPECT_LT(compare_arrays(array("{1,2}"), array("{1,10}")), 0);
  EXPECT_LT(compare_arrays(array("{1}"), array("{1,2}")), 0);
  EXPECT_GT(compare_arrays(array("{NULL}"), array("{5}")), 0);
  EXPECT_THROW(ArrayView("abc"), SqlError);
}

TEST(ValueText, BinaryCountsFrom2000) {
  EXPECT_EQ(binary_of(TypeId::kTimestamp, "2000-01-01 00:00:01"), std::string("\0\0\0\0\0\x0f\x42\x40", 8));
  EXPECT_EQ(binary_of(TypeId::kDate, "1999-12-31"), "\xff\xff\xff\xff");
  EXPECT_EQ(binary_of(TypeId::kJsonb, "1"),
            "\x01"
            "1");
}

TEST(ValueText, BinaryOfTheWrongSize) {
  StringArena arena;
  int32_t value;
  const std::string three(3, '\0');
  const std::string five(5, '\0');
  expect_sql_error("08P01", "", [&] { parse_binary(TypeId::kInteger, three, &value, arena); });
  expect_sql_error("22P03", "", [&] { parse_binary(TypeId::kInteger, five, &value, arena); });
}

TEST(ValueText, LengthOfStrings) {
  const SqlType type(TypeId::kVarchar, 3);
  EXPECT_EQ(enforce_length(type, "abc  "), "abc");
  EXPECT_EQ(enforce_length(type, "abcdef", true), "abc");
  expect_sql_error("22001", "value too long for type character varying(3)",
                   [&] { enforce_length(type, "abcd"); });
  expect_sql_error("22021", "invalid byte sequence for encoding \"UTF8\": 0xff",
                   [] { round_trip(TypeId::kText, "a\xff"); });
}

TEST(ValueText, Booleans) {
  for (const char* yes : {"t", "TRUE", "tr", "y", "on", "1"}) EXPECT_TRUE(boolean_from_text(yes));
  for (const char* no : {"f", "no", "of", "off", "0"}) EXPECT_FALSE(boolean_from_text(no));
  for (const char* bad : {"o", "", "xx", "truee"})
    expect_sql_error("22P02", "", [&] { boolean_from_text(bad); });
}

}  // namespace
}  // namespace idem
