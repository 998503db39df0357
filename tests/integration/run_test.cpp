#include <atomic>
#include <chrono>
#include <gtest/gtest.h>
#include <thread>

#include "tests/harness/test_server.h"

namespace idem::test {
namespace {

class Runs : public ::testing::Test {
 protected:
  void SetUp() override { execute(*first_, "CREATE TABLE t (id BIGINT)"); }
  static std::string rows(pqxx::connection& c) { return value_of(c, "SELECT count(*) FROM t"); }
  // A pipeline step as a client sends it after a lost connection, too.
  static void step(pqxx::connection& c, const std::string& key, int id) {
    pqxx::nontransaction work(c);
    work.exec0("BEGIN RUN '" + key + "'");
    work.exec0("INSERT INTO t VALUES (" + std::to_string(id) + ")");
    work.exec0("COMMIT");
  }
  // Waits until a session of that pid waits for a run.
  void wait_until_active(pqxx::connection& watcher, int pid) {
    const std::string sql =
        "SELECT count(*) FROM sessions() WHERE state = 'active' AND query LIKE 'BEGIN RUN%' AND pid = " +
        std::to_string(pid);
    while (value_of(watcher, sql) != "1") std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }

  TestServer server_;
  std::unique_ptr<pqxx::connection> first_ = server_.connect(), second_ = server_.connect(),
                                    watcher_ = server_.connect();
};

TEST_F(Runs, ASecondSessionWaitsAndSkips) {
  pqxx::nontransaction work(*first_);
  work.exec0("BEGIN RUN 'k/1'");
  work.exec0("INSERT INTO t VALUES (1)");
  std::atomic<bool> done{false};
  const int pid = std::stoi(value_of(*second_, "SELECT pg_backend_pid()"));
  std::thread other([&] {
    step(*second_, "k/1", 1);
    done = true;
  });
  wait_until_active(*watcher_, pid);
  EXPECT_FALSE(done);
  work.exec0("COMMIT");
  other.join();
  EXPECT_EQ(rows(*watcher_), "1");
}

TEST_F(Runs, ASecondSessionExecutesAfterARollback) {
  pqxx::nontransaction work(*first_);
  work.exec0("BEGIN RUN 'k/1'");
  work.exec0("INSERT INTO t VALUES (1)");
  const int pid = std::stoi(value_of(*second_, "SELECT pg_backend_pid()"));
  std::thread other([&] { step(*second_, "k/1", 2); });
  wait_until_active(*watcher_, pid);
  work.exec0("ROLLBACK");
  other.join();
  EXPECT_EQ(value_of(*watcher_, "SELECT id FROM t"), "2");
}

TEST_F(Runs, AClosedConnectionGivesTheKeyFree) {
  {
    auto lost = server_.connect();
    pqxx::nontransaction work(*lost);
    work.exec0("BEGIN RUN 'k/1'");
    work.exec0("INSERT INTO t VALUES (1)");
  }
  step(*second_, "k/1", 2);
  EXPECT_EQ(value_of(*watcher_, "SELECT id FROM t"), "2");
}

TEST_F(Runs, WaitingEndsByTimeoutAndCancel) {
  pqxx::nontransaction work(*first_);
  work.exec0("BEGIN RUN 'k/1'");
  execute(*second_, "SET statement_timeout = '50ms'");
  EXPECT_EQ(error_state(*second_, "BEGIN RUN 'k/1'"), "57014");
  execute(*second_, "ROLLBACK");
  execute(*second_, "SET statement_timeout = 0");
  const int pid = std::stoi(value_of(*second_, "SELECT pg_backend_pid()"));
  std::thread other([&] { EXPECT_EQ(error_state(*second_, "BEGIN RUN 'k/1'"), "57014"); });
  wait_until_active(*watcher_, pid);
  execute(*watcher_, "SELECT pg_cancel_backend(" + std::to_string(pid) + ")");
  other.join();
  execute(*second_, "ROLLBACK");
  work.exec0("COMMIT");
  EXPECT_EQ(value_of(*watcher_, "SELECT count(*) FROM runs()"), "1");
}

// Whether COMMIT arrived is not known after kill -9: the transaction is sent again.
TEST_F(Runs, AreSentAgainAfterAKill) {
  for (int round = 0; round < 5; round++) {
    const std::string key = "crash/" + std::to_string(round);
    std::thread sender([&] {
      try {
        step(*first_, key, round);
      } catch (const pqxx::failure&) {
        // The server was killed while it worked on it.
      }
    });
    // Sometimes before the statement, sometimes between COMMIT and its answer, sometimes after it.
    std::this_thread::sleep_for(std::chrono::microseconds(700 * round));
    server_.kill();
    sender.join();
    server_.start();
    first_ = server_.connect();
    step(*first_, key, round);
    step(*first_, key, round);
    watcher_ = server_.connect();
    EXPECT_EQ(rows(*watcher_), std::to_string(round + 1));
  }
  EXPECT_EQ(value_of(*watcher_, "SELECT string_agg(id::text, ',' ORDER BY id) FROM t"), "0,1,2,3,4");
}

TEST_F(Runs, AreInManifestAndLog) {
  step(*first_, "a/1", 1);
  execute(*first_, "CHECKPOINT");
  step(*first_, "a/2", 2);
  execute(*first_, "UPDATE t SET id = 20 WHERE id = 2");
  execute(*first_, "ALTER TABLE t SET (immutable = true)");
  for (int restart = 0; restart < 2; restart++) {
    server_.restart();
    first_ = server_.connect();
    step(*first_, "a/1", 1);
    step(*first_, "a/2", 2);
    EXPECT_EQ(rows(*first_), "2");
    EXPECT_EQ(value_of(*first_,
                       "SELECT string_agg(key || versions_before::text || versions_after::text, ' ' ORDER BY "
                       "key) FROM runs()"),
              "a/1{0}{1} a/2{1}{2}");
    EXPECT_NE(error_text(*first_, "DELETE FROM t").find("is immutable"), std::string::npos);
    execute(*first_, "CHECKPOINT");
  }
  execute(*first_, "ALTER TABLE t SET (immutable = false)");
  EXPECT_EQ(error_state(*first_, "BEGIN RUN 'a/1' ON REPLAY RESTORE"), "55000");
  execute(*first_, "ROLLBACK");
  pqxx::nontransaction work(*first_);
  work.exec0("BEGIN RUN 'a/1' ON REPLAY RESTORE FORCE");
  EXPECT_EQ(work.exec1("SELECT count(*) FROM t")[0].as<int>(), 0);
  work.exec0("INSERT INTO t VALUES (10)");
  work.exec0("COMMIT");
}

// As psycopg2 and JDBC do it: they have opened a block before.
TEST_F(Runs, WorkInABlockThatADriverOpened) {
  for (int i = 0; i < 2; i++) {
    pqxx::work work(*first_);
    work.exec0("BEGIN RUN 'driver/1'");
    work.exec0("INSERT INTO t VALUES (7)");
    work.commit();
  }
  EXPECT_EQ(rows(*first_), "1");
}

TEST_F(Runs, WorkOverTheExtendedProtocol) {
  for (int i = 0; i < 2; i++) {
    pqxx::nontransaction work(*first_);
    work.exec_params("BEGIN RUN 'extended/1'");
    EXPECT_EQ(work.exec_params("INSERT INTO t VALUES ($1), ($2)", 1, 2).affected_rows(), 2);
    work.exec_params("CREATE TABLE made (id BIGINT)");
    work.exec_params("INSERT INTO made VALUES ($1) RETURNING id", 5);
    work.exec_params("DROP TABLE made");
    work.exec_params("COMMIT");
  }
  EXPECT_EQ(rows(*first_), "2");
  pqxx::nontransaction work(*first_);
  work.exec_params("BEGIN RUN 'extended/1'");
  std::string state;
  try {
    work.exec_params("INSERT INTO t VALUES ($1), ($2)", 1, 3);
  } catch (const pqxx::sql_error& error) { state = error.sqlstate(); }
  EXPECT_EQ(state, "55000") << "other parameters are another statement";
  work.exec_params("ROLLBACK");
}

TEST_F(Runs, CommitThatOthersOvertookIsRefused) {
  step(*first_, "o/1", 1);
  pqxx::nontransaction work(*first_);
  work.exec0("BEGIN RUN 'o/1' ON REPLAY RESTORE");
  work.exec0("INSERT INTO t VALUES (1)");
  execute(*second_, "INSERT INTO t VALUES (99)");
  EXPECT_THROW(work.exec0("COMMIT"), pqxx::serialization_failure);
  EXPECT_EQ(rows(*second_), "2");
}

}  // namespace
}  // namespace idem::test
