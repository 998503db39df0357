#include <algorithm>
#include <random>

#include "tests/unit/query/operator_fixture.h"

namespace idem::test {
namespace {

using ::testing::ElementsAre;
using Window = LogicalPlan::Window;

PlanPtr window_plan(PlanPtr child) {
  PlanPtr plan = std::make_shared<LogicalPlan>();
  plan->kind = PlanKind::kWindow;
  plan->columns = child->columns;
  plan->children = {std::move(child)};
  return plan;
}
Window over(std::string name, SqlType type, std::vector<uint32_t> partition, std::vector<uint32_t> order) {
  Window window;
  window.function_name = std::move(name);
  window.type = type;
  for (const uint32_t c : partition) window.partition_by.push_back(column(c, TypeId::kVarchar));
  for (const uint32_t c : order) window.order_by.push_back({column(c, TypeId::kBigInt), false, false});
  return window;
}
Window sum_over(std::vector<uint32_t> partition, std::vector<uint32_t> order) {
  Window window = over("sum", TypeId::kDouble, std::move(partition), std::move(order));
  window.aggregate = aggregate(sum_function(), column(1, TypeId::kBigInt));
  return window;
}
void add(PlanPtr& plan, Window window) {
  plan->columns.push_back({"w", window.type, TableId{}, 0});
  plan->windows.push_back(std::move(window));
}
// key, value
PlanPtr rows() {
  return values({TypeId::kVarchar, TypeId::kBigInt}, {{str("b"), big(1)},
                                                      {str("a"), big(2)},
                                                      {str("a"), big(1)},
                                                      {str("a"), big(2)},
                                                      {str("b"), big(5)},
                                                      {str("a"), big(4)}});
}

TEST_F(OperatorTest, WindowRanks) {
  PlanPtr plan = window_plan(rows());
  for (const char* name : {"row_number", "rank", "dense_rank"})
    add(plan, over(name, TypeId::kBigInt, {0}, {1}));
  add(plan, over("percent_rank", TypeId::kDouble, {0}, {1}));
  add(plan, over("cume_dist", TypeId::kDouble, {0}, {1}));
  EXPECT_THAT(run(plan), ElementsAre("a|1|1|1|1|0|0.25", "a|2|2|2|2|0.333333|0.75", "a|2|3|2|2|0.333333|0.75",
                                     "a|4|4|4|3|1|1", "b|1|1|1|1|0|0.5", "b|5|2|2|2|1|1"));
}

TEST_F(OperatorTest, WindowNtileLagAndValues) {
  PlanPtr plan = window_plan(rows());
  Window tile = over("ntile", TypeId::kInteger, {0}, {1});
  tile.arguments.push_back(integer(3));
  add(plan, std::move(tile));
  Window lag = over("lag", TypeId::kBigInt, {0}, {1});
  lag.arguments.push_back(column(1, TypeId::kBigInt));
  lag.arguments.push_back(integer(2));
  lag.arguments.push_back(integer(-1));
  add(plan, std::move(lag));
  for (const char* name : {"lead", "first_value", "last_value"}) {
    Window window = over(name, TypeId::kBigInt, {0}, {1});
    window.arguments.push_back(column(1, TypeId::kBigInt));
    add(plan, std::move(window));
  }
  EXPECT_THAT(run(plan), ElementsAre("a|1|1|-1|2|1|1", "a|2|1|-1|2|1|2", "a|2|2|1|4|1|2", "a|4|3|2|NULL|1|4",
                                     "b|1|1|-1|5|1|1", "b|5|2|-1|NULL|1|5"));
}

TEST_F(OperatorTest, WindowFrames) {
  PlanPtr plan = window_plan(rows());
  add(plan, sum_over({0}, {}));   // the whole partition
  add(plan, sum_over({0}, {1}));  // up to the peers
  Window sliding = sum_over({0}, {1});
  sliding.mode = Window::Mode::kRows;
  sliding.start = Window::Bound::kPreceding;
  sliding.start_offset = integer(1);
  add(plan, std::move(sliding));
  Window near = sum_over({0}, {1});
  near.start = Window::Bound::kPreceding;
  near.start_offset = integer(1);
  near.end = Window::Bound::kFollowing;
  near.end_offset = integer(1);
  add(plan, std::move(near));
  Window groups = sum_over({0}, {1});
  groups.mode = Window::Mode::kGroups;
  groups.start = Window::Bound::kPreceding;
  groups.start_offset = integer(1);
  groups.exclude = Window::Exclude::kTies;
  add(plan, std::move(groups));
  EXPECT_THAT(run(plan), ElementsAre("a|1|9|1|1|5|1", "a|2|9|5|3|5|3", "a|2|9|5|4|5|3", "a|4|9|9|6|4|8",
                                     "b|1|6|1|1|1|1", "b|5|6|6|6|5|6"));
}

TEST_F(OperatorTest, WindowOverLargePartitionsUsesPartialStates) {
  PlanPtr plan = window_plan(scan(make_table(test_rows(50'000, 2), 4096)));
  Window sliding = over("sum", TypeId::kDouble, {}, {});
  sliding.aggregate = aggregate(sum_function(), column(3, TypeId::kBigInt));
  sliding.partition_by.push_back(column(1, TypeId::kSymbol));
  sliding.order_by.push_back({column(0, TypeId::kTimestamp), false, false});
  sliding.mode = Window::Mode::kRows;
  sliding.start = Window::Bound::kPreceding;
  sliding.start_offset = integer(999);
  add(plan, std::move(sliding));
  const auto result = run(plan);
  ASSERT_EQ(result.size(), 50'000u);
  // Place 20000 of t0 holds amount 40000; its frame is 1000 even numbers that end there.
  EXPECT_EQ(result[20'000], "40000000000|t0|0|40000|3.9001e+07");
}

TEST_F(OperatorTest, WindowsInDifferentOrders) {
  PlanPtr plan = window_plan(rows());
  add(plan, over("row_number", TypeId::kBigInt, {}, {1}));
  add(plan, over("row_number", TypeId::kBigInt, {0}, {1}));
  EXPECT_THAT(run(plan), ElementsAre("a|1|2|1", "a|2|3|2", "a|2|4|3", "a|4|5|4", "b|1|1|1", "b|5|6|2"));
}

// Rows of some tickers, several of one time, few different prices and amounts, some tickers NULL.
std::vector<TestRow> tied_rows(size_t count, uint32_t seed) {
  std::mt19937 random(seed);
  std::vector<TestRow> rows;
  int64_t time = 0;
  for (size_t i = 0; i < count; ++i) {
    time += random() % 3 == 0 ? 1'000'000 : 0;
    const auto ticker = random() % 9;
    rows.push_back({time, ticker == 0 ? "" : "t" + std::to_string(ticker), static_cast<double>(random() % 7),
                    static_cast<int64_t>(random() % 50)});
  }
  return rows;
}

// What a window with a limit gives, and what it gives without one after the filter; the rows sorted.
struct LimitCase {
  std::string function;
  std::vector<uint32_t> partition, order;
  bool descending;
  uint64_t limit;
};

class WindowLimit : public OperatorTest {
 protected:
  std::vector<std::string> rows_of(const std::shared_ptr<const TableVersion>& table, const LimitCase& c,
                                   bool limited) {
    PlanPtr plan = window_plan(scan(table));
    const SqlType types[] = {TypeId::kTimestamp, TypeId::kSymbol, TypeId::kDouble, TypeId::kBigInt};
    Window window;
    window.function_name = c.function;
    window.type = TypeId::kBigInt;
    for (const uint32_t p : c.partition) window.partition_by.push_back(column(p, types[p]));
    for (const uint32_t o : c.order)
      window.order_by.push_back({column(o, types[o]), c.descending, c.descending});
    add(plan, std::move(window));
    if (limited) plan->limit_hint = c.limit;
    PlanPtr filter = node(PlanKind::kFilter, {}, {plan});
    filter->columns = plan->columns;
    filter->expressions.push_back(
        less(column(4, TypeId::kBigInt), integer(static_cast<int64_t>(c.limit) + 1)));
    std::vector<std::string> rows = run(filter);
    std::sort(rows.begin(), rows.end());
    return rows;
  }
};

TEST_F(WindowLimit, LeavesNoRowOutThatCounts) {
  const std::vector<std::vector<uint32_t>> partitions = {{}, {1}, {0}, {0, 1}, {3}, {1, 3}};
  const std::vector<std::vector<uint32_t>> orders = {{}, {0}, {2}, {3}, {1}, {2, 0}, {0, 2}};
  for (const size_t count : {size_t{10}, size_t{3000}, size_t{30'000}}) {
    const auto table = make_table(tied_rows(count, static_cast<uint32_t>(count)), 8192);
    for (const char* function : {"row_number", "rank", "dense_rank"}) {
      for (const auto& partition : partitions) {
        for (const auto& order : orders) {
          for (const bool descending : {false, true}) {
            for (const uint64_t limit : {uint64_t{1}, uint64_t{3}}) {
              if (count > 10'000 && (order.size() != 1 || partition.empty() || limit > 1)) continue;
              const LimitCase c{function, partition, order, descending, limit};
              ASSERT_EQ(rows_of(table, c, true), rows_of(table, c, false))
                  << function << " of " << count << " rows, " << partition.size()
                  << " partition columns, order " << (order.empty() ? -1 : static_cast<int>(order[0]))
                  << (descending ? " DESC" : "") << ", limit " << limit;
            }
          }
        }
      }
    }
  }
}

// Of rows with equal times the newest is the first of a descending order, as it is in LATEST ON.
TEST_F(WindowLimit, LatestRowIsTheOneOfLatestOn) {
  const auto table = make_table(tied_rows(20'000, 5), 4096);
  std::vector<std::string> first = rows_of(table, {"row_number", {1}, {0}, true, 1}, true);
  for (std::string& row : first) row.resize(row.rfind('|'));
  PlanPtr latest = node(PlanKind::kLatestOn, {}, {scan(table)});
  latest->columns = latest->children[0]->columns;
  latest->timestamp_column = 0;
  latest->partition_columns = {1};
  std::vector<std::string> rows = run(latest);
  std::sort(rows.begin(), rows.end());
  EXPECT_EQ(first, rows);
}

// Partitions by the time's start of a minute, found without hashing.
TEST_F(WindowLimit, PartitionsThatRiseWithTime) {
  static const ScalarFunction& trunc = []() -> const ScalarFunction& {
    return scalar(
        "date_trunc",
        [](EvaluationState&, const CallTypes&, std::span<const Vector> arguments, uint32_t size,
           Selection selection, Vector* result) {
          auto* out = result->allocate_as<int64_t>(TypeId::kTimestamp, size);
          for (uint32_t i = 0; i < selection.count; ++i) {
            const uint32_t row = selection[i];
            out[row] = arguments[1].value_at(row).as_int() / 60'000'000 * 60'000'000;
          }
        },
        TypeId::kTimestamp);
  }();
  for (const bool descending : {false, true}) {
    std::vector<std::vector<std::string>> both;
    for (const bool limited : {false, true}) {
      PlanPtr plan = window_plan(scan(make_table(tied_rows(50'000, 3), 4096)));
      Window window = over("row_number", TypeId::kBigInt, {}, {});
      window.partition_by.push_back(column(1, TypeId::kSymbol));
      window.partition_by.push_back(call2(trunc, text("minute"), column(0, TypeId::kTimestamp)));
      window.order_by.push_back({column(0, TypeId::kTimestamp), descending, false});
      add(plan, std::move(window));
      if (limited) plan->limit_hint = 1;
      PlanPtr filter = node(PlanKind::kFilter, {}, {plan});
      filter->columns = plan->columns;
      filter->expressions.push_back(less(column(4, TypeId::kBigInt), integer(2)));
      both.push_back(run(filter));
      std::sort(both.back().begin(), both.back().end());
    }
    EXPECT_GT(both[0].size(), 1000u);
    EXPECT_EQ(both[0], both[1]);
  }
}

}  // namespace
}  // namespace idem::test
