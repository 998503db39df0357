#include "server/configuration.h"

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <gtest/gtest.h>

#include "tests/unit/common/expect_sql_error.h"

namespace idem {
namespace {

// Environment variables for one test.
class Environment {
 public:
  Environment(const char* name, const char* value) : name_(name) { ::setenv(name, value, 1); }
  ~Environment() { ::unsetenv(name_); }
  Environment(const Environment&) = delete;
  Environment& operator=(const Environment&) = delete;

 private:
  const char* name_;
};

class ConfigurationTest : public testing::Test {
 protected:
  Configuration read(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), "idemdb");
    std::vector<char*> argv;
    for (std::string& argument : arguments) argv.push_back(argument.data());
    argv.push_back(nullptr);
    ConfigurationSource source;
    goes_on_ = source.parse_arguments(static_cast<int>(arguments.size()), argv.data(), &exit_code_);
    return source.read();
  }
  std::string file(const std::string& content) {
    path_ = std::filesystem::temp_directory_path() /
            ("idem_configuration_" + std::to_string(::getpid()) + ".toml");
    std::ofstream(path_) << content;
    return path_;
  }
  void TearDown() override {
    if (!path_.empty()) std::filesystem::remove(path_);
  }

  bool goes_on_ = false;
  int exit_code_ = 0;
  std::filesystem::path path_;
};

TEST_F(ConfigurationTest, WorksWithADataFolderAlone) {
  const Configuration c = read({"--data", "d"});
  EXPECT_TRUE(goes_on_);
  EXPECT_EQ(c.data, "d");
  EXPECT_EQ(c.listen, "127.0.0.1");
  EXPECT_EQ(c.port, 5433);
  EXPECT_EQ(c.authentication(), AuthenticationMethod::kTrust);
  check_configuration(c);
}

TEST_F(ConfigurationTest, SizesHaveUnits) {
  EXPECT_EQ(read({"--memory-limit", "4GB"}).memory_limit, uint64_t{4} << 30);
  EXPECT_EQ(read({"--memory-limit", "300MB"}).memory_limit, uint64_t{300} << 20);
  EXPECT_EQ(read({"--chunk-cache=64kB"}).chunk_cache, uint64_t{64} << 10);
  EXPECT_EQ(read({"--memory-limit", "1048576"}).memory_limit, uint64_t{1} << 20);
  expect_sql_error("22023", "invalid value for parameter \"memory_limit\": \"4G\"", [&] {
    read({"--memory-limit", "4G"});
  });
  expect_sql_error("22023", "invalid value for parameter \"memory_limit\": \"-1\"",
                   [&] { read({"--memory-limit=-1"}); });
  expect_sql_error("22023", "invalid value for parameter \"memory_limit\": \"18014398509481984kB\"", [&] {
    read({"--memory-limit", "18014398509481984kB"});
  });
  expect_sql_error("22023", "invalid value for parameter \"port\": \"5433kB\"", [&] {
    read({"--port", "5433kB"});
  });
  expect_sql_error("22023", "invalid value for parameter \"port\": \"65536\"", [&] {
    read({"--port", "65536"});
  });
}

TEST_F(ConfigurationTest, CommandLineBeforeEnvironmentBeforeFile) {
  const std::string path = file(
      "port = 1\nlisten = \"127.0.0.2\"\nlog_level = \"warn\"\n[settings]\ntimezone = \"Europe/Berlin\"\n"
      "statement_timeout = 5000\n");
  const Environment port("IDEMDB_PORT", "2");
  const Environment listen("IDEMDB_LISTEN", "127.0.0.3");
  const Configuration c = read({"--config", path, "--port", "3"});
  EXPECT_EQ(c.port, 3);
  EXPECT_EQ(c.listen, "127.0.0.3");
  EXPECT_EQ(c.log_level, "warn");
  EXPECT_EQ(c.settings.at("timezone"), "Europe/Berlin");
  EXPECT_EQ(c.settings.at("statement_timeout"), "5000");
}

TEST_F(ConfigurationTest, FileMayComeFromTheEnvironment) {
  const std::string path = file("max_connections = 7\nmemory_limit = \"1GB\"\n");
  const Environment config("IDEMDB_CONFIG", path.c_str());
  const Configuration c = read({});
  EXPECT_EQ(c.max_connections, 7U);
  EXPECT_EQ(c.memory_limit, uint64_t{1} << 30);
}

TEST_F(ConfigurationTest, MistakesInTheFileAreNamed) {
  expect_sql_error("22023", "", [&] { read({"--config", file("port = ")}); });
  const std::string unknown = file("prot = 5433\n");
  expect_sql_error("22023", unknown + ": unrecognized configuration parameter \"prot\"", [&] {
    read({"--config", unknown});
  });
  const std::string list = file("port = [1, 2]\n");
  expect_sql_error("22023", list + ": \"port\" must be a string, a whole number or a boolean", [&] {
    read({"--config", list});
  });
  EXPECT_THROW(read({"--config", "/does/not/exist.toml"}), SqlError);
}

TEST_F(ConfigurationTest, HelpAndMistakesEndTheProgram) {
  testing::internal::CaptureStdout();
  read({"--help"});
  EXPECT_FALSE(goes_on_);
  EXPECT_EQ(exit_code_, 0);
  EXPECT_NE(testing::internal::GetCapturedStdout().find("--import-folder"), std::string::npos);
  testing::internal::CaptureStderr();
  read({"--no-such-flag"});
  EXPECT_FALSE(goes_on_);
  EXPECT_NE(exit_code_, 0);
  testing::internal::GetCapturedStderr();
}

TEST_F(ConfigurationTest, OtherAddressesDemandPasswords) {
  Configuration c = read({"--data", "d", "--listen", "0.0.0.0"});
  EXPECT_EQ(c.authentication(), AuthenticationMethod::kScram);
  check_configuration(c);
  c.auth = "trust";
  expect_sql_error("22023", "auth = trust is for loopback addresses only, not for 0.0.0.0",
                   [&] { check_configuration(c); });
  c.listen = "::1";
  check_configuration(c);
  c.auth = "md5";
  expect_sql_error("22023", "invalid value for parameter \"auth\": \"md5\"", [&] { check_configuration(c); });
  c.auth.clear();
  c.memory_limit = 1024;
  expect_sql_error("22023", "1024 is outside the valid range for parameter \"memory_limit\"",
                   [&] { check_configuration(c); });
  c.memory_limit = 0;
  c.max_connections = 0;
  expect_sql_error("22023", "0 is outside the valid range for parameter \"max_connections\"",
                   [&] { check_configuration(c); });
}

TEST_F(ConfigurationTest, KeepsWhatAlterSystemSays) {
  const Environment port("IDEMDB_PORT", "2");
  const std::string path =
      file("port = 1\nlog_level = \"warn\"\nmax_connections = 7\n[settings]\nstatement_timeout = 5000\n");
  ConfigurationSource source;
  std::string config = "--config=" + path, program = "idemdb";
  char* argv[] = {program.data(), config.data(), nullptr};
  int exit_code = 0;
  ASSERT_TRUE(source.parse_arguments(2, argv, &exit_code));
  KeptSettings kept;
  kept.server = {{"log_level", "debug"}, {"port", "3"}};
  kept.session = {{"statement_timeout", "1s"}, {"application_name", "a \"b\"\n"}};
  const Configuration c = source.read_with(kept);
  EXPECT_EQ(c.log_level, "debug");
  EXPECT_EQ(c.port, 2);  // the environment wins
  EXPECT_EQ(c.max_connections, 7U);
  EXPECT_EQ(c.settings.at("statement_timeout"), "1s");
  EXPECT_EQ(changes_for_restart(source.read(), c), std::vector<std::string>{});
  Configuration other = c;
  other.listen = "::1";
  EXPECT_EQ(changes_for_restart(c, other), std::vector<std::string>{"listen"});

  const std::filesystem::path folder = path + ".data";
  std::filesystem::create_directory(folder);
  std::ofstream(KeptSettings::path(folder)) << kept.text();
  const KeptSettings again = source.read_kept(folder);
  EXPECT_EQ(again.server, kept.server);
  EXPECT_EQ(again.session, kept.session);
  std::filesystem::remove_all(folder);
}

TEST_F(ConfigurationTest, ReadsAccessRules) {
  const Configuration c = read({"--data", "d", "--listen", "0.0.0.0", "--config",
                                file("[[access]]\naddress = \"127.0.0.0/8\"\nmethod = "
                                     "\"trust\"\n[[access]]\ntls = \"required\"\nmethod = \"scram\"\n")});
  check_configuration(c);
  ASSERT_EQ(c.access_rules().size(), 2U);
  EXPECT_EQ(method_for(c.access_rules(), {"127.0.0.1", "a", "main", false}), AuthenticationMethod::kTrust);
  EXPECT_EQ(method_for(c.access_rules(), {"10.0.0.1", "a", "main", true}), AuthenticationMethod::kScram);
  EXPECT_EQ(method_for(c.access_rules(), {"10.0.0.1", "a", "main", false}), AuthenticationMethod::kReject);
  const std::string open = file("[[access]]\naddress = \"10.0.0.0/8\"\nmethod = \"trust\"\n");
  EXPECT_THROW(check_configuration(read({"--data", "d", "--listen", "0.0.0.0", "--config", open})), SqlError);
  check_configuration(read({"--data", "d", "--config", open}));  // on loopback nobody comes from there
  EXPECT_THROW(read({"--config", file("access = 1\n")}), SqlError);
}

TEST_F(ConfigurationTest, RefusesWhatTheServerCouldNotStartWith) {
  expect_sql_error("22023", "invalid value for parameter \"log_retention\": \"soon\"", [&] {
    check_configuration(read({"--data", "d", "--log-retention", "soon"}));
  });
  expect_sql_error("55P02", "parameter \"server_version\" cannot be changed", [&] {
    check_configuration(read({"--data", "d", "--config", file("[settings]\nserver_version = \"99\"\n")}));
  });
}

TEST_F(ConfigurationTest, ShowsWhatIsInForce) {
  const auto shown =
      shown_settings(read({"--data", "d", "--port", "1", "--memory-limit", "3GB", "--audit-log", "off"}),
                     read({"--data", "d", "--port", "2", "--memory-limit", "1536kB", "--audit-log", "on"}));
  EXPECT_EQ(shown.at("port").value, "1");  // of the start
  EXPECT_TRUE(shown.at("port").needs_restart);
  EXPECT_EQ(shown.at("audit_log").value, "on");
  EXPECT_FALSE(shown.at("audit_log").needs_restart);
  EXPECT_EQ(shown.at("memory_limit").value, "1536kB");
  EXPECT_EQ(shown.at("chunk_cache").value, "0");
  EXPECT_TRUE(shown.at("data").is_private);
  EXPECT_FALSE(shown.at("port").is_private);
}

TEST_F(ConfigurationTest, RefusesHalvesOfTls) {
  expect_sql_error("22023", "TLS needs both tls_cert and tls_key", [&] {
    check_configuration(read({"--data", "d", "--tls-cert", "c.pem"}));
  });
  check_configuration(read({"--data", "d", "--tls-key", "k.pem"}));  // ALTER SYSTEM sets one after the other
  expect_sql_error("22023", "no data folder given", [&] { check_configuration(read({})); });
}

}  // namespace
}  // namespace idem
