#include "common/json_text.h"

#include <gtest/gtest.h>

#include "tests/unit/common/expect_sql_error.h"

namespace idem {
namespace {

TEST(JsonText, Validates) {
  for (const char* good : {"1", "-0.5e+3", "\"\\u00e9\"", "[]", " { \"a\" : [ true , null ] } ", "[[[]]]"}) {
    EXPECT_TRUE(is_valid_json(good)) << good;
  }
  for (const char* bad : {"", "{", "[1,]", "{\"a\"}", "{\"a\":}", "tru", "01", "1.", "-", "\"abc", "\"\\x\"",
                          "[1 2]", "{\"a\":1,}", "{a:1}", "\"a\tb\"", "1 2"}) {
    EXPECT_FALSE(is_valid_json(bad)) << bad;
  }
  try {
    validate_json("{\"a\" 1}");
    FAIL();
  } catch (const SqlError& error) {
    EXPECT_EQ(error.sqlstate(), "22P02");
    EXPECT_EQ(error.message(), "invalid input syntax for type json");
    EXPECT_EQ(error.detail(), "Expected \":\", but found \"1\".");
  }
  expect_sql_error("54001", "", [] { validate_json(std::string(2000, '[')); });
}

// Outputs of PostgreSQL 15.
TEST(JsonText, NormalizesJsonb) {
  EXPECT_EQ(normalize_jsonb("{\"bb\":1,\"a\":2,\"a\":3}"), "{\"a\": 3, \"bb\": 1}");
  EXPECT_EQ(normalize_jsonb("[1, 2.50, -0, 1e3, 1.5e-2, 1E+2, 0.0]"), "[1, 2.50, 0, 1000, 0.015, 100, 0.0]");
  EXPECT_EQ(normalize_jsonb("\"\\u00e9\\n\\ud83d\\ude00\""), "\"é\\n😀\"");
  expect_sql_error("22P02", "unsupported Unicode escape sequence", [] { normalize_jsonb("\"\\u0000\""); });
}

TEST(JsonText, Paths) {
  const std::string json = R"({"a": [1, {"b": "x\"y"}, null], "a]": {"k": "}"}, "n": null})";
  EXPECT_EQ(json_member(json, "a]"), "{\"k\": \"}\"}");
  EXPECT_EQ(json_member(json, "zz"), std::nullopt);
  EXPECT_EQ(json_element(*json_member(json, "a"), -2), "{\"b\": \"x\\\"y\"}");
  EXPECT_EQ(json_element(*json_member(json, "a"), 3), std::nullopt);
  EXPECT_EQ(json_as_text(*json_at_path(json, {"a", "1", "b"})), "x\"y");
  EXPECT_EQ(json_as_text(*json_member(json, "n")), std::nullopt);
  EXPECT_EQ(json_kind_name(json_kind(json)), "object");
  EXPECT_EQ(json_array_length("[1, [2, 3], 4]"), 3);
  EXPECT_EQ(json_members(json).size(), 3U);
}

}  // namespace
}  // namespace idem
