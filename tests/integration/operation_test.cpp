#include <csignal>
#include <filesystem>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <thread>

#include "tests/harness/raw_client.h"
#include "tests/harness/socket_client.h"
#include "tests/harness/test_server.h"

namespace idem::test {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

// Waits until the log has the text.
void await_log(TestServer& server, const std::string& text) {
  while (server.is_running() && server.standard_error().find(text) == std::string::npos)
    std::this_thread::yield();
}

TEST(Operation, ReloadsOnSighup) {
  TemporaryFolder folder;
  const std::string config = folder.file("idemdb.toml");
  write_file(config, "[settings]\nstatement_timeout = \"7s\"\n");
  TestServer server({.arguments = {"--config", config}});
  EXPECT_EQ(value_of(*server.connect(), "SHOW statement_timeout"), "7s");
  write_file(config, "port = 1\nlog_level = \"info\"\n[settings]\nstatement_timeout = \"8s\"\n");
  kill(server.pid(), SIGHUP);
  while (value_of(*server.connect(), "SHOW statement_timeout") != "8s") std::this_thread::yield();
  write_file(config, "[settings]\nstatement_timeout = \"long\"\n");
  EXPECT_EQ(value_of(*server.connect(), "SELECT pg_reload_conf()"), "f");
  EXPECT_THAT(server.standard_error(), HasSubstr("the configuration was not read again: invalid value"));
  EXPECT_EQ(value_of(*server.connect(), "SHOW statement_timeout"), "8s");
}

// Nothing in the server holds a version that nobody reads.
TEST(Operation, VacuumGivesFilesBackAtOnce) {
  TestServer server;
  const auto admin = server.connect();
  execute(*admin, "CREATE TABLE t (ts TIMESTAMP, v BIGINT) TIMESTAMP(ts) PARTITION BY DAY");
  execute(*admin,
          "INSERT INTO t SELECT '2024-01-01'::timestamp + x * interval '1 s', x FROM generate_series(0, "
          "199999) x");
  EXPECT_EQ(value_of(*admin, "SELECT count(*) FROM t"), "200000");
  const std::string folder =
      server.data() + "/" + value_of(*admin, "SELECT directory FROM tables() WHERE table_name = 't'");
  EXPECT_FALSE(std::filesystem::is_empty(folder));
  execute(*admin, "TRUNCATE t");
  execute(*admin, "VACUUM RETAIN 0 HOURS");
  while (!std::filesystem::is_empty(folder)) std::this_thread::yield();
}

TEST(Operation, AlterSystemKeepsSettings) {
  TestServer server;
  const auto admin = server.connect();
  execute(*admin, "ALTER SYSTEM SET statement_timeout = '9s'");
  execute(*admin, "ALTER SYSTEM SET drain_seconds = 3");
  EXPECT_EQ(value_of(*server.connect(), "SHOW statement_timeout"), "0");
  EXPECT_EQ(value_of(*admin, "SELECT pg_reload_conf()"), "t");
  EXPECT_EQ(value_of(*server.connect(), "SHOW statement_timeout"), "9s");
  EXPECT_EQ(error_state(*admin, "ALTER SYSTEM SET statement_timeout = 'long'"), "22023");
  EXPECT_EQ(error_state(*admin, "ALTER SYSTEM SET max_connections = 'many'"), "22023");
  EXPECT_EQ(error_state(*admin, "ALTER SYSTEM SET no_such_thing = 1"), "42704");
  EXPECT_EQ(error_state(*admin, "ALTER SYSTEM SET data = '/tmp'"), "55P02");
  execute(*admin, "CREATE USER reader");
  EXPECT_THAT(error_text(*server.connect("user=reader"), "ALTER SYSTEM SET drain_seconds = 1"),
              HasSubstr("permission denied"));
  server.restart();
  EXPECT_EQ(value_of(*server.connect(), "SHOW statement_timeout"), "9s");
  execute(*server.connect(), "ALTER SYSTEM RESET statement_timeout");
  EXPECT_THAT(read_file(server.data() + "/idemdb.auto.toml"), HasSubstr("\"drain_seconds\" = \"3\""));
  execute(*server.connect(), "ALTER SYSTEM RESET ALL");
  EXPECT_THAT(read_file(server.data() + "/idemdb.auto.toml"), Not(HasSubstr("=")));
}

TEST(Operation, AlterSystemTakesEverySetting) {
  TestServer server;
  const auto admin = server.connect();
  const pqxx::result known =
      execute(*admin, "SELECT name, setting FROM pg_settings WHERE context IN ('postmaster', 'sighup')");
  EXPECT_GE(known.size(), 25U);
  for (const auto& row : known) {
    const std::string name = row[0].c_str(), value = row[1].c_str();
    EXPECT_EQ(value_of(*admin, "SHOW " + name), value);
    if (name == "data" || name == "config") continue;
    EXPECT_EQ(error_text(*admin, "ALTER SYSTEM SET " + name + " = '" + value + "'"), "") << name;
  }
  execute(*admin, "ALTER SYSTEM RESET ALL");
  // What the next start would stumble over is refused.
  for (const char* bad :
       {"listen = 'no such address'", "history_retention = 'long'", "tls_cert = 'missing.crt'",
        "auth = 'md5'", "http_port = 'many'", "audit_log = 'perhaps'"})
    EXPECT_EQ(error_state(*admin, std::string("ALTER SYSTEM SET ") + bad), "22023") << bad;
  EXPECT_EQ(error_state(*admin, "ALTER SYSTEM SET server_version = '99'"), "55P02");
  execute(*admin, "ALTER SYSTEM SET tls_key = 'missing.key'");
  EXPECT_EQ(error_state(*admin, "ALTER SYSTEM SET tls_cert = 'missing.crt'"), "22023");
  EXPECT_EQ(error_state(*admin, "SET port = 1"), "55P02");
  execute(*admin, "CREATE USER reader");
  const auto reader = server.connect("user=reader");
  EXPECT_EQ(value_of(*reader, "SHOW max_connections"), "1000");
  EXPECT_THAT(error_text(*reader, "SHOW data"), HasSubstr("must be superuser"));
  EXPECT_EQ(value_of(*reader, "SELECT count(*) FROM pg_settings WHERE name = 'data'"), "0");
}

TEST(Operation, RolesHaveLimits) {
  TestServer server({.arguments = {"--http-port", "0", "--max-connections", "4"}});
  auto admin = server.connect();
  execute(*admin, "CREATE USER ann CONNECTION LIMIT 2; ALTER USER ann SET statement_timeout = '2s'");
  execute(*admin, "ALTER USER ann SET application_name = 'from the role'");
  const auto first = server.connect("user=ann");
  auto second = server.connect("user=ann");
  EXPECT_THROW(server.connect("user=ann"), pqxx::broken_connection);
  EXPECT_EQ(http_request(server.http_port(), "GET", "/exec?u=ann&query=SELECT+1").status, 503);
  second.reset();
  while (value_of(*admin, "SELECT count(*) FROM sessions()") != "2") std::this_thread::yield();
  EXPECT_EQ(http_request(server.http_port(), "GET", "/exec?u=ann&query=SELECT+1").status, 200);

  EXPECT_EQ(value_of(*first, "SHOW application_name"), "from the role");
  EXPECT_EQ(value_of(*first, "SHOW statement_timeout"), "2s");
  EXPECT_THAT(error_text(*first, "SET statement_timeout = '3s'"), HasSubstr("permission denied"));
  EXPECT_THAT(error_text(*first, "SET statement_timeout = 0"), HasSubstr("permission denied"));
  EXPECT_THAT(error_text(*first, "SELECT set_config('statement_timeout', '1h', false)"),
              HasSubstr("permission denied"));
  EXPECT_EQ(error_state(*first, "SET statement_timeout = '50ms'"), "");
  EXPECT_EQ(error_state(*first, "SELECT pg_sleep(60)"), "57014");
  EXPECT_EQ(error_state(*first, "RESET statement_timeout"), "");
  EXPECT_EQ(value_of(*first, "SHOW statement_timeout"), "2s");
  while (value_of(*admin, "SELECT count(*) FROM sessions()") != "2") std::this_thread::yield();
  EXPECT_THROW(server.connect("user=ann options='-c statement_timeout=1h'"), pqxx::broken_connection);

  // Superusers have no limit but that of all.
  execute(*admin, "ALTER USER admin CONNECTION LIMIT 1");
  std::vector<std::unique_ptr<pqxx::connection>> more;
  while (value_of(*admin, "SELECT count(*) FROM sessions()") != "2") std::this_thread::yield();
  for (int i = 0; i < 2; ++i) more.push_back(server.connect());
  EXPECT_THROW(server.connect(), pqxx::broken_connection);

  server.restart();
  admin = server.connect();
  EXPECT_EQ(value_of(*admin, "SELECT rolconnlimit FROM pg_roles WHERE rolname = 'ann'"), "2");
  EXPECT_EQ(value_of(*server.connect("user=ann"), "SHOW statement_timeout"), "2s");
}

TEST(Operation, ASnapshotIsNotHeldForEver) {
  TestServer server;
  execute(*server.connect(), "CREATE TABLE t (a INT)");
  RawClient idle(server.port());
  idle.log_in();
  idle.send_query("SET snapshot_timeout = '100ms'; BEGIN; SELECT * FROM t");
  EXPECT_EQ(error_field(idle.receive_until('E').body, 'C'), "25P04");
  EXPECT_EQ(idle.receive().type, 0);
  const auto busy = server.connect();
  execute(*busy, "SET snapshot_timeout = '100ms'");
  EXPECT_THAT(error_text(*busy, "SELECT pg_sleep(600)"), HasSubstr("due to snapshot timeout"));
  EXPECT_EQ(value_of(*busy, "SELECT count(*) FROM t"), "0");
}

// What is cut to be shown ends between two characters.
TEST(Operation, ShowsTheBeginningOfLongStatements) {
  TestServer server;
  std::string euros;
  for (int i = 0; i < 600; ++i) euros += "\u20ac";
  const std::string shown =
      value_of(*server.connect(), "SELECT query FROM sessions() WHERE '" + euros + "' <> ''");
  EXPECT_LE(shown.size(), 1024U);
  EXPECT_GE(shown.size(), 1022U);
  EXPECT_EQ(shown.substr(shown.size() - 3), "\u20ac");
}

TEST(Operation, LogsSlowAndAuditedStatements) {
  TestServer server({.arguments = {"--audit-log", "on", "--log-format", "json"}});
  const auto admin = server.connect("application_name=nightly");
  execute(*admin, "CREATE USER ann PASSWORD 'Geheim-7'");
  EXPECT_EQ(error_state(*admin, "DROP TABLE missing"), "42P01");
  execute(*admin, "SELECT 'not audited'");
  execute(*admin, "SET log_min_duration_statement = '1ms'");
  execute(*admin, "SELECT pg_sleep(0.01), '\"quoted\"'");
  await_log(server, "\"event\":\"slow\"");
  const std::string log = server.standard_error();
  EXPECT_THAT(log, HasSubstr("\"event\":\"audit\""));
  EXPECT_THAT(log, HasSubstr("\"application\":\"nightly\""));
  EXPECT_THAT(log, HasSubstr("\"outcome\":\"done\",\"statement\":\"CREATE USER ann PASSWORD '***'\""));
  EXPECT_THAT(log, HasSubstr("\"outcome\":\"failed\",\"sqlstate\":\"42P01\""));
  EXPECT_THAT(log, HasSubstr("\"statement\":\"SELECT pg_sleep(0.01), '\\\"quoted\\\"'\""));
  EXPECT_THAT(log, Not(HasSubstr("Geheim")));
  EXPECT_THAT(log, Not(HasSubstr("not audited")));
}

TEST(Operation, LetsStatementsEndWhenItIsToldTo) {
  TestServer server;
  execute(*server.connect(), "CREATE TABLE t (a INT)");
  RawClient working(server.port()), waiting(server.port());
  working.log_in();
  waiting.log_in();
  working.send_query("BEGIN; INSERT INTO t VALUES (1)");
  working.receive_until('Z');
  kill(server.pid(), SIGTERM);
  EXPECT_EQ(error_field(waiting.receive_until('E').body, 'C'), "57P01");
  working.send_query("COMMIT");
  EXPECT_EQ(working.receive_until('C').body.substr(0, 6), "COMMIT");
  EXPECT_EQ(error_field(working.receive_until('E').body, 'C'), "57P01");
  while (server.is_running()) std::this_thread::yield();
  server.start();
  EXPECT_EQ(value_of(*server.connect(), "SELECT count(*) FROM t"), "1");
  // A second signal is in a hurry.
  RawClient slow(server.port());
  slow.log_in();
  slow.send_query("SELECT pg_sleep(600)");
  while (
      value_of(*server.connect(),
               "SELECT count(*) FROM sessions() WHERE query LIKE 'SELECT pg_sleep%' AND state = 'active'") !=
      "1") {}
  while (server.is_running()) kill(server.pid(), SIGTERM);
  EXPECT_EQ(error_field(slow.receive_until('E').body, 'C'), "57014");
  EXPECT_EQ(error_field(slow.receive_until('E').body, 'C'), "57P01");
}

TEST(Operation, AsksByAccessRules) {
  TestServer server;
  execute(*server.connect(), "CREATE USER ann PASSWORD 'a'; CREATE USER eve");
  server.terminate();
  TemporaryFolder folder;
  const std::string config = folder.file("idemdb.toml");
  write_file(
      config,
      "[[access]]\nuser = \"eve\"\nmethod = \"reject\"\n[[access]]\nuser = \"ann\"\nmethod = \"scram\"\n"
      "[[access]]\naddress = \"127.0.0.1\"\nmethod = \"trust\"\n");
  server.set_arguments({"--config", config});
  server.start();
  EXPECT_EQ(value_of(*server.connect(), "SELECT 1"), "1");
  EXPECT_EQ(value_of(*server.connect("user=ann password=a"), "SELECT 1"), "1");
  EXPECT_THROW(server.connect("user=ann password=b"), pqxx::broken_connection);
  EXPECT_THROW(server.connect("user=eve"), pqxx::broken_connection);
}

TEST(Operation, TakesCertificatesOfClients) {
  TestServer server;
  execute(*server.connect(), "CREATE USER ann");
  server.terminate();
  TemporaryFolder folder;
  const auto file = [&](const std::string& name) { return folder.file(name); };
  const auto openssl = [&](std::vector<std::string> arguments) {
    ASSERT_TRUE(run_program("openssl", arguments).status.is_success());
  };
  openssl({"req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=authority", "-keyout",
           file("ca.key"), "-out", file("ca.crt")});
  for (const std::string name : {"localhost", "ann"}) {
    openssl({"req", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=" + name, "-keyout", file(name + ".key"),
             "-out", file(name + ".csr")});
    openssl({"x509", "-req", "-in", file(name + ".csr"), "-CA", file("ca.crt"), "-CAkey", file("ca.key"),
             "-CAcreateserial", "-out", file(name + ".crt")});
    chmod(file(name + ".key").c_str(), 0600);
  }
  write_file(file("idemdb.toml"), "[[access]]\ntls = \"required\"\nmethod = \"cert\"\n");
  server.set_arguments({"--config", file("idemdb.toml"), "--tls-cert", file("localhost.crt"), "--tls-key",
                        file("localhost.key"), "--tls-client-ca", file("ca.crt"), "--tls-min-version",
                        "1.3"});
  server.start();
  const std::string with_certificate =
      "sslmode=require sslcert=" + file("ann.crt") + " sslkey=" + file("ann.key");
  EXPECT_EQ(value_of(*server.connect("user=ann " + with_certificate), "SELECT 1"), "1");
  EXPECT_THROW(server.connect(with_certificate), pqxx::broken_connection);  // admin's it is not
  EXPECT_THROW(server.connect("user=ann sslmode=require sslcert=none"), pqxx::broken_connection);
  EXPECT_THROW(server.connect("user=ann sslmode=disable"), pqxx::broken_connection);
  EXPECT_THROW(server.connect("user=ann ssl_max_protocol_version=TLSv1.2 " + with_certificate),
               pqxx::broken_connection);
}

}  // namespace
}  // namespace idem::test
