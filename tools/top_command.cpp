#include <algorithm>
#include <array>
#include <fmt/format.h>
#include <iostream>
#include <poll.h>
#include <unistd.h>

#include "common/clock.h"
#include "tools/command.h"
#include "tools/connection_options.h"
#include "tools/json_object.h"
#include "tools/server_link.h"
#include "tools/terminal_screen.h"

namespace idem::tools {

namespace {

struct TopOptions {
  ConnectionOptions connection;
  double seconds = 2;
  uint64_t count = 0;  // 0: until it is ended
};

// What the server said at one moment.
struct Sample {
  int64_t nanos = 0;
  TextTable log, memory, tables, sessions;
  TextTable rows;  // since the server's start, by what became of them
};

constexpr const char* kOutcomes[] = {"inserted", "replaced", "skipped", "deleted"};

Sample take_sample(ServerLink& link, const Clock& clock) {
  Sample sample;
  sample.nanos = clock.monotonic_nanos();
  std::string sums;
  for (const char* outcome : kOutcomes) {
    sums += fmt::format("{}sum(value::bigint) FILTER (WHERE labels = 'outcome=\"{}\"')",
                        sums.empty() ? "" : ", ", outcome);
  }
  sample.rows = link.query("SELECT " + sums + " FROM metrics() WHERE name = 'idemdb_rows_total'");
  sample.log = link.query("SELECT published_commit, log_bytes, log_syncs, write_failed FROM wal_status()");
  sample.memory = link.query("SELECT name, used_bytes, limit_bytes FROM memory()");
  sample.tables = link.query(
      "SELECT count(*) AS tables, coalesce(sum(rows), 0) AS rows, coalesce(sum(disk_bytes), 0) AS bytes FROM "
      "tables()");
  sample.sessions = link.query(
      "SELECT pid, user_name AS \"user\", application_name AS application, client_address AS client, state, "
      "CASE WHEN state = 'active' THEN round(extract(epoch FROM now() - query_start), 1) END AS seconds, "
      "query FROM sessions() "
      "WHERE pid <> pg_backend_pid() ORDER BY state, query_start LIMIT 200");
  return sample;
}

double rate(uint64_t now, uint64_t before, double seconds) {
  return seconds > 0 && now >= before ? static_cast<double>(now - before) / seconds : 0;
}

struct Rates {
  double commits = 0, syncs = 0;
  std::array<double, std::size(kOutcomes)> rows{};
};

Rates rates_of(const Sample& now, const Sample& before) {
  const double seconds = static_cast<double>(now.nanos - before.nanos) / 1e9;
  Rates rates{.commits = rate(now.log.number(0, 0), before.log.number(0, 0), seconds),
              .syncs = rate(now.log.number(0, 2), before.log.number(0, 2), seconds)};
  for (size_t i = 0; i < rates.rows.size(); ++i)
    rates.rows[i] = rate(now.rows.number(0, i), before.rows.number(0, i), seconds);
  return rates;
}

std::string text_of(const Sample& now, const Rates& rates, const std::string& version) {
  const auto whole = [](double value) { return with_thousands(static_cast<uint64_t>(value + 0.5)); };
  size_t active = 0;
  for (size_t row = 0; row < now.sessions.row_count(); ++row) active += now.sessions.cell(row, 4) == "active";
  std::string text = fmt::format("{}   {} sessions, {} active\n", version, now.sessions.row_count(), active);
  text += "rows";
  for (size_t i = 0; i < rates.rows.size(); ++i)
    text += fmt::format("   {} {}/s", kOutcomes[i], whole(rates.rows[i]));
  text += fmt::format("\ncommits {}/s   log syncs {}/s   log since checkpoint {}{}\n", whole(rates.commits),
                      whole(rates.syncs), readable_bytes(now.log.number(0, 1)),
                      now.log.cell(0, 3) == "t" ? "   WRITES ARE REFUSED" : "");
  text += fmt::format("{} tables, {} rows, {} in files", with_thousands(now.tables.number(0, 0)),
                      with_thousands(now.tables.number(0, 1)), readable_bytes(now.tables.number(0, 2)));
  for (size_t row = 0; row < now.memory.row_count(); ++row) {
    text += fmt::format("   {} {}", now.memory.cell(row, 0).value_or(""),
                        readable_bytes(now.memory.number(row, 1)));
  }
  return text + "\n\n" + now.sessions.aligned();
}

std::string json_of(const Sample& now, const Rates& rates) {
  JsonObject object;
  object.add("commits_per_second", rates.commits).add("log_syncs_per_second", rates.syncs);
  JsonObject rows;
  for (size_t i = 0; i < rates.rows.size(); ++i) rows.add(kOutcomes[i], rates.rows[i]);
  object.add_json("rows_per_second", rows.text());
  object.add_json("log", now.log.json_row(0))
      .add_json("tables", now.tables.json_row(0))
      .add_json("memory", now.memory.json_array());
  object.add_json("sessions", now.sessions.json_array());
  return object.text();
}

void run(const TopOptions& options, const Invocation& invocation) {
  ServerLink link(options.connection.to_text());
  const SystemClock clock;
  const std::string version = link.server_version();
  const int millis = std::max(100, static_cast<int>(options.seconds * 1000));
  const bool live = !invocation.json && isatty(STDOUT_FILENO) == 1 && isatty(STDIN_FILENO) == 1;
  std::optional<TerminalScreen> screen;
  if (live) screen.emplace();
  Sample before = take_sample(link, clock);
  for (uint64_t shown = 0; options.count == 0 || shown < options.count; ++shown) {
    if (screen) {
      if (shown == 0) screen->draw("q ends   " + text_of(before, Rates{}, version));
      const auto pressed = screen->key(millis);
      if (pressed == 'q' || pressed == '\x03' || pressed == '\x04') return;
    } else {
      poll(nullptr, 0, millis);
    }
    Sample now = take_sample(link, clock);
    const Rates rates = rates_of(now, before);
    if (screen) screen->draw("q ends   " + text_of(now, rates, version));
    else std::cout << (invocation.json ? json_of(now, rates) : text_of(now, rates, version)) << std::endl;
    before = std::move(now);
  }
}

}  // namespace

void add_top_command(CLI::App& app, Invocation& invocation) {
  auto options = std::make_shared<TopOptions>();
  CLI::App* command = app.add_subcommand("top", "Shows live what the server does");
  command->add_option("--interval,-i", options->seconds, "seconds between two looks (default 2)");
  command->add_option("--count,-n", options->count, "end after so many looks");
  options->connection.add_to(*command);
  command->callback([options, &invocation] { run(*options, invocation); });
}

}  // namespace idem::tools
