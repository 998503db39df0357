#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <numeric>

#include "common/error.h"
#include "common/memory_budget.h"
#include "query/expression_evaluator.h"
#include "storage/symbol_dictionary.h"

namespace idem {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

constexpr SqlType kInt8 = TypeId::kBigInt, kDouble = TypeId::kDouble, kText = TypeId::kText,
                  kBool = TypeId::kBoolean;

class EvaluatorTest : public testing::Test {
 protected:
  // Columns: 0 bigint (NULL at 2), 1 double, 2 symbol (NULL at 4), 3 text (NULL at 1), 4 bigint from a
  // sequence.
  EvaluatorTest() {
    chunk_.set_size(6);
    chunk_.columns.resize(5);
    const int64_t numbers[] = {10, 0, 0, -3, 7, 5};
    set(0, kInt8, numbers);
    chunk_.columns[0].allocate_validity(6)[0] &= ~(uint64_t{1} << 2);
    const double doubles[] = {1.5, -2, 0, 4, std::numeric_limits<double>::quiet_NaN(), 6};
    set(1, kDouble, doubles);
    auto* codes = chunk_.columns[2].allocate_as<int32_t>(TypeId::kSymbol, 6);
    for (const char* name : {"AAPL", "MSFT", "AAPL", "GOOG", "", "AMZN"})
      *codes++ = *name ? dictionary_->intern(name) : -1;
    chunk_.columns[2].dictionary = dictionary_.get();
    chunk_.columns[2].owner = dictionary_;
    chunk_.columns[2].allocate_validity(6)[0] &= ~(uint64_t{1} << 4);
    const std::string_view texts[] = {"one", "", "three", "four", "five", "six"};
    set(3, kText, texts);
    chunk_.columns[3].allocate_validity(6)[0] &= ~(uint64_t{1} << 1);
    chunk_.columns[4] = Vector::sequence(kInt8, 100, 10);
  }

  template <class T, size_t N>
  void set(size_t column, SqlType type, const T (&values)[N]) {
    std::copy(values, values + N, chunk_.columns[column].allocate_as<T>(type, N));
  }

  static BoundPtr column(uint32_t index, SqlType type) { return BoundExpression::column(index, type); }
  static BoundPtr number(int64_t value) { return BoundExpression::constant(Value::of_int(kInt8, value)); }
  static BoundPtr text(std::string value) {
    return BoundExpression::constant(Value::of_string(kText, std::move(value)));
  }
  template <class... Children>
  static std::vector<BoundPtr> list(Children... children) {
    std::vector<BoundPtr> result;
    (result.push_back(std::move(children)), ...);
    return result;
  }
  static BoundPtr cast(BoundPtr child, SqlType to) {
    const ScalarFunction* found = find_cast(child->type, to, CastContext::kExplicit);
    const CallTypes types{{child->type}, to};
    return BoundExpression::call({found, types}, list(std::move(child)));
  }
  template <class... Children>
  static BoundPtr call(std::string_view name, Children... children) {
    std::vector<BoundPtr> arguments = list(std::move(children)...);
    std::vector<SqlType> types;
    for (const BoundPtr& argument : arguments) types.push_back(argument->type);
    const bool is_operator = std::isalpha(static_cast<unsigned char>(name[0])) == 0;
    const ResolvedCall resolved = is_operator ? resolve_operator(name, types) : resolve_function(name, types);
    for (size_t i = 0; i < arguments.size(); ++i) {
      if (arguments[i]->type != resolved.types.arguments[i])
        arguments[i] = cast(std::move(arguments[i]), resolved.types.arguments[i]);
    }
    return BoundExpression::call(resolved, std::move(arguments));
  }
  template <class... Children>
  static BoundPtr make(BoundKind kind, SqlType type, Children... children) {
    return BoundExpression::make(kind, type, list(std::move(children)...));
  }

  std::vector<int> selected(const BoundPtr& expression, std::vector<uint16_t> rows = {}) {
    const Selection in =
        rows.empty() ? chunk_.selection : Selection{rows.data(), static_cast<uint32_t>(rows.size())};
    std::vector<uint16_t> out(in.count);
    ExpressionEvaluator evaluator(*expression);
    out.resize(evaluator.select(state_, chunk_, in, out.data()));
    return {out.begin(), out.end()};
  }
  std::vector<std::string> values(const BoundPtr& expression) {
    Vector result;
    ExpressionEvaluator(*expression).evaluate(state_, chunk_, chunk_.selection, &result);
    std::vector<std::string> shown;
    for (uint32_t row = 0; row < chunk_.size; ++row) {
      const Value value = result.value_at(row);
      shown.push_back(value.is_null() ? "NULL"
                                      : cast_value(state_, value, kText, CastContext::kExplicit).as_string());
    }
    return shown;
  }

  EvaluationState state_;
  DataChunk chunk_;
  std::shared_ptr<SymbolDictionary> dictionary_ = std::make_shared<SymbolDictionary>();
};

TEST_F(EvaluatorTest, ArithmeticKeepsNulls) {
  EXPECT_THAT(values(call("+", column(0, kInt8), number(1))), ElementsAre("11", "1", "NULL", "-2", "8", "6"));
  EXPECT_THAT(values(call("+", column(0, kInt8), column(4, kInt8))),
              ElementsAre("110", "110", "NULL", "127", "147", "155"));
}

TEST_F(EvaluatorTest, OverflowIsAnErrorOnlyWhereARowHasIt) {
  const int64_t numbers[] = {INT64_MAX, 1, INT64_MAX, 1, 1, 1};
  set(0, kInt8, numbers);
  chunk_.columns[0].allocate_validity(6)[0] &= ~(uint64_t{1} << 2);
  const BoundPtr sum = call("+", column(0, kInt8), number(1));
  EXPECT_THROW(values(sum), SqlError);
  const uint16_t rows[] = {1, 2, 3};
  Vector result;
  ExpressionEvaluator(*sum).evaluate(state_, chunk_, {rows, 3}, &result);
  EXPECT_EQ(result.value_at(3).as_int(), 2);
  EXPECT_FALSE(result.is_valid(2));
}

TEST_F(EvaluatorTest, AndGuardsWhatComesAfterIt) {
  const BoundPtr guarded = make(BoundKind::kAnd, kBool, call("<>", column(0, kInt8), number(0)),
                                call(">", call("/", number(100), column(0, kInt8)), number(12)));
  EXPECT_THAT(selected(guarded), ElementsAre(4, 5));
  EXPECT_THROW(
      selected(make(BoundKind::kAnd, kBool, call(">", call("/", number(100), column(0, kInt8)), number(12)),
                    call("<>", column(0, kInt8), number(0)))),
      SqlError);
}

TEST_F(EvaluatorTest, AndOrNotAreThreeValued) {
  const auto is_big = [&] { return call(">", column(0, kInt8), number(4)); };                   // t f N f t t
  const auto is_long = [&] { return call(">", call("length", column(3, kText)), number(3)); };  // f N t t t f
  EXPECT_THAT(values(make(BoundKind::kAnd, kBool, is_big(), is_long())),
              ElementsAre("false", "false", "NULL", "false", "true", "false"));
  EXPECT_THAT(values(make(BoundKind::kOr, kBool, is_big(), is_long())),
              ElementsAre("true", "NULL", "true", "true", "true", "true"));
  EXPECT_THAT(selected(make(BoundKind::kNot, kBool, make(BoundKind::kAnd, kBool, is_big(), is_long()))),
              ElementsAre(0, 1, 3, 5));
  EXPECT_THAT(selected(make(BoundKind::kNot, kBool, make(BoundKind::kOr, kBool, is_big(), is_long()))),
              IsEmpty());
  EXPECT_THAT(selected(make(BoundKind::kOr, kBool, is_big(), is_long()), {0, 1, 2}), ElementsAre(0, 2));
}

TEST_F(EvaluatorTest, CaseComputesOnlyTheBranchThatIsTaken) {
  const BoundPtr ratio = make(BoundKind::kCase, kInt8, call("=", column(0, kInt8), number(0)), number(-1),
                              call("/", number(100), column(0, kInt8)));
  EXPECT_THAT(values(ratio), ElementsAre("10", "-1", "NULL", "-33", "14", "20"));
}

TEST_F(EvaluatorTest, CoalesceStopsAtTheFirstValue) {
  const BoundPtr filled = make(BoundKind::kCoalesce, kInt8, column(0, kInt8), column(4, kInt8));
  EXPECT_THAT(values(filled), ElementsAre("10", "0", "120", "-3", "7", "5"));
  const BoundPtr texts =
      make(BoundKind::kCoalesce, kText, column(3, kText), cast(column(2, TypeId::kSymbol), kText));
  EXPECT_THAT(values(texts), ElementsAre("one", "MSFT", "three", "four", "five", "six"));
}

TEST_F(EvaluatorTest, SymbolsCompareByCode) {
  const auto symbol = [&] { return column(2, TypeId::kSymbol); };
  EXPECT_THAT(selected(call("=", symbol(), text("AAPL"))), ElementsAre(0, 2));
  EXPECT_THAT(selected(call("<>", symbol(), text("AAPL"))), ElementsAre(1, 3, 5));
  EXPECT_THAT(selected(call("=", symbol(), text("absent"))), IsEmpty());
  EXPECT_THAT(selected(call("<>", symbol(), text("absent"))), ElementsAre(0, 1, 2, 3, 5));
  EXPECT_THAT(selected(call("=", text("MSFT"), symbol())), ElementsAre(1));
}

TEST_F(EvaluatorTest, FunctionsOfSymbolsAreRememberedByCode) {
  const auto symbol = [&] { return column(2, TypeId::kSymbol); };
  EXPECT_THAT(selected(call("~~", symbol(), text("A%"))), ElementsAre(0, 2, 5));
  EXPECT_THAT(selected(make(BoundKind::kNot, kBool, call("~~", symbol(), text("A%")))), ElementsAre(1, 3));
  EXPECT_THAT(selected(call("<", symbol(), text("B"))), ElementsAre(0, 2, 5));
  EXPECT_THAT(values(call("lower", symbol())), ElementsAre("aapl", "msft", "aapl", "goog", "NULL", "amzn"));
  // New strings that come later are asked for then.
  const BoundPtr like = call("~~", symbol(), text("%Z%"));
  ExpressionEvaluator evaluator(*like);
  std::vector<uint16_t> out(6);
  EXPECT_EQ(evaluator.select(state_, chunk_, chunk_.selection, out.data()), 1u);
  auto* codes = const_cast<int32_t*>(chunk_.columns[2].values<int32_t>());
  codes[0] = dictionary_->intern("ZZ");
  EXPECT_EQ(evaluator.select(state_, chunk_, chunk_.selection, out.data()), 2u);
}

TEST_F(EvaluatorTest, InListUsesNullLogic) {
  const auto null = [] { return BoundExpression::constant(Value::null(kInt8)); };
  EXPECT_THAT(values(make(BoundKind::kInList, kBool, column(0, kInt8), number(7), number(10))),
              ElementsAre("true", "false", "NULL", "false", "true", "false"));
  EXPECT_THAT(values(make(BoundKind::kInList, kBool, column(0, kInt8), number(7), null())),
              ElementsAre("NULL", "NULL", "NULL", "NULL", "true", "NULL"));
  EXPECT_THAT(selected(make(BoundKind::kInList, kBool, cast(column(2, TypeId::kSymbol), kText), text("GOOG"),
                            text("AAPL"))),
              ElementsAre(0, 2, 3));
  EXPECT_THAT(
      selected(make(BoundKind::kInList, kBool, column(0, kInt8), call("-", column(4, kInt8), number(90)))),
      ElementsAre(0));
  std::vector<BoundPtr> many = list(column(4, kInt8));
  for (int64_t i = 0; i < 100; ++i) many.push_back(number(i * 20));
  EXPECT_THAT(selected(BoundExpression::make(BoundKind::kInList, kBool, std::move(many))),
              ElementsAre(0, 2, 4));
}

TEST_F(EvaluatorTest, DistinctTreatsNullsAsEqual) {
  const auto null = [] { return BoundExpression::constant(Value::null(kInt8)); };
  EXPECT_THAT(selected(make(BoundKind::kIsDistinct, kBool, column(0, kInt8), null())),
              ElementsAre(0, 1, 3, 4, 5));
  EXPECT_THAT(selected(make(BoundKind::kIsDistinct, kBool, column(0, kInt8), number(0))),
              ElementsAre(0, 2, 3, 4, 5));
  EXPECT_THAT(selected(make(BoundKind::kIsNull, kBool, column(0, kInt8))), ElementsAre(2));
}

TEST_F(EvaluatorTest, NotANumberIsAboveAllNumbers) {
  const auto constant = [](double v) { return BoundExpression::constant(Value::of_double(kDouble, v)); };
  EXPECT_THAT(selected(call(">", column(1, kDouble), constant(3))), ElementsAre(3, 4, 5));
  EXPECT_THAT(selected(call("=", column(1, kDouble), constant(std::numeric_limits<double>::quiet_NaN()))),
              ElementsAre(4));
  EXPECT_THAT(selected(call("<", column(1, kDouble), column(1, kDouble))), IsEmpty());
}

TEST_F(EvaluatorTest, SlotsAreReadAtEachCall) {
  const BoundPtr equals = call("=", column(0, kInt8), BoundExpression::slot(0, kInt8));
  ExpressionEvaluator evaluator(*equals);
  std::vector<uint16_t> out(6);
  state_.slots = {Value::of_int(kInt8, 7)};
  EXPECT_EQ(evaluator.select(state_, chunk_, chunk_.selection, out.data()), 1u);
  EXPECT_EQ(out[0], 4);
  state_.slots = {Value::null(kInt8)};
  EXPECT_EQ(evaluator.select(state_, chunk_, chunk_.selection, out.data()), 0u);
}

// select() and evaluate() agree on whole vectors, with and without NULLs and selections.
TEST_F(EvaluatorTest, SelectionAgreesWithValues) {
  DataChunk large;
  large.set_size(kVectorSize);
  large.columns.resize(2);
  auto* a = large.columns[0].allocate_as<int64_t>(kInt8);
  auto* b = large.columns[1].allocate_as<int64_t>(kInt8);
  uint64_t* valid = large.columns[1].allocate_validity();
  uint64_t seed = 42;
  for (uint32_t i = 0; i < kVectorSize; ++i) {
    seed = seed * 6364136223846793005ULL + 1442695040888963407ULL;
    a[i] = static_cast<int64_t>(seed >> 60);
    b[i] = static_cast<int64_t>(seed >> 40 & 15);
    if ((seed >> 30 & 7) == 0) valid[i >> 6] &= ~(uint64_t{1} << (i & 63));
  }
  std::vector<uint16_t> odd;
  for (uint16_t i = 1; i < kVectorSize; i = static_cast<uint16_t>(i + 2)) odd.push_back(i);
  for (const char* symbol : {"=", "<>", "<", "<=", ">", ">="}) {
    const BoundPtr compared = call(symbol, column(0, kInt8), column(1, kInt8));
    ExpressionEvaluator evaluator(*compared);
    for (const Selection in : {large.selection, Selection{odd.data(), static_cast<uint32_t>(odd.size())}}) {
      Vector result;
      evaluator.evaluate(state_, large, in, &result);
      std::vector<uint16_t> expected, found(in.count);
      for (uint32_t i = 0; i < in.count; ++i) {
        const uint32_t row = in[i];
        if (result.is_valid(row) && result.values<uint8_t>()[row] != 0)
          expected.push_back(static_cast<uint16_t>(row));
      }
      found.resize(evaluator.select(state_, large, in, found.data()));
      EXPECT_EQ(found, expected) << symbol;
    }
  }
}

TEST(ExpressionTextTest, ShowsOperatorsAndCalls) {
  std::vector<BoundPtr> children;
  children.push_back(BoundExpression::column(0, kInt8));
  children.push_back(BoundExpression::constant(Value::of_int(kInt8, 5)));
  const std::array<SqlType, 2> types = {kInt8, kInt8};
  const BoundPtr e = BoundExpression::call(resolve_operator(">", types), std::move(children));
  EXPECT_EQ(expression_text(*e, {"price"}), "(price > 5)");
  EXPECT_TRUE(e->equals(*e->clone()));
}

// What a vector of texts takes is held to what the query may use.
TEST(LongTexts, KeepToTheMemoryOfTheQuery) {
  MemoryBudget budget("query", 8 << 20);
  ExecutionContext context;
  context.memory = &budget;
  EvaluationState state;
  state.context = &context;
  std::vector<BoundPtr> arguments;
  arguments.push_back(BoundExpression::column(0, kText));
  const std::array<SqlType, 1> types = {kText};
  const BoundPtr upper = BoundExpression::call(resolve_function("upper", types), std::move(arguments));
  ExpressionEvaluator evaluator(*upper);
  for (const size_t length : {1'000, 100'000}) {
    const std::string text(length, 'x');
    DataChunk chunk;
    chunk.columns.resize(1);
    std::fill_n(chunk.columns[0].allocate_as<std::string_view>(kText), kVectorSize, std::string_view(text));
    chunk.set_size(kVectorSize);
    Vector result;
    std::string state_of_error;
    try {
      evaluator.evaluate(state, chunk, chunk.selection, &result);
    } catch (const SqlError& error) { state_of_error = error.sqlstate(); }
    EXPECT_EQ(state_of_error, length * kVectorSize > budget.limit() ? "53200" : "");
    EXPECT_EQ(budget.used(), 0u);
  }
}

}  // namespace
}  // namespace idem
