// A random workload over two tables on a disk that stops at a random call, loses what was not synced or fails
// single calls; after each reopening the tables hold what was acknowledged, or that and the transaction under
// way, never a part.

#include <cerrno>

#include "common/error.h"
#include "tests/unit/storage/table_model.h"

namespace idem {
namespace {

struct World {
  TableModel first = TableModel(model_schema(Shape::kTimeKeys));
  TableModel second = TableModel(model_schema(Shape::kKeys));

  std::vector<std::string> texts() const {
    std::vector<std::string> all = first.texts();
    all.push_back("--");
    for (std::string& text : second.texts()) all.push_back(std::move(text));
    return all;
  }
};

class CrashWorkload {
 public:
  // `load`: from when on rows are streamed into segment files.
  explicit CrashWorkload(uint64_t seed, LoadLimits load = {})
      : maker_(seed, 300, 20), load_(load), files_(std::make_unique<SimulatedFileSystem>()) {
    open();
    auto t = database_->begin();
    TableSchema schema = model_schema(Shape::kTimeKeys);
    first_ = t->create_table(schema);
    schema = model_schema(Shape::kKeys);
    schema.name = "u";
    second_ = t->create_table(schema);
    t->commit(true);
    possible_.push_back(World());
  }

  void crash_round() {
    files_->stop_at_call(1 + maker_.below(250));
    try {
      for (int i = 0; i < 1000; ++i) operate();
    } catch (const SqlError& e) {
      ASSERT_TRUE(e.sqlstate() == "58030" || e.sqlstate() == "53100") << e.sqlstate() << e.message();
    }
    database_.reset();
    for (;;) {
      files_ = files_->crash(maker_.below(1'000'000));
      const bool again = maker_.below(3) == 0;
      if (again) files_->stop_at_call(1 + maker_.below(60));
      try {
        open();
        if (again) {
          database_.reset();
          continue;
        }
        break;
      } catch (const SqlError& e) { ASSERT_TRUE(again) << e.sqlstate() << " " << e.message(); }
    }
    settle();
  }

  void failure_round() {
    static constexpr FileOp kOps[] = {FileOp::kWrite,  FileOp::kSync,          FileOp::kPreallocate,
                                      FileOp::kRename, FileOp::kSyncDirectory, FileOp::kOpen,
                                      FileOp::kRemove};
    files_->fail_nth(kOps[maker_.below(std::size(kOps))], 1 + maker_.below(20),
                     maker_.below(2) == 0 ? ENOSPC : EIO);
    for (int i = 0; i < 25; ++i) {
      try {
        operate();
      } catch (const SqlError& e) {
        ASSERT_TRUE(e.sqlstate() == "58030" || e.sqlstate() == "53100") << e.sqlstate() << e.message();
        check_readable();
        if (::testing::Test::HasFatalFailure()) return;
      }
      if (database_->status().write_failed) {
        refuses_writes();
        break;
      }
    }
    database_.reset();
    files_ = files_->crash(maker_.below(1'000'000));
    open();
    settle();
  }

 private:
  void open() {
    DatabaseOptions options;
    options.background_checkpoint = false;
    options.log_segment_bytes = 64 << 10;
    options.load = load_;
    database_ = Database::open(*files_, clock_, "/data", options);
  }

  std::vector<std::string> stored() const {
    const Snapshot snapshot = database_->snapshot();
    std::vector<std::string> all = exact_rows_of(snapshot.table(first_));
    all.push_back("--");
    for (std::string& text : exact_rows_of(snapshot.table(second_))) all.push_back(std::move(text));
    return all;
  }

  void refuses_writes() {
    auto t = database_->begin();
    append_row(&t->pending_rows(first_), maker_.row());
    t->inserted_rows(first_, 1);
    try {
      t->commit(true);
      FAIL() << "a write was accepted after the log had failed";
    } catch (const SqlError& e) { ASSERT_EQ(e.sqlstate(), "58030"); }
  }

  // What is read is always one of the states that may be.
  void check_readable() {
    const auto rows = stored();
    for (const World& world : possible_) {
      if (world.texts() == rows) return;
    }
    FAIL() << "a state that never was, of " << rows.size() << " rows";
  }

  // After a restart one of the possible states has become the only one.
  void settle() {
    const auto rows = stored();
    for (size_t i = possible_.size(); i-- > 0;) {
      if (possible_[i].texts() != rows) continue;
      World world = possible_[i];
      possible_ = {std::move(world)};
      return;
    }
    FAIL() << "a state that was not acknowledged, of " << rows.size() << " rows; acknowledged "
           << possible_[0].texts().size();
  }

  void operate() {
    if (maker_.below(12) == 0) {
      database_->checkpoint();
      check_readable();
      return;
    }
    World next = possible_.back();
    auto t = database_->begin();
    for (uint64_t n = 1 + maker_.below(3); n > 0; --n) {
      const bool on_first = maker_.below(2) == 0;
      TableModel& model = on_first ? next.first : next.second;
      const TableId id = on_first ? first_ : second_;
      const auto version = t->read_view().table(id);
      if (maker_.below(4) == 0 && !model.rows.empty()) {
        const size_t at = maker_.below(model.rows.size());
        t->remove(id, positions_of(*version, {at}));
        model.rows.erase(model.rows.begin() + static_cast<std::ptrdiff_t>(at));
      } else {
        ColumnBatch batch(version->schema);
        for (uint64_t rows = 1 + maker_.below(maker_.below(5) == 0 ? 300 : 4); rows > 0; --rows) {
          const TableModel::Row row = maker_.row();
          append_row(&batch, row);
          model.upsert(row, 0, 0);
        }
        t->insert(id, std::move(batch));
      }
    }
    const bool synchronous = maker_.below(4) != 0;
    possible_.push_back(std::move(next));
    try {
      t->commit(synchronous);
    } catch (const SqlError&) {
      // While the log works, a transaction that failed is not there. Once it has failed nobody knows before
      // the restart.
      if (!database_->status().write_failed) possible_.pop_back();
      throw;
    }
    if (synchronous) possible_.erase(possible_.begin(), possible_.end() - 1);
  }

  SettableClock clock_;
  RowMaker maker_;
  LoadLimits load_;
  std::unique_ptr<SimulatedFileSystem> files_;
  std::unique_ptr<Database> database_;
  TableId first_{}, second_{};
  std::vector<World> possible_;  // the last is the newest; more than one while something is not durable
};

TEST(CrashRecoveryTest, KeepsWhatWasAcknowledged) {
  for (uint64_t seed = 1; seed <= 12; ++seed) {
    SCOPED_TRACE(fmt::format("seed {}", seed));
    CrashWorkload workload(seed);
    for (int round = 0; round < 8; ++round) {
      SCOPED_TRACE(fmt::format("round {}", round));
      workload.crash_round();
      if (::testing::Test::HasFatalFailure()) return;
    }
  }
}

TEST(CrashRecoveryTest, SurvivesSingleFailures) {
  for (uint64_t seed = 100; seed <= 115; ++seed) {
    SCOPED_TRACE(fmt::format("seed {}", seed));
    CrashWorkload workload(seed);
    for (int round = 0; round < 5; ++round) {
      SCOPED_TRACE(fmt::format("round {}", round));
      workload.failure_round();
      if (::testing::Test::HasFatalFailure()) return;
    }
  }
}

constexpr LoadLimits kStreamAll{.batch_rows = 4,
                                .group_rows = 40,
                                .left_behind_rows = 2,
                                .load_rows = 1,
                                .encoded_rows = 2,
                                .dense_rows = 2};

TEST(CrashRecoveryTest, KeepsWhatWasStreamed) {
  for (uint64_t seed = 201; seed <= 212; ++seed) {
    SCOPED_TRACE(fmt::format("seed {}", seed));
    CrashWorkload workload(seed, kStreamAll);
    for (int round = 0; round < 8; ++round) {
      SCOPED_TRACE(fmt::format("round {}", round));
      workload.crash_round();
      if (::testing::Test::HasFatalFailure()) return;
    }
  }
}

TEST(CrashRecoveryTest, SurvivesSingleFailuresWhileStreaming) {
  for (uint64_t seed = 300; seed <= 315; ++seed) {
    SCOPED_TRACE(fmt::format("seed {}", seed));
    CrashWorkload workload(seed, kStreamAll);
    for (int round = 0; round < 5; ++round) {
      SCOPED_TRACE(fmt::format("round {}", round));
      workload.failure_round();
      if (::testing::Test::HasFatalFailure()) return;
    }
  }
}

// Rows that are stored already need no record; their answer waits for the record that stored them.
TEST(CrashRecoveryTest, WhatAnAnswerWithoutARecordStandsOnIsDurable) {
  SettableClock clock;
  auto files = std::make_unique<SimulatedFileSystem>();
  DatabaseOptions options;
  options.own_threads = false;
  std::unique_ptr<Database> database = Database::open(*files, clock, "/data", options, nullptr);
  auto created = database->begin();
  const TableId table = created->create_table(model_schema(Shape::kTimeKeys));
  created->commit(true);
  const auto send = [&](bool synchronous) {
    auto t = database->begin();
    ColumnBatch batch(t->read_view().table(table)->schema);
    append_row(&batch, RowMaker(1, 300, 20).row());
    t->insert(table, std::move(batch));
    return t->commit(synchronous).wrote;
  };
  EXPECT_TRUE(send(false));
  EXPECT_FALSE(send(true));
  auto left = files->crash(0, SimulatedFileSystem::Unsynced::kLost);
  database.reset();
  database = Database::open(*left, clock, "/data", options, nullptr);
  EXPECT_EQ(database->snapshot().table(table)->row_count, 1u);
}

// A sync fails, the process ends, and the next one finds in memory what the disk does not hold. From then on it builds on that.
TEST(CrashRecoveryTest, WhatAFailedSyncLeftInMemoryIsMadeDurable) {
  for (uint64_t nth = 1; nth <= 12; ++nth) {
    SCOPED_TRACE(fmt::format("sync {}", nth));
    SettableClock clock;
    auto files = std::make_unique<SimulatedFileSystem>();
    std::unique_ptr<Database> database;
    DatabaseOptions options;
    options.own_threads = false;
    const auto open = [&] { database = Database::open(*files, clock, "/data", options, nullptr); };
    TableId table{};
    const auto add_row = [&](int64_t ts) {
      auto t = database->begin();
      ViewSchema view;  // so long that the manifest's record has sectors of its own
      view.schema_name = "public";
      view.name = fmt::format("v{}", ts);
      view.query_text = std::string(3000, 'x');
      t->put_view(std::move(view));
      ColumnBatch batch(t->read_view().table(table)->schema);
      append_row(&batch, RowMaker(static_cast<uint64_t>(ts), 300, 20).row());
      t->insert(table, std::move(batch));
      t->commit(true);
      database->checkpoint();
    };
    open();
    {
      auto t = database->begin();
      table = t->create_table(model_schema(Shape::kTimeKeys));
      t->commit(true);
    }
    add_row(1);
    files->fail_nth(FileOp::kSync, nth, EIO);
    try {
      add_row(2);
    } catch (const SqlError&) {}  // not every sync that fails is needed
    auto after_kill = files->kill_process();
    database.reset();
    files = std::move(after_kill);
    open();
    for (int64_t ts = 3; ts <= 4; ++ts) add_row(ts);
    const std::vector<std::string> rows = rows_of(database->snapshot().table(table));
    auto after_crash = files->crash(nth, SimulatedFileSystem::Unsynced::kLost);
    database.reset();
    const auto before = std::move(files);
    files = std::move(after_crash);
    open();
    EXPECT_EQ(rows_of(database->snapshot().table(table)), rows);
    database.reset();
  }
}

}  // namespace
}  // namespace idem
