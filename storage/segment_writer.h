#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "common/file.h"
#include "storage/segment_file.h"

namespace idem {

class WorkerPool;

// Writes one segment: row groups of one table, then the footer. One thread. It goes into a file of its own, which must not
// exist yet, or behind the others of a pack.
//
// The segment counts for nothing before finish() returned (and the pack's), and the caller syncs the folder (once for all
// its new files) before naming it anywhere. A writer destroyed before that removes its file, as soon as nobody
// holds a row group of it any more.
//
//   SegmentWriter writer(files, path, database_id, segment_id, schema, cache);
//   writer.add_row_group(rows, [&](const ColumnSchema& column, uint32_t vector_index, Vector* out) {
//     group.read(column, vector_index * kVectorSize, rows_of_that_vector, out);
//   });
//   std::shared_ptr<SegmentFile> file = writer.finish();  // file->row_group(0) …
class SegmentWriter {
 public:
  // Gives vector `vector_index` of the new row group for a column of the schema: rows [vector_index * 2048,
  // …), dense from 0, in any form. Called column by column, with ascending vectors; the vector is copied (by
  // reference) and may be used until the column is encoded. Where there are workers, by several threads, each
  // with another column.
  using VectorSource = std::function<void(const ColumnSchema&, uint32_t vector_index, Vector* out)>;

  // Creates the file. Throws 58030, 53100. `schema` gives the table's id and the columns to write. `workers`, if
  // there are any, share the encoding of a row group's columns.
  SegmentWriter(FileSystem& files, const std::string& path, uint64_t database_id, SegmentId segment_id,
                std::shared_ptr<const TableSchema> schema, ChunkCache& cache, WorkerPool* workers = nullptr);
  // Behind what the pack holds. It must live until finish().
  SegmentWriter(FileSystem& files, SegmentPackWriter& pack, uint64_t database_id, SegmentId segment_id,
                std::shared_ptr<const TableSchema> schema, ChunkCache& cache);
  SegmentWriter(const SegmentWriter&) = delete;
  SegmentWriter& operator=(const SegmentWriter&) = delete;

  // 1 to kRowGroupSize rows. Throws what the source throws, 58030, 53100; after that the writer is of no use.
  void add_row_group(uint32_t rows, const VectorSource& source);
  TableId table_id() const { return segment_->table_id(); }
  SegmentId segment_id() const { return segment_->id(); }
  // A patch (segment_patch.h), which goes behind the row groups. Gives its index.
  uint32_t add_patch(std::string bytes);
  uint32_t row_group_count() const { return segment_->row_group_count(); }
  uint64_t bytes_so_far() const { return written_bytes_ + buffer_.size(); }
  // One that was added, to be read before the file is finished. Throws 58030, 53100.
  std::shared_ptr<const SegmentRowGroup> row_group(uint32_t index);

  // Writes the footer and syncs a file of its own; the segment is no longer obsolete. Throws 58030, 53100.
  std::shared_ptr<SegmentFile> finish();

 private:
  static constexpr size_t kWriteBytes = 1 << 20;

  // A column of a row group, its blocks placed from 0 on.
  struct EncodedColumn {
    ColumnChunkFooter chunk;
    std::string bytes;
  };

  void begin(FileSystem& files, const std::string& path, uint64_t database_id, SegmentId segment_id,
             std::shared_ptr<const SegmentPack> pack, ChunkCache& cache);
  void encode_column(const ColumnSchema& column, uint32_t rows, const VectorSource& source,
                     EncodedColumn* out) const;
  void flush();

  std::shared_ptr<const TableSchema> schema_;
  WorkerPool* const workers_;
  std::unique_ptr<File> own_file_;  // null: it is in a pack
  SegmentPackWriter* const pack_;
  File* file_ = nullptr;  // one of the two
  uint64_t begin_ = 0;    // of the segment in the file
  std::shared_ptr<SegmentFile> segment_;
  std::string buffer_;  // not yet written
  std::vector<std::string> patches_;
  uint64_t written_bytes_ = 0;
};

}  // namespace idem
