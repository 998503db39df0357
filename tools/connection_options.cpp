#include "tools/connection_options.h"

#include <cstdlib>
#include <fmt/format.h>

namespace idem::tools {

namespace {

std::string quoted(const std::string& value) {
  std::string out = "'";
  for (const char c : value) {
    if (c == '\'' || c == '\\') out += '\\';
    out += c;
  }
  return out + "'";
}

}  // namespace

void ConnectionOptions::add_to(CLI::App& command) {
  command.add_option("--host", host, "address of the server (default 127.0.0.1, or $PGHOST)");
  command.add_option("--port,-p", port, "its port (default 5433, or $PGPORT)");
  command.add_option("--user,-U", user,
                     "user (default admin, or $PGUSER); the password comes from $PGPASSWORD or ~/.pgpass");
  command.add_option("--db,-d", database, "database (default main, or $PGDATABASE)");
}

std::string ConnectionOptions::to_text() const {
  std::string out = "application_name='idem' connect_timeout='10'";
  const auto add = [&](const char* key, const std::string& given, const char* variable,
                       const char* otherwise) {
    if (!given.empty()) out += fmt::format(" {}={}", key, quoted(given));
    else if (!std::getenv(variable)) out += fmt::format(" {}={}", key, quoted(otherwise));
  };
  add("host", host, "PGHOST", "127.0.0.1");
  add("port", port, "PGPORT", "5433");
  add("user", user, "PGUSER", "admin");
  add("dbname", database, "PGDATABASE", "main");
  return out;
}

}  // namespace idem::tools
