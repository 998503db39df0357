#include <algorithm>
#include <optional>
#include <set>

#include "common/error.h"
#include "storage/committing_table.h"
#include "storage/load_writer.h"
#include "storage/log_record.h"
#include "storage/retention.h"
#include "storage/transaction_state.h"

namespace idem {

namespace {

constexpr uint64_t kMatchBeforeLatchRows = 4'096;

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
    db.logged_segments[static_cast<uint64_t>(file.id())] = {commit,
                                                            {file.id(), file.path(), file.weak_from_this()}};
  }
}

// Passes the gates of the tables that a commit is about to change; in order of ids, so that two do not wait for each other.
class CommitGates {
 public:
  explicit CommitGates(uint64_t owner) : owner_(owner) {}
  ~CommitGates() {
    for (const std::shared_ptr<TableState>& table : entered_) table->gate.leave();
  }
  CommitGates(const CommitGates&) = delete;
  CommitGates& operator=(const CommitGates&) = delete;

  void want(uint32_t table) { wanted_.insert(table); }
  void enter(DatabaseState& db) {
    entered_.reserve(wanted_.size());
    for (const uint32_t id : wanted_) {
      std::shared_ptr<TableState> table = db.table_state(static_cast<TableId>(id));
      if (!table) continue;  // created or undropped here, or gone
      table->gate.enter(owner_);
      entered_.push_back(std::move(table));
    }
  }

 private:
  const uint64_t owner_;
  std::set<uint32_t> wanted_;
  std::vector<std::shared_ptr<TableState>> entered_;
};

}  // namespace

// A transaction on its way into the log and the published state, step by step. What throws before install() leaves nothing behind.
class Transaction::Commit {
 public:
  Commit(State& transaction, Wait wait)
      : s_(transaction), db_(transaction.db), wait_(wait), gates_(std::in_place, transaction.owner) {}
  CommitResult run();
  CommitResult without_writes();

 private:
  void match_before_latch();
  void pass_gates();
  void apply_ddl();
  void collect_tables();
  void lock_table(CommittingTable* table) const;
  void build_tables();
  Run registered_run() const;
  void hold_named_versions() const;
  void log_and_install();
  void install(PendingCommit pending, const std::vector<LoggedTable>& logged, const RecordPlace& place);
  void install_table(CommittingTable* table, const LoggedTable* logged, const RecordPlace& place) const;
  void release();
  void wait_for(CommitNumber logged);
  void drop_beyond_ttl(TableId table, const std::vector<int64_t>& starts) const;

  State& s_;
  DatabaseState& db_;
  Wait wait_;
  CommitResult result_;
  // In the order in which they are taken.
  std::optional<CommitGates> gates_;
  std::unique_lock<std::mutex> catalog_lock_;
  std::shared_ptr<Catalog> catalog_;  // null: it does not change
  std::vector<CommittingTable> tables_;
  CommitNumber logged_{};  // the last record that the answer stands on
  std::vector<std::pair<TableId, std::vector<int64_t>>> beyond_ttl_;  // partitions
};

CommitResult Transaction::commit(bool synchronous) {
  return commit(synchronous ? Wait::kUntilVisible : Wait::kNot);
}

CommitResult Transaction::commit_without_waiting() { return commit(Wait::kLater); }

CommitResult Transaction::commit(Wait wait) {
  state_->check_open();
  state_->over = true;
  Commit commit(*state_, wait);
  return has_writes() ? commit.run() : commit.without_writes();
}

CommitResult Transaction::Commit::without_writes() {
  wait_for(s_.base->logged);
  result_.commit = s_.base->commit;
  return result_;
}

CommitResult Transaction::Commit::run() {
  db_.check_writable();
  db_.wait_for_memory();
  match_before_latch();
  pass_gates();
  apply_ddl();
  collect_tables();
  build_tables();
  if (!s_.run_key.empty()) {
    s_.ddl.emplace_back(PutRun{registered_run()});
    apply_catalog_change(catalog_.get(), s_.ddl.back());
  }
  if (tables_.empty() && s_.ddl.empty()) {
    // Nothing changed; the answer still stands on versions that may not be durable yet.
    std::lock_guard lock(db_.commit_latch);
    result_.commit = db_.last_commit;
    logged_ = db_.last_logged;
  } else {
    log_and_install();
  }
  release();
  // What is dropped next counts its rows in what is visible.
  if (wait_ == Wait::kLater && !beyond_ttl_.empty()) wait_ = Wait::kUntilVisible;
  wait_for(logged_);
  if (result_.wrote && wait_ == Wait::kNot) db_.publish_through(logged_);
  s_.tables.clear();
  s_.undropped.clear();
  s_.tagged.clear();
  for (const auto& [table, starts] : beyond_ttl_) drop_beyond_ttl(table, starts);
  return result_;
}

// Until what the answer stands on is durable.
void Transaction::Commit::wait_for(CommitNumber logged) {
  if (wait_ == Wait::kUntilVisible) db_.wait_visible(logged);
  if (wait_ == Wait::kLater && !db_.is_visible(logged)) result_.visible_after = logged;
}

// Many rows are matched against what is visible now, so that little is left to do under the latch.
void Transaction::Commit::match_before_latch() {
  for (auto& [id, changes] : s_.tables) {
    if (changes->pending_rows() < kMatchBeforeLatchRows && !changes->has_load()) continue;
    if (!changes->is_created()) changes->rebase(db_.published_snapshot()->table(static_cast<TableId>(id)));
    changes->flush();
    changes->prepare_load();
  }
}

void Transaction::Commit::pass_gates() {
  for (const auto& [id, changes] : s_.tables) gates_->want(id);
  for (const uint32_t id : s_.dropped) gates_->want(id);
  gates_->enter(db_);
}

void Transaction::Commit::apply_ddl() {
  if (s_.ddl.empty() && s_.run_key.empty()) return;
  catalog_lock_ = std::unique_lock(db_.catalog_latch);
  catalog_ = std::make_shared<Catalog>(*db_.catalog_head);
  for (const CatalogChange& change : s_.ddl) apply_catalog_change(catalog_.get(), change);
}

// And locks them in the order of their ids.
void Transaction::Commit::collect_tables() {
  for (auto& [id, changes] : s_.tables) {
    if (!changes->has_writes()) continue;
    if (changes->restored() && changes->operation() == TableOperation::kOther)
      changes->note_operation(TableOperation::kRestore);
    CommittingTable& table = tables_.emplace_back();
    table.id = id;
    table.changes = changes.get();
  }
  for (const uint32_t id : s_.dropped) tables_.emplace_back().id = id;
  for (const auto& [id, protection] : s_.protected_from) {
    const bool changed =
        std::any_of(tables_.begin(), tables_.end(), [id = id](const auto& table) { return table.id == id; });
    if (changed || !s_.base->table(static_cast<TableId>(id))) continue;
    CommittingTable& table = tables_.emplace_back();
    table.id = id;
    table.only_protected = true;
  }
  std::sort(tables_.begin(), tables_.end(),
            [](const CommittingTable& a, const CommittingTable& b) { return a.id < b.id; });
  for (CommittingTable& table : tables_) {
    if (!table.changes || !(table.changes->is_created() || s_.undropped.contains(table.id)))
      lock_table(&table);
  }
}

void Transaction::Commit::lock_table(CommittingTable* table) const {
  table->state = db_.table_state(static_cast<TableId>(table->id));
  if (table->state) table->latch = std::unique_lock(table->state->latch);
  if (!table->state || !table->state->head) {
    throw sql_error(sqlstate::kUndefinedTable, "relation \"{}\" does not exist",
                    table->changes ? table->changes->schema()->name : std::to_string(table->id));
  }
  const auto decided = s_.run_heads.find(table->id);
  if (decided != s_.run_heads.end() && decided->second != table->state->head->version) {
    throw sql_error(sqlstate::kSerializationFailure,
                    "could not serialize access: table \"{}\" was changed after run \"{}\" began",
                    table->state->head->schema->name, s_.run_key);
  }
}

// Matches what was written against the heads and forgets the tables in which it changes nothing.
void Transaction::Commit::build_tables() {
  for (CommittingTable& table : tables_) {
    if (!table.changes) continue;
    table.build_next();
    const WriteCounts& counts = table.changes->counts();
    result_.counts.inserted += counts.inserted;
    result_.counts.replaced += counts.replaced;
    result_.counts.skipped += counts.skipped;
    result_.counts.deleted += counts.deleted;
  }
  std::erase_if(tables_, [](const CommittingTable& table) { return table.changes && !table.next; });
  const int64_t now = db_.clock.now_micros();
  for (const CommittingTable& table : tables_) table.check_protection(s_.protected_from, now);
}

// The run that the transaction is, as the catalog keeps it; commit numbers and times of this commit are left at 0.
Run Transaction::Commit::registered_run() const {
  Run run;
  run.key = s_.run_key;
  run.user = s_.user;
  run.writes = s_.run_writes;
  const auto known = catalog_->runs.find(run.key);
  if (known != catalog_->runs.end()) {
    run.first_commit = known->second->first_commit;
    run.first_time_micros = known->second->first_time_micros;
  }
  std::map<uint32_t, RunTable> written;
  for (const CommittingTable& table : tables_) {
    if (table.only_protected || s_.run_discarded.contains(table.id)) continue;
    if (table.changes ? table.next->schema->temporary : !table.state->history) continue;
    RunTable entry;
    entry.table = static_cast<TableId>(table.id);
    const auto put_back = s_.run_before.find(table.id);
    if (put_back != s_.run_before.end()) {
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
  for (const auto& [id, before] : s_.run_before) {
    // It was brought back and dropped again, or is as it was.
    const auto effect =
        catalog_->dropped.contains(id) ? RunTable::Effect::kDropped : RunTable::Effect::kChanged;
    written.try_emplace(id, RunTable{static_cast<TableId>(id), effect, before, before});
  }
  for (const auto& [id, entry] : written) run.tables.push_back(entry);
  return run;
}

// Under the commit latch: what the record names must be there when it is replayed.
void Transaction::Commit::hold_named_versions() const {
  const auto hold = [&](TableId table, VersionNumber version) {
    const auto history = db_.history(table);
    if (history && db_.hold_version(*history, version)) return;
    throw sql_error(sqlstate::kInvalidParameterValue, "version {} is no longer there",
                    static_cast<uint64_t>(version));
  };
  for (const CommittingTable& table : tables_) {
    if (table.changes && table.changes->restored())
      hold(static_cast<TableId>(table.id), table.changes->restored()->version);
  }
  for (const auto& [table, version] : s_.tagged) hold(table, version.number());
}

void Transaction::Commit::log_and_install() {
  LogRecordWriter record(s_.user, s_.operation, s_.run_key);
  record.catalog_changes(s_.ddl);
  std::vector<LoggedTable> logged;
  for (const CommittingTable& table : tables_) {
    if (table.changes && !table.next->schema->temporary) logged.push_back(table.logged());
  }
  record.tables(logged);
  const bool is_logged = !logged.empty() || std::any_of(s_.ddl.begin(), s_.ddl.end(), [](const auto& change) {
    return !is_temporary(change);
  });

  std::lock_guard lock(db_.commit_latch);
  PendingCommit pending;
  pending.commit = static_cast<CommitNumber>(static_cast<uint64_t>(db_.last_commit) + 1);
  pending.time_micros = std::max(db_.clock.now_micros(), db_.last_commit_time + 1);
  RecordPlace place{pending.time_micros, db_.log_end, db_.log_end};
  hold_named_versions();
  if (is_logged) {
    record.set_time(pending.time_micros);
    const auto compression = record.is_encoded() ? wal::Compression::kNone : wal::Compression::kLz4;
    const wal::Extent extent =
        db_.log->append(static_cast<uint64_t>(pending.commit), record.payload(), compression);
    db_.log_end = place.log_end = extent.end.value;
    db_.last_logged = pending.commit;
  }
  install(std::move(pending), logged, place);
}

// Under the commit latch, with the record in the log; `logged` is what it says of tables, in their order.
void Transaction::Commit::install(PendingCommit pending, const std::vector<LoggedTable>& logged,
                                  const RecordPlace& place) {
  keep_segments(db_, logged, pending.commit);
  db_.last_commit = pending.commit;
  db_.last_commit_time = pending.time_micros;
  pending.logged = logged_ = db_.last_logged;
  pending.log_end = db_.log_end;
  if (catalog_) set_commit_time(catalog_.get(), s_.ddl, pending.commit, pending.time_micros);
  pending.catalog = catalog_;
  size_t next_logged = 0;
  for (CommittingTable& table : tables_) {
    if (catalog_ && table.state) {
      const auto protection = catalog_->protections.find(table.id);
      table.state->protection =
          protection == catalog_->protections.end() ? TableProtection() : protection->second;
    }
    if (table.only_protected) continue;
    if (table.changes) table.next->commit = pending.commit;
    const bool is_logged = table.changes && !table.next->schema->temporary;
    install_table(&table, is_logged ? &logged[next_logged++] : nullptr, place);
    pending.tables.emplace_back(static_cast<TableId>(table.id), table.next);
  }
  for (const auto& [table, version] : s_.tagged) {
    KeptVersion kept = version;
    kept.reasons = static_cast<uint8_t>(KeepReason::kTag);
    db_.add_history(table)->keep(std::move(kept));
  }
  for (const LoggedTable& table : logged) {
    for (const LoggedSymbols& symbols : table.symbols) symbols.dictionary->set_logged(symbols.end);
  }
  if (catalog_) db_.catalog_head = catalog_;
  result_.commit = pending.commit;
  result_.wrote = true;
  db_.enqueue(std::move(pending));
}

// `logged`: null for a table that was dropped or is temporary.
void Transaction::Commit::install_table(CommittingTable* table, const LoggedTable* logged,
                                        const RecordPlace& place) const {
  const auto id = static_cast<TableId>(table->id);
  TableState* const state = table->state.get();
  if (!table->changes) {
    if (state->history) {
      const int64_t last_time = state->history->time_of(state->head->version).value_or(place.time_micros);
      state->history->keep(
          {state->head, last_time, place.log_begin, static_cast<uint8_t>(KeepReason::kStatement)});
    }
    state->head = nullptr;
    db_.remove_table_state(id);
    return;
  }
  if (logged) table->record_history(*logged, s_.user, s_.run_key, place, db_.add_history(id).get());
  if (state) {
    if (table->step) state->head->history->link(std::move(*table->step), table->next->history);
    state->head = table->next;
  } else {
    const auto created = db_.add_table_state(id, table->next);
    const auto protection = catalog_->protections.find(table->id);
    if (protection != catalog_->protections.end()) created->protection = protection->second;
  }
}

// What others wait for, before this one waits for the disk.
void Transaction::Commit::release() {
  for (const CommittingTable& table : tables_) {
    std::vector<int64_t> starts = table.next ? partitions_beyond_ttl(*table.next) : std::vector<int64_t>();
    if (table.state)
      std::erase_if(starts,
                    [&](int64_t start) { return table.state->protection.partitions.contains(start); });
    if (!starts.empty()) beyond_ttl_.emplace_back(static_cast<TableId>(table.id), std::move(starts));
  }
  tables_.clear();
  if (catalog_lock_.owns_lock()) catalog_lock_.unlock();
  gates_.reset();
  s_.end_alone();
  db_.wake_checkpoint_if_due();
}

// A commit of its own, so that what was dropped is in the history. The transaction that made it due has
// succeeded, whatever becomes of this: the next one that writes the table tries again.
void Transaction::Commit::drop_beyond_ttl(TableId table, const std::vector<int64_t>& starts) const {
  try {
    Transaction drop(std::make_unique<State>(db_));
    drop.describe(s_.user, "TTL");
    drop.drop_partitions(table, starts);
    drop.commit(wait_ != Wait::kNot);
  } catch (const SqlError&) {
    // Dropped meanwhile, a full disk: see above.
  }
}

}  // namespace idem
