// Large inserts go straight into segment files; the log only names them.

#include <algorithm>

#include "common/error.h"
#include "common/worker_pool.h"
#include "storage/retention.h"
#include "tests/unit/storage/storage_fixture.h"

namespace idem {
namespace {

constexpr int64_t kSecond = 1'000'000;

class LargeInsertTest : public ::testing::Test {
 protected:
  void SetUp() override {
    open();
    auto t = database->begin();
    id = t->create_table(prices_schema(true));
    t->commit(true);
  }
  void crash(uint64_t seed) {
    std::unique_ptr<SimulatedFileSystem> left = files->crash(seed);
    database.reset();  // it uses the files of before
    files = std::move(left);
    open();
  }
  void open() {
    database.reset();
    DatabaseOptions options;
    options.background_checkpoint = false;
    options.workers = &workers;
    database = Database::open(*files, clock, "/data", options);
  }
  // Rows [first, first + count) of a stream with a row each second.
  static void insert(Transaction& t, TableId table, uint32_t first, uint32_t count, double price = 1) {
    for (uint32_t done = 0; done < count;) {
      ColumnBatch batch(t.schema_view().table(table)->schema);
      for (const uint32_t end = std::min(count, done + 10'000); done < end; ++done) {
        batch.column(0).append((first + done) * kSecond);
        batch.column(1).append_string(fmt::format("T{}", (first + done) % 50));
        batch.column(2).append(price + (first + done) % 7);
        if (done % 3 == 0) {
          batch.column(3).append_null();
        } else {
          batch.column(3).append_string("note");
        }
      }
      t.insert(table, std::move(batch));
    }
  }
  CommitResult load(uint32_t first, uint32_t count, double price = 1) {
    auto t = database->begin();
    insert(*t, id, first, count, price);
    return t->commit(true);
  }
  std::shared_ptr<const TableVersion> version() const { return database->snapshot().table(id); }
  size_t segment_files() const {
    size_t count = 0;
    const IoResult<std::vector<DirectoryEntry>> entries =
        files->list("/data/tables/" + std::to_string(static_cast<uint32_t>(id)));
    if (!entries.ok()) return 0;
    for (const DirectoryEntry& entry : entries.value()) count += entry.name.ends_with(".segment");
    return count;
  }
  bool all_encoded() const {
    bool all = true;
    version()->partitions.for_each([&](const std::shared_ptr<const Partition>& partition) {
      for (const Slice& slice : partition->slices) all = all && !slice.group->in_memory();
    });
    return all;
  }

  std::unique_ptr<SimulatedFileSystem> files = std::make_unique<SimulatedFileSystem>();
  SettableClock clock;
  WorkerPool workers{2};
  std::unique_ptr<Database> database;
  TableId id{};
};

TEST_F(LargeInsertTest, IsWrittenOnceAndNamedByTheLog) {
  constexpr uint32_t kRows = 300'000;  // three and a half days
  const CommitResult result = load(0, kRows);
  EXPECT_EQ(result.counts.inserted, kRows);
  EXPECT_TRUE(all_encoded());
  EXPECT_EQ(segment_files(), 1u);
  EXPECT_LT(database->status().log_bytes_since_checkpoint, 4096u);
  const auto rows = rows_of(version());
  ASSERT_EQ(rows.size(), kRows);
  // A crash: nothing but the log knows of the file.
  crash(1);
  EXPECT_EQ(rows_of(version()), rows);
  EXPECT_TRUE(all_encoded());
  // A checkpoint keeps it, and after that the manifest knows it.
  database->checkpoint();
  open();
  EXPECT_EQ(rows_of(version()), rows);
  EXPECT_EQ(segment_files(), 1u);
}

TEST_F(LargeInsertTest, SentAgainWritesNothing) {
  load(0, 200'000);
  const uint64_t log_bytes = database->status().log_bytes_since_checkpoint;
  const CommitResult again = load(0, 200'000);
  EXPECT_FALSE(again.wrote);
  EXPECT_EQ(again.counts.skipped, 200'000u);
  EXPECT_EQ(database->status().log_bytes_since_checkpoint, log_bytes);
  EXPECT_EQ(segment_files(), 1u);
}

TEST_F(LargeInsertTest, RolledBackLeavesNoFile) {
  auto t = database->begin();
  insert(*t, id, 0, 200'000);
  EXPECT_EQ(t->read_view().table(id)->row_count, 200'000u);
  EXPECT_EQ(segment_files(), 1u);
  t.reset();
  EXPECT_EQ(segment_files(), 0u);
  EXPECT_EQ(version()->row_count, 0u);
}

TEST_F(LargeInsertTest, UpsertsItsOwnEncodedRows) {
  auto t = database->begin();
  insert(*t, id, 0, 140'000);
  insert(*t, id, 1000, 500, 100);    // other prices for rows that are encoded already
  insert(*t, id, 138'000, 4000, 1);  // half of them again
  const CommitResult result = t->commit(true);
  EXPECT_EQ(version()->row_count, 142'000u);
  EXPECT_EQ(result.counts.inserted, 142'000u);
  EXPECT_EQ(result.counts.replaced, 500u);
  const auto rows = rows_of(version());
  crash(2);
  EXPECT_EQ(rows_of(version()), rows);
}

TEST_F(LargeInsertTest, MeetsWhatOthersCommittedMeanwhile) {
  auto a = database->begin();
  insert(*a, id, 0, 150'000);
  EXPECT_EQ(a->read_view().table(id)->row_count, 150'000u);
  auto b = database->begin();
  insert(*b, id, 100'000, 150'000, 50);
  EXPECT_EQ(b->read_view().table(id)->row_count, 150'000u);
  b->commit(true);
  const CommitResult result = a->commit(true);
  EXPECT_EQ(version()->row_count, 250'000u);
  EXPECT_EQ(result.counts.inserted, 100'000u);
  EXPECT_EQ(result.counts.replaced, 50'000u);
  const auto rows = rows_of(version());
  a.reset();
  b.reset();
  crash(3);
  EXPECT_EQ(rows_of(version()), rows);
}

TableSchema folding_schema() {
  TableSchema schema = prices_schema(true);
  schema.name = "folding";
  schema.columns[2].keep = KeepPolicy::kMax;
  schema.columns[3].keep = KeepPolicy::kFirst;
  return schema;
}

// What merge policies folded is read back from the files of the transaction when others were first.
TEST_F(LargeInsertTest, PoliciesFoldWhatOthersCommittedMeanwhile) {
  TableId folding{}, plain{};
  {
    auto t = database->begin();
    folding = t->create_table(folding_schema());
    TableSchema other = folding_schema();
    other.name = "in small steps";
    plain = t->create_table(other);
    t->commit(true);
  }
  struct Load {
    uint32_t first, count;
    double price;
  };
  // New rows, lower and higher prices for some, rows of its own once more; and what others bring meanwhile.
  constexpr Load kOurs[] = {{0, 138'000, 10}, {50'000, 96'000, 5}, {10'000, 66'000, 20}};
  constexpr Load kOthers[] = {{30'000, 90'000, 15}, {200'000, 6'000, 1}};
  constexpr Load kBefore{5'000, 66'000, 12};
  const auto in_small_steps = [&](const Load& load) {
    for (uint32_t done = 0; done < load.count; done += 6'000) {
      auto t = database->begin();
      insert(*t, plain, load.first + done, 6'000, load.price);
      t->commit(true);
    }
  };
  const auto rows = [&](TableId table) { return rows_of(database->snapshot().table(table)); };
  {
    auto t = database->begin();
    insert(*t, folding, kBefore.first, kBefore.count, kBefore.price);
    t->commit(true);
  }
  auto ours = database->begin();
  for (const Load& load : kOurs) insert(*ours, folding, load.first, load.count, load.price);
  {
    auto others = database->begin();
    for (const Load& load : kOthers) insert(*others, folding, load.first, load.count, load.price);
    others->commit(true);
  }
  const CommitResult result = ours->commit(true);
  EXPECT_EQ(result.counts.inserted + result.counts.replaced + result.counts.skipped, 300'000u);
  ours.reset();
  in_small_steps(kBefore);
  for (const Load& load : kOthers) in_small_steps(load);
  for (const Load& load : kOurs) in_small_steps(load);
  const auto expected = rows(plain);
  EXPECT_EQ(rows(folding), expected);
  crash(5);
  EXPECT_EQ(rows(folding), expected);
  // Nothing of the files aside is left, and the same rows again change nothing.
  {
    auto t = database->begin();
    insert(*t, folding, 0, 138'000, 1);
    EXPECT_FALSE(t->commit(true).wrote);
  }
  const auto entries =
      files->list(fmt::format("/data/tables/{}", static_cast<uint32_t>(folding))).value_or_throw();
  database->checkpoint();
  EXPECT_LE(entries.size(), 4u);
}

// A row that brings a removed key back takes the place of its tombstone, and counts as inserted.
TEST_F(LargeInsertTest, BringsBackWhatOthersRemovedMeanwhile) {
  TableId table{};
  {
    auto t = database->begin();
    TableSchema schema = prices_schema(true);
    schema.name = "removable";
    schema.columns.push_back(test_column("ver", TypeId::kBigInt));
    schema.columns.push_back(test_column("gone", TypeId::kBoolean));
    schema.version_column = 4;
    schema.deleted_column = 5;
    table = t->create_table(schema);
    t->commit(true);
  }
  const auto add = [&](Transaction& t, uint32_t first, uint32_t count, int64_t version, bool gone) {
    ColumnBatch batch(t.schema_view().table(table)->schema);
    for (uint32_t i = first; i < first + count; ++i) {
      batch.column(0).append(i * kSecond);
      batch.column(1).append_string("T");
      batch.column(2).append(1.5);
      batch.column(3).append_null();
      batch.column(4).append(version);
      batch.column(5).append<uint8_t>(gone ? 1 : 0);
    }
    t.insert(table, std::move(batch));
  };
  auto ours = database->begin();
  add(*ours, 0, 80'000, 2, false);
  EXPECT_EQ(ours->read_view().table(table)->row_count, 80'000u);
  {
    auto others = database->begin();
    add(*others, 10, 5, 1, true);  // older: ours bring them back
    add(*others, 20, 5, 3, true);  // newer: they stay removed
    others->commit(true);
  }
  const CommitResult result = ours->commit(true);
  EXPECT_EQ(result.counts.inserted, 79'995u);
  ours.reset();
  crash(6);
  const auto rows = rows_of(database->snapshot().table(table));
  EXPECT_EQ(rows.size(), 80'000u);  // with five tombstones
}

TEST_F(LargeInsertTest, FilesOfADroppedTableGo) {
  load(0, 200'000);
  auto t = database->begin();
  t->truncate(id);
  t->commit(true);
  t.reset();                       // it holds the version before
  EXPECT_EQ(segment_files(), 1u);  // the log still names it
  database->checkpoint();
  EXPECT_EQ(segment_files(), 1u);  // the version before can be read
  clock.advance_micros(10 * kSecond);
  database->vacuum({std::nullopt, 0, true});
  EXPECT_EQ(segment_files(), 0u);
}

// A version in between is rebuilt from the load's, which stays for that; once it is gone nothing reads the file.
TEST_F(LargeInsertTest, VersionsAfterItAreRebuilt) {
  const auto add = [&](uint32_t first) { load(first, 1); };
  add(500'000);      // 1
  load(0, 100'000);  // 2
  const auto after_load = rows_of(version());
  add(500'001);  // 3
  const auto in_between = rows_of(version());
  add(500'002);  // 4
  const auto read = [&](uint64_t number) {
    return rows_of(
        database->find_version(database->snapshot(), id, VersionNumberTarget{VersionNumber{number}}).version);
  };
  for (int round = 0; round < 3; ++round) {
    EXPECT_EQ(read(2), after_load);
    EXPECT_EQ(read(3), in_between);
    if (round == 0) database->checkpoint();
    if (round == 1) open();
  }
  auto t = database->begin();
  t->restore(id,
             database->find_version(database->snapshot(), id, VersionNumberTarget{VersionNumber{3}}).version);
  t->commit(true);
  t.reset();
  crash(4);
  EXPECT_EQ(rows_of(version()), in_between);
  // Where the load's version is given back, what would need its record is gone too, with an error that says so.
  clock.advance_micros(10 * kSecond);
  database->vacuum({std::nullopt, 0, false});
  for (const uint64_t number : {2, 3, 4}) {
    try {
      read(number);
      ADD_FAILURE() << "version " << number << " can be read";
    } catch (const SqlError& error) {
      EXPECT_EQ(error.sqlstate(), sqlstate::kInvalidParameterValue) << error.message();
    }
  }
  EXPECT_EQ(rows_of(version()), in_between);
}

TEST_F(LargeInsertTest, AFullDiskIsAnErrorOfTheStatement) {
  for (uint64_t n = 1; n < 12; ++n) {
    files->fail_nth(FileOp::kWrite, n, 28);
    auto t = database->begin();
    try {
      insert(*t, id, 0, 150'000, static_cast<double>(n));
      t->commit(true);
    } catch (const SqlError& e) {
      EXPECT_TRUE(e.sqlstate() == sqlstate::kDiskFull || e.sqlstate() == sqlstate::kIoError) << e.message();
    }
    t.reset();
    if (database->status().write_failed) break;
  }
  EXPECT_LE(segment_files(), 20u);
}

TEST_F(LargeInsertTest, RowsOutOfOrderAndOfManyPartitions) {
  std::vector<uint32_t> order(120'000);
  for (uint32_t i = 0; i < order.size(); ++i) order[i] = i * 7919 % 120'000;
  auto t = database->begin();
  for (uint32_t done = 0; done < order.size();) {
    ColumnBatch batch(t->schema_view().table(id)->schema);
    for (const uint32_t end = done + 20'000; done < end; ++done) {
      batch.column(0).append(order[done] * 60 * kSecond);  // 83 days
      batch.column(1).append_string("A");
      batch.column(2).append(static_cast<double>(order[done]));
      batch.column(3).append_string(std::to_string(order[done]));
    }
    t->insert(id, std::move(batch));
  }
  t->commit(true);
  const auto rows = rows_of(version());
  ASSERT_EQ(rows.size(), order.size());
  for (uint32_t i = 0; i < rows.size(); i += 997) {
    EXPECT_EQ(rows[i], fmt::format("{}|A|{}|{}", i * 60 * kSecond, static_cast<double>(i), i));
  }
}

}  // namespace
}  // namespace idem
