// Partitions that move between tables: from memory and from segment files, over a restart from the log and from the manifest.

#include <algorithm>
#include <functional>

#include "common/error.h"
#include "storage/retention.h"
#include "storage/segment_file.h"
#include "tests/unit/storage/storage_fixture.h"

namespace idem {
namespace {

class PartitionMoveTest : public ::testing::Test {
 protected:
  void SetUp() override { open(); }
  void open() {
    database_.reset();
    DatabaseOptions options;
    options.background_checkpoint = false;
    options.log_segment_bytes = 1 << 20;
    database_ = Database::open(files_, clock_, "/data", options);
  }
  TableId create(const std::string& name, bool with_keys = true) {
    TableSchema schema = prices_schema(with_keys);
    schema.name = name;
    auto t = database_->begin();
    const TableId id = t->create_table(schema);
    t->commit(true);
    return id;
  }
  // The same columns with other identities, in another order.
  TableId create_reordered(const std::string& name) {
    TableSchema schema = prices_schema(true);
    schema.name = name;
    std::swap(schema.columns[0], schema.columns[3]);
    std::swap(schema.columns[1], schema.columns[2]);
    schema.timestamp_column = 3;
    schema.upsert_keys = {3, 2};
    auto t = database_->begin();
    const TableId id = t->create_table(schema);
    t->commit(true);
    return id;
  }
  // Rows of a day, each minute another ticker of five.
  void insert(TableId table, int64_t day, uint32_t rows, const std::string& prefix = "T") {
    auto t = database_->begin();
    const auto schema = t->schema_view().table(table)->schema;
    ColumnBatch batch(schema);
    for (uint32_t i = 0; i < rows; ++i) {
      batch.column(static_cast<size_t>(schema->find_column("ts")))
          .append<int64_t>(day * kDay + i * int64_t{1'000'000});
      batch.column(static_cast<size_t>(schema->find_column("ticker")))
          .append_string(prefix + std::to_string(i % 5));
      batch.column(static_cast<size_t>(schema->find_column("price"))).append(static_cast<double>(i));
      BatchColumn& note = batch.column(static_cast<size_t>(schema->find_column("note")));
      if (i % 3 == 0) note.append_null();
      else note.append_string("note " + std::to_string(i));
    }
    t->insert(table, std::move(batch));
    t->commit(true);
  }
  void move(TableId from, int64_t day, TableId to, bool replace = false) {
    auto t = database_->begin();
    t->move_partition(from, day * kDay, to, replace);
    t->commit(true);
  }
  std::shared_ptr<const TableVersion> table(TableId id) { return database_->snapshot().table(id); }
  // By column name, so that tables with other orders compare.
  std::vector<std::string> rows(TableId id) {
    auto version = std::make_shared<TableVersion>(*table(id));
    auto schema = std::make_shared<TableSchema>(*version->schema);
    std::sort(schema->columns.begin(), schema->columns.end(),
              [](const ColumnSchema& a, const ColumnSchema& b) { return a.name < b.name; });
    schema->timestamp_column = schema->find_column("ts");
    version->schema = schema;
    return rows_of(version);
  }
  std::string error_of(const std::function<void()>& action) {
    try {
      action();
    } catch (const SqlError& e) { return std::string(e.sqlstate()); }
    return "no error";
  }

  static constexpr int64_t kDay = 86'400'000'000;
  SimulatedFileSystem files_;
  SettableClock clock_;
  std::unique_ptr<Database> database_;
};

TEST_F(PartitionMoveTest, RowsInSegments) {
  const TableId a = create("a"), b = create_reordered("b");
  insert(b, 1, 10, "X");  // other codes for other symbols
  insert(a, 5, 5'000);
  insert(a, 6, 10);
  database_->checkpoint();
  std::vector<std::string> expected = rows(b), moved = rows(a);
  moved.resize(5'000);
  expected.insert(expected.end(), moved.begin(), moved.end());

  move(a, 5, b);
  EXPECT_EQ(rows(b), expected);
  EXPECT_EQ(rows(a).size(), 10u);
  open();  // from the log
  EXPECT_EQ(rows(b), expected);
  EXPECT_EQ(rows(a).size(), 10u);
  database_->checkpoint();
  open();  // from the manifest
  EXPECT_EQ(rows(b), expected);

  // Keys match what was moved.
  insert(b, 5, 5'000);
  EXPECT_EQ(rows(b), expected);
  // The table that they came from goes, and a checkpoint gives back what nobody needs.
  auto t = database_->begin();
  t->drop_table(a);
  t->commit(true);
  t.reset();
  database_->checkpoint();
  open();
  EXPECT_EQ(rows(b), expected);
}

TEST_F(PartitionMoveTest, MovesOnAndComesBack) {
  const TableId a = create("a"), b = create_reordered("b"), c = create("c");
  insert(c, 0, 7, "C");
  insert(a, 5, 3'000);
  database_->checkpoint();
  const std::vector<std::string> expected = rows(a);
  move(a, 5, b);
  move(b, 5, a);
  EXPECT_EQ(rows(a), expected);
  move(a, 5, b);
  insert(b, 5, 3'001);  // one more
  database_->checkpoint();
  open();
  move(b, 5, c);
  EXPECT_EQ(rows(b).size(), 0u);
  EXPECT_EQ(rows(c).size(), 3'008u);
  open();
  database_->checkpoint();
  open();
  std::vector<std::string> in_c = rows(c);
  ASSERT_EQ(in_c.size(), 3'008u);
  EXPECT_TRUE(std::equal(expected.begin(), expected.end(), in_c.begin() + 7));
}

// Whose files the rows of a partition are in; 0: in memory.
std::vector<uint32_t> owners_of(const TableVersion& version, size_t partition) {
  std::vector<uint32_t> owners;
  for (const Slice& slice : version.partitions[partition]->slices) {
    const bool in_memory = slice.group->in_memory();
    owners.push_back(in_memory ? 0
                               : static_cast<uint32_t>(
                                     static_cast<const SegmentRowGroup&>(*slice.group).file().table_id()));
  }
  return owners;
}

TEST_F(PartitionMoveTest, RowsInFilesStayWhereTheyAre) {
  const TableId a = create("a"), b = create_reordered("b");
  const auto in_a = static_cast<uint32_t>(a);
  insert(b, 1, 10, "X");  // other codes for other symbols
  insert(a, 5, 40'000);
  database_->checkpoint();
  const std::vector<std::string> expected = rows(a);
  const uint64_t bytes_before = files_.used_bytes();
  move(a, 5, b);
  EXPECT_LT(files_.used_bytes(), bytes_before + 10'000);
  EXPECT_EQ(owners_of(*table(b), 1), std::vector<uint32_t>{in_a});
  const auto moved_rows = [&] {
    std::vector<std::string> all = rows(b);
    return std::vector<std::string>(all.begin() + 10, all.end());
  };
  EXPECT_EQ(moved_rows(), expected);
  open();  // from the log
  EXPECT_EQ(owners_of(*table(b), 1), std::vector<uint32_t>{in_a});
  EXPECT_EQ(moved_rows(), expected);
  database_->checkpoint();
  open();  // from the manifest
  EXPECT_EQ(owners_of(*table(b), 1), std::vector<uint32_t>{in_a});
  EXPECT_EQ(moved_rows(), expected);

  // The table that they came from goes, with its past; its file stays as long as the other table shows it.
  {
    auto t = database_->begin();
    t->drop_table(a);
    t->commit(true);
  }
  RetentionRequest all;
  all.retain_micros = 0;
  all.gives_back_log = true;
  database_->vacuum(all);
  open();
  EXPECT_EQ(moved_rows(), expected);
  // Keys match what was moved, symbols that were not there are new ones.
  insert(b, 5, 40'000);
  EXPECT_EQ(moved_rows(), expected);
  insert(b, 6, 20'000, "Y");
  database_->checkpoint();
  open();
  EXPECT_EQ(table(b)->row_count, 60'010u);
}

// One write of the manifest takes the file's name from one table and gives it to the other.
TEST_F(PartitionMoveTest, TheFileStaysWhenTheFirstTableIsForgottenAtOnce) {
  const TableId a = create("a"), b = create("b");
  insert(a, 5, 40'000);
  database_->checkpoint();
  const std::vector<std::string> expected = rows(a);
  move(a, 5, b);
  {
    auto t = database_->begin();
    t->drop_table(a);
    t->commit(true);
  }
  RetentionRequest all;
  all.retain_micros = 0;
  all.gives_back_log = true;
  clock_.advance_micros(1'000'000);
  database_->vacuum(all);
  EXPECT_EQ(rows(b), expected);
  open();
  EXPECT_EQ(rows(b), expected);
}

TEST_F(PartitionMoveTest, PatchedBlocksAreCopiedAndOthersAttached) {
  const TableId a = create("a"), b = create_reordered("b"), c = create("c");
  const auto in_a = static_cast<uint32_t>(a);
  insert(c, 1, 3, "Z");
  insert(a, 5, 40'000);
  database_->checkpoint();
  {
    auto t = database_->begin();
    t->read_view();
    t->remove(a, {{0, 5'000}, {0, 5'001}});
    t->commit(true);
  }
  const std::vector<std::string> expected = rows(a);
  ASSERT_EQ(expected.size(), 39'998u);
  move(a, 5, b);
  EXPECT_EQ(owners_of(*table(b), 0), (std::vector<uint32_t>{in_a, 0, in_a}));
  EXPECT_EQ(rows(b), expected);
  move(b, 5, c);  // the same files, through another attachment
  EXPECT_EQ(owners_of(*table(c), 1), (std::vector<uint32_t>{in_a, 0, in_a}));
  open();
  std::vector<std::string> in_c = rows(c);
  EXPECT_EQ(std::vector<std::string>(in_c.begin() + 3, in_c.end()), expected);
  // Written anew, they are the table's own.
  database_->checkpoint();
  database_->checkpoint();
  database_->checkpoint();
  open();
  in_c = rows(c);
  EXPECT_EQ(std::vector<std::string>(in_c.begin() + 3, in_c.end()), expected);
  move(c, 5, a);
  EXPECT_EQ(rows(a), expected);
}

TEST_F(PartitionMoveTest, ColumnsThatFilesLackAreWrittenOut) {
  const TableId a = create("a"), b = create("b");
  insert(a, 5, 20'000);
  database_->checkpoint();
  const auto add_column = [&](TableId table, Value initial) {
    auto t = database_->begin();
    TableSchema schema = *t->schema_view().table(table)->schema;
    schema.columns.push_back(test_column("extra", TypeId::kBigInt));
    schema.columns.back().initial = std::move(initial);
    t->alter_table(table, std::move(schema));
    t->commit(true);
  };
  add_column(a, Value::of_int(TypeId::kBigInt, 7));
  add_column(b, Value::null(TypeId::kBigInt));
  const std::vector<std::string> expected = rows(a);
  move(a, 5, b);
  EXPECT_EQ(rows(b), expected);
  open();
  EXPECT_EQ(rows(b), expected);
}

// A checkpoint names the rows' file no more while a record that it does not cover does.
TEST_F(PartitionMoveTest, FilesStayForTheLogAlone) {
  const TableId a = create("a"), b = create("b");
  insert(a, 5, 20'000);
  database_->checkpoint();
  move(a, 5, b);
  const std::vector<std::string> expected = rows(b);
  {
    auto t = database_->begin();
    t->truncate(b);
    t->commit(true);
  }
  open();
  EXPECT_EQ(table(b)->row_count, 0u);
  {
    auto t = database_->begin();
    t->restore(
        b, database_->find_version(database_->snapshot(), b, VersionNumberTarget{VersionNumber{1}}).version);
    t->commit(true);
  }
  EXPECT_EQ(rows(b), expected);
  open();
  EXPECT_EQ(rows(b), expected);
}

// A load and the swap that shows it, in one transaction.
TEST_F(PartitionMoveTest, RowsOfTheSameTransaction) {
  const TableId a = create("a"), b = create_reordered("b");
  insert(b, 5, 100, "Q");
  {
    auto t = database_->begin();
    const auto schema = t->schema_view().table(a)->schema;
    ColumnBatch batch(schema);
    for (uint32_t i = 0; i < 200'000; ++i) {
      batch.column(0).append<int64_t>(5 * kDay + i * int64_t{100'000});
      batch.column(1).append_string("T" + std::to_string(i % 3));
      batch.column(2).append(static_cast<double>(i));
      batch.column(3).append_null();
    }
    t->insert(a, std::move(batch));
    t->move_partition(a, 5 * kDay, b, true);
    t->commit(true);
  }
  EXPECT_EQ(table(b)->row_count, 200'000u);
  EXPECT_EQ(table(a)->row_count, 0u);
  const auto owners = owners_of(*table(b), 0);
  EXPECT_TRUE(std::count(owners.begin(), owners.end(), static_cast<uint32_t>(a)) > 0);
  const std::vector<std::string> expected = rows(b);
  open();
  EXPECT_EQ(rows(b), expected);
  database_->checkpoint();
  open();
  EXPECT_EQ(rows(b), expected);
}

TEST_F(PartitionMoveTest, RowsInMemory) {
  const TableId a = create("a"), b = create_reordered("b");
  insert(a, 5, 2'500);
  const std::vector<std::string> expected = rows(a);
  move(a, 5, b);
  EXPECT_EQ(rows(b), expected);
  open();
  EXPECT_EQ(rows(b), expected);
  EXPECT_EQ(table(a)->row_count, 0u);
  // Segments and memory side by side.
  database_->checkpoint();
  insert(b, 5, 2'600);
  move(b, 5, a);
  open();
  EXPECT_EQ(table(a)->row_count, 2'600u);
}

TEST_F(PartitionMoveTest, WhatOthersWroteMeanwhileIsNotLost) {
  const TableId a = create("a"), b = create("b");
  insert(a, 5, 100);
  database_->checkpoint();
  auto t = database_->begin();
  t->move_partition(a, 5 * kDay, b, false);
  insert(a, 5, 101);
  EXPECT_EQ(error_of([&] { t->commit(true); }), "40001");
  EXPECT_EQ(table(a)->row_count, 101u);
  // Another partition does not matter, nor does a checkpoint.
  t = database_->begin();
  t->move_partition(a, 5 * kDay, b, false);
  insert(a, 6, 1);
  insert(b, 7, 1);
  database_->checkpoint();
  t->commit(true);
  EXPECT_EQ(table(a)->row_count, 1u);
  EXPECT_EQ(table(b)->row_count, 102u);
}

// What becomes of the partition afterwards does not change that others' rows would be lost.
TEST_F(PartitionMoveTest, WhatOthersWroteIsNotLostWhenTheTableIsEmptiedToo) {
  const TableId a = create("a"), b = create("b");
  insert(a, 5, 100);
  for (const bool all : {true, false}) {
    auto t = database_->begin();
    t->move_partition(a, 5 * kDay, b, false);
    if (all) t->truncate(a);
    else t->drop_partitions(a, {5 * kDay});
    insert(a, 5, all ? 101 : 102);
    EXPECT_EQ(error_of([&] { t->commit(true); }), "40001");
    EXPECT_EQ(table(b)->row_count, 0u);
  }
}

TEST_F(PartitionMoveTest, RefusesWhatDoesNotFit) {
  const TableId a = create("a"), b = create("b"), plain = create("plain", false);
  insert(a, 5, 10);
  insert(plain, 5, 10);
  insert(b, 5, 1);
  const auto attempt = [&](TableId from, int64_t day, TableId to) {
    return error_of([&] { move(from, day, to); });
  };
  EXPECT_EQ(attempt(a, 5, a), "42P16");
  EXPECT_EQ(attempt(a, 6, b), "42704");
  EXPECT_EQ(attempt(plain, 5, b), "42P16");
  EXPECT_EQ(attempt(a, 5, b), "42710");
  move(a, 5, b, true);
  EXPECT_EQ(table(b)->row_count, 10u);
  open();
  EXPECT_EQ(table(b)->row_count, 10u);
}

}  // namespace
}  // namespace idem
