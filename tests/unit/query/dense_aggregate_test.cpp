#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <random>

#include "query/aggregate.h"
#include "tests/unit/query/operator_fixture.h"

namespace idem::test {
namespace {

BoundAggregate aggregate_of(const char* name, std::vector<uint32_t> columns) {
  BoundAggregate out;
  std::vector<SqlType> types;
  for (const uint32_t c : columns) {
    types.push_back(TypeId::kDouble);
    out.arguments.push_back(column(c, TypeId::kDouble));
  }
  const ResolvedAggregate resolved = resolve_aggregate(name, types);
  out.function = resolved.function;
  out.types = resolved.types;
  out.name = name;
  return out;
}

// Groups of one symbol against plain loops: sums of whole numbers are exact in any order. Some tickers are NULL, some
// prices special; new tickers show up until the end.
TEST_F(OperatorTest, GroupsOfOneSymbolAgreeWithPlainLoops) {
  std::mt19937 random(4);
  std::vector<TestRow> rows;
  for (size_t i = 0; i < 60'000; ++i) {
    const uint32_t ticker = static_cast<uint32_t>(random()) % (3 + static_cast<uint32_t>(i / 2000));
    double price = static_cast<double>(random() % 2000) - 1000;
    if (ticker == 5 && random() % 50 == 0) price = std::nan("");
    if (ticker == 6 && random() % 50 == 0) price = -std::numeric_limits<double>::infinity();
    rows.push_back({static_cast<int64_t>(i), ticker == 0 && i % 3 == 0 ? "" : "t" + std::to_string(ticker),
                    price, static_cast<int64_t>(i)});
  }
  struct Expected {
    int64_t count = 0;
    double sum = 0, min = 0, max = 0;
  };
  const auto less_than = [](double a, double b) { return std::isnan(b) ? !std::isnan(a) : a < b; };
  for (const bool filtered : {false, true}) {
    std::map<std::string, Expected> expected;
    for (const TestRow& row : rows) {
      if (filtered && row.amount >= 50'000) continue;
      Expected& e = expected[row.ticker];
      e.min = e.count == 0 || less_than(row.price, e.min) ? row.price : e.min;
      e.max = e.count == 0 || less_than(e.max, row.price) ? row.price : e.max;
      e.sum += row.price;
      ++e.count;
    }
    PlanPtr input = scan(make_table(rows, 8192));
    if (filtered) input->scan_filter = less(column(3, TypeId::kBigInt), integer(50'000));
    PlanPtr plan = node(PlanKind::kAggregate,
                        {TypeId::kSymbol, TypeId::kBigInt, TypeId::kBigInt, TypeId::kDouble, TypeId::kDouble,
                         TypeId::kDouble, TypeId::kDouble},
                        {input});
    plan->groups.push_back(column(1, TypeId::kSymbol));
    plan->aggregates.push_back(aggregate_of("count", {}));
    for (const char* name : {"count", "sum", "avg", "min", "max"})
      plan->aggregates.push_back(aggregate_of(name, {2}));
    std::vector<std::string> wanted;
    for (const auto& [ticker, e] : expected) {
      wanted.push_back(fmt::format("{}|{}|{}|{:g}|{:g}|{:g}|{:g}", ticker.empty() ? "NULL" : ticker, e.count,
                                   e.count, e.sum, e.sum / static_cast<double>(e.count), e.min, e.max));
    }
    std::vector<std::string> got = run(plan);
    std::sort(got.begin(), got.end());
    std::sort(wanted.begin(), wanted.end());
    EXPECT_EQ(got, wanted);
  }
}

}  // namespace
}  // namespace idem::test
