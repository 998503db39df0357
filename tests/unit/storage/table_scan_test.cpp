#include "storage/table_scan.h"

#include "tests/unit/storage/table_model.h"

namespace idem {
namespace {

// 10,000 rows over three days in memory, then partly in segment files.
class TableScanTest : public ::testing::TestWithParam<bool> {
 protected:
  static constexpr int64_t kStep = 25'000'000;
  static constexpr int64_t kRows = 10'000;

  void SetUp() override {
    DatabaseOptions options;
    options.background_checkpoint = false;
    options.log_segment_bytes = 1 << 20;
    database = Database::open(files, clock, "/data", options);
    auto t = database->begin();
    const TableId id = t->create_table(prices_schema(true));
    ColumnBatch& rows = t->pending_rows(id);
    for (int64_t i = 0; i < kRows; ++i) {
      rows.column(0).append(i * kStep);
      rows.column(1).append_string("A");
      rows.column(2).append(static_cast<double>(i));
      if (i < 3000) {
        rows.column(3).append_null();
      } else {
        rows.column(3).append_string("x");
      }
    }
    t->inserted_rows(id, kRows);
    t->commit(true);
    if (GetParam()) database->checkpoint();
    version = database->snapshot().table(id);
  }

  std::vector<int64_t> read(const ScanRange& range, const std::vector<ScanBound>& bounds, bool backwards,
                            uint32_t* skipped = nullptr) {
    std::vector<int64_t> found;
    ScanPlan plan = plan_scan(*version, range, bounds);
    if (backwards) std::reverse(plan.morsels.begin(), plan.morsels.end());
    for (const Morsel& morsel : plan.morsels) {
      MorselReader reader(version, morsel, &bounds, backwards);
      while (const uint32_t count = reader.next()) {
        Vector times, positions;
        reader.read(0, &times);
        reader.read_positions(&positions);
        for (uint32_t i = 0; i < count; ++i) {
          const uint32_t row = backwards ? count - 1 - i : i;
          found.push_back(times.value_at(row).as_int() / kStep);
          const RowPosition position = RowPosition::unpack(positions.value_at(row).as_int());
          uint64_t before = 0;
          for (uint32_t p = 0; p < position.partition; ++p) before += version->partitions[p]->row_count;
          EXPECT_EQ(static_cast<int64_t>(before + position.ordinal), found.back());
        }
      }
      if (skipped) *skipped += reader.vectors_skipped();
    }
    return found;
  }
  static std::vector<int64_t> numbers(int64_t first, int64_t end) {
    std::vector<int64_t> result;
    for (int64_t i = first; i < end; ++i) result.push_back(i);
    return result;
  }

  SimulatedFileSystem files;
  SettableClock clock;
  std::unique_ptr<Database> database;
  std::shared_ptr<const TableVersion> version;
};

TEST_P(TableScanTest, TimeRangesAreExact) {
  EXPECT_EQ(version->partitions.size(), 3u);
  EXPECT_EQ(read({}, {}, false), numbers(0, kRows));
  EXPECT_EQ(read({17 * kStep, 23 * kStep}, {}, false), numbers(17, 24));
  EXPECT_EQ(read({3400 * kStep + 1, 7000 * kStep - 1}, {}, false), numbers(3401, 7000));
  EXPECT_EQ(read({kRows * kStep, INT64_MAX}, {}, false), numbers(0, 0));
  EXPECT_EQ(read({5, 4}, {}, false), numbers(0, 0));
  const ScanPlan one = plan_scan(*version, {4000 * kStep, 4000 * kStep}, {});
  EXPECT_EQ(one.rows, 1u);
  EXPECT_EQ(one.partitions_read, 1u);
}

TEST_P(TableScanTest, ReadsBackwards) {
  std::vector<int64_t> expected = numbers(100, 9000);
  std::reverse(expected.begin(), expected.end());
  EXPECT_EQ(read({100 * kStep, 8999 * kStep}, {}, true), expected);
}

TEST_P(TableScanTest, SkipsVectorsByTheirBounds) {
  ScanBound bound;
  bound.column = 2;
  bound.min = std::bit_cast<int64_t>(5000.0);
  bound.max = std::bit_cast<int64_t>(5001.0);
  const std::vector<int64_t> found = read({}, {bound}, false);
  EXPECT_LE(found.size(), kVectorSize);
  EXPECT_TRUE(std::find(found.begin(), found.end(), 5000) != found.end());
  ScanBound nulls;
  nulls.column = 3;
  nulls.is_null_only = true;
  uint32_t skipped = 0;
  EXPECT_LE(read({}, {nulls}, false, &skipped).size(), 3456u);
}

INSTANTIATE_TEST_SUITE_P(InMemoryAndInSegments, TableScanTest, ::testing::Bool());

}  // namespace
}  // namespace idem
