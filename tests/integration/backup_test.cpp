#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <thread>

#include "tests/harness/test_server.h"

namespace idem::test {
namespace {

TEST(Backup, IsMadeOnlineCheckedAndRestored) {
  TestServer server;
  auto connection = server.connect();
  execute(*connection,
          "CREATE TABLE t (ts TIMESTAMP, id SYMBOL, v DOUBLE) TIMESTAMP(ts) PARTITION BY DAY DEDUP UPSERT "
          "KEYS(ts, id)");
  execute(*connection,
          "INSERT INTO t SELECT x::timestamp, 'S' || (x % 7), x FROM generate_series(1, 50000) AS g(x)");
  const std::string port = std::to_string(server.port());
  const auto backup = [&] {
    return run_program(idem_path(), {"backup", "nightly", "--host", "127.0.0.1", "--port", port});
  };
  const Finished first = backup();
  ASSERT_TRUE(first.status.is_success()) << first.errors;
  const std::string directory = first.output.substr(0, first.output.find(": commit"));
  EXPECT_THAT(directory, ::testing::HasSubstr("/nightly/backup-"));

  // The database goes on; what is linked stays as it was.
  execute(*connection, "UPDATE t SET v = -1 WHERE id = 'S3'");
  execute(*connection, "CHECKPOINT");
  execute(*connection, "TRUNCATE t");
  execute(*connection, "CHECKPOINT");
  const Finished second = backup();
  ASSERT_TRUE(second.status.is_success()) << second.errors;
  EXPECT_NE(second.output, first.output);
  EXPECT_EQ(backup().output.substr(0, directory.size()), second.output.substr(0, directory.size()));

  TemporaryFolder folder;
  const std::string restored = folder.file("restored");
  const Finished restore = run_program(idem_path(), {"restore-backup", directory, restored});
  ASSERT_TRUE(restore.status.is_success()) << restore.errors;
  const Finished check = run_program(idem_path(), {"check", restored});
  EXPECT_TRUE(check.status.is_success()) << check.output << check.errors;
  EXPECT_FALSE(run_program(idem_path(), {"restore-backup", directory, restored}).status.is_success());
  TestServer other({.data = restored});
  auto there = other.connect();
  EXPECT_EQ(value_of(*there, "SELECT count(*) FROM t"), "50000");
  EXPECT_EQ(value_of(*there, "SELECT sum(v)::bigint FROM t"), "1250025000");
  execute(*there, "INSERT INTO t VALUES ('2024-01-01', 'new', 1)");
  EXPECT_EQ(value_of(*connection, "SELECT count(*) FROM t"), "0");
}

// Not only rows: whatever the catalog knows comes back.
TEST(Backup, HoldsEverythingOfADatabase) {
  TestServer server;
  auto connection = server.connect();
  execute(*connection,
          "CREATE TABLE t (ts TIMESTAMP, k SYMBOL, v BIGINT) TIMESTAMP(ts) DEDUP UPSERT KEYS(ts, k)");
  execute(*connection, "BEGIN RUN 'load/1'; INSERT INTO t VALUES ('2024-01-01T10:00', 'a', 1); COMMIT");
  execute(*connection, "ALTER TABLE t CREATE TAG 'first'");
  execute(*connection, "CREATE VIEW seen AS SELECT k, sum(v) AS v FROM t GROUP BY k");
  execute(*connection,
          "CREATE MATERIALIZED VIEW hourly REFRESH MANUAL AS SELECT ts, sum(v) AS v FROM t SAMPLE BY 1h");
  execute(*connection, "ALTER MATERIALIZED VIEW hourly SET REFRESH IMMEDIATE");
  execute(*connection,
          "CREATE USER ann PASSWORD 'a' CONNECTION LIMIT 3; ALTER USER ann SET statement_timeout = '9s'");
  execute(*connection, "GRANT SELECT ON seen TO ann; CREATE CHANGE SLOT s ON t; CREATE TABLE gone (a INT)");
  execute(*connection, "DROP TABLE gone");
  execute(*connection, "UPDATE t SET v = 5");
  const std::string directory = value_of(*connection, "SELECT directory FROM backup('all')");
  execute(*connection, "DROP TABLE t CASCADE");

  TemporaryFolder folder;
  const std::string restored = folder.file("restored");
  ASSERT_TRUE(run_program(idem_path(), {"restore-backup", directory, restored}).status.is_success());
  EXPECT_TRUE(run_program(idem_path(), {"check", restored}).status.is_success());
  TestServer other({.data = restored});
  auto there = other.connect();
  EXPECT_EQ(value_of(*there, "SELECT v FROM t AT TAG 'first'"), "1");
  EXPECT_EQ(value_of(*there, "SELECT string_agg(key, ',') FROM runs()"), "load/1");
  execute(*there, "BEGIN RUN 'load/1'; INSERT INTO t VALUES ('2024-01-01T10:00', 'a', 1); COMMIT");
  EXPECT_EQ(value_of(*other.connect("user=ann"), "SELECT k || v FROM seen"), "a5");  // it was skipped
  EXPECT_THAT(error_text(*other.connect("user=ann"), "SELECT * FROM t"),
              ::testing::HasSubstr("permission denied"));
  EXPECT_EQ(value_of(*other.connect("user=ann"), "SHOW statement_timeout"), "9s");
  EXPECT_EQ(value_of(*there, "SELECT rolconnlimit FROM pg_roles WHERE rolname = 'ann'"), "3");
  EXPECT_EQ(value_of(*there, "SELECT refresh FROM materialized_views()"), "IMMEDIATE");
  execute(*there, "INSERT INTO t VALUES ('2024-01-01T10:30', 'a', 2)");
  while (value_of(*there, "SELECT sum(v) FROM hourly") != "7") std::this_thread::yield();
  EXPECT_EQ(value_of(*there, "SELECT count(*) FROM changes_of('s')"), "3");
  execute(*there, "UNDROP TABLE gone");
  EXPECT_EQ(value_of(*there, "SELECT count(*) FROM gone"), "0");
}

TEST(Backup, StaysInItsFolderAndIsForSuperusers) {
  TestServer server;
  auto connection = server.connect();
  EXPECT_THAT(error_text(*connection, "SELECT * FROM backup('/somewhere/else')"),
              ::testing::HasSubstr("is not in the backup folder"));
  EXPECT_THAT(error_text(*connection, "SELECT * FROM backup('../log')"),
              ::testing::HasSubstr("is not in the backup folder"));
  EXPECT_EQ(error_state(*connection, "SELECT * FROM backup(NULL)"), "22023");
}

}  // namespace
}  // namespace idem::test
