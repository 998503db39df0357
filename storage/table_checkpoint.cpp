#include "storage/table_checkpoint.h"

#include <algorithm>

#include "storage/compaction.h"
#include "storage/kept_encoder.h"
#include "storage/slice_reader.h"

namespace idem {

namespace {

constexpr uint32_t kFragmentRows = kRowGroupSize / 2;  // shorter slices are joined with their neighbours
constexpr size_t kManifestDictionaryBytes = 2'048;     // of strings; longer dictionaries get a file

const SegmentFile* file_of(const RowGroup& group) {
  return group.in_memory() ? nullptr : &static_cast<const SegmentRowGroup&>(group).file();
}

// Later rows go into another row group, so that this one is given back as a whole.
void seal(const RowGroup& group) {
  if (group.in_memory()) const_cast<MemoryRowGroup&>(static_cast<const MemoryRowGroup&>(group)).seal();
}

// Gives vectors of the run's rows, put together from what its slices show.
class RunReader {
 public:
  explicit RunReader(const EncodeRun& run) : run_(run) {}

  void read(const ColumnSchema& column, uint32_t first, uint32_t count, Vector* out) {
    size_t s = static_cast<size_t>(std::upper_bound(run_.first_row.begin(), run_.first_row.end(), first) -
                                   run_.first_row.begin()) -
               1;
    std::shared_ptr<BatchColumn> joined;
    for (uint32_t done = 0; done < count;) {
      if (open_slice_ != s) reader_.open(run_.slices[s]);
      open_slice_ = s;
      const uint32_t row = first + done - run_.first_row[s];
      const SliceReader::Piece piece = reader_.piece_at(row);
      const uint32_t length = std::min(count - done, piece.end - row);
      if (length == count) return reader_.read(column, row, length, out);
      Vector part;
      reader_.read(column, row, length, &part);
      if (!joined) joined = std::make_shared<BatchColumn>(column.type, column.dictionary);
      joined->append_vector(part, {nullptr, length});
      done += length;
      if (first + done == run_.first_row[s] + run_.slices[s].rows()) ++s;
    }
    *out = joined->slice(0, count);
    out->owner = joined;
  }

 private:
  const EncodeRun& run_;
  SliceReader reader_;
  size_t open_slice_ = SIZE_MAX;
};

std::unique_ptr<DictionaryFile> open_or_create_dictionary(DatabaseState& db, TableId table, ColumnId column) {
  const std::string path = dictionary_path(db.folder, table, column);
  if (const auto known = db.manifest->dictionary_file(table, column)) {
    return DictionaryFile::resume(db.files, path, known->count, known->file_bytes);
  }
  // What an attempt that failed left behind counts for nothing.
  if (db.files.exists(path).value_or_throw()) db.files.remove(path).throw_if_error();
  return DictionaryFile::create(db.files, path, db.database_id, table, column);
}

// Whether the manifest takes the strings up, so that small tables need no file for each column.
bool fits_in_manifest(const SymbolDictionary& dictionary, uint32_t count) {
  size_t bytes = 0;
  for (uint32_t code = 0; code < count && bytes <= kManifestDictionaryBytes; ++code) {
    bytes += dictionary.at(static_cast<int32_t>(code)).size() + 1;
  }
  return bytes <= kManifestDictionaryBytes;
}

}  // namespace

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

void TableCheckpoint::plan(uint64_t* compaction_rows, const SparseFiles& sparse) {
  const auto table = static_cast<uint32_t>(id_);
  version_->partitions.for_each([&](const std::shared_ptr<const Partition>& partition) {
    std::vector<Slice> run;
    bool needed = false;
    const auto finish_run = [&] {
      if (needed || run.size() > 1) {
        add_run(std::move(run));
      } else if (!run.empty()) {
        overlays_.add(run.front());
      }
      run.clear();
      needed = false;
    };
    std::vector<SliceRun> compaction;
    if (db_.cold_partitions.is_cold(table, *partition)) {
      compaction = plan_compaction(*partition, compaction_rows);
    }
    db_.cold_partitions.note(table, *partition);
    auto joined = compaction.begin();
    for (size_t i = 0; i < partition->slices.size(); ++i) {
      const Slice& slice = partition->slices[i];
      if (joined != compaction.end() && joined->first == i) {
        finish_run();
        for (size_t s = i; s < joined->end; ++s) seal(*partition->slices[s].group);
        const auto begin = partition->slices.begin();
        add_run({begin + static_cast<std::ptrdiff_t>(i), begin + static_cast<std::ptrdiff_t>(joined->end)});
        i = joined->end - 1;
        ++joined;
        continue;
      }
      const SegmentFile* file = file_of(*slice.group);
      const bool frees = *compaction_rows >= slice.rows() && sparse.holds_rows_of(slice);
      if (frees) *compaction_rows -= slice.rows();
      const bool must = frees || !file || file->is_obsolete() || (slice.overlay && outgrows_overlay(slice));
      if (!must && slice.rows() >= kFragmentRows) {
        finish_run();
        overlays_.add(slice);
        continue;
      }
      seal(*slice.group);
      needed = needed || must;
      run.push_back(slice);
    }
    finish_run();
    if (partition->patch_rows) seal(*partition->patch_rows);
  });
}

void TableCheckpoint::discard() {
  if (file_) file_->mark_obsolete();
  if (kept_file_) kept_file_->mark_obsolete();
}

void TableCheckpoint::encode(uint64_t* compaction_rows, const SparseFiles& sparse,
                             CheckpointSegments* segments) {
  if (version_) encode_newest(compaction_rows, sparse, segments);
  encode_kept(segments);
}

void TableCheckpoint::encode_newest(uint64_t* compaction_rows, const SparseFiles& sparse,
                                    CheckpointSegments* segments) {
  plan(compaction_rows, sparse);
  if (!runs_.empty() || !overlays_.empty()) {
    uint64_t all_rows = overlays_.item_count();
    for (const EncodeRun& run : runs_) all_rows += run.rows;
    const std::unique_ptr<SegmentWriter> writer = segments->begin(written_schema(), all_rows);
    for (EncodeRun& run : runs_) {
      run.first_group = writer->row_group_count();
      RunReader reader(run);
      for (uint32_t first = 0; first < run.rows; first += kRowGroupSize) {
        const uint32_t rows = std::min(kRowGroupSize, run.rows - first);
        writer->add_row_group(rows, [&](const ColumnSchema& column, uint32_t vector_index, Vector* out) {
          const uint32_t at = vector_index * kVectorSize;
          reader.read(column, first + at, std::min(kVectorSize, rows - at), out);
        });
      }
    }
    overlays_.write(writer.get());
    file_ = writer->finish();
    for (const EncodeRun& run : runs_) note_moves(run);
    overlays_.note_moves(file_, &moves_);
    runs_.clear();
  }
  persistent_ = moves_.empty() ? version_ : moves_.apply(*version_);
}

// Rows that only kept versions show are written as they stand in the newest of them.
void TableCheckpoint::encode_kept(CheckpointSegments* segments) {
  KeptVersionEncoder encoder(written_schema());
  std::unordered_map<const Partition*, std::shared_ptr<const Partition>> seen;
  const auto moved_partition = [&](const std::shared_ptr<const Partition>& partition,
                                   const TableSchema& schema) {
    auto& result = seen[partition.get()];
    if (!result) result = moves_.empty() ? nullptr : moves_.apply(*partition, schema);
    if (!result) result = partition;
    return result;
  };
  kept_persistent_ = kept_;
  for (size_t i = kept_.size(); i-- > 0;) {
    if (kept_[i].written) continue;
    const TableVersion& version = *kept_[i].version;
    auto result = std::make_shared<TableVersion>(version);
    result->partitions =
        version.partitions.transformed([&](const std::shared_ptr<const Partition>& partition) {
          const bool fresh = !seen.contains(partition.get());
          auto moved = moved_partition(partition, *version.schema);
          if (fresh) encoder.plan(*moved);
          return moved;
        });
    kept_persistent_[i].version = std::move(result);
    kept_persistent_[i].written = true;
  }
  if (encoder.empty()) return;
  kept_file_ = encoder.write(segments);
  for (KeptVersion& kept : kept_persistent_) {
    if (!kept.written) continue;
    if (auto version = encoder.persistent(kept.version)) kept.version = std::move(version);
  }
}

// Columns of the newest version and those that only kept ones have, whose rows may be in the same row groups.
std::shared_ptr<const TableSchema> TableCheckpoint::written_schema() const {
  const auto all = schemas();
  std::shared_ptr<TableSchema> wider;
  for (const auto& schema : all) {
    for (const ColumnSchema& column : schema->columns) {
      if ((wider ? wider.get() : all[0].get())->find_column(column.id) >= 0) continue;
      if (!wider) wider = std::make_shared<TableSchema>(*all[0]);
      wider->columns.push_back(column);
    }
  }
  return wider ? wider : all[0];
}

std::vector<std::shared_ptr<const TableSchema>> TableCheckpoint::schemas() const {
  std::vector<std::shared_ptr<const TableSchema>> result;
  if (version_) result.push_back(version_->schema);
  for (size_t i = kept_.size(); i-- > 0;) {
    if (result.empty() || result.back() != kept_[i].version->schema)
      result.push_back(kept_[i].version->schema);
  }
  return result;
}

void TableCheckpoint::note_moves(const EncodeRun& run) {
  for (size_t s = 0; s < run.slices.size(); ++s) {
    std::vector<RowMoves::Target> targets;
    uint32_t at = run.first_row[s];
    for (const uint32_t end = at + run.slices[s].rows(); at < end;) {
      const uint32_t in_group = at % kRowGroupSize;
      const uint32_t count = std::min(end - at, kRowGroupSize - in_group);
      targets.push_back({file_->row_group(run.first_group + at / kRowGroupSize), in_group, count});
      at += count;
    }
    moves_.add_slice(run.slices[s], std::move(targets));
  }
}

void TableCheckpoint::write_dictionaries() {
  for (const auto& schema : schemas()) {
    for (const ColumnSchema& column : schema->columns) {
      if (column.type.id != TypeId::kSymbol || dictionaries_.contains(column.id)) continue;
      ManifestDictionary written{column.id, column.dictionary->size(), 0, nullptr};
      const auto key = std::pair(static_cast<uint32_t>(id_), static_cast<uint32_t>(column.id));
      const auto known = db_.dictionary_files.find(key);
      if (known == db_.dictionary_files.end() && fits_in_manifest(*column.dictionary, written.count)) {
        if (written.count == 0) continue;
        written.strings = column.dictionary;
      } else {
        auto& file = db_.dictionary_files[key];
        write_dictionary(*column.dictionary, column.id, &file);
        written.count = file->size();
        written.file_bytes = file->bytes();
      }
      dictionaries_.emplace(column.id, std::move(written));
    }
  }
}

void TableCheckpoint::write_dictionary(const SymbolDictionary& dictionary, ColumnId column,
                                       std::unique_ptr<DictionaryFile>* file) {
  const uint32_t count = dictionary.size();
  if (*file && (*file)->size() >= count) return;
  try {
    if (!*file) {
      use_folder(db_, id_);
      *file = open_or_create_dictionary(db_, id_, column);
    }
    (*file)->append_from(dictionary, count);
    (*file)->sync();
  } catch (...) {
    file->reset();  // begun anew at what the manifest says
    throw;
  }
}

std::shared_ptr<const WrittenTable> TableCheckpoint::describe(uint64_t log_position) {
  auto table = std::make_shared<WrittenTable>();
  table->lines = lines_;
  table->versions = kept_persistent_;
  table->history_stamp = stamp_;
  table->head = persistent_;
  if (version_) {
    KeptVersion newest;
    if (!table->versions.empty() && table->versions.back().number() == version_->version) {
      newest = table->versions.back();  // in the form that the newest version has
      table->versions.pop_back();
    } else {
      newest.time_micros = lines_.empty() ? 0 : lines_.back().last_time_micros;
    }
    const bool changed = !newest.version ||
                         newest.version->partitions.size() != persistent_->partitions.size() ||
                         newest.version->schema != persistent_->schema;
    bool differs = changed;
    if (!changed) {
      PersistentVector<std::shared_ptr<const Partition>>::for_each_difference(
          newest.version->partitions, persistent_->partitions, [&](size_t) { differs = true; });
    }
    if (differs) newest.version = without_positions(persistent_);
    newest.log_position = log_position;
    newest.reasons |= static_cast<uint8_t>(KeepReason::kCheckpoint);
    newest.written = true;
    table->versions.push_back(std::move(newest));
  }
  for (const auto& [column, dictionary] : dictionaries_) table->dictionaries.push_back(dictionary);
  described_ = table;
  return table;
}

void TableCheckpoint::install() {
  // One that was vacuumed meanwhile can not be among them: vacuum is part of a checkpoint.
  for (size_t i = 0; i < kept_.size(); ++i) {
    if (!kept_[i].written) history_->note_written(kept_persistent_[i]);
  }
  if (!version_) return;
  history_->note_written(described_->versions.back());
  if (moves_.empty()) return;
  const auto state = db_.table_state(id_);
  if (!state) return;
  std::lock_guard latch(state->latch);
  if (!state->head) return;
  std::shared_ptr<const TableVersion> head =
      state->head == version_ ? persistent_ : moves_.apply(*state->head);
  state->head = head;
  std::lock_guard order(db_.commit_latch);
  PendingCommit pending;
  pending.commit = db_.last_commit;
  pending.logged = db_.last_logged;
  pending.time_micros = db_.last_commit_time;
  pending.log_end = db_.log_end;
  pending.tables.emplace_back(id_, std::move(head));
  db_.enqueue(std::move(pending));
}

}  // namespace idem
