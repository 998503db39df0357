#include <gtest/gtest.h>

#include "common/error.h"
#include "parser/parser.h"

namespace idem::parser {
namespace {

struct BadText {
  std::string sql;
  const char* sqlstate;
  const char* message;
  uint32_t position;
  const char* hint = "";  // a part of it
};

class SyntaxError : public testing::TestWithParam<BadText> {};

TEST_P(SyntaxError, SaysWhatWhereAndWhatInstead) {
  const BadText& bad = GetParam();
  try {
    parse_statements(bad.sql);
    FAIL() << "parsed: " << bad.sql;
  } catch (const SqlError& error) {
    EXPECT_EQ(error.sqlstate(), bad.sqlstate) << bad.sql;
    EXPECT_EQ(error.message(), bad.message) << bad.sql;
    EXPECT_EQ(error.position().value_or(0), bad.position) << bad.sql;
    EXPECT_NE(error.hint().find(bad.hint), std::string::npos) << bad.sql << "\nhint: " << error.hint();
  }
}

INSTANTIATE_TEST_SUITE_P(
    Slips, SyntaxError,
    testing::Values(
        BadText{"SELEC 1", "42601", "syntax error at or near \"SELEC\"", 1, "Did you mean SELECT?"},
        BadText{"SELECT * FRM t", "42601", "syntax error at or near \"FRM\"", 10, "Did you mean FROM?"},
        BadText{"SELECT a FRM t", "42601", "syntax error at or near \"t\"", 14,
                "Did you mean FROM instead of \"FRM\"?"},
        BadText{"SELECT 1 FROM t WHER x", "42601", "syntax error at or near \"x\"", 22, "WHERE"},
        BadText{"create tabel t (a int)", "42601", "syntax error at or near \"tabel\"", 8,
                "Did you mean TABLE?"},
        BadText{"INSERT INTO t VALUES (1, 2", "42601", "syntax error at end of input", 27, "\",\" or \")\""},
        BadText{"INSERT t VALUES (1)", "42601", "syntax error at or near \"t\"", 8, "INTO"},
        BadText{"SELECT 1; SELECT FROM WHERE", "42601", "syntax error at or near \"WHERE\"", 23,
                "a table name"},
        BadText{"SELECT 1h", "42601", "trailing junk after numeric literal at or near \"1h\"", 8},
        BadText{"SELECT a < b < c", "42601", "syntax error at or near \"<\"", 14, "do not chain"},
        BadText{"SELECT 'abc", "42601", "unterminated quoted string at or near \"'abc\"", 8},
        BadText{"SELECT \"abc", "42601", "unterminated quoted identifier at or near \"\"abc\"", 8},
        BadText{"SELECT \"\"", "42601", "zero-length delimited identifier at or near \"\"\"\"", 8},
        BadText{"SELECT /* x", "42601", "unterminated /* comment at or near \"/* x\"", 8},
        BadText{"SELECT $a$x", "42601", "unterminated dollar-quoted string at or near \"$a$x\"", 8},
        BadText{"SELECT FROM t t2 t3 'x", "42601", "syntax error at or near \"t3\"", 18},
        BadText{"SELECT (1", "42601", "syntax error at end of input", 10},
        BadText{"SELECT 1)", "42601", "syntax error at or near \")\"", 9},
        BadText{"CREATE", "42601", "syntax error at end of input", 7, "TABLE"},
        BadText{"DROP TABLE", "42601", "syntax error at end of input", 11, "a table name"},
        BadText{"VALUES (1), (1, 2)", "42601", "VALUES lists must all be the same length", 13},
        BadText{"SELECT 1 LIMIT 1 LIMIT 2", "42601", "multiple LIMIT clauses not allowed", 18},
        BadText{"UPDATE t SET (a, b) = (1)", "0A000",
                "source for a multiple-column UPDATE item must be a sub-SELECT or ROW() expression", 24},
        BadText{"SELECT avg(x) FROM t SAMPLE BY 1q", "42601", "unknown unit of time \"q\"", 32, "M (months)"},
        BadText{"SELECT $0", "42P02", "there is no parameter $0", 8},
        BadText{"SELECT E'\\u12'", "22025", "invalid Unicode escape", 8},
        BadText{"SELECT E'\\xff'", "22021", "invalid byte sequence for encoding \"UTF8\"", 8},
        BadText{"SELECT (SELECT 1 INTO t)", "42601", "SELECT ... INTO is not allowed here", 18},
        BadText{"é SELECT", "42601", "syntax error at or near \"é\"", 1}));

INSTANTIATE_TEST_SUITE_P(
    Unsupported, SyntaxError,
    testing::Values(
        BadText{"CREATE TABLE t (a int UNIQUE)", "0A000", "UNIQUE is not supported", 23},
        BadText{"CREATE TABLE t (a int, CHECK (a > 0))", "0A000", "CHECK is not supported", 24},
        BadText{"CREATE TABLE t (a int REFERENCES u)", "0A000", "FOREIGN KEY is not supported", 23},
        BadText{"CREATE TABLE t (a int, FOREIGN KEY (a) REFERENCES u)", "0A000",
                "FOREIGN KEY is not supported", 24},
        BadText{"CREATE TABLE t (a int GENERATED ALWAYS AS IDENTITY)", "0A000", "GENERATED is not supported",
                23},
        BadText{"CREATE TABLE t (a int) BYPASS WAL", "0A000", "BYPASS WAL is not supported", 24},
        BadText{"CREATE TABLE t (a int) IN VOLUME 'x'", "0A000", "IN VOLUME is not supported", 24},
        BadText{"CREATE TABLE t (a int) PARTITION BY RANGE (a)", "0A000",
                "PARTITION BY RANGE is not supported", 37},
        BadText{"COPY t FROM PROGRAM 'cat'", "0A000", "COPY with a program is not supported", 13},
        BadText{"PREPARE TRANSACTION 'x'", "0A000", "PREPARE TRANSACTION is not supported", 9},
        BadText{"ALTER TABLE t ADD CONSTRAINT c UNIQUE (a)", "0A000", "UNIQUE is not supported", 32},
        BadText{"WITH x AS (DELETE FROM t RETURNING *) SELECT * FROM x", "0A000",
                "a statement that modifies data in WITH is not supported", 12}));

TEST(ParseOne, TakesOneStatementAtMost) {
  EXPECT_EQ(parse_one(" ; -- nothing\n;").statement, nullptr);
  EXPECT_NE(parse_one("SELECT 1; ").statement, nullptr);
  try {
    parse_one("SELECT 1; SELECT 2");
    FAIL();
  } catch (const SqlError& error) {
    EXPECT_EQ(error.sqlstate(), "42601");
    EXPECT_EQ(error.message(), "cannot insert multiple commands into a prepared statement");
  }
}

std::string repeated(const char* part, size_t times) {
  std::string text;
  for (size_t i = 0; i < times; ++i) text += part;
  return text;
}

TEST(Nesting, IsBounded) {
  const std::string texts[] = {
      "SELECT " + repeated("(", 100000),
      "SELECT " + repeated("NOT ", 100000) + "true",
      "SELECT " + repeated("- ", 100000) + "a",
      "SELECT 1" + repeated(" + 1", 100000),
      "SELECT a" + repeated("::int", 100000),
      "SELECT a" + repeated("[1]", 100000),
      "SELECT " + repeated("ARRAY[", 100000),
      "SELECT " + repeated("f(", 100000),
      "SELECT " + repeated("CASE WHEN ", 100000),
      "SELECT a::" + repeated("LIST<", 100000),
      repeated("(SELECT 1) UNION (", 100000),
      repeated("SELECT 1 UNION SELECT 2 EXCEPT ", 100000) + "SELECT 3",
      repeated("EXPLAIN ", 100000) + "SELECT 1",
      repeated("SELECT * FROM (", 100000),
      "SELECT * FROM " + repeated("(", 100000),
      "SELECT * FROM a" + repeated(" CROSS JOIN a", 100000),
      "SELECT * FROM a" + repeated(" JOIN a", 100000),
      "SELECT 1 GROUP BY " + repeated("ROLLUP(", 100000),
      repeated("WITH a AS (", 100000),
  };
  for (const std::string& text : texts) {
    try {
      parse_statements(text);
      ADD_FAILURE() << text.substr(0, 60);
    } catch (const SqlError& error) {
      EXPECT_TRUE(error.sqlstate() == "54001" || error.sqlstate() == "42601")
          << text.substr(0, 60) << error.what();
    }
  }
}

TEST(Nesting, LongFlatTextsAreFine) {
  EXPECT_NO_THROW(parse_statements("SELECT true" + repeated(" AND a = 1", 20000)));
  EXPECT_NO_THROW(parse_statements("SELECT false" + repeated(" OR a IN (1, 2)", 20000)));
  EXPECT_NO_THROW(parse_statements("SELECT 1" + repeated(" UNION ALL SELECT 1", 20000)));
  EXPECT_NO_THROW(parse_statements("SELECT 1" + repeated(", (1 + 2) * 3", 20000)));
  EXPECT_NO_THROW(parse_statements("INSERT INTO t VALUES (1, 'a')" + repeated(", (1, 'a')", 20000)));
  EXPECT_NO_THROW(parse_statements("SELECT * FROM a" + repeated(" JOIN b USING (x)", 500)));
}

}  // namespace
}  // namespace idem::parser
