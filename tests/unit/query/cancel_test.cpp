// Stages that take long without reading a row of their input look at the cancel token all the same.
#include <array>
#include <random>

#include "common/decimal.h"
#include "query/expression_evaluator.h"
#include "query/function.h"
#include "query/function_registry.h"
#include "query/group_table.h"
#include "query/json_path.h"
#include "query/regex.h"
#include "query/row_sorter.h"
#include "tests/unit/query/operator_fixture.h"

namespace idem::test {
namespace {

// Counts how often a deadline is looked at, and lets it pass after some time.
class CountingClock final : public Clock {
 public:
  int64_t now_micros() const override { return 0; }
  int64_t monotonic_nanos() const override { return ++reads_ > passes_after_ ? INT64_MAX : 0; }

  int64_t reads() const { return reads_; }
  void pass_after(int64_t reads) {
    reads_ = 0;
    passes_after_ = reads;
  }

 private:
  mutable std::atomic<int64_t> reads_{0};
  std::atomic<int64_t> passes_after_{INT64_MAX};
};

class CancelTest : public OperatorTest {
 protected:
  CancelTest() : token_(counting_) {
    token_.start_statement(1'000'000);
    context_->cancel = &token_;
    context_->workers = nullptr;
  }

  CountingClock counting_;
  CancelToken token_;
};

std::shared_ptr<RowStore> random_texts(uint32_t count) {
  std::mt19937 random(7);
  auto rows = RowStore::make({TypeId::kText}, nullptr);
  for (uint32_t first = 0; first < count; first += kVectorSize) {
    Vector texts;
    auto* values = texts.allocate_as<std::string_view>(TypeId::kText, kVectorSize);
    for (uint32_t i = 0; i < kVectorSize; ++i)
      values[i] = texts.store_string("a common beginning " + std::to_string(random()));
    rows->append({&texts, 1}, {nullptr, kVectorSize});
  }
  rows->seal();
  return rows;
}

TEST_F(CancelTest, ASortOfTexts) {
  const auto rows = random_texts(200'000);
  const RowSorter sorter(*rows, {{0, false, false}});
  std::vector<uint32_t> ids;
  rows->all_ids(&ids);
  counting_.pass_after(INT64_MAX - 1);
  sorter.sort(&ids, *context_);
  EXPECT_GT(counting_.reads(), 20);
  ids.clear();
  rows->all_ids(&ids);
  counting_.pass_after(5);
  EXPECT_THROW(sorter.sort(&ids, *context_), SqlError);
  EXPECT_EQ(counting_.reads(), 6);
}

TEST_F(CancelTest, AWindowOfOnePartition) {
  const PlanPtr rows = scan(make_table(test_rows(100'000, 3), 4096));
  counting_.pass_after(INT64_MAX - 1);
  run(rows);
  const int64_t of_scan = counting_.reads();
  for (const char* name : {"row_number", "first_value", "sum"}) {
    SCOPED_TRACE(name);
    PlanPtr plan = node(PlanKind::kWindow, {}, {rows});
    plan->columns = rows->columns;
    LogicalPlan::Window& window = plan->windows.emplace_back();
    window.function_name = name;
    window.type = TypeId::kBigInt;
    window.order_by.push_back({column(3, TypeId::kBigInt), false, false});
    window.arguments.push_back(column(3, TypeId::kBigInt));
    if (window.function_name == "sum") {
      window.aggregate = aggregate(sum_function(), column(3, TypeId::kBigInt));
      window.type = TypeId::kDouble;
    }
    plan->columns.push_back({"w", window.type, TableId{}, 0});
    counting_.pass_after(INT64_MAX - 1);
    run(plan);
    EXPECT_GT(counting_.reads(), of_scan + 40);
  }
}

// What takes one value apart stops in the middle of it.
TEST_F(CancelTest, OneLongText) {
  const std::string text(200'000, 'a');
  const auto stops = [&](const std::function<void()>& work) {
    counting_.pass_after(INT64_MAX - 1);
    work();
    EXPECT_GT(counting_.reads(), 40);
    counting_.pass_after(5);
    EXPECT_THROW(work(), SqlError);
    EXPECT_EQ(counting_.reads(), 6);
  };
  const Regex regex("a", "");
  stops([&] {
    RegexMatches matches(regex, text, 0, &token_);
    while (matches.next()) {}
  });
  stops([&] { regex_split(regex, text, &token_, [](std::string_view) {}); });

  EvaluationState state;
  state.context = context_.get();
  const std::vector<Value> arguments = {Value::of_string(TypeId::kText, text),
                                        Value::of_string(TypeId::kText, "a")};
  for (const char* name : {"string_to_table", "regexp_split_to_table"}) {
    SCOPED_TRACE(name);
    stops([&] {
      find_table_function(name)->run(state, {TypeId::kText, TypeId::kText}, arguments, [](DataChunk&) {});
    });
  }
}

TEST_F(CancelTest, AJsonPathOverOneDocument) {
  std::string json = "[1";
  for (int i = 0; i < 200'000; ++i) json += ", 2";
  json += "]";
  const JsonPath path("$[*] ? (@ > 1)");
  JsonPathCall call{json, "{}", false, &token_};
  counting_.pass_after(INT64_MAX - 1);
  EXPECT_EQ(json_path_query(path, call).size(), 200'000U);
  EXPECT_GT(counting_.reads(), 40);
  call.silent = true;  // silent about errors of the data, not about this
  counting_.pass_after(5);
  EXPECT_THROW(json_path_query(path, call), SqlError);
  EXPECT_EQ(counting_.reads(), 6);
}

// A table of many groups takes long to grow: packed keys, and keys as bytes.
TEST_F(CancelTest, AGrowingTableOfGroups) {
  for (const SqlType type : {SqlType(TypeId::kBigInt), SqlType(TypeId::kDecimal)}) {
    SCOPED_TRACE(static_cast<int>(type.id));
    GroupTable table({type}, nullptr, &token_);
    int64_t next = 0;
    const auto add = [&] {
      Vector keys;
      if (type.id == TypeId::kBigInt) {
        auto* values = keys.allocate_as<int64_t>(type);
        for (uint32_t i = 0; i < kVectorSize; ++i) values[i] = next++;
      } else {
        auto* values = keys.allocate_as<Decimal>(type);
        for (uint32_t i = 0; i < kVectorSize; ++i) values[i] = Decimal{next++, 0};
      }
      std::array<uint32_t, kVectorSize> groups;
      table.find_or_insert(&keys, {nullptr, kVectorSize}, groups.data());
    };
    counting_.pass_after(INT64_MAX - 1);
    while (next < 700'000) add();
    EXPECT_GT(counting_.reads(), 40);
    counting_.pass_after(5);
    EXPECT_THROW(while (next < 3'000'000) add(), SqlError);
    EXPECT_EQ(counting_.reads(), 6);
  }
}

TEST_F(CancelTest, AVectorOfLongTexts) {
  std::vector<BoundPtr> arguments;
  arguments.push_back(column(0, TypeId::kText));
  const std::array<SqlType, 1> types = {TypeId::kText};
  const BoundPtr md5 = BoundExpression::call(resolve_function("md5", types), std::move(arguments));
  const std::string text(100'000, 'x');
  DataChunk chunk;
  chunk.columns.resize(1);
  auto* texts = chunk.columns[0].allocate_as<std::string_view>(TypeId::kText);
  std::fill_n(texts, kVectorSize, std::string_view(text));
  chunk.set_size(kVectorSize);
  EvaluationState state;
  state.context = context_.get();
  ExpressionEvaluator evaluator(*md5);
  counting_.pass_after(5);
  Vector result;
  EXPECT_THROW(evaluator.evaluate(state, chunk, chunk.selection, &result), SqlError);
  EXPECT_EQ(counting_.reads(), 6);
}

}  // namespace
}  // namespace idem::test
