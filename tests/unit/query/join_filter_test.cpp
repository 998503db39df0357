// What a hash join tells the scans of its left rows.
#include "query/join_filter.h"

#include <algorithm>

#include "query/prepared_plan.h"
#include "query/query_profile.h"
#include "tests/unit/query/operator_fixture.h"

namespace idem::test {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr uint32_t kTicker = 1, kAmount = 3;

PlanPtr joined(JoinType type, PlanPtr left, PlanPtr right, uint32_t key, uint32_t right_key) {
  PlanPtr plan = node(PlanKind::kJoin, {});
  plan->columns = left->columns;
  if (type != JoinType::kSemi && type != JoinType::kAnti)
    plan->columns.insert(plan->columns.end(), right->columns.begin(), right->columns.end());
  plan->join_type = type;
  plan->join_keys.emplace_back(column(key, left->columns[key].type),
                               column(right_key, right->columns[right_key].type));
  plan->children = {std::move(left), std::move(right)};
  return plan;
}

PlanPtr joined(JoinType type, PlanPtr left, PlanPtr right, uint32_t key) {
  return joined(type, std::move(left), std::move(right), key, key);
}

PlanPtr small_scan() { return scan(make_table(test_rows(10, 2))); }

PlanPtr over(PlanKind kind, PlanPtr child) {
  PlanPtr plan = node(kind, {}, {child});
  plan->columns = child->columns;
  return plan;
}

// The table columns of the keys that each scan below the left side of the join can look at.
std::vector<std::vector<uint32_t>> filtered_columns(const PlanPtr& join) {
  std::vector<std::vector<uint32_t>> found;
  for (const FilteredScan& scan : filtered_scans(*join)) {
    std::vector<uint32_t>& columns = found.emplace_back();
    for (const JoinFilter::Key& key : scan.filter.keys) columns.push_back(key.table_column);
  }
  return found;
}

TEST(JoinFilterTest, OnlyJoinsThatDropLeftRowsHaveOne) {
  const auto columns_of = [](JoinType type) {
    return filtered_columns(joined(type, small_scan(), small_scan(), kAmount));
  };
  for (const JoinType type : {JoinType::kInner, JoinType::kRight, JoinType::kSemi})
    EXPECT_THAT(columns_of(type), ElementsAre(ElementsAre(kAmount)));
  for (const JoinType type : {JoinType::kLeft, JoinType::kFull, JoinType::kAnti})
    EXPECT_THAT(columns_of(type), IsEmpty());
  PlanPtr without_keys = joined(JoinType::kInner, small_scan(), small_scan(), kAmount);
  without_keys->join_keys.clear();
  EXPECT_THAT(filtered_columns(without_keys), IsEmpty());
}

TEST(JoinFilterTest, ScansAreFoundThroughWhatDropsNoOtherRow) {
  const auto columns_below = [](PlanPtr left, uint32_t key = kAmount) {
    return filtered_columns(joined(JoinType::kInner, std::move(left), small_scan(), key, kAmount));
  };
  EXPECT_THAT(columns_below(over(PlanKind::kFilter, small_scan())), ElementsAre(ElementsAre(kAmount)));
  EXPECT_THAT(columns_below(over(PlanKind::kSort, small_scan())), ElementsAre(ElementsAre(kAmount)));
  PlanPtr both = over(PlanKind::kUnionAll, small_scan());
  both->children.push_back(small_scan());
  EXPECT_THAT(columns_below(both), ElementsAre(ElementsAre(kAmount), ElementsAre(kAmount)));
  EXPECT_THAT(columns_below(joined(JoinType::kLeft, small_scan(), small_scan(), kAmount)),
              ElementsAre(ElementsAre(kAmount)));
  // Which rows these give depends on all rows below them.
  EXPECT_THAT(columns_below(limit(small_scan(), 5)), IsEmpty());
  EXPECT_THAT(columns_below(over(PlanKind::kWindow, small_scan())), IsEmpty());
  EXPECT_THAT(columns_below(joined(JoinType::kRight, small_scan(), small_scan(), kAmount)), IsEmpty());
  // A column of the right side of the join below.
  EXPECT_THAT(columns_below(joined(JoinType::kInner, small_scan(), small_scan(), kAmount), 7), IsEmpty());
}

TEST(JoinFilterTest, ProjectionsAreSeenThroughWhereTheyPassAColumnOn) {
  PlanPtr project = over(PlanKind::kProject, small_scan());
  project->columns.resize(2);
  project->columns[0].type = TypeId::kDouble;
  project->columns[1].type = TypeId::kBigInt;
  project->expressions.push_back(negative(column(2, TypeId::kDouble)));
  project->expressions.push_back(column(kAmount, TypeId::kBigInt));
  PlanPtr join = joined(JoinType::kInner, project, small_scan(), 1);
  join->join_keys[0].second = column(kAmount, TypeId::kBigInt);
  ASSERT_THAT(filtered_columns(join), ElementsAre(ElementsAre(kAmount)));
  EXPECT_TRUE(filtered_scans(*join)[0].filter.has_all_keys);
  join->join_keys.emplace_back(column(0, TypeId::kDouble), column(2, TypeId::kDouble));
  ASSERT_THAT(filtered_columns(join), ElementsAre(ElementsAre(kAmount)));
  EXPECT_FALSE(filtered_scans(*join)[0].filter.has_all_keys);
}

class JoinFilterRunTest : public OperatorTest {
 protected:
  // Rows of an inner join, which are those that a join without a filter gives.
  std::vector<std::string> filtered_rows(const PlanPtr& left, const PlanPtr& right, uint32_t key) {
    PlanPtr with_all = joined(JoinType::kLeft, left, right, key);
    PlanPtr partners = over(PlanKind::kFilter, with_all);
    BoundPtr has_none = BoundExpression::make(BoundKind::kIsNull, TypeId::kBoolean, {});
    has_none->children.push_back(column(4 + key, right->columns[key].type));
    BoundPtr has_one = BoundExpression::make(BoundKind::kNot, TypeId::kBoolean, {});
    has_one->children.push_back(std::move(has_none));
    partners->expressions.push_back(std::move(has_one));
    const std::vector<std::string> expected = run(partners);
    context_->profile = &profile_;
    const std::vector<std::string> rows = run(joined(JoinType::kInner, left, right, key));
    context_->profile = nullptr;
    EXPECT_EQ(rows, expected);
    return rows;
  }

  QueryProfile profile_;
};

TEST_F(JoinFilterRunTest, ScanSkipsVectorsBeyondTheKeys) {
  const PlanPtr left = scan(make_table(test_rows(60'000, 11), 8192));
  const PlanPtr right = scan(make_table({{1, "x", 1, 30'000}, {2, "y", 2, 30'007}}));
  EXPECT_EQ(filtered_rows(left, right, kAmount).size(), 2u);
  EXPECT_EQ(profile_.find(*left)->vectors_read, 1u);
}

TEST_F(JoinFilterRunTest, KeysAreLookedUpWhereTheirRangeSaysNothing) {
  // The first and the last amount, one between, and one that no row has.
  const PlanPtr left = scan(make_table(test_rows(60'000, 11), 8192));
  const PlanPtr right =
      scan(make_table({{1, "x", 1, 0}, {2, "y", 2, 31'234}, {3, "z", 3, 59'999}, {4, "", 4, 70'000}}));
  EXPECT_EQ(filtered_rows(left, right, kAmount).size(), 3u);
}

TEST_F(JoinFilterRunTest, SymbolsOfTwoDictionaries) {
  const PlanPtr left = scan(make_table(test_rows(60'000, 200), 8192));
  const PlanPtr right =
      scan(make_table({{1, "t7", 1, 0}, {2, "none", 2, 1}, {3, "", 3, 2}, {4, "t199", 4, 3}}));
  EXPECT_EQ(filtered_rows(left, right, kTicker).size(), 600u);
}

TEST_F(JoinFilterRunTest, MostRowsHavingAPartnerEndsTheSearch) {
  const PlanPtr left = scan(make_table(test_rows(100'000, 3), 8192));
  const PlanPtr right = scan(make_table({{1, "t0", 1, 0}, {2, "t1", 2, 1}}));
  EXPECT_EQ(filtered_rows(left, right, kTicker).size(), 66'667u);
}

TEST_F(JoinFilterRunTest, NothingOnTheRightReadsNothing) {
  const PlanPtr left = scan(make_table(test_rows(60'000, 11), 8192));
  EXPECT_THAT(filtered_rows(left, scan(make_table({})), kAmount), IsEmpty());
  const auto* of_left = profile_.find(*left);
  EXPECT_TRUE(of_left == nullptr || of_left->vectors_read == 0);
}

TEST_F(JoinFilterRunTest, FilterOfTheLastRunIsForgotten) {
  // A prepared plan: the second run has other right rows.
  const PlanPtr left = scan(make_table(test_rows(60'000, 11), 8192));
  PlanPtr right = values({TypeId::kTimestamp, TypeId::kVarchar, TypeId::kDouble, TypeId::kBigInt}, {});
  right->rows.emplace_back();
  for (const SqlType type : {TypeId::kTimestamp, TypeId::kVarchar, TypeId::kDouble})
    right->rows[0].push_back(BoundExpression::constant(Value::null(type)));
  right->rows[0].push_back(BoundExpression::slot(0, TypeId::kBigInt));
  PreparedPlan join(joined(JoinType::kSemi, left, right, kAmount), *context_);
  EvaluationState state{context_.get(), {big(0)}};
  for (const int64_t amount : {17, 59'990, 2}) {
    state.slots[0] = big(amount);
    std::vector<int64_t> found;
    join.run(state, [&](DataChunk& chunk) {
      for (uint32_t i = 0; i < chunk.count(); ++i)
        found.push_back(chunk.columns[kAmount].value_at(chunk.selection[i]).as_int());
      return true;
    });
    EXPECT_THAT(found, ElementsAre(amount));
  }
}

}  // namespace
}  // namespace idem::test
