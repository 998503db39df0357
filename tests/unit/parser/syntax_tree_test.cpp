#include <gtest/gtest.h>

#include "parser/ast_ddl.h"
#include "parser/ast_session.h"
#include "parser/clone.h"
#include "parser/deparse.h"

namespace idem::parser {
namespace {

using namespace ast;

template <class T>
const T& expect_kind(const ExpressionPtr& expression) {
  EXPECT_EQ(expression->kind, T::kKind);
  return as<T>(*expression);
}

TEST(Expression, PositionsAreThoseOfTheText) {
  const ExpressionPtr e = parse_expression("a + f(b)");
  const auto& sum = expect_kind<Operator>(e);
  EXPECT_EQ(sum.position, 3u);
  EXPECT_EQ(sum.left->position, 1u);
  const auto& call = expect_kind<FunctionCall>(sum.right);
  EXPECT_EQ(call.position, 5u);
  EXPECT_EQ(call.arguments[0]->position, 7u);
}

TEST(Expression, NumbersKeepTheirWidth) {
  EXPECT_EQ(expect_kind<Literal>(parse_expression("9223372036854775807")).integer, INT64_MAX);
  EXPECT_EQ(expect_kind<Literal>(parse_expression("-9223372036854775808")).integer, INT64_MIN);
  const ExpressionPtr big = parse_expression("9223372036854775808");
  EXPECT_EQ(as<Literal>(*big).literal, LiteralKind::kDecimal);
  EXPECT_EQ(as<Literal>(*big).text, "9223372036854775808");
  EXPECT_EQ(expect_kind<Literal>(parse_expression("-1.50")).text, "-1.50");
  // A cast binds more strongly than the sign.
  EXPECT_EQ(parse_expression("-1::int")->kind, ExpressionKind::kOperator);
}

TEST(Expression, ConjunctionsAreFlat) {
  const ExpressionPtr e = parse_expression("a AND b AND (c OR d) AND NOT e");
  const auto& conjunction = expect_kind<Logical>(e);
  EXPECT_TRUE(conjunction.is_and);
  EXPECT_EQ(conjunction.operands.size(), 4u);
}

TEST(Expression, BindsLikePostgres) {
  const auto grouped = [](const char* text) {
    // Every operator in parentheses.
    const auto write = [](const auto& self, const ast::Expression& e) -> std::string {
      if (e.kind != ExpressionKind::kOperator) return deparse(e);
      const auto& op = as<Operator>(e);
      return "(" + (op.left ? self(self, *op.left) + " " : "") + op.symbol + " " + self(self, *op.right) +
             ")";
    };
    return write(write, *parse_expression(text));
  };
  EXPECT_EQ(grouped("a + b * c ^ d ^ e - f"), "((a + (b * ((c ^ d) ^ e))) - f)");
  EXPECT_EQ(grouped("a || b + c"), "(a || (b + c))");
  EXPECT_EQ(grouped("a || b = c -> d"), "((a || b) = (c -> d))");
  EXPECT_EQ(grouped("- a ^ b"), "((- a) ^ b)");
  EXPECT_EQ(grouped("@ a + b"), "(@ (a + b))");
  EXPECT_EQ(grouped("a - -b"), "(a - (- b))");
}

TEST(Expression, WordsBecomeCalls) {
  const ExpressionPtr e = parse_expression("position('a' IN b)");
  const auto& call = expect_kind<FunctionCall>(e);
  EXPECT_EQ(call.function(), "position");
  EXPECT_EQ(call.arguments[0]->kind, ExpressionKind::kColumnRef);
  EXPECT_EQ(call.arguments[1]->kind, ExpressionKind::kLiteral);
  const ExpressionPtr extract = parse_expression("EXTRACT(Hour FROM ts)");
  EXPECT_EQ(as<Literal>(*as<FunctionCall>(*extract).arguments[0]).text, "hour");
  const ExpressionPtr now = parse_expression("CURRENT_TIMESTAMP");
  EXPECT_TRUE(as<FunctionCall>(*now).bare_keyword);
  EXPECT_EQ(as<FunctionCall>(*now).function(), "current_timestamp");
}

TEST(Expression, IntervalStringAfterIn) {
  const ExpressionPtr e = parse_expression("ts IN '2024-01'");
  EXPECT_TRUE(expect_kind<In>(e).interval_string);
  const ExpressionPtr list = parse_expression("ts IN ('2024-01')");
  EXPECT_FALSE(expect_kind<In>(list).interval_string);
}

TEST(Identifier, FoldsUnlessQuoted) {
  const ExpressionPtr e = parse_expression("Ab.\"Cd\".`E``f`");
  const auto& parts = expect_kind<ColumnRef>(e).parts;
  EXPECT_EQ(parts[0].text, "ab");
  EXPECT_FALSE(parts[0].quoted);
  EXPECT_EQ(parts[1].text, "Cd");
  EXPECT_TRUE(parts[1].quoted);
  EXPECT_EQ(parts[2].text, "E`f");
}

TEST(TypeName, WordsAreNormalised) {
  EXPECT_EQ(parse_type_name("TIMESTAMP (3) WITH TIME ZONE").name, "timestamp with time zone");
  EXPECT_EQ(parse_type_name("char varying(5)").name, "character varying");
  EXPECT_EQ(parse_type_name("Decimal(10, 2)").modifiers, (std::vector<int32_t>{10, 2}));
  EXPECT_EQ(parse_type_name("LIST<double>").name, "double");
  EXPECT_EQ(parse_type_name("LIST<double>").array_dimensions, 1u);
  EXPECT_EQ(parse_type_name("int[][3]").array_dimensions, 2u);
  EXPECT_EQ(parse_type_name("interval day to second(3)").interval_fields, "day to second");
  EXPECT_EQ(parse_type_name("pg_catalog.Int4").schema, "pg_catalog");
  EXPECT_EQ(parse_type_name("\"char\"").name, "\"char\"");
}

TEST(Statements, HaveRangesAndParameters) {
  const std::string sql = "  SELECT $2, $1 ; ; /* x */ INSERT INTO t VALUES ($7)";
  const std::vector<ParsedStatement> statements = parse_statements(sql);
  ASSERT_EQ(statements.size(), 2u);
  EXPECT_EQ(sql.substr(statements[0].offset, statements[0].length), "SELECT $2, $1");
  EXPECT_EQ(statements[0].parameter_count, 2u);
  EXPECT_EQ(sql.substr(statements[1].offset, statements[1].length), "INSERT INTO t VALUES ($7)");
  EXPECT_EQ(statements[1].parameter_count, 7u);
  EXPECT_EQ(statements[1].statement->position, statements[1].offset + 1);
  EXPECT_TRUE(parse_statements("").empty());
  EXPECT_TRUE(parse_statements(" ; ;-- x").empty());
}

TEST(Statements, PreparedParametersAreItsOwn) {
  const ParsedStatement prepare = parse_one("PREPARE p AS SELECT $3");
  EXPECT_EQ(prepare.parameter_count, 0u);
  EXPECT_EQ(as<PrepareStatement>(*prepare.statement).parameter_count, 3u);
}

TEST(Statements, UnsupportedOnesAreNamed) {
  const auto what = [](const char* sql) { return as<UnsupportedStatement>(*parse_one(sql).statement).what; };
  EXPECT_EQ(what("CREATE INDEX IF NOT EXISTS data ON t (a)"), "CREATE INDEX");
  EXPECT_EQ(what("CREATE OR REPLACE FUNCTION f() RETURNS int AS $$;$$ LANGUAGE sql"), "CREATE FUNCTION");
  EXPECT_EQ(what("CREATE FOREIGN DATA WRAPPER w"), "CREATE FOREIGN DATA WRAPPER");
  EXPECT_EQ(what("ALTER SEQUENCE s RESTART"), "ALTER SEQUENCE");
  EXPECT_EQ(what("DROP TRIGGER t ON u"), "DROP TRIGGER");
  EXPECT_EQ(what("DO $$ BEGIN END $$"), "DO");
  EXPECT_EQ(what("CREATE DATABASE d"), "CREATE DATABASE");
}

TEST(Select, FromAloneSelectsEverything) {
  const QueryPtr query = parse_query("FROM t");
  ASSERT_EQ(query->select->items.size(), 1u);
  EXPECT_EQ(query->select->items[0].expression->kind, ExpressionKind::kStar);
}

TEST(Select, ClauseWordsAreAliasesWhereNoClauseFollows) {
  const auto alias = [](const char* sql) { return parse_query(sql)->select->from[0]->alias.text; };
  EXPECT_EQ(alias("SELECT * FROM t sample"), "sample");
  EXPECT_EQ(alias("SELECT * FROM t sample SAMPLE BY 1h"), "sample");
  EXPECT_EQ(alias("SELECT * FROM t SAMPLE BY 1h"), "");
  EXPECT_EQ(alias("SELECT * FROM t latest WHERE a"), "latest");
  EXPECT_EQ(alias("SELECT * FROM t version"), "version");
  EXPECT_EQ(alias("SELECT * FROM t VERSION AS OF 3"), "");
  EXPECT_EQ(alias("SELECT * FROM t timestamp"), "timestamp");
  EXPECT_EQ(alias("SELECT * FROM t at, u"), "at");
  const QueryPtr join = parse_query("SELECT * FROM a asof ASOF JOIN b lt LT JOIN c");
  const auto& lt = as<Join>(*join->select->from[0]);
  EXPECT_EQ(lt.join, JoinKind::kLt);
  EXPECT_EQ(as<Join>(*lt.left).join, JoinKind::kAsof);
  EXPECT_EQ(as<Join>(*lt.left).left->alias.text, "asof");
  EXPECT_EQ(as<Join>(*lt.left).right->alias.text, "lt");
}

TEST(CreateTableAs, ClausesMayFollowTheQuery) {
  const ParsedStatement s = parse_one("CREATE TABLE t AS SELECT * FROM u TIMESTAMP(ts) PARTITION BY DAY WAL");
  const auto& create = as<CreateTableStatement>(*s.statement);
  EXPECT_EQ(create.timestamp.text, "ts");
  EXPECT_EQ(create.partition_by, PartitionUnit::kDay);
  EXPECT_TRUE(create.wal);
  EXPECT_TRUE(create.query->select->from[0]->alias.empty());
}

TEST(Copy, OldOptionsHaveTheirNewNames) {
  const ParsedStatement s = parse_one("COPY t FROM STDIN CSV HEADER FORCE NOT NULL a, b NULL 'x'");
  const auto& copy = as<CopyStatement>(*s.statement);
  ASSERT_EQ(copy.options.size(), 4u);
  EXPECT_EQ(copy.options[0].name, "format");
  EXPECT_EQ(copy.options[0].value, "csv");
  EXPECT_EQ(copy.options[1].name, "header");
  EXPECT_EQ(copy.options[1].kind, Option::ValueKind::kNone);
  EXPECT_EQ(copy.options[2].name, "force_not_null");
  EXPECT_EQ(copy.options[2].list, (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ(copy.options[3].name, "null");
}

TEST(Normalized, SpaceCommentsAndCaseDoNotCount) {
  const auto normalized = [](const char* sql) { return normalized_text(parse_one(sql)); };
  EXPECT_EQ(normalized("insert  into T values(1,/* x */'A');"),
            normalized("INSERT INTO t VALUES (1, 'A') -- y"));
  EXPECT_NE(normalized("INSERT INTO t VALUES (1, 'a')"), normalized("INSERT INTO t VALUES (1, 'A')"));
  EXPECT_NE(normalized("SELECT a FROM t"), normalized("SELECT \"A\" FROM t"));
}

TEST(OutputName, IsPostgresChoice) {
  const auto name = [](const char* text) { return output_name(*parse_expression(text)); };
  EXPECT_EQ(name("1"), "?column?");
  EXPECT_EQ(name("a.b"), "b");
  EXPECT_EQ(name("f(x)"), "f");
  EXPECT_EQ(name("a + b"), "?column?");
  EXPECT_EQ(name("'1'::integer"), "int4");
  EXPECT_EQ(name("a::integer"), "a");
  EXPECT_EQ(name("date '2024-01-01'"), "date");
  EXPECT_EQ(name("interval '1' day"), "interval");
  EXPECT_EQ(name("CASE WHEN a THEN b END"), "case");
  EXPECT_EQ(name("CASE WHEN a THEN b ELSE c END"), "c");
  EXPECT_EQ(name("extract(hour from a)"), "extract");
  EXPECT_EQ(name("trim(a)"), "btrim");
  EXPECT_EQ(name("a AT TIME ZONE 'UTC'"), "timezone");
  EXPECT_EQ(name("CURRENT_TIMESTAMP"), "current_timestamp");
  EXPECT_EQ(name("ARRAY[1]"), "array");
  EXPECT_EQ(name("ROW(1)"), "row");
  EXPECT_EQ(name("EXISTS (SELECT 1)"), "exists");
  EXPECT_EQ(name("(SELECT a AS z)"), "z");
  EXPECT_EQ(name("(SELECT 1)"), "?column?");
  EXPECT_EQ(name("a[1]"), "a");
  EXPECT_EQ(name("coalesce(a, b)"), "coalesce");
}

}  // namespace
}  // namespace idem::parser
