#include "storage/checkpoint_segments.h"

namespace idem {

std::unique_ptr<SegmentWriter> CheckpointSegments::begin(const std::shared_ptr<const TableSchema>& schema,
                                                         uint64_t rows) {
  if (!shares_ || rows > kPackedRows) {
    use_folder(db_, schema->id);
    const uint64_t id = db_.next_segment++;
    return std::make_unique<SegmentWriter>(db_.files, segment_path(db_.folder, schema->id, id),
                                           db_.database_id, static_cast<SegmentId>(id), schema, db_.cache);
  }
  if (!pack_) {
    use_folder(db_, kSharedFolder);
    const uint64_t id = db_.next_segment++;
    pack_.emplace(db_.files, segment_path(db_.folder, kSharedFolder, id), id);
  }
  return std::make_unique<SegmentWriter>(db_.files, *pack_, db_.database_id,
                                         static_cast<SegmentId>(db_.next_segment++), schema, db_.cache);
}

void CheckpointSegments::finish() {
  if (pack_) pack_->finish();
  sync_folder(db_, kSharedFolder);
}

void CheckpointSegments::discard() {
  if (pack_) pack_->pack()->mark_obsolete();
}

void use_folder(DatabaseState& db, TableId table) {
  make_table_folder(db, table);
  db.unsynced_folders.insert(static_cast<uint32_t>(table));
}

void sync_folder(DatabaseState& db, TableId table) {
  const auto id = static_cast<uint32_t>(table);
  if (!db.unsynced_folders.contains(id)) return;
  db.files.sync_directory(table_path(db.folder, table)).throw_if_error();
  db.unsynced_folders.erase(id);
}

}  // namespace idem
