#include <iostream>
#include <pqxx/pqxx>

#include "tools/command.h"
#include "tools/connection_options.h"
#include "tools/text_table.h"

namespace idem::tools {

namespace {

constexpr pqxx::oid kNumberTypes[] = {20, 21, 23, 26, 700, 701, 1700};

TextTable to_table(const pqxx::result& result) {
  TextTable table;
  for (pqxx::row::size_type i = 0; i < result.columns(); ++i) {
    const bool number = std::find(std::begin(kNumberTypes), std::end(kNumberTypes), result.column_type(i)) != std::end(kNumberTypes);
    table.add_column(result.column_name(i), number);
  }
  for (const pqxx::row& row : result) {
    std::vector<TextTable::Cell> cells;
    for (const pqxx::field& field : row) {
      cells.push_back(field.is_null() ? TextTable::Cell() : TextTable::Cell(field.c_str()));
    }
    table.add_row(std::move(cells));
  }
  return table;
}

uint64_t number(const pqxx::field& field) { return field.is_null() ? 0 : field.as<uint64_t>(); }

int show_status(const ConnectionOptions& options) {
  pqxx::connection connection(options.to_text());
  pqxx::nontransaction query(connection);
  const pqxx::row log = query.exec1("SELECT * FROM wal_status()");
  const pqxx::row tables = query.exec1("SELECT count(*), sum(rows), sum(disk_bytes) FROM tables()");
  const pqxx::row sessions = query.exec1("SELECT count(*) FROM sessions()");
  const bool failed = log["write_failed"].as<bool>();

  TextTable table;
  table.add_column("what");
  table.add_column("value", true);
  const auto line = [&](const char* what, std::string value) { table.add_row({what, std::move(value)}); };
  line("server", connection.get_variable("server_version"));
  line("writes", failed ? "refused until a restart" : "accepted");
  line("sessions", with_thousands(number(sessions[0])));
  line("tables", with_thousands(number(tables[0])));
  line("rows", with_thousands(number(tables[1])));
  line("segment files", readable_bytes(number(tables[2])));
  line("published commit", with_thousands(number(log["published_commit"])));
  line("durable commit", with_thousands(number(log["durable_commit"])));
  line("log since checkpoint", readable_bytes(number(log["log_bytes"])));
  line("log segments", with_thousands(number(log["log_segments"])));
  line("log syncs", with_thousands(number(log["log_syncs"])));
  line("last checkpoint", log["last_checkpoint"].is_null() ? "none" : log["last_checkpoint"].c_str());
  for (const pqxx::row& memory : query.exec("SELECT name, used_bytes, limit_bytes FROM memory()")) {
    std::string used = readable_bytes(number(memory[1]));
    if (!memory[2].is_null()) used += " of " + readable_bytes(number(memory[2]));
    table.add_row({std::string("memory: ") + memory[0].c_str(), std::move(used)});
  }
  std::string text = table.aligned();
  text.erase(text.rfind('('));  // its row count says nothing here
  std::cout << text;
  if (!log["failure"].is_null()) std::cout << "\nfailure: " << log["failure"].c_str() << "\n";
  return failed ? kExitFailed : kExitOk;
}

int show_query(const ConnectionOptions& options, const char* sql) {
  pqxx::connection connection(options.to_text());
  pqxx::nontransaction query(connection);
  std::cout << to_table(query.exec(sql)).aligned();
  return kExitOk;
}

void add_query_command(CLI::App& app, int* exit_code, const char* name, const char* help, const char* sql) {
  auto options = std::make_shared<ConnectionOptions>();
  CLI::App* command = app.add_subcommand(name, help);
  options->add_to(*command);
  command->callback([options, exit_code, sql] { *exit_code = show_query(*options, sql); });
}

}  // namespace

void add_status_commands(CLI::App& app, int* exit_code) {
  auto options = std::make_shared<ConnectionOptions>();
  CLI::App* status = app.add_subcommand("status", "Shows how the server is: log, memory, sizes");
  options->add_to(*status);
  status->callback([options, exit_code] { *exit_code = show_status(*options); });
  add_query_command(app, exit_code, "tables", "Lists the tables",
                    "SELECT table_name, rows, disk_bytes, designatedTimestamp, partitionBy, dedup, version, owner FROM tables() "
                    "ORDER BY table_name");
  add_query_command(app, exit_code, "sessions", "Lists who is connected and what they run",
                    "SELECT pid, user_name, application_name, client_address, state, connected_at, query FROM sessions() ORDER BY pid");
}

}  // namespace idem::tools
