#include "common/json_order.h"

#include <algorithm>
#include <gtest/gtest.h>
#include <vector>

#include "common/json_text.h"

namespace idem {
namespace {

TEST(JsonOrder, IsThatOfPostgresql) {
  // As PostgreSQL 15 sorts them.
  const std::vector<std::string> sorted = {
      "[]",     "null",    "\"\"",       "\"B\"",      "\"a\"",      "\"aa\"",
      "-2",     "-1.5",    "-1",         "0",          "0.5",        "1",
      "2",      "10",      "99.99",      "100",        "false",      "true",
      "[null]", "[\"a\"]", "[1]",        "[2]",        "[[]]",       "[{}]",
      "[1, 2]", "{}",      "{\"a\": 1}", "{\"a\": 2}", "{\"b\": 0}", "{\"a\": 1, \"b\": 0}",
  };
  for (size_t i = 0; i < sorted.size(); ++i) {
    for (size_t j = 0; j < sorted.size(); ++j) {
      const int order = compare_jsonb(sorted[i], sorted[j]);
      EXPECT_EQ(order < 0, i < j) << sorted[i] << " and " << sorted[j];
      EXPECT_EQ(order == 0, i == j) << sorted[i] << " and " << sorted[j];
    }
  }
}

TEST(JsonOrder, NumbersOfAnyLengthCompareByValue) {
  EXPECT_EQ(compare_jsonb("1", "1.00"), 0);
  EXPECT_EQ(compare_jsonb("[1.50, {\"a\": 2.0}]", "[1.5, {\"a\": 2}]"), 0);
  const std::string large(60, '9');
  EXPECT_LT(compare_jsonb(large + ".1", large + ".12"), 0);
  EXPECT_GT(compare_jsonb("-" + large + ".1", "-" + large + ".12"), 0);
  EXPECT_LT(compare_jsonb(large, "1" + large), 0);
}

TEST(JsonOrder, EqualValuesHaveEqualKeys) {
  const auto key = [](std::string_view json) {
    std::string out;
    append_jsonb_key(out, normalize_jsonb(json));
    return out;
  };
  EXPECT_EQ(key("{\"a\": 1.50, \"b\": [1.0, -0.0]}"), key("{\"b\": [1, 0], \"a\": 15e-1}"));
  EXPECT_NE(key("1"), key("10"));
  EXPECT_NE(key("10"), key("100"));
  EXPECT_NE(key("\"1.0\""), key("\"1\""));
  EXPECT_EQ(key("\"a\\\"1.0\""), "\"a\\\"1.0\"");
}

}  // namespace
}  // namespace idem
