#include "server/configuration.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <fmt/ranges.h>
#include <limits>
#include <toml++/toml.h>
#include <type_traits>
#include <variant>

#include "common/byte_size.h"
#include "common/error.h"
#include "common/file.h"
#include "common/json_text.h"
#include "common/posix_file.h"
#include "query/session_settings.h"
#include "storage/retention.h"

namespace idem {

namespace {

constexpr uint64_t kLeastMemory = uint64_t{16} << 20;

// One name for a setting wherever it is given: --tls-cert, tls_cert = in the file, IDEMDB_TLS_CERT.
enum TakesEffect : uint8_t { kRestart, kReload };
enum ValueKind : uint8_t { kPlain, kBytes, kPath };
struct Option {
  std::string_view name, help;
  std::variant<std::string*, uint64_t*, uint32_t*, uint16_t*> value;
  TakesEffect takes_effect = kRestart;
  ValueKind kind = kPlain;
};

std::vector<Option> options_of(Configuration& c) {
  return {
      {"data", "data folder; created when it is missing or empty", &c.data, kRestart, kPath},
      {"listen", "address to listen on", &c.listen, kRestart},
      {"port", "TCP port, 0 for any free one", &c.port, kRestart},
      {"http_port", "port for HTTP and the web console, 0 for any free one; default: none", &c.http_port,
       kRestart},
      {"line_port", "port for InfluxDB line protocol over TCP, 0 for any free one; default: none",
       &c.line_port, kRestart},
      {"auth", "trust or scram; default: trust on loopback, scram elsewhere", &c.auth, kReload},
      {"tls_cert", "certificate chain (PEM); with tls_key turns TLS on", &c.tls_cert, kReload, kPath},
      {"tls_key", "private key (PEM)", &c.tls_key, kReload, kPath},
      {"tls_min_version", "oldest version of TLS that is spoken: 1.2 or 1.3", &c.tls_min_version, kReload},
      {"tls_client_ca", "authority (PEM) whose certificates clients may show", &c.tls_client_ca, kReload,
       kPath},
      {"config", "TOML file with settings of these names", &c.config, kRestart, kPath},
      {"import_folder",
       "the only folder COPY … 'file' may read and write; default: import in the data folder",
       &c.import_folder, kRestart, kPath},
      {"backup_folder", "the only folder backup() writes to; default: backup in the data folder",
       &c.backup_folder, kRestart, kPath},
      {"log_level", "trace, debug, info, warn, error or off", &c.log_level, kReload},
      {"log_format", "text or json", &c.log_format, kReload},
      {"audit_log", "on: log statements that change what there is or who may do what", &c.audit_log, kReload},
      {"pid_file", "file to write the process id to when connections are accepted", &c.pid_file, kRestart,
       kPath},
      {"port_file", "file to write the port to when connections are accepted", &c.port_file, kRestart, kPath},
      {"max_connections", "connections at one time", &c.max_connections, kRestart},
      {"tcp_keepalives_idle", "seconds of silence after which a client is probed, 0 as the system does",
       &c.keep_alive.idle_seconds, kReload},
      {"tcp_keepalives_interval", "seconds between probes", &c.keep_alive.interval_seconds, kReload},
      {"tcp_keepalives_count", "probes without an answer that end a connection", &c.keep_alive.count,
       kReload},
      {"tcp_user_timeout", "milliseconds for what is sent to be acknowledged, 0 as the system does",
       &c.keep_alive.user_timeout_ms, kReload},
      {"drain_seconds", "how long statements may go on when the server is told to end", &c.drain_seconds,
       kReload},
      {"worker_threads", "threads that work on queries, 0 for one per core", &c.worker_threads, kRestart},
      {"memory_limit", "memory for queries, rows and caches, e.g. 4GB; 0 for half of the machine's",
       &c.memory_limit, kReload, kBytes},
      {"query_memory_limit", "memory of one query, 0 for half of memory_limit", &c.query_memory_limit,
       kRestart, kBytes},
      {"chunk_cache", "memory for encoded columns read from files, 0 for a quarter of memory_limit",
       &c.chunk_cache, kRestart, kBytes},
      {"history_retention", "how long versions of tables can be read that others replaced, e.g. '30 days'",
       &c.history_retention, kRestart},
      {"run_retention", "how long keys of runs and what they need are kept; default: history_retention",
       &c.run_retention, kRestart},
      {"history_versions", "how many versions of a table are kept at most", &c.history_versions, kRestart},
      {"log_retention", "how long the log is kept to rebuild versions in between, e.g. '1 hour'",
       &c.log_retention, kRestart},
      {"log_retention_bytes", "and at most how much of it", &c.log_retention_bytes, kRestart, kBytes},
      {"checkpoint_log_bytes",
       "log since the last checkpoint that starts the next, 4 kB more for each commit",
       &c.checkpoint_log_bytes, kRestart, kBytes},
  };
}

uint64_t parse_number(const Option& option, const std::string& text) {
  if (option.kind == kBytes || text.find_first_not_of("0123456789") == text.npos) {
    if (const std::optional<uint64_t> number = parse_byte_size(text)) return *number;
  }
  throw sql_error(sqlstate::kInvalidParameterValue, "invalid value for parameter \"{}\": \"{}\"", option.name,
                  text)
      .with_hint(option.kind == kBytes ? "A number of bytes, with an optional unit: kB, MB, GB."
                                       : "A whole number.");
}

void assign(const Option& option, const std::string& text) {
  const auto assign_to = [&](auto* target) {
    using Value = std::remove_pointer_t<decltype(target)>;
    if constexpr (std::is_same_v<Value, std::string>) {
      *target = text;
    } else {
      const uint64_t number = parse_number(option, text);
      if (number > std::numeric_limits<Value>::max())
        throw sql_error(sqlstate::kInvalidParameterValue, "invalid value for parameter \"{}\": \"{}\"",
                        option.name, text);
      *target = static_cast<Value>(number);
    }
  };
  std::visit(assign_to, option.value);
}

std::string text_of(const Option& option) {
  return std::visit([](const auto* value) { return fmt::format("{}", *value); }, option.value);
}

std::string shown_value(const Option& option) {
  const auto* bytes = std::get_if<uint64_t*>(&option.value);
  return bytes && option.kind == kBytes ? byte_size_text(**bytes) : text_of(option);
}

// What a TOML file says, as text.
struct FileContent {
  KeptSettings values;
  std::vector<AccessRule> access;
};

FileContent read_file(const std::string& path) {
  auto files = make_posix_file_system();
  std::string content = read_whole_file(*files, path).value_or_throw();
  toml::table table;
  try {
    table = toml::parse(content);
  } catch (const toml::parse_error& error) {
    throw sql_error(sqlstate::kInvalidParameterValue, "{}:{}:{}: {}", path, error.source().begin.line,
                    error.source().begin.column, error.description());
  }
  const auto values_of = [&](const toml::table& from) {
    std::map<std::string, std::string> values;
    for (const auto& [key, node] : from) {
      std::string& value = values[std::string(key.str())];
      if (const auto s = node.value<std::string>(); s && node.is_string()) value = *s;
      else if (node.is_integer()) value = std::to_string(*node.value<int64_t>());
      else if (node.is_boolean()) value = *node.value<bool>() ? "on" : "off";
      else
        throw sql_error(sqlstate::kInvalidParameterValue,
                        "{}: \"{}\" must be a string, a whole number or a boolean", path, key.str());
    }
    return values;
  };
  FileContent read;
  if (const toml::table* settings = table["settings"].as_table()) {
    read.values.session = values_of(*settings);
    table.erase("settings");
  }
  if (const toml::array* rules = table["access"].as_array()) {
    for (const toml::node& rule : *rules) {
      if (!rule.is_table())
        throw sql_error(sqlstate::kInvalidParameterValue,
                        "{}: \"access\" must be an array of tables: [[access]]", path);
      read.access.emplace_back(values_of(*rule.as_table()));
    }
    table.erase("access");
  }
  read.values.server = values_of(table);
  return read;
}

void assign_all(const std::map<std::string, std::string>& values, const std::vector<Option>& options,
                const std::string& path) {
  for (const auto& [name, value] : values) {
    const auto option =
        std::find_if(options.begin(), options.end(),
                     [&, n = std::string_view(name)](const Option& o) { return o.name == n; });
    if (option == options.end() || option->name == "config")
      throw sql_error(sqlstate::kInvalidParameterValue, "{}: unrecognized configuration parameter \"{}\"",
                      path, name);
    assign(*option, value);
  }
}

std::string flag_of(std::string_view option) {
  std::string name(option);
  std::replace(name.begin(), name.end(), '_', '-');
  return "--" + name;
}

std::string environment_name(std::string_view option) {
  std::string name(option);
  std::transform(name.begin(), name.end(), name.begin(),
                 [](char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c; });
  return "IDEMDB_" + name;
}

}  // namespace

AuthenticationMethod Configuration::authentication() const {
  if (auth == "scram") return AuthenticationMethod::kScram;
  if (auth == "trust") return AuthenticationMethod::kTrust;
  return listens_on_loopback() ? AuthenticationMethod::kTrust : AuthenticationMethod::kScram;
}

std::optional<uint16_t> parse_port(std::string_view setting, const std::string& text) {
  if (text.empty()) return std::nullopt;
  uint16_t port = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  if (error != std::errc() || end != text.data() + text.size())
    throw sql_error(sqlstate::kInvalidParameterValue, "invalid value for parameter \"{}\": \"{}\"", setting,
                    text)
        .with_hint("A port, or 0 for any free one.");
  return port;
}

bool Configuration::listens_on_loopback() const {
  return listen.starts_with("127.") || listen == "::1" || listen == "localhost";
}

std::vector<AccessRule> Configuration::access_rules() const {
  return access.empty() ? std::vector<AccessRule>{AccessRule(authentication())} : access;
}

std::string KeptSettings::path(const std::string& data) { return join_path(data, "idemdb.auto.toml"); }

std::string KeptSettings::text() const {
  const auto lines = [](const std::map<std::string, std::string>& values) {
    std::string out;
    for (const auto& [name, value] : values)
      out += fmt::format("{} = {}\n", json_quoted(name), json_quoted(value));  // TOML's strings are JSON's
    return out;
  };
  std::string out = "# Written by ALTER SYSTEM; changes made here are lost.\n" + lines(server);
  if (!session.empty()) out += "\n[settings]\n" + lines(session);
  return out;
}

bool ConfigurationSource::parse_arguments(int argc, char** argv, int* exit_code) {
  Configuration unused;
  const std::vector<Option> options = options_of(unused);
  CLI::App app("IdemDB: a SQL time-series database in which every pipeline step can be repeated", "idemdb");
  app.set_version_flag("--version", "idemdb " IDEM_VERSION);
  std::vector<std::string> given(options.size());
  std::vector<CLI::Option*> flags;
  for (size_t i = 0; i < options.size(); i++)
    flags.push_back(app.add_option(flag_of(options[i].name), given[i], std::string(options[i].help)));
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    *exit_code = app.exit(error);
    return false;
  }
  for (size_t i = 0; i < options.size(); i++) {
    if (flags[i]->count() > 0) arguments_[std::string(options[i].name)] = given[i];
  }
  return true;
}

Configuration ConfigurationSource::read() const {
  const std::string data = read_with({}).data;
  return read_with(read_kept(data));
}

KeptSettings ConfigurationSource::read_kept(const std::string& data) const {
  const std::string path = KeptSettings::path(data);
  const auto files = make_posix_file_system();
  return !data.empty() && files->exists(path).value_or_throw() ? read_file(path).values : KeptSettings();
}

Configuration ConfigurationSource::read_with(const KeptSettings& kept) const {
  Configuration c;
  const std::vector<Option> options = options_of(c);
  const auto environment = [](std::string_view name) { return std::getenv(environment_name(name).c_str()); };
  const auto config = arguments_.find("config");
  if (config != arguments_.end()) c.config = config->second;
  else if (const char* value = environment("config")) c.config = value;
  if (!c.config.empty()) {
    FileContent file = read_file(c.config);
    assign_all(file.values.server, options, c.config);
    c.settings = std::move(file.values.session);
    c.access = std::move(file.access);
  }
  assign_all(kept.server, options, KeptSettings::path(c.data));
  for (const auto& [name, value] : kept.session) c.settings[name] = value;
  for (const Option& option : options) {
    const auto argument = arguments_.find(std::string(option.name));
    if (argument != arguments_.end()) assign(option, argument->second);
    else if (const char* value = environment(option.name)) assign(option, value);
  }
  c.max_connections = std::min(c.max_connections, 1'000'000u);
  c.worker_threads = std::min(c.worker_threads, 1024u);
  return c;
}

bool is_server_setting(const std::string& name) {
  Configuration unused;
  const std::vector<Option> options = options_of(unused);
  return std::any_of(options.begin(), options.end(), [&](const Option& o) { return o.name == name; });
}

std::vector<std::string> changes_for_restart(Configuration before, Configuration after) {
  const std::vector<Option> old_options = options_of(before), new_options = options_of(after);
  std::vector<std::string> names;
  for (size_t i = 0; i < old_options.size(); ++i) {
    if (old_options[i].takes_effect == kRestart && text_of(old_options[i]) != text_of(new_options[i]))
      names.emplace_back(old_options[i].name);
  }
  return names;
}

std::map<std::string, ServerSetting, std::less<>> shown_settings(Configuration at_start, Configuration now) {
  std::map<std::string, ServerSetting, std::less<>> settings;
  const std::vector<Option> old_options = options_of(at_start), new_options = options_of(now);
  for (size_t i = 0; i < new_options.size(); ++i) {
    const bool needs_restart = new_options[i].takes_effect == kRestart;
    // Sessions have one of that name, which begins with it.
    if (new_options[i].name == "query_memory_limit") continue;
    settings[std::string(new_options[i].name)] = {
        shown_value(needs_restart ? old_options[i] : new_options[i]), std::string(new_options[i].help),
        needs_restart, new_options[i].kind == kPath};
  }
  return settings;
}

void check_configuration(const Configuration& c) {
  if (c.data.empty()) {
    throw SqlError(sqlstate::kInvalidParameterValue, "no data folder given")
        .with_hint("Start with: idemdb --data DIR");
  }
  if (!c.auth.empty() && c.auth != "trust" && c.auth != "scram") {
    throw sql_error(sqlstate::kInvalidParameterValue, "invalid value for parameter \"auth\": \"{}\"", c.auth)
        .with_hint("Available values: trust, scram.");
  }
  const auto check_choice = [](std::string_view name, const std::string& value,
                               std::initializer_list<std::string_view> choices) {
    if (std::find(choices.begin(), choices.end(), value) != choices.end()) return;
    throw sql_error(sqlstate::kInvalidParameterValue, "invalid value for parameter \"{}\": \"{}\"", name,
                    value)
        .with_hint(fmt::format("Available values: {}.", fmt::join(choices, ", ")));
  };
  check_choice("log_level", c.log_level, {"trace", "debug", "info", "warn", "error", "off"});
  check_choice("log_format", c.log_format, {"text", "json"});
  check_choice("audit_log", c.audit_log, {"on", "off"});
  check_choice("tls_min_version", c.tls_min_version, {"1.2", "1.3"});
  const auto check_range = [](std::string_view name, uint64_t value, uint64_t least, uint64_t most) {
    if (value >= least && value <= most) return;
    throw sql_error(sqlstate::kInvalidParameterValue, "{} is outside the valid range for parameter \"{}\"",
                    value, name)
        .with_hint(value < least ? fmt::format("At least {}.", least) : fmt::format("At most {}.", most));
  };
  const auto check_least = [&](std::string_view name, uint64_t value, uint64_t least) {
    check_range(name, value, least, UINT64_MAX);
  };
  // With less nobody could connect to say otherwise, or no statement run.
  check_least("max_connections", c.max_connections, 1);
  check_least("history_versions", c.history_versions, 1);
  // The system takes no more.
  check_range("tcp_keepalives_idle", c.keep_alive.idle_seconds, 0, 32'767);
  check_range("tcp_keepalives_interval", c.keep_alive.interval_seconds, 0, 32'767);
  check_range("tcp_keepalives_count", c.keep_alive.count, 0, 127);
  check_range("tcp_user_timeout", c.keep_alive.user_timeout_ms, 0, INT32_MAX);
  if (c.memory_limit > 0) check_least("memory_limit", c.memory_limit, kLeastMemory);
  for (const auto& [name, value] : c.settings) SessionSettings::checked_default(name, value);
  for (const auto& [name, value] : {std::pair("history_retention", c.history_retention),
                                    {"run_retention", c.run_retention},
                                    {"log_retention", c.log_retention}}) {
    try {
      if (!value.empty()) parse_retention(value);
    } catch (const SqlError& error) {
      throw sql_error(sqlstate::kInvalidParameterValue, "invalid value for parameter \"{}\": \"{}\"", name,
                      value)
          .with_hint(error.message());
    }
  }
  const bool trusts_others = std::any_of(c.access.begin(), c.access.end(),
                                         [](const AccessRule& rule) { return rule.trusts_others(); });
  if (!c.listens_on_loopback() && trusts_others) {
    throw sql_error(
        sqlstate::kInvalidParameterValue,
        "an access rule of method trust is for loopback addresses only, and the server listens on {}",
        c.listen)
        .with_hint("Give the rule address = \"127.0.0.1\".");
  }
  if (!c.listens_on_loopback() && c.access.empty() && c.authentication() == AuthenticationMethod::kTrust) {
    throw sql_error(sqlstate::kInvalidParameterValue,
                    "auth = trust is for loopback addresses only, not for {}", c.listen)
        .with_hint(
            "Start once on 127.0.0.1, run ALTER USER admin PASSWORD '…', then start with --auth scram "
            "--listen " +
            c.listen + ".");
  }
  parse_port("http_port", c.http_port);
  if (parse_port("line_port", c.line_port) && c.access.empty() &&
      c.authentication() == AuthenticationMethod::kScram) {
    throw SqlError(sqlstate::kInvalidParameterValue,
                   "line protocol over TCP knows no passwords: it needs auth = trust")
        .with_hint("Send it over HTTP: --http-port, POST /write with user and password.");
  }
  if (!c.tls_cert.empty() && c.tls_key.empty()) {
    throw SqlError(sqlstate::kInvalidParameterValue, "TLS needs both tls_cert and tls_key")
        .with_hint("A key alone does nothing: ALTER SYSTEM sets tls_key first.");
  }
  if (!c.tls_client_ca.empty() && c.tls_cert.empty()) {
    throw SqlError(sqlstate::kInvalidParameterValue, "tls_client_ca needs TLS: tls_cert and tls_key");
  }
}

}  // namespace idem
