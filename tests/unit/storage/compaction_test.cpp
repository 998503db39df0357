#include "storage/compaction.h"

#include "tests/unit/storage/storage_fixture.h"

namespace idem {
namespace {

// A row group that only has a size.
class SizedRowGroup final : public RowGroup {
 public:
  uint32_t row_count() const override { return kRowGroupSize; }
  bool in_memory() const override { return false; }
  bool has_column(ColumnId) const override { return false; }
  void read(const ColumnSchema& column, uint32_t, uint32_t, Vector* out) const override {
    read_initial(column, out);
  }
  VectorStatistics statistics(ColumnId, uint32_t) const override { return {}; }
  uint64_t disk_bytes() const override { return 0; }
  uint64_t memory_bytes() const override { return 0; }
};

Partition partition_of(const std::vector<uint32_t>& rows) {
  Partition partition;
  for (const uint32_t count : rows)
    partition.slices.push_back({std::make_shared<SizedRowGroup>(), 0, count, nullptr});
  return partition;
}

std::shared_ptr<const Overlay> deletions(uint32_t count) {
  Overlay::Blocks blocks;
  while (count > 0) {
    BlockPatchBuilder patch;
    for (uint32_t i = 0; i < 200 && count > 0; ++i, --count) patch.add_deletion(i);
    blocks.push_back(patch.finish());
  }
  return Overlay::make(std::move(blocks));
}

std::vector<std::pair<size_t, size_t>> plan(const Partition& partition, uint64_t budget = 8 * kRowGroupSize) {
  std::vector<std::pair<size_t, size_t>> runs;
  for (const SliceRun& run : plan_compaction(partition, &budget)) runs.emplace_back(run.first, run.end);
  return runs;
}

using Runs = std::vector<std::pair<size_t, size_t>>;

TEST(CompactionPlanTest, LeavesWellFilledRowGroups) {
  EXPECT_EQ(plan(partition_of({kRowGroupSize, kRowGroupSize, 20'000})), Runs());
  EXPECT_EQ(plan(partition_of({100'000, 131'000, 99'000})), Runs());
  EXPECT_EQ(plan(partition_of({5})), Runs());
}

TEST(CompactionPlanTest, JoinsFragmentsUpToWhatIsFilled) {
  EXPECT_EQ(plan(partition_of({kRowGroupSize, 40'000, 9'000, 70'000, kRowGroupSize, 20'000})),
            (Runs{{1, 4}}));
  EXPECT_EQ(plan(partition_of({2'048, 2'048, 2'048})), (Runs{{0, 3}}));
  // One fragment between others gives nothing, wherever its rows go.
  EXPECT_EQ(plan(partition_of({kRowGroupSize, 50'000, kRowGroupSize, kRowGroupSize})), Runs());
}

TEST(CompactionPlanTest, FoldsOverlaysThatAreLarge) {
  Partition partition = partition_of({kRowGroupSize, kRowGroupSize, kRowGroupSize});
  partition.slices[1].overlay = deletions(500);
  EXPECT_EQ(plan(partition), Runs());
  partition.slices[1].overlay = deletions(2'000);
  EXPECT_EQ(plan(partition), (Runs{{1, 2}}));
}

TEST(CompactionPlanTest, StaysWithinItsBudget) {
  const Partition partition = partition_of(std::vector<uint32_t>(100, 10'000));
  uint64_t budget = 200'000;
  const auto runs = plan_compaction(partition, &budget);
  ASSERT_EQ(runs.size(), 1u);
  EXPECT_EQ(runs[0].end, 20u);
  EXPECT_EQ(budget, 0u);
}

// A partition in many pieces becomes one sorted run once nobody writes it, and not before.
TEST(CompactionTest, WhatIsNoLongerWrittenBecomesOneRun) {
  SimulatedFileSystem files;
  SettableClock clock;
  DatabaseOptions options;
  options.background_checkpoint = false;
  options.log_segment_bytes = 1 << 20;
  auto database = Database::open(files, clock, "/data", options);
  auto t = database->begin();
  const TableId id = t->create_table(prices_schema(true));
  t->commit(true);
  const auto write = [&](int64_t first, int64_t step, int64_t count) {
    auto transaction = database->begin();
    ColumnBatch& rows = transaction->pending_rows(id);
    for (int64_t i = 0; i < count; ++i) {
      rows.column(0).append((first + i * step) * 100'000);
      rows.column(1).append_string("A");
      rows.column(2).append(static_cast<double>(i));
      rows.column(3).append_null();
    }
    transaction->inserted_rows(id, static_cast<uint32_t>(count));
    transaction->commit(true);
  };
  const auto partition = [&] { return database->snapshot().table(id)->partitions[0]; };
  const auto group_of_first = [&] { return partition()->slices[0].group; };
  // Odd times, then dense and sparse ones in between.
  write(1, 2, 200'000);
  database->checkpoint();
  write(100'000, 2, 30'000);
  database->checkpoint();
  write(0, 150, 2'000);
  database->checkpoint();
  const std::vector<std::string> rows = rows_of(database->snapshot().table(id));
  ASSERT_EQ(rows.size(), 231'600u);  // 400 times were there already
  const auto version = database->snapshot().table(id)->version;
  for (int i = 0; i < 3; ++i) database->checkpoint();
  EXPECT_EQ(partition()->slices.size(), 2u);
  for (const Slice& slice : partition()->slices) EXPECT_EQ(slice.overlay, nullptr);
  EXPECT_EQ(partition()->slices[0].rows(), kRowGroupSize);
  EXPECT_EQ(rows_of(database->snapshot().table(id)), rows);
  EXPECT_EQ(database->snapshot().table(id)->version, version);
  // Then it stays so.
  auto group = group_of_first();
  for (int i = 0; i < 2; ++i) database->checkpoint();
  EXPECT_EQ(group_of_first(), group);
  group.reset();  // it must not outlive its database
  database.reset();
  database = Database::open(files, clock, "/data", options);
  EXPECT_EQ(rows_of(database->snapshot().table(id)), rows);
}

}  // namespace
}  // namespace idem
