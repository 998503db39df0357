#pragma once

#include <memory>
#include <optional>

#include "storage/database_state.h"
#include "storage/segment_writer.h"

namespace idem {

// Where the segments of one checkpoint go: those with many rows into a file each, in their table's folder, small ones into a
// pack if several tables are written. Under checkpoint_mutex.
class CheckpointSegments {
 public:
  CheckpointSegments(DatabaseState& db, bool several_tables) : db_(db), shares_(several_tables) {}

  // A new segment with a new id. Throws SqlError 58030, 53100.
  std::unique_ptr<SegmentWriter> begin(const std::shared_ptr<const TableSchema>& schema, uint64_t rows);
  // Makes the pack durable, with its name. Throws SqlError 58030, 53100.
  void finish();
  // No manifest names what was written.
  void discard();

 private:
  static constexpr uint64_t kPackedRows = 16'384;  // more are worth a file

  DatabaseState& db_;
  const bool shares_;
  std::optional<SegmentPackWriter> pack_;
};

// Makes the folder of a table, or the shared one, before a file is made in it; and its names durable before one is named.
void use_folder(DatabaseState& db, TableId table);
void sync_folder(DatabaseState& db, TableId table);

}  // namespace idem
