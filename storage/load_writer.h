#pragma once

#include <memory>
#include <vector>

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
  bool has_unprepared() const { return writer_ != nullptr || unsynced_; }
  // Makes durable what was written. Throws 58030, 53100.
  void prepare();
  // The files that hold these row groups stay; called with all that a durable record names.
  static void keep(const std::vector<std::shared_ptr<const SegmentRowGroup>>& groups);

  // Rows written so far may be read by any thread from then on. Throws 58030, 53100.
  void finish_file();

 private:
  void begin_file(const std::shared_ptr<const TableSchema>& schema);

  DatabaseState& db_;
  std::shared_ptr<const TableSchema> schema_;  // of writer_
  std::unique_ptr<SegmentWriter> writer_;      // null: no file is open
  bool unsynced_ = false;                      // the folder has names that were not synced
  TableId table_{};
};

}  // namespace idem
