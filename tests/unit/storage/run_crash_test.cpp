// A daily pipeline of runs, sent again from its beginning after a stop at each call of the disk in turn: it
// ends in the tables that it gives when nothing happens. Days are skipped where they had been committed, and
// now and then one is executed again.

#include "common/error.h"
#include "storage/retention.h"
#include "tests/unit/storage/table_model.h"

namespace idem {
namespace {

using Texts = std::vector<std::string>;

constexpr int kDays = 6;

class Pipeline {
 public:
  explicit Pipeline(SimulatedFileSystem* files) { open(files); }

  void open(SimulatedFileSystem* files) {
    database_.reset();
    DatabaseOptions options;
    options.background_checkpoint = false;
    options.own_threads = false;
    options.run_retention_micros = int64_t{30 * 24} * 3'600 * 1'000'000;
    options.log_segment_bytes = 64 << 10;
    database_ = Database::open(*files, clock_, "/data", options);
  }
  void close() { database_.reset(); }
  Database& database() { return *database_; }
  void advance_hours(int64_t hours) { clock_.advance_micros(hours * 3'600 * 1'000'000); }

  void create_tables() {
    auto t = database_->begin();
    t->describe("ann", "CREATE TABLE");
    for (const char* name : {"a", "b"}) {
      if (t->read_view().find_table("public", name)) continue;
      TableSchema schema = model_schema(Shape::kTimeKeys);
      schema.name = name;
      t->create_table(std::move(schema));
    }
    t->commit(true);
  }

  // Executes a day, or skips it where it was committed before and is not to be restored.
  void day(int n, bool restores) {
    const std::string key = fmt::format("daily/{}", n);
    const RunLock lock = database_->lock_run(key, [] {});
    auto t = database_->begin();
    const auto known = t->read_view().catalog->runs.find(key);
    if (known != t->read_view().catalog->runs.end()) {
      ASSERT_EQ(known->second->writes, writes(n));
      if (!restores) return;
      const Run run = *known->second;
      t->describe("ann", "RESTORE");
      t->begin_run(key);
      t->restore_run(run, false);
    } else {
      t->describe("ann", "INSERT");
      t->begin_run(key);
    }
    write(*t, n);
    t->end_run(writes(n));
    t->commit(true);
  }

  void run() {
    create_tables();
    for (int n = 0; n < kDays; ++n) {
      day(n, false);
      if (n % 2 == 1) database_->checkpoint();
      if (n == 3) {
        // A backfill: day 1 again, then those after it.
        day(1, true);
        day(2, false);
        day(3, false);
      }
    }
  }

  Texts state() {
    Texts all;
    const Snapshot snapshot = database_->snapshot();
    for (const char* name : {"a", "b"}) {
      const auto table = snapshot.find_table("public", name);
      if (!table) continue;
      all.push_back(name);
      for (std::string& row : exact_rows_of(table)) all.push_back(std::move(row));
    }
    const auto temporary = snapshot.find_table("public", "day4");
    all.push_back(temporary ? "with day4" : "without day4");
    return all;
  }

 private:
  static std::vector<RunWrite> writes(int n) {
    return {{static_cast<uint64_t>(n) * 7, "INSERT 0 20"}, {static_cast<uint64_t>(n), "DELETE 1"}};
  }

  // What a day does depends on what the days before left.
  void write(Transaction& t, int n) {
    const TableId a = t.read_view().find_table("public", "a")->schema->id;
    const TableId b = t.read_view().find_table("public", "b")->schema->id;
    RowMaker maker(static_cast<uint64_t>(n) + 1, 300, 10);
    ColumnBatch rows(t.schema_view().table(a)->schema);
    for (int i = 0; i < 20; ++i) append_row(&rows, maker.row());
    t.insert(a, std::move(rows));
    const auto now = t.read_view().table(a);
    if (now->row_count > 3) t.remove(a, positions_of(*now, {0, 2}));
    if (n % 3 == 2) {
      ColumnBatch copied(t.schema_view().table(b)->schema);
      for (int i = 0; i < 5; ++i) append_row(&copied, maker.row());
      t.insert(b, std::move(copied));
    }
    if (n == 4) {
      TableSchema schema = model_schema(Shape::kTimeKeys);
      schema.name = "day4";
      t.create_table(std::move(schema));
    }
  }

  SettableClock clock_{int64_t{1'700'000'000} * 1'000'000};
  std::unique_ptr<Database> database_;
};

TEST(RunCrashTest, APipelineSentAgainEndsAsIfItHadRunOnce) {
  Texts expected;
  {
    SimulatedFileSystem files;
    Pipeline pipeline(&files);
    pipeline.run();
    expected = pipeline.state();
    // Executed again from any day on, it ends in the same.
    for (int from = 0; from < kDays; ++from) {
      pipeline.day(from, true);
      for (int n = from + 1; n < kDays; ++n) pipeline.day(n, false);
      ASSERT_EQ(pipeline.state(), expected) << "from day " << from;
    }
  }
  bool finished = false;
  for (uint64_t stop = 1; !finished; stop += 1 + stop / 40) {
    SCOPED_TRACE(fmt::format("stop at call {}", stop));
    auto files = std::make_unique<SimulatedFileSystem>();
    Pipeline pipeline(files.get());
    files->stop_at_call(stop);
    try {
      pipeline.run();
      finished = true;
    } catch (const SqlError& e) {
      ASSERT_TRUE(e.sqlstate() == "58030" || e.sqlstate() == "53100") << e.message();
    }
    if (::testing::Test::HasFailure()) return;
    pipeline.close();
    files = files->crash(stop);
    pipeline.open(files.get());
    pipeline.run();
    ASSERT_EQ(pipeline.state(), expected);
    pipeline.open(files.get());
    pipeline.run();
    ASSERT_EQ(pipeline.state(), expected);
  }
}

TEST(RunTest, CommitsOfOthersAreNotLost) {
  SimulatedFileSystem files;
  Pipeline pipeline(&files);
  pipeline.create_tables();
  for (int n = 0; n < 3; ++n) pipeline.day(n, false);
  auto t = pipeline.database().begin();
  t->describe("bob", "TRUNCATE");
  t->truncate(t->read_view().find_table("public", "a")->schema->id);
  t->commit(true);
  try {
    pipeline.day(2, true);
    FAIL() << "a commit was lost";
  } catch (const SqlError& e) {
    EXPECT_EQ(e.sqlstate(), sqlstate::kObjectNotInPrerequisiteState);
    EXPECT_NE(e.detail().find("TRUNCATE by bob"), std::string::npos) << e.detail();
  }
}

TEST(RunTest, VersionsThatRunsNeedAreKept) {
  SimulatedFileSystem files;
  Pipeline pipeline(&files);
  pipeline.create_tables();
  pipeline.day(0, false);
  pipeline.day(1, false);
  const Texts expected = pipeline.state();
  RetentionRequest request;
  request.retain_micros = int64_t{2} * 3'600 * 1'000'000;
  pipeline.advance_hours(1);
  pipeline.database().vacuum(request);
  pipeline.day(0, true);
  pipeline.day(1, false);
  EXPECT_EQ(pipeline.state(), expected);
  request.retain_micros = 0;
  request.gives_back_log = true;
  pipeline.advance_hours(1);
  pipeline.database().vacuum(request);
  EXPECT_THROW(pipeline.day(0, true), SqlError);
}

// Runs are kept for longer than versions here: what others did stays known as long as the runs.
TEST(RunTest, CommitsOfOthersAreNotForgottenBeforeTheRun) {
  SimulatedFileSystem files;
  Pipeline pipeline(&files);
  pipeline.create_tables();
  pipeline.day(0, false);
  auto t = pipeline.database().begin();
  t->describe("bob", "TRUNCATE");
  t->truncate(t->read_view().find_table("public", "a")->schema->id);
  t->commit(true);
  pipeline.day(1, false);
  pipeline.advance_hours(20 * 24);
  pipeline.database().checkpoint();
  pipeline.database().checkpoint();
  try {
    pipeline.day(0, true);
    FAIL() << "a commit was lost";
  } catch (const SqlError& e) {
    EXPECT_NE(e.detail().find("TRUNCATE by bob"), std::string::npos) << e.message();
  }
  // When the run's own time is over, its key is free.
  pipeline.advance_hours(20 * 24);
  pipeline.database().checkpoint();
  EXPECT_TRUE(pipeline.database().snapshot().catalog->runs.empty());
}

TEST(RunTest, ProtectedTablesStayAsTheyAre) {
  SimulatedFileSystem files;
  Pipeline pipeline(&files);
  pipeline.create_tables();
  pipeline.day(0, false);
  const Texts expected = pipeline.state();
  Database& database = pipeline.database();
  const TableId a = database.snapshot().find_table("public", "a")->schema->id;
  // One that began before the table was closed does not change it either.
  auto late = database.begin();
  late->describe("bob", "TRUNCATE");
  late->truncate(a);
  TableProtection protection;
  protection.immutable = true;
  auto t = database.begin();
  t->protect_table(a, protection);
  t->commit(true);
  const auto refused = [](const std::function<void()>& what) {
    try {
      what();
      ADD_FAILURE() << "an immutable table was changed";
    } catch (const SqlError& e) { EXPECT_EQ(e.sqlstate(), sqlstate::kInsufficientPrivilege); }
  };
  refused([&] { late->commit(true); });
  refused([&] { database.begin()->truncate(a); });
  refused([&] { database.begin()->drop_table(a); });
  EXPECT_EQ(pipeline.state(), expected);
  pipeline.open(&files);
  refused([&] { pipeline.database().begin()->truncate(a); });
}

}  // namespace
}  // namespace idem
