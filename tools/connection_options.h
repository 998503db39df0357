#pragma once

#include <CLI/CLI.hpp>
#include <string>

namespace idem::tools {

// Where the server is. Every command that talks to one takes the same options; what is not given is taken from libpq's
// environment (PGHOST, PGPORT, PGUSER, PGDATABASE, PGPASSWORD), then from the server's defaults.
struct ConnectionOptions {
  std::string host, port, user, database;

  void add_to(CLI::App& command);
  // As libpq reads it: "host='127.0.0.1' port='5433' …".
  std::string to_text() const;
};

}  // namespace idem::tools
