#pragma once

#include <memory>
#include <vector>

#include "storage/batch_order.h"
#include "storage/load_limits.h"
#include "storage/partition_change.h"
#include "storage/segment_writer.h"

namespace idem {

struct DatabaseState;

// The segment files that one transaction fills with the rows of its large inserts into one table while they come
// in, so that they are written once: the commit's log record names the rows there.
//
//   write() write() …  ──▶  prepare(): footers, files and folder synced  ──▶  log record  ──▶  keep()
//
// Used by the transaction's thread. What was not kept is removed when the last version that shows it is gone.
class LoadWriter {
 public:
  explicit LoadWriter(DatabaseState& db) : db_(db) {}

  const LoadLimits& limits() const;

  // Encodes `count` rows of a batch, which has the shape of `schema`: those that `rows` lists, or from
  // `first` on where it is null. Row groups are as full as can be. Throws 58030, 53100.
  std::vector<EncodedRows> write(const std::shared_ptr<const TableSchema>& schema, const ColumnBatch& batch,
                                 const uint32_t* rows, uint32_t first, uint32_t count);
  uint64_t next_id();  // from the numbers of segments
  // Rows of a batch in its order, into a file that is never named: for the transaction to read again while it runs. Throws
  // 58030, 53100.
  std::vector<EncodedRows> write_aside(const std::shared_ptr<const TableSchema>& schema,
                                       const OrderedBatch& batch, const OrderedBatch::Part& part);
  bool has_unprepared() const { return output_.writer != nullptr || unsynced_; }
  // Makes durable what was written. Throws 58030, 53100.
  void prepare();
  // The files that hold these row groups stay; called with all that a durable record names.
  static void keep(const std::vector<std::shared_ptr<const SegmentRowGroup>>& groups);

  // Rows written so far may be read by any thread from then on. Throws 58030, 53100.
  void finish_file();

 private:
  // A file being written, with the schema of its rows.
  struct Output {
    std::shared_ptr<const TableSchema> schema;
    std::unique_ptr<SegmentWriter> writer;  // null: no file is open
    bool takes(const std::shared_ptr<const TableSchema>& rows) const;
  };
  void begin_file(const std::shared_ptr<const TableSchema>& schema, Output* output);
  void add_rows(Output* output, const ColumnBatch& batch, const uint32_t* rows, uint32_t first,
                uint32_t count, std::vector<EncodedRows>* out);

  DatabaseState& db_;
  Output output_, aside_;
  bool unsynced_ = false;  // the folder has names that were not synced
  TableId table_{};
};

}  // namespace idem
