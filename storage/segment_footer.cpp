#include "storage/segment_footer.h"

#include <algorithm>

#include "common/byte_io.h"
#include "common/crc32c.h"
#include "common/error.h"
#include "storage/schema_encoding.h"

namespace idem {

namespace {

constexpr std::string_view kHeaderMagic = "IDEMSEG1", kTailMagic = "IDEMSEGF";
constexpr size_t kMagicBytes = 8, kHeaderCrcEnd = 12;

void check_version(uint32_t version) {
  if (version != kSegmentVersion) {
    throw sql_error(sqlstate::kDataCorrupted, "format version {} is not one that this server reads", version);
  }
}

void write_statistics(ByteWriter& writer, const VectorStatistics& statistics) {
  writer.boolean(statistics.has_bounds);
  writer.varint(statistics.null_count);
  if (!statistics.has_bounds) return;
  writer.signed_varint(statistics.min);
  writer.signed_varint(statistics.max);
}

VectorStatistics read_statistics(ByteReader& in, uint32_t rows) {
  VectorStatistics statistics;
  statistics.has_bounds = in.boolean();
  const uint64_t nulls = in.varint();
  if (nulls > rows) throw_damaged("more NULLs than rows");
  statistics.null_count = static_cast<uint32_t>(nulls);
  if (!statistics.has_bounds) return statistics;
  statistics.min = in.signed_varint();
  statistics.max = in.signed_varint();
  return statistics;
}

ColumnChunkFooter read_chunk(ByteReader& in, const RowGroupFooter& group, uint64_t data_end) {
  constexpr size_t kMinBlockBytes = 7;
  ColumnChunkFooter chunk;
  chunk.blocks.resize(in.count(kMinBlockBytes));
  uint32_t next_vector = 0;
  for (BlockLocation& block : chunk.blocks) {
    block.offset = in.varint();
    const uint64_t size = in.varint(), vectors = in.varint();
    if (block.offset < kSegmentHeaderBytes || block.offset > data_end || size > data_end - block.offset) {
      throw_damaged("block beyond the file");
    }
    if (vectors == 0 || vectors > group.vector_count() - next_vector)
      throw_damaged("impossible number of vectors");
    block.size = size;
    block.first_vector = next_vector;
    block.vector_count = static_cast<uint32_t>(vectors);
    block.directory_crc = in.u32();
    next_vector += block.vector_count;
  }
  if (next_vector != group.vector_count()) throw_damaged("vectors are missing");
  chunk.statistics.reserve(group.vector_count());
  for (uint32_t v = 0; v < group.vector_count(); ++v) {
    chunk.statistics.push_back(read_statistics(in, std::min(kVectorSize, group.rows - v * kVectorSize)));
  }
  return chunk;
}

uint32_t footer_crc(std::string_view footer, uint64_t size) {
  uint32_t crc = crc32c(footer.data(), footer.size());
  crc = crc32c(&size, sizeof size, crc);
  return crc32c(&kSegmentVersion, sizeof kSegmentVersion, crc);
}

}  // namespace

size_t ColumnChunkFooter::block_of(uint32_t vector_index) const {
  if (blocks.size() == 1) return 0;
  const auto after =
      std::upper_bound(blocks.begin(), blocks.end(), vector_index,
                       [](uint32_t v, const BlockLocation& block) { return v < block.first_vector; });
  return static_cast<size_t>(after - blocks.begin()) - 1;
}

int SegmentFooter::find_column(ColumnId id) const {
  for (size_t i = 0; i < columns.size(); ++i) {
    if (columns[i].id == id) return static_cast<int>(i);
  }
  return -1;
}

void throw_damaged(std::string_view why) { throw sql_error(sqlstate::kDataCorrupted, "{}", why); }

std::string encode_segment_header(uint64_t database_id, SegmentId segment_id, TableId table_id) {
  std::string header(kHeaderMagic);
  ByteWriter writer(header);
  writer.u32(0);
  writer.u32(kSegmentVersion);
  writer.u64(database_id);
  writer.u64(static_cast<uint64_t>(segment_id));
  writer.u32(static_cast<uint32_t>(table_id));
  writer.zeros(kSegmentHeaderBytes - header.size());
  writer.set_u32(kMagicBytes, crc32c(header.data() + kHeaderCrcEnd, header.size() - kHeaderCrcEnd));
  return header;
}

void check_segment_header(std::string_view header, const SegmentFooter& footer) {
  if (header != encode_segment_header(footer.database_id, footer.segment_id, footer.table_id)) {
    throw_damaged("the header is not the footer's");
  }
}

std::string encode_segment_footer(const SegmentFooter& footer) {
  std::string out;
  ByteWriter writer(out);
  writer.u64(footer.database_id);
  writer.u64(static_cast<uint64_t>(footer.segment_id));
  writer.u32(static_cast<uint32_t>(footer.table_id));
  writer.varint(footer.columns.size());
  for (const SegmentColumn& column : footer.columns) {
    writer.u32(static_cast<uint32_t>(column.id));
    write_type(writer, column.type);
    writer.u32(column.dictionary_size);
  }
  writer.varint(footer.row_groups.size());
  for (const RowGroupFooter& group : footer.row_groups) {
    writer.varint(group.rows);
    for (const ColumnChunkFooter& chunk : group.columns) {
      writer.varint(chunk.blocks.size());
      for (const BlockLocation& block : chunk.blocks) {
        writer.varint(block.offset);
        writer.varint(block.size);
        writer.varint(block.vector_count);
        writer.u32(block.directory_crc);
      }
      for (const VectorStatistics& statistics : chunk.statistics) write_statistics(writer, statistics);
    }
  }
  writer.varint(footer.patches.size());
  for (const PatchLocation& patch : footer.patches) {
    writer.varint(patch.offset);
    writer.varint(patch.size);
    writer.u32(patch.crc);
  }
  const uint64_t size = out.size();
  const uint32_t crc = footer_crc(out, size);
  writer.u64(size);
  writer.u32(crc);
  writer.u32(kSegmentVersion);
  writer.bytes(kTailMagic);
  return out;
}

SegmentTail decode_segment_tail(std::string_view bytes, uint64_t file_size) {
  if (bytes.size() != kSegmentTailBytes) throw_damaged("the file is too short");
  ByteReader in(bytes, "tail");
  SegmentTail tail;
  tail.footer_size = in.u64();
  tail.footer_crc = in.u32();
  const uint32_t version = in.u32();
  if (in.bytes(kTailMagic.size()) != kTailMagic) throw_damaged("no segment file, or one cut off");
  check_version(version);
  if (file_size < kSegmentHeaderBytes + kSegmentTailBytes ||
      tail.footer_size > file_size - kSegmentHeaderBytes - kSegmentTailBytes) {
    throw_damaged("footer beyond the file");
  }
  return tail;
}

SegmentFooter decode_segment_footer(std::string_view bytes, const SegmentTail& tail, uint64_t file_size) {
  if (footer_crc(bytes, tail.footer_size) != tail.footer_crc) throw_damaged("wrong checksum of the footer");
  constexpr size_t kColumnBytes = 14;
  ByteReader in(bytes, "footer");
  SegmentFooter footer;
  footer.database_id = in.u64();
  footer.segment_id = static_cast<SegmentId>(in.u64());
  footer.table_id = static_cast<TableId>(in.u32());
  footer.columns.resize(in.count(kColumnBytes));
  for (SegmentColumn& column : footer.columns) {
    column.id = static_cast<ColumnId>(in.u32());
    column.type = read_type(in);
    column.dictionary_size = in.u32();
  }
  const uint64_t data_end = file_size - kSegmentTailBytes - tail.footer_size;
  footer.row_groups.resize(in.count());
  for (RowGroupFooter& group : footer.row_groups) {
    const uint64_t rows = in.varint();
    if (rows == 0 || rows > kRowGroupSize) throw_damaged("impossible number of rows");
    group.rows = static_cast<uint32_t>(rows);
    group.columns.reserve(footer.columns.size());
    for (size_t i = 0; i < footer.columns.size(); ++i)
      group.columns.push_back(read_chunk(in, group, data_end));
  }
  constexpr size_t kPatchBytes = 6;
  footer.patches.resize(in.count(kPatchBytes));
  for (PatchLocation& patch : footer.patches) {
    patch.offset = in.varint();
    patch.size = in.varint();
    if (patch.offset < kSegmentHeaderBytes || patch.offset > data_end ||
        patch.size > data_end - patch.offset) {
      throw_damaged("patch beyond the file");
    }
    patch.crc = in.u32();
  }
  in.expect_end();
  return footer;
}

}  // namespace idem
