#include "tests/simulation/checked_database.h"

#include <algorithm>

namespace idem::simulation {

namespace {

// Both texts from a little before the first difference on.
std::string difference(const std::string& expected, const std::string& found) {
  size_t at = 0;
  while (at < std::min(expected.size(), found.size()) && expected[at] == found[at]) ++at;
  const size_t line = expected.rfind('\n', at == 0 ? 0 : at - 1);
  const size_t from = line == std::string::npos ? 0 : line;
  return fmt::format("expected ({} bytes): {}\nfound ({} bytes): {}", expected.size(),
                     expected.substr(from, 300), found.size(),
                     from < found.size() ? found.substr(from, 300) : "");
}

}  // namespace

bool is_io_failure(const SqlError& error) {
  return error.sqlstate() == "58030" || error.sqlstate() == "53100";
}

CheckedTransaction::CheckedTransaction(CheckedDatabase& database)
    : database_(database), transaction_(database.database_->begin()), model_(database.visible()) {}

std::shared_ptr<const TableVersion> CheckedTransaction::read(TableId table) {
  const auto version = transaction_->read_view().table(table);
  model_.read();
  return version;
}

void CheckedTransaction::insert(TableId table, const std::vector<TableModel::Row>& rows, bool one_by_one) {
  if (one_by_one) {
    for (const TableModel::Row& row : rows) {
      append_row(&transaction_->pending_rows(table), row);
      transaction_->inserted_rows(table, 1);
    }
  } else {
    ColumnBatch batch(transaction_->schema_view().table(table)->schema);
    for (const TableModel::Row& row : rows) append_row(&batch, row);
    transaction_->insert(table, std::move(batch));
  }
  model_.insert(table, rows, database_.next_row_ids(rows.size()));
}

void CheckedTransaction::remove(TableId table, const std::vector<size_t>& indices) {
  const auto version = read(table);
  transaction_->remove(table, positions_of(*version, indices));
  model_.remove(table, indices);
}

void CheckedTransaction::update(TableId table, const std::vector<size_t>& indices,
                                const std::vector<TableModel::Row>& rows) {
  const auto version = read(table);
  ColumnBatch batch(version->schema);
  for (const TableModel::Row& row : rows) append_row(&batch, row);
  transaction_->update(table, positions_of(*version, indices), std::move(batch));
  model_.update(table, indices, rows);
}

void CheckedTransaction::merge(TableId table, const Merge& merge) {
  const auto version = read(table);
  ColumnBatch new_rows(version->schema), inserted(version->schema);
  for (const TableModel::Row& row : merge.new_rows) append_row(&new_rows, row);
  for (const TableModel::Row& row : merge.inserted) append_row(&inserted, row);
  if (!merge.updated.empty() || !merge.removed.empty()) {
    transaction_->modify(table, positions_of(*version, merge.updated), std::move(new_rows),
                         positions_of(*version, merge.removed));
  }
  if (!merge.inserted.empty()) transaction_->insert_unmatched(table, std::move(inserted));
  if (!merge.updated.empty()) model_.update(table, merge.updated, merge.new_rows);
  if (!merge.removed.empty()) model_.remove(table, merge.removed);
  if (!merge.inserted.empty())
    model_.insert_unmatched(table, merge.inserted, database_.next_row_ids(merge.inserted.size()));
}

void CheckedTransaction::truncate(TableId table) {
  transaction_->truncate(table);
  model_.truncate(table);
}

void CheckedTransaction::drop_partition(TableId table, int64_t start) {
  transaction_->drop_partitions(table, {start});
  model_.drop_partition(table, start);
}

bool CheckedTransaction::restore(TableId table, uint64_t version) {
  const auto before = read(table);
  if (version >= static_cast<uint64_t>(before->version)) return false;
  const std::shared_ptr<const ModelTable> expected =
      database_.versions_.at(static_cast<uint32_t>(table)).at(version);
  const std::optional<KeptVersion> kept = database_.find_version(table, version);
  if (!kept) return false;
  transaction_->restore(table, kept->version);
  needs_history_ = true;
  const auto schema = transaction_->schema_view().table(table)->schema;
  model_.restore(*expected, database_.next_row_ids(expected->rows.size()), *schema, schema != before->schema);
  return true;
}

void CheckedTransaction::move_partition(TableId from, int64_t start, TableId to, bool replace) {
  transaction_->move_partition(from, start, to, replace);
  model_.move_partition(from, start, to, replace, database_.next_row_ids(view().table(from)->rows.size()));
}

TableId CheckedTransaction::create_table(TableSchema schema) {
  const TableId id = transaction_->create_table(std::move(schema));
  model_.create_table(*transaction_->schema_view().table(id)->schema);
  return id;
}

void CheckedTransaction::alter_table(TableId table, const std::function<void(TableSchema*)>& change) {
  TableSchema schema = *transaction_->schema_view().table(table)->schema;
  change(&schema);
  transaction_->alter_table(table, std::move(schema));
  model_.alter_table(*transaction_->schema_view().table(table)->schema);
}

void CheckedTransaction::drop_table(TableId table) {
  transaction_->drop_table(table);
  model_.drop_table(table);
}

bool CheckedTransaction::undrop_table(TableId table, const std::string& name) {
  if (!model_.base()->dropped.contains(static_cast<uint32_t>(table))) return false;  // it has dropped it
  if (!database_.database_->snapshot().catalog->dropped.contains(static_cast<uint32_t>(table))) {
    const bool is_dropped = database_.visible()->dropped.contains(static_cast<uint32_t>(table));
    if (!database_.keeps_versions || !is_dropped) return false;
    throw Violation(fmt::format("dropped table {} is lost", static_cast<uint32_t>(table)));
  }
  transaction_->undrop_table(table, "public", name);
  needs_history_ = true;
  model_.undrop_table(*transaction_->schema_view().table(table)->schema);
  return true;
}

bool CheckedTransaction::refresh(TableId view, TableId source) {
  const std::optional<KeptVersion> from =
      database_.find_version(source, static_cast<uint64_t>(read(source)->version));
  if (!from) return false;
  needs_history_ = true;
  truncate(view);
  std::vector<TableModel::Row> rows;
  for (const TableModel::Stored& row : model_.view().table(source)->rows) rows.push_back(row.values);
  insert(view, rows, false);
  MaterializedView entry;
  if (const MaterializedView* known = transaction_->schema_view().catalog->materialized_view(view)) {
    entry = *known;
    ++entry.generation;
  }
  entry.table = view;
  entry.query_text = "SELECT *";
  entry.populated = true;
  entry.refreshed_micros = 0;
  entry.sources = {{source, from->number()}};
  transaction_->put_materialized_view(entry, {*from});
  model_.change_view(view);
  return true;
}

void CheckedTransaction::set_savepoint() {
  savepoint_ = transaction_->savepoint();
  model_.read();
  model_savepoint_ = model_.save();
}

void CheckedTransaction::rollback_to_savepoint() {
  transaction_->rollback_to(*savepoint_);
  model_ = *model_savepoint_;
}

void CheckedTransaction::begin_run(const std::string& key, const std::string& tag) {
  transaction_->begin_run(key);
  transaction_->end_run({{0, tag}});
  model_.begin_run(key, tag);
}

void CheckedTransaction::forget_run(const std::string& key) {
  transaction_->forget_run(key);
  model_.forget_run(key);
}

void CheckedTransaction::check_view(TableId table) {
  const auto found = exact_rows_of(read(table));
  const auto expected = model_.view().table(table)->texts();
  if (found == expected) return;
  throw Violation(
      "a transaction does not see what it wrote: " +
      difference(fmt::format("{}", fmt::join(expected, "\n")), fmt::format("{}", fmt::join(found, "\n"))));
}

// Or was right to do so.
bool CheckedTransaction::had_to_fail(const SqlError& error, const ModelTransaction::Outcome& outcome) const {
  const std::string_view state = error.sqlstate();
  if (outcome.errors.contains(std::string(state))) return true;
  if (outcome.may_conflict && state == "40001") return true;
  // What was to be restored has been forgotten meanwhile.
  return needs_history_ && !database_.keeps_versions && (state == "22023" || state == "42P01");
}

bool CheckedTransaction::see_newer() {
  const std::shared_ptr<const World> newest = database_.visible();
  if (newest == model_.base()) return true;
  const ModelTransaction::Outcome outcome = model_.commit_on(*newest);
  try {
    transaction_->refresh();
  } catch (const SqlError& error) {
    if (had_to_fail(error, outcome)) return false;
    throw;
  }
  if (!outcome.world) {
    throw Violation(
        fmt::format("a transaction saw newer rows that had to fail with {}", *outcome.errors.begin()));
  }
  return model_.move_to(newest, outcome);
}

bool CheckedTransaction::commit(bool synchronous) {
  auto& possible = database_.possible_;
  // After a failure nothing more reaches the disk.
  const bool may_arrive = !database_.files_->is_stopped() && !database_.write_failed();
  const ModelTransaction::Outcome outcome = model_.commit_on(*database_.visible());
  CommitResult result;
  try {
    result = transaction_->commit(synchronous);
  } catch (const SqlError& error) {
    if (had_to_fail(error, outcome)) return false;
    if (!is_io_failure(error)) {
      throw Violation(fmt::format("COMMIT failed with {}: {}; expected {}", error.sqlstate(), error.message(),
                                  outcome.world ? "success" : *outcome.errors.begin()));
    }
    // While the log works, a transaction that failed is not there. Once it has failed nobody knows before the
    // restart.
    const bool unknown = database_.files_->is_stopped() || database_.write_failed();
    if (outcome.world && may_arrive && unknown) possible.push_back(outcome.world);
    throw;
  }
  if (!outcome.world) {
    throw Violation(fmt::format("a commit succeeded that had to fail with {}", *outcome.errors.begin()));
  }
  if (!model_.has_work()) return true;
  if (result.wrote != outcome.writes) {
    throw Violation(fmt::format("a commit {} something, expected {}",
                                result.wrote ? "wrote" : "did not write",
                                outcome.writes ? "a write" : "none"));
  }
  possible.push_back(outcome.world);
  if (synchronous) possible.erase(possible.begin(), possible.end() - 1);
  database_.visible_ = possible.size() - 1;
  database_.note_versions();
  return true;
}

void CheckedTransaction::describe(const std::string& operation) {
  transaction_->describe("admin", operation);
}

size_t CheckedDatabase::commit_together(TableId table, const std::vector<TogetherWithOthers>& commits) {
  std::vector<CommitRequest> given;
  for (const TogetherWithOthers& commit : commits)
    given.push_back({commit.transaction->transaction_.get(), commit.synchronous});
  const std::vector<CommitOutcome> outcomes = database_->commit_together(given);
  // Until the sync each is there with all those before it, or not; readers see those that did not wait, and who came before them.
  const CommitNumber published = database_->snapshot().commit;
  const size_t before = visible_;
  size_t durable = 0;  // when those that wait have been told
  std::vector<std::shared_ptr<const World>> written;
  std::shared_ptr<const World> world = visible();
  CommitNumber last{};
  std::optional<SqlError> failure;
  for (size_t i = 0; i < outcomes.size(); ++i) {
    const CommitOutcome& found = outcomes[i];
    const ModelTransaction::Outcome expected = commits[i].transaction->model_.commit_on(*world);
    if (found.error) {  // nothing of it is in the log
      if (is_io_failure(*found.error)) failure = found.error;
      else if (!commits[i].transaction->had_to_fail(*found.error, expected))
        throw Violation("a shared commit failed with " + found.error->message());
      continue;
    }
    if (!expected.world || found.result.wrote != expected.writes)
      throw Violation("a shared commit did something else than it had to do");
    if (expected.writes) {
      world = expected.world;
      written.push_back(world);
      possible_.push_back(world);
      if (found.result.commit <= published) visible_ = possible_.size() - 1;
    }
    if (!commits[i].synchronous) {
      if (found.result.visible_after != CommitNumber{}) throw Violation("who does not wait had to wait");
      continue;
    }
    last = std::max(last, found.result.visible_after);
    durable = written.empty() ? before : possible_.size() - 1;
  }
  if (!written.empty() || !failure) {
    database_->wait_visible(last);
    if (!written.empty()) visible_ = possible_.size() - 1;
    possible_.erase(possible_.begin(), possible_.begin() + static_cast<std::ptrdiff_t>(durable));
    visible_ -= durable;
    note_versions();
  }
  auto& known = versions_[static_cast<uint32_t>(table)];
  uint64_t version = known.empty() ? 0 : known.rbegin()->first;
  for (size_t i = written.size(); i-- > 0 && version > 0; --version)
    known[version] = written[i]->tables.at(static_cast<uint32_t>(table));
  if (failure) throw SqlError(*failure);
  return written.size();
}

CheckedDatabase::CheckedDatabase(std::unique_ptr<SimulatedFileSystem> files)
    : CheckedDatabase(std::move(files), std::make_shared<const World>()) {}

CheckedDatabase::CheckedDatabase(std::unique_ptr<SimulatedFileSystem> files,
                                 std::shared_ptr<const World> world)
    : files_(std::move(files)), possible_{std::move(world)} {
  options.own_threads = false;
  options.log_segment_bytes = 32 << 10;
  options.chunk_cache_bytes = 1 << 20;
  for (const auto& tables : {possible_[0]->tables, possible_[0]->dropped}) {
    for (const auto& [id, table] : tables) {
      for (const TableModel::Stored& row : table->rows) last_row_id_ = std::max(last_row_id_, row.id);
    }
  }
}

CheckedDatabase::~CheckedDatabase() = default;

std::vector<uint64_t> CheckedDatabase::next_row_ids(size_t count) {
  std::vector<uint64_t> ids;
  for (size_t i = 0; i < count; ++i) ids.push_back(++last_row_id_);
  return ids;
}

void CheckedDatabase::open() {
  database_ = Database::open(*files_, clock_, "/data", options);
  try {
    settle();
  } catch (...) {
    database_.reset();
    throw;
  }
}

void CheckedDatabase::settle() {
  const std::string found = text_of(database_->snapshot());
  for (size_t i = possible_.size(); i-- > 0;) {
    if (possible_[i]->text() != found) continue;
    // Stamps of commits that were lost are used again: they must not look older than what is there.
    possible_ = {possible_[i]};
    visible_ = 0;
    note_versions();
    return;
  }
  throw Violation("after a restart, a state that must not be; the acknowledged one is " +
                  difference(possible_[0]->text(), found));
}

void CheckedDatabase::close(bool orderly) {
  if (orderly) database_->close(true);
  database_.reset();
}

void CheckedDatabase::crash(uint64_t seed, SimulatedFileSystem::Unsynced unsynced) {
  auto left = files_->crash(seed, unsynced);
  database_.reset();
  files_ = std::move(left);
}

void CheckedDatabase::kill() {
  auto left = files_->kill_process();
  database_.reset();
  files_ = std::move(left);
}

void CheckedDatabase::checkpoint() {
  database_->checkpoint();
  note_durable();
}

void CheckedDatabase::note_durable() {
  possible_.erase(possible_.begin(), possible_.begin() + static_cast<std::ptrdiff_t>(visible_));
  visible_ = 0;
}

void CheckedDatabase::check() {
  const std::string found = text_of(database_->snapshot());
  const std::string expected = visible()->text();
  if (found != expected) throw Violation("a read differs: " + difference(expected, found));
}

// What the newest version of each table is now; those beyond were of commits that a crash has undone.
void CheckedDatabase::note_versions() {
  const Snapshot snapshot = database_->snapshot();
  std::erase_if(versions_, [&](const auto& table) { return !visible()->tables.contains(table.first); });
  for (const auto& [id, table] : visible()->tables) {
    auto& known = versions_[id];
    const auto version = static_cast<uint64_t>(snapshot.table(static_cast<TableId>(id))->version);
    known.erase(known.upper_bound(version), known.end());
    known[version] = table;
  }
}

std::vector<uint64_t> CheckedDatabase::versions_of(TableId table) const {
  std::vector<uint64_t> result;
  if (const auto found = versions_.find(static_cast<uint32_t>(table)); found != versions_.end()) {
    for (const auto& [version, rows] : found->second) result.push_back(version);
  }
  return result;
}

std::optional<KeptVersion> CheckedDatabase::find_version(TableId table, uint64_t version) {
  try {
    return database_->find_version(database_->snapshot(), table,
                                   VersionNumberTarget{static_cast<VersionNumber>(version)});
  } catch (const SqlError& error) {
    if (error.sqlstate() != "22023") throw;
  }
  if (keeps_versions) {
    throw Violation(fmt::format("version {} of table {} is lost", version, static_cast<uint32_t>(table)));
  }
  return std::nullopt;
}

bool CheckedDatabase::check_version(TableId table, uint64_t version) {
  const auto expected = versions_.at(static_cast<uint32_t>(table)).at(version);
  const std::optional<KeptVersion> kept = find_version(table, version);
  if (!kept) return false;
  const auto found = exact_rows_of(kept->version);
  if (found == expected->texts()) return true;
  throw Violation(fmt::format("version {} of {} is not what it was: {}", version, expected->schema.name,
                              difference(fmt::format("{}", fmt::join(expected->texts(), "\n")),
                                         fmt::format("{}", fmt::join(found, "\n")))));
}

void CheckedDatabase::check_refuses_writes() {
  const auto& tables = visible()->tables;
  if (tables.empty()) return;
  const auto id = static_cast<TableId>(tables.begin()->first);
  auto transaction = database_->begin();
  transaction->truncate(id);
  try {
    transaction->commit(true);
  } catch (const SqlError& error) {
    if (error.sqlstate() == "58030" && error.message().find("until restart") != std::string::npos) return;
    throw Violation(
        fmt::format("a write after the log had failed ended with {}: {}", error.sqlstate(), error.message()));
  }
  throw Violation("a write was accepted after the log had failed");
}

void check_works(CheckedDatabase& database) {
  try {
    database.check();
    auto transaction = database.begin();
    TableSchema schema = model_schema(Shape::kTimeKeys);
    schema.name = "probe";
    if (const ModelTable* known = database.visible()->find(schema.name)) {
      transaction->drop_table(known->schema.id);
    }
    const TableId id = transaction->create_table(std::move(schema));
    RowMaker maker(database.files().call_count(), 5, 3);
    transaction->insert(id, {maker.row()}, false);
    transaction->commit(true);
    database.checkpoint();
    database.check();
  } catch (const SqlError& error) {
    throw Violation(fmt::format("with a disk that works, the database does not: {} {}", error.sqlstate(),
                                error.message()));
  }
}

}  // namespace idem::simulation
