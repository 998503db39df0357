// Tables by the thousand: what they share, and what a start does not read.

#include <algorithm>

#include "common/error.h"
#include "storage/retention.h"
#include "storage/segment_file.h"
#include "tests/unit/storage/storage_fixture.h"

namespace idem {
namespace {

class ManyTablesTest : public ::testing::Test {
 protected:
  void SetUp() override { open(); }
  void open() {
    database.reset();
    DatabaseOptions options;
    options.background_checkpoint = false;
    database = Database::open(files, clock, "/data", options);
  }
  std::vector<TableId> create(uint32_t count) {
    std::vector<TableId> ids;
    auto t = database->begin();
    for (uint32_t i = 0; i < count; ++i) {
      TableSchema schema = prices_schema(true);
      schema.name = fmt::format("t{}", i);
      ids.push_back(t->create_table(schema));
    }
    t->commit(true);
    return ids;
  }
  void insert(TableId table, uint32_t first, uint32_t rows, uint32_t symbols = 5) {
    auto t = database->begin();
    ColumnBatch batch(t->schema_view().table(table)->schema);
    for (uint32_t i = first; i < first + rows; ++i) {
      batch.column(0).append<int64_t>(i * int64_t{1'000'000});
      batch.column(1).append_string(fmt::format("symbol {}", i % symbols));
      batch.column(2).append(static_cast<double>(i));
      batch.column(3).append_null();
    }
    t->insert(table, std::move(batch));
    t->commit(true);
  }
  std::vector<std::string> rows(TableId table) { return rows_of(database->snapshot().table(table)); }
  size_t entries(const std::string& folder) const {
    const IoResult<std::vector<DirectoryEntry>> found = files.list("/data/tables" + folder);
    return found.ok() ? found.value().size() : 0;
  }

  mutable SimulatedFileSystem files;
  SettableClock clock;
  std::unique_ptr<Database> database;
};

TEST_F(ManyTablesTest, SmallOnesShareAFile) {
  const std::vector<TableId> ids = create(100);
  for (const TableId id : ids) insert(id, 0, 10);
  insert(ids[7], 0, 20'000);  // too much for the shared file
  std::vector<std::vector<std::string>> expected;
  for (const TableId id : ids) expected.push_back(rows(id));
  database->checkpoint();
  EXPECT_EQ(entries("/0"), 1u);
  EXPECT_EQ(entries(""), 2u);  // that folder and the one of the large table
  for (int round = 0; round < 2; ++round) {
    for (size_t i = 0; i < ids.size(); ++i) EXPECT_EQ(rows(ids[i]), expected[i]);
    open();
  }
}

TEST_F(ManyTablesTest, AFileThatHardlyAnythingIsLeftOfIsGivenBack) {
  const std::vector<TableId> ids = create(20);
  for (const TableId id : ids) insert(id, 0, 100);
  database->checkpoint();
  EXPECT_EQ(entries("/0"), 1u);
  const auto expected = rows(ids[3]);
  for (const TableId id : ids) {
    if (id == ids[3]) continue;
    auto t = database->begin();
    t->drop_table(id);
    t->commit(true);
  }
  RetentionRequest all;
  all.retain_micros = 0;
  clock.advance_micros(1'000'000);
  database->vacuum(all);
  database->vacuum(all);
  EXPECT_EQ(entries("/0"), 0u);
  EXPECT_EQ(rows(ids[3]), expected);
  open();
  EXPECT_EQ(rows(ids[3]), expected);
}

// Row groups that nobody shows any more count as long as their file is there; what else is in it is written anew.
TEST_F(ManyTablesTest, WhatDroppedPartitionsLeaveInAFileIsGivenBack) {
  const std::vector<TableId> ids = create(1);
  const int64_t day = 86'400'000'000;
  insert(ids[0], 0, 300'000);  // three and a half days, one file
  {
    auto t = database->begin();
    t->drop_partitions(ids[0], {day, 2 * day, 3 * day});
    t->commit(true);
  }
  const auto expected = rows(ids[0]);
  ASSERT_EQ(expected.size(), 86'400u);
  const uint64_t with_unused = database->table_disk_bytes(ids[0]);
  RetentionRequest all;
  all.retain_micros = 0;
  all.gives_back_log = true;
  clock.advance_micros(1'000'000);
  database->vacuum(all);
  EXPECT_EQ(rows(ids[0]), expected);
  EXPECT_LT(database->table_disk_bytes(ids[0]), with_unused / 2);
  EXPECT_EQ(entries(fmt::format("/{}", static_cast<uint32_t>(ids[0]))), 1u);
  open();
  EXPECT_EQ(rows(ids[0]), expected);
}

TEST_F(ManyTablesTest, AStartReadsNoFooters) {
  const std::vector<TableId> ids = create(3);
  insert(ids[0], 0, 20'000, 3'000);  // its dictionary is a file
  insert(ids[1], 0, 10);
  insert(ids[2], 0, 10);
  std::vector<std::vector<std::string>> expected;
  for (const TableId id : ids) expected.push_back(rows(id));
  database->checkpoint();
  EXPECT_EQ(entries(fmt::format("/{}", static_cast<uint32_t>(ids[0]))), 2u);
  const auto path_of = [&](TableId id) {
    const auto& group =
        static_cast<const SegmentRowGroup&>(*database->snapshot().table(id)->partitions[0]->slices[0].group);
    return group.file().path();
  };
  const std::string damaged = path_of(ids[0]);
  const uint64_t size = files.file_size(damaged).value_or_throw();
  files.flip_byte(damaged, size - 40, 1);
  open();  // does not look at it
  EXPECT_EQ(rows(ids[1]), expected[1]);
  EXPECT_THROW(rows(ids[0]), SqlError);
  files.flip_byte(damaged, size - 40, 1);
  EXPECT_EQ(rows(ids[0]), expected[0]);
  // More symbols behind those that are there.
  open();
  insert(ids[0], 20'000, 3'000, 4'000);
  const auto more = rows(ids[0]);
  database->checkpoint();
  open();
  EXPECT_EQ(rows(ids[0]), more);
}

TEST_F(ManyTablesTest, AFileThatIsGoneIsMetAtTheStart) {
  const std::vector<TableId> ids = create(3);
  for (const TableId id : ids) insert(id, 0, 10);
  database->checkpoint();
  database.reset();
  const auto found = files.list("/data/tables/0").value_or_throw();
  files.remove("/data/tables/0/" + found.at(0).name).throw_if_error();
  try {
    open();
    FAIL();
  } catch (const SqlError& error) {
    EXPECT_EQ(error.sqlstate(), sqlstate::kDataCorrupted) << error.message();
  }
}

// A dictionary moves from the manifest into a file when it grows.
TEST_F(ManyTablesTest, DictionariesGrowOutOfTheManifest) {
  const std::vector<TableId> ids = create(2);
  const std::string folder = fmt::format("/{}", static_cast<uint32_t>(ids[0]));
  insert(ids[1], 0, 1);
  for (uint32_t symbols = 10; symbols < 1'000; symbols *= 4) {
    insert(ids[0], 0, 2'000, symbols);
    database->checkpoint();
    const auto expected = rows(ids[0]);
    open();
    EXPECT_EQ(rows(ids[0]), expected);
  }
  EXPECT_GE(entries(folder), 1u);
}

}  // namespace
}  // namespace idem
