#include "tests/unit/query/operator_fixture.h"

namespace idem::test {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

PlanPtr aggregate_plan(PlanPtr child, std::vector<BoundPtr> groups, std::vector<BoundAggregate> aggregates) {
  PlanPtr plan = node(PlanKind::kAggregate, {}, {std::move(child)});
  for (const BoundPtr& group : groups) plan->columns.push_back({"g", group->type, TableId{}, 0});
  for (const BoundAggregate& a : aggregates) plan->columns.push_back({"a", a.types.result, TableId{}, 0});
  plan->groups = std::move(groups);
  plan->aggregates = std::move(aggregates);
  return plan;
}
std::vector<BoundPtr> one(BoundPtr a) {
  std::vector<BoundPtr> out;
  out.push_back(std::move(a));
  return out;
}
template <class... Rest>
std::vector<BoundAggregate> calls(Rest... rest) {
  std::vector<BoundAggregate> out;
  (out.push_back(std::move(rest)), ...);
  return out;
}

TEST_F(OperatorTest, CountsWithoutGroups) {
  EXPECT_THAT(run(aggregate_plan(
                  scan(make_table(test_rows(60'000, 3), 4096)), {},
                  calls(aggregate(count_function()), aggregate(sum_function(), column(3, TypeId::kBigInt))))),
              ElementsAre("60000|1.79997e+09"));
  EXPECT_THAT(run(aggregate_plan(scan(make_table(test_rows(60'000, 3), 4096)), {},
                                 calls(aggregate(count_function())))),
              ElementsAre("60000"));
  EXPECT_THAT(run(aggregate_plan(
                  scan(make_table({})), {},
                  calls(aggregate(count_function()), aggregate(sum_function(), column(2, TypeId::kDouble))))),
              ElementsAre("0|NULL"));
}

TEST_F(OperatorTest, GroupsBySymbol) {
  EXPECT_THAT(
      run(aggregate_plan(
          scan(make_table(test_rows(60'000, 3), 4096)), one(column(1, TypeId::kSymbol)),
          calls(aggregate(count_function()), aggregate(last_function(), column(3, TypeId::kBigInt))))),
      ElementsAre("t0|20000|59997", "t1|20000|59998", "t2|20000|59999"));
}

TEST_F(OperatorTest, NullIsAGroup) {
  EXPECT_THAT(
      run(aggregate_plan(scan(make_table({{1, "a", 1, 1}, {2, "", 2, 2}, {3, "a", 3, 3}, {4, "", 4, 4}})),
                         one(column(1, TypeId::kSymbol)),
                         calls(aggregate(sum_function(), column(2, TypeId::kDouble))))),
      ElementsAre("a|4", "NULL|6"));
}

TEST_F(OperatorTest, GroupsByNumbersStringsAndSeveralKeys) {
  const auto table = make_table(test_rows(50'000, 5), 4096);
  EXPECT_EQ(
      run(aggregate_plan(scan(table), one(column(3, TypeId::kBigInt)), calls(aggregate(count_function()))))
          .size(),
      50'000u);
  EXPECT_EQ(
      run(aggregate_plan(scan(table), one(column(2, TypeId::kDouble)), calls(aggregate(count_function()))))
          .size(),
      1000u);
  std::vector<BoundPtr> keys = one(column(1, TypeId::kSymbol));
  keys.push_back(column(2, TypeId::kDouble));
  const auto rows = run(aggregate_plan(scan(table), std::move(keys), calls(aggregate(count_function()))));
  ASSERT_EQ(rows.size(), 1000u);
  EXPECT_EQ(rows[7], "t2|7|50");
  EXPECT_THAT(run(aggregate_plan(values({TypeId::kVarchar},
                                        {{str("x")}, {str("")}, {Value::null(TypeId::kVarchar)}, {str("x")}}),
                                 one(column(0, TypeId::kVarchar)), calls(aggregate(count_function())))),
              ElementsAre("x|2", "|1", "NULL|1"));
}

TEST_F(OperatorTest, FilterAndDistinctWithinAggregates) {
  BoundAggregate filtered = aggregate(count_function());
  filtered.filter = less(column(3, TypeId::kBigInt), integer(10));
  BoundAggregate distinct = aggregate(sum_function(), column(2, TypeId::kDouble));
  distinct.distinct = true;
  EXPECT_THAT(
      run(aggregate_plan(scan(make_table(test_rows(40'000, 2), 4096)), one(column(1, TypeId::kSymbol)),
                         calls(std::move(filtered), std::move(distinct)))),
      ElementsAre("t0|5|249500", "t1|5|250000"));
}

TEST_F(OperatorTest, OrderWithinAggregates) {
  BoundAggregate ordered = aggregate(last_function(), column(3, TypeId::kBigInt));
  ordered.order_by.push_back({column(2, TypeId::kDouble), true, true});  // the last one has the least price
  EXPECT_THAT(run(aggregate_plan(scan(make_table({{1, "a", 5, 1}, {2, "a", 2, 2}, {3, "a", 9, 3}})), {},
                                 calls(std::move(ordered)))),
              ElementsAre("2"));
}

TEST_F(OperatorTest, GroupingSets) {
  std::vector<BoundPtr> keys = one(column(1, TypeId::kSymbol));
  keys.push_back(column(3, TypeId::kBigInt));
  PlanPtr plan =
      aggregate_plan(scan(make_table({{1, "a", 1, 7}, {2, "b", 2, 7}, {3, "a", 4, 8}})), std::move(keys),
                     calls(aggregate(sum_function(), column(2, TypeId::kDouble))));
  plan->grouping_sets = {{0, 1}, {0}, {}};
  plan->with_set_index = true;
  plan->columns.push_back({"set", TypeId::kInteger, TableId{}, 0});
  EXPECT_THAT(run(plan),
              ElementsAre("a|7|1|0", "b|7|2|0", "a|8|4|0", "a|NULL|5|1", "b|NULL|2|1", "NULL|NULL|7|2"));
}

TEST_F(OperatorTest, DistinctKeepsTheFirst) {
  PlanPtr child = values({TypeId::kBigInt, TypeId::kVarchar},
                         {{big(1), str("a")}, {big(2), str("b")}, {big(1), str("c")}, {big(2), str("b")}});
  EXPECT_THAT(run(node(PlanKind::kDistinct, {TypeId::kBigInt, TypeId::kVarchar}, {child})),
              ElementsAre("1|a", "2|b", "1|c"));
  PlanPtr on = node(PlanKind::kDistinct, {TypeId::kBigInt, TypeId::kVarchar}, {child});
  on->distinct_on = one(column(0, TypeId::kBigInt));
  EXPECT_THAT(run(on), ElementsAre("1|a", "2|b"));
  PlanPtr sort = node(PlanKind::kSort, {TypeId::kBigInt, TypeId::kVarchar}, {child});
  sort->sort_keys.push_back({column(0, TypeId::kBigInt), true, false});
  sort->sort_keys.push_back({column(1, TypeId::kVarchar), true, false});
  on->children[0] = sort;
  EXPECT_THAT(run(on), ElementsAre("2|b", "1|c"));
  on->distinct_on.push_back(column(1, TypeId::kVarchar));
  EXPECT_THAT(run(on), ElementsAre("2|b", "1|c", "1|a"));
}

TEST_F(OperatorTest, IntersectAndExcept) {
  const auto set = [](bool except, bool all) {
    PlanPtr left = values({TypeId::kBigInt}, {{big(1)}, {big(1)}, {big(1)}, {big(2)}, {big(3)}});
    PlanPtr right = values({TypeId::kBigInt}, {{big(1)}, {big(1)}, {big(3)}, {big(4)}});
    PlanPtr plan = node(PlanKind::kSetOperation, {TypeId::kBigInt}, {left, right});
    plan->set_except = except;
    plan->set_all = all;
    return plan;
  };
  EXPECT_THAT(run(set(false, false)), ElementsAre("1", "3"));
  EXPECT_THAT(run(set(false, true)), ElementsAre("1", "1", "3"));
  EXPECT_THAT(run(set(true, false)), ElementsAre("2"));
  EXPECT_THAT(run(set(true, true)), ElementsAre("1", "2"));
}

PlanPtr sample_plan(PlanPtr child, int64_t count, char unit, bool keyed) {
  PlanPtr plan = node(PlanKind::kSampleBy, {TypeId::kTimestamp}, {std::move(child)});
  plan->sample_timestamp = column(0, TypeId::kTimestamp);
  plan->sample.count = count;
  plan->sample.unit = unit;
  if (keyed) {
    plan->groups.push_back(column(1, TypeId::kSymbol));
    plan->columns.push_back({"k", TypeId::kSymbol, TableId{}, 0});
  }
  plan->aggregates.push_back(aggregate(sum_function(), column(2, TypeId::kDouble)));
  plan->columns.push_back({"s", TypeId::kDouble, TableId{}, 0});
  plan->aggregates.push_back(aggregate(count_function()));
  plan->columns.push_back({"n", TypeId::kBigInt, TableId{}, 0});
  return plan;
}

TEST_F(OperatorTest, SampleByCountsAllRowsInBuckets) {
  const auto rows = run(sample_plan(scan(make_table(test_rows(100'000, 3), 4096)), 1, 'h', false));
  ASSERT_EQ(rows.size(), 28u);
  for (size_t i = 0; i + 1 < rows.size(); ++i) EXPECT_TRUE(rows[i].ends_with("|3600")) << rows[i];
  EXPECT_TRUE(rows[27].starts_with("97200000000|") && rows[27].ends_with("|2800")) << rows[27];
  const auto keyed = run(sample_plan(scan(make_table(test_rows(100'000, 3), 4096)), 1, 'h', true));
  ASSERT_EQ(keyed.size(), 84u);
  EXPECT_EQ(keyed[0], "0|t0|559200|1200");
}

TEST_F(OperatorTest, SampleByFills) {
  const auto table = make_table({{0, "a", 1, 0}, {0, "b", 2, 0}, {3'000'000, "a", 7, 0}});
  using Fill = SampleSpec::Fill;
  const auto with = [&](Fill fill) {
    PlanPtr plan = sample_plan(scan(table), 1, 's', true);
    plan->sample.fill = {fill, Fill::kNull};
    plan->sample.fill_values = {real(-1), big(0)};
    return plan;
  };
  EXPECT_THAT(
      run(with(Fill::kNull)),
      ElementsAre("0|a|1|1", "0|b|2|1", "1000000|a|NULL|NULL", "1000000|b|NULL|NULL", "2000000|a|NULL|NULL",
                  "2000000|b|NULL|NULL", "3000000|a|7|1", "3000000|b|NULL|NULL"));
  EXPECT_THAT(run(with(Fill::kPrev)),
              ElementsAre("0|a|1|1", "0|b|2|1", "1000000|a|1|NULL", "1000000|b|2|NULL", "2000000|a|1|NULL",
                          "2000000|b|2|NULL", "3000000|a|7|1", "3000000|b|2|NULL"));
  EXPECT_THAT(run(with(Fill::kLinear)),
              ElementsAre("0|a|1|1", "0|b|2|1", "1000000|a|3|NULL", "1000000|b|NULL|NULL", "2000000|a|5|NULL",
                          "2000000|b|NULL|NULL", "3000000|a|7|1", "3000000|b|NULL|NULL"));
  EXPECT_THAT(run(with(Fill::kValue)),
              ElementsAre("0|a|1|1", "0|b|2|1", "1000000|a|-1|NULL", "1000000|b|-1|NULL", "2000000|a|-1|NULL",
                          "2000000|b|-1|NULL", "3000000|a|7|1", "3000000|b|-1|NULL"));
}

TEST_F(OperatorTest, SampleByFromAndTo) {
  PlanPtr plan = sample_plan(
      scan(make_table({{0, "a", 1, 0}, {1'500'000, "a", 2, 0}, {9'000'000, "a", 4, 0}})), 1, 's', false);
  plan->sample.from = 1'000'000;
  plan->sample.to = 4'000'000;
  plan->sample.fill = {SampleSpec::Fill::kNull};
  EXPECT_THAT(run(plan), ElementsAre("1000000|2|1", "2000000|NULL|NULL", "3000000|NULL|NULL"));
}

TEST_F(OperatorTest, SampleByMonthInAZoneWithSummerTime) {
  // 2024-03-31 00:30 and 2024-03-31 22:30 UTC: in Berlin the second is 1 April, 00:30 (summer time).
  PlanPtr plan =
      sample_plan(scan(make_table({{1'711'845'000'000'000, "a", 1, 0}, {1'711'924'200'000'000, "a", 2, 0}})),
                  1, 'M', false);
  plan->sample.time_zone = "Europe/Berlin";
  EXPECT_THAT(run(plan), ElementsAre("1709247600000000|1|1", "1711922400000000|2|1"));
}

TEST_F(OperatorTest, SampleByFirstObservation) {
  PlanPtr plan = sample_plan(
      scan(make_table({{500, "a", 1, 0}, {1'000'400, "a", 2, 0}, {1'000'600, "a", 4, 0}})), 1, 's', false);
  plan->sample.align_to_calendar = false;
  EXPECT_THAT(run(plan), ElementsAre("500|3|2", "1000500|4|1"));
}

PlanPtr latest_plan(PlanPtr child) {
  PlanPtr plan = std::make_shared<LogicalPlan>();
  plan->kind = PlanKind::kLatestOn;
  plan->columns = child->columns;
  plan->children = {std::move(child)};
  plan->timestamp_column = 0;
  plan->partition_columns = {1};
  return plan;
}

TEST_F(OperatorTest, LatestOnScanAndOnOtherInputs) {
  const std::vector<TestRow> rows = {{1, "a", 1, 1}, {2, "b", 2, 2}, {3, "", 3, 3},
                                     {4, "a", 4, 4}, {4, "a", 5, 5}, {6, "c", 6, 6}};
  const auto expected = ElementsAre("2|b|2|2", "3|NULL|3|3", "4|a|5|5", "6|c|6|6");
  EXPECT_THAT(run(latest_plan(scan(make_table(rows)))), expected);
  PlanPtr filter = node(PlanKind::kFilter, {}, {scan(make_table(rows))});
  filter->columns = filter->children[0]->columns;
  filter->expressions.push_back(less(column(3, TypeId::kBigInt), integer(100)));
  EXPECT_THAT(run(latest_plan(filter)), expected);
  EXPECT_EQ(run(latest_plan(scan(make_table(test_rows(100'000, 50), 4096)))).size(), 50u);
}

}  // namespace
}  // namespace idem::test
