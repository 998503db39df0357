#include "storage/run_restore.h"

#include <map>
#include <set>

#include "common/error.h"
#include "storage/database_state.h"

namespace idem {

namespace {

using Tables = std::map<uint32_t, RunRestore::Table>;

void add_tables(const Run& run, Tables* tables) {
  for (const RunTable& written : run.tables) {
    const bool created = written.effect == RunTable::Effect::kCreated;
    const RunRestore::Table restored{written.table, created, written.before, written.after};
    const auto [known, fresh] = tables->try_emplace(static_cast<uint32_t>(written.table), restored);
    if (fresh || known->second.discarded) continue;
    if (created || written.before < known->second.before) known->second = restored;
  }
}

bool shares_table(const Run& run, const Tables& tables) {
  for (const RunTable& table : run.tables) {
    if (tables.contains(static_cast<uint32_t>(table.table))) return true;
  }
  return false;
}

std::string describe(const HistoryLine& line) {
  const auto first = static_cast<uint64_t>(line.first), last = static_cast<uint64_t>(line.last);
  const std::string versions =
      first == last ? fmt::format("version {}", last) : fmt::format("versions {} to {}", first, last);
  const std::string run = line.run_key.empty() ? "" : fmt::format(", run \"{}\"", line.run_key);
  return fmt::format("{}: {} by {}{}", versions, table_operation_name(line.operation), line.user, run);
}

bool is_lost(const HistoryLine& line, const RunRestore::Table& table, std::string_view prefix) {
  if (line.last <= table.since) return false;
  if (line.operation == TableOperation::kTtl) return false;  // the next write does it again
  return line.run_key.empty() || run_prefix(line.run_key) != prefix;
}

}  // namespace

RunRestore plan_run_restore(const Catalog& catalog, const Run& run) {
  const std::string prefix(run_prefix(run.key));
  Tables tables;
  add_tables(run, &tables);
  std::set<std::string> later;
  for (bool grows = true; grows;) {
    grows = false;
    for (auto other = catalog.runs.lower_bound(prefix);
         other != catalog.runs.end() && other->first.starts_with(prefix); ++other) {
      const auto& [key, candidate] = *other;
      if (key == run.key || later.contains(key) || run_prefix(key) != prefix) continue;
      if (candidate->last_commit <= run.first_commit || !shares_table(*candidate, tables)) continue;
      add_tables(*candidate, &tables);
      later.insert(key);
      grows = true;
    }
  }
  RunRestore restore;
  for (const auto& [id, table] : tables) restore.tables.push_back(table);
  restore.forgotten.assign(later.begin(), later.end());
  return restore;
}

void check_nothing_is_lost(DatabaseState& db, const Snapshot& snapshot, const RunRestore& restore,
                           const std::string& key) {
  constexpr size_t kNamed = 10;
  std::vector<std::string> lost;
  std::string table_name;
  for (const RunRestore::Table& table : restore.tables) {
    const auto newest = snapshot.table(table.table);
    const auto history = db.history(table.table);
    if (!newest || !history) continue;
    for (const HistoryLine& line : history->lines(newest->version)) {
      if (!is_lost(line, table, run_prefix(key))) continue;
      if (lost.empty()) table_name = newest->schema->name;
      lost.push_back(fmt::format("table \"{}\", {}", newest->schema->name, describe(line)));
    }
  }
  if (lost.empty()) return;
  const size_t count = lost.size();
  if (count > kNamed) {
    lost.resize(kNamed);
    lost.push_back(fmt::format("and {} more", count - kNamed));
  }
  throw sql_error(sqlstate::kObjectNotInPrerequisiteState,
                  "run \"{}\" cannot be restored: table \"{}\" was changed since by others", key, table_name)
      .with_detail(fmt::format("These commits would be lost: {}.", fmt::join(lost, "; ")))
      .with_hint("ON REPLAY RESTORE FORCE loses them.");
}

}  // namespace idem
