#include "storage/load_writer.h"

#include <algorithm>

#include "storage/database_state.h"

namespace idem {

namespace {

constexpr uint32_t kFileRowGroups = 128;  // so that dropped partitions and compaction give files back

// Vectors of rows of a batch that follow each other, without copying.
SegmentWriter::VectorSource following_rows(const TableSchema& schema, const ColumnBatch& batch, uint32_t first,
                                           uint32_t count) {
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

void LoadWriter::begin_file(const std::shared_ptr<const TableSchema>& schema) {
  make_table_folder(db_, schema->id);
  const uint64_t id = db_.next_segment.fetch_add(1);
  unsynced_ = true;
  table_ = schema->id;
  schema_ = schema;
  writer_ = std::make_unique<SegmentWriter>(db_.files, segment_path(db_.folder, schema->id, id), db_.database_id,
                                            static_cast<SegmentId>(id), schema, db_.cache, db_.options.workers);
}

std::vector<EncodedRows> LoadWriter::write(const std::shared_ptr<const TableSchema>& schema,
                                           const ColumnBatch& batch, const uint32_t* rows, uint32_t first,
                                           uint32_t count) {
  std::vector<EncodedRows> result;
  for (uint32_t done = 0; done < count;) {
    if (writer_ && (schema_ != schema || writer_->row_group_count() == kFileRowGroups)) finish_file();
    if (!writer_) begin_file(schema);
    const uint32_t length = std::min(kRowGroupSize, count - done);
    writer_->add_row_group(length, rows ? listed_rows(*schema_, batch, rows + done, length)
                                        : following_rows(*schema_, batch, first + done, length));
    result.push_back({writer_->row_group(writer_->row_group_count() - 1), 0, length});
    done += length;
  }
  return result;
}

void LoadWriter::finish_file() {
  if (!writer_) return;
  writer_->finish()->mark_obsolete();  // until keep()
  writer_.reset();
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
