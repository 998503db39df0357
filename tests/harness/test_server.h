#pragma once

#include <cstdint>
#include <memory>
#include <pqxx/pqxx>
#include <string>
#include <sys/types.h>
#include <vector>

#include "tests/harness/temporary_folder.h"

namespace idem::test {

// How a process ended.
struct ExitStatus {
  bool exited = false;  // false: killed by `number`
  int number = 0;       // exit code or signal
  bool is_success() const { return exited && number == 0; }
};

// A program that runs beside the test, its output in files. It is killed with the test's process, or when this object ends.
class ChildProcess {
 public:
  // Starts `program`; it is looked up as given.
  ChildProcess(const std::string& program, const std::vector<std::string>& arguments,
               const std::string& output_prefix);
  ~ChildProcess();
  ChildProcess(const ChildProcess&) = delete;
  ChildProcess& operator=(const ChildProcess&) = delete;

  pid_t pid() const { return pid_; }
  bool is_running();
  void send_signal(int signal) const;
  // Throws std::runtime_error when the process does not end within two minutes, after killing it.
  ExitStatus wait();
  std::string standard_output() const { return read_file(output_prefix_ + ".out"); }
  std::string standard_error() const { return read_file(output_prefix_ + ".err"); }

 private:
  std::string output_prefix_;
  pid_t pid_ = -1;
  bool ended_ = false;
  ExitStatus status_;
};

// Runs a program to its end.
struct Finished {
  ExitStatus status;
  std::string output, errors;
};
Finished run_program(const std::string& program, const std::vector<std::string>& arguments);

// An idemdb on a free port of 127.0.0.1, with a data folder of its own unless one is given. The folder outlives restarts.
class TestServer {
 public:
  struct Options {
    std::vector<std::string> arguments = {};  // beside --data, --port and --port-file
    std::string data = {};                    // "": a folder of its own
    bool start = true;
  };
  TestServer() : TestServer(Options{}) {}
  explicit TestServer(Options options);
  ~TestServer();

  // Returns when connections are accepted. Throws std::runtime_error with the server's words when it ends instead.
  void start();
  void set_arguments(std::vector<std::string> arguments) { options_.arguments = std::move(arguments); }
  ExitStatus terminate();  // SIGTERM, and waits
  void kill();             // SIGKILL, and waits
  void restart() {         // as after a crash
    kill();
    start();
  }
  bool is_running() { return process_ && process_->is_running(); }
  std::string standard_error() const { return process_->standard_error(); }
  pid_t pid() const { return process_->pid(); }
  uint64_t resident_bytes() const;

  uint16_t port() const { return port_; }
  uint16_t http_port() const { return http_port_; }  // 0: not served
  uint16_t line_port() const { return line_port_; }
  const std::string& data() const { return data_; }
  const TemporaryFolder& folder() const { return folder_; }
  // "host=… port=… user=admin dbname=main" and what is added.
  std::string connection_text(const std::string& more = "") const;
  std::unique_ptr<pqxx::connection> connect(const std::string& more = "") const;

 private:
  Options options_;
  TemporaryFolder folder_;
  std::string data_;
  std::unique_ptr<ChildProcess> process_;
  uint16_t port_ = 0, http_port_ = 0, line_port_ = 0;
  int starts_ = 0;
};

// The server under test: of this build, or what the environment's IDEMDB names (one of a build with sanitizers).
std::string idemdb_path();
std::string idem_path();

// Runs statements outside a transaction block.
pqxx::result execute(pqxx::connection& connection, const std::string& sql);
// The only value of a query, as text; "NULL" for null.
std::string value_of(pqxx::connection& connection, const std::string& sql);
// SQLSTATE of the error that the statement gives, "" when it gives none.
std::string error_state(pqxx::connection& connection, const std::string& sql);
// The whole error text, "" when there is none.
std::string error_text(pqxx::connection& connection, const std::string& sql);

}  // namespace idem::test
