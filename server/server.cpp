#include "server/server.h"

#include <atomic>
#include <boost/asio/signal_set.hpp>
#include <spdlog/spdlog.h>
#include <sys/sysinfo.h>
#include <thread>

#include "common/clock.h"
#include "common/measured_file_system.h"
#include "common/posix_file.h"
#include "common/temporary_folder.h"
#include "common/utf8.h"
#include "query/session_settings.h"
#include "server/connection.h"
#include "server/http_connection.h"
#include "server/idle_memory.h"
#include "server/line_connection.h"
#include "server/listener.h"
#include "server/live_configuration.h"
#include "server/network_threads.h"
#include "server/service_notice.h"
#include "server/storage_watch.h"
#include "server/view_refresher.h"
#include "storage/database.h"
#include "storage/retention.h"

namespace idem {

namespace asio = boost::asio;

namespace {

constexpr auto kCancelLimit = std::chrono::seconds(10);  // for statements that were cancelled at the end
constexpr size_t kMinThreads = 64;                       // for statements, beside one per connection

uint64_t machine_memory() {
  struct sysinfo info {};
  return sysinfo(&info) == 0 ? static_cast<uint64_t>(info.totalram) * info.mem_unit : uint64_t{4} << 30;
}

std::shared_ptr<asio::ssl::context> load_certificate(const Configuration& c) {
  if (c.tls_cert.empty()) return nullptr;
  const auto failed = [](std::string_view what, const std::string& path,
                         const boost::system::system_error& error) {
    return sql_error(sqlstate::kInvalidParameterValue, "could not load the {} \"{}\": {}", what, path,
                     error.code().message());
  };
  auto context = std::make_shared<asio::ssl::context>(asio::ssl::context::tls_server);
  try {
    context->set_options(asio::ssl::context::default_workarounds | asio::ssl::context::no_sslv2 |
                         asio::ssl::context::no_sslv3 | asio::ssl::context::no_tlsv1 |
                         asio::ssl::context::no_tlsv1_1);
    if (c.tls_min_version == "1.3") context->set_options(asio::ssl::context::no_tlsv1_2);
    context->use_certificate_chain_file(c.tls_cert);
    context->use_private_key_file(c.tls_key, asio::ssl::context::pem);
  } catch (const boost::system::system_error& error) {
    throw failed("TLS certificate", c.tls_cert + "\" with key \"" + c.tls_key, error);
  }
  if (c.tls_client_ca.empty()) return context;
  try {
    context->load_verify_file(c.tls_client_ca);
    // Clients need not show one: access rules say who must.
    context->set_verify_mode(asio::ssl::verify_peer);
    constexpr unsigned char kSessions[] = "idemdb";  // without it OpenSSL refuses to resume sessions
    SSL_CTX_set_session_id_context(context->native_handle(), kSessions, sizeof kSessions - 1);
  } catch (const boost::system::system_error& error) {
    throw failed("authority of clients", c.tls_client_ca, error);
  }
  return context;
}

}  // namespace

struct Server::State {
  State(ConfigurationSource source, const Configuration& c, ServerLog& log);

  void listen(const Configuration& c);
  void apply(const Configuration& c);  // what may change while the server runs
  void await_signal();
  void end_connections();
  void write_small_file(const std::string& path, const std::string& text);

  Configuration configuration;
  ServerLog& log;
  const std::unique_ptr<FileSystem> files;
  SystemClock clock;
  MemoryBudget memory;
  WorkerPool workers;
  std::unique_ptr<Database> database;
  std::unique_ptr<TemporaryFolder> temporary;  // the database holds the folder's lock
  std::string recovery_text;
  SessionRegistry sessions;
  ServerContext context;
  ViewRefresher refresher;
  StatementPool statements;
  CommitAnswers answers{network, context};
  ConnectionEnvironment environment;
  NetworkThreads network{statements};
  std::optional<StorageWatch> storage_watch;
  std::optional<IdleMemory> idle_memory;
  std::vector<std::unique_ptr<Listener>> listeners;  // the first is PostgreSQL's
  std::optional<uint16_t> http_port, line_port;
  LiveConfiguration live;
  std::atomic<uint32_t> drain_seconds{0};
  asio::signal_set signals{network.io()};
  std::mutex mutex;
  int stops = 0;  // how often it was told to end
  std::condition_variable stop_requested;
};

namespace {

uint32_t worker_count(const Configuration& c) {
  return c.worker_threads > 0 ? c.worker_threads : std::max(1u, std::thread::hardware_concurrency());
}

// What the start would find wrong.
void check_startable(const Configuration& c) {
  check_configuration(c);
  load_certificate(c);
  Listener::resolve(c.listen, c.port);
}

uint64_t memory_limit(const Configuration& c) {
  return c.memory_limit > 0 ? c.memory_limit : machine_memory() / 2;
}

}  // namespace

Server::State::State(ConfigurationSource source, const Configuration& c, ServerLog& server_log)
    : configuration(c),
      log(server_log),
      files(std::make_unique<MeasuredFileSystem>(make_posix_file_system(), join_path(c.data, "log"))),
      memory("memory_limit", memory_limit(c)),
      workers(worker_count(c)),
      refresher(context, c.database),
      statements(kMinThreads + c.max_connections),
      live(*files, std::move(source), c, check_startable, [this](const Configuration& now) { apply(now); }) {
  DatabaseOptions options;
  options.chunk_cache_bytes =
      c.chunk_cache > 0 ? c.chunk_cache : std::min<uint64_t>(memory_limit(c) / 4, uint64_t{1} << 30);
  options.memory_rows_bytes = std::min<uint64_t>(memory_limit(c) / 4, uint64_t{512} << 20);
  options.checkpoint_log_bytes = c.checkpoint_log_bytes;
  options.history_retention_micros = parse_retention(c.history_retention);
  if (!c.run_retention.empty()) options.run_retention_micros = parse_retention(c.run_retention);
  options.history_versions = c.history_versions;
  options.log_retention_micros = parse_retention(c.log_retention);
  options.log_retention_bytes = c.log_retention_bytes;
  options.workers = &workers;
  RecoveryReport report;
  database = Database::open(*files, clock, c.data, options, &report);
  recovery_text = fmt::format("{} commits replayed from {} bytes of log in {} ms", report.replayed_commits,
                              report.log_bytes, report.micros / 1000);
  if (report.torn_tail) recovery_text += "; a torn tail was cut: " + report.torn_tail_text;

  context.database = database.get();
  context.workers = &workers;
  context.worker_count = static_cast<int>(worker_count(c));
  context.memory = &memory;
  context.query_memory_limit = c.query_memory_limit;
  temporary = std::make_unique<TemporaryFolder>(*files, join_path(c.data, "tmp"));
  context.temporary = temporary.get();
  context.clock = &clock;
  context.files = files.get();
  context.sessions = &sessions;
  context.import_folder = c.import_folder;
  if (c.import_folder.empty()) {
    context.import_folder = join_path(c.data, "import");
    if (IoStatus made = make_directories(*files, context.import_folder); !made.ok())
      spdlog::warn("the import folder could not be made: {}", made.error().message());
  }
  context.backup_folder = c.backup_folder.empty() ? join_path(c.data, "backup") : c.backup_folder;
  context.start_time_micros = clock.now_micros();
  environment.server = &context;
  environment.statements = &statements;
  environment.answers = &answers;
  environment.network = &network;

  context.statement_log = &log;
  context.system_configuration = &live;
  apply(c);

  if (c.access.empty() && c.authentication() == AuthenticationMethod::kScram) {
    Snapshot snapshot = database->snapshot();
    bool any = false;
    for (const auto& [name, role] : snapshot.catalog->roles)
      any |= role.can_login && !role.scram_verifier.empty();
    if (!any) {
      throw SqlError(sqlstate::kInvalidAuthorization, "auth is scram, but no user has a password")
          .with_hint(
              "Start once with --listen 127.0.0.1 --auth trust, run ALTER USER admin PASSWORD '…', then "
              "start again.");
    }
  }
  listen(c);
}

void Server::State::apply(const Configuration& c) {
  ConnectionOptions connections;
  connections.tls = load_certificate(c);
  connections.keep_alive = c.keep_alive;
  connections.protocol = {c.access_rules(), c.database, configuration.max_connections};
  ConfiguredSettings settings;
  for (const auto& [name, value] : c.settings)
    settings.session[utf8_lower(name)] = SessionSettings::checked_default(name, value);
  settings.server = shown_settings(configuration, c);
  if (configuration.run_retention.empty())
    settings.server["run_retention"].value = configuration.history_retention;
  // Nothing fails from here on.
  environment.options.set(std::move(connections));
  context.settings.set(std::move(settings));
  memory.set_limit(memory_limit(c));
  drain_seconds = c.drain_seconds;
  log.set(log_options(c));
}

void Server::State::listen(const Configuration& c) {
  // With room for those that are only being refused, or told that they are too many.
  const size_t most_connections = size_t{2} * c.max_connections + 64;
  const auto add = [&](uint16_t port, std::string_view setting, auto make) {
    listeners.push_back(
        std::make_unique<Listener>(network.io(), c.listen, port, setting, most_connections, std::move(make)));
    return listeners.back()->port();
  };
  using Socket = asio::ip::tcp::socket;
  add(c.port, "port",
      [this](Socket socket) { return std::make_shared<Connection>(std::move(socket), environment); });
  if (const auto port = parse_port("http_port", c.http_port))
    http_port = add(*port, "http-port", [this](Socket socket) {
      return std::make_shared<HttpConnection>(std::move(socket), environment);
    });
  if (const auto port = parse_port("line_port", c.line_port))
    line_port = add(*port, "line-port", [this](Socket socket) {
      return std::make_shared<LineConnection>(std::move(socket), environment);
    });
}

void Server::State::end_connections() {
  const SqlError reason(sqlstate::kAdminShutdown, "terminating connection due to administrator command");
  const auto any_is_left = [&](bool at_once) {
    bool any = false;
    for (const auto& listener : listeners) any |= listener->shut_down_connections(reason, at_once);
    return any;
  };
  const auto is_hurried = [this] {
    std::lock_guard lock(mutex);
    return stops > 1;
  };
  // Not sleep_for(): each signal would make it begin anew, a little late, and where they come thick and fast it never ends.
  const auto pause = [this] {
    constexpr auto kPause = std::chrono::milliseconds(5);
    std::unique_lock lock(mutex);
    stop_requested.wait_until(lock, std::chrono::steady_clock::now() + kPause);
  };
  const auto begin = std::chrono::steady_clock::now();
  const auto drained = begin + std::chrono::seconds(drain_seconds.load());
  while (any_is_left(false) && std::chrono::steady_clock::now() < drained && !is_hurried()) pause();
  const auto cancelled = std::chrono::steady_clock::now() + kCancelLimit;
  while (any_is_left(true) && std::chrono::steady_clock::now() < cancelled) pause();
}

// SIGHUP reads the configuration again, on a thread that may wait for the disk; the others end the server.
void Server::State::await_signal() {
  signals.async_wait([this](const boost::system::error_code& error, int signal) {
    if (error) return;
    if (signal == SIGHUP) {
      statements.submit([this] { live.reload(); });
    } else {
      std::lock_guard lock(mutex);
      ++stops;
      stop_requested.notify_all();
    }
    await_signal();
  });
}

void Server::State::write_small_file(const std::string& path, const std::string& text) {
  if (!path.empty()) replace_file(*files, path, text).throw_if_error();
}

Server::Server(ConfigurationSource source, const Configuration& configuration, ServerLog& log)
    : state_(std::make_unique<State>(std::move(source), configuration, log)) {}

Server::~Server() = default;

ServerLog::Options log_options(const Configuration& c) {
  return {c.log_level, c.log_format == "json", c.audit_log == "on"};
}

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
  for (const int signal : {SIGTERM, SIGINT, SIGHUP}) s.signals.add(signal);
  s.await_signal();
  s.storage_watch.emplace(s.network.io(), *s.database);
  s.storage_watch->start();
  s.idle_memory.emplace(s.network.io(), s.context);
  s.idle_memory->start();
  s.network.start();
  s.refresher.start();
  send_service_notice("READY=1");
  {
    std::unique_lock lock(s.mutex);
    s.stop_requested.wait(lock, [&s] { return s.stops > 0; });
  }
  spdlog::info("shutting down");
  send_service_notice("STOPPING=1");
  for (const auto& listener : s.listeners) listener->stop_accepting();
  s.end_connections();
  s.refresher.stop();
  s.network.stop();
  s.database->close(true);
  for (const std::string& path : {s.configuration.pid_file, s.configuration.port_file}) {
    if (!path.empty() && !s.files->remove(path).ok()) spdlog::warn("could not remove {}", path);
  }
}

void Server::stop() {
  {
    std::lock_guard lock(state_->mutex);
    ++state_->stops;
  }
  state_->stop_requested.notify_all();
}

}  // namespace idem
