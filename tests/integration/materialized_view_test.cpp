#include <chrono>
#include <functional>
#include <gtest/gtest.h>
#include <random>
#include <thread>

#include "tests/harness/test_server.h"

namespace idem::test {
namespace {

class MaterializedViews : public ::testing::Test {
 protected:
  void run(const std::string& sql) { execute(*connection_, sql); }
  std::string value(const std::string& sql) { return value_of(*connection_, sql); }
  // Waits until the query gives this; the test's time limit is the only one.
  void await(const std::string& sql, const std::string& wanted) {
    while (value(sql) != wanted) std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  static bool is_refused(pqxx::connection& connection, const std::string& sql) {
    try {
      execute(connection, sql);
      return false;
    } catch (const pqxx::insufficient_privilege&) { return true; }
  }
  void reconnect() { connection_ = server_.connect(); }
  static std::string stale(const std::string& view) {
    return "SELECT stale FROM materialized_views() WHERE view_name = '" + view + "'";
  }

  TestServer server_;
  std::unique_ptr<pqxx::connection> connection_ = server_.connect();
};

TEST_F(MaterializedViews, AreRefreshedAfterCommitsAndStarts) {
  run("CREATE TABLE t (ts TIMESTAMP, v BIGINT) TIMESTAMP(ts)");
  run("CREATE MATERIALIZED VIEW hourly AS SELECT ts, sum(v) AS v FROM t SAMPLE BY 1h");
  run("CREATE MATERIALIZED VIEW daily REFRESH IMMEDIATE AS SELECT ts, sum(v) AS v FROM hourly SAMPLE BY 1d");
  run("CREATE MATERIALIZED VIEW by_hand REFRESH MANUAL AS SELECT ts, sum(v) AS v FROM t SAMPLE BY 1h");
  run("CREATE MATERIALIZED VIEW seldom REFRESH EVERY 1 week AS SELECT ts, sum(v) AS v FROM t SAMPLE BY 1h");
  run("CREATE MATERIALIZED VIEW often REFRESH EVERY 1 second AS SELECT ts, sum(v) AS v FROM t SAMPLE BY 1h");
  for (int day = 1; day <= 9; ++day) {
    run("INSERT INTO t VALUES ('2024-01-0" + std::to_string(day) + "T10:00', 1), ('2024-01-0" +
        std::to_string(day) + "T11:00', 2)");
  }
  await("SELECT sum(v) FROM daily", "27");
  await("SELECT sum(v) FROM often", "27");
  EXPECT_EQ(value("SELECT count(*) FROM hourly"), "18");
  EXPECT_EQ(value("SELECT count(*) FROM by_hand"), "0");
  EXPECT_EQ(value("SELECT count(*) FROM seldom"), "0");
  EXPECT_EQ(value(stale("by_hand")), "t");

  server_.restart();
  reconnect();
  EXPECT_EQ(value("SELECT count(*) FROM hourly"), "18");
  EXPECT_EQ(value(stale("by_hand")), "t");
  run("DELETE FROM t WHERE ts < '2024-01-09'");
  await("SELECT sum(v) FROM daily", "3");
  run("REFRESH MATERIALIZED VIEW by_hand");
  EXPECT_EQ(value("SELECT sum(v) FROM by_hand"), "3");
  EXPECT_TRUE(server_.terminate().is_success());
  server_.start();
  reconnect();
  run("INSERT INTO t VALUES ('2024-02-01', 5)");
  await("SELECT sum(v) FROM daily", "8");
}

TEST_F(MaterializedViews, AFailureIsShownAndEnds) {
  run("CREATE TABLE t (k BIGINT, v BIGINT)");
  run("CREATE MATERIALIZED VIEW m AS SELECT k, 10 / sum(v) AS share FROM t GROUP BY k");
  run("INSERT INTO t VALUES (1, 5), (2, 0)");
  await("SELECT last_error FROM materialized_views()", "division by zero");
  EXPECT_EQ(value("SELECT count(*) FROM m"), "0");
  run("UPDATE t SET v = 2 WHERE k = 2");
  await("SELECT sum(share)::bigint FROM m", "7");
  EXPECT_EQ(value("SELECT last_error IS NULL AND NOT stale FROM materialized_views()"), "t");
}

// The query is read as the view's owner, the view by those who may, and refreshed by its owner alone.
TEST_F(MaterializedViews, ActAsTheirOwner) {
  run("CREATE TABLE t (k BIGINT)");
  run("CREATE USER writer; CREATE USER reader; GRANT CREATE, USAGE ON SCHEMA public TO writer; GRANT INSERT "
      "ON t TO reader");
  auto writer = server_.connect("user=writer"), reader = server_.connect("user=reader");
  const std::string create = "CREATE MATERIALIZED VIEW m AS SELECT k, count(*) AS n FROM t GROUP BY k";
  EXPECT_TRUE(is_refused(*writer, create));
  run("GRANT SELECT ON t TO writer");
  execute(*writer, create);
  execute(*reader, "INSERT INTO t VALUES (1)");
  await("SELECT count(*) FROM m", "1");
  EXPECT_TRUE(is_refused(*reader, "SELECT * FROM m"));
  execute(*writer, "GRANT SELECT ON m TO reader");
  EXPECT_EQ(value_of(*reader, "SELECT n FROM m"), "1");
  EXPECT_TRUE(is_refused(*reader, "REFRESH MATERIALIZED VIEW m"));
  EXPECT_TRUE(is_refused(*reader, "DROP MATERIALIZED VIEW m"));
  EXPECT_TRUE(is_refused(*reader, "ALTER MATERIALIZED VIEW m RENAME TO n"));
  execute(*writer, "REFRESH MATERIALIZED VIEW m FULL");
  run("REVOKE SELECT ON t FROM writer");
  run("INSERT INTO t VALUES (2)");
  await("SELECT last_error FROM materialized_views()", "permission denied for table t");
  run("ALTER MATERIALIZED VIEW m OWNER TO admin");
  await("SELECT count(*) FROM m", "2");
  EXPECT_TRUE(is_refused(*writer, "REFRESH MATERIALIZED VIEW m"));
  EXPECT_EQ(error_state(*connection_, "INSERT INTO m VALUES (1, 1)"), "42809");
  EXPECT_EQ(error_state(*connection_, "COPY m FROM STDIN"), "42809");
}

// Of many refreshes at once each gives what the tables held, and none is lost.
TEST_F(MaterializedViews, RefreshesAtOnceAgree) {
  run("CREATE TABLE t (k BIGINT)");
  run("CREATE MATERIALIZED VIEW m REFRESH MANUAL AS SELECT k, count(*) AS n FROM t GROUP BY k");
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&, i] {
      auto mine = server_.connect();
      for (int round = 0; round < 15; ++round) {
        execute(*mine, "INSERT INTO t VALUES (" + std::to_string(i) + ")");
        execute(*mine, "REFRESH MATERIALIZED VIEW m");
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(value("SELECT count(*) || ' ' || sum(n) FROM m"), "4 60");
}

// After any change of its tables a refresh leaves what the query gives.
class RandomChanges : public MaterializedViews {
 protected:
  std::string moment(int from_day, int days) {
    std::uniform_int_distribution<int64_t> micros(0, int64_t{days} * 86'400);
    return "'2024-03-01'::timestamp + interval '" + std::to_string(from_day) + " days' + interval '" +
           std::to_string(micros(random_)) + " seconds'";
  }
  std::string partition() { return "'2024-03-" + two_digits(1 + pick(30)) + "'"; }
  static std::string two_digits(int n) { return (n < 10 ? "0" : "") + std::to_string(n); }
  int pick(int n) { return std::uniform_int_distribution<int>(0, n - 1)(random_); }
  std::string table() { return pick(4) == 0 ? "w" : "t"; }

  void change() {
    const std::string rows = std::to_string(1 + pick(40)), which = table();
    switch (pick(11)) {
      case 0:
      case 1:  // late rows, and rows that take the place of others
        return run("INSERT INTO " + which + " SELECT " + moment(0, 30) +
                   " + x * interval '7 minutes', 'S' || (x % 3), x FROM generate_series(1, " + rows + ") x");
      case 2:
        return run("INSERT INTO " + which + " SELECT max(ts) + interval '20 minutes', 'S1', 5 FROM " + which);
      case 3:
        return run("DELETE FROM " + which + " WHERE ts BETWEEN " + moment(0, 30) + " AND " + moment(0, 30));
      case 4: return run("UPDATE " + which + " SET v = v + 1 WHERE v % 17 = " + std::to_string(pick(17)));
      case 5:
        return run("ALTER TABLE " + which + " DROP PARTITION WHERE ts >= '2024-03-10' AND ts < '2024-03-" +
                   two_digits(11 + pick(3)) + "'");
      case 6: {
        const int version =
            std::stoi(value("SELECT version FROM tables() WHERE table_name = '" + which + "'"));
        const std::string to = value("SELECT max(version) FROM table_history('" + which +
                                     "') WHERE version <= " + std::to_string(std::max(1, version - pick(3))));
        return run("RESTORE TABLE " + which + " TO VERSION AS OF " + to);
      }
      case 7: return run("CHECKPOINT");
      case 8: return run("UPDATE d SET name = name || 'x' WHERE sym = 'S" + std::to_string(pick(3)) + "'");
      case 9:
        return run(
            "INSERT INTO " + which +
            " REPLACE WHERE ts >= '2024-03-20' AND ts < '2024-03-21' SELECT '2024-03-20T01:00', 'S0', 1");
      default: server_.restart(); return reconnect();
    }
  }

  std::mt19937_64 random_{20240331};
};

TEST_F(RandomChanges, LeaveWhatTheQueryGives) {
  for (const char* name : {"t", "w"}) {
    run(std::string("CREATE TABLE ") + name +
        " (ts TIMESTAMP, sym SYMBOL, v BIGINT) TIMESTAMP(ts) PARTITION BY DAY DEDUP UPSERT KEYS(ts, sym)");
    run(std::string("INSERT INTO ") + name +
        " SELECT '2024-03-01'::timestamp + x * interval '11 minutes', 'S' || (x % 3), x FROM "
        "generate_series(1, 4000) x");
  }
  run("CREATE TABLE d (sym SYMBOL, name VARCHAR)");
  run("INSERT INTO d VALUES ('S0', 'zero'), ('S1', 'one')");
  run("CREATE VIEW u AS SELECT * FROM t UNION ALL SELECT * FROM w");
  // Clocks change in Berlin on 31 March, in New York on 10 March.
  const std::vector<std::string> queries = {
      "SELECT ts, sym, sum(v) AS v, count() AS n, first(v) AS f, max(v) AS l FROM t SAMPLE BY 1h",
      "SELECT ts, sum(v) AS v FROM t SAMPLE BY 1d ALIGN TO CALENDAR TIME ZONE 'Europe/Berlin'",
      "SELECT ts, sym, sum(v) AS v FROM t WHERE v % 2 = 0 SAMPLE BY 15m ALIGN TO CALENDAR TIME ZONE "
      "'America/New_York' WITH OFFSET '00:05'",
      "SELECT ts, min(v) AS a, max(v) AS b FROM t SAMPLE BY 1w ALIGN TO CALENDAR TIME ZONE "
      "'America/New_York'",
      "SELECT ts, count() AS n FROM t SAMPLE BY 1M",
      "SELECT ts, count() AS n FROM t SAMPLE BY 5h ALIGN TO CALENDAR TIME ZONE 'Europe/Berlin'",
      "SELECT ts, sum(v) AS v FROM t SAMPLE BY 12h FILL(PREV)",
      "SELECT ts, sym, sum(v) AS v FROM u SAMPLE BY 2h",
      "SELECT t.ts, d.name, sum(t.v) AS v FROM t LEFT JOIN d ON t.sym = d.sym SAMPLE BY 6h",
      "SELECT ts, v FROM t WHERE v % 10 = 0",
      "SELECT ts, n FROM (SELECT ts, count() AS n FROM t SAMPLE BY 3h) WHERE n > 2",
      "SELECT sym, count(*) AS n, sum(v) AS v FROM u GROUP BY sym",
      "SELECT date_trunc('day', ts) AS day, sum(v) AS v FROM t GROUP BY 1",
      "SELECT sym, timestamp_floor('5h', ts) AS h, count(*) AS n FROM u GROUP BY sym, h HAVING sum(v) % 2 = "
      "0",
      "SELECT date_bin('36 hours', ts, '2024-03-15') AS bin, max(v) AS v FROM t GROUP BY bin",
      "WITH days AS (SELECT time_bucket('1 month', ts) AS m, v FROM t WHERE v > 7) SELECT m, sum(v) AS v "
      "FROM "
      "days GROUP BY m",
      "SELECT day, count(*) AS n, sum(v) AS v FROM (SELECT DISTINCT date_trunc('week', t.ts) AS day, d.name, "
      "v % "
      "5 AS v FROM t JOIN d ON t.sym = d.sym) x GROUP BY day",
      "WITH c AS (SELECT ts, sym, v FROM t) SELECT a.ts, a.sym, (SELECT max(v) FROM c) AS most FROM c a",
      "WITH c AS (SELECT ts, v FROM t) SELECT date_trunc('day', ts) AS day, sum(v) AS v FROM c GROUP BY "
      "ROLLUP (1)",
      "SELECT date_trunc('hour', ts::timestamptz) AS h, sum(v) AS v FROM t GROUP BY h",
      "SELECT ts, count(*) AS n, sum(v) AS v FROM u GROUP BY ts",
      "SELECT ts, sum(v) AS v FROM t WHERE v > (SELECT avg(v) FROM w) SAMPLE BY 1d",
  };
  for (size_t i = 0; i < queries.size(); ++i)
    run("CREATE MATERIALIZED VIEW m" + std::to_string(i) + " REFRESH MANUAL AS " + queries[i]);
  for (int round = 0; round < 45; ++round) {
    for (int changes = 1 + pick(3); changes > 0; --changes) change();
    for (size_t i = 0; i < queries.size(); ++i) {
      if (pick(4) == 0) continue;
      const std::string view = "m" + std::to_string(i);
      run("REFRESH MATERIALIZED VIEW " + view);
      const std::string differ = "SELECT count(*) FROM ((SELECT * FROM " + view + " EXCEPT ALL (" +
                                 queries[i] + ")) UNION ALL ((" + queries[i] + ") EXCEPT ALL SELECT * FROM " +
                                 view + ")) x";
      ASSERT_EQ(value(differ), "0") << "round " << round << ": " << queries[i];
    }
  }
}

}  // namespace
}  // namespace idem::test
