#include "storage/segment_patch.h"

#include "common/byte_io.h"
#include "common/error.h"
#include "storage/segment_footer.h"

namespace idem {

namespace {

using Kind = BlockPatch::Kind;

constexpr uint32_t kMaxBlocks = kRowGroupSize / kVectorSize;
constexpr size_t kRowGroupNameBytes = 13, kMinBlockBytes = 3;

void write_name(ByteWriter& out, const SegmentPatch::RowGroupName& name) {
  out.u32(static_cast<uint32_t>(name.table));
  out.u64(static_cast<uint64_t>(name.segment));
  out.varint(name.row_group);
}

uint32_t read_number(ByteReader& in, uint64_t limit, std::string_view why) {
  const uint64_t number = in.varint();
  if (number >= limit) throw_damaged(why);
  return static_cast<uint32_t>(number);
}

SegmentPatch::RowGroupName read_name(ByteReader& in) {
  SegmentPatch::RowGroupName name;
  name.table = static_cast<TableId>(in.u32());
  name.segment = static_cast<SegmentId>(in.u64());
  name.row_group = read_number(in, UINT32_MAX, "impossible row group of a patch");
  return name;
}

// Rows mostly follow each other: each is written as its distance from the row after the last one of its source.
class NextRows {
 public:
  explicit NextRows(size_t sources) : next_(sources) {}
  int64_t distance(uint32_t source, uint32_t row) {
    const int64_t distance = int64_t{row} - next_[source];
    next_[source] = int64_t{row} + 1;
    return distance;
  }
  uint32_t row(uint32_t source, int64_t distance) {
    if (distance < -int64_t{kRowGroupSize} || distance > int64_t{kRowGroupSize})
      throw_damaged("impossible row of a patch");
    const int64_t row = next_[source] + distance;
    if (row < 0 || row >= int64_t{kRowGroupSize}) throw_damaged("impossible row of a patch");
    next_[source] = row + 1;
    return static_cast<uint32_t>(row);
  }

 private:
  std::vector<int64_t> next_;
};

}  // namespace

std::string encode_segment_patch(const SegmentPatch& patch) {
  std::string bytes;
  ByteWriter out(bytes);
  write_name(out, patch.base);
  out.varint(patch.sources.size());
  for (const SegmentPatch::RowGroupName& source : patch.sources) write_name(out, source);
  NextRows rows(patch.sources.size());
  out.varint(patch.blocks.size());
  uint32_t next_block = 0;
  for (const SegmentPatch::Block& block : patch.blocks) {
    out.varint(block.index - next_block);
    next_block = block.index + 1;
    out.varint(block.items.size());
    uint32_t position = 0;
    for (const SegmentPatch::Item& item : block.items) {
      out.varint(uint64_t{item.position - position} * 4 + static_cast<uint64_t>(item.kind));
      position = item.position;
      if (item.kind == BlockPatch::Kind::kDelete) continue;
      out.varint(item.source);
      out.signed_varint(rows.distance(item.source, item.row));
    }
  }
  return bytes;
}

SegmentPatch decode_segment_patch(std::string_view bytes) {
  ByteReader in(bytes, "patch");
  SegmentPatch patch;
  patch.base = read_name(in);
  patch.sources.resize(in.count(kRowGroupNameBytes));
  for (SegmentPatch::RowGroupName& source : patch.sources) source = read_name(in);
  NextRows rows(patch.sources.size());
  patch.blocks.resize(in.count(kMinBlockBytes));
  if (patch.blocks.empty()) throw_damaged("a patch of nothing");
  uint32_t next_block = 0;
  for (SegmentPatch::Block& block : patch.blocks) {
    block.index = next_block + read_number(in, kMaxBlocks, "impossible block of a patch");
    if (block.index >= kMaxBlocks) throw_damaged("impossible block of a patch");
    next_block = block.index + 1;
    const size_t count = in.count();
    if (count == 0 || count > BlockPatch::kMaxItems) throw_damaged("impossible number of items of a patch");
    block.items.reserve(count);
    uint32_t position = 0, insertions = 0;
    bool base_row_done = false;  // nothing may follow at this position
    for (size_t i = 0; i < count; ++i) {
      const uint64_t step_and_kind = in.varint();
      const uint64_t step = step_and_kind / 4;
      if (step >= kVectorSize || position + step >= kVectorSize || step_and_kind % 4 > 2) {
        throw_damaged("impossible item of a patch");
      }
      if (step == 0 && base_row_done) throw_damaged("items of a patch out of order");
      position += static_cast<uint32_t>(step);
      SegmentPatch::Item item;
      item.position = static_cast<uint16_t>(position);
      item.kind = static_cast<Kind>(step_and_kind % 4);
      base_row_done = item.kind != Kind::kInsert;
      if (item.kind == Kind::kInsert && ++insertions > BlockPatch::kMaxInsertions) {
        throw_damaged("too many rows inserted by a patch");
      }
      if (item.kind != Kind::kDelete) {
        item.source = read_number(in, patch.sources.size(), "impossible source of a patch");
        item.row = rows.row(item.source, in.signed_varint());
      }
      block.items.push_back(item);
    }
  }
  in.expect_end();
  return patch;
}

std::shared_ptr<const Overlay> overlay_of(const SegmentPatch& patch, const RowGroup& base,
                                          const std::vector<std::shared_ptr<const RowGroup>>& sources,
                                          std::shared_ptr<const SegmentFile> file, uint32_t index) {
  Overlay::Blocks blocks;
  for (const SegmentPatch::Block& block : patch.blocks) {
    blocks.resize(block.index + 1);
    BlockPatchBuilder builder;
    for (const SegmentPatch::Item& item : block.items) {
      if (block.index * kVectorSize + item.position >= base.row_count())
        throw_damaged("a patch of rows that are not there");
      if (item.kind == BlockPatch::Kind::kDelete) {
        builder.add_deletion(item.position);
        continue;
      }
      const std::shared_ptr<const RowGroup>& source = sources[item.source];
      if (item.row >= source->row_count()) throw_damaged("a patch with rows that are not there");
      builder.add(item.position, item.kind, source, item.row);
    }
    blocks.back() = builder.finish();
  }
  return Overlay::make(std::move(blocks), std::move(file), index);
}

}  // namespace idem
