#include "tools/local_server.h"

#include <charconv>
#include <chrono>
#include <csignal>
#include <fcntl.h>
#include <filesystem>
#include <poll.h>
#include <spawn.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/error.h"
#include "common/posix_file.h"
#include "tools/command.h"

extern char** environ;

namespace idem::tools {

namespace {

constexpr int kStartSeconds = 600;  // recovery of a long log takes a while
constexpr int kPollMillis = 50;

// A process by a descriptor, so that its end can be waited for although it is nobody's child, and its number not be another's.
class ProcessHandle {
 public:
  explicit ProcessHandle(int pid)
      : pid_(pid), descriptor_(static_cast<int>(syscall(SYS_pidfd_open, pid, 0))) {}
  ~ProcessHandle() {
    if (descriptor_ >= 0) close(descriptor_);
  }
  ProcessHandle(const ProcessHandle&) = delete;
  ProcessHandle& operator=(const ProcessHandle&) = delete;

  int pid() const { return pid_; }
  // Whether it has ended, after waiting for that at most so long.
  bool wait(int timeout_millis) const {
    if (descriptor_ < 0) return true;
    pollfd waited{descriptor_, POLLIN, 0};
    return poll(&waited, 1, timeout_millis) == 1;
  }
  void send(int signal) const { syscall(SYS_pidfd_send_signal, descriptor_, signal, nullptr, 0); }

 private:
  const int pid_, descriptor_;
};

// The server that was installed or built together with this program; otherwise the one that the shell would find.
std::string server_program(FileSystem& files) {
  std::error_code error;
  const std::filesystem::path own = std::filesystem::read_symlink("/proc/self/exe", error);
  const std::string beside = error ? "" : (own.parent_path() / "idemdb").string();
  return !beside.empty() && files.exists(beside).value_or_throw() ? beside : "idemdb";
}

struct SpawnActions {
  posix_spawn_file_actions_t files;
  posix_spawnattr_t attributes;
  SpawnActions() {
    posix_spawn_file_actions_init(&files);
    posix_spawnattr_init(&attributes);
  }
  ~SpawnActions() {
    posix_spawn_file_actions_destroy(&files);
    posix_spawnattr_destroy(&attributes);
  }
};

// Detached from the terminal, with its output at the end of `log_path`.
int spawn_detached(const std::string& program, const std::vector<std::string>& arguments,
                   const std::string& log_path) {
  SpawnActions actions;
  posix_spawn_file_actions_addopen(&actions.files, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_addopen(&actions.files, STDOUT_FILENO, log_path.c_str(),
                                   O_WRONLY | O_CREAT | O_APPEND, 0640);
  posix_spawn_file_actions_adddup2(&actions.files, STDOUT_FILENO, STDERR_FILENO);
  posix_spawnattr_setflags(&actions.attributes, POSIX_SPAWN_SETSID);
  std::vector<std::string> words = arguments;
  words.insert(words.begin(), program);
  std::vector<char*> pointers;
  for (std::string& word : words) pointers.push_back(word.data());
  pointers.push_back(nullptr);
  pid_t pid = 0;
  const int code =
      posix_spawnp(&pid, program.c_str(), &actions.files, &actions.attributes, pointers.data(), environ);
  if (code != 0)
    throw UsageError(fmt::format("could not start {}: {}", program, std::generic_category().message(code)));
  return pid;
}

std::optional<uint16_t> parse_number(std::string_view text) {
  uint16_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc() ? std::optional(number) : std::nullopt;
}

std::string without_slash(std::string path) {
  while (path.size() > 1 && path.back() == '/') path.pop_back();
  return path;
}

}  // namespace

LocalServer::LocalServer(const std::string& folder)
    : files_(make_posix_file_system()),
      folder_(without_slash(std::filesystem::absolute(folder).lexically_normal().string())) {}
LocalServer::~LocalServer() = default;

void LocalServer::create(const std::string& settings) {
  if (files_->exists(folder_).value_or_throw()) {
    const auto entries = files_->list(folder_);
    if (!entries.ok()) throw UsageError(entries.error().message());
    if (!entries.value().empty()) throw UsageError(fmt::format("{} is not empty", folder_));
  }
  make_directories(*files_, folder_).throw_if_error();
  replace_file(*files_, path("idemdb.toml"), settings).throw_if_error();
}

bool LocalServer::is_made() { return files_->exists(path("idemdb.toml")).value_or_throw(); }

std::optional<LocalServer::Running> LocalServer::running() {
  const std::string data = path("data");
  if (!files_->exists(data).value_or_throw()) return std::nullopt;
  const auto lock = files_->lock(data);
  if (lock.ok()) return std::nullopt;
  const SqlError refused = lock.error().to_sql_error();
  if (refused.sqlstate() != sqlstate::kObjectInUse) throw refused;
  Running server;
  server.pid = std::atoi(read_whole_file(*files_, join_path(data, "lock")).value_or_throw().c_str());
  if (!files_->exists(path("idemdb.port")).value_or_throw()) return server;
  const std::string ports = read_whole_file(*files_, path("idemdb.port")).value_or_throw();
  server.port = parse_number(ports).value_or(0);
  if (const size_t http = ports.find("\nhttp "); http != ports.npos)
    server.http_port = parse_number(std::string_view(ports).substr(http + 6));
  return server;
}

LocalServer::Running LocalServer::start(const std::vector<std::string>& arguments) {
  const std::string log = path("idemdb.log"), port_file = path("idemdb.port");
  if (files_->exists(port_file).value_or_throw())
    files_->remove(port_file).throw_if_error();  // of one that was killed
  const uint64_t log_begin =
      files_->exists(log).value_or_throw() ? files_->file_size(log).value_or_throw() : 0;
  std::vector<std::string> all = {"--config",   path("idemdb.toml"), "--data",      path("data"),
                                  "--pid-file", path("idemdb.pid"),  "--port-file", port_file};
  all.insert(all.end(), arguments.begin(), arguments.end());
  const ProcessHandle process(spawn_detached(server_program(*files_), all, log));
  for (int waited = 0; waited < kStartSeconds * 1000; waited += kPollMillis) {
    if (process.wait(kPollMillis)) {
      waitpid(process.pid(), nullptr, 0);
      std::string words = read_whole_file(*files_, log).value_or_throw();
      words.erase(0, log_begin);
      while (!words.empty() && words.back() == '\n') words.pop_back();
      throw sql_error(sqlstate::kConnectionFailure, "the server did not start")
          .with_detail(words)
          .with_hint("Its log is " + log + ".");
    }
    if (!files_->exists(port_file).value_or_throw()) continue;
    if (const auto server = running(); server && server->port != 0) return *server;
  }
  throw sql_error(sqlstate::kConnectionFailure, "the server does not accept connections yet")
      .with_hint("Its log is " + log + ".");
}

bool LocalServer::stop(int timeout_seconds, bool force) {
  const auto server = running();
  if (!server) return false;
  const ProcessHandle process(server->pid);
  process.send(SIGTERM);
  if (process.wait(timeout_seconds * 1000)) return true;
  if (!force) {
    throw sql_error(sqlstate::kObjectInUse, "the server (process {}) is still ending after {} seconds",
                    server->pid, timeout_seconds)
        .with_hint(
            "Wait longer with --timeout, or end it with --force: nothing that was acknowledged is lost, the "
            "next start takes longer.");
  }
  process.send(SIGKILL);
  process.wait(-1);
  return true;
}

}  // namespace idem::tools
