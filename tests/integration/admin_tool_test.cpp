#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "tests/harness/test_server.h"

namespace idem::test {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

class AdminTool : public ::testing::Test {
 protected:
  Finished idem(std::vector<std::string> arguments) {
    arguments.insert(arguments.end(), {"--host", "127.0.0.1", "--port", std::to_string(server_.port())});
    return run_program(idem_path(), arguments);
  }
  std::string value(const std::string& sql) { return value_of(*server_.connect(), sql); }

  TestServer server_;
};

TEST_F(AdminTool, ShowsStatusTablesAndSessions) {
  execute(*server_.connect(), "CREATE TABLE prices (ts TIMESTAMP, price DOUBLE) TIMESTAMP(ts)");
  Finished shown = idem({"status"});
  EXPECT_TRUE(shown.status.is_success()) << shown.errors;
  EXPECT_THAT(shown.output, HasSubstr("writes"));
  EXPECT_THAT(shown.output, HasSubstr("accepted"));
  shown = idem({"tables"});
  EXPECT_THAT(shown.output, HasSubstr("prices"));
  shown = idem({"sessions"});
  EXPECT_THAT(shown.output, HasSubstr("idem"));
  EXPECT_THAT(shown.output, HasSubstr("(1 row)"));
}

TEST_F(AdminTool, RunsSql) {
  Finished shown = idem({"sql", "SELECT 1 AS one, NULL AS nothing; CREATE TABLE t (id BIGINT); SELECT 'a,b' AS text"});
  EXPECT_TRUE(shown.status.is_success()) << shown.errors;
  EXPECT_EQ(shown.output, "one  nothing\n---  -------\n  1\n(1 row)\nCREATE TABLE\ntext\n----\na,b\n(1 row)\n");
  shown = idem({"sql", "--csv", "SELECT 'a,b' AS text, NULL AS nothing, '' AS empty"});
  EXPECT_EQ(shown.output, "text,nothing,empty\n\"a,b\",,\"\"\n");
  shown = idem({"sql", "SELECT * FROM missing"});
  EXPECT_EQ(shown.status.number, 1);
  EXPECT_THAT(shown.errors, HasSubstr("42P01"));
}

TEST_F(AdminTool, ImportsTwiceWithTheSameResult) {
  const std::string trades = IDEM_TEST_DATA "/btc_trades.csv";
  for (int i = 0; i < 2; ++i) {
    const Finished done = idem({"import", trades, "--table", "btc_trades", "--keys", "symbol,price,amount"});
    EXPECT_TRUE(done.status.is_success()) << done.errors;
    EXPECT_THAT(done.output, HasSubstr("5,882 rows"));
    EXPECT_THAT(done.output, HasSubstr(i == 0 ? "5,882 inserted, 0 replaced, 0 skipped" : "0 inserted, 0 replaced, 5,882 skipped"));
    if (i == 0) {
      EXPECT_THAT(done.output, HasSubstr("DEDUP UPSERT KEYS(\"timestamp\", \"symbol\", \"price\", \"amount\")"));
    }
    EXPECT_EQ(value("SELECT count(*) FROM btc_trades"), "5882");
  }
  EXPECT_EQ(value("SELECT \"designatedTimestamp\" FROM tables()"), "timestamp");
  EXPECT_EQ(value("SELECT string_agg(type, ',') FROM (SELECT type FROM table_columns('btc_trades')) x"), "SYMBOL,SYMBOL,DOUBLE,DOUBLE,TIMESTAMP");
}

TEST_F(AdminTool, GuessesTypes) {
  write_file(server_.folder().file("in.csv"),
             "id;flag;ratio;born;at;key;code;note\n"
             "1;true;1.5;1999-12-31;2024-01-01T00:00:00Z;a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11;007;\"with \"\"quotes\"\";\nand lines\"\n"
             "2;false;-;2000-01-01;2024-01-01 00:00:01.5;a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a12;008;-\n");
  const Finished done = idem({"import", server_.folder().file("in.csv"), "--table", "guessed", "--delimiter", ";", "--null", "-", "--types", "id=INTEGER"});
  ASSERT_TRUE(done.status.is_success()) << done.errors;
  for (const char* column : {"\"id\" INTEGER", "\"flag\" BOOLEAN", "\"ratio\" DOUBLE", "\"born\" DATE", "\"at\" TIMESTAMP", "\"key\" UUID", "\"code\" VARCHAR",
                             "\"note\" VARCHAR", "TIMESTAMP(\"at\")"}) {
    EXPECT_THAT(done.output, HasSubstr(column));
  }
  EXPECT_EQ(value("SELECT count(*) || ' ' || count(ratio) || ' ' || count(note) FROM guessed"), "2 1 1");
}

TEST_F(AdminTool, LeavesNothingOfAnImportThatFails) {
  std::string rows = "id,n\n";
  for (int i = 0; i < 300'000; ++i) rows += std::to_string(i) + ",123456789\n";
  write_file(server_.folder().file("in.csv"), rows + "300000,not a number\n");
  const Finished done = idem({"import", server_.folder().file("in.csv"), "--table", "broken"});
  EXPECT_EQ(done.status.number, 1);
  EXPECT_THAT(done.errors, HasSubstr("line 300002"));
  EXPECT_THAT(done.errors, HasSubstr("column n"));
  EXPECT_EQ(error_state(*server_.connect(), "SELECT * FROM broken"), "42P01");
}

TEST_F(AdminTool, EndsWithTwoForWrongUse) {
  EXPECT_EQ(idem({"import", "/no/such/file.csv", "--table", "t"}).status.number, 2);
  EXPECT_EQ(run_program(idem_path(), {"status", "--host", "127.0.0.1", "--port", "1"}).status.number, 2);
  EXPECT_EQ(run_program(idem_path(), {"frobnicate"}).status.number, 2);
  EXPECT_EQ(run_program(idem_path(), {"check", "/proc"}).status.number, 2);
  EXPECT_TRUE(run_program(idem_path(), {"import", "--help"}).status.is_success());
}

// Files of the data folder with this ending.
std::vector<std::filesystem::path> files_of(const std::string& folder, const std::string& ending) {
  std::vector<std::filesystem::path> found;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder)) {
    if (entry.path().extension() == ending) found.push_back(entry.path());
  }
  return found;
}

void flip_a_byte(const std::filesystem::path& path, size_t offset) {
  std::string content = read_file(path);
  content.at(offset) = static_cast<char>(content.at(offset) ^ 0x20);
  write_file(path, content);
}

TEST_F(AdminTool, ChecksAFolder) {
  ASSERT_TRUE(idem({"import", IDEM_TEST_DATA "/btc_trades.csv", "--table", "btc_trades"}).status.is_success());
  Finished checked = run_program(idem_path(), {"check", server_.data()});
  EXPECT_EQ(checked.status.number, 1);
  EXPECT_THAT(checked.errors, HasSubstr("in use by another server"));
  ASSERT_TRUE(server_.terminate().is_success());
  checked = run_program(idem_path(), {"check", server_.data()});
  EXPECT_TRUE(checked.status.is_success()) << checked.output << checked.errors;
  EXPECT_THAT(checked.output, HasSubstr("5,882 rows"));
  EXPECT_THAT(checked.output, HasSubstr("no damage found"));

  const auto segments = files_of(server_.data(), ".segment");
  ASSERT_FALSE(segments.empty());
  flip_a_byte(segments[0], 5000);
  checked = run_program(idem_path(), {"check", server_.data()});
  EXPECT_EQ(checked.status.number, 1);
  EXPECT_THAT(checked.output, HasSubstr("DAMAGE " + segments[0].string()));
}

TEST_F(AdminTool, DumpsTheLog) {
  execute(*server_.connect(), "CREATE TABLE t (id BIGINT)");
  for (int i = 0; i < 5; ++i) execute(*server_.connect(), "INSERT INTO t VALUES (1)");
  server_.kill();
  const Finished all = run_program(idem_path(), {"wal", "dump", server_.data()});
  EXPECT_TRUE(all.status.is_success()) << all.errors;
  EXPECT_THAT(all.output, HasSubstr("INSERT user=admin"));
  const Finished some = run_program(idem_path(), {"wal", "dump", server_.data(), "--limit", "1"});
  EXPECT_THAT(some.output, Not(HasSubstr("INSERT")));
  const Finished checked = run_program(idem_path(), {"check", server_.data()});
  EXPECT_TRUE(checked.status.is_success()) << checked.output;
  EXPECT_THAT(checked.output, HasSubstr("6 log records"));
}

}  // namespace
}  // namespace idem::test
