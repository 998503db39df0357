#include "common/error.h"
#include "storage/run_restore.h"
#include "storage/transaction_state.h"
#include "storage/version_lookup.h"

namespace idem {

// Runs (BEGIN RUN) and protected tables, as a transaction sees them.

namespace {

std::shared_ptr<const TableVersion> version_before(DatabaseState& db, const Snapshot& snapshot,
                                                   const RunRestore::Table& table) {
  if (snapshot.table(table.table))
    return find_version(db, snapshot, table.table, VersionNumberTarget{table.before}).version;
  const auto history = db.history(table.table);
  auto found = history ? history->find_kept(table.before) : std::nullopt;
  if (found) return found->version;
  throw sql_error(sqlstate::kObjectNotInPrerequisiteState,
                  "a dropped table that the run wrote can no longer be brought back");
}

}  // namespace

void Transaction::begin_run(std::string key) {
  state_->check_open();
  state_->run_key = std::move(key);
}

void Transaction::restore_run(const Run& run, bool force) {
  State& s = *state_;
  const RunRestore restore = plan_run_restore(*s.catalog, run);
  for (const RunRestore::Table& table : restore.tables) {
    const auto now = s.base->table(table.table);
    if (now) s.check_changeable(table.table);
  }
  if (!force) check_nothing_is_lost(s.db, *s.base, restore, run.key);
  // What is discarded may stand where something else was before.
  for (const RunRestore::Table& table : restore.tables) {
    const auto now = s.base->table(table.table);
    if (now) s.run_heads[static_cast<uint32_t>(table.table)] = now->version;
    if (!table.discarded || !now) continue;
    drop_table(table.table);
    s.run_discarded.insert(static_cast<uint32_t>(table.table));
  }
  for (const RunRestore::Table& table : restore.tables) {
    if (table.discarded) continue;
    const auto id = static_cast<uint32_t>(table.table);
    const auto now = s.base->table(table.table);
    auto before = version_before(s.db, *s.base, table);
    s.run_before[id] = table.before;
    if (!now) {
      const auto dropped = s.catalog->dropped.find(id);
      if (dropped == s.catalog->dropped.end()) {
        throw sql_error(sqlstate::kObjectNotInPrerequisiteState,
                        "dropped table \"{}\" that the run wrote can no longer be brought back",
                        before->schema->name);
      }
      undrop_table(table.table, dropped->second.schema_name, dropped->second.name);
    }
    if (!now || now->version != table.before) this->restore(table.table, std::move(before));
  }
  for (const std::string& key : restore.forgotten) s.add_ddl(ForgetRun{key});
}

void Transaction::end_run(std::vector<RunWrite> writes) { state_->run_writes = std::move(writes); }

void Transaction::forget_run(const std::string& key) { state_->add_ddl(ForgetRun{key}); }

void Transaction::protect_table(TableId table, TableProtection protection) {
  State& s = *state_;
  s.check_open();
  const auto id = static_cast<uint32_t>(table);
  if (const auto changes = s.tables.find(id); changes != s.tables.end())
    State::writable(changes->second).flush();
  const auto known = s.catalog->protections.find(id);
  s.protected_from.try_emplace(id, known == s.catalog->protections.end() ? TableProtection() : known->second);
  if (const auto changes = s.tables.find(id); changes != s.tables.end())
    State::writable(changes->second).protect_partitions(protection.partitions);
  s.add_ddl(PutProtection{table, std::move(protection)});
}

void Transaction::State::check_changeable(TableId table) const {
  const auto protection = catalog->protections.find(static_cast<uint32_t>(table));
  if (protection == catalog->protections.end() || !protection->second.is_immutable(db.clock.now_micros()))
    return;
  const TableChanges* changes = find_changes(table);
  const auto version = changes ? changes->current() : base->table(table);
  throw sql_error(sqlstate::kInsufficientPrivilege, "table \"{}\" is immutable",
                  version ? version->schema->name : std::to_string(static_cast<uint32_t>(table)));
}

void Transaction::State::check_not_frozen(TableId table, const std::vector<int64_t>* starts) const {
  const auto protection = catalog->protections.find(static_cast<uint32_t>(table));
  if (protection == catalog->protections.end()) return;
  const TableChanges* changes = find_changes(table);
  const auto version = changes ? changes->current() : base->table(table);
  if (!version) return;
  for (const int64_t frozen : protection->second.partitions) {
    if (!starts || std::find(starts->begin(), starts->end(), frozen) != starts->end())
      throw frozen_partition(*version->schema, frozen);
  }
}

}  // namespace idem
