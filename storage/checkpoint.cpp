#include <algorithm>
#include <set>

#include "common/error.h"
#include "storage/compaction.h"
#include "storage/retention.h"
#include "storage/table_checkpoint.h"

namespace idem {

namespace {

// Now if nobody holds it, else with whoever holds it last.
template <class Named>
void remove_file(DatabaseState& db, const Named& named) {
  if (const auto file = named.file.lock()) {
    file->mark_obsolete();
  } else {
    static_cast<void>(db.files.remove(named.path).ok());  // swept at the next start otherwise
  }
}

void remove_segment(DatabaseState& db, const NamedSegment& segment) {
  if (segment.pack == 0) return remove_file(db, segment);
  if (const auto file = segment.file.lock())
    file->mark_obsolete();  // its file goes with the last segment of the pack
}

bool is_logged(DatabaseState& db, const NamedSegment& segment) {
  std::lock_guard lock(db.commit_latch);
  return db.logged_segments.contains(static_cast<uint64_t>(segment.id));
}

void remove_unnamed(DatabaseState& db) {
  for (const NamedSegment& segment : db.manifest->take_unnamed_segments()) {
    // A record that the manifest does not cover may name it: rows that were attached to another table.
    if (!is_logged(db, segment)) remove_segment(db, segment);
  }
  for (const NamedPack& pack : db.manifest->take_unnamed_packs()) remove_file(db, pack);
  for (const auto& [table, column] : db.manifest->take_unnamed_dictionaries()) {
    db.dictionary_files.erase({table, column});
    const std::string path =
        dictionary_path(db.folder, static_cast<TableId>(table), static_cast<ColumnId>(column));
    static_cast<void>(db.files.remove(path).ok());
  }
}

// Of segment files that records named: once the manifest covers a record, a file that it does not name is not needed.
void remove_logged_segments(DatabaseState& db) {
  std::vector<NamedSegment> unnamed;
  {
    std::lock_guard lock(db.commit_latch);
    std::erase_if(db.logged_segments, [&](const auto& entry) {
      if (entry.second.commit > db.manifest->written().commit) return false;
      if (!db.manifest->named_segments().contains(entry.first)) unnamed.push_back(entry.second.segment);
      return true;
    });
  }
  for (const NamedSegment& segment : unnamed) remove_segment(db, segment);
}

bool needs_compaction(const DatabaseState& db, const TableVersion& version) {
  if (version.schema->temporary) return false;
  bool needed = false;
  version.partitions.for_each([&](const std::shared_ptr<const Partition>& partition) {
    if (needed || partition->slices.size() == 0) return;
    const bool cold = db.cold_partitions.is_cold(static_cast<uint32_t>(version.schema->id), *partition);
    uint64_t rows = kCompactionRows;
    needed = cold && !plan_compaction(*partition, &rows).empty();
  });
  return needed;
}

// Tables that are not as the manifest says, and where `compacts` says so those that are to be compacted.
std::vector<std::unique_ptr<TableCheckpoint>> changed_tables(DatabaseState& db, const Snapshot& snapshot,
                                                             const SparseFiles& sparse, bool compacts) {
  const auto& written = db.manifest->written().tables;
  std::vector<std::unique_ptr<TableCheckpoint>> tables;
  const auto add_if_changed = [&](TableId id, const std::shared_ptr<const TableVersion>& version) {
    const auto history = db.history(id);
    if (!history) return;
    const auto known = written.find(static_cast<uint32_t>(id));
    const bool same = known != written.end() && known->second->history_stamp == history->stamp() &&
                      known->second->head.lock() == version;
    const bool to_be_compacted =
        compacts && version && (sparse.holds_rows_of(*version) || needs_compaction(db, *version));
    if (!same || to_be_compacted) {
      tables.push_back(std::make_unique<TableCheckpoint>(db, id, version, history));
    }
  };
  snapshot.tables.for_each([&](const std::shared_ptr<const TableVersion>& version) {
    if (version && !version->schema->temporary) add_if_changed(version->schema->id, version);
  });
  for (const auto& [id, dropped] : snapshot.catalog->dropped) {
    const size_t before = tables.size();
    add_if_changed(dropped.table, nullptr);
    if (tables.size() > before) tables.back()->only_until(dropped.time_micros);
  }
  return tables;
}

}  // namespace

void make_table_folder(DatabaseState& db, TableId table) {
  std::lock_guard lock(db.folder_mutex);  // whoever finds the folder relies on its name being durable
  if (db.durable_folders.contains(static_cast<uint32_t>(table))) return;
  make_directories(db.files, table_path(db.folder, table)).throw_if_error();
  db.durable_folders.insert(static_cast<uint32_t>(table));
}

void run_checkpoint(DatabaseState& db, uint64_t compaction_rows) {
  run_checkpoint(db, RetentionRequest(), compaction_rows);
}

bool compaction_is_due(DatabaseState& db) {
  std::lock_guard one_at_a_time(db.checkpoint_mutex);
  const std::shared_ptr<const Snapshot> snapshot = db.published_snapshot();
  const SparseFiles sparse(*db.manifest, true);
  bool due = false;
  snapshot->tables.for_each([&](const std::shared_ptr<const TableVersion>& version) {
    due = due || (version && (needs_compaction(db, *version) || sparse.holds_rows_of(*version)));
  });
  return due;
}

void run_checkpoint(DatabaseState& db, const RetentionRequest& request, uint64_t compaction_rows) {
  std::lock_guard one_at_a_time(db.checkpoint_mutex);
  if (db.manifest->is_lost()) db.check_writable();
  expire_history(db, request);
  std::shared_ptr<const Snapshot> snapshot;
  uint64_t log_end = 0;
  {
    std::lock_guard lock(db.publish_latch);
    snapshot = db.published;
    log_end = db.published_log_end;
  }
  // Asynchronous commits are visible before they are durable.
  db.wait_durable(snapshot->logged);

  const SparseFiles sparse(*db.manifest, compaction_rows > 0);
  std::vector<std::unique_ptr<TableCheckpoint>> tables =
      changed_tables(db, *snapshot, sparse, compaction_rows > 0);
  CheckpointSegments segments(db, tables.size() > 1);
  try {
    WrittenState next = db.manifest->written();
    for (const auto& table : tables) {
      table->encode(&compaction_rows, sparse, &segments);
      table->write_dictionaries();
      sync_folder(db, table->id());
    }
    segments.finish();
    for (const auto& table : tables)
      next.tables[static_cast<uint32_t>(table->id())] = table->describe(log_end);
    std::erase_if(next.tables, [&](const auto& table) {
      if (snapshot->table(static_cast<TableId>(table.first))) return false;
      db.cold_partitions.forget(table.first);
      return !snapshot->catalog->dropped.contains(table.first);
    });
    next.commit = snapshot->logged;
    next.commit_time_micros = snapshot->commit_time_micros;
    next.log_position = log_end;
    next.next_segment = db.next_segment;
    next.next_object_id = db.next_object_id.load();
    next.catalog = snapshot->catalog;
    db.manifest->write(std::move(next));
  } catch (...) {
    // A checkpoint that is tried again on a full disk must not fill it further.
    if (!db.manifest->failed_write_may_be_found()) {
      for (const auto& table : tables) table->discard();
      segments.discard();
    }
    if (db.manifest->is_lost())
      db.on_failed(SqlError(sqlstate::kOutOfMemory,
                            "memory ran out while a manifest was written; no further writes until restart"));
    throw;
  }

  for (const auto& table : tables) table->install();
  db.publish_through(static_cast<CommitNumber>(db.log->durable_commit()));
  tables.clear();
  remove_unnamed(db);
  remove_logged_segments(db);
  db.cold_partitions.finish_checkpoint();
  db.checkpoint_log_end = log_end;
  db.checkpoint_commit = snapshot->logged;
  db.last_checkpoint_micros = db.clock.now_micros();
  snapshot.reset();
  db.memory_after_checkpoint = db.memory->load();
  // The checkpoint stands; segments of the log that could not be given back are tried again after the next
  // one.
  const uint64_t kept_from = advance_log_retention(db, log_end, request.gives_back_log);
  std::unique_lock no_readers(db.log_readers, std::try_to_lock);
  std::string failure;
  if (no_readers) {
    const IoResult<size_t> removed = db.log->remove_before(wal::Position{kept_from});
    if (!removed.ok()) failure = removed.error().message();
  }
  std::lock_guard lock(db.failure_mutex);
  db.checkpoint_failure = std::move(failure);
}

}  // namespace idem
