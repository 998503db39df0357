#include <filesystem>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sstream>

#include "tests/harness/test_server.h"

namespace idem::test {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

std::string replaced_all(std::string text, const std::string& from, const std::string& to) {
  for (size_t at = text.find(from); at != text.npos; at = text.find(from, at + to.size()))
    text.replace(at, from.size(), to);
  return text;
}

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
  execute(*server_.connect(),
          "CREATE TABLE prices (ts TIMESTAMP, price DOUBLE) TIMESTAMP(ts); CREATE SCHEMA s; "
          "CREATE VIEW s.cheap AS SELECT * FROM prices WHERE price < 1; "
          "CREATE MATERIALIZED VIEW hourly AS SELECT ts, max(price) AS price FROM prices SAMPLE BY 1h");
  Finished shown = idem({"status"});
  EXPECT_TRUE(shown.status.is_success()) << shown.errors;
  EXPECT_THAT(shown.output, HasSubstr("writes"));
  EXPECT_THAT(shown.output, HasSubstr("accepted"));
  shown = idem({"tables"});
  EXPECT_THAT(shown.output, HasSubstr("prices      table "));
  EXPECT_THAT(shown.output, HasSubstr("hourly      materialized view "));
  EXPECT_THAT(shown.output, HasSubstr("cheap       view "));
  shown = idem({"sessions"});
  EXPECT_THAT(shown.output, HasSubstr("idem"));
  EXPECT_THAT(shown.output, HasSubstr("(1 row)"));
}

TEST_F(AdminTool, RunsSql) {
  Finished shown =
      idem({"sql", "SELECT 1 AS one, NULL AS nothing; CREATE TABLE t (id BIGINT); SELECT 'a,b' AS text"});
  EXPECT_TRUE(shown.status.is_success()) << shown.errors;
  EXPECT_EQ(shown.output,
            "one  nothing\n---  -------\n  1\n(1 row)\nCREATE TABLE\ntext\n----\na,b\n(1 row)\n");
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
    EXPECT_THAT(done.output, HasSubstr(i == 0 ? "5,882 inserted, 0 replaced, 0 skipped"
                                              : "0 inserted, 0 replaced, 5,882 skipped"));
    if (i == 0) {
      EXPECT_THAT(done.output,
                  HasSubstr("DEDUP UPSERT KEYS(\"timestamp\", \"symbol\", \"price\", \"amount\")"));
    }
    EXPECT_EQ(value("SELECT count(*) FROM btc_trades"), "5882");
  }
  EXPECT_EQ(value("SELECT \"designatedTimestamp\" FROM tables()"), "timestamp");
  EXPECT_EQ(value("SELECT string_agg(type, ',') FROM (SELECT type FROM table_columns('btc_trades')) x"),
            "SYMBOL,SYMBOL,DOUBLE,DOUBLE,TIMESTAMP");
}

TEST_F(AdminTool, GuessesTypes) {
  write_file(server_.folder().file("in.csv"),
             "id;flag;ratio;born;at;key;code;note\n"
             "1;true;1.5;1999-12-31;2024-01-01T00:00:00Z;a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11;007;\"with "
             "\"\"quotes\"\";\nand lines\"\n"
             "2;false;-;2000-01-01;2024-01-01 00:00:01.5;a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a12;008;-\n");
  const Finished done = idem({"import", server_.folder().file("in.csv"), "--table", "guessed", "--delimiter",
                              ";", "--null", "-", "--types", "id=INTEGER"});
  ASSERT_TRUE(done.status.is_success()) << done.errors;
  for (const char* column :
       {"\"id\" INTEGER", "\"flag\" BOOLEAN", "\"ratio\" DOUBLE", "\"born\" DATE", "\"at\" TIMESTAMP",
        "\"key\" UUID", "\"code\" VARCHAR", "\"note\" VARCHAR", "TIMESTAMP(\"at\")"}) {
    EXPECT_THAT(done.output, HasSubstr(column));
  }
  EXPECT_EQ(value("SELECT count(*) || ' ' || count(ratio) || ' ' || count(note) FROM guessed"), "2 1 1");
}

// As spreadsheets and data frames write them: a byte order mark, a column of row numbers without a name, semicolons, other line ends.
TEST_F(AdminTool, TakesFilesOfOtherPrograms) {
  const std::string file = server_.folder().file("in.csv");
  write_file(file, "\xef\xbb\xbfts;;v\r\n2024-01-01T00:00:00Z;0;1,5\r\n2024-01-01T00:00:01Z;1;2,5\r\n");
  const Finished done = idem({"import", file, "--table", "sheet"});
  ASSERT_TRUE(done.status.is_success()) << done.errors;
  EXPECT_EQ(value("SELECT string_agg(\"column\" || ' ' || type, ',') FROM table_columns('sheet')"),
            "ts TIMESTAMP,c2 BIGINT,v VARCHAR");
  write_file(file, "a,b\r1,2\r3,4\r");
  ASSERT_TRUE(idem({"import", file, "--table", "old_mac"}).status.is_success());
  EXPECT_EQ(value("SELECT sum(a) || ' ' || sum(b) FROM old_mac"), "4 6");
}

TEST_F(AdminTool, RefusesWhatIsNoText) {
  const std::string file = server_.folder().file("in.csv");
  for (const auto& [bytes, what] : {std::pair(std::string("\xff\xfe"
                                                          "a\0,\0b\0\n\0",
                                                          10),
                                              "iconv -f UTF-16"),
                                    {std::string("\x1f\x8b\x08\x08rest"), "gunzip"},
                                    {std::string("a,b\n1,\0\n", 8), "NUL"}}) {
    write_file(file, bytes);
    const Finished done = idem({"import", file, "--table", "no_text"});
    EXPECT_EQ(done.status.number, 1);
    EXPECT_EQ(done.output, "");
    EXPECT_THAT(done.errors, HasSubstr(what));
  }
  EXPECT_EQ(error_state(*server_.connect(), "SELECT * FROM no_text"), "42P01");
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
  const Finished unknown = run_program(idem_path(), {"frobnicate"});
  EXPECT_EQ(unknown.status.number, 2);
  EXPECT_EQ(unknown.errors, "idem: there is no command \"frobnicate\"; idem help lists them\n");
  EXPECT_THAT(run_program(idem_path(), {"history"}).errors, HasSubstr("table is required"));
  EXPECT_EQ(run_program(idem_path(), {"check", "/proc"}).status.number, 2);
  EXPECT_EQ(run_program(idem_path(), {"help", "frobnicate"}).status.number, 2);
  const Finished help = run_program(idem_path(), {"import", "--help"});
  EXPECT_TRUE(help.status.is_success());
  EXPECT_EQ(run_program(idem_path(), {"help", "import"}).output, help.output);
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
  ASSERT_TRUE(
      idem({"import", IDEM_TEST_DATA "/btc_trades.csv", "--table", "btc_trades"}).status.is_success());
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

TEST_F(AdminTool, ExportsWhatItImported) {
  ASSERT_TRUE(idem({"import", IDEM_TEST_DATA "/btc_trades.csv", "--table", "btc_trades", "--keys",
                    "symbol,price,amount"})
                  .status.is_success());
  const std::string file = server_.folder().file("out.csv");
  const Finished done = idem({"export", "btc_trades", "--file", file});
  ASSERT_TRUE(done.status.is_success()) << done.errors;
  EXPECT_THAT(done.output, HasSubstr("5,882 rows"));
  EXPECT_FALSE(std::filesystem::exists(file + ".part"));
  EXPECT_THAT(idem({"import", file, "--table", "btc_trades"}).output,
              HasSubstr("0 inserted, 0 replaced, 5,882 skipped"));

  EXPECT_EQ(
      idem({"export", "--query", "SELECT side, count(*) AS n FROM btc_trades GROUP BY side ORDER BY side",
            "--delimiter", ";"})
          .output,
      "side;n\n" +
          value("SELECT string_agg(side || ';' || n, chr(10)) FROM (SELECT side, count(*) AS n FROM "
                "btc_trades GROUP BY side ORDER BY side) x") +
          "\n");
  // What fails leaves the file as it was.
  EXPECT_EQ(
      idem({"export", "--query", "SELECT 1 / (3 - x) FROM generate_series(1, 5) AS g(x)", "--file", file})
          .status.number,
      1);
  EXPECT_FALSE(std::filesystem::exists(file + ".part"));
  EXPECT_THAT(read_file(file), HasSubstr("BTC-USD"));
  EXPECT_EQ(idem({"export"}).status.number, 2);
}

TEST_F(AdminTool, RestoresVersions) {
  for (const char* sql : {"CREATE TABLE t (id BIGINT)", "INSERT INTO t VALUES (1), (2)",
                          "ALTER TABLE t CREATE TAG 'two'", "DELETE FROM t WHERE id = 1"})
    execute(*server_.connect(), sql);
  EXPECT_THAT(idem({"history", "t"}).output, HasSubstr("DELETE"));
  const Finished restored = idem({"restore", "t", "1"});
  EXPECT_TRUE(restored.status.is_success()) << restored.errors;
  EXPECT_THAT(restored.output, HasSubstr("RESTORE"));
  EXPECT_EQ(value("SELECT count(*) FROM t"), "2");
  execute(*server_.connect(), "TRUNCATE t");
  EXPECT_TRUE(idem({"restore", "public.t", "--tag", "two"}).status.is_success());
  EXPECT_EQ(value("SELECT count(*) FROM t"), "2");
  EXPECT_EQ(idem({"restore", "t", "99"}).status.number, 1);
  EXPECT_EQ(idem({"restore", "t"}).status.number, 2);
  EXPECT_EQ(idem({"restore", "t", "1", "--tag", "two"}).status.number, 2);
}

TEST_F(AdminTool, ListsRunsAndVacuums) {
  execute(*server_.connect(), "CREATE TABLE a (id BIGINT); CREATE TABLE b (id BIGINT)");
  execute(*server_.connect(),
          "BEGIN RUN 'day/1'; INSERT INTO a VALUES (1); COMMIT; BEGIN RUN 'day/2'; INSERT INTO b VALUES (1); "
          "COMMIT");
  EXPECT_THAT(idem({"runs"}).output, HasSubstr("(2 rows)"));
  EXPECT_THAT(idem({"runs", "--table", "b"}).output, AllOf(HasSubstr("day/2"), Not(HasSubstr("day/1"))));
  EXPECT_THAT(idem({"runs", "--prefix", "day/1"}).output, HasSubstr("(1 row)"));
  execute(*server_.connect(), "DELETE FROM a; CHECKPOINT");
  EXPECT_THAT(idem({"vacuum", "a", "--retain-hours", "0", "--dry-run"}).output, HasSubstr("versions"));
  EXPECT_EQ(error_state(*server_.connect(), "SELECT * FROM a VERSION AS OF 1"), "");
  EXPECT_TRUE(idem({"vacuum", "a", "--retain-hours", "0"}).status.is_success());
  EXPECT_EQ(error_state(*server_.connect(), "SELECT * FROM a VERSION AS OF 1"), "22023");
}

TEST_F(AdminTool, SpeaksJsonWithEveryCommand) {
  execute(*server_.connect(),
          "CREATE TABLE t (id BIGINT, ok BOOLEAN, text VARCHAR); INSERT INTO t VALUES (1, true, 'a \"b\"'), "
          "(2, NULL, NULL)");
  EXPECT_EQ(idem({"sql", "--json", "SELECT * FROM t ORDER BY id; DELETE FROM t"}).output,
            "[{\"id\":1,\"ok\":true,\"text\":\"a \\\"b\\\"\"},\n "
            "{\"id\":2,\"ok\":null,\"text\":null}]\n{\"tag\":\"DELETE 2\"}\n");
  const Finished failed = idem({"--json", "sql", "SELECT missing"});
  EXPECT_EQ(failed.status.number, 1);
  EXPECT_THAT(failed.errors, HasSubstr("\"sqlstate\":\"42703\""));
  EXPECT_EQ(failed.errors.front(), '{');
  EXPECT_THAT(idem({"history", "--json"}).errors, HasSubstr("{\"error\":\"table is required"));
  EXPECT_EQ(idem({"export", "t", "--json"}).status.number, 2);
  for (const std::vector<std::string>& command : std::vector<std::vector<std::string>>{
           {"status"},
           {"tables"},
           {"sessions"},
           {"history", "t"},
           {"runs"},
           {"vacuum", "--dry-run"},
           {"top", "-n", "1", "-i", "0.1"},
           {"import", IDEM_TEST_DATA "/btc_trades.csv", "--table", "trades"},
           {"export", "trades", "--file", server_.folder().file("t.csv")},
           {"backup", "nightly"},
           {"restore", "t", "1"},
           {"bench", "--rows", "1000", "--seconds", "0.1", "-c", "2"}}) {
    std::vector<std::string> words = command;
    words.push_back("--json");
    const Finished shown = idem(words);
    EXPECT_TRUE(shown.status.is_success()) << command[0] << ": " << shown.errors;
    EXPECT_EQ(value("SELECT '" + replaced_all(shown.output, "'", "''") + "'::json IS NOT NULL"), "t")
        << command[0];
  }
  EXPECT_EQ(error_state(*server_.connect(), "SELECT * FROM idem_bench"), "42P01");
  ASSERT_TRUE(server_.terminate().is_success());
  const Finished checked = run_program(idem_path(), {"check", "--json", server_.data()});
  EXPECT_THAT(checked.output, HasSubstr("\"damage\":[]"));
  EXPECT_THAT(run_program(idem_path(), {"wal", "dump", "--json", server_.data()}).output, HasSubstr("[\""));
}

TEST(LocalServer, IsMadeStartedAndStopped) {
  TemporaryFolder folder;
  const std::string home = folder.file("demo");
  const auto idem = [](std::vector<std::string> arguments) { return run_program(idem_path(), arguments); };
  EXPECT_EQ(idem({"start", home}).status.number, 2);
  Finished done = idem({"init", home, "--port", "0", "--http-port", "0"});
  ASSERT_TRUE(done.status.is_success()) << done.errors;
  EXPECT_EQ(idem({"init", home}).status.number, 2);  // it is not empty any more
  done = idem({"start", home, "--json"});
  ASSERT_TRUE(done.status.is_success()) << done.errors << read_file(home + "/idemdb.log");
  EXPECT_THAT(done.output, HasSubstr("\"http_port\":"));
  EXPECT_THAT(idem({"start", home}).output, HasSubstr("running already"));
  const std::string port = std::to_string(std::stoi(read_file(home + "/idemdb.port")));
  EXPECT_EQ(idem({"sql", "--csv", "-p", port, "SELECT 1 AS one"}).output, "one\n1\n");
  EXPECT_EQ(idem({"stop", home}).output, "stopped\n");
  EXPECT_EQ(idem({"stop", home}).output, "no server is running\n");
  // What keeps it from starting is told.
  write_file(home + "/idemdb.toml", "prot = 0\n");
  done = idem({"start", home});
  EXPECT_EQ(done.status.number, 1);
  EXPECT_THAT(done.errors, HasSubstr("unrecognized configuration parameter \"prot\""));
}

TEST_F(AdminTool, IsDocumentedAndCompleted) {
  const std::string page = read_file(IDEM_TEST_DATA "/../../docs/idem.1"),
                    script = run_program(idem_path(), {"completion", "bash"}).output;
  // Each line of the script's table: '    'command') words="word word " ;;'.
  std::istringstream lines(script);
  size_t commands = 0;
  for (std::string line; std::getline(lines, line);) {
    const size_t begin = line.find(") words=\"");
    if (!line.starts_with("    '") || begin == line.npos) continue;
    ++commands;
    const std::string command = line.substr(5, begin - 6);
    if (!command.empty() && command != "wal") {
      EXPECT_THAT(page, HasSubstr("Cm " + command)) << "docs/idem.1";
    }
    std::istringstream words(line.substr(begin + 9, line.rfind('"') - begin - 9));
    for (std::string word; words >> word;) {
      if (word.starts_with("--") && word != "--help" && word != "--version") {
        EXPECT_THAT(page, HasSubstr(word.substr(1))) << command << ", docs/idem.1";
      }
    }
  }
  EXPECT_GT(commands, 18u);
  const Finished completed = run_program(
      "bash",
      {"-c", script + "\nCOMP_WORDS=(idem export --de) COMP_CWORD=2; _idem; echo \"${COMPREPLY[@]}\"; "
                      "COMP_WORDS=(idem hi) COMP_CWORD=1; _idem; echo \"${COMPREPLY[@]}\""});
  EXPECT_EQ(completed.output, "--delimiter\nhistory\n");
}

}  // namespace
}  // namespace idem::test
