#include "wal/recovery.h"

#include <algorithm>
#include <charconv>
#include <set>
#include <unordered_set>

#include "common/error.h"
#include "storage/attached_row_group.h"
#include "storage/database_state.h"
#include "storage/log_record.h"
#include "storage/manifest_loader.h"
#include "storage/record_replay.h"
#include "storage/version_lookup.h"

namespace idem {

namespace {

SqlError damaged(std::string_view what, std::string_view why) {
  return sql_error(sqlstate::kDataCorrupted, "damaged {}: {}", what, why);
}

// Tables while the log is replayed: nobody else sees them yet.
class Replay {
 public:
  Replay(DatabaseState& db, const LoadedManifest& loaded);

  void apply(const wal::Record& record);
  void finish();
  uint64_t commits() const { return commits_; }

 private:
  std::shared_ptr<const TableSchema> schema_of(TableId id, const TableSchema* logged);
  void apply_names(const ReadRecord& read, uint64_t log_begin, CommitNumber commit);
  void apply_table(const ReadRecord& record, const ReadTable& table, const wal::Record& from);
  void note_attachments(const ReadTable& table);
  void keep_named(TableId table, VersionNumber version, uint64_t log_begin);
  KeptVersion version_of(TableId table, VersionNumber version, uint64_t log_begin);
  std::shared_ptr<const SegmentFile> segment_of(TableId table, SegmentId id, CommitNumber commit);

  DatabaseState& db_;
  Catalog catalog_;
  std::map<uint32_t, std::shared_ptr<const TableVersion>> tables_;
  CommitNumber commit_{};
  int64_t time_ = 0;
  uint64_t log_end_ = 0;
  uint64_t commits_ = 0;
};

Replay::Replay(DatabaseState& db, const LoadedManifest& loaded)
    : db_(db),
      catalog_(*loaded.written.catalog),
      commit_(loaded.written.commit),
      time_(loaded.written.commit_time_micros),
      log_end_(loaded.written.log_position) {
  for (const auto& head : loaded.heads) tables_[static_cast<uint32_t>(head->schema->id)] = head;
}

std::shared_ptr<const TableSchema> Replay::schema_of(TableId id, const TableSchema* logged) {
  const auto now = tables_.find(static_cast<uint32_t>(id));
  std::vector<std::shared_ptr<const TableSchema>> known{now == tables_.end() ? nullptr : now->second->schema};
  const auto history = db_.history(id);
  if (history && (logged || !known[0])) known = known_schemas(known[0], *history);
  return schema_for_record(logged, known);
}

// A version that a record names: the newest one, a kept one, or rebuilt from the log before the record.
KeptVersion Replay::version_of(TableId table, VersionNumber version, uint64_t log_begin) {
  const auto history = db_.history(table);
  const auto now = tables_.find(static_cast<uint32_t>(table));
  if (history && now != tables_.end() && now->second->version == version)
    return {now->second, history->time_of(version).value_or(time_), log_begin, 0, false};
  if (history) {
    std::optional<KeptVersion> found =
        read_version(db_, *history, version, log_begin, now == tables_.end() ? nullptr : now->second->schema);
    if (found && found->number() == version) return std::move(*found);
  }
  throw damaged("log record", fmt::format("version {} of table {} is not there",
                                          static_cast<uint64_t>(version), static_cast<uint32_t>(table)));
}

// A segment that a record names lives until a manifest covers the record.
std::shared_ptr<const SegmentFile> Replay::segment_of(TableId table, SegmentId id, CommitNumber commit) {
  const auto number = static_cast<uint64_t>(id);
  LoggedSegment& logged = db_.logged_segments[number];
  logged.commit = commit;
  std::shared_ptr<const SegmentFile> file = logged.segment.file.lock();
  if (file) return file;
  // Rows that were attached to another table are in a file that the manifest may name for the first one.
  const auto named = db_.manifest->named_segments().find(number);
  if (named != db_.manifest->named_segments().end()) file = named->second.file.lock();
  if (!file) {
    file = SegmentFile::open(db_.files, segment_path(db_.folder, table, number), {db_.database_id, id, table},
                             db_.cache);
  }
  logged.segment = {id, file->path(), file};
  db_.next_segment = std::max(db_.next_segment.load(), number + 1);
  return file;
}

void Replay::keep_named(TableId table, VersionNumber version, uint64_t log_begin) {
  KeptVersion named = version_of(table, version, log_begin);
  named.reasons = static_cast<uint8_t>(KeepReason::kTag);
  db_.add_history(table)->keep(std::move(named));
}

void Replay::apply_names(const ReadRecord& read, uint64_t log_begin, CommitNumber commit) {
  for (const CatalogChange& change : read.catalog_changes) {
    try {
      apply_catalog_change(&catalog_, change);
    } catch (const SqlError& e) { throw damaged("log record", e.message()); }
    if (const auto* dropped = std::get_if<DropTableName>(&change)) {
      const auto last = tables_.find(static_cast<uint32_t>(dropped->table));
      if (last == tables_.end()) continue;  // created by the same record
      const auto history = db_.add_history(dropped->table);
      history->keep({last->second, history->time_of(last->second->version).value_or(read.header.time_micros),
                     log_begin, static_cast<uint8_t>(KeepReason::kStatement), false});
      tables_.erase(last);
    } else if (const auto* undropped = std::get_if<UndropTable>(&change)) {
      const auto history = db_.history(undropped->table);
      const auto last = history ? history->kept_before(VersionNumber{UINT64_MAX}) : std::nullopt;
      if (!last) throw damaged("log record", "a dropped table that is not there");
      tables_[static_cast<uint32_t>(undropped->table)] = last->version;
    } else if (const auto* tag = std::get_if<PutTag>(&change)) {
      keep_named(tag->tag.table, tag->tag.version, log_begin);
    } else if (const auto* slot = std::get_if<PutSlot>(&change)) {
      keep_named(slot->slot.table, slot->slot.version, log_begin);
    } else if (const auto* view = std::get_if<PutMaterializedView>(&change)) {
      for (const MaterializedViewSource& source : view->view.sources) {
        if (source.version) keep_named(source.table, *source.version, log_begin);
      }
    }
  }
  set_commit_time(&catalog_, read.catalog_changes, commit, read.header.time_micros);
}

// Their numbers, too, are not given out again.
void Replay::note_attachments(const ReadTable& table) {
  for (const ReadTable::Partition& partition : table.partitions) {
    for (const PartitionChange& change : partition.changes) {
      for (const EncodedRows& rows : change.encoded) {
        const auto& attachment = rows.group->attachment();
        if (attachment) db_.next_segment = std::max(db_.next_segment.load(), attachment->id + 1);
      }
    }
  }
}

void Replay::apply_table(const ReadRecord& record, const ReadTable& table, const wal::Record& from) {
  auto& known = tables_[static_cast<uint32_t>(table.table)];
  const uint64_t log_begin = from.extent.begin.value;
  note_attachments(table);
  std::shared_ptr<TableVersion> next = apply_logged_table(
      db_, known, table, static_cast<CommitNumber>(from.commit_number), MemoryRowGroup::kCommitted,
      [&](VersionNumber version) { return version_of(table.table, version, log_begin).version; });
  if (!next->history) next->history = HistoryHandle::make();
  // Of an undropped table the version before is kept already.
  db_.add_history(table.table)
      ->record(table.operation == TableOperation::kUndrop ? nullptr : known, next,
               history_line(record.header, table), {log_begin, from.extent.end.value, table.names_segments});
  known = std::move(next);
}

void Replay::apply(const wal::Record& record) {
  // New tables are in the record's table changes; dropped ones only among the names.
  const ReadRecord read = read_log_record(
      record.payload, [&](TableId id, const TableSchema* logged) { return schema_of(id, logged); },
      [&](TableId table, SegmentId id) {
        return segment_of(table, id, static_cast<CommitNumber>(record.commit_number));
      });
  apply_names(read, record.extent.begin.value, static_cast<CommitNumber>(record.commit_number));
  for (const ReadTable& table : read.tables) apply_table(read, table, record);
  commit_ = static_cast<CommitNumber>(record.commit_number);
  time_ = std::max(time_, read.header.time_micros);
  log_end_ = record.extent.end.value;
  ++commits_;
}

void Replay::finish() {
  auto snapshot = std::make_shared<Snapshot>();
  snapshot->commit = snapshot->logged = commit_;
  snapshot->commit_time_micros = time_;
  for (auto& [id, version] : tables_) {
    while (snapshot->tables.size() <= id) snapshot->tables = snapshot->tables.push_back(nullptr);
    snapshot->tables = snapshot->tables.set(id, version);
    const auto state = db_.add_table_state(static_cast<TableId>(id), version);
    const auto protection = catalog_.protections.find(id);
    if (protection != catalog_.protections.end()) state->protection = protection->second;
  }
  snapshot->catalog = std::make_shared<const Catalog>(std::move(catalog_));
  db_.catalog_head = snapshot->catalog;
  db_.next_object_id = snapshot->catalog->next_object_id;
  db_.last_commit = db_.called_back = commit_;
  db_.last_logged = commit_;
  db_.last_commit_time = time_;
  db_.log_end = db_.published_log_end = log_end_;
  db_.published = std::move(snapshot);
}

// The id of a segment file by its name; 0 for another file.
uint64_t segment_number(std::string_view name) {
  constexpr std::string_view kSuffix = ".segment";
  if (!name.ends_with(kSuffix)) return 0;
  name.remove_suffix(kSuffix.size());
  uint64_t number = 0;
  const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), number);
  return error == std::errc() && end == name.data() + name.size() && number < UINT64_MAX ? number : 0;
}

// What is in the folders of tables: found before the log is replayed, so that a file that the manifest names and that is gone is
// met at the start.
class TableFiles {
 public:
  explicit TableFiles(DatabaseState& db) : db_(db) {
    for (const DirectoryEntry& folder : entries(join_path(db.folder, "tables"))) {
      const std::string path = join_path(join_path(db.folder, "tables"), folder.name);
      for (const DirectoryEntry& file : entries(path)) found_[path].insert(join_path(path, file.name));
      found_.try_emplace(path);
    }
  }

  // Throws SqlError XX001 for what the manifest names and is not there.
  void check() const {
    for (const std::string& path : named()) {
      const auto folder = found_.find(parent_directory(path));
      if (folder != found_.end() && folder->second.contains(path)) continue;
      throw damaged("data folder", fmt::format("\"{}\" is missing", path));
    }
  }

  // Removes files that neither the manifest nor the log names: what a crash left between writing and naming, or between
  // forgetting and removing. Numbers of segments are not given out again, not even those of orphans.
  void sweep(uint64_t manifest_number) const {
    // An orphan that stays is swept at the next start.
    const auto remove = [&](const std::string& path) { static_cast<void>(db_.files.remove(path).ok()); };
    const std::string manifests = join_path(db_.folder, "manifests");
    const std::string current = fmt::format("manifest-{}", manifest_number);
    for (const DirectoryEntry& entry : entries(manifests)) {
      if (entry.name != current) remove(join_path(manifests, entry.name));
    }
    std::unordered_set<std::string> named = this->named();
    for (const auto& [id, logged] : db_.logged_segments) named.insert(logged.segment.path);
    for (const auto& [folder, files] : found_) {
      bool any_left = false;
      for (const std::string& file : files) {
        const std::string_view name = std::string_view(file).substr(folder.size() + 1);
        db_.next_segment = std::max(db_.next_segment.load(), segment_number(name) + 1);
        if (named.contains(file)) {
          any_left = true;
        } else {
          remove(file);
        }
      }
      if (!any_left) remove(folder);
    }
  }

 private:
  std::vector<DirectoryEntry> entries(const std::string& path) const {
    IoResult<std::vector<DirectoryEntry>> list = db_.files.list(path);
    if (!list.ok() && list.error().is_not_found()) return {};
    return list.value_or_throw();
  }
  std::unordered_set<std::string> named() const {
    std::unordered_set<std::string> named;
    for (const auto& [id, segment] : db_.manifest->named_segments()) named.insert(segment.path);
    for (const auto& [column, file] : db_.dictionary_files) named.insert(file->path());
    return named;
  }

  DatabaseState& db_;
  std::map<std::string, std::set<std::string>> found_;  // paths by folder
};

uint64_t current_manifest(DatabaseState& db) {
  const std::string path = join_path(db.folder, "CURRENT");
  const std::string text = read_whole_file(db.files, path).value_or_throw();
  constexpr std::string_view kPrefix = "manifest-";
  if (!text.starts_with(kPrefix)) throw damaged(path, "it names no manifest");
  uint64_t number = 0;
  for (size_t i = kPrefix.size(); i < text.size() && text[i] != '\n'; ++i) {
    if (text[i] < '0' || text[i] > '9') throw damaged(path, "it names no manifest");
    number = number * 10 + static_cast<uint64_t>(text[i] - '0');
  }
  return number;
}

}  // namespace

std::string table_path(const std::string& folder, TableId table) {
  return fmt::format("{}/tables/{}", folder, static_cast<uint32_t>(table));
}
std::string segment_path(const std::string& folder, TableId table, uint64_t segment) {
  return fmt::format("{}/{}.segment", table_path(folder, table), segment);
}
std::string segment_path(const std::string& folder, const SegmentDescription& segment) {
  return segment.pack == 0 ? segment_path(folder, segment.table, static_cast<uint64_t>(segment.id))
                           : segment_path(folder, kSharedFolder, segment.pack);
}
std::string dictionary_path(const std::string& folder, TableId table, ColumnId column) {
  return fmt::format("{}/{}.symbols", table_path(folder, table), static_cast<uint32_t>(column));
}
std::string manifest_path(const std::string& folder, uint64_t manifest) {
  return fmt::format("{}/manifests/manifest-{}", folder, manifest);
}

wal::DatabaseId log_database_id(uint64_t database_id) {
  wal::DatabaseId id;
  std::memcpy(id.bytes.data(), &database_id, sizeof database_id);
  return id;
}

void recover_database(DatabaseState& db, RecoveryReport* report) {
  const int64_t begun = db.clock.monotonic_nanos();
  const uint64_t number = current_manifest(db);
  const std::string path = manifest_path(db.folder, number);
  const std::string bytes = read_whole_file(db.files, path).value_or_throw();
  Manifest manifest = read_manifest(bytes, path);
  if (manifest.number != number) throw damaged(path, "it has another number");
  db.database_id = manifest.database_id;
  db.next_segment = manifest.next_segment;
  db.checkpoint_log_end = manifest.log_position;
  db.checkpoint_commit = db.manifest_commit = manifest.commit;
  LoadedManifest loaded = load_manifest(db, &manifest);
  Replay replay(db, loaded);
  db.manifest = std::make_unique<ManifestWriter>(db.files, db.folder, db.database_id);
  db.manifest->resume(manifest, bytes, std::move(loaded.written));
  // What was not written before the restart is compacted after it.
  for (const auto& head : loaded.heads) {
    head->partitions.for_each([&](const std::shared_ptr<const Partition>& partition) {
      db.cold_partitions.note(static_cast<uint32_t>(head->schema->id), *partition);
    });
  }
  db.cold_partitions.finish_checkpoint();
  loaded.heads.clear();
  const TableFiles table_files(db);
  table_files.check();

  const std::string log_folder = join_path(db.folder, "log");
  const wal::RecoveryResult recovered =
      wal::recover(db.files, log_folder, log_database_id(db.database_id),
                   wal::Position{manifest.log_position}, [&](const wal::Record& record) {
                     if (static_cast<CommitNumber>(record.commit_number) > manifest.commit)
                       replay.apply(record);
                   });
  replay.finish();
  table_files.sweep(number);

  wal::LogOptions log_options;
  log_options.segment_bytes = db.options.log_segment_bytes;
  log_options.own_threads = db.options.own_threads;
  db.log = wal::Log::open(db.files, log_folder, log_options, recovered, &db);
  // How old the log before the manifest is, is not known: it counts as what was written by then.
  db.log_kept_from =
      recovered.segments.empty() ? manifest.log_position : recovered.segments.front().begin.value;
  db.log_marks.emplace_back(manifest.commit_time_micros, manifest.log_position);
  if (report) {
    report->replayed_commits = replay.commits();
    report->log_bytes = recovered.end.value - manifest.log_position;
    report->torn_tail = recovered.cut_bytes > 0;
    if (report->torn_tail) {
      report->torn_tail_text = fmt::format("cut {} bytes of an unfinished write from \"{}\" at offset {}",
                                           recovered.cut_bytes, recovered.cut_path, recovered.cut_offset);
    }
    report->micros = (db.clock.monotonic_nanos() - begun) / 1000;
  }
}

}  // namespace idem
