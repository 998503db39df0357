// Many threads on one table, to be run under ThreadSanitizer too.

#include <atomic>
#include <future>
#include <new>
#include <thread>

#include "common/error.h"
#include "tests/unit/storage/storage_fixture.h"

namespace idem {
namespace {

class ConcurrencyTest : public ::testing::Test {
 protected:
  void open(bool background) {
    DatabaseOptions options;
    options.background_checkpoint = background;
    options.memory_rows_bytes = 256 << 10;
    options.log_segment_bytes = 1 << 20;
    database = Database::open(files, clock, "/data", options);
    auto t = database->begin();
    id = t->create_table(prices_schema(true));
    t->commit(true);
  }
  void open_again() {
    database.reset();
    DatabaseOptions options;
    options.background_checkpoint = false;
    options.log_segment_bytes = 1 << 20;
    database = Database::open(files, clock, "/data", options);
  }
  void add(Transaction& t, int64_t ts, const std::string& ticker, double price) {
    ColumnBatch& rows = t.pending_rows(id);
    rows.column(0).append(ts);
    rows.column(1).append_string(ticker);
    rows.column(2).append(price);
    if (ts % 3 == 0) {
      rows.column(3).append_null();
    } else {
      rows.column(3).append_string("note");
    }
    t.inserted_rows(id, 1);
  }

  // Eight rows of ticker C, at the times 0 to 7.
  void add_counters() {
    auto t = database->begin();
    for (int i = 0; i < 8; ++i) add(*t, i, "C", 0);
    t->commit(true);
  }
  // Reads one and writes it, one greater. Its place moves as others insert before it.
  void raise_counter(Transaction& t, int64_t time) {
    const auto version = t.read_view().table(id);
    const ScanPlan plan = plan_scan(*version, {time, time}, {});
    std::vector<RowPosition> found;
    ColumnBatch row(version->schema);
    for (const Morsel& morsel : plan.morsels) {
      MorselReader reader(version, morsel, nullptr);
      while (const uint32_t count = reader.next()) {
        Vector times, tickers, prices, positions;
        reader.read(0, &times);
        reader.read(1, &tickers);
        reader.read(2, &prices);
        reader.read_positions(&positions);
        for (uint32_t r = 0; r < count; ++r) {
          if (tickers.value_at(r).as_string() != "C") continue;
          found.push_back(RowPosition::unpack(positions.value_at(r).as_int()));
          row.column(0).append(times.value_at(r).as_int());
          row.column(1).append_string("C");
          row.column(2).append(prices.value_at(r).as_double() + 1);
          row.column(3).append_null();
        }
      }
    }
    ASSERT_EQ(found.size(), 1u);
    t.update(id, found, std::move(row));
  }
  int sum_of_counters() const {
    double sum = 0;
    for (const std::string& text : rows_of(database->snapshot().table(id))) {
      if (text.find("|C|") != std::string::npos) sum += std::stod(text.substr(text.find("|C|") + 3));
    }
    return static_cast<int>(sum);
  }

  SimulatedFileSystem files;
  SystemClock clock;
  std::unique_ptr<Database> database;
  TableId id{};
};

// What is in no log stands on the records before it: it may be answered while their sync has ended but is not known everywhere.
TEST_F(ConcurrencyTest, WhatIsNotLoggedIsVisibleOnceItIsSaidToBe) {
  open(false);
  TableSchema passing = prices_schema(false);
  passing.name = "passing";
  passing.temporary = true;
  std::promise<bool> visible;
  auto logged = database->begin();
  add(*logged, 1, "A", 1);
  const CommitNumber awaited = logged->commit_without_waiting().visible_after;
  ASSERT_NE(awaited, CommitNumber{});
  database->when_visible(awaited, [&](const SqlError*) {
    auto t = database->begin();
    const TableId table = t->create_table(passing);
    const CommitNumber stands_on = t->commit_without_waiting().visible_after;
    database->when_visible(stands_on, [&, table](const SqlError* error) {
      visible.set_value(!error && database->snapshot().table(table) != nullptr);
    });
  });
  database->request_sync();
  EXPECT_TRUE(visible.get_future().get());
}

// Small commits take long to replay for the log that they fill.
TEST_F(ConcurrencyTest, ManySmallCommitsStartACheckpoint) {
  DatabaseOptions options;
  options.checkpoint_log_bytes = 100'000;
  database = Database::open(files, clock, "/data", options);
  auto t = database->begin();
  id = t->create_table(prices_schema(true));
  t->commit(true);
  for (int i = 0; i < 40; ++i) {
    auto small = database->begin();
    add(*small, i, "A", 1);
    small->commit(true);
  }
  while (database->status().last_checkpoint_micros == 0) std::this_thread::yield();
  database.reset();
  RecoveryReport report;
  options.background_checkpoint = false;
  database = Database::open(files, clock, "/data", options, &report);
  EXPECT_LT(report.replayed_commits, 20u);
}

// Each writer adds pairs of rows in one transaction; readers must never see half of a pair, nor less than
// before.
TEST_F(ConcurrencyTest, ReadersSeeWholeTransactions) {
  open(true);
  constexpr int kWriters = 3, kCommits = 400;
  std::atomic<bool> done{false};
  std::vector<std::thread> threads;
  for (int w = 0; w < kWriters; ++w) {
    threads.emplace_back([&, w] {
      for (int i = 0; i < kCommits; ++i) {
        auto t = database->begin();
        // Most at the end, some late, some in another partition.
        const int64_t ts = i % 7 == 0 ? (i * 37) % 1000 : 1000 + i * 10 + (i % 5 == 0 ? 86'400'000'000 : 0);
        add(*t, ts, fmt::format("W{}", w), i);
        if (i % 3 == 0) t->read_view();
        add(*t, ts, fmt::format("X{}", w), i);
        t->commit(i % 4 != 0);
      }
    });
  }
  std::thread reader([&] {
    size_t before = 0;
    while (!done) {
      const auto version = database->snapshot().table(id);
      const auto rows = rows_of(version);
      ASSERT_EQ(rows.size(), version->row_count);
      ASSERT_EQ(rows.size() % 2, 0u);
      ASSERT_GE(rows.size(), before);
      before = rows.size();
    }
  });
  for (std::thread& thread : threads) thread.join();
  done = true;
  reader.join();
  const auto rows = rows_of(database->snapshot().table(id));
  open_again();
  EXPECT_EQ(rows_of(database->snapshot().table(id)), rows);
}

// Counters of a few rows are raised by read-modify-write; every success must count, every conflict be told.
TEST_F(ConcurrencyTest, UpdatesAreNotLost) {
  open(false);
  add_counters();
  constexpr int kThreads = 4, kTries = 150;
  std::atomic<int> succeeded{0}, conflicts{0};
  std::vector<std::thread> threads;
  for (int n = 0; n < kThreads; ++n) {
    threads.emplace_back([&, n] {
      for (int i = 0; i < kTries; ++i) {
        auto t = database->begin();
        const int64_t wanted = (n * 3 + i) % 8;
        raise_counter(*t, wanted);
        if (i % 5 == 0) add(*t, wanted, fmt::format("A{}-{}", n, i), 0);
        try {
          t->commit(true);
          ++succeeded;
        } catch (const SqlError& e) {
          ASSERT_EQ(e.sqlstate(), "40001");
          ++conflicts;
        }
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(sum_of_counters(), succeeded.load());
  EXPECT_EQ(succeeded + conflicts, kThreads * kTries);
}

TEST_F(ConcurrencyTest, WhoIsAloneLosesToNobody) {
  open(false);
  add_counters();
  constexpr int kThreads = 4, kTries = 50;
  std::atomic<int> conflicts{0}, others{0};
  std::vector<std::thread> threads;
  for (int n = 0; n < kThreads; ++n) {
    threads.emplace_back([&, n] {
      for (int i = 0; i < kTries; ++i) {
        // Those that are not alone raise the same counters meanwhile.
        const bool alone = n % 2 == 0;
        auto t = alone ? database->begin_alone(id) : database->begin();
        raise_counter(*t, i % 8);
        try {
          t->commit(i % 3 != 0);
          if (!alone) ++others;
        } catch (const SqlError& e) {
          ASSERT_EQ(e.sqlstate(), "40001");
          ASSERT_FALSE(alone);
          ++conflicts;
        }
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(others + conflicts, kThreads / 2 * kTries);
  database->catch_up();
  EXPECT_EQ(sum_of_counters(), kThreads / 2 * kTries + others);
}

TEST_F(ConcurrencyTest, WhoIsAloneHoldsUpNoOtherTable) {
  open(false);
  auto create = database->begin();
  TableSchema schema = prices_schema(true);
  schema.name = "others";
  const TableId other = create->create_table(std::move(schema));
  create->commit(true);

  auto alone = database->begin_alone(id);
  add(*alone, 1, "A", 1);
  std::atomic<bool> waits{false};
  std::thread same_table([&] {
    auto t = database->begin();
    add(*t, 2, "B", 2);
    waits = true;
    t->commit(true);
  });
  while (!waits) std::this_thread::yield();
  auto t = database->begin();
  ColumnBatch& rows = t->pending_rows(other);
  rows.column(0).append(int64_t{3});
  rows.column(1).append_string("C");
  rows.column(2).append(3.0);
  rows.column(3).append_null();
  t->inserted_rows(other, 1);
  t->commit(true);
  EXPECT_EQ(database->snapshot().table(other)->row_count, 1u);
  EXPECT_EQ(database->snapshot().table(id)->row_count, 0u);
  alone->rollback();  // which lets the others go on
  same_table.join();
  EXPECT_EQ(rows_of(database->snapshot().table(id)), std::vector<std::string>{"2|B|2|note"});
}

TEST_F(ConcurrencyTest, CheckpointsDisturbNobody) {
  open(false);
  std::atomic<bool> done{false};
  std::thread checkpoints([&] {
    while (!done) database->checkpoint();
  });
  auto long_running = database->begin();
  add(*long_running, 5, "LONG", 1);
  long_running->read_view();
  for (int i = 0; i < 1500; ++i) {
    auto t = database->begin();
    add(*t, i % 10 == 0 ? i : 100'000 + i, "A", i);
    t->commit(true);
    if (i % 300 == 0) rows_of(long_running->read_view().table(id));
  }
  long_running->commit(true);
  done = true;
  checkpoints.join();
  const auto rows = rows_of(database->snapshot().table(id));
  EXPECT_EQ(rows.size(), 1501u);
  open_again();
  EXPECT_EQ(rows_of(database->snapshot().table(id)), rows);
}

// A checkpoint of the background that memory runs out in is said, and tried again.
TEST_F(ConcurrencyTest, BackgroundCheckpointsOutliveLackOfMemory) {
  std::atomic<bool> lacks_memory{true};
  files.on_call([&](FileOp op, const std::string& path) {
    if (lacks_memory && op == FileOp::kWrite && path.find("/tables/") != std::string::npos)
      throw std::bad_alloc();
  });
  open(true);
  int64_t time = 0;
  const auto write_until = [&](const auto& done) {
    while (!done(database->status())) {
      auto t = database->begin();
      for (int i = 0; i < 1'000; ++i) add(*t, ++time, "A", 1);
      t->commit(true);
    }
  };
  write_until([](const StorageStatus& status) { return !status.write_failure.empty(); });
  lacks_memory = false;
  write_until([](const StorageStatus& status) { return status.last_checkpoint_micros != 0; });
  EXPECT_EQ(database->status().write_failure, "");
  EXPECT_FALSE(database->status().write_failed);
  open_again();
  EXPECT_EQ(rows_of(database->snapshot().table(id)).size(), static_cast<size_t>(time));
}

}  // namespace
}  // namespace idem
