#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/harness/test_server.h"

namespace idem::test {
namespace {

using testing::Contains;
using testing::HasSubstr;

class Statement : public ::testing::Test {
 protected:
  TestServer server_;
  std::unique_ptr<pqxx::connection> connection_ = server_.connect();

  void run(const std::string& sql) { execute(*connection_, sql); }
  std::string value(const std::string& sql) { return value_of(*connection_, sql); }
};

TEST_F(Statement, CreatesInsertsAndSelects) {
  run("CREATE TABLE prices (ts TIMESTAMP, ticker SYMBOL, price DOUBLE) TIMESTAMP(ts) PARTITION BY DAY DEDUP "
      "UPSERT KEYS(ts, ticker)");
  run("INSERT INTO prices VALUES ('2024-01-15T10:00:00', 'AAPL', 185.5), ('2024-01-15T10:01:00', 'MSFT', "
      "400)");
  run("INSERT INTO prices VALUES ('2024-01-15T10:00:00', 'AAPL', 186)");
  const pqxx::result rows = execute(*connection_, "SELECT ts, ticker, price FROM prices ORDER BY ts");
  ASSERT_EQ(rows.size(), 2u);
  EXPECT_STREQ(rows[0][0].c_str(), "2024-01-15 10:00:00");
  EXPECT_STREQ(rows[0][1].c_str(), "AAPL");
  EXPECT_STREQ(rows[0][2].c_str(), "186");
  EXPECT_EQ(rows.column_type(0), 1114u);
  EXPECT_EQ(rows.column_type(1), 1043u);
  EXPECT_EQ(rows.column_type(2), 701u);
}

TEST_F(Statement, ChangesAndRemovesRows) {
  run("CREATE TABLE t (id BIGINT, name VARCHAR)");
  run("INSERT INTO t SELECT x, 'n' || x FROM generate_series(1, 10) AS g(x)");
  pqxx::result changed = execute(*connection_, "UPDATE t SET name = 'even' WHERE id % 2 = 0");
  EXPECT_EQ(changed.affected_rows(), 5u);
  changed = execute(*connection_, "DELETE FROM t WHERE id > 8");
  EXPECT_EQ(changed.affected_rows(), 2u);
  EXPECT_EQ(value("SELECT count(*) FROM t WHERE name = 'even'"), "4");
  EXPECT_EQ(value("SELECT string_agg(id::text, ',') FROM (SELECT id FROM t ORDER BY id) x"),
            "1,2,3,4,5,6,7,8");
}

TEST_F(Statement, RunsPreparedStatements) {
  run("CREATE TABLE t (id BIGINT, name VARCHAR, at TIMESTAMP)");
  connection_->prepare("add", "INSERT INTO t VALUES ($1, $2, $3)");
  connection_->prepare("find", "SELECT name, at FROM t WHERE id = $1");
  {
    pqxx::work work(*connection_);
    for (int i = 0; i < 100; ++i)
      work.exec_prepared("add", i, "n" + std::to_string(i), "2024-01-01 00:00:00");
    const char* nothing = nullptr;
    work.exec_prepared("add", 1000, nothing, nothing);
    work.commit();
  }
  pqxx::work work(*connection_);
  EXPECT_EQ(work.exec_prepared1("find", 42)[0].as<std::string>(), "n42");
  EXPECT_TRUE(work.exec_prepared1("find", 1000)[0].is_null());
  EXPECT_EQ(work.exec_prepared("find", 5000).size(), 0u);
}

TEST_F(Statement, ReportsErrorsWithStateAndKeepsTheConnection) {
  run("CREATE TABLE t (id BIGINT, name VARCHAR)");
  EXPECT_EQ(error_state(*connection_, "SELECT * FROM missing"), "42P01");
  EXPECT_EQ(error_state(*connection_, "SELECT nmae FROM t"), "42703");
  EXPECT_THAT(error_text(*connection_, "SELECT nmae FROM t"), ::testing::HasSubstr("nmae"));
  EXPECT_EQ(error_state(*connection_, "SELEC 1"), "42601");
  EXPECT_EQ(error_state(*connection_, "INSERT INTO t VALUES ('x', 'y')"), "22P02");
  EXPECT_EQ(error_state(*connection_, "SELECT 1 / 0"), "22012");
  EXPECT_EQ(error_state(*connection_, "CREATE TABLE t (id BIGINT)"), "42P07");
  EXPECT_EQ(error_state(*connection_, "CREATE TEMP VIEW v AS SELECT id FROM t"), "0A000");
  EXPECT_EQ(value("SELECT 1"), "1");
}

TEST_F(Statement, NamesTheNearestColumn) {
  run("CREATE TABLE t (quantity BIGINT)");
  EXPECT_THAT(error_text(*connection_, "SELECT quantty FROM t"), ::testing::HasSubstr("quantity"));
}

TEST_F(Statement, MovesThroughCursors) {
  run("CREATE TABLE t (id BIGINT)");
  run("INSERT INTO t SELECT x FROM generate_series(1, 10000) AS g(x)");
  pqxx::work work(*connection_);
  work.exec0("DECLARE c CURSOR FOR SELECT id FROM t ORDER BY id");
  EXPECT_EQ(work.exec("FETCH 3 FROM c").size(), 3u);
  EXPECT_EQ(work.exec1("FETCH NEXT FROM c")[0].as<int>(), 4);
  work.exec0("MOVE FORWARD 5000 FROM c");
  EXPECT_EQ(work.exec1("FETCH NEXT FROM c")[0].as<int>(), 5005);
  EXPECT_EQ(work.exec("FETCH ALL FROM c").size(), 4995u);
  EXPECT_EQ(work.exec("FETCH NEXT FROM c").size(), 0u);
  work.exec0("CLOSE c");
  EXPECT_THROW(work.exec("FETCH NEXT FROM c"), pqxx::sql_error);
}

// EXPLAIN ANALYZE shows the lines of EXPLAIN, with what each node did.
TEST_F(Statement, ExplainsWhatItDid) {
  run("CREATE TABLE t (ts TIMESTAMP, k SYMBOL, v BIGINT) TIMESTAMP(ts) PARTITION BY DAY");
  run("INSERT INTO t SELECT timestamp '2024-01-01' + x * interval '1 minute', 'k' || x % 5, x FROM "
      "generate_series(0, 9999) AS g(x)");
  const auto lines = [&](const std::string& sql) {
    std::vector<std::string> text;
    for (const auto& row : execute(*connection_, sql)) text.emplace_back(row[0].c_str());
    return text;
  };
  for (const char* query :
       {"SELECT k, sum(v) FROM t WHERE ts IN '2024-01-02' GROUP BY k ORDER BY k LIMIT 2",
        "SELECT * FROM t LATEST ON ts PARTITION BY k", "SELECT ts, sum(v) FROM t SAMPLE BY 1d",
        "SELECT a.v FROM t a JOIN t b ON a.v = b.v WHERE b.k = 'k1'",
        "SELECT v, (SELECT max(v) FROM t) FROM t WHERE v < 3",
        "SELECT v FROM t a WHERE EXISTS (SELECT 1 FROM t b WHERE b.v = a.v + 1 AND b.ts > a.ts)",
        "WITH q AS MATERIALIZED (SELECT v FROM t) SELECT * FROM q a, q b WHERE a.v = b.v AND a.v < 3",
        "SELECT * FROM t LIMIT -3",
        "SELECT g.x, l.v FROM generate_series(1, 3) AS g(x), LATERAL (SELECT v FROM t WHERE v = g.x) l"}) {
    SCOPED_TRACE(query);
    const std::vector<std::string> plain = lines(std::string("EXPLAIN ") + query);
    std::vector<std::string> analyzed;
    size_t measured = 0;
    for (std::string line : lines(std::string("EXPLAIN ANALYZE ") + query)) {
      const size_t actual = line.find(" (actual time=");
      if (actual != std::string::npos) {
        ++measured;
        line.resize(actual);
      }
      const std::string words = line.substr(std::min(line.find_first_not_of(' '), line.size()));
      if (words.rfind("Vectors: ", 0) == 0 || words.rfind("Memory: ", 0) == 0 ||
          words.rfind("Planning Time", 0) == 0 || words.rfind("Execution Time", 0) == 0)
        continue;
      analyzed.push_back(line);
    }
    EXPECT_EQ(analyzed, plain);
    EXPECT_GT(measured, 0u);
  }
  const std::vector<std::string> scan = lines("EXPLAIN ANALYZE SELECT v FROM t WHERE v >= 9990");
  EXPECT_THAT(scan, Contains(HasSubstr("rows=10 loops=1)")));
  EXPECT_EQ(value("SELECT count(*) FROM t"), "10000");
  EXPECT_THAT(lines("EXPLAIN DELETE FROM t WHERE v < 10"), Contains(HasSubstr("Delete on t")));
  EXPECT_EQ(value("SELECT count(*) FROM t"), "10000");
  EXPECT_THAT(lines("EXPLAIN ANALYZE DELETE FROM t WHERE v < 10"), Contains(HasSubstr("rows=10 loops=1)")));
  EXPECT_EQ(value("SELECT count(*) FROM t"), "9990");
}

TEST_F(Statement, KeepsEverythingOverARestart) {
  run("CREATE TABLE t (ts TIMESTAMP, s SYMBOL, v DOUBLE, n VARCHAR, d DECIMAL(10,2), u UUID, j JSONB, a "
      "BIGINT[]) TIMESTAMP(ts)");
  run("INSERT INTO t VALUES ('2024-01-01', 'x', 1.5, 'naïve', 12.34, 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11', "
      "'{\"a\": 1}', '{1,2,NULL}')");
  run("CREATE VIEW v AS SELECT s, count(*) AS n FROM t GROUP BY s");
  const pqxx::result before = execute(*connection_, "SELECT * FROM t");
  for (const bool clean : {false, true}) {
    connection_.reset();
    if (clean) {
      EXPECT_TRUE(server_.terminate().is_success());
      server_.start();
    } else {
      server_.restart();
    }
    connection_ = server_.connect();
    const pqxx::result after = execute(*connection_, "SELECT * FROM t");
    ASSERT_EQ(after.size(), 1u);
    for (pqxx::row::size_type c = 0; c < before.columns(); ++c)
      EXPECT_STREQ(after[0][c].c_str(), before[0][c].c_str());
    EXPECT_EQ(value("SELECT n FROM v"), "1");
  }
}

}  // namespace
}  // namespace idem::test
