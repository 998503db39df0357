#include "tests/harness/test_server.h"

#include <chrono>
#include <cstdlib>
#include <fcntl.h>
#include <signal.h>
#include <sstream>
#include <stdexcept>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>

namespace idem::test {

namespace {

// Only bounds how long a broken server can hold up the tests.
constexpr auto kPatience = std::chrono::minutes(2);
constexpr auto kPause = std::chrono::milliseconds(5);

// Whether `done` became true before patience ended.
template <class F>
bool wait_until(F&& done) {
  const auto deadline = std::chrono::steady_clock::now() + kPatience;
  while (!done()) {
    if (std::chrono::steady_clock::now() > deadline) return false;
    std::this_thread::sleep_for(kPause);
  }
  return true;
}

}  // namespace

ChildProcess::ChildProcess(const std::string& program, const std::vector<std::string>& arguments,
                           const std::string& output_prefix)
    : output_prefix_(output_prefix) {
  std::vector<std::string> words = {program};
  words.insert(words.end(), arguments.begin(), arguments.end());
  std::vector<char*> argv;
  for (std::string& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);
  const std::string out = output_prefix_ + ".out", err = output_prefix_ + ".err";
  const pid_t parent = ::getpid();
  pid_ = ::fork();
  if (pid_ < 0) throw std::runtime_error("fork failed");
  if (pid_ == 0) {
    // Only calls that are safe in the child of a process with threads.
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (::getppid() != parent) ::_exit(126);
    ::dup2(::open(out.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600), STDOUT_FILENO);
    ::dup2(::open(err.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600), STDERR_FILENO);
    ::dup2(::open("/dev/null", O_RDONLY), STDIN_FILENO);
    for (int fd = 3; fd < 256; ++fd) ::close(fd);
    ::execvp(argv[0], argv.data());
    ::_exit(127);
  }
}

ChildProcess::~ChildProcess() {
  if (is_running()) {
    send_signal(SIGKILL);
    ::waitpid(pid_, nullptr, 0);
  }
}

bool ChildProcess::is_running() {
  if (ended_) return false;
  int status = 0;
  if (::waitpid(pid_, &status, WNOHANG) != pid_) return true;
  ended_ = true;
  status_.exited = WIFEXITED(status);
  status_.number = status_.exited ? WEXITSTATUS(status) : WTERMSIG(status);
  return false;
}

void ChildProcess::send_signal(int signal) const { ::kill(pid_, signal); }

ExitStatus ChildProcess::wait() {
  if (!wait_until([this] { return !is_running(); })) {
    send_signal(SIGKILL);
    throw std::runtime_error("the process did not end: " + standard_error());
  }
  return status_;
}

Finished run_program(const std::string& program, const std::vector<std::string>& arguments) {
  const TemporaryFolder folder;
  ChildProcess process(program, arguments, folder.file("program"));
  Finished finished;
  finished.status = process.wait();
  finished.output = process.standard_output();
  finished.errors = process.standard_error();
  return finished;
}

TestServer::TestServer(Options options)
    : options_(std::move(options)), data_(options_.data.empty() ? folder_.file("data") : options_.data) {
  if (options_.start) start();
}

TestServer::~TestServer() = default;

void TestServer::start() {
  const std::string prefix = folder_.file("server" + std::to_string(++starts_));
  const std::string port_file = prefix + ".port";
  std::vector<std::string> arguments = {"--data",      data_,     "--port",      "0",
                                        "--port-file", port_file, "--log-level", "warn"};
  arguments.insert(arguments.end(), options_.arguments.begin(), options_.arguments.end());
  process_ = std::make_unique<ChildProcess>(idemdb_path(), arguments, prefix);
  std::string port;
  const bool settled = wait_until([&] {
    port = read_file(port_file);
    return (!port.empty() && port.back() == '\n') || !process_->is_running();
  });
  if (port.empty() || !settled) {
    const bool running = process_->is_running();
    std::string text = running ? "idemdb does not accept connections: " : "idemdb ended: ";
    text += process_->standard_error();
    process_.reset();
    throw std::runtime_error(text);
  }
  port_ = static_cast<uint16_t>(std::stoi(port));
  const auto named_port = [&](const std::string& name) {
    const size_t at = port.find("\n" + name + " ");
    return at == port.npos ? uint16_t{0}
                           : static_cast<uint16_t>(std::stoi(port.substr(at + name.size() + 2)));
  };
  http_port_ = named_port("http");
  line_port_ = named_port("line");
}

ExitStatus TestServer::terminate() {
  process_->send_signal(SIGTERM);
  return process_->wait();
}

void TestServer::kill() {
  process_->send_signal(SIGKILL);
  process_->wait();
}

uint64_t TestServer::resident_bytes() const {
  std::istringstream statm(read_file("/proc/" + std::to_string(pid()) + "/statm"));
  uint64_t pages = 0, resident = 0;
  statm >> pages >> resident;
  return resident * static_cast<uint64_t>(::sysconf(_SC_PAGESIZE));
}

std::string TestServer::connection_text(const std::string& more) const {
  return "host=127.0.0.1 port=" + std::to_string(port_) + " user=admin dbname=main connect_timeout=60 " +
         more;
}

std::unique_ptr<pqxx::connection> TestServer::connect(const std::string& more) const {
  return std::make_unique<pqxx::connection>(connection_text(more));
}

std::string idemdb_path() {
  const char* other = std::getenv("IDEMDB");
  return other ? other : IDEMDB_PATH;
}
std::string idem_path() { return IDEM_PATH; }

pqxx::result execute(pqxx::connection& connection, const std::string& sql) {
  pqxx::nontransaction query(connection);
  return query.exec(sql);
}

std::string value_of(pqxx::connection& connection, const std::string& sql) {
  const pqxx::result result = execute(connection, sql);
  if (result.size() != 1 || result.columns() != 1) throw std::runtime_error("not one value: " + sql);
  return result[0][0].is_null() ? "NULL" : result[0][0].c_str();
}

std::string error_state(pqxx::connection& connection, const std::string& sql) {
  try {
    execute(connection, sql);
  } catch (const pqxx::sql_error& error) { return error.sqlstate(); }
  return "";
}

std::string error_text(pqxx::connection& connection, const std::string& sql) {
  try {
    execute(connection, sql);
  } catch (const pqxx::sql_error& error) { return error.what(); }
  return "";
}

}  // namespace idem::test
