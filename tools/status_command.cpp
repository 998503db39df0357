#include <iostream>

#include "tools/command.h"
#include "tools/connection_options.h"
#include "tools/json_object.h"
#include "tools/server_link.h"
#include "tools/text_table.h"

namespace idem::tools {

namespace {

using Kind = TextTable::Kind;

void show_status(const ConnectionOptions& options, Invocation& invocation) {
  ServerLink link(options.to_text());
  const TextTable log = link.query(
      "SELECT write_failed, published_commit, durable_commit, log_bytes, log_segments, log_syncs, "
      "last_checkpoint, failure FROM wal_status()");
  const TextTable tables = link.query(
      "SELECT count(*) AS tables, sum(rows) AS rows, sum(disk_bytes) AS segment_bytes FROM tables()");
  const TextTable memory = link.query("SELECT name, used_bytes, limit_bytes FROM memory()");
  const TextTable sessions = link.query("SELECT count(*) FROM sessions()");
  const bool failed = log.cell(0, 0) == "t";
  if (failed) invocation.exit_code = kExitFailed;
  if (invocation.json) {
    JsonObject object;
    object.add("server", link.server_version()).add("sessions", sessions.number(0, 0));
    object.add_json("tables", tables.json_row(0))
        .add_json("log", log.json_row(0))
        .add_json("memory", memory.json_array());
    std::cout << object.text() << "\n";
    return;
  }

  TextTable table;
  table.add_column("what");
  table.add_column("value", Kind::kNumber);
  const auto line = [&](const char* what, std::string value) { table.add_row({what, std::move(value)}); };
  line("server", link.server_version());
  line("writes", failed ? "refused until a restart" : "accepted");
  line("sessions", with_thousands(sessions.number(0, 0)));
  line("tables", with_thousands(tables.number(0, 0)));
  line("rows", with_thousands(tables.number(0, 1)));
  line("segment files", readable_bytes(tables.number(0, 2)));
  line("published commit", with_thousands(log.number(0, 1)));
  line("durable commit", with_thousands(log.number(0, 2)));
  line("log since checkpoint", readable_bytes(log.number(0, 3)));
  line("log segments", with_thousands(log.number(0, 4)));
  line("log syncs", with_thousands(log.number(0, 5)));
  line("last checkpoint", log.cell(0, 6).value_or("none"));
  for (size_t row = 0; row < memory.row_count(); ++row) {
    std::string used = readable_bytes(memory.number(row, 1));
    if (memory.cell(row, 2)) used += " of " + readable_bytes(memory.number(row, 2));
    table.add_row({"memory: " + memory.cell(row, 0).value_or(""), std::move(used)});
  }
  std::string text = table.aligned();
  text.erase(text.rfind('('));  // its row count says nothing here
  std::cout << text;
  if (const TextTable::Cell& failure = log.cell(0, 7)) std::cout << "\nfailure: " << *failure << "\n";
}

void add_query_command(CLI::App& app, Invocation& invocation, const char* name, const char* help,
                       const char* sql) {
  auto options = std::make_shared<ConnectionOptions>();
  CLI::App* command = app.add_subcommand(name, help);
  options->add_to(*command);
  command->callback([options, &invocation, sql] {
    const TextTable table = ServerLink(options->to_text()).query(sql);
    std::cout << (invocation.json ? table.json() : table.aligned());
  });
}

}  // namespace

void add_status_commands(CLI::App& app, Invocation& invocation) {
  auto options = std::make_shared<ConnectionOptions>();
  CLI::App* status = app.add_subcommand("status", "Shows how the server is: log, memory, sizes");
  options->add_to(*status);
  status->callback([options, &invocation] { show_status(*options, invocation); });
  add_query_command(
      app, invocation, "tables", "Lists the tables and views",
      "SELECT n.nspname AS schema_name, c.relname AS table_name, "
      "CASE c.relkind WHEN 'r' THEN 'table' WHEN 'm' THEN 'materialized view' ELSE 'view' END AS kind, "
      "t.rows, t.disk_bytes, t.designatedTimestamp, t.partitionBy, t.dedup, t.version, "
      "pg_get_userbyid(c.relowner) AS owner "
      "FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace "
      "LEFT JOIN tables() t ON t.id = c.oid::bigint - 16384 "  // oids begin there
      "WHERE c.relkind IN ('r', 'v', 'm') AND n.nspname NOT IN ('pg_catalog', 'information_schema') "
      "ORDER BY 1, 2");
  add_query_command(app, invocation, "sessions", "Lists who is connected and what they run",
                    "SELECT pid, user_name, application_name, client_address, state, connected_at, query "
                    "FROM sessions() ORDER BY pid");
}

}  // namespace idem::tools
