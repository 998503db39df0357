#include <algorithm>
#include <map>
#include <new>
#include <optional>
#include <span>

#include "common/error.h"
#include "storage/committing_table.h"
#include "storage/database.h"
#include "storage/keep_policy.h"
#include "storage/key_groups.h"
#include "storage/log_record.h"
#include "storage/retention.h"
#include "storage/shared_change.h"
#include "storage/transaction_state.h"

namespace idem {

namespace {

constexpr uint32_t kMostRows = 4'096;  // together: their positions are worked out row by row

CommitOutcome commit_alone(Transaction* transaction) {
  CommitOutcome outcome;
  try {
    outcome.result = transaction->commit_without_waiting();
  } catch (const SqlError& error) { outcome.error = error; } catch (const std::bad_alloc&) {
    outcome.error = SqlError(sqlstate::kOutOfMemory, "out of memory");
  }
  return outcome;
}

bool any_keys_twice(const TableSchema& schema, const std::shared_ptr<const ColumnBatch>& rows) {
  const OrderedBatch batch = order_batch(schema, rows);
  const UpsertKeys keys(schema, *rows, nullptr);
  KeyGroups groups(keys, batch);
  const auto* times =
      schema.has_timestamp()
          ? static_cast<const int64_t*>(rows->column(static_cast<size_t>(schema.timestamp_column)).data())
          : nullptr;
  for (const OrderedBatch::Part& part : batch.parts) {
    for (uint32_t begin = part.begin; begin < part.end;) {
      uint32_t end = begin + 1;
      while (end < part.end && (!times || times[batch.row(end)] == times[batch.row(begin)])) ++end;
      if (end - begin > 1) {
        groups.collect(begin, end);
        if (groups.first_repeated()) return true;
      }
      begin = end;
    }
  }
  return false;
}

}  // namespace

// Transactions that each insert a few rows into one table, carried out together: the rows of all are matched and written as one batch,
// and then taken apart again. Each gets its version, its record in the log and its line in the history, as if they had been committed
// one after the other in the order given; the versions between are never made, since readers see all at once.
//
//   head ──one change──▶ next
//        ╰─ record: rows of the first, by positions in head
//           ╰─ record: rows of the second, by positions in head with those of the first
//              ╰─ …
class Transaction::SharedCommit {
 public:
  SharedCommit(DatabaseState& db, TableId table, std::span<Transaction* const> transactions)
      : db_(db), id_(table), transactions_(transactions), members_(transactions.size()) {}
  ~SharedCommit() {
    if (table_.latch) table_.latch.unlock();
    if (table_.state) table_.state->gate.leave();
  }
  SharedCommit(const SharedCommit&) = delete;
  SharedCommit& operator=(const SharedCommit&) = delete;

  // Transactions that are to be carried out together, of many.
  struct Group {
    std::vector<Transaction*> transactions;
    std::vector<size_t> places;  // among the many
    uint64_t rows = 0;
  };

  static std::vector<CommitOutcome> commit(DatabaseState& db, TableId table,
                                           std::span<Transaction* const> transactions);

 private:
  struct Member {
    LoggedTable logged;
    std::optional<LogRecordWriter> record;  // if it changes anything
  };

  // False, with nothing done, where they have to be committed one by one. What is thrown leaves nothing behind, either.
  bool run();
  bool lock_table();
  bool build_next();
  void give_each_its_changes();
  bool write_records();
  void log_and_install();
  CommitOutcome outcome(size_t member) const;
  State& state_of(size_t member) const { return *transactions_[member]->state_; }

  DatabaseState& db_;
  const TableId id_;
  const std::span<Transaction* const> transactions_;
  std::vector<Member> members_;
  CommittingTable table_;
  std::unique_ptr<TableChanges> together_;
  std::vector<uint32_t> owners_;    // of the rows of the batch of all
  std::vector<OwnChange> changes_;  // what `logged` of members refers to
  uint64_t versions_ = 0;           // that they make
  bool is_logged_ = false;
  CommitNumber commit_{}, visible_after_{};
};

std::vector<CommitOutcome> Transaction::SharedCommit::commit(DatabaseState& db, TableId table,
                                                             std::span<Transaction* const> transactions) {
  std::vector<CommitOutcome> outcomes;
  if (transactions.size() > 1) {
    SharedCommit together(db, table, transactions);
    bool done = false;
    try {
      done = together.run();
    } catch (const SqlError&) {
      // Each finds out for itself.
    } catch (const std::bad_alloc&) {
      if (together.is_logged_) throw;
    }
    for (size_t member = 0; done && member < transactions.size(); ++member) {
      outcomes.push_back(together.outcome(member));
      State& transaction = *transactions[member]->state_;
      transaction.over = true;
      transaction.tables.clear();
    }
    if (done) return outcomes;
  }
  for (Transaction* transaction : transactions) outcomes.push_back(commit_alone(transaction));
  return outcomes;
}

bool Transaction::SharedCommit::run() {
  db_.check_writable();
  db_.wait_for_memory();
  if (!lock_table() || !build_next()) return false;
  give_each_its_changes();
  if (!write_records()) return false;
  log_and_install();
  table_.latch.unlock();
  if (db_.is_visible(visible_after_)) visible_after_ = {};
  db_.wake_checkpoint_if_due();
  return true;
}

bool Transaction::SharedCommit::lock_table() {
  const std::shared_ptr<TableState> state = db_.table_state(id_);
  if (!state) return false;
  state->gate.enter(0);
  table_.id = static_cast<uint32_t>(id_);
  table_.state = state;
  table_.latch = std::unique_lock(state->latch);
  if (!state->head || !state->protection.empty()) return false;
  return std::all_of(transactions_.begin(), transactions_.end(), [&](const Transaction* transaction) {
    return transaction->state_->tables.begin()->second->schema() == state->head->schema;
  });
}

// False where the rows of some have the keys of others', or partitions go by the table's TTL.
bool Transaction::SharedCommit::build_next() {
  const std::shared_ptr<const TableVersion> head = table_.state->head;
  auto rows = std::make_shared<ColumnBatch>(head->schema);
  for (uint32_t member = 0; member < members_.size(); ++member) {
    const ColumnBatch& own = *state_of(member).tables.begin()->second->few_rows();
    rows->append_range(own, 0, own.rows());
    owners_.resize(rows->rows(), member);
  }
  if (head->schema->has_keys() && any_keys_twice(*head->schema, rows)) return false;
  together_ =
      std::make_unique<TableChanges>(db_.write_context(head->schema, MemoryRowGroup::kCommitted), head);
  together_->insert(std::move(*rows));
  table_.changes = together_.get();
  table_.build_next();
  return !table_.next || partitions_beyond_ttl(*table_.next).empty();
}

void Transaction::SharedCommit::give_each_its_changes() {
  for (const TableChanges::PartitionEffect& effect : together_->effects()) {
    for (const PartitionChange* change : effect.changes) {
      std::vector<OwnChange> own = take_apart(*change, owners_);
      changes_.insert(changes_.end(), std::make_move_iterator(own.begin()),
                      std::make_move_iterator(own.end()));
    }
  }
  for (const OwnChange& own : changes_) {
    LoggedTable& logged = members_[own.owner].logged;
    logged.partitions.push_back({own.change.start, false, {&own.change}});
    logged.counts.inserted += own.change.positions.inserted_count();
    logged.counts.replaced += own.change.positions.replaced.size();
  }
  for (const uint32_t owner : owners_) ++members_[owner].logged.counts.skipped;  // and all others
  for (Member& member : members_) {
    WriteCounts& counts = member.logged.counts;
    counts.skipped -= counts.inserted + counts.replaced;
  }
}

// False where one is too long for that.
bool Transaction::SharedCommit::write_records() {
  const auto before = static_cast<uint64_t>(table_.state->head->version);
  std::map<ColumnId, uint32_t> symbols_end;  // that records before bring along
  for (size_t m = 0; m < members_.size(); ++m) {
    Member& member = members_[m];
    LoggedTable& logged = member.logged;
    if (logged.partitions.empty()) continue;
    const State& transaction = state_of(m);
    logged.table = id_;
    logged.version = static_cast<VersionNumber>(before + ++versions_);
    logged.operation = transaction.tables.begin()->second->operation();
    for (LoggedSymbols symbols : new_symbols(*table_.next->schema, logged.partitions)) {
      uint32_t& end = symbols_end[symbols.column];
      symbols.first = std::max(symbols.first, end);
      end = std::max(end, symbols.end);
      if (symbols.first < symbols.end) logged.symbols.push_back(symbols);
    }
    LogRecordWriter& record =
        member.record.emplace(transaction.user, transaction.operation, std::string_view());
    record.catalog_changes({});
    record.tables({logged});
    if (record.payload().size() > wal::Log::kMaxSmallPayloadBytes) return false;
  }
  return true;
}

void Transaction::SharedCommit::log_and_install() {
  std::lock_guard lock(db_.commit_latch);
  // Also what changed nothing stands on versions that may not be durable yet.
  commit_ = db_.last_commit;
  visible_after_ = db_.last_logged;
  if (versions_ == 0) return;
  const auto first_commit = static_cast<uint64_t>(db_.last_commit) + 1;
  const int64_t first_time = std::max(db_.clock.now_micros(), db_.last_commit_time + 1);
  std::vector<wal::Log::SmallRecord> records;
  for (Member& member : members_) {
    if (!member.record) continue;
    member.record->set_time(first_time + static_cast<int64_t>(records.size()));
    records.push_back({first_commit + records.size(), member.record->payload()});
  }
  const std::shared_ptr<TableHistory> history = db_.add_history(id_);
  const std::vector<wal::Extent> extents = db_.log->append_all(records);
  is_logged_ = true;

  PendingCommit pending;
  pending.commit = pending.logged = static_cast<CommitNumber>(first_commit + records.size() - 1);
  pending.time_micros = first_time + static_cast<int64_t>(records.size()) - 1;
  pending.log_end = extents.back().end.value;
  RecordPlace place{first_time, db_.log_end, db_.log_end};
  size_t record = 0;
  for (size_t m = 0; m < members_.size(); ++m) {
    const LoggedTable& logged = members_[m].logged;
    if (!members_[m].record) continue;
    place.log_end = extents[record++].end.value;
    table_.record_history(logged, state_of(m).user, {}, place, history.get());
    place.log_begin = place.log_end;
    ++place.time_micros;
    for (const LoggedSymbols& symbols : logged.symbols) symbols.dictionary->set_logged(symbols.end);
  }
  table_.next->version =
      static_cast<VersionNumber>(static_cast<uint64_t>(table_.state->head->version) + versions_);
  table_.next->commit = pending.commit;
  if (table_.step) table_.state->head->history->link(std::move(*table_.step), table_.next->history);
  table_.state->head = table_.next;
  db_.last_commit = commit_ = pending.commit;
  db_.last_logged = visible_after_ = pending.commit;
  db_.last_commit_time = pending.time_micros;
  db_.log_end = pending.log_end;
  pending.tables.emplace_back(id_, table_.next);
  db_.enqueue(std::move(pending));
}

CommitOutcome Transaction::SharedCommit::outcome(size_t member) const {
  CommitOutcome outcome;
  outcome.result.commit = commit_;
  outcome.result.wrote = members_[member].record.has_value();
  outcome.result.counts = members_[member].logged.counts;
  outcome.result.visible_after = visible_after_;
  return outcome;
}

bool Transaction::may_share_commit() const {
  if (!only_inserts()) return false;
  const TableChanges& changes = *state_->tables.begin()->second;
  const TableSchema& schema = *changes.schema();
  return changes.few_rows() && replaces_whole_rows(schema) && schema.deleted_column < 0 &&
         (!schema.has_keys() || schema.keys_unique);
}

std::vector<CommitOutcome> Database::commit_together(std::span<const CommitRequest> requests) {
  std::vector<CommitOutcome> outcomes(requests.size());
  std::map<TableId, Transaction::SharedCommit::Group> groups;
  const auto commit_group = [&](TableId table, Transaction::SharedCommit::Group& group) {
    std::vector<CommitOutcome> done = Transaction::SharedCommit::commit(*state_, table, group.transactions);
    for (size_t i = 0; i < done.size(); ++i) outcomes[group.places[i]] = std::move(done[i]);
    group = {};
  };
  const auto commit_groups = [&] {
    for (auto& [table, group] : groups) commit_group(table, group);
  };
  for (size_t i = 0; i < requests.size(); ++i) {
    Transaction* const transaction = requests[i].transaction;
    if (!transaction->may_share_commit()) {
      commit_groups();
      outcomes[i] = commit_alone(transaction);
      continue;
    }
    const auto& [table, changes] = *transaction->state_->tables.begin();
    Transaction::SharedCommit::Group& group = groups[static_cast<TableId>(table)];
    if (group.rows + changes->pending_rows() > kMostRows) commit_group(static_cast<TableId>(table), group);
    group.transactions.push_back(transaction);
    group.places.push_back(i);
    group.rows += changes->pending_rows();
  }
  commit_groups();
  CommitNumber at_once{};
  for (size_t i = 0; i < requests.size(); ++i) {
    if (requests[i].synchronous) continue;
    CommitResult& result = outcomes[i].result;
    if (result.wrote) at_once = std::max(at_once, result.visible_after);
    result.visible_after = {};
  }
  if (at_once != CommitNumber{}) state_->publish_through(at_once);
  return outcomes;
}

}  // namespace idem
