#include <iostream>
#include <iterator>
#include <libpq-fe.h>

#include "tools/command.h"
#include "tools/connection_options.h"
#include "tools/json_object.h"
#include "tools/server_link.h"

namespace idem::tools {

namespace {

struct SqlOptions {
  ConnectionOptions connection;
  std::string text;
  bool csv = false;
};

void show(const PGresult* result, const SqlOptions& options, const Invocation& invocation) {
  if (PQresultStatus(result) == PGRES_TUPLES_OK) {
    const TextTable table = to_table(result);
    std::cout << (invocation.json ? table.json() : options.csv ? table.csv() : table.aligned());
  } else if (invocation.json) {
    std::cout << JsonObject().add("tag", PQcmdStatus(const_cast<PGresult*>(result))).text() << "\n";
  } else if (!options.csv) {
    std::cout << PQcmdStatus(const_cast<PGresult*>(result)) << "\n";
  }
}

void run(const SqlOptions& options, const Invocation& invocation) {
  std::string text = options.text;
  if (text.empty() || text == "-") text.assign(std::istreambuf_iterator<char>(std::cin), {});
  ServerLink link(options.connection.to_text());
  link.execute(text, [&](const PGresult* result) { show(result, options, invocation); });
}

}  // namespace

void add_sql_command(CLI::App& app, Invocation& invocation) {
  auto options = std::make_shared<SqlOptions>();
  CLI::App* command = app.add_subcommand("sql", "Runs SQL statements and prints their results");
  command->add_option("statements", options->text,
                      "the statements, separated by semicolons; left out or -: from standard input");
  command->add_flag("--csv", options->csv, "print results as CSV, and nothing else");
  options->connection.add_to(*command);
  command->callback([options, &invocation] { run(*options, invocation); });
}

}  // namespace idem::tools
