#include "tests/simulation/simulation.h"

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <set>

#include "storage/retention.h"

namespace idem::simulation {

namespace {

constexpr size_t kMostRows = 160;  // tables beyond it are truncated before they grow on
constexpr size_t kMostTables = 4;

}  // namespace

Simulation::Simulation(uint64_t seed, bool trace)
    : dice_(seed), trace_(trace), database_(std::make_unique<SimulatedFileSystem>()) {
  times_ = dice_.chance(30) ? 8 : 40 + dice_.below(200);
  symbols_ = 2 + dice_.below(12);
  ddl_percent_ = static_cast<uint32_t>(dice_.below(12));
  fault_percent_ = static_cast<uint32_t>(dice_.below(5)) * 12;
  asynchronous_percent_ = static_cast<uint32_t>(dice_.below(3)) * 25;
  database_.options.log_segment_bytes = 8192 << dice_.below(4);
  if (dice_.chance(30)) {
    database_.keeps_versions = false;
    database_.options.run_retention_micros = int64_t{1} << 60;  // the model forgets no run
    database_.options.history_retention_micros = static_cast<int64_t>(dice_.below(10'000'000));
    database_.options.log_retention_micros = static_cast<int64_t>(dice_.below(10'000'000));
  }
  if (dice_.chance(50)) {
    // Small inserts go into segment files at once, as large ones do.
    database_.options.load = {.batch_rows = 1 + static_cast<uint32_t>(dice_.below(8)),
                              .group_rows = uint32_t{8} << dice_.below(5),
                              .left_behind_rows = 2,
                              .load_rows = 1,
                              .encoded_rows = 1 + static_cast<uint32_t>(dice_.below(4))};
  }
  database_.clock().set_now_micros(1'700'000'000'000'000);
  sessions_.resize(1 + dice_.below(4));
  database_.open();
}

Simulation::~Simulation() = default;

void Simulation::note(const std::string& what) {
  for (const char c : what) fingerprint_ = (fingerprint_ ^ static_cast<uint8_t>(c)) * 0x100000001b3;
  fingerprint_ = (fingerprint_ ^ database_.files().call_count()) * 0x100000001b3;
  if (trace_) std::printf("step %llu: %s\n", static_cast<unsigned long long>(step_), what.c_str());
}

void Simulation::run(uint64_t steps) {
  for (step_ = 1; step_ <= steps; ++step_) {
    try {
      step();
    } catch (const SqlError& error) { failed(error); }
    if (database_.files().is_stopped()) restart();
  }
  repair_disk();
  leave();
  if (database_.write_failed()) {
    database_.kill();
    reopen();
  }
  check_works(database_);
  database_.close(true);
  database_.open();
}

// What a step may end with: an I/O failure while the disk is bad or stopped, or after the log has failed.
void Simulation::failed(const SqlError& error) {
  note("failed: " + error.sqlstate() + " " + error.message());
  if (!is_io_failure(error)) {
    throw Violation(fmt::format("unexpected error {}: {}", error.sqlstate(), error.message()));
  }
  if (database_.files().is_stopped()) return;
  if (!disk_is_bad() && !database_.write_failed()) {
    throw Violation("an I/O failure on a disk that works: " + error.message());
  }
  if (database_.write_failed() && !faults_armed_) {
    throw Violation("the log failed although only the disk was full: " + error.message());
  }
}

void Simulation::step() {
  const uint64_t choice = dice_.below(100);
  if (choice < 80) return step_session();
  if (choice < 85) {
    if (dice_.chance(4)) return vacuum();
    note("checkpoint");
    return database_.checkpoint();
  }
  if (choice < 88) return read();
  if (choice < 89) return read_past();
  if (choice < 90) return back_up();
  if (choice < 92) {
    database_.clock().advance_micros(static_cast<int64_t>(dice_.below(5'000'000)) - 1'000'000);
    return;
  }
  if (choice < 94) {
    if (!dice_.chance(fault_percent_)) return;
    note("restart");
    return restart();
  }
  if (disk_is_bad() && dice_.chance(50)) return repair_disk();
  if (dice_.chance(fault_percent_ * 2)) break_disk();
}

void Simulation::break_disk() {
  SimulatedFileSystem& files = database_.files();
  const uint64_t kind = dice_.below(8);
  faults_armed_ = faults_armed_ || kind < 6;
  const int error = dice_.chance(30) ? ENOSPC : EIO;
  const auto hit = static_cast<SimulatedFileSystem::Hit>(dice_.below(3));
  if (kind < 2) {
    const uint64_t n = 1 + dice_.below(dice_.chance(50) ? 10 : 80);
    note(fmt::format("crash at call {} from now", n));
    files.stop_at_call(n, hit);
  } else if (kind < 4) {
    const uint64_t n = 1 + dice_.below(60);
    note(fmt::format("call {} from now fails with {}", n, error));
    files.fail_nth_call(n, error, hit);
  } else if (kind < 6) {
    static constexpr FileOp kOps[] = {FileOp::kWrite,  FileOp::kSync,   FileOp::kPreallocate,
                                      FileOp::kRename, FileOp::kRemove, FileOp::kSyncDirectory,
                                      FileOp::kOpen,   FileOp::kRead,   FileOp::kTruncate};
    const FileOp op = kOps[dice_.below(std::size(kOps))];
    const uint64_t n = 1 + dice_.below(8);
    note(fmt::format("operation {} fails, {} from now, with {}", static_cast<int>(op), n, error));
    files.fail_nth(op, n, error);
  } else {
    full_ = true;
    const uint64_t room = dice_.below(2) * dice_.below(60'000);
    note(fmt::format("{} bytes are left on the disk", room));
    files.set_capacity(files.used_bytes() + room);
  }
}

// After this every write must succeed, unless the log has failed.
void Simulation::repair_disk() {
  note("the disk works");
  SimulatedFileSystem& files = database_.files();
  files.clear_faults();
  files.set_capacity(UINT64_MAX);
  const bool was_bad = disk_is_bad();
  if (database_.write_failed() && !faults_armed_)
    throw Violation("the log failed although only the disk was full");
  faults_armed_ = full_ = false;
  if (files.is_stopped() || !was_bad) return;
  if (!database_.write_failed()) {
    database_.check();
    if (dice_.chance(50)) check_works(database_);
    return;
  }
  database_.check();
  database_.check_refuses_writes();
  note("restart after the log failed");
  restart();
}

void Simulation::leave() {
  for (Session& session : sessions_) session.transaction.reset();
  readers_.clear();
}

void Simulation::restart() {
  ++restarts_;
  leave();
  if (!database_.files().is_stopped() && !database_.write_failed() && !disk_is_bad() && dice_.chance(25)) {
    const bool checkpoint = dice_.chance(50);
    note(checkpoint ? "close" : "close without a checkpoint");
    database_.close(checkpoint);
  } else if (!database_.files().is_stopped() && dice_.chance(30)) {
    note("kill");
    database_.kill();
  } else {
    const uint64_t seed = dice_.below(UINT32_MAX);
    note(fmt::format("crash {}", seed));
    database_.crash(seed);
  }
  faults_armed_ = false;
  reopen();
}

// Recovery, with crashes and failures in it now and then.
void Simulation::reopen() {
  for (int attempt = 0;; ++attempt) {
    SimulatedFileSystem& files = database_.files();
    const bool bad = attempt < 3 && dice_.chance(fault_percent_);
    if (bad) {
      const uint64_t n = 1 + dice_.below(60);
      const auto hit = static_cast<SimulatedFileSystem::Hit>(dice_.below(3));
      if (dice_.chance(50)) {
        note(fmt::format("crash at call {} of recovery", n));
        files.stop_at_call(n, hit);
      } else {
        note(fmt::format("call {} of recovery fails", n));
        files.fail_nth_call(n, dice_.chance(30) ? ENOSPC : EIO, hit);
      }
    }
    try {
      database_.open();
      note(fmt::format("open, {} tables", database_.visible()->tables.size()));
      files.clear_faults();
      if (!files.is_stopped() && !dice_.chance(20)) return;
      note("and once more");
    } catch (const SqlError& error) {
      note("recovery failed: " + error.message());
      if (!bad || !is_io_failure(error)) {
        throw Violation(fmt::format("recovery failed: {} {}", error.sqlstate(), error.message()));
      }
      files.clear_faults();
      if (!files.is_stopped() && dice_.chance(50)) continue;  // the same process tries again
    }
    database_.crash(dice_.below(UINT32_MAX));
  }
}

void Simulation::read() {
  if (readers_.size() < 3 && dice_.chance(60)) {
    note("a reader takes a snapshot");
    readers_.push_back({database_.database().snapshot(), database_.visible()});
    return;
  }
  if (readers_.empty()) {
    note("read everything");
    return database_.check();
  }
  const size_t i = dice_.below(readers_.size());
  note("a reader reads its snapshot");
  const Reader reader = readers_[i];
  if (dice_.chance(50)) readers_.erase(readers_.begin() + static_cast<std::ptrdiff_t>(i));
  if (text_of(reader.snapshot) != reader.world->text()) throw Violation("a snapshot has changed");
}

void Simulation::vacuum() {
  note("vacuum");
  database_.keeps_versions = false;
  RetentionRequest request;
  if (dice_.chance(50)) request.retain_micros = 0;
  request.gives_back_log = dice_.chance(50);
  database_.database().vacuum(request);
  database_.note_durable();
}

void Simulation::read_past() {
  if (database_.visible()->tables.empty()) return;
  const TableId table = pick_table(*database_.visible());
  const std::vector<uint64_t> versions = database_.versions_of(table);
  if (versions.empty()) return;
  const uint64_t version = versions[dice_.below(versions.size())];
  const bool found = database_.check_version(table, version);
  note(fmt::format("version {} of table {}{}", version, static_cast<uint32_t>(table),
                   found ? "" : " is kept no more"));
}

// What was restored of a backup is what was visible when it was made, whatever happens to the database
// meanwhile.
void Simulation::back_up() {
  SimulatedFileSystem& files = database_.files();
  if (backup_.empty() || dice_.chance(50)) {
    note("backup");
    const std::shared_ptr<const World> world = database_.visible();
    backup_.clear();  // one of the same commit may be made anew
    backup_ = database_.database().backup("/backups").directory;
    backed_up_ = world;
    database_.note_durable();
    return;
  }
  note("restore the backup elsewhere");
  const std::string folder = fmt::format("/restored{}", step_);
  restore_backup(files, backup_, folder);
  SettableClock clock;
  const auto copy = Database::open(files, clock, folder, database_.options);
  if (text_of(copy->snapshot()) != backed_up_->text()) throw Violation("a backup is not what was backed up");
}

void Simulation::step_session() {
  const size_t number = dice_.below(sessions_.size());
  Session& session = sessions_[number];
  try {
    if (!session.transaction) {
      if (!begin(session, number)) return;
      if (dice_.chance(30)) return note(fmt::format("session {}: begin", number));
    }
    const uint64_t choice = dice_.below(100);
    if (choice < 60) return operate(session, number);
    if (choice < 95) return commit(session, number);
    note(fmt::format("session {}: rollback", number));
    session.transaction.reset();
  } catch (const SqlError&) {
    session.transaction.reset();
    throw;
  }
}

// Now and then as a run. One that was committed is skipped: false. It is there with what it wrote or not at
// all, as the comparison with the model shows after each restart.
bool Simulation::begin(Session& session, size_t number) {
  session.transaction = database_.begin();
  session.run.clear();
  if (!dice_.chance(20)) return true;
  const std::string key = fmt::format("run/{}", dice_.below(6));
  for (const Session& other : sessions_) {
    if (other.transaction && other.run == key) return true;  // it would have to wait
  }
  if (!database_.visible()->runs.contains(key)) {
    note(fmt::format("session {}: begin {}", number, key));
    session.run = key;
    session.transaction->begin_run(key, fmt::format("step {}", step_));
    return true;
  }
  if (dice_.chance(40)) {
    note(fmt::format("session {}: forget {}", number, key));
    session.transaction->forget_run(key);
    return true;
  }
  note(fmt::format("session {}: skip {}", number, key));
  session.transaction.reset();
  return false;
}

void Simulation::commit(Session& session, size_t number) {
  const bool synchronous = !dice_.chance(asynchronous_percent_);
  const std::unique_ptr<CheckedTransaction> transaction = std::move(session.transaction);
  const bool done = transaction->commit(synchronous);
  note(fmt::format("session {}: commit{}: {}", number, synchronous ? "" : " without waiting",
                   done ? "done" : "conflict"));
  commits_ += done;
  if (dice_.chance(20) && !disk_is_bad()) database_.check();
}

TableId Simulation::pick_table(const World& view) {
  auto it = view.tables.begin();
  std::advance(it, static_cast<std::ptrdiff_t>(dice_.below(view.tables.size())));
  return static_cast<TableId>(it->first);
}

void Simulation::operate(Session& session, size_t number) {
  const World& view = session.transaction->view();
  if (view.tables.empty() || (view.tables.size() < kMostTables && dice_.chance(ddl_percent_))) {
    note(fmt::format("session {}: create", number));
    return create_table(session);
  }
  const TableId table = pick_table(view);
  const ModelTable& model = *view.table(table);
  const auto say = [&](const char* what) {
    note(fmt::format("session {}: {} {}", number, what, model.schema.name));
  };
  if (dice_.chance(ddl_percent_)) {
    if (dice_.chance(25)) {
      say("drop");
      return session.transaction->drop_table(table);
    }
    say("alter");
    return alter_table(session, table);
  }
  const uint64_t choice = dice_.below(100);
  if (choice < 2 || model.rows.size() > kMostRows) {
    say("truncate");
    session.transaction->truncate(table);
  } else if (choice < 4 && model.schema.partition_by != PartitionUnit::kNone && !model.rows.empty()) {
    say("drop a partition of");
    drop_partition(session, table);
  } else if (choice < 8 && !model.rows.empty()) {
    move_partition(session, number, table);
  } else if (choice < 10) {
    const std::vector<uint64_t> versions = database_.versions_of(table);
    if (versions.empty()) return;
    const uint64_t version = versions[dice_.below(versions.size())];
    if (session.transaction->restore(table, version))
      say(fmt::format("restore version {} of", version).c_str());
  } else if (choice < 30 && !model.rows.empty()) {
    const bool remove = choice < 18;
    say(remove ? "delete from" : "update");
    change_rows(session, table, remove);
  } else {
    say("insert into");
    insert(session, table);
  }
  if (dice_.chance(25)) session.transaction->check_view(table);
}

void Simulation::create_table(Session& session) {
  TableSchema schema = model_schema(static_cast<Shape>(dice_.below(static_cast<uint64_t>(Shape::kCount))));
  // Few names, so that they meet.
  schema.name = fmt::format("t{}", dice_.below(kMostTables + 2));
  if (session.transaction->view().find(schema.name)) return;
  session.transaction->create_table(std::move(schema));
}

void Simulation::alter_table(Session& session, TableId table) {
  const uint64_t choice = dice_.below(4);
  std::string name = fmt::format("t{}", dice_.below(kMostTables + 2));
  if (choice == 0 && session.transaction->view().find(name)) return;
  session.transaction->alter_table(table, [&](TableSchema* schema) {
    if (choice == 0) {
      schema->name = name;
    } else if (choice == 1 && schema->columns.size() > 4) {
      // One that nothing depends on.
      const auto c = static_cast<uint32_t>(schema->columns.size() - 1);
      const bool is_key =
          std::find(schema->upsert_keys.begin(), schema->upsert_keys.end(), c) != schema->upsert_keys.end();
      const auto index = static_cast<int>(c);
      if (is_key || schema->version_column == index || schema->deleted_column == index) return;
      schema->columns.pop_back();
    } else if (choice == 2) {
      schema->columns.back().name = fmt::format("c{}", ++next_name_);
    } else if (schema->columns.size() < 10) {
      static constexpr TypeId kTypes[] = {TypeId::kSymbol, TypeId::kBigInt, TypeId::kDouble, TypeId::kVarchar,
                                          TypeId::kInteger};
      ColumnSchema column =
          test_column(fmt::format("c{}", ++next_name_), kTypes[dice_.below(std::size(kTypes))]);
      column.initial = dice_.chance(50) ? Value::null(column.type) : value_for(column, false);
      schema->columns.push_back(std::move(column));
    }
  });
}

Value Simulation::value_for(const ColumnSchema& column, bool is_timestamp) {
  if (is_timestamp) {
    // Close together, crossing days now and then; new ones at the end are the most frequent.
    const uint64_t t = dice_.chance(40) ? std::min(times_ - 1, step_ + dice_.below(3)) : dice_.below(times_);
    return Value::of_int(column.type, static_cast<int64_t>(t) * 3'600'000'000);
  }
  if (dice_.chance(15)) return Value::null(column.type);
  switch (column.type.id) {
    case TypeId::kSymbol: return Value::of_string(column.type, fmt::format("S{}", dice_.below(symbols_)));
    case TypeId::kVarchar:
      return Value::of_string(column.type,
                              std::string(dice_.below(12), static_cast<char>('a' + dice_.below(26))));
    case TypeId::kDouble: {
      static constexpr double kValues[] = {0.0, -0.0, 1.5, 1e300, std::numeric_limits<double>::quiet_NaN()};
      return Value::of_double(
          column.type, dice_.chance(70) ? static_cast<double>(dice_.below(50)) : kValues[dice_.below(5)]);
    }
    case TypeId::kBoolean: return Value::of_bool(dice_.chance(25));
    default: return Value::of_int(column.type, static_cast<int64_t>(dice_.below(5)) - 1);
  }
}

TableModel::Row Simulation::row_for(const TableSchema& schema) {
  TableModel::Row row;
  for (size_t c = 0; c < schema.columns.size(); ++c) {
    row.push_back(value_for(schema.columns[c], static_cast<int>(c) == schema.timestamp_column || c == 0));
  }
  return row;
}

void Simulation::insert(Session& session, TableId table) {
  const ModelTable& model = *session.transaction->view().table(table);
  const uint64_t count = 1 + dice_.below(dice_.chance(15) ? 60 : 4);
  const bool again = dice_.chance(20) && !model.rows.empty();  // a redelivery, mostly unchanged
  const size_t from = again ? dice_.below(model.rows.size()) : 0;
  std::vector<TableModel::Row> rows;
  for (uint64_t i = 0; i < count; ++i) {
    const bool same = again && from + i < model.rows.size() && !dice_.chance(3);
    rows.push_back(same ? model.rows[from + i].values : row_for(model.schema));
  }
  session.transaction->insert(table, rows, dice_.chance(40));
}

void Simulation::change_rows(Session& session, TableId table, bool remove) {
  const ModelTable& model = *session.transaction->view().table(table);
  std::set<size_t> picked;
  for (uint64_t n = 1 + dice_.below(dice_.chance(20) ? 40 : 3); n > 0; --n) {
    const size_t row = dice_.below(model.rows.size());
    if (!model.is_tombstone(model.rows[row].values)) picked.insert(row);
  }
  if (picked.empty()) return;
  const std::vector<size_t> indices(picked.begin(), picked.end());
  if (remove) return session.transaction->remove(table, indices);
  std::vector<TableModel::Row> rows;
  for (const size_t i : indices) {
    const TableModel::Row& before = model.rows[i].values;
    TableModel::Row row = row_for(model.schema);
    for (const uint32_t key : model.schema.upsert_keys) row[key] = before[key];
    if (model.schema.has_timestamp()) {
      const auto ts = static_cast<size_t>(model.schema.timestamp_column);
      const auto unit = model.schema.partition_by;
      const bool moves_on =
          partition_start(unit, before[ts].as_int()) == partition_start(unit, row[ts].as_int());
      if (model.schema.has_keys() || !moves_on || dice_.chance(50)) row[ts] = before[ts];
    }
    rows.push_back(std::move(row));
  }
  session.transaction->update(table, indices, rows);
}

int64_t Simulation::pick_partition(const ModelTable& model) {
  if (!model.schema.has_timestamp()) return INT64_MIN;
  const TableModel::Row& row = model.rows[dice_.below(model.rows.size())].values;
  return partition_start(model.schema.partition_by,
                         row[static_cast<size_t>(model.schema.timestamp_column)].as_int());
}

void Simulation::drop_partition(Session& session, TableId table) {
  session.transaction->drop_partition(table, pick_partition(*session.transaction->view().table(table)));
}

namespace {

std::vector<std::string> names_of(const TableSchema& schema, const std::vector<uint32_t>& columns) {
  std::vector<std::string> names;
  for (const uint32_t column : columns) names.push_back(schema.columns[column].name);
  return names;
}

bool rows_fit(const TableSchema& from, const TableSchema& to) {
  if (from.id == to.id || from.columns.size() != to.columns.size()) return false;
  for (const ColumnSchema& column : to.columns) {
    const int index = from.find_column(column.name);
    if (index < 0 || from.columns[static_cast<size_t>(index)].type != column.type) return false;
  }
  const bool same_keys = names_of(from, from.upsert_keys) == names_of(to, to.upsert_keys);
  return same_keys && from.timestamp_column == to.timestamp_column && from.partition_by == to.partition_by &&
         from.deleted_column == to.deleted_column;
}

}  // namespace

void Simulation::move_partition(Session& session, size_t number, TableId table) {
  const World& view = session.transaction->view();
  const ModelTable& model = *view.table(table);
  const int64_t start = pick_partition(model);
  for (const auto& [id, candidate] : view.tables) {
    const auto& other = candidate;
    if (!rows_fit(model.schema, other->schema)) continue;
    const bool is_there =
        std::any_of(other->rows.begin(), other->rows.end(), [&](const TableModel::Stored& row) {
          const auto& schema = other->schema;
          return !schema.has_timestamp() ||
                 partition_start(schema.partition_by,
                                 row.values[static_cast<size_t>(schema.timestamp_column)].as_int()) == start;
        });
    note(fmt::format("session {}: move a partition of {} into {}", number, model.schema.name,
                     other->schema.name));
    return session.transaction->move_partition(table, start, static_cast<TableId>(id), is_there);
  }
}

}  // namespace idem::simulation
