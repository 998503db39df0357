#include "wal/recovery.h"

#include <algorithm>
#include <charconv>
#include <set>

#include "common/error.h"
#include "storage/database_state.h"
#include "storage/log_record.h"
#include "storage/manifest.h"
#include "storage/partition_builder.h"
#include "storage/position_history.h"

namespace idem {

namespace {

SqlError damaged(std::string_view what, std::string_view why) {
  return sql_error(sqlstate::kDataCorrupted, "damaged {}: {}", what, why);
}

// Tables while the log is replayed: nobody else sees them yet.
class Replay {
 public:
  explicit Replay(DatabaseState& db) : db_(db) {}

  void load_manifest(const Manifest& manifest);
  void apply(const wal::Record& record);
  void finish();
  uint64_t commits() const { return commits_; }

 private:
  void load_table(const Manifest& manifest, const ManifestTable& table);
  std::shared_ptr<const TableSchema> schema_of(TableId id, const TableSchema* logged);
  void apply_table(const ReadTable& table, CommitNumber commit);

  DatabaseState& db_;
  Catalog catalog_;
  std::map<uint32_t, std::shared_ptr<const TableVersion>> tables_;
  CommitNumber commit_{};
  int64_t time_ = 0;
  uint64_t log_end_ = 0;
  uint64_t commits_ = 0;
};

void Replay::load_table(const Manifest& manifest, const ManifestTable& table) {
  auto schema = std::make_shared<TableSchema>(table.schema);
  for (ColumnSchema& column : schema->columns) {
    if (column.type.id != TypeId::kSymbol) continue;
    column.dictionary = std::make_shared<SymbolDictionary>();
    const auto known = std::find_if(table.dictionaries.begin(), table.dictionaries.end(),
                                    [&](const auto& d) { return d.column == column.id; });
    if (known == table.dictionaries.end() || known->count == 0) continue;
    db_.dictionary_files[{static_cast<uint32_t>(schema->id), static_cast<uint32_t>(column.id)}] =
        DictionaryFile::open(db_.files, dictionary_path(db_.folder, schema->id, column.id), db_.database_id,
                             schema->id, column.id, known->count, column.dictionary.get());
    db_.named_dictionaries[{static_cast<uint32_t>(schema->id), static_cast<uint32_t>(column.id)}] =
        known->count;
    column.dictionary->set_logged(known->count);
  }
  std::vector<std::shared_ptr<SegmentFile>> segments;
  for (const uint64_t id : table.segments) {
    segments.push_back(SegmentFile::open(db_.files, segment_path(db_.folder, schema->id, id),
                                         {db_.database_id, static_cast<SegmentId>(id), schema->id},
                                         db_.cache));
    db_.named_segments[id] = {segments.back()->path(), segments.back()};
  }
  auto version = std::make_shared<TableVersion>();
  version->schema = schema;
  version->version = table.version;
  version->commit = table.commit;
  version->history = HistoryHandle::make();
  std::vector<std::shared_ptr<const Partition>> partitions;
  for (const ManifestTable::Partition& from : table.partitions) {
    auto partition = std::make_shared<Partition>();
    partition->start = from.start;
    for (const ManifestSlice& slice : from.slices) {
      const SegmentFile& file = *segments[slice.segment];
      if (slice.row_group >= file.row_group_count() ||
          slice.end > file.row_group(slice.row_group)->row_count()) {
        throw damaged(manifest_path(db_.folder, manifest.number), "rows that are not in their segment");
      }
      const auto group = file.row_group(slice.row_group);
      add_slice_to(partition.get(), *schema, {group, slice.begin, slice.end}, slice.min_timestamp,
                   slice.max_timestamp);
    }
    partition->content_id = db_.content_ids->fetch_add(1) + 1;
    version->row_count += partition->row_count;
    partitions.push_back(std::move(partition));
  }
  version->partitions = PersistentVector<std::shared_ptr<const Partition>>::from(partitions);
  tables_[static_cast<uint32_t>(schema->id)] = std::move(version);
}

void Replay::load_manifest(const Manifest& manifest) {
  catalog_ = manifest.catalog;
  commit_ = manifest.commit;
  time_ = manifest.commit_time_micros;
  log_end_ = manifest.log_position;
  for (const ManifestTable& table : manifest.tables) load_table(manifest, table);
}

std::shared_ptr<const TableSchema> Replay::schema_of(TableId id, const TableSchema* logged) {
  const auto known = tables_.find(static_cast<uint32_t>(id));
  const std::shared_ptr<const TableSchema> before = known == tables_.end() ? nullptr : known->second->schema;
  if (!logged) return before;
  auto schema = std::make_shared<TableSchema>(*logged);
  for (ColumnSchema& column : schema->columns) {
    if (column.type.id != TypeId::kSymbol) continue;
    const int index = before ? before->find_column(column.id) : -1;
    if (index >= 0) column.dictionary = before->columns[static_cast<size_t>(index)].dictionary;
    if (!column.dictionary) column.dictionary = std::make_shared<SymbolDictionary>();
  }
  return schema;
}

void check_ordinals(const PositionDelta& delta, uint64_t row_count) {
  const bool inside = (delta.deleted.empty() || delta.deleted.back() < row_count) &&
                      (delta.replaced.empty() || delta.replaced.back() < row_count) &&
                      (delta.inserted.empty() || delta.inserted.back().before <= row_count);
  if (!inside) throw damaged("log record", "a row that does not exist");
}

void Replay::apply_table(const ReadTable& table, CommitNumber commit) {
  auto& known = tables_[static_cast<uint32_t>(table.table)];
  if (table.created != (known == nullptr)) throw damaged("log record", "a table that is not there");
  auto next = known ? std::make_shared<TableVersion>(*known) : std::make_shared<TableVersion>();
  if (!next->history) next->history = HistoryHandle::make();
  next->schema = table.schema;
  next->version = table.version;
  next->commit = commit;
  if (table.truncated) {
    next->partitions = {};
    next->row_count = 0;
  }
  const WriteContext context = db_.write_context(table.schema, MemoryRowGroup::kCommitted);
  for (const ReadTable::Partition& logged : table.partitions) {
    const int index = next->find_partition(logged.start);
    std::shared_ptr<const Partition> partition;
    if (index >= 0 && !logged.cleared) partition = next->partitions[static_cast<size_t>(index)];
    for (const PartitionChange& change : logged.changes) {
      check_ordinals(change.positions, partition ? partition->row_count : 0);
      partition = apply_change(partition, change, context);
    }
    replace_partition(next.get(), logged.start, std::move(partition));
  }
  known = std::move(next);
}

void Replay::apply(const wal::Record& record) {
  const auto commit = static_cast<CommitNumber>(record.commit_number);
  // New tables are in the record's table changes; dropped ones only among the names.
  const ReadRecord read = read_log_record(
      record.payload, [&](TableId id, const TableSchema* logged) { return schema_of(id, logged); });
  for (const CatalogChange& change : read.catalog_changes) {
    try {
      apply_catalog_change(&catalog_, change);
    } catch (const SqlError& e) { throw damaged("log record", e.message()); }
    if (const auto* dropped = std::get_if<DropTableName>(&change)) {
      tables_.erase(static_cast<uint32_t>(dropped->table));
    }
  }
  for (const ReadTable& table : read.tables) apply_table(table, commit);
  commit_ = commit;
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
    db_.add_table_state(static_cast<TableId>(id), version);
  }
  snapshot->catalog = std::make_shared<const Catalog>(std::move(catalog_));
  db_.catalog_head = snapshot->catalog;
  db_.next_object_id = snapshot->catalog->next_object_id;
  db_.last_commit = db_.last_logged = commit_;
  db_.last_commit_time = time_;
  db_.log_end = db_.published_log_end = log_end_;
  db_.published = std::move(snapshot);
}

// Files that no manifest names: what a crash left between writing and naming, or between forgetting and
// removing.
void sweep_orphans(DatabaseState& db, uint64_t manifest_number) {
  // An orphan that stays is swept at the next start; until then nothing else takes its name.
  const auto remove = [&](const std::string& path) {
    if (db.files.remove(path).ok()) return;
    const std::string name = path.substr(path.rfind('/') + 1);
    uint64_t id = 0;
    const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), id);
    if (error == std::errc() && std::string_view(end) == ".segment") {
      db.next_segment = std::max(db.next_segment, id + 1);
    }
  };
  const auto entries = [&](const std::string& path) {
    IoResult<std::vector<DirectoryEntry>> list = db.files.list(path);
    if (!list.ok() && list.error().is_not_found()) return std::vector<DirectoryEntry>();
    return list.value_or_throw();
  };
  const std::string manifests = join_path(db.folder, "manifests");
  const std::string current = fmt::format("manifest-{}", manifest_number);
  for (const DirectoryEntry& entry : entries(manifests)) {
    if (entry.name != current) remove(join_path(manifests, entry.name));
  }
  std::set<std::string> named;
  for (const auto& [id, segment] : db.named_segments) named.insert(segment.path);
  for (const auto& [column, file] : db.dictionary_files) named.insert(file->path());
  const std::string tables = join_path(db.folder, "tables");
  for (const DirectoryEntry& table : entries(tables)) {
    const std::string path = join_path(tables, table.name);
    bool any_left = false;
    for (const DirectoryEntry& file : entries(path)) {
      const std::string file_path = join_path(path, file.name);
      if (named.contains(file_path)) {
        any_left = true;
      } else {
        remove(file_path);
      }
    }
    if (!any_left) remove(path);
  }
}

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
  const Manifest manifest = decode_manifest(read_whole_file(db.files, path).value_or_throw(), path);
  if (manifest.number != number) throw damaged(path, "it has another number");
  db.database_id = manifest.database_id;
  db.next_manifest = number + 1;
  db.next_segment = manifest.next_segment;
  db.checkpoint_log_end = manifest.log_position;
  db.manifest_commit = manifest.commit;

  Replay replay(db);
  replay.load_manifest(manifest);
  const std::string log_folder = join_path(db.folder, "log");
  const wal::RecoveryResult recovered =
      wal::recover(db.files, log_folder, log_database_id(db.database_id),
                   wal::Position{manifest.log_position}, [&](const wal::Record& record) {
                     if (static_cast<CommitNumber>(record.commit_number) > manifest.commit)
                       replay.apply(record);
                   });
  replay.finish();
  sweep_orphans(db, number);

  wal::LogOptions log_options;
  log_options.segment_bytes = db.options.log_segment_bytes;
  log_options.own_threads = db.options.own_threads;
  db.log = wal::Log::open(db.files, log_folder, log_options, recovered, &db);
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
