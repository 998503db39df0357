#include "storage/load_writer.h"

#include <algorithm>

#include "storage/database_state.h"

namespace idem {

namespace {

constexpr uint32_t kFileRowGroups = 128;  // so that dropped partitions and compaction give files back

// Vectors of rows of a batch that follow each other, without copying.
SegmentWriter::VectorSource following_rows(const TableSchema& schema, const ColumnBatch& batch,
                                           uint32_t first, uint32_t count) {
  return [&schema, &batch, first, count](const ColumnSchema& column, uint32_t vector_index, Vector* out) {
    const auto c = static_cast<size_t>(&column - schema.columns.data());
    const uint32_t at = vector_index * kVectorSize;
    *out = batch.column(c).slice(first + at, std::min(kVectorSize, count - at));
  };
}

SegmentWriter::VectorSource listed_rows(const TableSchema& schema, const ColumnBatch& batch,
                                        const uint32_t* rows, uint32_t count) {
  return [&schema, &batch, rows, count](const ColumnSchema& column, uint32_t vector_index, Vector* out) {
    const auto c = static_cast<size_t>(&column - schema.columns.data());
    const uint32_t at = vector_index * kVectorSize, length = std::min(kVectorSize, count - at);
    auto gathered = std::make_shared<BatchColumn>(column.type, column.dictionary);
    gathered->append_from(batch.column(c), rows + at, length);
    *out = gathered->slice(0, length);
    out->owner = std::move(gathered);
  };
}

}  // namespace

const LoadLimits& LoadWriter::limits() const { return db_.options.load; }

uint64_t LoadWriter::next_id() { return db_.next_segment.fetch_add(1); }

bool LoadWriter::Output::takes(const std::shared_ptr<const TableSchema>& rows) const {
  return writer && schema == rows && writer->row_group_count() < kFileRowGroups;
}

void LoadWriter::begin_file(const std::shared_ptr<const TableSchema>& schema, Output* output) {
  make_table_folder(db_, schema->id);
  const uint64_t id = next_id();
  table_ = schema->id;
  output->schema = schema;
  output->writer =
      std::make_unique<SegmentWriter>(db_.files, segment_path(db_.folder, schema->id, id), db_.database_id,
                                      static_cast<SegmentId>(id), schema, db_.cache, db_.options.workers);
}

void LoadWriter::add_rows(Output* output, const ColumnBatch& batch, const uint32_t* rows, uint32_t first,
                          uint32_t count, std::vector<EncodedRows>* out) {
  output->writer->add_row_group(count, rows ? listed_rows(*output->schema, batch, rows, count)
                                            : following_rows(*output->schema, batch, first, count));
  out->push_back({output->writer->row_group(output->writer->row_group_count() - 1), 0, count});
}

std::vector<EncodedRows> LoadWriter::write(const std::shared_ptr<const TableSchema>& schema,
                                           const ColumnBatch& batch, const uint32_t* rows, uint32_t first,
                                           uint32_t count) {
  std::vector<EncodedRows> result;
  for (uint32_t done = 0; done < count; done += kRowGroupSize) {
    if (!output_.takes(schema)) {
      finish_file();
      unsynced_ = true;
      begin_file(schema, &output_);
    }
    add_rows(&output_, batch, rows ? rows + done : nullptr, first + done,
             std::min(kRowGroupSize, count - done), &result);
  }
  return result;
}

std::vector<EncodedRows> LoadWriter::write_aside(const std::shared_ptr<const TableSchema>& schema,
                                                 const OrderedBatch& batch, const OrderedBatch::Part& part) {
  std::vector<EncodedRows> result;
  const uint32_t* rows = batch.order.empty() ? nullptr : batch.order.data();
  for (uint32_t at = part.begin; at < part.end; at += kRowGroupSize) {
    if (!aside_.takes(schema)) begin_file(schema, &aside_);
    add_rows(&aside_, *batch.rows, rows ? rows + at : nullptr, at, std::min(kRowGroupSize, part.end - at),
             &result);
  }
  return result;
}

void LoadWriter::finish_file() {
  if (!output_.writer) return;
  output_.writer->finish()->mark_obsolete();  // until keep()
  output_.writer.reset();
}

void LoadWriter::prepare() {
  finish_file();
  if (!unsynced_) return;
  db_.files.sync_directory(table_path(db_.folder, table_)).throw_if_error();
  unsynced_ = false;
}

void LoadWriter::keep(const std::vector<std::shared_ptr<const SegmentRowGroup>>& groups) {
  for (const auto& group : groups) group->file().keep();
}

}  // namespace idem
