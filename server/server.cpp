#include "server/server.h"

#include <spdlog/spdlog.h>
#include <sys/sysinfo.h>

#include <boost/asio/signal_set.hpp>
#include <thread>

#include "common/clock.h"
#include "common/posix_file.h"
#include "server/connection.h"
#include "server/http_connection.h"
#include "server/line_connection.h"
#include "server/listener.h"
#include "server/network_threads.h"
#include "storage/database.h"
#include "storage/retention.h"

namespace idem {

namespace asio = boost::asio;

namespace {

constexpr auto kDrainLimit = std::chrono::seconds(10);
constexpr size_t kMinThreads = 64;   // for statements, beside one per connection

uint64_t machine_memory() {
  struct sysinfo info {};
  return sysinfo(&info) == 0 ? static_cast<uint64_t>(info.totalram) * info.mem_unit : uint64_t{4} << 30;
}

std::shared_ptr<asio::ssl::context> load_certificate(const Configuration& c) {
  if (c.tls_cert.empty()) return nullptr;
  auto context = std::make_shared<asio::ssl::context>(asio::ssl::context::tls_server);
  try {
    context->set_options(asio::ssl::context::default_workarounds | asio::ssl::context::no_sslv2 | asio::ssl::context::no_sslv3 |
                         asio::ssl::context::no_tlsv1 | asio::ssl::context::no_tlsv1_1);
    context->use_certificate_chain_file(c.tls_cert);
    context->use_private_key_file(c.tls_key, asio::ssl::context::pem);
  } catch (const boost::system::system_error& error) {
    throw sql_error(sqlstate::kInvalidParameterValue, "could not load the TLS certificate \"{}\" with key \"{}\": {}", c.tls_cert, c.tls_key,
                    error.code().message());
  }
  return context;
}

}  // namespace

struct Server::State {
  explicit State(const Configuration& c);

  void listen(const Configuration& c);
  void end_connections();
  void write_small_file(const std::string& path, const std::string& text);

  Configuration configuration;
  std::unique_ptr<FileSystem> files = make_posix_file_system();
  SystemClock clock;
  MemoryBudget memory;
  WorkerPool workers;
  std::unique_ptr<Database> database;
  std::string recovery_text;
  SessionRegistry sessions;
  ServerContext context;
  StatementPool statements;
  CommitAnswers answers{statements};
  ConnectionEnvironment environment;
  NetworkThreads network;
  std::vector<std::unique_ptr<Listener>> listeners;  // the first is PostgreSQL's
  std::optional<uint16_t> http_port, line_port;
  asio::signal_set signals{network.io()};
  std::mutex mutex;
  bool stopping = false;
  std::condition_variable stop_requested;
};

namespace {

uint32_t worker_count(const Configuration& c) {
  return c.worker_threads > 0 ? c.worker_threads : std::max(1u, std::thread::hardware_concurrency());
}

uint64_t memory_limit(const Configuration& c) { return c.memory_limit > 0 ? c.memory_limit : machine_memory() / 2; }

}  // namespace

Server::State::State(const Configuration& c)
    : configuration(c), memory("memory_limit", memory_limit(c)), workers(worker_count(c)),
      statements(kMinThreads + c.max_connections) {
  environment.tls = load_certificate(c);

  DatabaseOptions options;
  options.chunk_cache_bytes = c.chunk_cache > 0 ? c.chunk_cache : std::min<uint64_t>(memory_limit(c) / 4, uint64_t{1} << 30);
  options.memory_rows_bytes = std::min<uint64_t>(memory_limit(c) / 4, uint64_t{512} << 20);
  options.checkpoint_log_bytes = c.checkpoint_log_bytes;
  options.history_retention_micros = parse_retention(c.history_retention);
  if (!c.run_retention.empty()) options.run_retention_micros = parse_retention(c.run_retention);
  options.history_versions = std::max<uint64_t>(c.history_versions, 1);
  options.log_retention_micros = parse_retention(c.log_retention);
  options.log_retention_bytes = c.log_retention_bytes;
  options.workers = &workers;
  RecoveryReport report;
  database = Database::open(*files, clock, c.data, options, &report);
  recovery_text = fmt::format("{} commits replayed from {} bytes of log in {} ms", report.replayed_commits, report.log_bytes,
                              report.micros / 1000);
  if (report.torn_tail) recovery_text += "; a torn tail was cut: " + report.torn_tail_text;

  context.database = database.get();
  context.workers = &workers;
  context.worker_count = static_cast<int>(worker_count(c));
  context.memory = &memory;
  context.clock = &clock;
  context.files = files.get();
  context.sessions = &sessions;
  context.import_folder = c.import_folder.empty() ? join_path(c.data, "import") : c.import_folder;
  context.backup_folder = c.backup_folder.empty() ? join_path(c.data, "backup") : c.backup_folder;
  context.settings = c.settings;
  context.settings["history_retention"] = c.history_retention;
  context.settings["run_retention"] = c.run_retention.empty() ? c.history_retention : c.run_retention;
  context.settings["history_versions"] = std::to_string(c.history_versions);
  context.settings["log_retention"] = c.log_retention;
  context.start_time_micros = clock.now_micros();
  environment.server = &context;
  environment.protocol = {c.authentication(), c.database, c.max_connections};
  environment.statements = &statements;
  environment.answers = &answers;
  environment.network = &network;

  if (c.authentication() == AuthenticationMethod::kScram) {
    Snapshot snapshot = database->snapshot();
    bool any = false;
    for (const auto& [name, role] : snapshot.catalog->roles) any |= role.can_login && !role.scram_verifier.empty();
    if (!any) {
      throw SqlError(sqlstate::kInvalidAuthorization, "auth is scram, but no user has a password")
          .with_hint("Start once with --listen 127.0.0.1 --auth trust, run ALTER USER admin PASSWORD '…', then start again.");
    }
  }
  listen(c);
}

void Server::State::listen(const Configuration& c) {
  const auto add = [&](uint16_t port, std::string_view setting, auto make) {
    listeners.push_back(std::make_unique<Listener>(network.io(), c.listen, port, setting, std::move(make)));
    return listeners.back()->port();
  };
  using Socket = asio::ip::tcp::socket;
  add(c.port, "port", [this](Socket socket) { return std::make_shared<Connection>(std::move(socket), environment); });
  if (const auto port = parse_port("http_port", c.http_port))
    http_port = add(*port, "http-port", [this](Socket socket) { return std::make_shared<HttpConnection>(std::move(socket), environment); });
  if (const auto port = parse_port("line_port", c.line_port))
    line_port = add(*port, "line-port", [this](Socket socket) { return std::make_shared<LineConnection>(std::move(socket), environment); });
}

void Server::State::end_connections() {
  SqlError reason(sqlstate::kAdminShutdown, "terminating connection due to administrator command");
  auto deadline = std::chrono::steady_clock::now() + kDrainLimit;
  bool any = true;
  while (any && std::chrono::steady_clock::now() < deadline) {
    any = false;
    for (const auto& listener : listeners) any |= listener->shut_down_connections(reason);
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
}

void Server::State::write_small_file(const std::string& path, const std::string& text) {
  if (!path.empty()) replace_file(*files, path, text).throw_if_error();
}

Server::Server(const Configuration& configuration) : state_(std::make_unique<State>(configuration)) {}

Server::~Server() = default;

uint16_t Server::port() const { return state_->listeners.front()->port(); }
std::optional<uint16_t> Server::http_port() const { return state_->http_port; }
std::optional<uint16_t> Server::line_port() const { return state_->line_port; }

const std::string& Server::recovery_text() const { return state_->recovery_text; }

void Server::run() {
  State& s = *state_;
  std::string ports = std::to_string(port()) + "\n";
  if (s.http_port) ports += fmt::format("http {}\n", *s.http_port);
  if (s.line_port) ports += fmt::format("line {}\n", *s.line_port);
  s.write_small_file(s.configuration.port_file, ports);
  s.write_small_file(s.configuration.pid_file, std::to_string(getpid()) + "\n");
  for (const auto& listener : s.listeners) listener->start();
  s.signals.add(SIGTERM);
  s.signals.add(SIGINT);
  s.signals.async_wait([this](const boost::system::error_code& error, int) {
    if (!error) stop();
  });
  s.network.start();
  {
    std::unique_lock lock(s.mutex);
    s.stop_requested.wait(lock, [&s] { return s.stopping; });
  }
  spdlog::info("shutting down");
  for (const auto& listener : s.listeners) listener->stop_accepting();
  s.end_connections();
  s.network.stop();
  s.database->close(true);
  for (const std::string& path : {s.configuration.pid_file, s.configuration.port_file}) {
    if (!path.empty() && !s.files->remove(path).ok()) spdlog::warn("could not remove {}", path);
  }
}

void Server::stop() {
  {
    std::lock_guard lock(state_->mutex);
    state_->stopping = true;
  }
  state_->stop_requested.notify_all();
}

}  // namespace idem
