// Sorts, joins and aggregations with too little memory give what they give with enough of it.
#include <algorithm>

#include "common/simulated_file.h"
#include "common/temporary_folder.h"
#include "query/query_profile.h"
#include "query/session.h"
#include "query/spill_partitions.h"
#include "tests/unit/query/operator_fixture.h"

namespace idem::test {
namespace {

constexpr uint64_t kLittle = 8 << 20;

class SpillTest : public OperatorTest {
 protected:
  SpillTest() : temporary_(files_, "data/tmp") {
    server_.temporary = &temporary_;
    context_->server = &server_;
  }
  ~SpillTest() override { EXPECT_EQ(budget_.used(), 0u); }

  void limit_memory(uint64_t bytes) { budget_.set_limit(bytes); }

  // The rows with much and with little memory are the same, in the same order or not, and temporary files were used.
  void expect_same(const PlanPtr& plan, bool in_order = false, uint64_t little = kLittle) {
    limit_memory(MemoryBudget::kUnlimited);
    std::vector<std::string> expected = run(plan);
    ASSERT_EQ(files_.bytes_written(), written_);
    limit_memory(little);
    if (!in_order) std::sort(expected.begin(), expected.end());
    for (const bool slowly : {false, true}) {
      SCOPED_TRACE(slowly ? "slow reader" : "fast reader");
      expect_rows(plan, slowly, in_order, expected);
    }
  }

  void expect_rows(const PlanPtr& plan, bool slowly, bool in_order,
                   const std::vector<std::string>& expected) {
    std::vector<std::string> rows;
    try {
      rows = slowly ? run_for_slow_reader(plan) : run(plan);
    } catch (const SqlError& error) { FAIL() << error.what() << ": " << error.detail(); }
    EXPECT_GT(files_.bytes_written(), written_) << "nothing was put out";
    written_ = files_.bytes_written();
    EXPECT_TRUE(files_.list("data/tmp").value_or_throw().empty());
    if (!in_order) std::sort(rows.begin(), rows.end());
    ASSERT_EQ(rows.size(), expected.size());
    const auto differ = std::mismatch(rows.begin(), rows.end(), expected.begin());
    if (differ.first != rows.end()) {
      ADD_FAILURE() << "row " << differ.first - rows.begin() << " is " << *differ.first << " instead of "
                    << *differ.second;
    }
  }

  std::string sqlstate_of(const PlanPtr& plan) {
    try {
      run(plan);
    } catch (const SqlError& error) { return std::string(error.sqlstate()); }
    return "";
  }

  SimulatedFileSystem files_;
  TemporaryFolder temporary_;
  ServerContext server_;
  uint64_t written_ = 0;
};

// `count` rows; every 7th has no ticker, prices repeat, amounts are all different but not in order.
std::vector<TestRow> mixed_rows(size_t count, size_t tickers, int64_t seed = 0) {
  std::vector<TestRow> rows;
  for (size_t i = 0; i < count; ++i) {
    const auto mixed = static_cast<int64_t>((i * 7919 + static_cast<size_t>(seed)) % count);
    rows.push_back({static_cast<int64_t>(i) * 1'000'000,
                    i % 7 == 0 ? "" : "ticker" + std::to_string(i * 31 % tickers),
                    static_cast<double>(mixed % 1000), mixed});
  }
  return rows;
}

PlanPtr mixed_scan(size_t count, size_t tickers, int64_t seed = 0) {
  return scan(make_table(mixed_rows(count, tickers, seed), 4096));
}

SortKey key(BoundPtr expression, bool descending = false, bool nulls_first = false) {
  return {std::move(expression), descending, nulls_first};
}

PlanPtr sorted(PlanPtr child, std::vector<SortKey> keys) {
  PlanPtr plan = node(PlanKind::kSort, {}, {child});
  plan->columns = child->columns;
  plan->sort_keys = std::move(keys);
  return plan;
}

template <class... Rest>
std::vector<SortKey> keys(Rest... rest) {
  std::vector<SortKey> out;
  (out.push_back(std::move(rest)), ...);
  return out;
}

TEST_F(SpillTest, SortsInRuns) {
  const PlanPtr rows = mixed_scan(80'000, 5000);
  expect_same(sorted(rows, keys(key(column(3, TypeId::kBigInt)))), true);
  expect_same(sorted(rows, keys(key(column(3, TypeId::kBigInt), true))), true);
  expect_same(sorted(rows, keys(key(column(2, TypeId::kDouble)))), true);  // many equal rows
  expect_same(sorted(rows, keys(key(column(1, TypeId::kSymbol)), key(column(2, TypeId::kDouble), true))),
              true);
  expect_same(
      sorted(rows, keys(key(column(1, TypeId::kSymbol), true, true), key(column(3, TypeId::kBigInt)))), true);
  expect_same(sorted(rows, keys(key(negative(column(2, TypeId::kDouble))))), true);
}

TEST_F(SpillTest, SortsWithManyRuns) {
  // So little memory that runs are merged in several rounds.
  expect_same(sorted(mixed_scan(700'000, 50), keys(key(column(3, TypeId::kBigInt)))), true, 4 << 20);
}

TEST_F(SpillTest, SortsForALargeLimit) {
  PlanPtr plan = limit(mixed_scan(160'000, 50), 120'000, 1000);
  plan->sort_keys = keys(key(column(2, TypeId::kDouble)), key(column(3, TypeId::kBigInt)));
  expect_same(plan, true);
}

LogicalPlan::Window numbered(std::vector<BoundPtr> partition, std::vector<SortKey> order) {
  LogicalPlan::Window window;
  window.function_name = "row_number";
  window.type = TypeId::kBigInt;
  window.partition_by = std::move(partition);
  window.order_by = std::move(order);
  return window;
}

TEST_F(SpillTest, WindowsByPartition) {
  const PlanPtr rows = mixed_scan(100'000, 700);
  const auto ticker = [] { return column(1, TypeId::kSymbol); };
  const auto price = [] { return column(2, TypeId::kDouble); };
  PlanPtr plan = node(PlanKind::kWindow, {}, {rows});
  plan->columns = rows->columns;
  for (int i = 0; i < 3; ++i) plan->columns.push_back({"n", TypeId::kBigInt, TableId{}, 0});
  std::vector<BoundPtr> by_ticker, by_ticker_and_price, by_price_and_ticker;
  by_ticker.push_back(ticker());
  by_ticker_and_price.push_back(ticker());
  by_ticker_and_price.push_back(price());
  by_price_and_ticker.push_back(price());
  by_price_and_ticker.push_back(ticker());
  plan->windows.push_back(numbered(std::move(by_ticker), keys(key(price(), true))));
  plan->windows.push_back(numbered(std::move(by_ticker_and_price), keys(key(column(0, TypeId::kTimestamp)))));
  plan->windows.push_back(
      numbered(std::move(by_price_and_ticker), keys(key(column(0, TypeId::kTimestamp), true))));
  expect_same(plan);
}

using Window = LogicalPlan::Window;

BoundAggregate real_aggregate(std::string_view name, BoundPtr argument) {
  const SqlType type = argument->type;
  const ResolvedAggregate resolved = resolve_aggregate(name, {&type, 1});
  BoundAggregate call;
  call.function = resolved.function;
  call.types = resolved.types;
  call.name = name;
  call.arguments.push_back(std::move(argument));
  return call;
}

// Windows in one order, by amount unless it is set after.
class WindowPlan {
 public:
  explicit WindowPlan(const PlanPtr& rows) : plan_(node(PlanKind::kWindow, {}, {rows})) {
    plan_->columns = rows->columns;
  }

  Window& add(std::string name, SqlType type) {
    Window& window = plan_->windows.emplace_back();
    window.function_name = std::move(name);
    window.type = type;
    window.order_by = keys(key(column(3, TypeId::kBigInt)));
    return window;
  }
  Window& add(BoundAggregate aggregate) {
    Window& window = add(aggregate.name, aggregate.types.result);
    window.aggregate = std::move(aggregate);
    return window;
  }
  PlanPtr plan() {
    for (const Window& window : plan_->windows)
      plan_->columns.push_back({window.function_name, window.type, TableId{}, 0});
    return plan_;
  }

 private:
  PlanPtr plan_;
};

void set_frame(Window& window, Window::Mode mode, Window::Bound start, Window::Bound end, int64_t offset) {
  window.mode = mode;
  window.start = start;
  window.end = end;
  using Bound = Window::Bound;
  if (start == Bound::kPreceding || start == Bound::kFollowing) window.start_offset = integer(offset);
  if (end == Bound::kPreceding || end == Bound::kFollowing) window.end_offset = integer(offset + 1);
}

TEST_F(SpillTest, WindowsOfOneLargePartition) {
  WindowPlan windows(mixed_scan(60'000, 700));
  for (const char* name : {"row_number", "rank", "dense_rank"}) windows.add(name, TypeId::kBigInt);
  for (const char* name : {"rank", "dense_rank"})
    windows.add(name, TypeId::kBigInt).order_by = keys(key(column(2, TypeId::kDouble)));
  windows.add("percent_rank", TypeId::kDouble).order_by = keys(key(column(2, TypeId::kDouble)));
  windows.add("cume_dist", TypeId::kDouble).order_by = keys(key(column(2, TypeId::kDouble)));
  windows.add("ntile", TypeId::kInteger)
      .arguments.push_back(BoundExpression::constant(Value::of_int(TypeId::kInteger, 7)));
  for (const char* name : {"lag", "lead"}) {
    for (const int32_t distance : {0, 1, -2, 5000}) {
      Window& other = windows.add(name, TypeId::kBigInt);
      other.arguments.push_back(column(3, TypeId::kBigInt));
      other.arguments.push_back(BoundExpression::constant(Value::of_int(TypeId::kInteger, distance)));
      other.arguments.push_back(integer(-1));
    }
  }
  for (const char* name : {"first_value", "last_value"}) {
    windows.add(name, TypeId::kSymbol).arguments.push_back(column(1, TypeId::kSymbol));
    Window& whole = windows.add(name, TypeId::kSymbol);
    whole.arguments.push_back(column(1, TypeId::kSymbol));
    whole.end = Window::Bound::kUnboundedFollowing;
  }
  expect_same(windows.plan(), false, 2 * kLittle);
}

TEST_F(SpillTest, FramesOfOneLargePartition) {
  using Bound = Window::Bound;
  using Mode = Window::Mode;
  const PlanPtr rows = mixed_scan(60'000, 700);
  const std::pair<Bound, Bound> bounds[] = {{Bound::kUnboundedPreceding, Bound::kUnboundedFollowing},
                                            {Bound::kUnboundedPreceding, Bound::kPreceding},
                                            {Bound::kUnboundedPreceding, Bound::kCurrentRow},
                                            {Bound::kUnboundedPreceding, Bound::kFollowing},
                                            {Bound::kPreceding, Bound::kFollowing},
                                            {Bound::kPreceding, Bound::kCurrentRow},
                                            {Bound::kCurrentRow, Bound::kUnboundedFollowing},
                                            {Bound::kFollowing, Bound::kUnboundedFollowing},
                                            {Bound::kFollowing, Bound::kFollowing}};
  for (const Mode mode : {Mode::kRows, Mode::kRange, Mode::kGroups}) {
    for (const auto exclude :
         {Window::Exclude::kNoOthers, Window::Exclude::kCurrentRow, Window::Exclude::kTies}) {
      SCOPED_TRACE(std::to_string(static_cast<int>(mode)) + std::to_string(static_cast<int>(exclude)));
      WindowPlan windows(rows);
      for (const auto& [start, end] : bounds) {
        for (const int64_t offset : {1, 40}) {
          std::vector<BoundAggregate> calls;
          calls.push_back(real_aggregate("max", column(3, TypeId::kBigInt)));
          calls.push_back(aggregate(count_function()));
          for (BoundAggregate& call : calls) {
            Window& window = windows.add(std::move(call));
            set_frame(window, mode, start, end, offset);
            window.exclude = exclude;
          }
        }
        Window& least = windows.add(real_aggregate("min", column(3, TypeId::kBigInt)));
        least.order_by = keys(key(column(2, TypeId::kDouble), true), key(column(3, TypeId::kBigInt)));
        if (mode == Mode::kRange) least.order_by.pop_back();
        set_frame(least, mode, start, end, 2);
        least.exclude = exclude;
      }
      expect_same(windows.plan(), false, 3 * kLittle);
    }
  }
}

TEST_F(SpillTest, WindowsInSeveralOrders) {
  WindowPlan windows(mixed_scan(60'000, 700));
  windows.add("row_number", TypeId::kBigInt);
  windows.add("rank", TypeId::kBigInt).partition_by.push_back(column(1, TypeId::kSymbol));
  Window& share = windows.add(real_aggregate("max", column(3, TypeId::kBigInt)));
  share.partition_by.push_back(column(2, TypeId::kDouble));
  share.order_by.clear();
  Window& large = windows.add("ntile", TypeId::kInteger);  // a quarter of the rows in one partition
  large.partition_by.push_back(less(column(2, TypeId::kDouble), number(250)));
  large.arguments.push_back(BoundExpression::constant(Value::of_int(TypeId::kInteger, 3)));
  expect_same(windows.plan());
}

TEST_F(SpillTest, AWindowThatNeedsAllRowsEndsWhereMemoryDoes) {
  WindowPlan windows(mixed_scan(200'000, 700));
  Window& nth = windows.add("nth_value", TypeId::kBigInt);
  nth.arguments.push_back(column(3, TypeId::kBigInt));
  nth.arguments.push_back(BoundExpression::constant(Value::of_int(TypeId::kInteger, 3)));
  limit_memory(kLittle);
  EXPECT_EQ(sqlstate_of(windows.plan()), "53200");
}

PlanPtr joined(JoinType type, PlanPtr left, PlanPtr right, uint32_t key_column) {
  PlanPtr plan = node(PlanKind::kJoin, {});
  plan->columns = left->columns;
  if (type != JoinType::kSemi && type != JoinType::kAnti)
    plan->columns.insert(plan->columns.end(), right->columns.begin(), right->columns.end());
  plan->join_type = type;
  const SqlType type_of_key = left->columns[key_column].type;
  plan->join_keys.emplace_back(column(key_column, type_of_key), column(key_column, type_of_key));
  plan->children = {std::move(left), std::move(right)};
  return plan;
}

constexpr JoinType kJoinTypes[] = {JoinType::kInner, JoinType::kLeft, JoinType::kRight,
                                   JoinType::kFull,  JoinType::kSemi, JoinType::kAnti};

TEST_F(SpillTest, JoinsByPartition) {
  // A third of the amounts of the right side are on the left too.
  const PlanPtr left = mixed_scan(45'000, 100, 5), right = mixed_scan(90'000, 3000);
  for (const JoinType type : kJoinTypes) {
    SCOPED_TRACE(static_cast<int>(type));
    expect_same(joined(type, left, right, 3));
    expect_same(joined(type, right, left, 3));
  }
}

TEST_F(SpillTest, JoinsBySymbolsOfTwoDictionariesWithNulls) {
  const PlanPtr left = mixed_scan(20'000, 20'000), right = mixed_scan(60'000, 60'000);
  for (const JoinType type : kJoinTypes) {
    SCOPED_TRACE(static_cast<int>(type));
    expect_same(joined(type, left, right, 1));
  }
}

TEST_F(SpillTest, JoinsWithACondition) {
  const PlanPtr left = mixed_scan(30'000, 100, 5), right = mixed_scan(60'000, 3000);
  for (const JoinType type : kJoinTypes) {
    SCOPED_TRACE(static_cast<int>(type));
    PlanPtr plan = joined(type, left, right, 3);
    plan->join_condition = less(column(2, TypeId::kDouble), column(6, TypeId::kDouble));
    expect_same(plan);
  }
}

TEST_F(SpillTest, JoinsWhereOneKeyIsTooLarge) {
  const PlanPtr left = mixed_scan(20, 3), right = mixed_scan(60'000, 2);
  for (const JoinType type : kJoinTypes) {
    SCOPED_TRACE(static_cast<int>(type));
    expect_same(joined(type, left, right, 1));
    PlanPtr plan = joined(type, left, right, 1);
    plan->join_condition = less(column(7, TypeId::kBigInt), column(3, TypeId::kBigInt));
    expect_same(plan);
  }
}

TEST_F(SpillTest, JoinsWithoutKeys) {
  const PlanPtr left = mixed_scan(3, 3), right = mixed_scan(60'000, 2);
  for (const JoinType type : kJoinTypes) {
    SCOPED_TRACE(static_cast<int>(type));
    PlanPtr plan = joined(type, left, right, 1);
    plan->join_keys.clear();
    plan->join_condition = less(column(7, TypeId::kBigInt), column(3, TypeId::kBigInt));
    expect_same(plan);
  }
}

PlanPtr grouped(PlanPtr child, std::vector<BoundPtr> groups, std::vector<BoundAggregate> aggregates) {
  PlanPtr plan = node(PlanKind::kAggregate, {}, {std::move(child)});
  for (const BoundPtr& group : groups) plan->columns.push_back({"g", group->type, TableId{}, 0});
  for (const BoundAggregate& a : aggregates) plan->columns.push_back({"a", a.types.result, TableId{}, 0});
  plan->groups = std::move(groups);
  plan->aggregates = std::move(aggregates);
  return plan;
}

template <class... Rest>
std::vector<BoundPtr> by(Rest... rest) {
  std::vector<BoundPtr> out;
  (out.push_back(std::move(rest)), ...);
  return out;
}
std::vector<BoundAggregate> count_sum_last() {
  std::vector<BoundAggregate> calls;
  calls.push_back(aggregate(count_function()));
  calls.push_back(aggregate(sum_function(), column(2, TypeId::kDouble)));
  calls.push_back(aggregate(last_function(), column(3, TypeId::kBigInt)));
  return calls;
}

TEST_F(SpillTest, GroupsByPartition) {
  const PlanPtr rows = mixed_scan(120'000, 40'000);
  expect_same(grouped(rows, by(column(3, TypeId::kBigInt)), count_sum_last()));
  expect_same(grouped(rows, by(column(1, TypeId::kSymbol), column(2, TypeId::kDouble)), count_sum_last()));
  expect_same(grouped(rows, by(negative(column(3, TypeId::kBigInt))), count_sum_last()));
  expect_same(grouped(rows, by(column(3, TypeId::kBigInt)), {}));
}

TEST_F(SpillTest, GroupsAreDividedAgain) {
  expect_same(grouped(mixed_scan(600'000, 50), by(column(3, TypeId::kBigInt), column(0, TypeId::kTimestamp)),
                      count_sum_last()));
}

TEST_F(SpillTest, GroupingSets) {
  PlanPtr plan = grouped(mixed_scan(120'000, 40'000),
                         by(column(1, TypeId::kSymbol), column(3, TypeId::kBigInt)), count_sum_last());
  plan->grouping_sets = {{0, 1}, {0}, {}};
  plan->with_set_index = true;
  plan->columns.push_back({"set", TypeId::kInteger, TableId{}, 0});
  expect_same(plan);
}

TEST_F(SpillTest, SetOperations) {
  const auto side = [](size_t count, int64_t seed) {
    PlanPtr rows = mixed_scan(count, 40'000, seed);
    rows->scan_columns = {1, 3};
    rows->columns = {rows->columns[1], rows->columns[3]};
    PlanPtr twice = node(PlanKind::kUnionAll, {}, {rows, rows});
    twice->columns = rows->columns;
    return twice;
  };
  const PlanPtr left = side(60'000, 0), right = side(50'000, 7);
  for (const bool except : {false, true}) {
    for (const bool all : {false, true}) {
      SCOPED_TRACE(std::to_string(except) + std::to_string(all));
      PlanPtr plan = node(PlanKind::kSetOperation, {}, {left, right});
      plan->columns = {{"ticker", TypeId::kVarchar, TableId{}, 0}, left->columns[1]};
      plan->set_except = except;
      plan->set_all = all;
      expect_same(plan);
    }
  }
}

TEST_F(SpillTest, DistinctOnOfSortedRows) {
  const auto ticker = [] { return column(1, TypeId::kSymbol); };
  const auto price = [] { return column(2, TypeId::kDouble); };
  const auto first_of = [&](std::vector<SortKey> order) {
    const PlanPtr rows = sorted(mixed_scan(80'000, 30'000), std::move(order));
    PlanPtr plan = node(PlanKind::kDistinct, {}, {rows});
    plan->columns = rows->columns;
    plan->distinct_on.push_back(ticker());
    plan->distinct_on.push_back(price());
    return plan;
  };
  expect_same(first_of(keys(key(ticker()), key(price(), true), key(column(3, TypeId::kBigInt)))), true);
  expect_same(first_of(keys(key(price()), key(ticker(), true, true))), true);
}

TEST_F(SpillTest, DistinctOnOfUnsortedRows) {
  const auto first_of = [&](std::vector<BoundPtr> expressions) {
    const PlanPtr rows = mixed_scan(150'000, 60'000);
    PlanPtr plan = node(PlanKind::kDistinct, {}, {rows});
    plan->columns = rows->columns;
    plan->distinct_on = std::move(expressions);
    return plan;
  };
  expect_same(first_of(by(column(1, TypeId::kSymbol), column(2, TypeId::kDouble))));
  expect_same(first_of(by(negative(column(3, TypeId::kBigInt)))));
}

// The numbers from 1 to `last`, and their texts.
PlanPtr counting(int64_t last, bool keep_duplicates) {
  const auto table = [](PlanKind kind, std::vector<PlanPtr> children = {}) {
    PlanPtr plan = node(kind, {TypeId::kBigInt, TypeId::kVarchar}, std::move(children));
    plan->shared_id = 1;
    return plan;
  };
  PlanPtr step =
      node(PlanKind::kProject, {TypeId::kBigInt, TypeId::kVarchar}, {table(PlanKind::kWorkingTable)});
  const auto& next = scalar(
      "next",
      [](EvaluationState&, const CallTypes&, std::span<const Vector> arguments, uint32_t size, Selection rows,
         Vector* out) {
        auto* numbers = out->allocate_as<int64_t>(TypeId::kBigInt, size);
        for (uint32_t i = 0; i < rows.count; ++i) {
          const uint32_t row = rows[i];
          numbers[row] = arguments[0].values<int64_t>()[arguments[0].is_constant() ? 0 : row] + 200;
        }
      },
      TypeId::kBigInt);
  std::vector<BoundPtr> arguments;
  arguments.push_back(column(0, TypeId::kBigInt));
  step->expressions.push_back(call(next, std::move(arguments)));
  step->expressions.push_back(column(1, TypeId::kVarchar));
  PlanPtr filter = node(PlanKind::kFilter, {TypeId::kBigInt, TypeId::kVarchar}, {std::move(step)});
  filter->expressions.push_back(less(column(0, TypeId::kBigInt), integer(last)));
  std::vector<std::vector<Value>> first;
  for (int64_t i = 0; i < 200; ++i) first.push_back({big(i), str("chain number " + std::to_string(i))});
  PlanPtr plan =
      table(PlanKind::kRecursive, {values({TypeId::kBigInt, TypeId::kVarchar}, std::move(first)), filter});
  plan->set_all = keep_duplicates;
  return plan;
}

TEST_F(SpillTest, Recursion) { expect_same(counting(150'000, true), true); }

TEST_F(SpillTest, SharedQueries) {
  const PlanPtr rows = mixed_scan(80'000, 5000);
  std::vector<PlanPtr> readers;
  for (int i = 0; i < 2; ++i) {
    readers.push_back(node(PlanKind::kMaterialize, {}, {rows}));
    readers.back()->columns = rows->columns;
    readers.back()->shared_id = 1;
  }
  PlanPtr plan = node(PlanKind::kUnionAll, {}, std::move(readers));
  plan->columns = rows->columns;
  expect_same(plan, true, 4 << 20);
}

TEST_F(SpillTest, DistinctArguments) {
  std::vector<BoundAggregate> calls;
  calls.push_back(aggregate(count_function(), column(2, TypeId::kDouble)));
  calls.back().distinct = true;
  calls.push_back(aggregate(count_function()));
  expect_same(grouped(mixed_scan(240'000, 9000), by(column(1, TypeId::kSymbol)), std::move(calls)));
}

TEST_F(SpillTest, CountsWhatWasPutOut) {
  QueryProfile profile;
  context_->profile = &profile;
  limit_memory(kLittle);
  const PlanPtr plan = sorted(mixed_scan(80'000, 5000), keys(key(column(3, TypeId::kBigInt))));
  EXPECT_EQ(run(plan).size(), 80'000u);
  EXPECT_EQ(profile.find(*plan)->spilled_bytes, files_.bytes_written());
}

TEST_F(SpillTest, AFullDiskEndsTheQueryAlone) {
  const PlanPtr rows = mixed_scan(80'000, 5000);
  const PlanPtr plans[] = {sorted(rows, keys(key(column(3, TypeId::kBigInt)))),
                           joined(JoinType::kLeft, rows, rows, 3),
                           grouped(rows, by(column(3, TypeId::kBigInt)), count_sum_last())};
  limit_memory(kLittle);
  for (const PlanPtr& plan : plans) {
    for (const uint64_t write : {1, 3, 7}) {
      files_.fail_nth(FileOp::kWrite, write, ENOSPC);
      EXPECT_EQ(sqlstate_of(plan), "53100");
      EXPECT_EQ(budget_.used(), 0u);
    }
    EXPECT_EQ(sqlstate_of(plan), "");
  }
}

TEST_F(SpillTest, DamageIsFound) {
  limit_memory(kLittle);
  files_.corrupt_nth_read(3, 42);
  EXPECT_EQ(sqlstate_of(sorted(mixed_scan(80'000, 5000), keys(key(column(3, TypeId::kBigInt))))), "XX001");
}

TEST_F(SpillTest, StopsWhenItIsCancelled) {
  const PlanPtr rows = mixed_scan(80'000, 5000);
  limit_memory(kLittle);
  int writes = 0;
  files_.on_call([&](FileOp op, const std::string&) {
    if (op == FileOp::kWrite && ++writes == 5) cancel_.cancel();
  });
  EXPECT_EQ(sqlstate_of(joined(JoinType::kInner, rows, rows, 3)), "57014");
  EXPECT_TRUE(files_.list("data/tmp").value_or_throw().empty());
}

TEST_F(SpillTest, WithoutAFolderMemoryEnds) {
  server_.temporary = nullptr;
  limit_memory(kLittle / 2);
  EXPECT_EQ(sqlstate_of(sorted(mixed_scan(80'000, 5000), keys(key(column(3, TypeId::kBigInt))))), "53200");
}

// Values of every physical type and form come back as they were written.
TEST_F(SpillTest, BlocksKeepVectors) {
  SymbolDictionary dictionary;
  const int32_t code = dictionary.intern("MSFT");
  std::vector<Vector> columns(6);
  auto* texts = columns[0].allocate_as<std::string_view>(TypeId::kText, 3);
  texts[0] = "";
  texts[1] = columns[0].store_string(std::string(5000, 'x'));
  texts[2] = "abc";
  columns[1] = Vector::sequence(TypeId::kBigInt, 10, 5);
  columns[2] = Vector::constant(str("constant"));
  columns[3] = Vector::constant_null(TypeId::kDouble);
  auto* codes = columns[4].allocate_as<int32_t>(TypeId::kSymbol, 3);
  columns[4].dictionary = &dictionary;
  codes[0] = codes[2] = code;
  codes[1] = -1;
  columns[4].allocate_validity(3)[0] = 0b101;
  columns[5] = Vector::constant_null(TypeId::kSymbol);
  SpillFile file(temporary_, {TypeId::kText, TypeId::kBigInt, TypeId::kVarchar, TypeId::kDouble,
                              TypeId::kSymbol, TypeId::kSymbol});
  SpillFile::Scratch scratch;
  const uint16_t rows[] = {1, 2};
  const SpillBlock all = file.write(columns, {nullptr, 3}, scratch),
                   some = file.write(columns, {rows, 2}, scratch);
  DataChunk chunk;
  const auto row = [&](uint32_t i) {
    std::string line;
    for (const Vector& column : chunk.columns) line += to_text(column.value_at(i)) + '|';
    return line;
  };
  file.read(all, scratch, &chunk);
  ASSERT_EQ(chunk.count(), 3u);
  EXPECT_EQ(row(0), "|10|constant|NULL|MSFT|NULL|");
  EXPECT_EQ(row(1), std::string(5000, 'x') + "|15|constant|NULL|NULL|NULL|");
  EXPECT_EQ(row(2), "abc|20|constant|NULL|MSFT|NULL|");
  file.read(some, scratch, &chunk);
  ASSERT_EQ(chunk.count(), 2u);
  EXPECT_EQ(row(1), "abc|20|constant|NULL|MSFT|NULL|");
}

}  // namespace
}  // namespace idem::test
