#include "tests/unit/query/binder_fixture.h"

namespace idem::test {
namespace {

TEST_F(BinderTest, ColumnsOfTables) {
  EXPECT_EQ(columns("SELECT * FROM trades"),
            "ts timestamp without time zone, sym character varying, price double precision, qty bigint, note "
            "character varying");
  EXPECT_EQ(columns("SELECT t.price, t.sym s FROM trades t"), "price double precision, s character varying");
  EXPECT_EQ(names("SELECT t.*, q.bid FROM trades t, quotes AS q"), "ts, sym, price, qty, note, bid");
  EXPECT_EQ(names("SELECT public.trades.price FROM public.trades"), "price");
  EXPECT_EQ(names("SELECT idem.public.trades.price FROM idem.public.trades"), "price");
  EXPECT_EQ(names("FROM quotes"), "ts, sym, bid, ask");
  EXPECT_EQ(names("TABLE quotes"), "ts, sym, bid, ask");
  EXPECT_EQ(names("SELECT a, b, bid FROM quotes q(a, b)"), "a, b, bid");
  EXPECT_EQ(names("SELECT FROM trades"), "");
}

TEST_F(BinderTest, NamesCompareIgnoringCaseUnlessQuoted) {
  EXPECT_EQ(names("SELECT PRICE, Trades.Sym FROM TRADES"), "price, sym");
  EXPECT_EQ(names("SELECT id, PLAIN FROM mixed"), "Id, plain");
  EXPECT_EQ(names("SELECT \"Id\" FROM \"Mixed\""), "Id");
  EXPECT_EQ(
      error("SELECT \"ID\" FROM \"Mixed\""),
      "42703@8: column \"ID\" does not exist (Perhaps you meant to reference the column \"Mixed.Id\".)");
  EXPECT_EQ(names("SELECT \"column\", upsertKey, SYMBOLCAPACITY FROM table_columns('trades')"),
            "column, upsertKey, symbolCapacity");
}

TEST_F(BinderTest, OutputNames) {
  EXPECT_EQ(
      names("SELECT 1, 'a', price + 1, count(*), CASE WHEN true THEN 1 END, price::int, cast(1 AS text), "
            "ARRAY[1], "
            "now(), (SELECT max(qty) FROM trades), EXISTS (SELECT 1), coalesce(note, ''), extract(hour FROM "
            "ts) "
            "FROM trades GROUP BY price, note, ts"),
      "?column?, ?column?, ?column?, count, case, price, text, array, now, max, exists, coalesce, extract");
}

TEST_F(BinderTest, UnknownNames) {
  EXPECT_EQ(error("SELECT prce FROM trades"),
            "42703@8: column \"prce\" does not exist (Perhaps you meant to reference the column "
            "\"trades.price\".)");
  EXPECT_EQ(
      error("SELECT t.prise FROM trades t"),
      "42703@8: column t.prise does not exist (Perhaps you meant to reference the column \"t.price\".)");
  EXPECT_EQ(error("SELECT zzz FROM trades"), "42703@8: column \"zzz\" does not exist");
  EXPECT_EQ(error("SELECT * FROM trade"),
            "42P01@15: relation \"trade\" does not exist (Perhaps you meant the table \"trades\".)");
  EXPECT_EQ(error("SELECT * FROM nosuch.trades"), "42P01@15: relation \"nosuch.trades\" does not exist");
  EXPECT_EQ(error("SELECT x.price FROM trades"), "42P01@8: missing FROM-clause entry for table \"x\"");
  EXPECT_EQ(error("SELECT x.* FROM trades"), "42P01@8: missing FROM-clause entry for table \"x\"");
  EXPECT_EQ(error("SELECT * FROM trades WHERE sym = \"AAPL\""),
            "42703@34: column \"AAPL\" does not exist (Double quotes are for names. A text constant takes "
            "single quotes: 'AAPL'.)");
  EXPECT_EQ(
      error("SELECT * FROM tables"),
      "42P01@15: relation \"tables\" does not exist (There is a function of that name: FROM tables().)");
  EXPECT_EQ(error("SELECT *"), "42601@8: SELECT * with no tables specified is not valid");
  EXPECT_EQ(names("SELECT trades FROM trades"), "trades");
}

TEST_F(BinderTest, AmbiguousNames) {
  EXPECT_EQ(error("SELECT ts FROM trades, quotes"), "42702@8: column reference \"ts\" is ambiguous");
  EXPECT_EQ(error("SELECT 1 FROM trades, trades"),
            "42712@23: table name \"trades\" specified more than once");
  EXPECT_EQ(names("SELECT trades.ts, quotes.ts FROM trades, quotes"), "ts, ts");
  EXPECT_EQ(error("SELECT price AS a, qty AS a FROM trades ORDER BY a"),
            "42702@50: ORDER BY \"a\" is ambiguous");
}

TEST_F(BinderTest, JoinsMergeColumns) {
  EXPECT_EQ(names("SELECT * FROM trades JOIN quotes USING (sym)"), "sym, ts, price, qty, note, ts, bid, ask");
  EXPECT_EQ(names("SELECT * FROM trades NATURAL JOIN quotes"), "ts, sym, price, qty, note, bid, ask");
  EXPECT_EQ(names("SELECT sym, trades.sym, x.sym FROM trades FULL JOIN quotes USING (sym, ts) AS x"),
            "sym, sym, sym");
  EXPECT_EQ(names("SELECT j.a, j.bid FROM (trades JOIN quotes USING (sym)) AS j(a)"), "a, bid");
  EXPECT_EQ(error("SELECT * FROM trades JOIN quotes USING (price)"),
            "42703@41: column \"price\" specified in USING clause does not exist in right table");
  EXPECT_EQ(error("SELECT trades.ts FROM trades JOIN quotes ON items.id = 1, items"),
            "42P01@45: missing FROM-clause entry for table \"items\"");
}

TEST_F(BinderTest, SubqueriesViewsAndCtes) {
  EXPECT_EQ(names("SELECT * FROM (SELECT price p FROM trades)"), "p");
  EXPECT_EQ(names("SELECT x.a FROM (SELECT price FROM trades) x(a)"), "a");
  EXPECT_EQ(names("SELECT * FROM v"), "ts, sym, double_price");
  EXPECT_EQ(names("WITH q(a) AS (SELECT price FROM trades) SELECT a, q.a FROM q"), "a, a");
  EXPECT_EQ(names("WITH trades AS (SELECT 1 AS one) SELECT * FROM trades"), "one");
  EXPECT_EQ(names("WITH a AS (SELECT 1 x), b AS (SELECT x + 1 AS y FROM a) SELECT * FROM b, a"), "y, x");
  EXPECT_EQ(error("WITH a AS (SELECT * FROM b), b AS (SELECT 1) SELECT * FROM a").substr(0, 5), "42P01");
  EXPECT_EQ(error("WITH a AS (SELECT nope) SELECT 1"), "42703@19: column \"nope\" does not exist");
  EXPECT_EQ(error("SELECT * FROM broken"), "42703@15: column \"missing\" does not exist");
  EXPECT_EQ(error("SELECT * FROM endless"), "42P17@15: infinite recursion detected in view \"endless\"");
}

TEST_F(BinderTest, FunctionsInFrom) {
  EXPECT_EQ(columns("SELECT * FROM generate_series(1, 3)"), "generate_series integer");
  EXPECT_EQ(columns("SELECT * FROM generate_series(1, 3) AS i"), "i integer");
  EXPECT_EQ(columns("SELECT s.r FROM generate_series(1, 3::bigint) AS s(r)"), "r bigint");
  EXPECT_EQ(columns("SELECT * FROM unnest(ARRAY['a', 'b']) WITH ORDINALITY AS u(v, n)"), "v text, n bigint");
  EXPECT_EQ(columns("SELECT * FROM unnest(ARRAY[1], ARRAY['x']) AS u(a, b)"), "a integer, b text");
  EXPECT_EQ(columns("SELECT * FROM ROWS FROM (generate_series(1, 2), unnest(ARRAY['x'])) AS r(a, b)"),
            "a integer, b text");
  EXPECT_EQ(columns("SELECT * FROM current_database()"), "current_database name");
  EXPECT_EQ(names("SELECT table_name, dedup FROM tables() WHERE table_name = 'trades'"), "table_name, dedup");
  EXPECT_EQ(names("SELECT t.sym, g FROM trades t, generate_series(1, t.qty) g"), "sym, g");
  EXPECT_EQ(error("SELECT * FROM generate_series('a'::text)").substr(0, 5), "42883");
}

}  // namespace
}  // namespace idem::test
