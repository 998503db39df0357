#include "tests/unit/query/operator_fixture.h"

namespace idem::test {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

TEST_F(OperatorTest, ValuesComeAsTheyAre) {
  EXPECT_THAT(run(values({TypeId::kBigInt, TypeId::kVarchar},
                         {{big(1), str("a")}, {big(2), Value::null(TypeId::kVarchar)}})),
              ElementsAre("1|a", "2|NULL"));
}

TEST_F(OperatorTest, ScanKeepsTableOrderAcrossWorkers) {
  const auto rows = run(scan(make_table(test_rows(100'000, 7), 4096)));
  ASSERT_EQ(rows.size(), 100'000u);
  for (size_t i = 0; i < rows.size(); ++i) ASSERT_TRUE(rows[i].ends_with("|" + std::to_string(i))) << rows[i];
}

TEST_F(OperatorTest, ScanFiltersInside) {
  PlanPtr plan = scan(make_table(test_rows(50'000, 7), 4096));
  plan->scan_filter = less(column(3, TypeId::kBigInt), integer(3));
  EXPECT_THAT(run(plan), ElementsAre("0|t0|0|0", "1000000|t1|1|1", "2000000|t2|2|2"));
}

TEST_F(OperatorTest, SymbolEqualityIsByCode) {
  PlanPtr plan = scan(make_table(test_rows(20, 7)));
  plan->scan_filter = equal(column(1, TypeId::kSymbol), text("t3"));
  EXPECT_THAT(run(plan), ElementsAre("3000000|t3|3|3", "10000000|t3|10|10", "17000000|t3|17|17"));
  plan->scan_filter = equal(column(1, TypeId::kSymbol), text("nobody"));
  EXPECT_THAT(run(plan), IsEmpty());
}

TEST_F(OperatorTest, DynamicBoundNarrowsTime) {
  PlanPtr plan = scan(make_table(test_rows(10'000, 7), 2048));
  DynamicBound bound;
  bound.column = 0;
  bound.op = DynamicBound::Op::kLess;
  bound.value = BoundExpression::slot(0, TypeId::kTimestamp);
  plan->dynamic_bounds.push_back(std::move(bound));
  plan->scan_filter = less(column(0, TypeId::kTimestamp), BoundExpression::slot(0, TypeId::kTimestamp));
  EXPECT_THAT(run(plan, {Value::of_int(TypeId::kTimestamp, 2'000'000)}),
              ElementsAre("0|t0|0|0", "1000000|t1|1|1"));
  EXPECT_THAT(run(plan, {Value::null(TypeId::kTimestamp)}), IsEmpty());
}

TEST_F(OperatorTest, LimitStopsAndOffsetSkips) {
  PlanPtr plan = node(PlanKind::kProject, {TypeId::kBigInt}, {scan(make_table(test_rows(100'000, 7), 4096))});
  plan->expressions.push_back(column(3, TypeId::kBigInt));
  EXPECT_THAT(run(limit(plan, 2, 90'000)), ElementsAre("90000", "90001"));
  EXPECT_THAT(run(limit(plan, 0)), IsEmpty());
  EXPECT_THAT(run(limit(plan, -2)), ElementsAre("99998", "99999"));
}

TEST_F(OperatorTest, BackwardsIsTheReverse) {
  PlanPtr plan = scan(make_table(test_rows(5000, 7), 2048));
  plan->backwards = true;
  EXPECT_THAT(run(limit(plan, 2)), ElementsAre("4999000000|t1|999|4999", "4998000000|t0|998|4998"));
}

TEST_F(OperatorTest, UnionAllIsInOrder) {
  PlanPtr one = values({TypeId::kBigInt}, {{big(1)}, {big(2)}});
  PlanPtr two = values({TypeId::kBigInt}, {{big(3)}});
  EXPECT_THAT(run(node(PlanKind::kUnionAll, {TypeId::kBigInt}, {one, two})), ElementsAre("1", "2", "3"));
}

TEST_F(OperatorTest, AbandonedStreamStopsItsWorkers) {
  auto result = stream(scan(make_table(test_rows(200'000, 7), 4096)));
  DataChunk chunk;
  for (int i = 0; i < 4; ++i) ASSERT_TRUE(result->next(&chunk));
  result.reset();
  EXPECT_EQ(budget_.used(), 0u);
}

TEST_F(OperatorTest, CancelEndsTheQueryOnce) {
  auto result = stream(scan(make_table(test_rows(200'000, 7), 4096)));
  DataChunk chunk;
  ASSERT_TRUE(result->next(&chunk));
  cancel_.cancel();
  EXPECT_THROW(while (result->next(&chunk)){}, SqlError);
  EXPECT_FALSE(result->next(&chunk));
}

TEST_F(OperatorTest, BudgetIsKept) {
  budget_.set_limit(1 << 20);
  PlanPtr sort =
      node(PlanKind::kSort, {TypeId::kTimestamp, TypeId::kSymbol, TypeId::kDouble, TypeId::kBigInt},
           {scan(make_table(test_rows(100'000, 7), 4096))});
  sort->sort_keys.push_back({column(2, TypeId::kDouble), true, true});
  try {
    run(sort);
    FAIL();
  } catch (const SqlError& error) { EXPECT_EQ(error.sqlstate(), sqlstate::kOutOfMemory); }
  EXPECT_EQ(budget_.used(), 0u);
}

}  // namespace
}  // namespace idem::test
