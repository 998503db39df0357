#include "query/aggregate.h"

#include <cmath>
#include <gtest/gtest.h>

#include "common/error.h"
#include "common/string_arena.h"
#include "common/value_text.h"

namespace idem {
namespace {

// Runs one aggregate over columns given as texts ("NULL" is NULL): at once, by groups, and in two parts that
// are combined.
class AggregateRun {
 public:
  AggregateRun(std::string_view name, std::vector<SqlType> types,
               std::vector<std::vector<std::string>> columns)
      : size_(columns.empty() ? 0 : static_cast<uint32_t>(columns[0].size())) {
    resolved_ = resolve_aggregate(name, types);
    for (size_t i = 0; i < columns.size(); ++i)
      arguments_.push_back(vector_of(resolved_.types.arguments[i], columns[i]));
  }

  std::string whole() {
    std::vector<uint64_t> state = fresh(1);
    update(state, nullptr, {nullptr, size_});
    return shown(state, 1, 0);
  }
  std::string in_two_parts(uint32_t cut) {
    std::vector<uint16_t> rows(size_);
    for (uint32_t i = 0; i < size_; ++i) rows[i] = static_cast<uint16_t>(i);
    std::vector<uint64_t> first = fresh(1), second = fresh(1);
    update(first, nullptr, {rows.data(), cut});
    update(second, nullptr, {rows.data() + cut, size_ - cut});
    resolved_.function->combine(bytes(first), bytes(second), resolved_.types, arena_);
    return shown(first, 1, 0);
  }
  // Row i belongs to group groups[i].
  std::vector<std::string> grouped(const std::vector<uint32_t>& groups, uint32_t count) {
    std::vector<uint64_t> states = fresh(count);
    update(states, groups.data(), {nullptr, size_});
    std::vector<std::string> result;
    for (uint32_t g = 0; g < count; ++g) result.push_back(shown(states, count, g));
    return result;
  }
  SqlType result_type() const { return resolved_.types.result; }

 private:
  Vector vector_of(SqlType type, const std::vector<std::string>& texts) {
    Vector v;
    auto* elements = static_cast<char*>(v.allocate(type, size_));
    const size_t width = physical_size(physical_type(type));
    std::memset(elements, 0, width * size_);
    uint64_t* valid = nullptr;
    for (uint32_t i = 0; i < size_; ++i) {
      if (texts[i] != "NULL") {
        parse_text(type, texts[i], elements + width * i, strings_, {});
        continue;
      }
      if (valid == nullptr) valid = v.allocate_validity(size_);
      valid[i >> 6] &= ~(uint64_t{1} << (i & 63));
    }
    return v;
  }
  uint32_t stride() const { return (resolved_.function->state_size + 7) / 8 * 8; }
  static char* bytes(std::vector<uint64_t>& states) { return reinterpret_cast<char*>(states.data()); }
  std::vector<uint64_t> fresh(uint32_t count) {
    std::vector<uint64_t> states(static_cast<size_t>(stride()) / 8 * count);
    for (uint32_t i = 0; i < count; ++i)
      resolved_.function->init(bytes(states) + static_cast<size_t>(stride()) * i);
    return states;
  }
  void update(std::vector<uint64_t>& states, const uint32_t* groups, Selection selection) {
    resolved_.function->update(bytes(states), stride(), groups, resolved_.types, arguments_, size_, selection,
                               arena_);
  }
  std::string shown(std::vector<uint64_t>& states, uint32_t count, uint32_t group) {
    Vector result;
    result.allocate(resolved_.types.result, count);
    resolved_.function->finalize(bytes(states), stride(), count, resolved_.types, &result, 0);
    if (!result.is_valid(group)) return "NULL";
    std::string text;
    append_text(
        text, resolved_.types.result,
        static_cast<const char*>(result.data) + physical_size(physical_type(resolved_.types.result)) * group,
        {});
    return text;
  }

  uint32_t size_;
  ResolvedAggregate resolved_;
  std::vector<Vector> arguments_;
  StringArena strings_;
  AggregateArena arena_;
};

struct Example {
  const char* name;
  std::vector<SqlType> types;
  std::vector<std::vector<std::string>> columns;
  const char* result;
};

const std::vector<std::string> kNumbers = {"3", "NULL", "-1", "4", "1", "5", "9", "2", "6", "5"};
const std::vector<std::string> kOthers = {"2", "7", "1", "8", "NULL", "2", "8", "1", "8", "2"};
const std::vector<std::string> kTexts = {"b", "a", "NULL", "c", "a", "d", "a", "b", "e", "c"};
const std::vector<std::string> kFlags = {"t", "t", "NULL", "t", "t", "f", "t", "t", "t", "t"};
const std::vector<std::string> kRising = {"1", "1", "2", "2", "3", "7", "8", "8", "9", "NULL"};
const std::vector<std::string> kFalling = {"9", "8", "7", "6", "5", "4", "3", "2", "1", "0"};
const std::vector<std::string> kHalf(10, "0.5"), kMost(10, "0.9");
const std::vector<std::string> kCommas(10, ",");

// Expected values are PostgreSQL 15's where it has the aggregate.
const Example kAggregateExamples[] = {
    {"count", {TypeId::kInteger}, {kNumbers}, "9"},
    {"sum", {TypeId::kInteger}, {kNumbers}, "34"},
    {"sum", {TypeId::kBigInt}, {kNumbers}, "34"},
    {"sum", {TypeId::kDecimal}, {kNumbers}, "34"},
    {"sum", {TypeId::kDouble}, {kNumbers}, "34"},
    {"sum", {TypeId::kReal}, {kNumbers}, "34"},
    {"avg", {TypeId::kInteger}, {kNumbers}, "3.7777777777777778"},
    {"avg", {TypeId::kBigInt}, {kNumbers}, "3.7777777777777778"},
    {"avg", {TypeId::kDecimal}, {kNumbers}, "3.7777777777777778"},
    {"avg", {TypeId::kDouble}, {kNumbers}, "3.7777777777777777"},
    {"min", {TypeId::kInteger}, {kNumbers}, "-1"},
    {"max", {TypeId::kDouble}, {kNumbers}, "9"},
    {"min", {TypeId::kText}, {kTexts}, "a"},
    {"max", {TypeId::kVarchar}, {kTexts}, "e"},
    {"bool_and", {TypeId::kBoolean}, {kFlags}, "f"},
    {"bool_or", {TypeId::kBoolean}, {kFlags}, "t"},
    {"bit_and", {TypeId::kInteger}, {{"12", "NULL", "10"}}, "8"},
    {"bit_or", {TypeId::kInteger}, {{"12", "NULL", "10"}}, "14"},
    {"bit_xor", {TypeId::kBigInt}, {{"12", "NULL", "10"}}, "6"},
    {"variance", {TypeId::kInteger}, {kNumbers}, "8.6944444444444444"},
    {"var_pop", {TypeId::kInteger}, {kNumbers}, "7.7283950617283951"},
    {"stddev", {TypeId::kInteger}, {kNumbers}, "2.9486343354923554"},
    {"stddev_pop", {TypeId::kDecimal}, {kNumbers}, "2.7799991118215119"},
    {"stddev_samp", {TypeId::kDouble}, {kNumbers}, "2.9486343354923554"},
    {"variance", {TypeId::kInteger}, {{"5"}}, "NULL"},
    {"var_pop", {TypeId::kInteger}, {{"5"}}, "0"},
    {"corr", {TypeId::kDouble, TypeId::kDouble}, {kNumbers, kOthers}, "0.6820733317655476"},
    {"covar_pop", {TypeId::kDouble, TypeId::kDouble}, {kNumbers, kOthers}, "5.875"},
    {"covar_samp", {TypeId::kDouble, TypeId::kDouble}, {kNumbers, kOthers}, "6.714285714285714"},
    {"regr_slope", {TypeId::kDouble, TypeId::kDouble}, {kNumbers, kOthers}, "0.6025641025641026"},
    {"regr_count", {TypeId::kDouble, TypeId::kDouble}, {kNumbers, kOthers}, "8"},
    {"first", {TypeId::kInteger}, {{"NULL", "3", "4"}}, "NULL"},
    {"first_not_null", {TypeId::kInteger}, {{"NULL", "3", "4"}}, "3"},
    {"last", {TypeId::kText}, {{"a", "b", "NULL"}}, "NULL"},
    {"last_not_null", {TypeId::kText}, {{"a", "b", "NULL"}}, "b"},
    {"vwap", {TypeId::kDouble, TypeId::kDouble}, {{"10", "20", "NULL"}, {"1", "3", "5"}}, "17.5"},
    {"ksum", {TypeId::kDouble}, {{"1e16", "1", "1", "1", "1"}}, "1.0000000000000004e+16"},
    {"nsum", {TypeId::kDouble}, {{"1", "1e100", "1", "-1e100"}}, "2"},
    {"count_distinct", {TypeId::kText}, {kTexts}, "5"},
    {"count_distinct", {TypeId::kInteger}, {kNumbers}, "8"},
    {"count_distinct", {TypeId::kDecimal}, {{"1.0", "1.00", "2"}}, "2"},
    {"approx_count_distinct", {TypeId::kInteger}, {kNumbers}, "8"},
    {"approx_percentile", {TypeId::kDouble, TypeId::kDouble}, {kNumbers, kHalf}, "4"},
    {"approx_percentile", {TypeId::kDouble, TypeId::kDouble}, {kFalling, kMost}, "8.1"},
    {"percentile_cont", {TypeId::kDouble, TypeId::kDouble}, {kHalf, kRising}, "3"},
    {"percentile_disc", {TypeId::kDouble, TypeId::kInteger}, {kMost, kFalling}, "1"},
    {"mode", {TypeId::kText}, {kTexts}, "a"},
    {"arg_max", {TypeId::kText, TypeId::kInteger}, {kTexts, kNumbers}, "a"},
    {"arg_min", {TypeId::kInteger, TypeId::kText}, {kNumbers, kTexts}, "NULL"},
    {"string_agg", {TypeId::kText, TypeId::kText}, {kTexts, kCommas}, "b,a,c,a,d,a,b,e,c"},
    {"array_agg", {TypeId::kInteger}, {{"1", "NULL", "3"}}, "{1,NULL,3}"},
    {"json_agg", {TypeId::kText}, {{"a", "NULL", "c"}}, "[\"a\", null, \"c\"]"},
    {"jsonb_object_agg",
     {TypeId::kText, TypeId::kInteger},
     {{"b", "a", "b"}, {"1", "2", "3"}},
     "{\"a\": 2, \"b\": 3}"},
    {"sum", {TypeId::kInterval}, {{"1 day", "NULL", "02:00:00"}}, "1 day 02:00:00"},
    {"avg", {TypeId::kInterval}, {{"1 day", "NULL", "02:00:00"}}, "13:00:00"},
};

TEST(AggregateTest, GivesTheSameAtOnceAndInParts) {
  for (const Example& example : kAggregateExamples) {
    AggregateRun run(example.name, example.types, example.columns);
    const std::string what = std::string(example.name) + "(" + format_type(example.types[0]) + ")";
    EXPECT_EQ(run.whole(), example.result) << what;
    const auto size = static_cast<uint32_t>(example.columns[0].size());
    for (const uint32_t cut : {0u, size / 2, size}) {
      const std::string combined = run.in_two_parts(cut);
      if (run.result_type().id == TypeId::kDouble && combined != "NULL") {
        EXPECT_DOUBLE_EQ(std::stod(combined), std::stod(example.result)) << what << " cut at " << cut;
      } else {
        EXPECT_EQ(combined, example.result) << what << " cut at " << cut;
      }
    }
  }
}

TEST(AggregateTest, KeepsGroupsApart) {
  const std::vector<uint32_t> groups = {0, 1, 0, 1, 2, 0, 1, 2, 0, 1};
  EXPECT_EQ(AggregateRun("sum", {TypeId::kBigInt}, {kNumbers}).grouped(groups, 4),
            (std::vector<std::string>{"13", "18", "3", "NULL"}));
  EXPECT_EQ(AggregateRun("sum", {TypeId::kDouble}, {kNumbers}).grouped(groups, 4),
            (std::vector<std::string>{"13", "18", "3", "NULL"}));
  EXPECT_EQ(AggregateRun("count", {TypeId::kText}, {kTexts}).grouped(groups, 4),
            (std::vector<std::string>{"3", "4", "2", "0"}));
  EXPECT_EQ(AggregateRun("min", {TypeId::kText}, {kTexts}).grouped(groups, 3),
            (std::vector<std::string>{"b", "a", "a"}));
  EXPECT_EQ(AggregateRun("last", {TypeId::kInteger}, {kNumbers}).grouped(groups, 3),
            (std::vector<std::string>{"6", "5", "2"}));
  EXPECT_EQ(AggregateRun("first", {TypeId::kInteger}, {kNumbers}).grouped(groups, 3),
            (std::vector<std::string>{"3", "NULL", "1"}));
}

TEST(AggregateTest, ResultTypesAreThoseOfPostgres) {
  const auto type = [](std::string_view name, SqlType argument) {
    return AggregateRun(name, {argument}, {{"1"}}).result_type();
  };
  EXPECT_EQ(type("sum", TypeId::kInteger), SqlType(TypeId::kBigInt));
  EXPECT_EQ(type("sum", TypeId::kBigInt), SqlType(TypeId::kDecimal));
  EXPECT_EQ(type("avg", TypeId::kInteger), SqlType(TypeId::kDecimal));
  EXPECT_EQ(type("avg", TypeId::kReal), SqlType(TypeId::kDouble));
  EXPECT_EQ(type("max", TypeId::kVarchar), SqlType(TypeId::kText));
  EXPECT_EQ(type("array_agg", TypeId::kInteger), SqlType::array_of(TypeId::kInteger));
}

TEST(AggregateTest, SumOfBigIntsDoesNotOverflow) {
  const std::string max = std::to_string(INT64_MAX);
  EXPECT_EQ(AggregateRun("sum", {TypeId::kBigInt}, {{max, max, max}}).whole(), "27670116110564327421");
  EXPECT_EQ(AggregateRun("sum", {TypeId::kBigInt}, {{"-1", "-1", max}}).grouped({0, 0, 1}, 2)[0], "-2");
}

TEST(AggregateTest, ManyDistinctValuesAreEstimated) {
  std::vector<std::string> values;
  for (int i = 0; i < 2000; ++i) values.push_back(std::to_string(i * 37));
  AggregateRun run("approx_count_distinct", {TypeId::kBigInt}, {values});
  EXPECT_NEAR(std::stod(run.whole()), 2000, 100);
  EXPECT_EQ(AggregateRun("count_distinct", {TypeId::kBigInt}, {values}).in_two_parts(700), "2000");
}

TEST(AggregateTest, UnknownOnesAreNamed) {
  const std::vector<SqlType> types = {TypeId::kText};
  EXPECT_THROW(resolve_aggregate("sum", types), SqlError);
  EXPECT_FALSE(is_aggregate("upper"));
}

}  // namespace
}  // namespace idem
