#include "storage/segment_writer.h"

#include <algorithm>
#include <cassert>

#include "common/crc32c.h"
#include "common/error.h"
#include "common/worker_pool.h"
#include "storage/column_encoder.h"
#include "storage/encoded_block.h"

namespace idem {

namespace {

// A block takes no further vector beyond this, so that the 64 vectors of a column of 8 bytes stay together.
constexpr size_t kMaxBlockBytes = (1 << 20) + (64 << 10);
constexpr uint32_t kSharedRows = 8 * kVectorSize;  // fewer rows are not worth waking a worker

}  // namespace

SegmentWriter::SegmentWriter(FileSystem& files, const std::string& path, uint64_t database_id,
                             SegmentId segment_id, std::shared_ptr<const TableSchema> schema,
                             ChunkCache& cache, WorkerPool* workers)
    : schema_(std::move(schema)),
      workers_(workers),
      own_file_(files.open(path, OpenMode::kCreate).value_or_throw()),
      pack_(nullptr),
      file_(own_file_.get()) {
  begin(files, path, database_id, segment_id, nullptr, cache);
}

SegmentWriter::SegmentWriter(FileSystem& files, SegmentPackWriter& pack, uint64_t database_id,
                             SegmentId segment_id, std::shared_ptr<const TableSchema> schema,
                             ChunkCache& cache)
    : schema_(std::move(schema)),
      workers_(nullptr),
      pack_(&pack),
      file_(&pack.file()),
      begin_(pack.pack()->size()) {
  begin(files, pack.pack()->path(), database_id, segment_id, pack.pack(), cache);
}

void SegmentWriter::begin(FileSystem& files, const std::string& path, uint64_t database_id,
                          SegmentId segment_id, std::shared_ptr<const SegmentPack> pack, ChunkCache& cache) {
  SegmentFooter footer;
  footer.database_id = database_id;
  footer.segment_id = segment_id;
  footer.table_id = schema_->id;
  for (const ColumnSchema& column : schema_->columns) footer.columns.push_back({column.id, column.type, 0});
  segment_ = SegmentFile::begin(files, path, begin_, std::move(footer), std::move(pack), cache);
  buffer_ = encode_segment_header(database_id, segment_id, schema_->id);
}

void SegmentWriter::add_row_group(uint32_t rows, const VectorSource& source) {
  assert(rows > 0 && rows <= kRowGroupSize);
  const size_t columns = schema_->columns.size();
  std::vector<EncodedColumn> encoded(columns);
  const auto encode = [&](size_t i) { encode_column(schema_->columns[i], rows, source, &encoded[i]); };
  if (workers_ && rows >= kSharedRows) {
    workers_->parallel_run(columns, encode);
  } else {
    for (size_t i = 0; i < columns; ++i) encode(i);
  }
  RowGroupFooter group;
  group.rows = rows;
  std::vector<uint32_t> dictionary_sizes;
  for (size_t i = 0; i < columns; ++i) {
    for (BlockLocation& block : encoded[i].chunk.blocks) block.offset += bytes_so_far();
    group.columns.push_back(std::move(encoded[i].chunk));
    buffer_ += encoded[i].bytes;
    if (buffer_.size() >= kWriteBytes) flush();
    const auto& dictionary = schema_->columns[i].dictionary;
    dictionary_sizes.push_back(dictionary ? dictionary->size() : 0);
  }
  segment_->add_row_group(std::move(group), dictionary_sizes);
}

void SegmentWriter::encode_column(const ColumnSchema& column, uint32_t rows, const VectorSource& source,
                                  EncodedColumn* out) const {
  const uint32_t vector_count = (rows + kVectorSize - 1) / kVectorSize;
  std::vector<Vector> vectors(vector_count);
  for (uint32_t v = 0; v < vector_count; ++v) source(column, v, &vectors[v]);
  ColumnEncoder encoder(column.type, rows, std::move(vectors));
  out->chunk.statistics.resize(vector_count);
  BlockBuilder block;
  uint32_t first_vector = 0;
  auto finish_block = [&] {
    const uint64_t offset = out->bytes.size();
    BlockLocation location = block.finish(&out->bytes);
    location.offset = offset;
    location.first_vector = first_vector;
    first_vector += location.vector_count;
    out->chunk.blocks.push_back(location);
  };
  block.begin(encoder.parameters());
  std::string encoded;
  for (uint32_t v = 0; v < vector_count; ++v) {
    encoded.clear();
    encoder.encode(v, &encoded, &out->chunk.statistics[v]);
    if (block.vector_count() > 0 && block.size() + encoded.size() > kMaxBlockBytes) {
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
  if (buffer_.empty()) return;
  file_->write_at(begin_ + written_bytes_, buffer_).throw_if_error();
  written_bytes_ += buffer_.size();
  buffer_.clear();
}

std::shared_ptr<const SegmentRowGroup> SegmentWriter::row_group(uint32_t index) {
  flush();
  return segment_->row_group(index);
}

std::shared_ptr<SegmentFile> SegmentWriter::finish() {
  SegmentFooter& footer = *segment_->loaded_footer_;
  for (const std::string& patch : patches_) {
    footer.patches.push_back({bytes_so_far(), patch.size(), crc32c(patch.data(), patch.size())});
    buffer_ += patch;
  }
  buffer_ += encode_segment_footer(footer);
  flush();
  if (pack_) {
    pack_->grow_to(begin_ + written_bytes_);
  } else {
    own_file_->sync().throw_if_error();
    own_file_.reset();
  }
  segment_->size_ = written_bytes_;
  segment_->keep();
  return segment_;
}

}  // namespace idem
