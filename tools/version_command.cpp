#include <fmt/format.h>
#include <iostream>

#include "tools/command.h"
#include "tools/connection_options.h"
#include "tools/server_link.h"

namespace idem::tools {

namespace {

struct HistoryOptions {
  ConnectionOptions connection;
  std::string table;
  uint64_t limit = 50;
};

struct RunsOptions {
  ConnectionOptions connection;
  std::string table, prefix;
};

struct RestoreOptions {
  ConnectionOptions connection;
  std::string table, tag, at;
  std::optional<uint64_t> version;
};

struct VacuumOptions {
  ConnectionOptions connection;
  std::vector<std::string> tables;
  std::optional<uint64_t> retain_hours;
  bool dry_run = false;
};

void show(const TextTable& table, const Invocation& invocation) {
  std::cout << (invocation.json ? table.json() : table.aligned());
}

std::string history_sql(const std::string& table, uint64_t limit) {
  return fmt::format(
      "SELECT version, committed_at, \"user\", operation, run, inserted, replaced, skipped, deleted, "
      "partitions FROM "
      "table_history({}) ORDER BY version DESC LIMIT {}",
      quoted_literal(quoted_table(table)), limit);
}

void show_runs(const RunsOptions& options, const Invocation& invocation) {
  std::string where;
  if (!options.table.empty()) {
    const std::string name =
        options.table.find('.') == std::string::npos ? "public." + options.table : options.table;
    where = fmt::format(" WHERE {} = ANY(tables)", quoted_literal(name));
  }
  if (!options.prefix.empty())
    where += fmt::format("{} starts_with(key, {})", where.empty() ? " WHERE" : " AND",
                         quoted_literal(options.prefix));
  show(ServerLink(options.connection.to_text())
           .query("SELECT key, \"user\", last_committed_at, writes, tables, versions_before, versions_after "
                  "FROM runs()" +
                  where + " ORDER BY last_commit"),
       invocation);
}

// Restores, and shows the line of the history that came of it.
void restore(const RestoreOptions& options, const Invocation& invocation) {
  const int ways = options.version.has_value() + !options.tag.empty() + !options.at.empty();
  if (ways != 1) throw UsageError("restore takes a version, or --tag, or --at");
  const std::string point = options.version       ? fmt::format("VERSION AS OF {}", *options.version)
                            : options.tag.empty() ? "TIMESTAMP AS OF " + quoted_literal(options.at)
                                                  : "TAG " + quoted_literal(options.tag);
  ServerLink link(options.connection.to_text());
  link.execute(fmt::format("RESTORE TABLE {} TO {}", quoted_table(options.table), point));
  show(link.query(history_sql(options.table, 1)), invocation);
}

std::string vacuum_sql(const VacuumOptions& options) {
  std::string sql = "VACUUM";
  for (size_t i = 0; i < options.tables.size(); ++i)
    sql += (i > 0 ? ", " : " ") + quoted_table(options.tables[i]);
  if (options.retain_hours) sql += fmt::format(" RETAIN {} HOURS", *options.retain_hours);
  return sql;
}

// VACUUM says nothing of what it gives back; a dry run before it does.
void vacuum(const VacuumOptions& options, const Invocation& invocation) {
  ServerLink link(options.connection.to_text());
  const TextTable freed = link.query(vacuum_sql(options) + " DRY RUN");
  if (!options.dry_run) link.execute(vacuum_sql(options));
  show(freed, invocation);
}

}  // namespace

void add_version_commands(CLI::App& app, Invocation& invocation) {
  auto history = std::make_shared<HistoryOptions>();
  CLI::App* command = app.add_subcommand("history", "Lists the versions of a table, newest first");
  command->add_option("table", history->table, "the table, or schema.table")->required();
  command->add_option("--limit", history->limit, "at most so many (default 50)");
  history->connection.add_to(*command);
  command->callback([history, &invocation] {
    show(ServerLink(history->connection.to_text()).query(history_sql(history->table, history->limit)),
         invocation);
  });

  auto runs = std::make_shared<RunsOptions>();
  command = app.add_subcommand("runs", "Lists the runs that were committed, in their order");
  command->add_option("--table,-t", runs->table, "only those that wrote this table");
  command->add_option("--prefix", runs->prefix, "only those whose key begins so");
  runs->connection.add_to(*command);
  command->callback([runs, &invocation] { show_runs(*runs, invocation); });

  auto restored = std::make_shared<RestoreOptions>();
  command =
      app.add_subcommand("restore", "Puts a table back to an earlier version, which becomes the newest");
  command->add_option("table", restored->table, "the table, or schema.table")->required();
  command->add_option("version", restored->version, "the version");
  command->add_option("--tag", restored->tag, "or a tag");
  command->add_option("--at", restored->at, "or the moment at which the table was so, in UTC");
  restored->connection.add_to(*command);
  command->callback([restored, &invocation] { restore(*restored, invocation); });

  auto vacuumed = std::make_shared<VacuumOptions>();
  command = app.add_subcommand("vacuum", "Gives back what no retained version needs; lists what");
  command->add_option("table", vacuumed->tables, "tables; all if there are none");
  command->add_option("--retain-hours", vacuumed->retain_hours,
                      "forget versions that are older, whatever the retention; 0: all but the present");
  command->add_flag("--dry-run", vacuumed->dry_run, "only list");
  vacuumed->connection.add_to(*command);
  command->callback([vacuumed, &invocation] { vacuum(*vacuumed, invocation); });
}

}  // namespace idem::tools
