#include <algorithm>
#include <set>

#include "common/error.h"
#include "storage/database_state.h"
#include "storage/manifest.h"
#include "storage/partition_builder.h"
#include "storage/segment_writer.h"

namespace idem {

namespace {

constexpr uint32_t kFragmentRows = kRowGroupSize / 2;  // shorter slices are joined with their neighbours

// Where rows of row groups went: rows [begin, end) of `group` are those of `to` from `to_begin` on.
struct MovedRows {
  uint32_t begin = 0, end = 0;
  std::shared_ptr<const RowGroup> to;
  uint32_t to_begin = 0;
};
using RowMoves = std::unordered_map<const RowGroup*, std::vector<MovedRows>>;

const SegmentFile* file_of(const RowGroup& group) {
  return group.in_memory() ? nullptr : &static_cast<const SegmentRowGroup&>(group).file();
}

// A run of neighbouring slices that become row groups of one segment file.
struct EncodeRun {
  std::vector<Slice> slices;
  std::vector<uint32_t> first_row;  // of each slice within the run
  uint32_t rows = 0;
  uint32_t first_group = 0;  // of the file
};

// Gives vectors of the run's rows, put together from its slices.
class RunReader {
 public:
  explicit RunReader(const EncodeRun& run) : run_(run) {}

  void read(const ColumnSchema& column, uint32_t first, uint32_t count, Vector* out) const {
    size_t s = static_cast<size_t>(std::upper_bound(run_.first_row.begin(), run_.first_row.end(), first) -
                                   run_.first_row.begin()) -
               1;
    std::shared_ptr<BatchColumn> joined;
    for (uint32_t done = 0; done < count;) {
      const Slice& slice = run_.slices[s];
      const uint32_t row = slice.begin + (first + done - run_.first_row[s]);
      const uint32_t length = std::min({count - done, slice.end - row, kVectorSize - row % kVectorSize});
      if (length == count) return slice.group->read(column, row, length, out);
      Vector piece;
      slice.group->read(column, row, length, &piece);
      if (!joined) joined = std::make_shared<BatchColumn>(column.type, column.dictionary);
      joined->append_vector(piece, {nullptr, length});
      done += length;
      if (row + length == slice.end) ++s;
    }
    *out = joined->slice(0, count);
    out->owner = joined;
  }

 private:
  const EncodeRun& run_;
};

// The part of a checkpoint that concerns one table.
class TableCheckpoint {
 public:
  TableCheckpoint(DatabaseState& db, std::shared_ptr<const TableVersion> version)
      : db_(db), version_(std::move(version)) {}

  // Plans and writes; then sync_folder() makes the names durable.
  void encode();
  void write_dictionaries();
  void sync_folder();
  // The checkpoint has failed, and no manifest names what was written.
  void discard();
  const std::shared_ptr<const TableVersion>& persistent() const { return persistent_; }
  ManifestTable describe(std::map<uint64_t, NamedSegment>* named) const;
  // Puts what was encoded in place of what is in memory, in the newest version.
  void install();

 private:
  void plan();
  void add_run(std::vector<Slice> slices);
  void note_moves(const EncodeRun& run);
  std::shared_ptr<const TableVersion> moved(const TableVersion& version) const;
  std::shared_ptr<const Partition> moved(const Partition& partition, const TableSchema& schema) const;
  void make_folder();

  DatabaseState& db_;
  std::shared_ptr<const TableVersion> version_, persistent_;
  std::vector<EncodeRun> runs_;
  std::shared_ptr<SegmentFile> file_;
  RowMoves moves_;
};

void TableCheckpoint::add_run(std::vector<Slice> slices) {
  EncodeRun run;
  for (Slice& slice : slices) {
    if (!run.slices.empty() && uint64_t{run.rows} + slice.rows() > UINT32_MAX / 2) {
      runs_.push_back(std::move(run));
      run = EncodeRun();
    }
    run.first_row.push_back(run.rows);
    run.rows += slice.rows();
    run.slices.push_back(std::move(slice));
  }
  runs_.push_back(std::move(run));
}

void TableCheckpoint::plan() {
  version_->partitions.for_each([&](const std::shared_ptr<const Partition>& partition) {
    std::vector<Slice> run;
    bool needed = false;
    const auto finish_run = [&] {
      if (needed || run.size() > 1) add_run(std::move(run));
      run.clear();
      needed = false;
    };
    for (const Slice& slice : partition->slices) {
      const SegmentFile* file = file_of(*slice.group);
      const bool must = !file || file->is_obsolete();
      if (!must && slice.rows() >= kFragmentRows) {
        finish_run();
        continue;
      }
      if (!file) {
        // Later rows go into another row group, so that this one is given back as a whole.
        const_cast<MemoryRowGroup&>(static_cast<const MemoryRowGroup&>(*slice.group)).seal();
      }
      needed = needed || must;
      run.push_back(slice);
    }
    finish_run();
  });
}

void TableCheckpoint::make_folder() {
  const auto id = static_cast<uint32_t>(version_->schema->id);
  db_.unsynced_folders.insert(id);
  if (db_.durable_folders.contains(id)) return;
  make_directories(db_.files, table_path(db_.folder, version_->schema->id)).throw_if_error();
  db_.durable_folders.insert(id);
}

void TableCheckpoint::sync_folder() {
  const auto id = static_cast<uint32_t>(version_->schema->id);
  if (!db_.unsynced_folders.contains(id)) return;
  db_.files.sync_directory(table_path(db_.folder, version_->schema->id)).throw_if_error();
  db_.unsynced_folders.erase(id);
}

void TableCheckpoint::discard() {
  if (file_) file_->mark_obsolete();
}

void TableCheckpoint::encode() {
  plan();
  if (!runs_.empty()) {
    make_folder();
    const uint64_t id = db_.next_segment++;
    const TableSchema& schema = *version_->schema;
    SegmentWriter writer(db_.files, segment_path(db_.folder, schema.id, id), db_.database_id,
                         static_cast<SegmentId>(id), version_->schema);
    for (EncodeRun& run : runs_) {
      run.first_group = writer.row_group_count();
      const RunReader reader(run);
      for (uint32_t first = 0; first < run.rows; first += kRowGroupSize) {
        const uint32_t rows = std::min(kRowGroupSize, run.rows - first);
        writer.add_row_group(rows, [&](const ColumnSchema& column, uint32_t vector_index, Vector* out) {
          const uint32_t at = vector_index * kVectorSize;
          reader.read(column, first + at, std::min(kVectorSize, rows - at), out);
        });
      }
    }
    file_ = writer.finish(db_.cache);
    for (const EncodeRun& run : runs_) note_moves(run);
    runs_.clear();
  }
  persistent_ = moved(*version_);
}

void TableCheckpoint::note_moves(const EncodeRun& run) {
  for (size_t s = 0; s < run.slices.size(); ++s) {
    const Slice& slice = run.slices[s];
    uint32_t at = run.first_row[s];
    for (uint32_t row = slice.begin; row < slice.end;) {
      const uint32_t in_group = at % kRowGroupSize;
      const uint32_t count = std::min(slice.end - row, kRowGroupSize - in_group);
      const auto to = file_->row_group(run.first_group + at / kRowGroupSize);
      moves_[slice.group.get()].push_back({row, row + count, to, in_group});
      row += count;
      at += count;
    }
  }
}

std::shared_ptr<const Partition> TableCheckpoint::moved(const Partition& partition,
                                                        const TableSchema& schema) const {
  const bool any = std::any_of(partition.slices.begin(), partition.slices.end(),
                               [&](const Slice& slice) { return moves_.contains(slice.group.get()); });
  if (!any) return nullptr;
  struct Placed {
    Slice slice;
    std::optional<int64_t> min, max;
  };
  std::vector<Placed> placed;
  const auto add = [&](Placed next) {
    if (!placed.empty() && placed.back().slice.group == next.slice.group &&
        placed.back().slice.end == next.slice.begin) {
      placed.back().slice.end = next.slice.end;
      placed.back().max = next.max;
    } else {
      placed.push_back(std::move(next));
    }
  };
  for (size_t i = 0; i < partition.slices.size(); ++i) {
    const Slice& slice = partition.slices[i];
    const auto known = moves_.find(slice.group.get());
    uint32_t row = slice.begin;
    if (known != moves_.end()) {
      for (const MovedRows& part : known->second) {  // ascending
        if (part.end <= row || part.begin > row) continue;
        const uint32_t end = std::min(part.end, slice.end);
        const uint32_t to = part.to_begin + (row - part.begin);
        Placed next{{part.to, to, to + (end - row)}, std::nullopt, std::nullopt};
        if (row == slice.begin) next.min = partition.slice_min[i];
        if (end == slice.end) next.max = partition.slice_max[i];
        add(std::move(next));
        row = end;
        if (row == slice.end) break;
      }
    }
    if (row < slice.end) {
      Placed next{{slice.group, row, slice.end}, std::nullopt, partition.slice_max[i]};
      if (row == slice.begin) next.min = partition.slice_min[i];
      add(std::move(next));
    }
  }
  auto result = std::make_shared<Partition>();
  result->start = partition.start;
  result->content_id = partition.content_id;
  for (Placed& next : placed) add_slice_to(result.get(), schema, std::move(next.slice), next.min, next.max);
  return result;
}

std::shared_ptr<const TableVersion> TableCheckpoint::moved(const TableVersion& version) const {
  auto result = std::make_shared<TableVersion>(version);
  if (moves_.empty()) return result;
  size_t i = 0;
  version.partitions.for_each([&](const std::shared_ptr<const Partition>& partition) {
    if (auto other = moved(*partition, *version.schema)) {
      result->partitions = result->partitions.set(i, std::move(other));
    }
    ++i;
  });
  return result;
}

std::unique_ptr<DictionaryFile> open_or_create_dictionary(DatabaseState& db, TableId table, ColumnId column) {
  const std::string path = dictionary_path(db.folder, table, column);
  const auto named =
      db.named_dictionaries.find({static_cast<uint32_t>(table), static_cast<uint32_t>(column)});
  if (named != db.named_dictionaries.end()) {
    SymbolDictionary strings;  // only to find the end of those that count
    return DictionaryFile::open(db.files, path, db.database_id, table, column, named->second, &strings);
  }
  // What an attempt that failed left behind counts for nothing.
  if (db.files.exists(path).value_or_throw()) db.files.remove(path).throw_if_error();
  return DictionaryFile::create(db.files, path, db.database_id, table, column);
}

void TableCheckpoint::write_dictionaries() {
  const TableSchema& schema = *version_->schema;
  for (const ColumnSchema& column : schema.columns) {
    if (column.type.id != TypeId::kSymbol || column.dictionary->size() == 0) continue;
    const auto key = std::pair(static_cast<uint32_t>(schema.id), static_cast<uint32_t>(column.id));
    auto& file = db_.dictionary_files[key];
    const uint32_t count = column.dictionary->size();
    if (file && file->size() >= count) continue;
    try {
      if (!file) {
        make_folder();
        file = open_or_create_dictionary(db_, schema.id, column.id);
      }
      file->append_from(*column.dictionary, count);
      file->sync();
    } catch (...) {
      file.reset();  // opened anew at what the manifest says
      throw;
    }
  }
}

ManifestTable TableCheckpoint::describe(std::map<uint64_t, NamedSegment>* named) const {
  ManifestTable table;
  table.schema = *persistent_->schema;
  table.version = persistent_->version;
  table.commit = persistent_->commit;
  for (const ColumnSchema& column : table.schema.columns) {
    if (column.type.id != TypeId::kSymbol) continue;
    const auto file =
        db_.dictionary_files.find({static_cast<uint32_t>(table.schema.id), static_cast<uint32_t>(column.id)});
    if (file != db_.dictionary_files.end() && file->second)
      table.dictionaries.push_back({column.id, file->second->size()});
  }
  std::unordered_map<uint64_t, uint32_t> index_of;
  persistent_->partitions.for_each([&](const std::shared_ptr<const Partition>& from) {
    ManifestTable::Partition partition;
    partition.start = from->start;
    for (size_t i = 0; i < from->slices.size(); ++i) {
      const auto& group = static_cast<const SegmentRowGroup&>(*from->slices[i].group);
      const auto id = static_cast<uint64_t>(group.file().id());
      const auto [index, fresh] = index_of.try_emplace(id, static_cast<uint32_t>(table.segments.size()));
      if (fresh) {
        table.segments.push_back(id);
        (*named)[id] = {group.file().path(), group.file().weak_from_this()};
      }
      partition.slices.push_back({index->second, group.index(), from->slices[i].begin, from->slices[i].end,
                                  from->slice_min[i], from->slice_max[i]});
    }
    table.partitions.push_back(std::move(partition));
  });
  return table;
}

void TableCheckpoint::install() {
  if (moves_.empty()) return;
  const auto state = db_.table_state(version_->schema->id);
  if (!state) return;
  std::lock_guard latch(state->latch);
  if (!state->head) return;
  std::shared_ptr<const TableVersion> head = state->head == version_ ? persistent_ : moved(*state->head);
  state->head = head;
  std::lock_guard order(db_.commit_latch);
  PendingCommit pending;
  pending.commit = db_.last_commit;
  pending.logged = db_.last_logged;
  pending.time_micros = db_.last_commit_time;
  pending.log_end = db_.log_end;
  pending.tables.emplace_back(version_->schema->id, std::move(head));
  db_.enqueue(std::move(pending));
}

// Strings that count, by column.
std::map<std::pair<uint32_t, uint32_t>, uint32_t> dictionaries_of(const Manifest& manifest) {
  std::map<std::pair<uint32_t, uint32_t>, uint32_t> dictionaries;
  for (const ManifestTable& table : manifest.tables) {
    for (const ManifestTable::Dictionary& d : table.dictionaries) {
      dictionaries[{static_cast<uint32_t>(table.schema.id), static_cast<uint32_t>(d.column)}] = d.count;
    }
  }
  return dictionaries;
}

void remove_unnamed(DatabaseState& db, std::map<uint64_t, NamedSegment> before, const Manifest& manifest) {
  for (const auto& [id, segment] : before) {
    if (db.named_segments.contains(id)) continue;
    if (const auto file = segment.file.lock()) {
      file->mark_obsolete();
    } else {
      static_cast<void>(db.files.remove(segment.path).ok());  // swept at the next start otherwise
    }
  }
  std::map<std::pair<uint32_t, uint32_t>, uint32_t> dictionaries = dictionaries_of(manifest);
  for (const auto& [column, count] : db.named_dictionaries) {
    if (dictionaries.contains(column)) continue;
    db.dictionary_files.erase(column);
    const std::string path =
        dictionary_path(db.folder, static_cast<TableId>(column.first), static_cast<ColumnId>(column.second));
    static_cast<void>(db.files.remove(path).ok());
  }
  db.named_dictionaries = std::move(dictionaries);
}

}  // namespace

void write_manifest(DatabaseState& db, const Manifest& manifest, bool* may_be_current) {
  *may_be_current = false;
  const std::string path = manifest_path(db.folder, manifest.number);
  const std::string current = join_path(db.folder, "CURRENT"), aside = current + ".new";
  const auto write = [&](const std::string& to, std::string_view content) {
    const auto file = db.files.open(to, OpenMode::kOpenOrCreate).value_or_throw();
    file->truncate(0).throw_if_error();
    file->write_at(0, content).throw_if_error();
    file->sync_all().throw_if_error();
  };
  try {
    write(path, encode_manifest(manifest));
    db.files.sync_directory(join_path(db.folder, "manifests")).throw_if_error();
    write(aside, fmt::format("manifest-{}\n", manifest.number));
  } catch (const SqlError&) {
    // Gives the room back, or leaves it to the next start.
    static_cast<void>(db.files.remove(path).ok());
    throw;
  }
  *may_be_current = true;
  db.files.rename(aside, current).throw_if_error();
  db.files.sync_directory(db.folder).throw_if_error();
}

void run_checkpoint(DatabaseState& db) {
  std::lock_guard one_at_a_time(db.checkpoint_mutex);
  std::shared_ptr<const Snapshot> snapshot;
  uint64_t log_end = 0;
  {
    std::lock_guard lock(db.publish_latch);
    snapshot = db.published;
    log_end = db.published_log_end;
  }
  // Asynchronous commits are visible before they are durable.
  db.wait_durable(snapshot->logged);

  std::vector<std::unique_ptr<TableCheckpoint>> tables;
  snapshot->tables.for_each([&](const std::shared_ptr<const TableVersion>& version) {
    if (version && !version->schema->temporary)
      tables.push_back(std::make_unique<TableCheckpoint>(db, version));
  });
  bool may_be_current = false;
  Manifest manifest;
  std::map<uint64_t, NamedSegment> named;
  try {
    for (const auto& table : tables) {
      table->encode();
      table->write_dictionaries();
      table->sync_folder();
    }
    manifest.database_id = db.database_id;
    manifest.number = db.next_manifest++;
    manifest.commit = snapshot->logged;
    manifest.commit_time_micros = snapshot->commit_time_micros;
    manifest.log_position = log_end;
    manifest.next_segment = db.next_segment;
    manifest.catalog = *snapshot->catalog;
    manifest.catalog.next_object_id = db.next_object_id.load();
    for (const auto& table : tables) manifest.tables.push_back(table->describe(&named));
    write_manifest(db, manifest, &may_be_current);
  } catch (const SqlError&) {
    if (may_be_current) {
      // What it names must not be overwritten.
      for (const auto& [column, count] : dictionaries_of(manifest)) db.named_dictionaries[column] = count;
    } else {
      // A checkpoint that is tried again on a full disk must not fill it further.
      for (const auto& table : tables) table->discard();
    }
    throw;
  }

  for (const auto& table : tables) table->install();
  db.publish_through(static_cast<CommitNumber>(db.log->durable_commit()));
  tables.clear();
  std::map<uint64_t, NamedSegment> before = std::move(db.named_segments);
  db.named_segments = std::move(named);
  remove_unnamed(db, std::move(before), manifest);
  if (manifest.number > 1)
    static_cast<void>(db.files.remove(manifest_path(db.folder, manifest.number - 1)).ok());
  db.checkpoint_log_end = log_end;
  db.last_checkpoint_micros = db.clock.now_micros();
  snapshot.reset();
  db.memory_after_checkpoint = db.memory->load();
  // The checkpoint stands; segments of the log that could not be given back are tried again after the next
  // one.
  const IoResult<size_t> removed = db.log->remove_before(wal::Position{log_end});
  std::lock_guard lock(db.failure_mutex);
  db.checkpoint_failure = removed.ok() ? std::string() : removed.error().message();
}

}  // namespace idem
