#include "storage/segment_patch.h"

#include <gtest/gtest.h>
#include <random>

#include "common/byte_io.h"
#include "common/error.h"
#include "storage/folder_check.h"
#include "tests/unit/storage/segment_samples.h"

namespace idem {
namespace {

using Kind = BlockPatch::Kind;

SegmentPatch sample() {
  SegmentPatch patch;
  patch.base = {TableId{7}, SegmentId{3}, 0};
  patch.sources = {{TableId{7}, SegmentId{3}, 1}, {TableId{7}, SegmentId{9}, 4}};
  patch.blocks = {{0,
                   {{0, Kind::kInsert, 0, 0},
                    {0, Kind::kInsert, 0, 1},
                    {0, Kind::kDelete, 0, 0},
                    {7, Kind::kReplace, 1, 99}}},
                  {5, {{2047, Kind::kReplace, 0, 2}}}};
  return patch;
}

void expect_damage(const std::string& bytes) {
  try {
    decode_segment_patch(bytes);
    FAIL() << "was read";
  } catch (const SqlError& error) { EXPECT_EQ(error.sqlstate(), sqlstate::kDataCorrupted); }
}

TEST(SegmentPatchTest, ReadsBackWhatWasWritten) {
  const SegmentPatch read = decode_segment_patch(encode_segment_patch(sample()));
  EXPECT_EQ(read.base, sample().base);
  EXPECT_EQ(read.sources, sample().sources);
  ASSERT_EQ(read.blocks.size(), 2u);
  EXPECT_EQ(read.blocks[1].index, 5u);
  ASSERT_EQ(read.blocks[0].items.size(), 4u);
  EXPECT_EQ(read.blocks[0].items[3].position, 7);
  EXPECT_EQ(read.blocks[0].items[3].source, 1u);
  EXPECT_EQ(read.blocks[0].items[3].row, 99u);
  EXPECT_EQ(read.blocks[1].items[0].row, 2u);
}

// Its rows name a source that is not there: nothing that could be encoded.
std::string without_second_source() {
  SegmentPatch patch = sample();
  std::string bytes = encode_segment_patch(patch);
  patch.blocks.clear();
  const size_t with_two = encode_segment_patch(patch).size();
  patch.sources.pop_back();
  const size_t with_one = encode_segment_patch(patch).size();
  const size_t name_bytes = with_two - with_one,
               count_at = with_one - name_bytes - 2;  // before a name and the count of blocks
  bytes[count_at] = 1;
  return bytes.erase(count_at + 1 + name_bytes, name_bytes);
}

TEST(SegmentPatchTest, HostilePatchesAreDamage) {
  const auto altered = [](auto&& change) {
    SegmentPatch patch = sample();
    change(patch);
    return encode_segment_patch(patch);
  };
  expect_damage(altered([](SegmentPatch& p) { p.blocks.clear(); }));
  expect_damage(altered([](SegmentPatch& p) { p.blocks[0].items.clear(); }));
  expect_damage(altered([](SegmentPatch& p) { p.blocks[1].index = 64; }));
  expect_damage(altered([](SegmentPatch& p) { p.blocks[1].index = 0; }));  // not ascending
  expect_damage(altered([](SegmentPatch& p) { p.blocks[1].items[0].position = 2048; }));
  expect_damage(altered([](SegmentPatch& p) { p.blocks[0].items[3].position = 0; }));  // behind a deletion
  expect_damage(altered([](SegmentPatch& p) { p.blocks[0].items[3].row = kRowGroupSize; }));
  expect_damage(without_second_source());
  expect_damage(altered([](SegmentPatch& p) {
    p.blocks[0].items.assign(BlockPatch::kMaxInsertions + 1, {3, Kind::kInsert, 0, 0});
  }));
  const std::string whole = encode_segment_patch(sample());
  for (size_t size = 0; size < whole.size(); ++size) expect_damage(whole.substr(0, size));
  expect_damage(whole + '\0');
  std::mt19937_64 random(5);
  for (int i = 0; i < 20'000; ++i) {
    std::string bytes = whole;
    for (int n = 0; n < 3; ++n) bytes[random() % bytes.size()] = static_cast<char>(random());
    try {
      const SegmentPatch patch = decode_segment_patch(bytes);
      for (const SegmentPatch::Block& block : patch.blocks) ASSERT_LT(block.index, 64u);
    } catch (const SqlError& error) { ASSERT_EQ(error.sqlstate(), sqlstate::kDataCorrupted); }
  }
}

class PatchedSegmentTest : public ::testing::Test {
 protected:
  // Row groups of 12,000 and 3 rows, and the sample patch of the first.
  void write(const SegmentPatch& patch) {
    SegmentWriter writer(files, "s", segment_samples::kDatabase, SegmentId{3}, schema, cache);
    segment_samples::add_row_group(writer, *schema, segment_samples::make_row_group(*schema, 12'288, random));
    segment_samples::add_row_group(writer, *schema, segment_samples::make_row_group(*schema, 3, random));
    writer.add_patch(encode_segment_patch(patch));
    file = writer.finish();
  }
  CheckCounts check() {
    return check_segment(files, "s", [&](const CheckFinding& finding) { last_finding = finding.text; });
  }

  SimulatedFileSystem files;
  ChunkCache cache{8 << 20};
  column_samples::Random random{11};
  std::shared_ptr<TableSchema> schema = segment_samples::make_schema({TypeId::kBigInt, TypeId::kVarchar});
  std::shared_ptr<SegmentFile> file;
  std::string last_finding;
};

TEST_F(PatchedSegmentTest, PatchesAreReadAndChecked) {
  write(sample());
  EXPECT_EQ(check().findings, 0u) << last_finding;
  const auto reopened = SegmentFile::open(files, "s", segment_samples::kIdentity, cache);
  ASSERT_EQ(reopened->footer().patches.size(), 1u);
  const SegmentPatch patch = reopened->read_patch(0);
  const std::vector<std::shared_ptr<const RowGroup>> sources = {reopened->row_group(1),
                                                                reopened->row_group(0)};
  const auto overlay = overlay_of(patch, *reopened->row_group(0), sources, reopened, 0);
  EXPECT_EQ(overlay->item_count(0, 12'288), 5u);
  EXPECT_EQ(overlay->shown_before(2048), 2049u);
  EXPECT_EQ(overlay->shown_before(1), 2u);
  EXPECT_EQ(overlay->block_showing(2048), 0u);
  EXPECT_EQ(overlay->block_showing(2049), 1u);
  // Fewer rows than the patch speaks of.
  EXPECT_THROW(overlay_of(patch, *reopened->row_group(1), sources, reopened, 0), SqlError);
  EXPECT_THROW(overlay_of(patch, *reopened->row_group(0), {sources[0], sources[0]}, reopened, 0), SqlError);
}

TEST_F(PatchedSegmentTest, EveryFlippedByteOfAPatchIsFound) {
  write(sample());
  const PatchLocation location = file->footer().patches[0];
  for (uint64_t offset = location.offset; offset < location.offset + location.size; ++offset) {
    files.flip_byte("s", offset, 0x10);
    EXPECT_GT(check().findings, 0u);
    EXPECT_THROW(file->read_patch(0), SegmentDamage);
    files.flip_byte("s", offset, 0x10);
  }
}

TEST_F(PatchedSegmentTest, RowsThatAreNotThereAreFound) {
  SegmentPatch patch = sample();
  patch.blocks[1].items[0].row = 3;
  write(patch);
  EXPECT_EQ(check().findings, 1u);
  EXPECT_NE(last_finding.find("rows that are not there"), std::string::npos) << last_finding;
}

}  // namespace
}  // namespace idem
