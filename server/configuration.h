#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "query/configured_settings.h"
#include "server/access_rules.h"
#include "server/keep_alive.h"

namespace idem {

// Settings of the server: defaults, then the TOML file, then the environment (IDEMDB_<NAME>), then the command line; the
// same names everywhere (docs/operations.md lists them).
struct Configuration {
  std::string data;  // folder; required
  std::string listen = "127.0.0.1";
  uint16_t port = 5433;   // 0: any free one
  std::string http_port;  // of HTTP (server/http_service.h); "": not served, 0: any free one
  std::string line_port;  // of InfluxDB line protocol over TCP; likewise
  std::string auth;       // trust, scram; "" = trust on loopback, scram elsewhere
  std::string tls_cert, tls_key;
  std::string tls_min_version = "1.2";  // 1.2, 1.3
  std::string tls_client_ca;  // PEM; certificates of clients that it has signed are accepted as proof
  std::string config;         // TOML file
  std::string import_folder;  // COPY … 'file' may read and write here only; "" = <data>/import
  std::string backup_folder;  // backup() writes here only; "" = <data>/backup
  std::string database = "main";
  std::string log_level = "info";
  std::string log_format = "text";  // text, json
  std::string audit_log = "off";    // on, off
  std::string pid_file, port_file;  // written when connections are accepted
  uint32_t max_connections = 1000;
  KeepAlive keep_alive;
  uint32_t drain_seconds = 10;      // that statements may still take at the end
  uint32_t worker_threads = 0;      // 0: one per core
  uint64_t memory_limit = 0;        // bytes; 0: half of the machine's
  uint64_t query_memory_limit = 0;  // bytes of one query; 0: half of memory_limit
  uint64_t chunk_cache = 0;         // bytes; 0: a quarter of memory_limit, at most 1 GiB
  uint64_t checkpoint_log_bytes = 128ull << 20;
  std::string history_retention =
      "7 days";  // how long replaced versions of tables can be read; "12 hours", "4 weeks", …
  std::string
      run_retention;  // how long keys of runs and the versions that they need are kept; "": as history_retention
  std::string log_retention = "1 hour";         // how long the log is kept for versions in between,
  uint64_t log_retention_bytes = 4ull << 30;    // and at most how much of it
  uint64_t history_versions = 10'000;           // of a table that are kept at most
  std::map<std::string, std::string> settings;  // [settings] of the file: defaults of session settings
  std::vector<AccessRule> access;               // [[access]] of the file; none: `auth` for all

  AuthenticationMethod authentication() const;
  std::vector<AccessRule> access_rules() const;  // never none
  bool listens_on_loopback() const;
};

// Nothing for "". Throws 22023.
std::optional<uint16_t> parse_port(std::string_view setting, const std::string& text);

// What ALTER SYSTEM keeps, in DATA/idemdb.auto.toml.
struct KeptSettings {
  std::map<std::string, std::string> server, session;  // by name

  static std::string path(const std::string& data);
  std::string text() const;  // of the file
};

// Where settings come from, so that they can be read again. Immutable once the arguments are parsed.
class ConfigurationSource {
 public:
  // Returns false when the program is to end at once with *exit_code (--help, --version, wrong arguments: the text has been printed).
  bool parse_arguments(int argc, char** argv, int* exit_code);

  // The values now. Throws SqlError 22023 for one that cannot be, 58P01 for a file that cannot be read.
  Configuration read() const;
  // What they would be if ALTER SYSTEM had kept these.
  Configuration read_with(const KeptSettings& kept) const;
  KeptSettings read_kept(const std::string& data) const;

 private:
  std::map<std::string, std::string> arguments_;  // by name of the setting
};

// Whether it is a setting of the server, as against one of sessions.
bool is_server_setting(const std::string& name);
// The names of those that differ and take effect only at the next start.
std::vector<std::string> changes_for_restart(Configuration before, Configuration after);
// The server's own settings for SHOW: those that take effect only at a start as they were then, the others as they are now.
std::map<std::string, ServerSetting, std::less<>> shown_settings(Configuration at_start, Configuration now);

// Refuses values with which it cannot start, and combinations that would leave the server open: an address other than loopback needs scram. 22023 with a hint
// that says how to set it up.
void check_configuration(const Configuration& configuration);

}  // namespace idem
