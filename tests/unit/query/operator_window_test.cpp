#include "tests/unit/query/operator_fixture.h"

namespace idem::testing {
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

}  // namespace
}  // namespace idem::testing
