#include "tests/unit/query/binder_fixture.h"

namespace idem::test {
namespace {

TEST_F(BinderTest, GroupByExpressionAliasAndPosition) {
  EXPECT_EQ(plan("SELECT sym AS s, sum(qty) FROM trades GROUP BY 1"),
            plan("SELECT sym AS s, sum(qty) FROM trades GROUP BY s"));
  EXPECT_EQ(plan("SELECT sym, sum(qty) FROM trades"), plan("SELECT sym, sum(qty) FROM trades GROUP BY sym"));
  EXPECT_EQ(plan("SELECT sym, sum(qty) FROM trades GROUP BY sym"), R"(
HashAggregate
  Group Key: sym
  Aggregates: sum(qty)
  ->  Seq Scan on trades
        Columns: sym, qty
        Partitions: 3 of 3
)");
  EXPECT_EQ(names("SELECT date_trunc('hour', ts) AS h, avg(price) FROM trades GROUP BY h"), "h, avg");
}

TEST_F(BinderTest, ColumnsBesideAggregatesAreGroups) {
  EXPECT_EQ(plan("SELECT sym, note || 'x', price + sum(qty) FROM trades"), R"(
Projection
  Output: sym, (note || 'x'), (price + sum::double precision)
  ->  HashAggregate
        Group Key: sym, (note || 'x'), price
        Aggregates: sum(qty)
        ->  Seq Scan on trades
              Columns: sym, price, qty, note
              Partitions: 3 of 3
)");
}

TEST_F(BinderTest, GroupingErrors) {
  EXPECT_EQ(error("SELECT price FROM trades GROUP BY sym"),
            "42803@8: column \"trades.price\" must appear in the GROUP BY clause or be used in an aggregate "
            "function");
  EXPECT_EQ(
      error("SELECT sym, (SELECT q.bid FROM quotes q WHERE q.ask = t.price) FROM trades t GROUP BY sym"),
      "42803@55: subquery uses ungrouped column \"t.price\" from outer query");
  EXPECT_EQ(error("SELECT sum(price) FROM trades WHERE sum(price) > 1"),
            "42803@37: aggregate functions are not allowed in WHERE");
  EXPECT_EQ(error("SELECT sum(sum(price)) FROM trades"),
            "42803@12: aggregate function calls cannot be nested");
  EXPECT_EQ(error("SELECT sym FROM trades GROUP BY sum(price)"),
            "42803@33: aggregate functions are not allowed in GROUP BY");
  EXPECT_EQ(error("SELECT sym FROM trades GROUP BY 2"),
            "42P10@33: GROUP BY position 2 is not in select list");
  EXPECT_EQ(error("SELECT 1 FROM trades WHERE row_number() OVER () = 1"),
            "42P20@28: window functions are not allowed in WHERE");
}

TEST_F(BinderTest, GroupingSets) {
  EXPECT_EQ(plan("SELECT sym, note, sum(qty) FROM trades GROUP BY ROLLUP (sym, note)"), R"(
MixedAggregate
  Group Key: sym, note
  Grouping Set: (sym, note)
  Grouping Set: (sym)
  Grouping Set: ()
  Aggregates: sum(qty)
  ->  Seq Scan on trades
        Columns: sym, qty, note
        Partitions: 3 of 3
)");
  EXPECT_EQ(plan("SELECT sym, grouping(sym) FROM trades GROUP BY GROUPING SETS ((sym), ())"), R"(
Projection
  Output: sym, CASE WHEN (grouping = 0) THEN 0 ELSE 1 END
  ->  MixedAggregate
        Group Key: sym
        Grouping Set: (sym)
        Grouping Set: ()
        ->  Seq Scan on trades
              Columns: sym
              Partitions: 3 of 3
)");
  EXPECT_EQ(names("SELECT sym, note, count(*) FROM trades GROUP BY CUBE (sym, note)"), "sym, note, count");
}

TEST_F(BinderTest, AggregatesWithFilterDistinctAndOrder) {
  EXPECT_EQ(plan("SELECT count(DISTINCT sym), sum(qty) FILTER (WHERE price > 1), string_agg(note, ',' ORDER "
                 "BY ts DESC) FROM trades"),
            R"(
Aggregate
  Aggregates: count(DISTINCT sym), sum(qty) FILTER (WHERE (price > 1)), string_agg(note, ',' ORDER BY ts DESC)
  ->  Seq Scan on trades
        Columns: ts, sym, price, qty, note
        Partitions: 3 of 3
)");
  EXPECT_EQ(
      plan("SELECT sym FROM trades GROUP BY sym HAVING count(*) > 1 AND sym <> 'X' ORDER BY sum(qty) DESC"),
      R"(
Projection
  Output: sym
  ->  Sort
        Sort Key: sum DESC
        ->  Projection
              Output: sym, sum
              ->  Filter
                    Filter: (count > 1)
                    ->  HashAggregate
                          Group Key: sym
                          Aggregates: count(*), sum(qty)
                          ->  Seq Scan on trades
                                Columns: sym, qty
                                Partitions: 3 of 3
                                Filter: (sym <> 'X')
)");
}

TEST_F(BinderTest, OrderByNamePositionAndExpression) {
  EXPECT_EQ(plan("SELECT price AS p FROM trades ORDER BY p"),
            plan("SELECT price AS p FROM trades ORDER BY 1"));
  EXPECT_EQ(plan("SELECT qty FROM trades ORDER BY price NULLS FIRST, qty DESC"), R"(
Projection
  Output: qty
  ->  Sort
        Sort Key: price NULLS FIRST, qty DESC
        ->  Projection
              Output: qty, price
              ->  Seq Scan on trades
                    Columns: price, qty
                    Partitions: 3 of 3
)");
  EXPECT_EQ(error("SELECT price FROM trades ORDER BY 2"),
            "42P10@35: ORDER BY position 2 is not in select list");
  EXPECT_EQ(error("SELECT price FROM trades ORDER BY 'x'"), "42601@35: non-integer constant in ORDER BY");
  EXPECT_EQ(error("SELECT DISTINCT price FROM trades ORDER BY qty"),
            "42P10@44: for SELECT DISTINCT, ORDER BY expressions must appear in select list");
  EXPECT_EQ(error("SELECT DISTINCT ON (sym) sym FROM trades ORDER BY price").substr(0, 5), "42P10");
  EXPECT_EQ(error("SELECT 1 UNION SELECT 2 ORDER BY 1 + 1").substr(0, 8), "0A000@36");
}

TEST_F(BinderTest, DistinctOn) {
  EXPECT_EQ(plan("SELECT DISTINCT ON (sym) sym, price FROM trades ORDER BY sym, qty"), R"(
Projection
  Output: sym, price
  ->  Unique
        On: sym
        ->  Sort
              Sort Key: sym, qty
              ->  Seq Scan on trades
                    Columns: sym, price, qty
                    Partitions: 3 of 3
)");
}

TEST_F(BinderTest, Windows) {
  EXPECT_EQ(plan("SELECT sym, row_number() OVER w, sum(qty) OVER (PARTITION BY sym ORDER BY ts ROWS 2 "
                 "PRECEDING) FROM trades "
                 "WINDOW w AS (ORDER BY price)"),
            R"(
Projection
  Output: sym, row_number, sum
  ->  WindowAgg
        Window: row_number() OVER (ORDER BY price)
        Window: sum(qty) OVER (PARTITION BY sym ORDER BY ts)
        ->  Seq Scan on trades
              Columns: ts, sym, price, qty
              Partitions: 3 of 3
)");
  EXPECT_EQ(types("SELECT lag(price) OVER (ORDER BY ts), ntile(4) OVER (ORDER BY ts), rank() OVER (ORDER BY "
                  "sum(qty)) FROM trades"),
            "double precision, integer, bigint");
  EXPECT_EQ(error("SELECT sum(qty) OVER nope FROM trades"), "42704@22: window \"nope\" does not exist");
  EXPECT_EQ(error("SELECT sum(qty) OVER (ROWS BETWEEN CURRENT ROW AND 1 PRECEDING) FROM trades").substr(0, 5),
            "42P20");
  EXPECT_EQ(error("SELECT sum(rank() OVER ()) FROM trades").substr(0, 5), "42803");
}

TEST_F(BinderTest, SetReturningFunctionsInTheList) {
  EXPECT_EQ(plan("SELECT id, generate_series(1, id) AS n FROM items"), R"(
ProjectSet
  Functions: generate_series(1, id)
  ->  Seq Scan on items
        Columns: id
)");
  EXPECT_EQ(names("SELECT (information_schema._pg_expandarray(ARRAY[5, 6])).n, unnest(ARRAY['a'])"),
            "n, unnest");
  EXPECT_EQ(
      types("SELECT (r.k).x, (r.k).n FROM (SELECT information_schema._pg_expandarray(ARRAY[5, 6]) AS k) r"),
      "integer, integer");
  // A field of a composite value that is known is taken without making the value.
  EXPECT_EQ(plan("SELECT (r.k).f2 FROM (SELECT ROW(id, name) AS k FROM items) r WHERE (r.k).f1 > 5"),
            plan("SELECT name FROM items WHERE id > 5"));
  EXPECT_EQ(types("SELECT (r.k).*, r.k FROM (SELECT DISTINCT ROW(id, 'x') AS k FROM items) r"),
            "integer, text, record");
  EXPECT_EQ(error("SELECT (r.k).f3 FROM (SELECT ROW(id, 1) AS k FROM items) r"),
            "42703@9: could not identify column \"f3\" in record data type");
  EXPECT_EQ(error("SELECT (id).x FROM items").substr(0, 8), "42809@9:");
  EXPECT_EQ(error("SELECT 1 FROM items WHERE generate_series(1, 2) = 1"),
            "0A000@27: set-returning functions are not allowed in WHERE");
}

TEST_F(BinderTest, Limits) {
  EXPECT_EQ(plan("SELECT qty FROM trades LIMIT 10, 15"), R"(
Limit
  Limit: 5
  Offset: 10
  ->  Seq Scan on trades
        Columns: qty
        Partitions: 3 of 3
        Stop After: 15 rows
)");
  EXPECT_EQ(plan("SELECT qty FROM trades LIMIT -3"), R"(
Limit
  Limit: -3
  ->  Seq Scan on trades
        Columns: qty
        Partitions: 3 of 3
)");
  EXPECT_EQ(plan("SELECT qty FROM trades ORDER BY price FETCH FIRST 2 ROWS WITH TIES")
                    .find("rank() OVER (ORDER BY price)") != std::string::npos,
            true);
  EXPECT_EQ(error("SELECT qty FROM trades LIMIT qty").substr(0, 8), "42703@30");
  EXPECT_EQ(error("SELECT qty FROM trades LIMIT 'x'").substr(0, 5), "22P02");
  EXPECT_EQ(error("SELECT qty FROM trades FETCH FIRST 2 ROWS WITH TIES").substr(0, 5), "42601");
}

TEST_F(BinderTest, SubqueriesBecomeInitPlansJoinsOrStay) {
  EXPECT_EQ(plan("SELECT id FROM items WHERE id = (SELECT max(id) FROM items)"), R"(
Seq Scan on items
  Columns: id
  Filter: (id = $1)
InitPlan $1
Aggregate
  Aggregates: max(id)
  ->  Seq Scan on items
        Columns: id
)");
  EXPECT_EQ(
      plan("SELECT id FROM items i WHERE EXISTS (SELECT 1 FROM trades t WHERE t.qty = i.id AND t.price > 5)"),
      R"(
Hash Semi Join
  Keys: id::bigint = qty
  ->  Seq Scan on items
        Columns: id
  ->  Seq Scan on trades
        Columns: price, qty
        Partitions: 3 of 3
        Filter: (price > 5)
)");
  EXPECT_EQ(plan("SELECT id FROM items WHERE name IN (SELECT sym FROM trades WHERE price > 5)"), R"(
Projection
  Output: id
  ->  Hash Semi Join
        Keys: name = sym
        ->  Seq Scan on items
              Columns: id, name
        ->  Projection
              Output: sym
              ->  Seq Scan on trades
                    Columns: sym, price
                    Partitions: 3 of 3
                    Filter: (price > 5)
)");
  EXPECT_NE(plan("SELECT id FROM items i WHERE NOT EXISTS (SELECT 1 FROM trades t WHERE t.qty = i.id)")
                .find("Hash Anti Join"),
            std::string::npos);
  EXPECT_NE(
      plan("SELECT id, (SELECT max(t.price) FROM trades t WHERE t.qty = i.id) FROM items i").find("SubPlan"),
      std::string::npos);
  EXPECT_EQ(types("SELECT (SELECT count(*) FROM trades t WHERE t.qty IN (SELECT id FROM items x WHERE "
                  "x.small = i.small)) FROM items i"),
            "bigint");
  EXPECT_EQ(error("SELECT (SELECT 1, 2)"), "42601@8: subquery must return only one column");
  EXPECT_EQ(error("SELECT 1 IN (SELECT 1, 2)").substr(0, 5), "42601");
}

TEST_F(BinderTest, Lateral) {
  EXPECT_EQ(plan("SELECT i.id, x.n FROM items i, LATERAL (SELECT i.small + 1 AS n) x"), R"(
Projection
  Output: id, n
  ->  Nested Loop
        Lateral: $1 = small
        ->  Seq Scan on items
              Columns: id, small
        ->  Projection
              Output: (($1)::integer + 1)
              ->  Result
)");
  EXPECT_EQ(error("SELECT 1 FROM items i, (SELECT i.id) x").substr(0, 5), "42P01");
  EXPECT_EQ(error("SELECT 1 FROM items i RIGHT JOIN LATERAL (SELECT i.id) x ON true").substr(0, 5), "42P10");
}

TEST_F(BinderTest, CommonTableExpressions) {
  EXPECT_EQ(plan("WITH q AS (SELECT id, name FROM items WHERE small > 1) SELECT id FROM q WHERE name = 'a'"),
            R"(
Projection
  Output: id
  ->  Seq Scan on items
        Columns: id, name, small
        Filter: ((small::integer > 1) AND (name = 'a'))
)");
  EXPECT_NE(plan("WITH q AS (SELECT id FROM items) SELECT * FROM q a, q b").find("CTE"), std::string::npos);
  EXPECT_NE(plan("WITH q AS MATERIALIZED (SELECT id FROM items) SELECT * FROM q").find("CTE"),
            std::string::npos);
  EXPECT_EQ(plan("WITH q AS NOT MATERIALIZED (SELECT id FROM items) SELECT * FROM q a, q b").find("CTE"),
            std::string::npos);
  EXPECT_EQ(
      columns("WITH RECURSIVE r(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM r WHERE n < 10) SELECT * FROM r"),
      "n integer");
  EXPECT_EQ(error("WITH RECURSIVE r(n) AS (SELECT n FROM r UNION ALL SELECT 1) SELECT * FROM r").substr(0, 5),
            "42P19");
  EXPECT_EQ(error("WITH RECURSIVE r(n) AS (SELECT 1 UNION ALL SELECT n + 1.5 FROM r) SELECT * FROM r"),
            "42804@25: recursive query \"r\" column 1 has type integer in non-recursive term but type "
            "numeric overall "
            "(Cast the output of the non-recursive term to the correct type.)");
  EXPECT_EQ(columns("SELECT (WITH q AS (SELECT i.id AS x) SELECT x FROM q) FROM items i"), "x integer");
}

TEST_F(BinderTest, SampleBy) {
  EXPECT_EQ(plan("SELECT ts, sym, avg(price) FROM trades WHERE sym = 'AAPL' SAMPLE BY 15m FILL(PREV)"), R"(
Sample By
  Bucket: 15m
  Timestamp: ts
  Fill: prev
  Group Key: sym
  Aggregates: avg(price)
  ->  Seq Scan on trades
        Columns: ts, sym, price
        Partitions: 3 of 3
        Filter: (sym = 'AAPL')
)");
  EXPECT_EQ(plan("SELECT avg(price), ts FROM trades SAMPLE BY 1d ALIGN TO CALENDAR TIME ZONE 'Europe/Berlin' "
                 "WITH OFFSET '02:00'"),
            R"(
Projection
  Output: avg, ts
  ->  Sample By
        Bucket: 1d in Europe/Berlin
        Timestamp: ts
        Aggregates: avg(price)
        ->  Seq Scan on trades
              Columns: ts, price
              Partitions: 3 of 3
)");
  EXPECT_EQ(plan("SELECT * FROM (SELECT ts, max(price) m FROM trades SAMPLE BY 1h) WHERE ts >= '2024-01-02'"),
            R"(
Filter
  Filter: (ts >= '2024-01-02 00:00:00'::timestamp without time zone)
  ->  Sample By
        Bucket: 1h
        Timestamp: ts
        Aggregates: max(price)
        ->  Seq Scan on trades
              Columns: ts, price
              Time Range: from 2024-01-02 00:00:00
              Partitions: 2 of 3
)");
  EXPECT_EQ(error("SELECT count(*) FROM items SAMPLE BY 1h").substr(0, 5), "42P10");
  EXPECT_EQ(error("SELECT ts FROM trades SAMPLE BY 1h").substr(0, 5), "42803");
}

TEST_F(BinderTest, LatestOn) {
  EXPECT_EQ(plan("SELECT * FROM trades WHERE price > 1 LATEST ON ts PARTITION BY sym"), R"(
Latest On
  Timestamp: ts
  Partition By: sym
  ->  Seq Scan on trades
        Columns: ts, sym, price, qty, note
        Partitions: 3 of 3
        Filter: (price > 1)
)");
}

TEST_F(BinderTest, TimeSeriesJoins) {
  EXPECT_EQ(plan("SELECT t.ts, t.price, q.bid FROM trades t ASOF JOIN quotes q ON (sym) TOLERANCE 1h"), R"(
Projection
  Output: ts, price, bid
  ->  ASOF Join
        Keys: sym = sym
        Tolerance: 3600000000 us
        ->  Seq Scan on trades
              Columns: ts, sym, price
              Partitions: 3 of 3
        ->  Seq Scan on quotes
              Columns: ts, sym, bid
              Time Range: to 2024-01-03 23:58:33.6
              Partitions: 2 of 2
)");
  EXPECT_NE(plan("SELECT t.ts FROM trades t LT JOIN quotes q ON t.sym = q.sym").find("LT Join"),
            std::string::npos);
  EXPECT_EQ(error("SELECT 1 FROM trades t ASOF JOIN items i").substr(0, 5), "42P10");
  EXPECT_EQ(error("SELECT 1 FROM trades t WINDOW JOIN quotes q").substr(0, 5), "42601");
}

TEST_F(BinderTest, WindowJoinReadsTheRightRowsOfItsWindows) {
  EXPECT_EQ(
      plan("SELECT t.qty, sum(q.bid) FROM trades t WINDOW JOIN quotes q ON t.sym = q.sym "
           "RANGE BETWEEN 1m PRECEDING AND CURRENT ROW EXCLUDE PREVAILING WHERE t.ts IN '2024-01-02T10'"),
      R"(
Projection
  Output: qty, sum
  ->  Window Join
        Keys: sym = sym
        Window: -60000000 us to +0 us
        Aggregates: sum(bid)
        ->  Seq Scan on trades
              Columns: ts, sym, qty
              Time Range: from 2024-01-02 10:00:00 to 2024-01-02 10:59:59.999999
              Partitions: 1 of 3
        ->  Seq Scan on quotes
              Columns: ts, sym, bid
              Time Range: from 2024-01-02 09:59:00 to 2024-01-02 10:59:59.999999
              Partitions: 1 of 2
)");
  EXPECT_EQ(plan("SELECT sum(q.bid) FROM trades t WINDOW JOIN quotes q ON t.sym = q.sym "
                 "RANGE BETWEEN 1m PRECEDING AND 1m FOLLOWING WHERE t.ts IN '2024-01-02T10'"),
            R"(
Projection
  Output: sum
  ->  Window Join
        Keys: sym = sym
        Window: -60000000 us to +60000000 us and the row before
        Aggregates: sum(bid)
        ->  Seq Scan on trades
              Columns: ts, sym
              Time Range: from 2024-01-02 10:00:00 to 2024-01-02 10:59:59.999999
              Partitions: 1 of 3
        ->  Append
              ->  Latest On
                    Timestamp: ts
                    Partition By: sym
                    ->  Seq Scan on quotes
                          Columns: ts, sym, bid
                          Time Range: to 2024-01-02 09:58:59.999999
                          Partitions: 2 of 2
              ->  Seq Scan on quotes
                    Columns: ts, sym, bid
                    Time Range: from 2024-01-02 09:59:00 to 2024-01-02 11:00:59.999999
                    Partitions: 1 of 2
)");
  EXPECT_EQ(plan("SELECT n FROM (SELECT t.sym, t.qty, count(q.bid) AS n, sum(q.bid) AS s FROM trades t "
                 "WINDOW JOIN quotes q "
                 "RANGE BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) AS x WHERE qty > 5 AND n > 1"),
            R"(
Projection
  Output: count
  ->  Filter
        Filter: (count > 1)
        ->  Window Join
              Window: unbounded to +0 us and the row before
              Aggregates: count(bid)
              ->  Seq Scan on trades
                    Columns: ts, qty
                    Partitions: 3 of 3
                    Filter: (qty > 5)
              ->  Seq Scan on quotes
                    Columns: ts, bid
                    Time Range: to 2024-01-03 23:58:33.6
                    Partitions: 2 of 2
)");
}

TEST_F(BinderTest, VersionsOfTables) {
  // The resolver finds past versions; this one has none.
  EXPECT_EQ(error("SELECT qty FROM trades VERSION AS OF 3").substr(0, 5), "0A000");
  EXPECT_EQ(error("SELECT qty FROM trades TIMESTAMP AS OF '2024-01-01'").substr(0, 5), "0A000");
}

TEST_F(BinderTest, TargetRows) {
  ParameterTypes types;
  const auto set = parser::parse_expression("q.bid * 2");
  const auto where = parser::parse_expression("t.sym = q.sym AND t.qty = $1");
  const auto from = parser::parse_query("SELECT FROM quotes q");
  ast::ObjectName table;
  table.name.text = "trades";
  TargetRows rows = bind_target_rows(table, "t", from->select->from, where.get(),
                                     {{set.get(), TypeId::kDouble, "price"}}, *this, types);
  std::string text;
  for (const PlanColumn& column : rows.query.plan->columns) text += column.name + " ";
  EXPECT_EQ(text, " ts sym price qty note price ts sym bid ask ");
  EXPECT_EQ(rows.from_tables.size(), 1u);
  EXPECT_EQ(format_type(types.types[0]), "bigint");
}

}  // namespace
}  // namespace idem::test
