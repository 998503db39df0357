#include "query/explain_format.h"
#include "query/interval_string.h"
#include "tests/unit/query/binder_fixture.h"

namespace idem::test {
namespace {

TEST_F(BinderTest, TimeConditionsBecomeTheScansRange) {
  const auto range = [&](const std::string& condition) {
    const std::string text = plan("SELECT qty FROM trades WHERE " + condition);
    const size_t at = text.find("Time Range: ");
    std::string found =
        at == std::string::npos ? "none" : text.substr(at + 12, text.find('\n', at) - at - 12);
    if (text.find("Filter:") != std::string::npos) found += " +filter";
    return found;
  };
  EXPECT_EQ(range("ts >= '2024-01-02' AND ts < '2024-01-03'"),
            "from 2024-01-02 00:00:00 to 2024-01-02 23:59:59.999999");
  EXPECT_EQ(range("ts BETWEEN '2024-01-02T10:00:00Z' AND '2024-01-02T11:00:00Z'"),
            "from 2024-01-02 10:00:00 to 2024-01-02 11:00:00");
  EXPECT_EQ(range("'2024-01-02' < ts"), "from 2024-01-02 00:00:00.000001");
  EXPECT_EQ(range("ts = '2024-01-02 10:00'"), "2024-01-02 10:00:00");
  EXPECT_EQ(range("ts >= DATE '2024-01-02'"), "from 2024-01-02 00:00:00");
  EXPECT_EQ(range("ts >= timestamp '2024-01-01' + interval '1 day'"), "from 2024-01-02 00:00:00");
  EXPECT_EQ(range("ts >= timestamptz '2024-01-02 00:00:00+00'"), "from 2024-01-02 00:00:00");
  EXPECT_EQ(range("date_trunc('day', ts) = '2024-01-02'"),
            "from 2024-01-02 00:00:00 to 2024-01-02 23:59:59.999999");
  EXPECT_EQ(range("date_trunc('month', ts) > '2024-01-02'"), "from 2024-02-01 00:00:00");
  EXPECT_EQ(range("ts::date = '2024-01-02'"), "from 2024-01-02 00:00:00 to 2024-01-02 23:59:59.999999");
  EXPECT_EQ(range("ts::date < '2024-01-02'"), "to 2024-01-01 23:59:59.999999");
  EXPECT_EQ(range("ts IN '2024-01'"), "from 2024-01-01 00:00:00 to 2024-01-31 23:59:59.999999");
  EXPECT_EQ(range("ts IN '2024-01-02T10;30m'"), "from 2024-01-02 10:00:00 to 2024-01-02 11:29:59.999999");
  EXPECT_EQ(range("ts IN '2024-01-01T10;30m;1d;2'"),
            "from 2024-01-01 10:00:00 to 2024-01-02 11:29:59.999999 +filter");
  EXPECT_EQ(range("ts IN ('2024-01-01', '2024-01-03')"),
            "from 2024-01-01 00:00:00 to 2024-01-03 00:00:00 +filter");
  EXPECT_EQ(range("ts > now() - interval '1 hour'"), "none +filter");
  EXPECT_EQ(range("ts >= '2024-01-02' AND qty > 5"), "from 2024-01-02 00:00:00 +filter");
  EXPECT_EQ(error("SELECT 1 FROM trades WHERE ts IN '2024-13'").substr(0, 8), "22007@34");
}

TEST_F(BinderTest, BoundsOfOtherColumnsAndOfValuesKnownLater) {
  const auto scan_of = [&](const std::string& sql) {
    const LogicalPlan* node = nullptr;
    query_ = bind(sql);
    for (node = query_.plan.get(); node->kind != PlanKind::kScan; node = node->children[0].get()) {}
    return node;
  };
  const LogicalPlan* scan =
      scan_of("SELECT price FROM trades WHERE qty > 5 AND price <= 2.5 AND note IS NOT NULL");
  ASSERT_EQ(scan->scan_bounds.size(), 3u);
  EXPECT_EQ(scan->scan_bounds[0].column, 3u);
  EXPECT_EQ(*scan->scan_bounds[0].min, 6);
  EXPECT_FALSE(scan->scan_bounds[0].max);
  EXPECT_EQ(scan->scan_bounds[1].column, 2u);
  EXPECT_TRUE(scan->scan_bounds[2].not_null_only);
  scan = scan_of("SELECT price FROM trades WHERE ts >= $1 AND ts < now() AND qty = $2");
  ASSERT_EQ(scan->dynamic_bounds.size(), 3u);
  EXPECT_EQ(scan->dynamic_bounds[0].op, DynamicBound::Op::kGreaterEqual);
  EXPECT_EQ(scan->dynamic_bounds[1].value->type.id, TypeId::kTimestamp);
  EXPECT_EQ(scan->dynamic_bounds[2].column, 3u);
  scan = scan_of("SELECT id FROM items WHERE small = 70000 OR small IN (1, 5)");
  EXPECT_TRUE(scan->scan_bounds.empty());
  scan = scan_of("SELECT id FROM items WHERE id IN (3, 1, 9)");
  ASSERT_EQ(scan->scan_bounds.size(), 2u);
  EXPECT_EQ(*scan->scan_bounds[0].min, 1);
  EXPECT_EQ(*scan->scan_bounds[1].max, 9);
}

TEST_F(BinderTest, ConditionsReachThroughViewsUnionsAndSubqueries) {
  EXPECT_EQ(plan("SELECT sym FROM v WHERE ts >= '2024-01-03' AND double_price > 50"), R"(
Projection
  Output: sym
  ->  Seq Scan on trades
        Columns: sym, price
        Time Range: from 2024-01-03 00:00:00
        Partitions: 1 of 3
        Filter: ((price > 10) AND ((price * 2) > 50))
)");
  EXPECT_EQ(plan("SELECT ts, price FROM weeks WHERE ts >= '2024-01-08' AND sym = 'A'"), R"(
Append
  ->  Projection
        Output: ts, price
        ->  Seq Scan on week1
              Columns: ts, sym, price
              Time Range: from 2024-01-08 00:00:00
              Partitions: 0 of 1
              Filter: (sym = 'A')
  ->  Projection
        Output: ts, price
        ->  Seq Scan on week2
              Columns: ts, sym, price
              Time Range: from 2024-01-08 00:00:00
              Partitions: 1 of 1
              Filter: (sym = 'A')
  ->  Projection
        Output: ts, price
        ->  Seq Scan on week3
              Columns: ts, sym, price
              Time Range: from 2024-01-08 00:00:00
              Partitions: 1 of 1
              Filter: (sym = 'A')
)");
  EXPECT_EQ(
      plan("SELECT * FROM (SELECT sym, sum(qty) AS s FROM trades GROUP BY sym) WHERE sym = 'A' AND s > 1"),
      R"(
Filter
  Filter: (sum > 1)
  ->  HashAggregate
        Group Key: sym
        Aggregates: sum(qty)
        ->  Seq Scan on trades
              Columns: sym, qty
              Partitions: 3 of 3
              Filter: (sym = 'A')
)");
  EXPECT_EQ(plan("SELECT * FROM (SELECT sym, rank() OVER (PARTITION BY sym ORDER BY qty) r FROM trades) "
                 "WHERE sym = 'A' AND r = 1"),
            R"(
Projection
  Output: sym, rank
  ->  Filter
        Filter: (rank = 1)
        ->  WindowAgg
              Window: rank() OVER (PARTITION BY sym ORDER BY qty)
              Rows of Each Partition: 1
              ->  Seq Scan on trades
                    Columns: sym, qty
                    Partitions: 3 of 3
                    Filter: (sym = 'A')
)");
}

TEST_F(BinderTest, JoinsGetKeysAndConditionsGoToTheirSide) {
  EXPECT_EQ(plan("SELECT t.qty, q.bid FROM trades t, quotes q WHERE t.sym = q.sym AND t.ts = q.ts AND "
                 "t.price > 5 AND q.ts >= '2024-01-02'"),
            R"(
Projection
  Output: qty, bid
  ->  Hash Join
        Keys: sym = sym, ts = ts
        ->  Seq Scan on trades
              Columns: ts, sym, price, qty
              Time Range: from 2024-01-02 00:00:00
              Partitions: 2 of 3
              Filter: (price > 5)
        ->  Seq Scan on quotes
              Columns: ts, sym, bid
              Time Range: from 2024-01-02 00:00:00
              Partitions: 1 of 2
)");
  EXPECT_EQ(
      plan("SELECT i.id FROM items i LEFT JOIN quotes q ON i.name = q.sym AND q.bid > 1 WHERE i.id = 3"), R"(
Projection
  Output: id
  ->  Hash Left Join
        Keys: name = sym
        ->  Seq Scan on items
              Columns: id, name
              Filter: (id = 3)
        ->  Seq Scan on quotes
              Columns: sym, bid
              Partitions: 2 of 2
              Filter: (bid > 1)
)");
  EXPECT_NE(
      plan("SELECT i.id FROM items i LEFT JOIN quotes q ON i.name = q.sym WHERE q.bid > 1").find("Hash Join"),
      std::string::npos);
  EXPECT_NE(plan("SELECT i.id FROM items i LEFT JOIN quotes q ON i.name = q.sym WHERE q.bid IS NULL")
                .find("Filter: (bid IS NULL)"),
            std::string::npos);
  EXPECT_NE(plan("SELECT 1 FROM items i FULL JOIN quotes q ON i.name = q.sym WHERE i.id = 1")
                .find("Hash Left Join"),
            std::string::npos);
  EXPECT_NE(plan("SELECT 1 FROM items i, quotes q WHERE i.id < q.bid").find("Nested Loop\n"),
            std::string::npos);
}

TEST_F(BinderTest, JoinOrderBeginsWithTheLargest) {
  EXPECT_EQ(plan("SELECT i.id, t.qty, q.bid FROM items i JOIN quotes q ON q.sym = i.name JOIN trades t ON "
                 "t.sym = i.name AND t.ts = q.ts"),
            R"(
Projection
  Output: id, qty, bid
  ->  Hash Join
        Keys: name = sym, ts = ts
        ->  Hash Join
              Keys: sym = name
              ->  Seq Scan on trades
                    Columns: ts, sym, qty
                    Partitions: 3 of 3
              ->  Seq Scan on items
                    Columns: id, name
        ->  Seq Scan on quotes
              Columns: ts, sym, bid
              Partitions: 2 of 2
)");
}

TEST_F(BinderTest, ConstantsAreFolded) {
  EXPECT_EQ(
      plan("SELECT 1 + 2 * 3, lower('ABC'), 2 > 1 AND qty > 1 FROM trades WHERE 1 = 1 AND (true OR qty = 5)"),
      R"(
Projection
  Output: 7, 'abc', (qty > 1)
  ->  Seq Scan on trades
        Columns: qty
        Partitions: 3 of 3
)");
  EXPECT_EQ(plan("SELECT qty FROM trades WHERE 1 = 2"), "\nValues Scan\n");
  EXPECT_EQ(plan("SELECT qty FROM trades WHERE qty = NULL"), "\nValues Scan\n");
  EXPECT_NE(plan("SELECT 1 / 0").find("(1 / 0)"), std::string::npos);
}

TEST_F(BinderTest, CountsAndTimesFromTables) {
  EXPECT_EQ(plan("SELECT count(*) FROM trades"), "\nResult\n  Output: 3000\n");
  EXPECT_EQ(plan("SELECT count(*) AS n, min(ts), max(ts) FROM weeks"),
            "\nResult\n  Output: 300, '2024-01-01 00:00:00'::timestamp without time zone, "
            "'2024-01-15 23:45:36'::timestamp without time zone\n");
  EXPECT_EQ(plan("SELECT count(*) FROM trades WHERE qty > 1"), R"(
Aggregate
  Aggregates: count(*)
  ->  Seq Scan on trades
        Columns: qty
        Partitions: 3 of 3
        Filter: (qty > 1)
)");
  EXPECT_EQ(plan("SELECT count(note) FROM trades").find("Result"), std::string::npos);
  EXPECT_NE(plan("SELECT count(*) FROM trades WHERE ts >= '2024-01-02'").find("Columns: none"),
            std::string::npos);
}

TEST_F(BinderTest, OrderOfTablesIsUsed) {
  EXPECT_EQ(plan("SELECT ts, qty FROM trades ORDER BY ts"), R"(
Seq Scan on trades
  Columns: ts, qty
  Partitions: 3 of 3
)");
  EXPECT_EQ(plan("SELECT ts AS time, qty FROM trades ORDER BY time DESC NULLS FIRST LIMIT 5"), R"(
Limit
  Limit: 5
  ->  Seq Scan Backward on trades
        Columns: time, qty
        Partitions: 3 of 3
        Stop After: 5 rows
)");
  EXPECT_EQ(plan("SELECT ts FROM weeks ORDER BY ts DESC LIMIT 5"), R"(
Limit
  Limit: 5
  ->  Append
        ->  Seq Scan Backward on week3
              Columns: ts
              Partitions: 1 of 1
              Stop After: 5 rows
        ->  Seq Scan Backward on week2
              Columns: ts
              Partitions: 1 of 1
              Stop After: 5 rows
        ->  Seq Scan Backward on week1
              Columns: ts
              Partitions: 1 of 1
              Stop After: 5 rows
)");
  EXPECT_EQ(plan("SELECT qty FROM trades ORDER BY price LIMIT 5 OFFSET 2"), R"(
Projection
  Output: qty
  ->  Top-N
        Sort Key: price
        Limit: 5
        Offset: 2
        ->  Projection
              Output: qty, price
              ->  Seq Scan on trades
                    Columns: price, qty
                    Partitions: 3 of 3
)");
  EXPECT_NE(plan("SELECT ts, qty FROM trades ORDER BY ts, qty").find("Sort"), std::string::npos);
  EXPECT_NE(plan("SELECT t.ts FROM trades t JOIN quotes q USING (sym) ORDER BY t.ts").find("Sort"),
            std::string::npos);
  EXPECT_EQ(plan("SELECT ts, avg(price) FROM weeks SAMPLE BY 1h").find("Sort"), std::string::npos);
}

TEST_F(BinderTest, LimitsMoveDown) {
  EXPECT_EQ(plan("SELECT * FROM weeks WHERE qty = 1 LIMIT 3"), R"(
Limit
  Limit: 3
  ->  Append
        ->  Projection
              Output: ts, sym, price, qty, note
              ->  Seq Scan on week1
                    Columns: ts, sym, price, qty, note
                    Partitions: 1 of 1
                    Filter: (qty = 1)
                    Stop After: 3 rows
        ->  Projection
              Output: ts, sym, price, qty, note
              ->  Seq Scan on week2
                    Columns: ts, sym, price, qty, note
                    Partitions: 1 of 1
                    Filter: (qty = 1)
                    Stop After: 3 rows
        ->  Projection
              Output: ts, sym, price, qty, note
              ->  Seq Scan on week3
                    Columns: ts, sym, price, qty, note
                    Partitions: 1 of 1
                    Filter: (qty = 1)
                    Stop After: 3 rows
)");
  EXPECT_EQ(plan("SELECT qty FROM trades LIMIT 0"), "\nValues Scan\n");
}

TEST_F(BinderTest, DistinctOfGroupsIsNone) {
  EXPECT_EQ(plan("SELECT DISTINCT sym, count(*) FROM trades GROUP BY sym").find("Unique"), std::string::npos);
  EXPECT_NE(plan("SELECT DISTINCT count(*) FROM trades GROUP BY sym").find("Unique"), std::string::npos);
}

TEST_F(BinderTest, ExplainBeginsWithACost) {
  query_ = bind("SELECT qty FROM trades");
  const std::vector<std::string> lines = explain_lines(explain(*query_.plan, false));
  EXPECT_THAT(lines[0],
              ::testing::MatchesRegex("Seq Scan on trades  \\(cost=0.00..[0-9.]+ rows=3000 width=8\\)"));
}

TEST(IntervalString, Ranges) {
  const auto text = [](std::string_view s) {
    std::string out;
    for (const auto& [first, last] : parse_interval_string(s))
      out += fmt::format("{}+{} ", first / kMicrosPerHour, last - first + 1);
    return out;
  };
  EXPECT_EQ(text("1970"), fmt::format("0+{} ", 365 * kMicrosPerDay));
  EXPECT_EQ(text("1970-02"), fmt::format("744+{} ", 28 * kMicrosPerDay));
  EXPECT_EQ(text("1970-01-02"), fmt::format("24+{} ", kMicrosPerDay));
  EXPECT_EQ(text("1970-01-02T03"), fmt::format("27+{} ", kMicrosPerHour));
  EXPECT_EQ(text("1970-01-02T03:30"), fmt::format("27+{} ", kMicrosPerMinute));
  EXPECT_EQ(text("1970-01-01;1d"), fmt::format("0+{} ", 2 * kMicrosPerDay));
  EXPECT_EQ(text("1970-01-01T00;0s;1d;3"), fmt::format("0+{0} 24+{0} 48+{0} ", kMicrosPerHour));
  EXPECT_EQ(text("1970-01-01;0s;1d;3"), fmt::format("0+{} ", 3 * kMicrosPerDay));
  for (const char* bad :
       {"", "x", "1970-1", "1970-01-32", "1970-01-01;1", "1970-01-01;1d;1d", "1970-01-01;1d;1d;0"}) {
    EXPECT_THROW(parse_interval_string(bad), SqlError) << bad;
  }
}

}  // namespace
}  // namespace idem::test
