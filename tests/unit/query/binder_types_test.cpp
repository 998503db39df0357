#include "tests/unit/query/binder_fixture.h"

namespace idem::test {
namespace {

TEST_F(BinderTest, LiteralsTakeTheTypeOfTheOtherSide) {
  EXPECT_EQ(types("SELECT 1, 3000000000, 1.5, 'x', NULL, true"),
            "integer, bigint, numeric, text, text, boolean");
  EXPECT_EQ(types("SELECT '1' + 1, '2024-01-01'::date - 1, -1"), "integer, date, integer");
  EXPECT_EQ(plan("SELECT * FROM items WHERE id = '7' AND day > '2024-01-05' AND ok = 't'"), R"(
Seq Scan on items
  Columns: id, name, amount, day, small, ok
  Filter: ((id = 7) AND (day > '2024-01-05'::date) AND (ok = true))
)");
  EXPECT_EQ(error("SELECT * FROM items WHERE id = 'seven'"),
            "22P02@32: invalid input syntax for type integer: \"seven\"");
  EXPECT_EQ(error("SELECT * FROM items WHERE id = name").substr(0, 8), "42883@30");
}

TEST_F(BinderTest, ParametersTakeTheirTypeFromUse) {
  EXPECT_EQ(parameters("SELECT $1"), "text");
  EXPECT_EQ(parameters("SELECT * FROM items WHERE id = $1 AND name = $2 AND amount > $3"),
            "integer, text, numeric");
  EXPECT_EQ(parameters("SELECT * FROM trades WHERE ts >= $1 AND ts < $2 AND sym = $3"),
            "timestamp without time zone, timestamp without time zone, text");
  EXPECT_EQ(parameters("SELECT $1::int, $2::text || $2, $3::varchar(3)"), "integer, text, character varying");
  EXPECT_EQ(parameters("SELECT * FROM trades LIMIT $1 OFFSET $2"), "bigint, bigint");
  EXPECT_EQ(parameters("SELECT * FROM items WHERE id = ANY($1)"), "integer[]");
  EXPECT_EQ(parameters("SELECT * FROM items WHERE id IN ($1, $2)"), "integer, integer");
  EXPECT_EQ(parameters("SELECT * FROM items WHERE id BETWEEN $1 AND $2"), "integer, integer");
  EXPECT_EQ(parameters("SELECT $2::int"), "text, integer");
  EXPECT_EQ(parameters("SELECT coalesce($1, 5), CASE WHEN $2 THEN $3 ELSE 1.5 END"),
            "integer, boolean, numeric");
  declared_ = {TypeId::kBigInt};
  EXPECT_EQ(parameters("SELECT * FROM items WHERE id = $1"), "bigint");
  declared_.clear();
  EXPECT_EQ(error("SELECT $1::int, $1::date"), "42846@19: cannot cast type integer to date");
}

TEST_F(BinderTest, Comparisons) {
  EXPECT_EQ(plan("SELECT id FROM items WHERE (id, name) = (1, 'a') AND (id, small) < (5, 6)"), R"(
Projection
  Output: id
  ->  Seq Scan on items
        Columns: id, name, small
        Filter: ((id = 1) AND (name = 'a') AND ((id < 5) OR ((id = 5) AND (small::integer < 6))))
)");
  EXPECT_EQ(plan("SELECT 1 FROM items WHERE (id, name) IN ((1, 'a'), (2, 'b'))"), R"(
Projection
  Output: 1
  ->  Seq Scan on items
        Columns: id, name
        Filter: (((id = 1) AND (name = 'a')) OR ((id = 2) AND (name = 'b')))
)");
  EXPECT_EQ(plan("SELECT 1 FROM trades WHERE sym IN ('a', 'b') AND qty NOT BETWEEN 1 AND 5"), R"(
Projection
  Output: 1
  ->  Seq Scan on trades
        Columns: sym, qty
        Partitions: 3 of 3
        Filter: ((sym IN ('a'::character varying, 'b'::character varying)) AND (NOT ((qty >= 1) AND (qty <= 5))))
)");
  EXPECT_EQ(plan("SELECT 1 FROM trades WHERE sym = ANY ('{AAPL,MSFT}'::text[])"), R"(
Projection
  Output: 1
  ->  Seq Scan on trades
        Columns: sym
        Partitions: 3 of 3
        Filter: (sym IN ('AAPL'::character varying, 'MSFT'::character varying))
)");
  EXPECT_EQ(error("SELECT (1, 2) = (1, 2, 3)"), "42601@15: unequal number of entries in row expressions");
  EXPECT_EQ(types("SELECT 1 IS DISTINCT FROM NULL, true IS NOT TRUE, 1 BETWEEN SYMMETRIC 3 AND 2"),
            "boolean, boolean, boolean");
  EXPECT_EQ(error("SELECT 1 FROM trades WHERE price"),
            "42804@28: argument of WHERE must be type boolean, not type double precision");
  EXPECT_EQ(error("SELECT NOT 5"), "42804@12: argument of NOT must be type boolean, not type integer");
}

TEST_F(BinderTest, CasesAndTheirLike) {
  EXPECT_EQ(
      types("SELECT CASE WHEN true THEN 1 ELSE 2.5 END, CASE 1 WHEN 2 THEN 'a' END, COALESCE(NULL, 1, "
            "2::bigint), "
            "NULLIF('a', 'b'), NULLIF(1, 2), GREATEST(1, 2.5), LEAST('2024-01-01'::date, now()::timestamp)"),
      "numeric, text, bigint, text, integer, numeric, timestamp without time zone");
  EXPECT_EQ(error("SELECT CASE WHEN true THEN 1 ELSE now() END"),
            "42804@8: CASE types integer and timestamp with time zone cannot be matched");
  EXPECT_EQ(types("SELECT extract(epoch FROM ts), ts AT TIME ZONE 'Europe/Berlin', date_trunc('day', ts) "
                  "FROM trades"),
            "numeric, timestamp with time zone, timestamp without time zone");
  EXPECT_EQ(types("SELECT INTERVAL '1' DAY, TIMESTAMP '2024-01-01', DATE '2024-01-01', '1 hour'::interval"),
            "interval, timestamp without time zone, date, interval");
}

TEST_F(BinderTest, ArraysAndSubscripts) {
  EXPECT_EQ(types("SELECT ARRAY[1, 2], ARRAY['a'], (ARRAY[1, 2])[1], ARRAY[]::int[], (ARRAY[1,2,3])[1:2]"),
            "integer[], text[], integer, integer[], integer[]");
  EXPECT_EQ(types("SELECT ARRAY(SELECT sym FROM trades), ARRAY(SELECT qty FROM trades)"),
            "character varying[], bigint[]");
  EXPECT_EQ(error("SELECT ARRAY[]"),
            "42P18@8: cannot determine type of empty array (Explicitly cast to the desired type, for example "
            "ARRAY[]::integer[].)");
  EXPECT_EQ(error("SELECT (1)[1]"),
            "42804@9: cannot subscript type integer because it does not support subscripting");
}

TEST_F(BinderTest, CollationsAndOperators) {
  EXPECT_EQ(types("SELECT 'a' COLLATE \"C\" < 'b', name COLLATE pg_catalog.default FROM items"),
            "boolean, character varying");
  EXPECT_EQ(error("SELECT name COLLATE \"de_DE\" FROM items").substr(0, 8), "42704@21");
  EXPECT_EQ(types("SELECT name OPERATOR(pg_catalog.~) '^a' FROM items"), "boolean");
  EXPECT_EQ(error("SELECT 1 OPERATOR(public.+) 2").substr(0, 5), "42883");
}

TEST_F(BinderTest, SetOperationsTakeCommonTypes) {
  EXPECT_EQ(columns("SELECT 1 AS a UNION SELECT 2.5"), "a numeric");
  EXPECT_EQ(columns("SELECT NULL AS a UNION ALL SELECT 5 UNION ALL SELECT NULL"), "a integer");
  EXPECT_EQ(columns("SELECT sym FROM trades UNION SELECT 'x'"), "sym character varying");
  EXPECT_EQ(columns("VALUES (1, 'a'), (2.5, NULL)"), "column1 numeric, column2 text");
  EXPECT_EQ(error("SELECT 1 UNION SELECT 'x'::text"),
            "42804@16: UNION types integer and text cannot be matched");
  EXPECT_EQ(error("SELECT 1 UNION SELECT 1, 2"),
            "42601@16: each UNION query must have the same number of columns");
  EXPECT_EQ(error("VALUES (1), (1, 2)"), "42601@13: VALUES lists must all be the same length");
}

TEST_F(BinderTest, UnknownFunctions) {
  EXPECT_EQ(error("SELECT nosuch(1)").substr(0, 7), "42883@8");
  EXPECT_EQ(error("SELECT lower(1, 2)").substr(0, 7), "42883@8");
  EXPECT_EQ(error("SELECT row_number()"), "42809@8: window function row_number requires an OVER clause");
  EXPECT_EQ(error("SELECT lower('a') OVER ()"),
            "42809@8: OVER specified, but lower is not a window function nor an aggregate function");
  EXPECT_EQ(error("SELECT lower(DISTINCT 'a')"),
            "42809@8: DISTINCT specified, but lower is not an aggregate function");
  EXPECT_EQ(types("SELECT text(5), int4('7'), date(now())"), "text, integer, date");
}

TEST_F(BinderTest, InsertRowsTakeTheColumnsTypes) {
  const std::vector<InsertColumn> columns = {
      {"ts", TypeId::kTimestamp}, {"sym", TypeId::kSymbol}, {"qty", TypeId::kInteger}};
  const auto bind_rows = [&](const std::string& sql) {
    ParameterTypes types;
    BoundQuery query = bind_insert_rows(*parser::parse_query(sql), columns, *this, types);
    std::string text;
    for (const PlanColumn& column : query.plan->columns)
      text += column.name + " " + format_type(column.type) + ", ";
    for (SqlType type : types.types) text += "$" + format_type(type) + " ";
    return text;
  };
  const std::string as_columns = "ts timestamp without time zone, sym character varying, qty integer, ";
  EXPECT_EQ(bind_rows("VALUES ($1, $2, $3), ('2024-01-01', 'a', 1)"),
            as_columns + "$timestamp without time zone $character varying $integer ");
  EXPECT_EQ(bind_rows("SELECT '2024-01-01', $1, $2"), as_columns + "$character varying $integer ");
  EXPECT_EQ(bind_rows("SELECT ts, note, qty FROM trades"), as_columns);
  EXPECT_EQ(bind_rows("VALUES (DEFAULT, 'a')"), as_columns);
  EXPECT_THROW(bind_rows("VALUES (1, 2, 3, 4)"), SqlError);
  EXPECT_THROW(bind_rows("SELECT true, 'a', 1"), SqlError);
}

TEST_F(BinderTest, ExpressionsOverRows) {
  const std::vector<ScopeTable> scope = {{"t", {{"a", TypeId::kInteger}, {"b", TypeId::kVarchar}}}};
  ParameterTypes types;
  const auto text = [&](const std::string& sql, SqlType wanted = TypeId::kUnknown) {
    return expression_text(*bind_expression(*parser::parse_expression(sql), scope, *this, types, wanted),
                           {"a", "b"});
  };
  EXPECT_EQ(text("t.a + 1"), "(a + 1)");
  EXPECT_EQ(text("'5'", TypeId::kInteger), "5");
  EXPECT_THROW(text("a = 1", TypeId::kInteger), SqlError);
  EXPECT_THROW(text("count(*)"), SqlError);
}

}  // namespace
}  // namespace idem::test
