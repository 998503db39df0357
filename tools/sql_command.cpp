#include <libpq-fe.h>

#include <algorithm>
#include <iostream>
#include <iterator>

#include "tools/command.h"
#include "tools/connection_options.h"
#include "tools/server_link.h"
#include "tools/text_table.h"

namespace idem::tools {

namespace {

constexpr Oid kNumberTypes[] = {20, 21, 23, 26, 700, 701, 1700};

struct SqlOptions {
  ConnectionOptions connection;
  std::string text;
  bool csv = false;
};

TextTable to_table(const PGresult* result) {
  TextTable table;
  const int columns = PQnfields(result);
  for (int c = 0; c < columns; ++c) {
    const bool number = std::find(std::begin(kNumberTypes), std::end(kNumberTypes), PQftype(result, c)) != std::end(kNumberTypes);
    table.add_column(PQfname(result, c), number);
  }
  for (int r = 0; r < PQntuples(result); ++r) {
    std::vector<TextTable::Cell> cells;
    for (int c = 0; c < columns; ++c) {
      cells.push_back(PQgetisnull(result, r, c) ? TextTable::Cell() : TextTable::Cell(PQgetvalue(result, r, c)));
    }
    table.add_row(std::move(cells));
  }
  return table;
}

void show(const PGresult* result, bool csv) {
  if (PQresultStatus(result) == PGRES_TUPLES_OK) {
    const TextTable table = to_table(result);
    std::cout << (csv ? table.csv() : table.aligned());
  } else if (!csv) {
    std::cout << PQcmdStatus(const_cast<PGresult*>(result)) << "\n";
  }
}

void run(const SqlOptions& options) {
  std::string text = options.text;
  if (text.empty() || text == "-") text.assign(std::istreambuf_iterator<char>(std::cin), {});
  ServerLink link(options.connection.to_text());
  link.execute(text, [&](const PGresult* result) { show(result, options.csv); });
}

}  // namespace

void add_sql_command(CLI::App& app, int* exit_code) {
  auto options = std::make_shared<SqlOptions>();
  CLI::App* command = app.add_subcommand("sql", "Runs SQL statements and prints their results");
  command->add_option("statements", options->text, "the statements, separated by semicolons; left out or -: from standard input");
  command->add_flag("--csv", options->csv, "print results as CSV, and nothing else");
  options->connection.add_to(*command);
  command->callback([options, exit_code] {
    run(*options);
    *exit_code = kExitOk;
  });
}

}  // namespace idem::tools
