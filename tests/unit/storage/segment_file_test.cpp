#include "storage/segment_file.h"

#include <gtest/gtest.h>
#include <thread>

#include "common/error.h"
#include "storage/folder_check.h"
#include "tests/unit/storage/segment_samples.h"

namespace idem {
namespace {

using column_samples::Random;
using segment_samples::kIdentity;
using segment_samples::RowGroupData;

void expect_group(const RowGroup& group, const TableSchema& schema, const RowGroupData& data) {
  ASSERT_EQ(group.row_count(), data.rows);
  for (size_t c = 0; c < schema.columns.size(); ++c) {
    for (uint32_t v = 0; v < data.columns[c].size(); ++v) {
      const uint32_t rows = segment_samples::rows_of_vector(data.rows, v);
      Vector read;
      group.read(schema.columns[c], v * kVectorSize, rows, &read);
      SCOPED_TRACE(schema.columns[c].name + " vector " + std::to_string(v));
      column_samples::expect_same(data.columns[c][v], read, 0, rows);
      if (testing::Test::HasFatalFailure()) return;
    }
  }
}

CheckCounts count_findings(FileSystem& files, const std::string& path) {
  return check_segment(files, path, [](const CheckFinding&) {});
}

struct SegmentTest : testing::Test {
  SimulatedFileSystem files;
  ChunkCache cache{8 << 20};
  std::shared_ptr<TableSchema> schema = segment_samples::make_schema(column_samples::all_types());
  Random random{11};
};

TEST_F(SegmentTest, ReadsBackWhatWasWritten) {
  std::vector<RowGroupData> groups;
  for (const uint32_t rows : {1u, 2048u, 2049u, 10'000u}) {
    groups.push_back(segment_samples::make_row_group(*schema, rows, random));
  }
  auto written = segment_samples::write_segment(files, "s", cache, schema, groups);
  ASSERT_EQ(written->row_group_count(), 4u);
  written.reset();
  const auto file = SegmentFile::open(files, "s", kIdentity, cache);
  for (uint32_t g = 0; g < groups.size(); ++g) {
    expect_group(*file->row_group(g), *schema, groups[g]);
    ASSERT_FALSE(HasFatalFailure());
  }
  EXPECT_EQ(file->row_group(1), file->row_group(1));
  const CheckCounts counts = count_findings(files, "s");
  EXPECT_EQ(counts.findings, 0u);
  EXPECT_EQ(counts.row_groups, 4u);
  EXPECT_EQ(counts.rows, 1u + 2048 + 2049 + 10'000);
  EXPECT_EQ(counts.bytes, file->size());
}

TEST_F(SegmentTest, AFullRowGroupTakesOneReadForEachColumn) {
  const auto narrow = segment_samples::make_schema({TypeId::kBigInt, TypeId::kDouble});
  RowGroupData data;
  data.rows = kRowGroupSize;
  data.columns.resize(2);
  for (uint32_t v = 0; v < 64; ++v) {
    data.columns[0].push_back(column_samples::sample_vector(TypeId::kBigInt, 1, 0, kVectorSize, random));
    data.columns[1].push_back(column_samples::sample_vector(TypeId::kDouble, 1, 0, kVectorSize, random));
  }
  const auto file = segment_samples::write_segment(files, "s", cache, narrow, {data});
  const uint64_t reads = files.call_count(FileOp::kRead);
  expect_group(*file->row_group(0), *narrow, data);
  EXPECT_EQ(files.call_count(FileOp::kRead) - reads, 2u);
  expect_group(*file->row_group(0), *narrow, data);
  EXPECT_EQ(files.call_count(FileOp::kRead) - reads, 2u);
  EXPECT_GT(cache.used_bytes(), 2u << 20);
}

TEST_F(SegmentTest, ReadsAnyRangeWithinAVector) {
  const std::vector<RowGroupData> groups = {segment_samples::make_row_group(*schema, 5000, random)};
  const auto file = segment_samples::write_segment(files, "s", cache, schema, groups);
  const auto group = file->row_group(0);
  Vector reused;
  for (int i = 0; i < 2000; ++i) {
    const size_t c = random() % schema->columns.size();
    const auto v = static_cast<uint32_t>(random() % 3);
    const uint32_t rows = segment_samples::rows_of_vector(5000, v);
    const auto first = static_cast<uint32_t>(random() % rows);
    const auto count = static_cast<uint32_t>(1 + random() % (rows - first));
    group->read(schema->columns[c], v * kVectorSize + first, count, &reused);
    column_samples::expect_same(groups[0].columns[c][v], reused, first, count);
    ASSERT_FALSE(HasFatalFailure()) << c << " " << v << " " << first << " " << count;
  }
}

TEST_F(SegmentTest, VectorsOutliveCacheAndFile) {
  const auto strings = segment_samples::make_schema({TypeId::kVarchar});
  RowGroupData data{kVectorSize,
                    {{column_samples::sample_vector(TypeId::kVarchar, 2, 0, kVectorSize, random)}}};
  Vector read;
  {
    ChunkCache small(0);
    const auto file = segment_samples::write_segment(files, "s", small, strings, {data});
    file->row_group(0)->read(strings->columns[0], 0, kVectorSize, &read);
  }
  column_samples::expect_same(data.columns[0][0], read, 0, kVectorSize);
}

TEST_F(SegmentTest, LargeStringsAreSplitIntoBlocks) {
  const auto strings = segment_samples::make_schema({TypeId::kText});
  std::vector<std::string> texts(6000);
  for (std::string& text : texts) {
    text.resize(1000);
    for (char& c : text) c = static_cast<char>(random());
  }
  RowGroupData data{6000, {{}}};
  for (uint32_t v = 0; v < 3; ++v) {
    const auto begin = texts.begin() + v * kVectorSize;
    data.columns[0].push_back(column_samples::make_vector<std::string_view>(
        TypeId::kText, {begin, begin + segment_samples::rows_of_vector(6000, v)}));
  }
  const auto file = segment_samples::write_segment(files, "s", cache, strings, {data});
  EXPECT_EQ(file->footer().row_groups[0].columns[0].blocks.size(), 3u);
  expect_group(*file->row_group(0), *strings, data);
  EXPECT_EQ(count_findings(files, "s").findings, 0u);
}

TEST_F(SegmentTest, AnswersAbsentColumnsWithTheirInitialValue) {
  const auto file = segment_samples::write_segment(files, "s", cache, schema,
                                                   {segment_samples::make_row_group(*schema, 100, random)});
  ColumnSchema added;
  added.id = ColumnId{99};
  added.type = TypeId::kInteger;
  added.initial = Value::of_int(TypeId::kInteger, 5);
  const auto group = file->row_group(0);
  EXPECT_FALSE(group->has_column(added.id));
  EXPECT_TRUE(group->has_column(schema->columns[0].id));
  Vector read;
  group->read(added, 10, 20, &read);
  EXPECT_EQ(read.value_at(3).as_int(), 5);
}

TEST_F(SegmentTest, RefusesColumnsOfAnotherTypeAndSymbolsOfAShorterDictionary) {
  const auto symbols = segment_samples::make_schema({TypeId::kSymbol});
  RowGroupData data{kVectorSize,
                    {{column_samples::sample_vector(TypeId::kSymbol, 1, 0, kVectorSize, random)}}};
  const auto file = segment_samples::write_segment(files, "s", cache, symbols, {data});
  ColumnSchema other = symbols->columns[0];
  Vector read;
  other.type = TypeId::kInteger;
  EXPECT_THROW(file->row_group(0)->read(other, 0, 10, &read), SegmentDamage);
  other.type = TypeId::kSymbol;
  other.dictionary = std::make_shared<SymbolDictionary>();
  other.dictionary->intern("only one");
  EXPECT_THROW(file->row_group(0)->read(other, 0, 10, &read), SegmentDamage);
  EXPECT_THROW(SegmentFile::open(files, "s", {1, SegmentId{3}, TableId{7}}, cache), SegmentDamage);
  EXPECT_THROW(SegmentFile::open(files, "s", {segment_samples::kDatabase, SegmentId{4}, TableId{7}}, cache),
               SegmentDamage);
}

TEST_F(SegmentTest, AnObsoleteFileGoesWithItsLastReader) {
  auto file = segment_samples::write_segment(files, "s", cache, schema,
                                             {segment_samples::make_row_group(*schema, 100, random)});
  std::shared_ptr<const RowGroup> group = file->row_group(0);
  file->mark_obsolete();
  file.reset();
  EXPECT_TRUE(files.exists("s").value());
  Vector read;
  group->read(schema->columns[0], 0, 100, &read);
  group.reset();
  EXPECT_FALSE(files.exists("s").value());
}

TEST_F(SegmentTest, AnUnfinishedWriterLeavesNothing) {
  {
    SegmentWriter writer(files, "s", segment_samples::kDatabase, SegmentId{3}, schema, cache);
    segment_samples::add_row_group(writer, *schema, segment_samples::make_row_group(*schema, 100, random));
    EXPECT_THROW(SegmentWriter(files, "s", segment_samples::kDatabase, SegmentId{3}, schema, cache),
                 SqlError);
  }
  EXPECT_FALSE(files.exists("s").value());
}

TEST_F(SegmentTest, EveryFailingCallIsAnErrorAndNotMore) {
  const std::vector<RowGroupData> groups = {segment_samples::make_row_group(*schema, 3000, random)};
  for (uint64_t n = 1;; ++n) {
    SimulatedFileSystem failing;
    failing.fail_nth_call(n, n % 2 == 0 ? 28 : 5);  // ENOSPC, EIO
    ChunkCache small(1 << 20);
    try {
      const auto file = segment_samples::write_segment(failing, "s", small, schema, groups);
      expect_group(*file->row_group(0), *schema, groups[0]);
      ASSERT_FALSE(HasFatalFailure());
      if (failing.call_count() < n) break;
    } catch (const SqlError& error) {
      EXPECT_TRUE(error.sqlstate() == sqlstate::kIoError || error.sqlstate() == sqlstate::kDiskFull)
          << error.message();
    }
    ASSERT_LT(n, 1000u);
  }
}

TEST_F(SegmentTest, ACorruptReadIsFound) {
  const std::vector<RowGroupData> groups = {segment_samples::make_row_group(*schema, 3000, random)};
  const auto file = segment_samples::write_segment(files, "s", cache, schema, groups);
  for (uint64_t seed = 0; seed < 100; ++seed) {
    ChunkCache none(0);
    const auto reopened = SegmentFile::open(files, "s", kIdentity, none);
    const size_t c = seed % schema->columns.size();
    files.corrupt_nth_read(1, seed);
    Vector read;
    try {
      reopened->row_group(0)->read(schema->columns[c], 0, kVectorSize, &read);
      FAIL() << seed;
    } catch (const SegmentDamage& damage) {
      EXPECT_NE(damage.message().find("damaged segment file \"s\" at offset"), std::string::npos);
    }
  }
}

// Each bit of a file, flipped: `idem check` finds it, and readers get an error or the right rows.
TEST_F(SegmentTest, EveryFlippedBitIsFound) {
  const auto mixed = segment_samples::make_schema(
      {TypeId::kTimestamp, TypeId::kSymbol, TypeId::kDouble, TypeId::kVarchar, TypeId::kInteger});
  const std::vector<RowGroupData> groups = {segment_samples::make_row_group(*mixed, 60, random)};
  const uint64_t size = segment_samples::write_segment(files, "s", cache, mixed, groups)->size();
  for (uint64_t offset = 0; offset < size; ++offset) {
    for (int bit = 0; bit < 8; ++bit) {
      const auto mask = static_cast<uint8_t>(1 << bit);
      files.flip_byte("s", offset, mask);
      ASSERT_GT(count_findings(files, "s").findings, 0u) << offset;
      try {
        ChunkCache none(0);
        const auto file = SegmentFile::open(files, "s", kIdentity, none);
        expect_group(*file->row_group(0), *mixed, groups[0]);
        ASSERT_FALSE(HasFatalFailure()) << offset;
      } catch (const SqlError& error) { ASSERT_EQ(error.sqlstate(), sqlstate::kDataCorrupted); }
      files.flip_byte("s", offset, mask);
    }
  }
  EXPECT_EQ(count_findings(files, "s").findings, 0u);
}

TEST_F(SegmentTest, CutOffFilesAreDamage) {
  const auto file = segment_samples::write_segment(files, "s", cache, schema,
                                                   {segment_samples::make_row_group(*schema, 100, random)});
  const std::string whole = read_whole_file(files, "s").value_or_throw();
  for (size_t size = 0; size < whole.size(); size += 1 + size / 50) {
    auto cut = files.open("cut", OpenMode::kOpenOrCreate).value_or_throw();
    cut->truncate(0).throw_if_error();
    cut->write_at(0, std::string_view(whole).substr(0, size)).throw_if_error();
    EXPECT_THROW(SegmentFile::open(files, "cut", kIdentity, cache), SegmentDamage) << size;
    EXPECT_EQ(count_findings(files, "cut").findings, 1u);
  }
  EXPECT_EQ(count_findings(files, "missing").findings, 1u);
}

TEST_F(SegmentTest, ManyThreadsReadOneRowGroup) {
  const std::vector<RowGroupData> groups = {segment_samples::make_row_group(*schema, 20'000, random)};
  ChunkCache small(200 << 10);  // evicts all the time
  const auto file = segment_samples::write_segment(files, "s", small, schema, groups);
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < 3; ++i) expect_group(*file->row_group(0), *schema, groups[0]);
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_LE(small.used_bytes(), small.capacity());
}

}  // namespace
}  // namespace idem
