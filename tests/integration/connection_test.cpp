#include <atomic>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <thread>
#include <unistd.h>

#include "tests/harness/raw_client.h"
#include "tests/harness/test_server.h"

namespace idem::test {
namespace {

using ::testing::HasSubstr;

std::string connection_error(const TestServer& server, const std::string& more) {
  try {
    server.connect(more);
  } catch (const pqxx::broken_connection& error) { return error.what(); }
  return "";
}

TEST(Connection, TellsWhatDriversReadFromIt) {
  const TestServer server;
  const auto connection = server.connect();
  EXPECT_EQ(connection->get_variable("server_encoding"), "UTF8");
  EXPECT_EQ(connection->get_variable("TimeZone"), "UTC");
  EXPECT_GE(connection->server_version(), 150000);
  EXPECT_EQ(value_of(*connection, "SHOW standard_conforming_strings"), "on");
}

TEST(Connection, RefusesAnUnknownDatabaseAndUser) {
  const TestServer server;
  EXPECT_THAT(connection_error(server, "dbname=missing"), HasSubstr("missing"));
  EXPECT_THAT(connection_error(server, "user=nobody"), HasSubstr("nobody"));
}

TEST(Connection, DemandsThePassword) {
  TestServer server;
  {
    const auto connection = server.connect();
    execute(*connection, "ALTER USER admin PASSWORD 'correct horse'");
    execute(*connection, "CREATE USER reader PASSWORD 'battery staple'");
  }
  server.terminate();
  server.set_arguments({"--auth", "scram"});
  server.start();
  EXPECT_THAT(connection_error(server, "password=wrong"),
              HasSubstr("password authentication failed for user \"admin\""));
  EXPECT_THAT(connection_error(server, "user=nobody password=wrong"),
              HasSubstr("password authentication failed for user \"nobody\""));
  EXPECT_NE(connection_error(server, ""), "");
  EXPECT_EQ(value_of(*server.connect("password='correct horse'"), "SELECT current_user"), "admin");
  EXPECT_EQ(value_of(*server.connect("user=reader password='battery staple'"), "SELECT current_user"),
            "reader");
  EXPECT_THAT(server.standard_error(),
              HasSubstr("was not let in: password authentication failed for user \"nobody\""));
}

TEST(Connection, SaysHowToSetPasswordsUpBeforeListeningToTheWorld) {
  const TemporaryFolder folder;
  Finished finished =
      run_program(idemdb_path(), {"--data", folder.file("data"), "--port", "0", "--listen", "0.0.0.0"});
  EXPECT_EQ(finished.status.number, 1);
  EXPECT_THAT(finished.errors, HasSubstr("ALTER USER admin PASSWORD"));
  finished = run_program(idemdb_path(), {"--data", folder.file("data"), "--port", "0", "--listen", "0.0.0.0",
                                         "--auth", "trust"});
  EXPECT_EQ(finished.status.number, 1);
  EXPECT_THAT(finished.errors, HasSubstr("loopback"));
}

TEST(Connection, SpeaksTls) {
  const TemporaryFolder folder;
  const std::string key = folder.file("key.pem"), certificate = folder.file("certificate.pem");
  const Finished made = run_program(
      "openssl", {"req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost",
                  "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", key, "-out", certificate});
  ASSERT_TRUE(made.status.is_success()) << made.errors;
  const TestServer server({.arguments = {"--tls-cert", certificate, "--tls-key", key}});
  const auto secure = server.connect("sslmode=verify-ca sslrootcert=" + certificate);
  execute(*secure, "CREATE TABLE t (text VARCHAR)");
  execute(*secure, "INSERT INTO t SELECT repeat('x', 100) FROM generate_series(1, 20000)");
  EXPECT_EQ(execute(*secure, "SELECT text FROM t").size(), 20000u);
  EXPECT_EQ(value_of(*server.connect("sslmode=disable"), "SELECT count(*) FROM t"), "20000");
  EXPECT_NE(connection_error(TestServer(), "sslmode=require"), "")
      << "a server without a certificate declines";
}

TEST(Connection, SaysWhatIsWrongWithACertificate) {
  const TemporaryFolder folder;
  write_file(folder.file("bad.pem"), "this is none");
  const Finished finished =
      run_program(idemdb_path(), {"--data", folder.file("data"), "--port", "0", "--tls-cert",
                                  folder.file("bad.pem"), "--tls-key", folder.file("bad.pem")});
  EXPECT_EQ(finished.status.number, 1);
  EXPECT_THAT(finished.errors, HasSubstr("bad.pem"));
}

TEST(Connection, CancelsAStatement) {
  const TestServer server;
  const auto connection = server.connect();
  std::atomic<bool> ended{false};
  std::string state;
  std::jthread runner([&] {
    state = error_state(*connection,
                        "SELECT count(*) FROM generate_series(1, 1000000) a, generate_series(1, 1000000) b");
    ended = true;
  });
  const auto other = server.connect();
  while (!ended) {
    connection->cancel_query();
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
  runner.join();
  EXPECT_EQ(state, "57014");
  EXPECT_EQ(value_of(*other, "SELECT 1"), "1");
}

// Joins and filters that let no row through are inside one operator for hours.
TEST(Connection, CancelsAJoinThatFindsNothing) {
  const TestServer server;
  const auto connection = server.connect();
  execute(*connection, "CREATE TABLE t (x BIGINT)");
  execute(*connection, "INSERT INTO t SELECT x FROM generate_series(1, 20000) AS g(x)");
  execute(*connection, "SET statement_timeout = '50ms'");
  for (const char* query :
       {"SELECT count(*) FROM t a, t b, t c WHERE a.x + b.x + c.x < 0",
        "SELECT count(*) FROM t a LEFT JOIN t b ON true JOIN t c ON a.x + b.x + c.x < 0",
        "SELECT count(*) FROM t a WHERE NOT EXISTS (SELECT 1 FROM t b, t c WHERE a.x + b.x + c.x < 0)"}) {
    EXPECT_EQ(error_state(*connection, query), "57014") << query;
  }
}

TEST(Connection, TakesPostgresForTheNameOfTheDatabase) {
  const TestServer server;
  const auto connection = server.connect("dbname=postgres");
  EXPECT_EQ(value_of(*connection, "SELECT current_database()"), "main");
}

TEST(Connection, EndsAStatementAtItsTimeout) {
  const TestServer server;
  const auto connection = server.connect();
  execute(*connection, "SET statement_timeout = '50ms'");
  EXPECT_EQ(error_state(*connection,
                        "SELECT count(*) FROM generate_series(1, 1000000) a, generate_series(1, 1000000) b"),
            "57014");
  execute(*connection, "RESET statement_timeout");
  EXPECT_EQ(value_of(*connection, "SELECT 1"), "1");
}

TEST(Connection, ServesAHundredAtOnce) {
  const TestServer server;
  const auto first = server.connect();
  execute(*first, "CREATE TABLE t (id BIGINT)");
  constexpr int kConnections = 100, kRows = 5;
  std::vector<std::unique_ptr<pqxx::connection>> connections;
  for (int i = 0; i < kConnections; ++i) connections.push_back(server.connect());
  std::vector<std::thread> threads;
  std::atomic<int> failures{0};
  for (int i = 0; i < kConnections; ++i) {
    threads.emplace_back([&, i] {
      try {
        for (int n = 0; n < kRows; ++n)
          execute(*connections[static_cast<size_t>(i)],
                  "INSERT INTO t VALUES (" + std::to_string(i * kRows + n) + ")");
      } catch (const std::exception&) { ++failures; }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(failures, 0);
  EXPECT_EQ(value_of(*first, "SELECT count(DISTINCT id) FROM t"), std::to_string(kConnections * kRows));
  EXPECT_EQ(value_of(*first, "SELECT count(*) FROM sessions()"), std::to_string(kConnections + 1));
}

TEST(Connection, RefusesMoreThanItsLimit) {
  const TestServer server({.arguments = {"--max-connections", "3"}});
  std::vector<std::unique_ptr<pqxx::connection>> connections;
  for (int i = 0; i < 3; ++i) connections.push_back(server.connect());
  EXPECT_THAT(connection_error(server, ""), HasSubstr("too many"));
  connections.pop_back();
  while (connection_error(server, "") != "") {}
}

TEST(Process, RefusesAFolderThatAServerHas) {
  TestServer server;
  const Finished second = run_program(idemdb_path(), {"--data", server.data(), "--port", "0"});
  EXPECT_EQ(second.status.number, 1);
  EXPECT_THAT(second.errors, HasSubstr("in use by another server"));
  EXPECT_THAT(second.errors, HasSubstr(std::to_string(server.pid())));
  EXPECT_EQ(value_of(*server.connect(), "SELECT 1"), "1");
}

TEST(Process, RefusesAFolderThatHoldsSomethingElse) {
  const TemporaryFolder folder;
  write_file(folder.file("letter.txt"), "Dear ...");
  const Finished finished = run_program(idemdb_path(), {"--data", folder.path(), "--port", "0"});
  EXPECT_EQ(finished.status.number, 1);
  EXPECT_THAT(finished.errors, HasSubstr("not a data folder"));
  EXPECT_EQ(read_file(folder.file("letter.txt")), "Dear ...");
}

TEST(Process, SaysThatAFolderCannotBeWritten) {
  const Finished finished = run_program(idemdb_path(), {"--data", "/proc/idemdb-data", "--port", "0"});
  EXPECT_EQ(finished.status.number, 1);
  EXPECT_THAT(finished.errors, HasSubstr("/proc/idemdb-data"));
  if (::geteuid() == 0) return;  // root may write anywhere else
  const TemporaryFolder folder;
  write_file(folder.file("file"), "");
  EXPECT_EQ(
      run_program(idemdb_path(), {"--data", folder.file("file") + "/data", "--port", "0"}).status.number, 1);
}

TEST(Process, SaysThatAPortIsTaken) {
  const TestServer server;
  const TemporaryFolder folder;
  const Finished finished =
      run_program(idemdb_path(), {"--data", folder.file("data"), "--port", std::to_string(server.port())});
  EXPECT_EQ(finished.status.number, 1);
  EXPECT_THAT(finished.errors, HasSubstr(std::to_string(server.port())));
}

TEST(Process, EndsCleanlyOnSigterm) {
  TestServer server;
  auto connection = server.connect();
  execute(*connection, "CREATE TABLE t (id BIGINT)");
  execute(*connection, "INSERT INTO t SELECT x FROM generate_series(1, 1000) AS g(x)");
  execute(*connection, "BEGIN");
  execute(*connection, "INSERT INTO t VALUES (5000)");
  const auto idle = server.connect();
  EXPECT_TRUE(server.terminate().is_success()) << server.standard_error();
  EXPECT_ANY_THROW(execute(*idle, "SELECT 1")) << "its connection is gone";
  server.start();
  connection = server.connect();
  EXPECT_EQ(value_of(*connection, "SELECT count(*) FROM t"), "1000") << "what was not committed is gone";
}

TEST(Process, EndsAStatementThatRunsAtSigterm) {
  TestServer server;
  const auto connection = server.connect();
  std::atomic<bool> ended{false};
  std::jthread runner([&] {
    EXPECT_ANY_THROW(execute(
        *connection, "SELECT count(*) FROM generate_series(1, 1000000) a, generate_series(1, 1000000) b"));
    ended = true;
  });
  const auto other = server.connect();
  const std::string is_running = "SELECT count(*) FROM sessions() WHERE state = 'active' AND pid = " +
                                 std::to_string(connection->backendpid());
  while (value_of(*other, is_running) != "1" && !ended) {}
  EXPECT_TRUE(server.terminate().is_success()) << server.standard_error();
}

TEST(Process, StaysSmallWhenIdle) {
  const TestServer server;
  EXPECT_EQ(value_of(*server.connect(), "SELECT 1"), "1");
  EXPECT_LT(server.resident_bytes(), 64u << 20);
}

TEST(Process, ShowsHelpAndRefusesUnknownOptions) {
  const Finished help = run_program(idemdb_path(), {"--help"});
  EXPECT_TRUE(help.status.is_success());
  EXPECT_THAT(help.output, HasSubstr("--data"));
  EXPECT_FALSE(run_program(idemdb_path(), {"--dta", "x"}).status.is_success());
  const Finished none = run_program(idemdb_path(), {});
  EXPECT_EQ(none.status.number, 1);
  EXPECT_THAT(none.errors, HasSubstr("idemdb --data DIR"));
}

TEST(Process, ReadsItsConfigurationFile) {
  const TemporaryFolder folder;
  write_file(folder.file("idemdb.toml"), "max_connections = 7\n[settings]\nstatement_timeout = \"5min\"\n");
  const TestServer server({.arguments = {"--config", folder.file("idemdb.toml")}});
  EXPECT_EQ(value_of(*server.connect(), "SHOW statement_timeout"), "5min");
  write_file(folder.file("bad.toml"), "no_such_setting = 1\n");
  const Finished finished =
      run_program(idemdb_path(), {"--data", folder.file("data"), "--config", folder.file("bad.toml")});
  EXPECT_EQ(finished.status.number, 1);
  EXPECT_THAT(finished.errors, HasSubstr("no_such_setting"));
}

}  // namespace
}  // namespace idem::test
