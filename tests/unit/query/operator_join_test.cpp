#include "query/prepared_plan.h"
#include "tests/unit/query/operator_fixture.h"

namespace idem::test {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

PlanPtr join_plan(JoinType type, PlanPtr left, PlanPtr right, bool keyed = true) {
  PlanPtr plan = node(PlanKind::kJoin, {});
  plan->columns = left->columns;
  if (type != JoinType::kSemi && type != JoinType::kAnti) {
    plan->columns.insert(plan->columns.end(), right->columns.begin(), right->columns.end());
  }
  plan->join_type = type;
  if (keyed)
    plan->join_keys.emplace_back(column(0, left->columns[0].type), column(0, right->columns[0].type));
  plan->children = {std::move(left), std::move(right)};
  return plan;
}

PlanPtr left_side() {
  return values(
      {TypeId::kBigInt, TypeId::kVarchar},
      {{big(1), str("a")}, {big(2), str("b")}, {Value::null(TypeId::kBigInt), str("n")}, {big(3), str("c")}});
}
PlanPtr right_side() {
  return values({TypeId::kBigInt, TypeId::kBigInt}, {{big(3), big(30)},
                                                     {big(1), big(10)},
                                                     {big(1), big(11)},
                                                     {big(9), big(90)},
                                                     {Value::null(TypeId::kBigInt), big(0)}});
}

TEST_F(OperatorTest, JoinsByKey) {
  EXPECT_THAT(run(join_plan(JoinType::kInner, left_side(), right_side())),
              ElementsAre("1|a|1|10", "1|a|1|11", "3|c|3|30"));
  EXPECT_THAT(run(join_plan(JoinType::kLeft, left_side(), right_side())),
              ElementsAre("1|a|1|10", "1|a|1|11", "2|b|NULL|NULL", "NULL|n|NULL|NULL", "3|c|3|30"));
  EXPECT_THAT(run(join_plan(JoinType::kRight, left_side(), right_side())),
              ElementsAre("1|a|1|10", "1|a|1|11", "3|c|3|30", "NULL|NULL|9|90", "NULL|NULL|NULL|0"));
  EXPECT_THAT(run(join_plan(JoinType::kFull, left_side(), right_side())),
              ElementsAre("1|a|1|10", "1|a|1|11", "2|b|NULL|NULL", "NULL|n|NULL|NULL", "3|c|3|30",
                          "NULL|NULL|9|90", "NULL|NULL|NULL|0"));
  EXPECT_THAT(run(join_plan(JoinType::kSemi, left_side(), right_side())), ElementsAre("1|a", "3|c"));
  EXPECT_THAT(run(join_plan(JoinType::kAnti, left_side(), right_side())), ElementsAre("2|b", "NULL|n"));
}

TEST_F(OperatorTest, JoinConditionDecidesWhatAMatchIs) {
  const auto with = [](JoinType type) {
    PlanPtr plan = join_plan(type, left_side(), right_side());
    plan->join_condition = less(integer(10), column(3, TypeId::kBigInt));
    return plan;
  };
  EXPECT_THAT(run(with(JoinType::kInner)), ElementsAre("1|a|1|11", "3|c|3|30"));
  EXPECT_THAT(run(with(JoinType::kLeft)),
              ElementsAre("1|a|1|11", "2|b|NULL|NULL", "NULL|n|NULL|NULL", "3|c|3|30"));
  EXPECT_THAT(run(with(JoinType::kFull)),
              ElementsAre("1|a|1|11", "2|b|NULL|NULL", "NULL|n|NULL|NULL", "3|c|3|30", "NULL|NULL|1|10",
                          "NULL|NULL|9|90", "NULL|NULL|NULL|0"));
  EXPECT_THAT(run(with(JoinType::kSemi)), ElementsAre("1|a", "3|c"));
  EXPECT_THAT(run(with(JoinType::kAnti)), ElementsAre("2|b", "NULL|n"));
}

TEST_F(OperatorTest, NestedLoopTriesEveryPair) {
  PlanPtr plan = join_plan(JoinType::kLeft, left_side(), right_side(), false);
  plan->join_condition = less(column(2, TypeId::kBigInt), column(0, TypeId::kBigInt));
  EXPECT_THAT(run(plan), ElementsAre("1|a|NULL|NULL", "2|b|1|10", "2|b|1|11", "NULL|n|NULL|NULL", "3|c|1|10",
                                     "3|c|1|11"));
  EXPECT_EQ(run(join_plan(JoinType::kCross, left_side(), right_side(), false)).size(), 20u);
  // Left rows whose pairs do not fit into one vector.
  PlanPtr many = scan(make_table(test_rows(5000, 3), 2048));
  PlanPtr wide = join_plan(JoinType::kLeft, left_side(), many, false);
  wide->join_condition = less(column(5, TypeId::kBigInt), integer(4999));
  EXPECT_EQ(run(wide).size(), 4u * 4999u);
  wide->join_condition = less(column(5, TypeId::kBigInt), integer(0));
  EXPECT_EQ(run(wide).size(), 4u);
}

TEST_F(OperatorTest, SymbolsOfDifferentDictionariesJoinAsStrings) {
  const auto left = make_table({{1, "x", 1, 1}, {2, "y", 2, 2}, {3, "z", 3, 3}, {4, "", 4, 4}});
  const auto right = make_table({{1, "z", 10, 10}, {2, "", 11, 11}, {3, "y", 12, 12}});
  PlanPtr plan = join_plan(JoinType::kInner, scan(left), scan(right), false);
  plan->join_keys.emplace_back(column(1, TypeId::kSymbol), column(1, TypeId::kSymbol));
  EXPECT_THAT(run(plan), ElementsAre("2|y|2|2|3|y|12|12", "3|z|3|3|1|z|10|10"));
  // As one of several keys, and grouped over a union.
  plan->join_keys.emplace_back(column(0, TypeId::kTimestamp), column(0, TypeId::kTimestamp));
  EXPECT_THAT(run(plan), IsEmpty());
  PlanPtr both = scan(left);
  PlanPtr all = node(PlanKind::kUnionAll, {}, {scan(left), scan(right)});
  all->columns = both->columns;
  PlanPtr groups = node(PlanKind::kAggregate, {TypeId::kSymbol, TypeId::kDouble}, {all});
  groups->groups.push_back(column(1, TypeId::kSymbol));
  groups->aggregates.push_back(aggregate(sum_function(), column(2, TypeId::kDouble)));
  EXPECT_THAT(run(groups), ElementsAre("x|1", "y|14", "z|13", "NULL|15"));
}

TEST_F(OperatorTest, LargeJoinInParallel) {
  const auto table = make_table(test_rows(60'000, 11), 4096);
  PlanPtr plan = join_plan(JoinType::kInner, scan(table), scan(table), false);
  plan->join_keys.emplace_back(column(3, TypeId::kBigInt), column(3, TypeId::kBigInt));
  const auto rows = run(plan);
  ASSERT_EQ(rows.size(), 60'000u);
  for (size_t i = 0; i < rows.size(); i += 997)
    EXPECT_TRUE(rows[i].ends_with("|" + std::to_string(i))) << rows[i];
}

PlanPtr asof_plan(JoinType type, PlanPtr left, PlanPtr right, bool keyed) {
  PlanPtr plan = join_plan(type, std::move(left), std::move(right), false);
  if (keyed) plan->join_keys.emplace_back(column(1, TypeId::kSymbol), column(1, TypeId::kSymbol));
  return plan;
}

TEST_F(OperatorTest, AsofTakesTheLastBefore) {
  const auto left = make_table({{5, "a", 1, 1}, {10, "a", 2, 2}, {10, "b", 3, 3}, {20, "c", 4, 4}});
  const auto right = make_table({{6, "a", 10, 10}, {7, "b", 11, 11}, {10, "a", 12, 12}});
  EXPECT_THAT(run(asof_plan(JoinType::kAsof, scan(left), scan(right), true)),
              ElementsAre("5|a|1|1|NULL|NULL|NULL|NULL", "10|a|2|2|10|a|12|12", "10|b|3|3|7|b|11|11",
                          "20|c|4|4|NULL|NULL|NULL|NULL"));
  EXPECT_THAT(run(asof_plan(JoinType::kLt, scan(left), scan(right), true)),
              ElementsAre("5|a|1|1|NULL|NULL|NULL|NULL", "10|a|2|2|6|a|10|10", "10|b|3|3|7|b|11|11",
                          "20|c|4|4|NULL|NULL|NULL|NULL"));
  PlanPtr within = asof_plan(JoinType::kAsof, scan(left), scan(right), false);
  within->tolerance_micros = 9;
  EXPECT_THAT(run(within), ElementsAre("5|a|1|1|NULL|NULL|NULL|NULL", "10|a|2|2|10|a|12|12",
                                       "10|b|3|3|10|a|12|12", "20|c|4|4|NULL|NULL|NULL|NULL"));
}

TEST_F(OperatorTest, AsofOverManyMorsels) {
  const auto table = make_table(test_rows(300'000, 5), 8192);
  const auto rows = run(asof_plan(JoinType::kAsof, scan(table), scan(table), true));
  ASSERT_EQ(rows.size(), 300'000u);
  for (size_t i = 0; i < rows.size(); i += 1009)
    EXPECT_TRUE(rows[i].ends_with("|" + std::to_string(i))) << rows[i];
}

// Few keys at first and many later on, two kinds of keys, and rows that must be sorted: each left row meets its own right row.
TEST_F(OperatorTest, AsofNumbersKeysInPieces) {
  std::vector<TestRow> rows = test_rows(300'000, 5);
  for (size_t i = 100'000; i < rows.size(); ++i) rows[i].ticker = "u" + std::to_string(i % 90'000);
  const auto table = make_table(rows, 8192);
  std::reverse(rows.begin() + 1000, rows.end() - 1000);
  const auto unordered = make_table(rows, 8192);
  const auto own_row_of_each = [&](const PlanPtr& plan) {
    const auto found = run(plan);
    ASSERT_EQ(found.size(), rows.size());
    for (size_t i = 0; i < found.size(); i += 1009)
      EXPECT_TRUE(found[i].ends_with("|" + std::to_string(i))) << found[i];
  };
  own_row_of_each(asof_plan(JoinType::kAsof, scan(table), scan(table), true));
  own_row_of_each(asof_plan(JoinType::kAsof, scan(table), scan(unordered), true));
  PlanPtr two_keys = asof_plan(JoinType::kAsof, scan(table), scan(unordered), true);
  two_keys->join_keys.emplace_back(column(2, TypeId::kDouble), column(2, TypeId::kDouble));
  own_row_of_each(two_keys);
}

TEST_F(OperatorTest, LateralRunsTheRightSideForEachRow) {
  PlanPtr right = values({TypeId::kBigInt}, {});
  right->rows.emplace_back();
  right->rows.back().push_back(BoundExpression::slot(0, TypeId::kBigInt));
  PlanPtr filter = node(PlanKind::kFilter, {TypeId::kBigInt}, {right});
  filter->expressions.push_back(less(column(0, TypeId::kBigInt), integer(3)));
  PlanPtr plan = join_plan(JoinType::kLeft, left_side(), filter, false);
  plan->correlated.emplace_back(0, column(0, TypeId::kBigInt));
  EXPECT_THAT(run(plan, {}, 1), ElementsAre("1|a|1", "2|b|2", "NULL|n|NULL", "3|c|NULL"));
}

TEST_F(OperatorTest, PreparedPlanSeesNewSlotsEachTime) {
  PlanPtr filter = node(PlanKind::kFilter, {TypeId::kBigInt, TypeId::kBigInt}, {right_side()});
  filter->expressions.push_back(equal(column(0, TypeId::kBigInt), BoundExpression::slot(0, TypeId::kBigInt)));
  EvaluationState state;
  state.context = context_.get();
  state.slots.resize(1);
  PreparedPlan prepared(filter, *context_);
  std::vector<size_t> counts;
  for (const int64_t key : {1, 2, 3, 1}) {
    state.slots[0] = big(key);
    size_t rows = 0;
    prepared.run(state, [&](DataChunk& chunk) {
      rows += chunk.count();
      return true;
    });
    counts.push_back(rows);
  }
  EXPECT_THAT(counts, ElementsAre(2u, 0u, 1u, 2u));
}

TEST_F(OperatorTest, RecursionEndsWhenNothingIsNew) {
  // WITH RECURSIVE r(n) AS (VALUES (1.0) UNION SELECT -n FROM r)
  PlanPtr working = node(PlanKind::kWorkingTable, {TypeId::kDouble});
  working->shared_id = 7;
  PlanPtr step = node(PlanKind::kProject, {TypeId::kDouble}, {working});
  step->expressions.push_back(negative(column(0, TypeId::kDouble)));
  PlanPtr plan =
      node(PlanKind::kRecursive, {TypeId::kDouble}, {values({TypeId::kDouble}, {{real(1)}}), step});
  plan->shared_id = 7;
  EXPECT_THAT(run(plan), ElementsAre("1", "-1"));
}

PlanPtr sort_plan(PlanPtr child, uint32_t key, bool descending, bool nulls_first) {
  PlanPtr plan = std::make_shared<LogicalPlan>();
  plan->kind = PlanKind::kSort;
  plan->columns = child->columns;
  plan->sort_keys.push_back({column(key, child->columns[key].type), descending, nulls_first});
  plan->children = {std::move(child)};
  return plan;
}

TEST_F(OperatorTest, SortPutsNullsWhereAsked) {
  EXPECT_THAT(run(sort_plan(left_side(), 0, false, false)), ElementsAre("1|a", "2|b", "3|c", "NULL|n"));
  EXPECT_THAT(run(sort_plan(left_side(), 0, true, true)), ElementsAre("NULL|n", "3|c", "2|b", "1|a"));
  EXPECT_THAT(run(sort_plan(left_side(), 0, false, true)), ElementsAre("NULL|n", "1|a", "2|b", "3|c"));
  EXPECT_THAT(run(sort_plan(left_side(), 1, true, false)), ElementsAre("NULL|n", "3|c", "2|b", "1|a"));
}

TEST_F(OperatorTest, SortIsStableAndLarge) {
  const auto rows = run(sort_plan(scan(make_table(test_rows(100'000, 3), 4096)), 2, true, false));
  ASSERT_EQ(rows.size(), 100'000u);
  EXPECT_EQ(rows[0], "999000000|t0|999|999");
  EXPECT_EQ(rows[1], "1999000000|t1|999|1999");
  EXPECT_EQ(rows[100], "998000000|t2|998|998");
  PlanPtr two = sort_plan(scan(make_table(test_rows(100'000, 3), 4096)), 1, true, false);
  two->sort_keys.push_back({negative(column(3, TypeId::kBigInt)), false, false});
  const auto by_two = run(two);
  EXPECT_EQ(by_two[0], "99998000000|t2|998|99998");
  EXPECT_EQ(by_two.back(), "0|t0|0|0");
}

TEST_F(OperatorTest, TopRows) {
  const auto table = make_table(test_rows(100'000, 3), 4096);
  EXPECT_THAT(run(limit(sort_plan(scan(table), 3, true, true), 2, 1)),
              ElementsAre("99998000000|t2|998|99998", "99997000000|t1|997|99997"));
  EXPECT_THAT(run(limit(sort_plan(scan(table), 2, false, false), 3)),
              ElementsAre("0|t0|0|0", "1000000000|t1|0|1000", "2000000000|t2|0|2000"));
  EXPECT_THAT(run(limit(sort_plan(scan(table), 3, false, false), -1)),
              ElementsAre("99999000000|t0|999|99999"));
  PlanPtr computed = sort_plan(scan(table), 3, false, false);
  computed->sort_keys[0].expression = negative(column(3, TypeId::kBigInt));
  EXPECT_THAT(run(limit(computed, 1)), ElementsAre("99999000000|t0|999|99999"));
}

}  // namespace
}  // namespace idem::test
