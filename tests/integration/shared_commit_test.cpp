// Clients that commit one row each at the same time: their commits are carried out together, and nobody can tell.
#include <atomic>
#include <gtest/gtest.h>
#include <thread>

#include "tests/harness/test_server.h"

namespace idem::test {
namespace {

constexpr int kClients = 12, kRows = 60;

class SharedCommits : public ::testing::Test {
 protected:
  // Each client inserts rows of its own, a row that all have, and one of an earlier day now and then; returns how many statements
  // failed with `expected`. All others must succeed.
  int insert_all(const std::string& table, const std::string& expected = "") {
    std::atomic<int> failed{0}, other{0};
    std::vector<std::thread> threads;
    for (int client = 0; client < kClients; ++client) {
      threads.emplace_back([&, client] {
        const auto connection = server_.connect();
        if (client % 3 == 0) execute(*connection, "SET synchronous_commit = off");
        connection->prepare("insert", "INSERT INTO " + table + " VALUES ($1, $2, $3, $4)");
        for (int i = 0; i < kRows; ++i) {
          pqxx::nontransaction work(*connection);
          const bool is_common = i % 6 == 0, is_old = i % 10 == 5;
          const std::string day = is_old ? "2024-01-14" : "2024-01-15";
          const std::string ts = day + " 10:00:" + std::to_string(10 + i % 50);
          const std::string name = is_common ? "all" : "client" + std::to_string(client);
          try {
            if (i % 4 == 3) work.exec0("BEGIN");
            if (i % 2 == 0) work.exec_prepared0("insert", ts, name, is_common ? i : client, i);
            else
              work.exec0("INSERT INTO " + table + " VALUES ('" + ts + "', '" + name + "', " +
                         std::to_string(is_common ? i : client) + ", " + std::to_string(i) + ")");
            if (i % 4 == 3) work.exec0("COMMIT");
          } catch (const pqxx::sql_error& error) {
            const bool is_expected =
                !expected.empty() && std::string(error.what()).find(expected) != std::string::npos;
            ++(is_expected ? failed : other);
          }
        }
      });
    }
    for (std::thread& thread : threads) thread.join();
    EXPECT_EQ(other, 0);
    return failed;
  }
  std::string ask(const std::string& sql) { return value_of(*server_.connect(), sql); }

  TestServer server_;
};

TEST_F(SharedCommits, EachIsAVersion) {
  execute(*server_.connect(),
          "CREATE TABLE plain (ts TIMESTAMP, name SYMBOL, n BIGINT, i INT) TIMESTAMP(ts) PARTITION BY DAY");
  insert_all("plain");
  const std::string rows = std::to_string(kClients * kRows);
  for (int round = 0; round < 2; ++round) {
    EXPECT_EQ(ask("SELECT count(*) FROM plain"), rows);
    EXPECT_EQ(ask("SELECT max(version) FROM table_history('plain')"), rows);
    EXPECT_EQ(ask("SELECT sum(inserted) FROM table_history('plain')"), rows);
    EXPECT_EQ(ask("SELECT count(*) FROM plain VERSION AS OF 100"), "100");
    EXPECT_EQ(
        ask("SELECT count(*) FROM (SELECT ts, lag(ts) OVER () AS before FROM plain) AS o WHERE ts < before"),
        "0");
    server_.restart();
  }
}

TEST_F(SharedCommits, OneOfSeveralRowsWithTheSameKeysStays) {
  execute(*server_.connect(),
          "CREATE TABLE keyed (ts TIMESTAMP, name SYMBOL, n BIGINT, i INT) TIMESTAMP(ts) PARTITION BY DAY "
          "DEDUP UPSERT KEYS(ts, name)");
  insert_all("keyed");
  const std::string rows = ask("SELECT count(*) FROM keyed");
  EXPECT_EQ(rows, ask("SELECT count(*) FROM (SELECT DISTINCT ts, name FROM keyed) AS d"));
  insert_all("keyed");
  server_.restart();
  EXPECT_EQ(ask("SELECT count(*) FROM keyed"), rows);
  EXPECT_EQ(ask("SELECT count(*) FROM keyed WHERE name <> 'all' AND 'client' || n <> name"), "0");
}

TEST_F(SharedCommits, OneThatMayNotDoesNotStopTheOthers) {
  const auto connection = server_.connect();
  execute(*connection,
          "CREATE TABLE frozen (ts TIMESTAMP, name SYMBOL, n BIGINT, i INT) TIMESTAMP(ts) PARTITION BY DAY");
  execute(*connection, "INSERT INTO frozen VALUES ('2024-01-14', 'x', 0, 0)");
  execute(*connection, "ALTER TABLE frozen FREEZE PARTITION LIST '2024-01-14'");
  const int failed = insert_all("frozen", "is frozen");
  EXPECT_EQ(failed, kClients * kRows / 10);
  EXPECT_EQ(ask("SELECT count(*) FROM frozen"), std::to_string(kClients * kRows - failed + 1));
}

}  // namespace
}  // namespace idem::test
