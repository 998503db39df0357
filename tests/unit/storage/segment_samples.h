#pragma once

#include <memory>
#include <string>
#include <vector>

#include "common/simulated_file.h"
#include "storage/segment_writer.h"
#include "tests/unit/storage/column_samples.h"

// Tables with a column of every type, for tests that write segment files of them.
namespace idem::segment_samples {

inline constexpr uint64_t kDatabase = 0x1234567890abcdef;

inline std::shared_ptr<TableSchema> make_schema(const std::vector<SqlType>& types) {
  auto schema = std::make_shared<TableSchema>();
  schema->id = TableId{7};
  schema->name = "t";
  for (const SqlType type : types) {
    ColumnSchema column;
    column.id = ColumnId{schema->next_column_id++};
    column.name = "c" + std::to_string(schema->columns.size());
    column.type = type;
    if (type.id == TypeId::kSymbol) {
      column.dictionary = std::make_shared<SymbolDictionary>();
      for (int i = 0; i < 1000; ++i) column.dictionary->intern("symbol " + std::to_string(i));
    }
    schema->columns.push_back(std::move(column));
  }
  return schema;
}

// The vectors of one row group: [column][vector].
struct RowGroupData {
  uint32_t rows = 0;
  std::vector<std::vector<Vector>> columns;
};

inline uint32_t rows_of_vector(uint32_t rows, uint32_t v) {
  return std::min(kVectorSize, rows - v * kVectorSize);
}

inline RowGroupData make_row_group(const TableSchema& schema, uint32_t rows, column_samples::Random& random) {
  RowGroupData data;
  data.rows = rows;
  for (const ColumnSchema& column : schema.columns) {
    const int shape = static_cast<int>(random() % 14), null_shape = static_cast<int>(random() % 6);
    std::vector<Vector> vectors;
    for (uint32_t v = 0; v * kVectorSize < rows; ++v) {
      vectors.push_back(
          column_samples::sample_vector(column.type, shape, null_shape, rows_of_vector(rows, v), random));
    }
    data.columns.push_back(std::move(vectors));
  }
  return data;
}

inline void add_row_group(SegmentWriter& writer, const TableSchema& schema, const RowGroupData& data) {
  writer.add_row_group(data.rows, [&](const ColumnSchema& column, uint32_t v, Vector* out) {
    *out = data.columns[static_cast<size_t>(schema.find_column(column.id))][v];
  });
}

inline std::shared_ptr<SegmentFile> write_segment(FileSystem& files, const std::string& path,
                                                  ChunkCache& cache,
                                                  const std::shared_ptr<TableSchema>& schema,
                                                  const std::vector<RowGroupData>& groups) {
  SegmentWriter writer(files, path, kDatabase, SegmentId{3}, schema, cache);
  for (const RowGroupData& group : groups) add_row_group(writer, *schema, group);
  return writer.finish();
}

inline const SegmentIdentity kIdentity{kDatabase, SegmentId{3}, TableId{7}};

}  // namespace idem::segment_samples
