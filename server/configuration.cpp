#include "server/configuration.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <toml++/toml.h>

#include "common/error.h"
#include "common/file.h"
#include "common/posix_file.h"

namespace idem {

namespace {

// One name for a setting wherever it is given: --tls-cert, tls_cert = in the file, IDEMDB_TLS_CERT.
struct Option {
  std::string name, help;
  std::string* text = nullptr;
  uint64_t* number = nullptr;
  bool is_bytes = false;
};

struct NumberOptions {  // where narrow fields are parsed into
  uint64_t port, max_connections, worker_threads;
};

std::vector<Option> options_of(Configuration& c, NumberOptions& n) {
  return {
      {"data", "data folder; created when it is missing or empty", &c.data},
      {"listen", "address to listen on", &c.listen},
      {"port", "TCP port, 0 for any free one", nullptr, &n.port},
      {"http_port", "port for HTTP (line protocol, health), 0 for any free one; default: none", &c.http_port},
      {"line_port", "port for InfluxDB line protocol over TCP, 0 for any free one; default: none", &c.line_port},
      {"auth", "trust or scram; default: trust on loopback, scram elsewhere", &c.auth},
      {"tls_cert", "certificate chain (PEM); with tls_key turns TLS on", &c.tls_cert},
      {"tls_key", "private key (PEM)", &c.tls_key},
      {"config", "TOML file with settings of these names", &c.config},
      {"import_folder", "the only folder COPY … 'file' may read and write; default: import in the data folder", &c.import_folder},
      {"backup_folder", "the only folder backup() writes to; default: backup in the data folder", &c.backup_folder},
      {"log_level", "trace, debug, info, warn, error or off", &c.log_level},
      {"pid_file", "file to write the process id to when connections are accepted", &c.pid_file},
      {"port_file", "file to write the port to when connections are accepted", &c.port_file},
      {"max_connections", "connections at one time", nullptr, &n.max_connections},
      {"worker_threads", "threads that work on queries, 0 for one per core", nullptr, &n.worker_threads},
      {"memory_limit", "memory for queries, rows and caches, e.g. 4GB; 0 for half of the machine's", nullptr, &c.memory_limit, true},
      {"chunk_cache", "memory for encoded columns read from files, 0 for a quarter of memory_limit", nullptr, &c.chunk_cache, true},
      {"history_retention", "how long versions of tables can be read that others replaced, e.g. '30 days'", &c.history_retention},
      {"run_retention", "how long keys of runs and what they need are kept; default: history_retention", &c.run_retention},
      {"history_versions", "how many versions of a table are kept at most", nullptr, &c.history_versions},
      {"log_retention", "how long the log is kept to rebuild versions in between, e.g. '1 hour'", &c.log_retention},
      {"log_retention_bytes", "and at most how much of it", nullptr, &c.log_retention_bytes, true},
      {"checkpoint_log_bytes", "log since the last checkpoint that starts the next", nullptr, &c.checkpoint_log_bytes, true},
  };
}

uint64_t parse_number(const Option& option, const std::string& text) {
  size_t digits = text.find_first_not_of("0123456789");
  std::string unit = digits == text.npos ? "" : text.substr(digits);
  static const std::map<std::string, uint64_t> kUnits = {{"", 1}, {"B", 1}, {"kB", 1 << 10}, {"MB", 1 << 20}, {"GB", 1 << 30}};
  auto factor = kUnits.find(unit);
  if (digits == 0 || text.empty() || text.size() > 18 || factor == kUnits.end() || (!option.is_bytes && !unit.empty())) {
    throw sql_error(sqlstate::kInvalidParameterValue, "invalid value for parameter \"{}\": \"{}\"", option.name, text)
        .with_hint(option.is_bytes ? "A number of bytes, with an optional unit: kB, MB, GB." : "A whole number.");
  }
  return std::stoull(text) * factor->second;
}

void assign(const Option& option, const std::string& text) {
  if (option.text) *option.text = text;
  else *option.number = parse_number(option, text);
}

void read_file(const std::string& path, const std::vector<Option>& options, std::map<std::string, std::string>& settings) {
  auto files = make_posix_file_system();
  std::string content = read_whole_file(*files, path).value_or_throw();
  toml::table table;
  try {
    table = toml::parse(content);
  } catch (const toml::parse_error& error) {
    throw sql_error(sqlstate::kInvalidParameterValue, "{}:{}:{}: {}", path, error.source().begin.line, error.source().begin.column,
                    error.description());
  }
  auto text_of = [&](std::string_view key, const toml::node& node) -> std::string {
    if (auto s = node.value<std::string>()) return *s;
    if (node.is_integer()) return std::to_string(*node.value<int64_t>());
    if (node.is_boolean()) return *node.value<bool>() ? "on" : "off";
    throw sql_error(sqlstate::kInvalidParameterValue, "{}: \"{}\" must be a string, a whole number or a boolean", path, key);
  };
  for (const auto& [key, node] : table) {
    if (key.str() == "settings" && node.is_table()) {
      for (const auto& [name, value] : *node.as_table()) settings[std::string(name.str())] = text_of(name.str(), value);
      continue;
    }
    auto option = std::find_if(options.begin(), options.end(), [&, k = key.str()](const Option& o) { return o.name == k; });
    if (option == options.end() || option->name == "config") {
      throw sql_error(sqlstate::kInvalidParameterValue, "{}: unrecognized configuration parameter \"{}\"", path, key.str());
    }
    assign(*option, text_of(key.str(), node));
  }
}

std::string flag_of(std::string name) {
  std::replace(name.begin(), name.end(), '_', '-');
  return "--" + name;
}

std::string environment_name(std::string name) {
  std::transform(name.begin(), name.end(), name.begin(), [](char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c; });
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
    throw sql_error(sqlstate::kInvalidParameterValue, "invalid value for parameter \"{}\": \"{}\"", setting, text).with_hint("A port, or 0 for any free one.");
  return port;
}

bool Configuration::listens_on_loopback() const {
  return listen.starts_with("127.") || listen == "::1" || listen == "localhost";
}

bool read_configuration(int argc, char** argv, Configuration* configuration, int* exit_code) {
  NumberOptions numbers{configuration->port, configuration->max_connections, configuration->worker_threads};
  std::vector<Option> options = options_of(*configuration, numbers);

  CLI::App app("IdemDB: a SQL time-series database in which every pipeline step can be repeated", "idemdb");
  app.set_version_flag("--version", "idemdb " IDEM_VERSION);
  std::vector<std::string> given(options.size());
  std::vector<CLI::Option*> flags;
  for (size_t i = 0; i < options.size(); i++) flags.push_back(app.add_option(flag_of(options[i].name), given[i], options[i].help));
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    *exit_code = app.exit(error);
    return false;
  }

  auto is = [&](size_t i, std::string_view name) { return options[i].name == name; };
  for (size_t i = 0; i < options.size(); i++) {
    if (!is(i, "config")) continue;
    const char* from_environment = std::getenv("IDEMDB_CONFIG");
    configuration->config = flags[i]->count() > 0 ? given[i] : from_environment ? from_environment : "";
  }
  if (!configuration->config.empty()) read_file(configuration->config, options, configuration->settings);
  for (size_t i = 0; i < options.size(); i++) {
    if (is(i, "config")) continue;
    if (flags[i]->count() > 0) assign(options[i], given[i]);
    else if (const char* value = std::getenv(environment_name(options[i].name).c_str())) assign(options[i], value);
  }
  if (numbers.port > 65535) throw sql_error(sqlstate::kInvalidParameterValue, "invalid value for parameter \"port\": {}", numbers.port);
  configuration->port = static_cast<uint16_t>(numbers.port);
  configuration->max_connections = static_cast<uint32_t>(std::min<uint64_t>(numbers.max_connections, 1'000'000));
  configuration->worker_threads = static_cast<uint32_t>(std::min<uint64_t>(numbers.worker_threads, 1024));
  return true;
}

void check_configuration(const Configuration& c) {
  if (c.data.empty()) {
    throw SqlError(sqlstate::kInvalidParameterValue, "no data folder given").with_hint("Start with: idemdb --data DIR");
  }
  if (!c.auth.empty() && c.auth != "trust" && c.auth != "scram") {
    throw sql_error(sqlstate::kInvalidParameterValue, "invalid value for parameter \"auth\": \"{}\"", c.auth).with_hint("Available values: trust, scram.");
  }
  if (!c.listens_on_loopback() && c.authentication() == AuthenticationMethod::kTrust) {
    throw sql_error(sqlstate::kInvalidParameterValue, "auth = trust is for loopback addresses only, not for {}", c.listen)
        .with_hint("Start once on 127.0.0.1, run ALTER USER admin PASSWORD '…', then start with --auth scram --listen " + c.listen + ".");
  }
  parse_port("http_port", c.http_port);
  if (parse_port("line_port", c.line_port) && c.authentication() == AuthenticationMethod::kScram) {
    throw SqlError(sqlstate::kInvalidParameterValue, "line protocol over TCP knows no passwords: it needs auth = trust")
        .with_hint("Send it over HTTP: --http-port, POST /write with user and password.");
  }
  if (c.tls_cert.empty() != c.tls_key.empty()) {
    throw SqlError(sqlstate::kInvalidParameterValue, "TLS needs both --tls-cert and --tls-key");
  }
}

}  // namespace idem
