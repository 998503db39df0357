#include "tests/simulation/simulation.h"

#include <cerrno>
#include <cstdio>

#include "storage/retention.h"

namespace idem::simulation {

namespace {}  // namespace

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
                              .encoded_rows = 1 + static_cast<uint32_t>(dice_.below(4)),
                              .dense_rows = 1 + static_cast<uint32_t>(dice_.below(3))};
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
  if (choice < 74) return step_session();
  if (choice < 80) return commit_together();
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
    database_.keeps_versions = false;  // the log is the first to give way, and plain inserts are only there
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
  session.reads_committed = dice_.chance(50);
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

// Of clients that each insert something at the same time.
void Simulation::commit_together() {
  if (database_.visible()->tables.empty()) return;
  const TableId table = pick_table(*database_.visible());
  std::vector<CheckedDatabase::TogetherWithOthers> commits;
  for (uint64_t n = 2 + dice_.below(6); n > 0; --n) {
    Session session;
    session.transaction = database_.begin();
    session.transaction->describe("INSERT");
    insert(session, table);
    commits.push_back({std::move(session.transaction), !dice_.chance(asynchronous_percent_)});
  }
  note(fmt::format("{} sessions insert into table {} and commit together", commits.size(),
                   static_cast<uint32_t>(table)));
  const size_t written = database_.commit_together(table, commits);
  note(fmt::format("{} wrote", written));
  commits_ += written;
  commits.clear();
  if (dice_.chance(20) && !disk_is_bad()) database_.check();
}

}  // namespace idem::simulation
