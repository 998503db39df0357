#include "storage/segment_writer.h"

#include <algorithm>
#include <cassert>

#include "common/crc32c.h"
#include "common/error.h"
#include "storage/column_encoder.h"
#include "storage/encoded_block.h"

namespace idem {

namespace {

// A block takes no further vector beyond this, so that the 64 vectors of a column of 8 bytes stay together.
constexpr size_t kBlockBytes = (1 << 20) + (64 << 10);

}  // namespace

SegmentWriter::SegmentWriter(FileSystem& files, const std::string& path, uint64_t database_id,
                             SegmentId segment_id, std::shared_ptr<const TableSchema> schema)
    : files_(files), path_(path), schema_(std::move(schema)) {
  file_ = files.open(path, OpenMode::kCreate).value_or_throw();
  footer_.database_id = database_id;
  footer_.segment_id = segment_id;
  footer_.table_id = schema_->id;
  for (const ColumnSchema& column : schema_->columns) footer_.columns.push_back({column.id, column.type, 0});
  buffer_ = encode_segment_header(database_id, segment_id, schema_->id);
}

SegmentWriter::~SegmentWriter() {
  if (!file_) return;
  file_.reset();
  static_cast<void>(files_.remove(path_));
}

void SegmentWriter::add_row_group(uint32_t rows, const VectorSource& source) {
  assert(rows > 0 && rows <= kRowGroupSize);
  RowGroupFooter group;
  group.rows = rows;
  group.columns.resize(schema_->columns.size());
  for (size_t i = 0; i < schema_->columns.size(); ++i)
    write_chunk(schema_->columns[i], rows, source, &group.columns[i]);
  footer_.row_groups.push_back(std::move(group));
}

void SegmentWriter::write_chunk(const ColumnSchema& column, uint32_t rows, const VectorSource& source,
                                ColumnChunkFooter* chunk) {
  const uint32_t vector_count = (rows + kVectorSize - 1) / kVectorSize;
  std::vector<Vector> vectors(vector_count);
  for (uint32_t v = 0; v < vector_count; ++v) source(column, v, &vectors[v]);
  ColumnEncoder encoder(column.type, rows, std::move(vectors));
  chunk->statistics.resize(vector_count);
  BlockBuilder block;
  uint32_t first_vector = 0;
  auto finish_block = [&] {
    const uint64_t offset = bytes_so_far();
    BlockLocation location = block.finish(&buffer_);
    location.offset = offset;
    location.first_vector = first_vector;
    first_vector += location.vector_count;
    chunk->blocks.push_back(location);
    if (buffer_.size() >= kWriteBytes) flush();
  };
  block.begin(encoder.parameters());
  std::string encoded;
  for (uint32_t v = 0; v < vector_count; ++v) {
    encoded.clear();
    encoder.encode(v, &encoded, &chunk->statistics[v]);
    if (block.vector_count() > 0 && block.size() + encoded.size() > kBlockBytes) {
      finish_block();
      block.begin(encoder.parameters());
    }
    block.add(encoded);
  }
  finish_block();
}

uint32_t SegmentWriter::add_patch(std::string bytes) {
  patches_.push_back(std::move(bytes));
  return static_cast<uint32_t>(patches_.size() - 1);
}

void SegmentWriter::flush() {
  file_->write_at(file_bytes_, buffer_).throw_if_error();
  file_bytes_ += buffer_.size();
  buffer_.clear();
}

std::shared_ptr<SegmentFile> SegmentWriter::finish(ChunkCache& cache) {
  for (size_t i = 0; i < schema_->columns.size(); ++i) {
    const ColumnSchema& column = schema_->columns[i];
    if (column.dictionary) footer_.columns[i].dictionary_size = column.dictionary->size();
  }
  for (const std::string& patch : patches_) {
    footer_.patches.push_back({bytes_so_far(), patch.size(), crc32c(patch.data(), patch.size())});
    buffer_ += patch;
  }
  buffer_ += encode_segment_footer(footer_);
  flush();
  file_->sync().throw_if_error();
  std::shared_ptr<SegmentFile> segment =
      SegmentFile::open(files_, path_, {footer_.database_id, footer_.segment_id, footer_.table_id}, cache);
  file_.reset();
  return segment;
}

}  // namespace idem
