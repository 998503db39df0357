#include <chrono>
#include <filesystem>
#include <gtest/gtest.h>
#include <thread>

#include "tests/harness/test_server.h"

namespace idem::test {
namespace {

class TransactionOverConnections : public ::testing::Test {
 protected:
  void SetUp() override {
    execute(*writer_, "CREATE TABLE a (id BIGINT)");
    execute(*writer_, "CREATE TABLE b (ts TIMESTAMP, id BIGINT) TIMESTAMP(ts)");
  }
  std::string seen() {
    return value_of(*reader_, "SELECT (SELECT count(*) FROM a) || ' ' || (SELECT count(*) FROM b)");
  }

  TestServer server_;
  std::unique_ptr<pqxx::connection> writer_ = server_.connect(), reader_ = server_.connect();
};

TEST_F(TransactionOverConnections, ShowsAllOfItOrNone) {
  {
    pqxx::work work(*writer_);
    work.exec0("INSERT INTO a VALUES (1), (2)");
    EXPECT_EQ(seen(), "0 0");
    work.exec0("INSERT INTO b VALUES ('2024-01-01', 1)");
    EXPECT_EQ(work.exec1("SELECT count(*) FROM a")[0].as<int>(), 2) << "it reads its own writes";
    EXPECT_EQ(seen(), "0 0");
    work.commit();
  }
  EXPECT_EQ(seen(), "2 1");
}

TEST_F(TransactionOverConnections, RollsBack) {
  {
    pqxx::work work(*writer_);
    work.exec0("INSERT INTO a VALUES (1)");
    work.exec0("CREATE TABLE c (id BIGINT)");
    work.exec0("TRUNCATE b");
    work.abort();
  }
  EXPECT_EQ(seen(), "0 0");
  EXPECT_EQ(error_state(*reader_, "SELECT * FROM c"), "42P01");
}

TEST_F(TransactionOverConnections, HoldsDefinitionsBackUntilCommit) {
  {
    pqxx::work work(*writer_);
    work.exec0("CREATE TABLE c (id BIGINT)");
    work.exec0("INSERT INTO c VALUES (1)");
    work.exec0("ALTER TABLE c ADD COLUMN name VARCHAR DEFAULT 'x'");
    work.exec0("DROP TABLE a");
    EXPECT_EQ(error_state(*reader_, "SELECT * FROM c"), "42P01");
    EXPECT_EQ(value_of(*reader_, "SELECT count(*) FROM a"), "0");
    work.commit();
  }
  EXPECT_EQ(value_of(*reader_, "SELECT id || name FROM c"), "1x");
  EXPECT_EQ(error_state(*reader_, "SELECT * FROM a"), "42P01");
}

TEST_F(TransactionOverConnections, RefusesStatementsAfterAnErrorUntilItsEnd) {
  execute(*writer_, "BEGIN");
  execute(*writer_, "INSERT INTO a VALUES (1)");
  EXPECT_EQ(error_state(*writer_, "SELECT missing FROM a"), "42703");
  EXPECT_EQ(error_state(*writer_, "SELECT 1"), "25P02");
  execute(*writer_, "ROLLBACK");
  EXPECT_EQ(seen(), "0 0");
}

TEST_F(TransactionOverConnections, ReadCommittedSeesNewCommitsRepeatableReadDoesNot) {
  execute(*reader_, "BEGIN ISOLATION LEVEL REPEATABLE READ");
  EXPECT_EQ(seen(), "0 0");
  execute(*writer_, "INSERT INTO a VALUES (1)");
  EXPECT_EQ(seen(), "0 0");
  execute(*reader_, "COMMIT");
  EXPECT_EQ(seen(), "1 0");
  execute(*reader_, "BEGIN");
  EXPECT_EQ(seen(), "1 0");
  execute(*writer_, "INSERT INTO a VALUES (2)");
  EXPECT_EQ(seen(), "2 0");
  execute(*reader_, "COMMIT");
}

TEST_F(TransactionOverConnections, EndsWithItsConnection) {
  {
    const auto vanishing = server_.connect();
    execute(*vanishing, "BEGIN");
    execute(*vanishing, "INSERT INTO a VALUES (1)");
  }
  EXPECT_EQ(seen(), "0 0");
}

TEST_F(TransactionOverConnections, ReadOnlyRefusesWrites) {
  execute(*writer_, "BEGIN READ ONLY");
  EXPECT_EQ(error_state(*writer_, "INSERT INTO a VALUES (1)"), "25006");
  execute(*writer_, "ROLLBACK");
}

// Its rows are its own once its transaction has ended: files of versions that nobody else needs go.
TEST_F(TransactionOverConnections, ACursorWithHoldKeepsNoFilesOfItsTables) {
  execute(*writer_,
          "INSERT INTO b SELECT '2024-01-01'::timestamp + x * interval '1 s', x FROM generate_series(0, "
          "49999) x");
  execute(*writer_, "CHECKPOINT");
  const std::string folder =
      server_.data() + "/" + value_of(*writer_, "SELECT directory FROM tables() WHERE table_name = 'b'");
  const auto files = [&] {
    return std::filesystem::exists(folder) ? std::distance(std::filesystem::directory_iterator(folder),
                                                           std::filesystem::directory_iterator())
                                           : 0;
  };
  ASSERT_GT(files(), 0);
  execute(*reader_, "DECLARE held SCROLL CURSOR WITH HOLD FOR SELECT id FROM b ORDER BY ts");
  execute(*writer_, "TRUNCATE b");
  execute(*writer_, "VACUUM RETAIN 0 HOURS");
  for (int i = 0; i < 1000 && files() > 0; ++i) std::this_thread::sleep_for(std::chrono::milliseconds(10));
  EXPECT_EQ(files(), 0);
  EXPECT_EQ(value_of(*reader_, "FETCH ABSOLUTE 40000 FROM held"), "39999");
  EXPECT_EQ(value_of(*reader_, "FETCH PRIOR FROM held"), "39998");
}

}  // namespace
}  // namespace idem::test
