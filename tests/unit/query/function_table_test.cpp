#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/array_value.h"
#include "common/error.h"
#include "common/json_text.h"
#include "query/function.h"

namespace idem {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

Value whole(int64_t v) { return Value::of_int(TypeId::kInteger, v); }
Value text(std::string v) { return Value::of_string(TypeId::kText, std::move(v)); }
Value array_of(const std::vector<int32_t>& items) {
  ArrayBuilder builder(TypeId::kInteger);
  for (const int32_t item : items) builder.append(&item);
  return Value::of_string(SqlType::array_of(TypeId::kInteger), builder.finish());
}

// Rows as texts, columns joined by |.
std::vector<std::string> rows_of(std::string_view name, std::vector<Value> arguments) {
  const TableFunction* function = find_table_function(name);
  EXPECT_NE(function, nullptr) << name;
  std::vector<SqlType> given, types;
  for (const Value& argument : arguments) given.push_back(argument.type());
  std::vector<std::pair<std::string, SqlType>> columns;
  EXPECT_TRUE(function->bind(given, &types, &columns)) << name;
  ExecutionContext context;
  EvaluationState state;
  state.context = &context;
  for (size_t i = 0; i < arguments.size(); ++i)
    arguments[i] = cast_value(state, arguments[i], types[i], CastContext::kExplicit);
  std::vector<std::string> rows;
  function->run(state, types, arguments, [&](DataChunk& chunk) {
    EXPECT_EQ(chunk.columns.size(), columns.size());
    for (uint32_t row = 0; row < chunk.size; ++row) {
      std::string line;
      for (const Vector& column : chunk.columns) {
        const Value value = column.value_at(row);
        if (&column != chunk.columns.data()) line += '|';
        line += value.is_null() ? "NULL"
                                : cast_value(state, value, TypeId::kText, CastContext::kExplicit).as_string();
      }
      rows.push_back(line);
    }
  });
  return rows;
}

TEST(TableFunctionTest, SeriesCountUpAndDown) {
  EXPECT_THAT(rows_of("generate_series", {whole(1), whole(3)}), ElementsAre("1", "2", "3"));
  EXPECT_THAT(rows_of("generate_series", {whole(5), whole(1), whole(-2)}), ElementsAre("5", "3", "1"));
  EXPECT_THAT(rows_of("generate_series", {whole(2), whole(1)}), IsEmpty());
  EXPECT_THAT(rows_of("generate_series", {whole(1), Value::null(TypeId::kInteger)}), IsEmpty());
  EXPECT_THROW(rows_of("generate_series", {whole(1), whole(2), whole(0)}), SqlError);
  EXPECT_EQ(rows_of("generate_series", {whole(1), whole(5000)}).size(), 5000u);
  EXPECT_THAT(rows_of("generate_series", {Value::of_decimal(TypeId::kDecimal, {10, 1}),
                                          Value::of_decimal(TypeId::kDecimal, {20, 1}),
                                          Value::of_decimal(TypeId::kDecimal, {5, 1})}),
              ElementsAre("1.0", "1.5", "2.0"));
}

TEST(TableFunctionTest, SeriesOfTimestampsStepByIntervals) {
  EvaluationState state;
  const auto stamp = [&](std::string t) {
    return cast_value(state, text(std::move(t)), TypeId::kTimestamp, CastContext::kExplicit);
  };
  EXPECT_THAT(
      rows_of("generate_series", {stamp("2024-01-31"), stamp("2024-04-01"), Value::of_interval({0, 0, 1})}),
      ElementsAre("2024-01-31 00:00:00", "2024-02-29 00:00:00", "2024-03-29 00:00:00"));
}

TEST(TableFunctionTest, UnnestFillsShorterArraysWithNulls) {
  EXPECT_THAT(rows_of("unnest", {array_of({1, 2}), array_of({7, 8, 9})}),
              ElementsAre("1|7", "2|8", "NULL|9"));
  EXPECT_THAT(rows_of("generate_subscripts", {array_of({4, 5, 6}), whole(1)}), ElementsAre("1", "2", "3"));
  EXPECT_THAT(rows_of("_pg_expandarray", {array_of({4, 5})}), ElementsAre("4|1", "5|2"));
}

TEST(TableFunctionTest, TextsAreTakenApart) {
  EXPECT_THAT(rows_of("regexp_split_to_table", {text("a1b22c"), text("\\d+")}), ElementsAre("a", "b", "c"));
  EXPECT_THAT(rows_of("string_to_table", {text("x,y,,z"), text(","), text("")}),
              ElementsAre("x", "y", "NULL", "z"));
  EXPECT_THAT(
      rows_of("regexp_matches", {text("foobarbequebazilbarfbonk"), text("(b[^b]+)(b[^b]+)"), text("g")}),
      ElementsAre("{bar,beque}", "{bazil,barf}"));
}

TEST(TableFunctionTest, JsonIsTakenApart) {
  const auto json = [](std::string t) { return Value::of_string(TypeId::kJson, std::move(t)); };
  EXPECT_THAT(rows_of("json_array_elements", {json("[1,\"a\",null]")}), ElementsAre("1", "\"a\"", "null"));
  EXPECT_THAT(rows_of("json_array_elements_text", {json("[1,\"a\",null]")}), ElementsAre("1", "a", "NULL"));
  EXPECT_THAT(rows_of("json_each", {json("{\"a\":1,\"b\":[2]}")}), ElementsAre("a|1", "b|[2]"));
  EXPECT_THAT(rows_of("json_object_keys", {json("{\"a\":1,\"b\":[2]}")}), ElementsAre("a", "b"));
  EXPECT_THROW(rows_of("json_array_elements", {json("{}")}), SqlError);
}

TEST(TableFunctionTest, KeywordsAreListed) {
  const std::vector<std::string> rows = rows_of("pg_get_keywords", {});
  EXPECT_THAT(rows, testing::Contains("select|R|true|reserved|can be bare label"));
}

}  // namespace
}  // namespace idem
