// Partitions under random changes, most of them sparse, compared with a plain list of rows: read forwards, backwards and
// by position, and moved to segment files while changes go on.

#include "storage/overlay.h"

#include "common/error.h"
#include "storage/overlay_writer.h"
#include "storage/partition_change.h"
#include "storage/stored_rows.h"
#include "tests/unit/storage/table_model.h"

namespace idem {
namespace {

class ChangedPartition {
  SimulatedFileSystem files_;  // outlives what reads it
  ChunkCache cache_{4 << 20};

 public:
  explicit ChangedPartition(uint64_t seed) : maker_(seed, 1000, 40) {
    TableSchema schema = model_schema(Shape::kNoOrder);
    schema.id = TableId{1};
    for (ColumnSchema& column : schema.columns) {
      column.id = static_cast<ColumnId>(schema.next_column_id++);
      if (column.type.id == TypeId::kSymbol) column.dictionary = std::make_shared<SymbolDictionary>();
    }
    context_.schema = schema_ = std::make_shared<const TableSchema>(schema);
    context_.account = std::make_shared<std::atomic<uint64_t>>(0);
    context_.content_ids = std::make_shared<std::atomic<uint64_t>>(0);
  }

  struct State {
    std::shared_ptr<const Partition> partition;
    std::vector<std::string> rows;
  };
  State state;

  uint64_t below(uint64_t n) { return maker_.below(n); }

  void append(uint32_t count) {
    PartitionChange change;
    change.positions.insert(state.rows.size(), count);
    apply(std::move(change), count);
  }

  // About `items` rows of [begin, end) change.
  void change(uint64_t begin, uint64_t end, uint64_t items) {
    std::map<uint64_t, uint64_t> kinds;  // by ordinal
    for (uint64_t i = 0; i < items && begin < end; ++i) kinds[begin + below(end - begin)] = below(6);
    PartitionChange change;
    uint32_t rows = 0;
    for (const auto& [ordinal, kind] : kinds) {
      if (kind == 0 || kind == 5) {
        const uint64_t count = 1 + below(3);
        change.positions.insert(ordinal, count);
        rows += static_cast<uint32_t>(count);
      }
      if (kind == 1 || kind == 2) change.positions.replaced.push_back(ordinal);
      if (kind >= 3) change.positions.deleted.push_back(ordinal);
    }
    for (size_t i = 0; i < change.positions.replaced.size(); ++i) change.replaced_rows.push_back(rows++);
    apply(std::move(change), rows);
  }

  void remove(uint64_t begin, uint64_t end) {
    PartitionChange change;
    for (uint64_t i = begin; i < end; ++i) change.positions.deleted.push_back(i);
    apply(std::move(change), 0);
  }

  void expect_rows(const std::shared_ptr<const Partition>& partition,
                   const std::vector<std::string>& expected) {
    auto version = std::make_shared<TableVersion>();
    version->schema = schema_;
    replace_partition(version.get(), INT64_MIN, partition);
    expect_same(exact_rows_of(version), expected);
    uint64_t left = expected.size();
    ScanPlan plan = plan_scan(*version, {}, {});
    std::reverse(plan.morsels.begin(), plan.morsels.end());
    for (const Morsel& morsel : plan.morsels) {
      MorselReader reader(version, morsel, nullptr, true);
      while (const uint32_t count = reader.next()) {
        ASSERT_LE(count, kVectorSize);
        Vector positions;
        reader.read_positions(&positions);
        std::vector<Vector> columns(schema_->columns.size());
        for (uint32_t c = 0; c < columns.size(); ++c) reader.read(c, &columns[c]);
        for (uint32_t i = count; i-- > 0;) {
          --left;
          ASSERT_EQ(RowPosition::unpack(positions.value_at(i).as_int()).ordinal, left);
          TableModel::Row values;
          for (const Vector& column : columns) values.push_back(column.value_at(i));
          ASSERT_EQ(TableModel::text_of(values), expected[left]) << left;
        }
      }
    }
    ASSERT_EQ(left, 0u);
    if (!partition) return;
    ASSERT_EQ(partition->row_count, expected.size());
    StoredRows rows(partition, schema_);
    for (int i = 0; i < 200; ++i) {
      const uint64_t ordinal = below(expected.size());
      rows.move_to(ordinal);
      TableModel::Row values;
      for (uint32_t c = 0; c < schema_->columns.size(); ++c) {
        values.push_back(rows.vector(c).value_at(rows.row_in_block(ordinal)));
      }
      ASSERT_EQ(TableModel::text_of(values), expected[ordinal]) << ordinal;
    }
  }
  void expect_rows() { expect_rows(state.partition, state.rows); }

  // Encodes slices of a state: those in memory, and those that `fold` says; overlays of the others are written as patches.
  void encode(const State& from, bool fold, RowMoves* moves) {
    const auto id = static_cast<SegmentId>(next_segment_++);
    SegmentWriter writer(files_, fmt::format("s{}", static_cast<uint64_t>(id)), 1, id, schema_, cache_);
    OverlayWriter overlays;
    std::vector<std::pair<Slice, uint32_t>> written;
    for (const Slice& slice : from.partition->slices) {
      if (!slice.group->in_memory() && !(fold && slice.overlay)) {
        overlays.add(slice);
        continue;
      }
      if (slice.group->in_memory()) {
        const_cast<MemoryRowGroup&>(static_cast<const MemoryRowGroup&>(*slice.group)).seal();
      }
      const uint32_t rows = slice.rows();
      ASSERT_LE(rows, kRowGroupSize);
      SliceReader reader;
      reader.open(slice);
      written.emplace_back(slice, writer.row_group_count());
      writer.add_row_group(rows, [&](const ColumnSchema& column, uint32_t vector, Vector* out) {
        auto joined = std::make_shared<BatchColumn>(column.type, column.dictionary);
        for (uint32_t row = vector * kVectorSize, end = std::min(rows, row + kVectorSize); row < end;) {
          const uint32_t count = std::min(end, reader.piece_at(row).end) - row;
          Vector part;
          reader.read(column, row, count, &part);
          joined->append_vector(part, {nullptr, count});
          row += count;
        }
        *out = joined->slice(0, joined->size());
        out->owner = joined;
      });
    }
    if (written.empty() && overlays.empty()) return;
    overlays.write(&writer);
    const auto file = writer.finish();
    for (const auto& [slice, group] : written)
      moves->add_slice(slice, {{file->row_group(group), 0, slice.rows()}});
    overlays.note_moves(file, moves);
  }

  const TableSchema& schema() const { return *schema_; }
  uint64_t items() const {
    uint64_t count = 0;
    for (const Slice& slice : state.partition->slices) {
      if (slice.overlay) count += slice.overlay->item_count(slice.begin, slice.end);
    }
    return count;
  }

 private:
  static void expect_same(const std::vector<std::string>& stored, const std::vector<std::string>& expected) {
    for (size_t i = 0; i < std::min(stored.size(), expected.size()); ++i) {
      ASSERT_EQ(stored[i], expected[i]) << "row " << i;
    }
    ASSERT_EQ(stored.size(), expected.size());
  }

  void apply(PartitionChange change, uint32_t new_rows) {
    if (change.positions.empty()) return;
    change.first_inserted = 0;
    auto batch = std::make_shared<ColumnBatch>(schema_);
    std::vector<std::string> texts;
    for (uint32_t i = 0; i < new_rows; ++i) {
      const TableModel::Row row = maker_.row();
      append_row(batch.get(), row);
      texts.push_back(TableModel::text_of(row));
    }
    change.rows = batch;
    std::vector<std::string> after;
    const PositionDelta& delta = change.positions;
    size_t d = 0, r = 0, n = 0;
    for (uint64_t i = 0; i <= state.rows.size(); ++i) {
      if (n < delta.inserted.size() && delta.inserted[n].before == i) {
        const PositionDelta::InsertRun& run = delta.inserted[n++];
        for (uint64_t k = 0; k < run.count; ++k) after.push_back(texts[run.first + k]);
      }
      if (i == state.rows.size()) break;
      if (d < delta.deleted.size() && delta.deleted[d] == i) {
        ++d;
      } else if (r < delta.replaced.size() && delta.replaced[r] == i) {
        after.push_back(texts[change.replaced_rows[r++]]);
      } else {
        after.push_back(state.rows[i]);
      }
    }
    state.partition = apply_change(state.partition, change, context_);
    state.rows = std::move(after);
  }

  RowMaker maker_;
  std::shared_ptr<const TableSchema> schema_;
  WriteContext context_;
  uint64_t next_segment_ = 1;
};

TEST(OverlayTest, FewChangesOfManyBlocksStayPatches) {
  ChangedPartition table(1);
  table.append(20'000);
  const auto before = table.state;
  table.change(0, 20'000, 300);
  table.expect_rows();
  EXPECT_EQ(table.state.partition->slices.size(), 1u);
  EXPECT_EQ(table.state.partition->slices[0].group, before.partition->slices[0].group);
  EXPECT_GT(table.items(), 250u);
  table.expect_rows(before.partition, before.rows);
  // What another change does not touch is shared.
  const Overlay& first = *table.state.partition->slices[0].overlay;
  const auto kept = table.state;
  table.change(100, 300, 3);
  const Overlay& second = *table.state.partition->slices[0].overlay;
  EXPECT_NE(first.patch(0), second.patch(0));
  for (uint32_t b = 1; b < 9; ++b) EXPECT_EQ(first.patch(b), second.patch(b));
  table.expect_rows();
}

TEST(OverlayTest, ManyChangesOfOneBlockCutTheSlice) {
  ChangedPartition table(2);
  table.append(20'000);
  table.change(5000, 6000, 600);
  EXPECT_EQ(table.state.partition->slices.size(), 3u);
  EXPECT_EQ(table.items(), 0u);
  table.expect_rows();
  // Patches of the parts that stay are kept.
  table.change(0, 4000, 10);
  table.change(9000, 20'000, 20);
  const uint64_t items = table.items();
  EXPECT_GT(items, 20u);
  table.change(4100, 6000, 700);
  EXPECT_EQ(table.items(), items);
  table.expect_rows();
}

TEST(OverlayTest, ABlockWithoutRowsIsNotKept) {
  ChangedPartition table(3);
  table.append(10'000);
  table.remove(2048, 4096);
  EXPECT_EQ(table.state.partition->slices.size(), 2u);
  EXPECT_EQ(table.items(), 0u);
  table.expect_rows();
  table.remove(0, 5);
  table.remove(0, 100);
  EXPECT_EQ(table.items(), 105u);
  table.expect_rows();
}

TEST(OverlayTest, RowsAtTheEndGoIntoTheGrowingRowGroup) {
  ChangedPartition table(4);
  table.append(3000);
  for (int i = 0; i < 50; ++i) {
    table.change(2000, table.state.rows.size(), 2);
    table.append(100);
  }
  EXPECT_LE(table.state.partition->slices.size(), 2u);
  table.expect_rows();
}

class RandomChangesTest : public ::testing::TestWithParam<int> {};

// Versions stay what they were, whatever comes after them.
TEST_P(RandomChangesTest, KeepEveryVersion) {
  ChangedPartition table(static_cast<uint64_t>(GetParam()));
  table.append(6000);
  std::vector<ChangedPartition::State> versions;
  for (int i = 0; i < 60; ++i) {
    SCOPED_TRACE(fmt::format("step {}", i));
    const uint64_t rows = table.state.rows.size();
    switch (table.below(8)) {
      case 0: table.append(static_cast<uint32_t>(1 + table.below(500))); break;
      case 1: {
        const uint64_t begin = table.below(rows);
        table.change(begin, std::min(rows, begin + 1500), table.below(500));
        break;
      }
      case 2: {
        const uint64_t begin = table.below(rows);
        table.remove(begin, std::min(rows, begin + table.below(300)));
        break;
      }
      default: table.change(0, rows, 1 + table.below(60));
    }
    if (i % 10 == 9) versions.push_back(table.state);
  }
  for (const auto& version : versions) {
    table.expect_rows(version.partition, version.rows);
    if (testing::Test::HasFatalFailure()) return;
  }
}

// What is encoded while changes go on takes its place in whatever version there is then.
TEST_P(RandomChangesTest, MoveWithReorganizations) {
  ChangedPartition table(static_cast<uint64_t>(GetParam()) + 100);
  table.append(9000);
  std::vector<ChangedPartition::State> versions;
  uint64_t moved_versions = 0;
  for (int round = 0; round < 12; ++round) {
    SCOPED_TRACE(fmt::format("round {}", round));
    const ChangedPartition::State encoded = table.state;
    RowMoves moves;
    table.encode(encoded, table.below(3) == 0, &moves);
    for (uint64_t i = table.below(6); i > 0; --i) {
      const uint64_t rows = table.state.rows.size();
      if (table.below(4) == 0) {
        const uint64_t begin = table.below(rows);
        table.change(begin, std::min(rows, begin + 2500), 600);
      } else {
        table.change(0, rows, 1 + table.below(40));
      }
      if (table.below(3) == 0) table.append(static_cast<uint32_t>(1 + table.below(300)));
    }
    // An older version, as after a RESTORE, stays as it is or shows the same rows.
    for (const auto& version : versions) {
      const auto moved = moves.apply(*version.partition, table.schema());
      if (moved) table.expect_rows(moved, version.rows);
      if (testing::Test::HasFatalFailure()) return;
    }
    versions.push_back(table.state);
    const auto moved = moves.apply(*table.state.partition, table.schema());
    ASSERT_EQ(moved == nullptr, moves.empty());
    if (moved) {
      ++moved_versions;
      table.state.partition = moved;
      for (const Slice& slice : encoded.partition->slices) {
        for (const Slice& now : moved->slices) {
          EXPECT_TRUE(!slice.group->in_memory() || now.group != slice.group) << "still in memory";
        }
      }
    }
    table.expect_rows();
    if (testing::Test::HasFatalFailure()) return;
  }
  EXPECT_GE(moved_versions, 6u);
}

INSTANTIATE_TEST_SUITE_P(Seeds, RandomChangesTest, ::testing::Range(1, 7));

}  // namespace
}  // namespace idem
