#include <algorithm>
#include <optional>
#include <set>

#include "common/error.h"
#include "storage/load_writer.h"
#include "storage/log_record.h"
#include "storage/retention.h"
#include "storage/transaction_state.h"

namespace idem {

namespace {

constexpr uint64_t kMatchBeforeLatchRows = 4'096;

// A table of the transaction at the moment of its commit, its latch held.
struct CommittingTable {
  uint32_t id = 0;
  TableChanges* changes = nullptr;    // null: dropped
  std::shared_ptr<TableState> state;  // null: created here
  std::unique_lock<std::mutex> latch;
  bool only_protected = false;  // nothing of it changes but its protection
  std::shared_ptr<TableVersion> next;  // null: nothing changed
  std::optional<PositionHistory::Step> step;
};

// Above every code of a symbol column that the change brings along.
uint32_t symbols_end(const PartitionChange& change, ColumnId column) {
  int64_t highest = -1;
  for (const EncodedRows& rows : change.encoded) {
    for (uint32_t v = rows.first / kVectorSize; v <= (rows.first + rows.count - 1) / kVectorSize; ++v) {
      const VectorStatistics bounds = rows.group->statistics(column, v);
      if (bounds.has_bounds) highest = std::max(highest, bounds.max);
    }
  }
  const int index = change.rows ? change.rows->schema().find_column(column) : -1;
  if (index < 0) return static_cast<uint32_t>(highest + 1);
  const auto* data = static_cast<const int32_t*>(change.rows->column(static_cast<size_t>(index)).data());
  int32_t highest_row = -1;
  for (const uint32_t row : change.replaced_rows) highest_row = std::max(highest_row, data[row]);
  const uint64_t inserted = change.encoded.empty() ? change.positions.inserted_count() : 0;
  for (uint64_t i = 0; i < inserted; ++i) highest_row = std::max(highest_row, data[change.inserted_row(i)]);
  return static_cast<uint32_t>(std::max<int64_t>(highest, highest_row) + 1);
}

// The strings of the codes that a record must bring along.
std::vector<LoggedSymbols> new_symbols(const TableSchema& schema,
                                       const std::vector<LoggedPartition>& partitions) {
  std::vector<LoggedSymbols> result;
  for (const ColumnSchema& column : schema.columns) {
    if (column.type.id != TypeId::kSymbol) continue;
    uint32_t end = 0;
    for (const LoggedPartition& partition : partitions) {
      for (const PartitionChange* change : partition.changes) {
        end = std::max(end, symbols_end(*change, column.id));
      }
    }
    if (!column.initial.is_null()) {
      end = std::max(end, static_cast<uint32_t>(column.dictionary->intern(column.initial.as_string())) + 1);
    }
    const uint32_t logged = column.dictionary->logged();
    if (end > logged) result.push_back({column.id, logged, end, column.dictionary.get()});
  }
  return result;
}

LoggedTable logged_table(const CommittingTable& table) {
  LoggedTable logged;
  logged.table = static_cast<TableId>(table.id);
  logged.version = table.next->version;
  logged.created = table.changes->is_created();
  logged.truncated = table.changes->truncated();
  if (table.changes->restored()) logged.restored = table.changes->restored()->version;
  logged.operation = table.changes->operation();
  logged.counts = table.changes->counts();
  if (logged.created || table.changes->schema_changed()) logged.schema = table.next->schema;
  for (TableChanges::PartitionEffect& effect : table.changes->effects()) {
    logged.partitions.push_back({effect.start, effect.cleared, std::move(effect.changes)});
  }
  logged.symbols = new_symbols(*table.next->schema, logged.partitions);
  return logged;
}

// The segment files that a record names, from the moment that nothing can fail any more: they stay, until a
// checkpoint covers the record at least.
void keep_segments(DatabaseState& db, const std::vector<LoggedTable>& tables, CommitNumber commit) {
  std::vector<std::shared_ptr<const SegmentRowGroup>> groups;
  for (const LoggedTable& table : tables) {
    for (const LoggedPartition& partition : table.partitions) {
      for (const PartitionChange* change : partition.changes) {
        for (const EncodedRows& rows : change->encoded) groups.push_back(rows.group);
      }
    }
  }
  LoadWriter::keep(groups);
  for (const auto& group : groups) {
    const SegmentFile& file = group->file();
    db.logged_segments[static_cast<uint64_t>(file.id())] = {commit, {file.id(), file.path(), file.weak_from_this()}};
  }
}

void build_next(CommittingTable* table) {
  TableChanges& changes = *table->changes;
  if (!changes.has_effect()) return;
  table->next = std::make_shared<TableVersion>(*changes.current());
  if (changes.is_created()) {
    table->next->version = static_cast<VersionNumber>(changes.effects().empty() ? 0 : 1);
    return;
  }
  table->next->version = static_cast<VersionNumber>(static_cast<uint64_t>(changes.base()->version) + 1);
  if (!table->state) {  // undropped
    table->next->history = HistoryHandle::make();
    return;
  }
  table->step = changes.history_step();
  table->next->history = table->step ? HistoryHandle::make() : table->state->head->history;
}

// Under its latch: whether the transaction may change the table at all.
void check_protection(const CommittingTable& table, const std::map<uint32_t, TableProtection>& protected_from,
                      int64_t now) {
  if (!table.state) return;
  const TableSchema& schema = *table.state->head->schema;
  const TableProtection& protection = table.state->protection;
  const auto own = protected_from.find(table.id);
  if (own != protected_from.end() && own->second != protection) {
    throw sql_error(sqlstate::kSerializationFailure,
                    "could not serialize access: the protection of table \"{}\" was changed meanwhile", schema.name);
  }
  if (table.only_protected) return;
  if (own == protected_from.end() && protection.is_immutable(now)) {
    throw sql_error(sqlstate::kInsufficientPrivilege, "table \"{}\" is immutable", schema.name);
  }
  if (protection.partitions.empty()) return;
  if (!table.changes || table.changes->truncated()) throw frozen_partition(schema, *protection.partitions.begin());
  for (const TableChanges::PartitionEffect& effect : table.changes->effects()) {
    if (protection.partitions.contains(effect.start)) throw frozen_partition(schema, effect.start);
  }
}

// The run that the transaction is, as the catalog keeps it; commit numbers and times of this commit are left at 0.
template <class TransactionState>
Run registered_run(const TransactionState& s, const Catalog& catalog, const std::vector<CommittingTable>& tables) {
  Run run;
  run.key = s.run_key;
  run.user = s.user;
  run.writes = s.run_writes;
  const auto known = catalog.runs.find(run.key);
  if (known != catalog.runs.end()) {
    run.first_commit = known->second->first_commit;
    run.first_time_micros = known->second->first_time_micros;
  }
  std::map<uint32_t, RunTable> written;
  for (const CommittingTable& table : tables) {
    if (table.only_protected || s.run_discarded.contains(table.id)) continue;
    if (table.changes ? table.next->schema->temporary : !table.state->history) continue;
    RunTable entry;
    entry.table = static_cast<TableId>(table.id);
    const auto put_back = s.run_before.find(table.id);
    if (put_back != s.run_before.end()) {
      entry.before = put_back->second;
    } else if (table.state) {
      entry.before = table.state->head->version;
    } else {
      entry.effect = RunTable::Effect::kCreated;
    }
    if (!table.changes) entry.effect = RunTable::Effect::kDropped;
    entry.after = table.changes ? table.next->version : entry.before;
    written[table.id] = entry;
  }
  for (const auto& [id, before] : s.run_before) {
    // It was brought back and dropped again, or is as it was.
    const auto effect = catalog.dropped.contains(id) ? RunTable::Effect::kDropped : RunTable::Effect::kChanged;
    written.try_emplace(id, RunTable{static_cast<TableId>(id), effect, before, before});
  }
  for (const auto& [id, entry] : written) run.tables.push_back(entry);
  return run;
}

// Under the commit latch: what the record names must be there when it is replayed.
void hold_named_versions(DatabaseState& db, const std::vector<CommittingTable>& tables,
                         const std::vector<std::pair<TableId, KeptVersion>>& tagged) {
  const auto hold = [&](TableId table, VersionNumber version) {
    const auto history = db.history(table);
    if (history && db.hold_version(*history, version)) return;
    throw sql_error(sqlstate::kInvalidParameterValue, "version {} is no longer there",
                    static_cast<uint64_t>(version));
  };
  for (const CommittingTable& table : tables) {
    if (table.changes && table.changes->restored())
      hold(static_cast<TableId>(table.id), table.changes->restored()->version);
  }
  for (const auto& [table, version] : tagged) hold(table, version.number());
}

// The tables that a commit is about to change. It waits while another transaction alone may commit to one of them (Database::
// begin_alone), before it holds any latch; in order of ids, so that two do not wait for each other.
class CommitGates {
 public:
  explicit CommitGates(uint64_t owner) : owner_(owner) {}
  ~CommitGates() {
    for (const std::shared_ptr<TableState>& table : entered_) {
      std::lock_guard lock(table->latch);
      if (--table->commits_under_way == 0) table->gate_changes.notify_all();
    }
  }
  CommitGates(const CommitGates&) = delete;
  CommitGates& operator=(const CommitGates&) = delete;

  void want(uint32_t table) { wanted_.insert(table); }
  void enter(DatabaseState& db) {
    for (const uint32_t id : wanted_) {
      std::shared_ptr<TableState> table = db.table_state(static_cast<TableId>(id));
      if (!table) continue;  // created or undropped here, or gone
      std::unique_lock lock(table->latch);
      table->gate_changes.wait(lock, [&] { return table->alone == 0 || table->alone == owner_; });
      ++table->commits_under_way;
      entered_.push_back(std::move(table));
    }
  }

 private:
  const uint64_t owner_;
  std::set<uint32_t> wanted_;
  std::vector<std::shared_ptr<TableState>> entered_;
};

struct RecordPlace {
  int64_t time_micros = 0;
  uint64_t log_begin = 0, log_end = 0;
};

// Under the commit latch, before the head moves on.
void record_history(const CommittingTable& table, const LoggedTable& logged, const std::string& user,
                    const std::string& run_key, const RecordPlace& place, TableHistory* history) {
  HistoryLine line;
  line.first = line.last = table.next->version;
  line.first_time_micros = line.last_time_micros = place.time_micros;
  line.operation = logged.operation;
  line.user = user;
  line.run_key = run_key;
  line.counts = logged.counts;
  line.partitions = logged.partitions.size();
  history->record(table.state ? table.state->head : nullptr, table.next, std::move(line),
                  {place.log_begin, place.log_end, logged.names_segments()});
}

}  // namespace

CommitResult Transaction::commit(bool synchronous) {
  return commit(synchronous ? Wait::kUntilVisible : Wait::kNot);
}

CommitResult Transaction::commit_without_waiting() { return commit(Wait::kLater); }

CommitResult Transaction::commit(Wait wait) {
  State& s = *state_;
  s.check_open();
  s.over = true;
  DatabaseState& db = s.db;
  CommitResult result;
  // Until what the answer stands on is durable.
  const auto wait_for = [&](CommitNumber logged) {
    if (wait == Wait::kUntilVisible) db.wait_visible(logged);
    if (wait == Wait::kLater && !db.sync_without_waiting(logged)) result.visible_after = logged;
  };
  if (!has_writes()) {
    wait_for(s.base->logged);
    result.commit = s.base->commit;
    return result;
  }
  db.check_writable();
  db.wait_for_memory();

  // Many rows are matched against what is visible now, so that little is left to do under the latch.
  for (auto& [id, changes] : s.tables) {
    if (changes->pending_rows() < kMatchBeforeLatchRows && !changes->has_load()) continue;
    if (!changes->is_created()) changes->rebase(db.published_snapshot()->table(static_cast<TableId>(id)));
    changes->flush();
    changes->prepare_load();
  }

  std::optional<CommitGates> gates(std::in_place, s.owner);
  for (const auto& [id, changes] : s.tables) gates->want(id);
  for (const uint32_t id : s.dropped) gates->want(id);
  gates->enter(db);

  std::unique_lock<std::mutex> catalog_lock(db.catalog_latch, std::defer_lock);
  std::shared_ptr<Catalog> catalog;
  if (!s.ddl.empty() || !s.run_key.empty()) {
    catalog_lock.lock();
    catalog = std::make_shared<Catalog>(*db.catalog_head);
    for (const CatalogChange& change : s.ddl) apply_catalog_change(catalog.get(), change);
  }

  std::vector<CommittingTable> tables;
  for (auto& [id, changes] : s.tables) {
    if (!changes->has_writes()) continue;
    CommittingTable table;
    table.id = id;
    table.changes = changes.get();
    if (changes->restored() && changes->operation() == TableOperation::kOther) {
      changes->note_operation(TableOperation::kRestore);
    }
    tables.push_back(std::move(table));
  }
  for (const uint32_t id : s.dropped) {
    CommittingTable table;
    table.id = id;
    tables.push_back(std::move(table));
  }
  for (const auto& [id, protection] : s.protected_from) {
    const bool changed = std::any_of(tables.begin(), tables.end(), [&](const auto& table) { return table.id == id; });
    if (changed || !s.base->table(static_cast<TableId>(id))) continue;
    CommittingTable table;
    table.id = id;
    table.only_protected = true;
    tables.push_back(std::move(table));
  }
  std::sort(tables.begin(), tables.end(),
            [](const CommittingTable& a, const CommittingTable& b) { return a.id < b.id; });
  for (CommittingTable& table : tables) {
    if (table.changes && (table.changes->is_created() || s.undropped.contains(table.id))) continue;
    table.state = db.table_state(static_cast<TableId>(table.id));
    if (table.state) table.latch = std::unique_lock<std::mutex>(table.state->latch);
    if (!table.state || !table.state->head) {
      throw sql_error(sqlstate::kUndefinedTable, "relation \"{}\" does not exist",
                      table.changes ? table.changes->schema()->name : std::to_string(table.id));
    }
    const auto decided = s.run_heads.find(table.id);
    if (decided != s.run_heads.end() && decided->second != table.state->head->version) {
      throw sql_error(sqlstate::kSerializationFailure,
                      "could not serialize access: table \"{}\" was changed after run \"{}\" began",
                      table.state->head->schema->name, s.run_key);
    }
  }
  for (CommittingTable& table : tables) {
    if (!table.changes) continue;
    table.changes->prepare_commit(table.state ? table.state->head : table.changes->base());
    build_next(&table);
    const WriteCounts& counts = table.changes->counts();
    result.counts.inserted += counts.inserted;
    result.counts.replaced += counts.replaced;
    result.counts.skipped += counts.skipped;
    result.counts.deleted += counts.deleted;
  }
  const int64_t now = db.clock.now_micros();
  std::erase_if(tables, [](const CommittingTable& table) { return table.changes && !table.next; });
  for (const CommittingTable& table : tables) check_protection(table, s.protected_from, now);
  if (!s.run_key.empty()) {
    s.ddl.emplace_back(PutRun{registered_run(s, *catalog, tables)});
    apply_catalog_change(catalog.get(), s.ddl.back());
  }

  if (tables.empty() && s.ddl.empty()) {
    // Nothing changed; the answer still stands on versions that may not be durable yet.
    CommitNumber logged{};
    {
      std::lock_guard lock(db.commit_latch);
      result.commit = db.last_commit;
      logged = db.last_logged;
    }
    wait_for(logged);
    return result;
  }

  LogRecordWriter record(s.user, s.operation, s.run_key);
  record.catalog_changes(s.ddl);
  std::vector<LoggedTable> logged_tables;
  for (const CommittingTable& table : tables) {
    if (table.changes && !table.next->schema->temporary) logged_tables.push_back(logged_table(table));
  }
  record.tables(logged_tables);
  const bool is_logged =
      !logged_tables.empty() ||
      std::any_of(s.ddl.begin(), s.ddl.end(), [](const auto& change) { return !is_temporary(change); });

  PendingCommit pending;
  {
    std::lock_guard lock(db.commit_latch);
    const auto number = static_cast<CommitNumber>(static_cast<uint64_t>(db.last_commit) + 1);
    const int64_t time = std::max(db.clock.now_micros(), db.last_commit_time + 1);
    RecordPlace place{time, db.log_end, db.log_end};
    hold_named_versions(db, tables, s.tagged);
    if (is_logged) {
      record.set_time(time);
      const wal::Extent extent =
          db.log->append(static_cast<uint64_t>(number), record.payload(), wal::Compression::kLz4);
      db.log_end = place.log_end = extent.end.value;
      db.last_logged = number;
    }
    // Nothing fails from here on.
    keep_segments(db, logged_tables, number);
    db.last_commit = number;
    db.last_commit_time = time;
    pending.commit = number;
    pending.logged = db.last_logged;
    pending.time_micros = time;
    pending.log_end = db.log_end;
    if (catalog) set_commit_time(catalog.get(), s.ddl, number, time);
    pending.catalog = catalog;
    size_t logged = 0;  // of logged_tables, in the same order
    for (CommittingTable& table : tables) {
      const auto id = static_cast<TableId>(table.id);
      if (catalog && table.state) {
        const auto protection = catalog->protections.find(table.id);
        table.state->protection = protection == catalog->protections.end() ? TableProtection() : protection->second;
      }
      if (table.only_protected) continue;
      if (!table.changes) {
        if (table.state->history) {
          const int64_t last_time = table.state->history->time_of(table.state->head->version).value_or(time);
          table.state->history->keep(
              {table.state->head, last_time, place.log_begin, static_cast<uint8_t>(KeepReason::kStatement)});
        }
        table.state->head = nullptr;
        db.remove_table_state(id);
      } else {
        table.next->commit = number;
        if (!table.next->schema->temporary) {
          record_history(table, logged_tables[logged++], s.user, s.run_key, place, db.add_history(id).get());
        }
        if (table.state) {
          if (table.step) table.state->head->history->link(std::move(*table.step), table.next->history);
          table.state->head = table.next;
        } else {
          const auto state = db.add_table_state(id, table.next);
          const auto protection = catalog->protections.find(table.id);
          if (protection != catalog->protections.end()) state->protection = protection->second;
        }
      }
      pending.tables.emplace_back(id, table.next);
    }
    for (const auto& [table, version] : s.tagged) {
      KeptVersion kept = version;
      kept.reasons = static_cast<uint8_t>(KeepReason::kTag);
      db.add_history(table)->keep(std::move(kept));
    }
    for (const LoggedTable& table : logged_tables) {
      for (const LoggedSymbols& symbols : table.symbols) { symbols.dictionary->set_logged(symbols.end); }
    }
    if (catalog) db.catalog_head = catalog;
    result.commit = number;
    result.wrote = true;
    const CommitNumber last_logged = pending.logged;
    db.enqueue(std::move(pending));
    pending.logged = last_logged;
  }
  std::vector<std::pair<TableId, std::vector<int64_t>>> beyond_ttl;
  for (const CommittingTable& table : tables) {
    std::vector<int64_t> starts = table.next ? partitions_beyond_ttl(*table.next) : std::vector<int64_t>();
    if (table.state)
      std::erase_if(starts, [&](int64_t start) { return table.state->protection.partitions.contains(start); });
    if (!starts.empty()) beyond_ttl.emplace_back(static_cast<TableId>(table.id), std::move(starts));
  }
  tables.clear();
  if (catalog_lock.owns_lock()) catalog_lock.unlock();
  gates.reset();
  s.end_alone();
  db.wake_checkpoint_if_due();
  wait_for(pending.logged);
  if (wait == Wait::kNot) db.publish_through(pending.logged);
  s.tables.clear();
  s.undropped.clear();
  s.tagged.clear();
  for (const auto& [table, starts] : beyond_ttl) drop_beyond_ttl(table, starts, wait != Wait::kNot);
  return result;
}

// A commit of its own, so that what was dropped is in the history. The transaction that made it due has
// succeeded, whatever becomes of this: the next one that writes the table tries again.
void Transaction::drop_beyond_ttl(TableId table, const std::vector<int64_t>& starts, bool synchronous) const {
  try {
    Transaction drop(std::make_unique<State>(state_->db));
    drop.describe(state_->user, "TTL");
    drop.drop_partitions(table, starts);
    drop.commit(synchronous);
  } catch (const SqlError&) {
    // Dropped meanwhile, a full disk: see above.
  }
}

}  // namespace idem
