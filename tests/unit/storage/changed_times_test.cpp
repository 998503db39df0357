// In which times two versions of a table may differ, by what they share.

#include "storage/changed_times.h"

#include "tests/unit/storage/storage_fixture.h"

namespace idem {
namespace {

constexpr int64_t kDay = int64_t{86'400} * 1'000'000;

class ChangedTimesTest : public ::testing::Test {
 protected:
  void SetUp() override {
    open();
    auto t = database_->begin();
    table_ = t->create_table(prices_schema(false));
    t->commit(true);
  }
  void open() {
    database_.reset();
    DatabaseOptions options;
    options.background_checkpoint = false;
    options.log_segment_bytes = 1 << 20;
    database_ = Database::open(files_, clock_, "/data", options);
  }
  std::shared_ptr<const TableVersion> now() { return database_->snapshot().table(table_); }
  void insert(int64_t from, int64_t to, int64_t step) {
    auto t = database_->begin();
    ColumnBatch batch(t->schema_view().table(table_)->schema);
    for (int64_t time = from; time <= to; time += step) {
      batch.column(0).append(time);
      batch.column(1).append_string("A");
      batch.column(2).append(1.0);
      batch.column(3).append_null();
    }
    t->insert(table_, std::move(batch));
    t->commit(true);
  }
  void remove(uint32_t partition, uint64_t ordinal) {
    auto t = database_->begin();
    t->remove(table_, {{partition, ordinal}});
    t->commit(true);
  }

  SimulatedFileSystem files_;
  SettableClock clock_;
  std::unique_ptr<Database> database_;
  TableId table_{};
};

using Ranges = std::vector<TimeRange>;

TEST_F(ChangedTimesTest, NothingWhereNothingChanged) {
  insert(0, 100, 1);
  const auto before = now();
  EXPECT_EQ(changed_times(*before, *now()), Ranges());
  database_->checkpoint();
  EXPECT_EQ(changed_times(*before, *now()), Ranges());
}

TEST_F(ChangedTimesTest, WhatIsAppendedComesBehindTheLastRow) {
  insert(0, 100, 1);
  const auto before = now();
  insert(150, 200, 10);
  EXPECT_EQ(changed_times(*before, *now()), (Ranges{{100, 200}}));
}

TEST_F(ChangedTimesTest, OtherPartitionsStayAsTheyAre) {
  for (int64_t day = 0; day < 5; ++day) insert(day * kDay, day * kDay + 1'000, 10);
  const auto before = now();
  remove(2, 5);
  insert(7 * kDay, 7 * kDay + 5, 1);
  EXPECT_EQ(changed_times(*before, *now()), (Ranges{{2 * kDay, 2 * kDay + 1'000}, {7 * kDay, 7 * kDay + 5}}));
  auto t = database_->begin();
  t->drop_partitions(table_, {kDay});
  t->commit(true);
  EXPECT_EQ(changed_times(*before, *now()),
            (Ranges{{kDay, kDay + 1'000}, {2 * kDay, 2 * kDay + 1'000}, {7 * kDay, 7 * kDay + 5}}));
}

// A version that is kept, over a checkpoint and a start, still shares its untouched partitions with the newest.
TEST_F(ChangedTimesTest, KeptVersionsOverAStart) {
  for (int64_t day = 0; day < 5; ++day) insert(day * kDay, day * kDay + 1'000, 10);
  const VersionNumber read = now()->version;
  {
    auto t = database_->begin();
    MaterializedView view;
    TableSchema schema = prices_schema(false);
    schema.name = "view";
    view.table = t->create_table(schema);
    view.sources = {{table_, read}};
    t->put_materialized_view(
        view, {database_->find_version(database_->snapshot(), table_, VersionNumberTarget{read})});
    t->commit(true);
  }
  insert(2 * kDay + 500, 2 * kDay + 505, 1);
  for (const bool with_checkpoint : {false, true}) {
    if (with_checkpoint) database_->checkpoint();
    open();
    const auto before =
        database_->find_version(database_->snapshot(), table_, VersionNumberTarget{read}).version;
    const auto changed = changed_times(*before, *now());
    ASSERT_TRUE(changed);
    ASSERT_EQ(changed->size(), 1u);
    EXPECT_GE(changed->front().min, 2 * kDay);
    EXPECT_LE(changed->front().max, 2 * kDay + 1'000);
    EXPECT_EQ(database_->snapshot().catalog->materialized_views.size(), 1u);
  }
}

TEST_F(ChangedTimesTest, UnknownForOtherColumns) {
  insert(0, 10, 1);
  const auto before = now();
  TableSchema schema = *before->schema;
  schema.columns[2].name = "cost";
  auto t = database_->begin();
  t->alter_table(table_, schema);
  t->commit(true);
  EXPECT_EQ(changed_times(*before, *now()), std::nullopt);
}

TEST_F(ChangedTimesTest, RefreshesOfOneStateExcludeEachOther) {
  MaterializedView view;
  {
    auto t = database_->begin();
    TableSchema schema = prices_schema(false);
    schema.name = "view";
    view.table = t->create_table(schema);
    t->put_materialized_view(view, {});
    t->commit(true);
  }
  auto first = database_->begin(), second = database_->begin();
  view.generation = 1;
  first->put_materialized_view(view, {});
  second->put_materialized_view(view, {});
  first->commit(true);
  try {
    second->commit(true);
    FAIL() << "expected 40001";
  } catch (const SqlError& error) { EXPECT_EQ(error.sqlstate(), sqlstate::kSerializationFailure); }
  auto drop = database_->begin();
  drop->drop_table(view.table);
  drop->commit(true);
  EXPECT_TRUE(database_->snapshot().catalog->materialized_views.empty());
  auto undrop = database_->begin();
  undrop->undrop_table(view.table, "public", "view");
  undrop->commit(true);
  open();
  ASSERT_NE(database_->snapshot().catalog->materialized_view(view.table), nullptr);
  EXPECT_EQ(database_->snapshot().catalog->materialized_view(view.table)->generation, 2u);
}

}  // namespace
}  // namespace idem
