#include "storage/manifest_loader.h"

#include <algorithm>
#include <tuple>

#include "common/error.h"
#include "storage/attached_row_group.h"
#include "storage/partition_builder.h"

namespace idem {

namespace {

class ManifestLoader {
 public:
  ManifestLoader(DatabaseState& db, Manifest& manifest) : db_(db), manifest_(manifest) {}

  LoadedManifest load() {
    WrittenState state;
    state.commit = manifest_.commit;
    state.commit_time_micros = manifest_.commit_time_micros;
    state.log_position = manifest_.log_position;
    state.next_segment = manifest_.next_segment;
    state.next_object_id = manifest_.catalog.next_object_id;
    state.catalog = std::make_shared<const Catalog>(manifest_.catalog);
    for (auto& [id, table] : manifest_.tables) {
      const ManifestTable described = std::exchange(table, {});
      state.tables.emplace_hint(state.tables.end(), id, load_table(static_cast<TableId>(id), described));
    }
    return {std::move(state), std::move(heads_)};
  }

 private:
  using Dictionaries = std::map<ColumnId, std::shared_ptr<SymbolDictionary>>;

  std::shared_ptr<const WrittenTable> load_table(TableId id, const ManifestTable& table) {
    auto written = std::make_shared<WrittenTable>();
    written->dictionaries = table.dictionaries;
    written->lines = table.lines;
    const Dictionaries dictionaries = open_dictionaries(id, table);
    std::map<const TableSchema*, std::shared_ptr<const TableSchema>> schemas;
    partitions_.clear();
    for (size_t i = 0; i < table.versions.size(); ++i) {
      const ManifestVersion& from = table.versions[i];
      auto& schema = schemas[from.schema.get()];
      if (!schema) schema = with_dictionaries(*from.schema, dictionaries);
      const ManifestVersion* before = i == 0 ? nullptr : &table.versions[i - 1];
      written->versions.push_back(
          load_version(from, schema, before, i == 0 ? nullptr : written->versions[i - 1].version.get()));
    }
    const auto history = db_.add_history(id);
    history->load(written->lines, written->versions);
    written->history_stamp = history->stamp();
    if (!manifest_.catalog.dropped.contains(static_cast<uint32_t>(id))) {
      auto head = std::make_shared<TableVersion>(*written->versions.back().version);
      head->history = HistoryHandle::make();
      written->head = head;
      heads_.push_back(std::move(head));
    }
    return written;
  }

  Dictionaries open_dictionaries(TableId id, const ManifestTable& table) {
    Dictionaries dictionaries;
    for (const ManifestDictionary& named : table.dictionaries) {
      dictionaries[named.column] = named.file_bytes == 0 ? named.strings : dictionary_in_file(id, named);
      dictionaries[named.column]->set_logged(named.count);
    }
    // Columns without strings so far: all versions of the table share theirs too.
    for (const ManifestVersion& version : table.versions) {
      for (const ColumnSchema& column : version.schema->columns) {
        if (column.type.id != TypeId::kSymbol) continue;
        auto& dictionary = dictionaries[column.id];
        if (!dictionary) dictionary = std::make_shared<SymbolDictionary>();
      }
    }
    return dictionaries;
  }

  std::shared_ptr<SymbolDictionary> dictionary_in_file(TableId id, const ManifestDictionary& named) {
    const std::string path = dictionary_path(db_.folder, id, named.column);
    auto dictionary = std::make_shared<SymbolDictionary>();
    uint32_t code = 0;
    read_dictionary_file(
        db_.files, path, db_.database_id, id, named.column, named.count, [&](std::string_view text) {
          if (dictionary->intern(text) == static_cast<int32_t>(code++)) return;
          throw sql_error(sqlstate::kDataCorrupted,
                          "damaged dictionary file \"{}\": a string that is there twice", path);
        });
    db_.dictionary_files[{static_cast<uint32_t>(id), static_cast<uint32_t>(named.column)}] =
        DictionaryFile::resume(db_.files, path, named.count, named.file_bytes);
    return dictionary;
  }

  static std::shared_ptr<const TableSchema> with_dictionaries(const TableSchema& from,
                                                              const Dictionaries& dictionaries) {
    auto schema = std::make_shared<TableSchema>(from);
    for (ColumnSchema& column : schema->columns) {
      if (column.type.id == TypeId::kSymbol) column.dictionary = dictionaries.at(column.id);
    }
    return schema;
  }

  // `before`, `loaded_before`: the version before in the same table, as described and as loaded.
  KeptVersion load_version(const ManifestVersion& from, const std::shared_ptr<const TableSchema>& schema,
                           const ManifestVersion* before, const TableVersion* loaded_before) {
    auto version = std::make_shared<TableVersion>();
    version->schema = schema;
    version->version = from.version;
    version->commit = from.commit;
    const bool aligned = before && before->partitions.size() == from.partitions.size();
    if (aligned) {
      version->partitions = loaded_before->partitions;
      PersistentVector<std::shared_ptr<const ManifestPartition>>::for_each_difference(
          before->partitions, from.partitions, [&](size_t i) {
            version->partitions = version->partitions.set(i, load_partition(from.partitions[i], *schema));
          });
    } else {
      std::vector<std::shared_ptr<const Partition>> all;
      from.partitions.for_each([&](const std::shared_ptr<const ManifestPartition>& partition) {
        all.push_back(load_partition(partition, *schema));
      });
      version->partitions = PersistentVector<std::shared_ptr<const Partition>>::from(all);
    }
    version->partitions.for_each([&](const auto& partition) { version->row_count += partition->row_count; });
    return {std::move(version), from.time_micros, from.log_position, from.reasons, true};
  }

  std::shared_ptr<const Partition> load_partition(const std::shared_ptr<const ManifestPartition>& from,
                                                  const TableSchema& schema) {
    auto& known = partitions_[from.get()];
    if (known) return known;
    auto partition = std::make_shared<Partition>();
    partition->start = from->start;
    for (const ManifestSlice& slice : from->slices) {
      const SegmentFile& file = segment(slice.segment);
      if (slice.row_group >= file.row_group_count() ||
          slice.end > file.row_group(slice.row_group)->row_count()) {
        throw sql_error(sqlstate::kDataCorrupted, "damaged manifest \"{}\": rows that are not in \"{}\"",
                        manifest_path(db_.folder, manifest_.number), file.path());
      }
      Slice stored{row_group(slice), slice.begin, slice.end, nullptr};
      if (slice.patch_segment != 0) stored.overlay = load_overlay(slice, *stored.group);
      if (stored.rows() == 0) {
        throw sql_error(sqlstate::kDataCorrupted, "damaged manifest \"{}\": a slice without rows",
                        manifest_path(db_.folder, manifest_.number));
      }
      add_slice_to(partition.get(), schema, std::move(stored), slice.min_timestamp, slice.max_timestamp);
    }
    partition->content_id = db_.content_ids->fetch_add(1) + 1;
    return known = std::move(partition);
  }

  // Slices may share one.
  std::shared_ptr<const Overlay> load_overlay(const ManifestSlice& slice, const RowGroup& base) {
    auto& overlay = overlays_[{slice.patch_segment, slice.patch}];
    if (overlay) return overlay;
    const SegmentFile& file = segment(slice.patch_segment);
    if (slice.patch >= file.footer().patches.size()) {
      throw sql_error(sqlstate::kDataCorrupted, "damaged manifest \"{}\": a patch that is not in \"{}\"",
                      manifest_path(db_.folder, manifest_.number), file.path());
    }
    const SegmentPatch patch = file.read_patch(slice.patch);
    const uint64_t offset = file.footer().patches[slice.patch].offset;
    const SegmentFile& base_file = segment(slice.segment);
    if (patch.base != SegmentPatch::RowGroupName{base_file.table_id(), base_file.id(), slice.row_group}) {
      throw SegmentDamage(file.path(), offset, "a patch of another row group");
    }
    std::vector<std::shared_ptr<const RowGroup>> sources;
    for (const SegmentPatch::RowGroupName& name : patch.sources) {
      const SegmentFile& source = segment(static_cast<uint64_t>(name.segment));
      if (name.row_group >= source.row_group_count()) {
        throw SegmentDamage(file.path(), offset, "a patch with rows of a row group that is not there");
      }
      sources.push_back(source.row_group(name.row_group));
    }
    try {
      return overlay = overlay_of(patch, base, sources, file.shared_from_this(), slice.patch);
    } catch (const SqlError& error) { throw SegmentDamage(file.path(), offset, error.message()); }
  }

  const SegmentFile& segment(uint64_t id) {
    auto& file = segments_[id];
    if (file) return *file;
    const auto found = manifest_.segments.find(id);
    if (found == manifest_.segments.end()) {
      throw sql_error(sqlstate::kDataCorrupted, "damaged manifest \"{}\": segment {} is not described",
                      manifest_path(db_.folder, manifest_.number), id);
    }
    const SegmentDescription& description = found->second;
    file = SegmentFile::described(db_.files, segment_path(db_.folder, description), db_.database_id,
                                  description, pack_of(description), db_.cache);
    return *file;
  }

  std::shared_ptr<const RowGroup> row_group(const ManifestSlice& slice) {
    auto own = segment(slice.segment).row_group(slice.row_group);
    if (slice.attachment == 0) return own;
    auto& attached = attached_[{slice.attachment, slice.segment, slice.row_group}];
    if (attached) return attached;
    const auto attachment = manifest_.attachments.find(slice.attachment);
    if (attachment == manifest_.attachments.end()) {
      throw sql_error(sqlstate::kDataCorrupted, "damaged manifest \"{}\": attachment {} is not described",
                      manifest_path(db_.folder, manifest_.number), slice.attachment);
    }
    return attached = attach_row_group(own, attachment->second);
  }

  std::shared_ptr<const SegmentPack> pack_of(const SegmentDescription& description) {
    if (description.pack == 0) return nullptr;
    auto& pack = packs_[description.pack];
    if (!pack) {
      pack = std::make_shared<SegmentPack>(db_.files, segment_path(db_.folder, description), description.pack,
                                           description.pack_bytes);
    }
    return pack;
  }

  DatabaseState& db_;
  Manifest& manifest_;
  std::unordered_map<const ManifestPartition*, std::shared_ptr<const Partition>> partitions_;  // of one table
  std::unordered_map<uint64_t, std::shared_ptr<SegmentFile>> segments_;
  std::unordered_map<uint64_t, std::shared_ptr<const SegmentPack>> packs_;
  // By attachment, segment, row group.
  std::map<std::tuple<uint64_t, uint64_t, uint32_t>, std::shared_ptr<const SegmentRowGroup>> attached_;
  std::map<std::pair<uint64_t, uint32_t>, std::shared_ptr<const Overlay>> overlays_;  // by segment and patch

  std::vector<std::shared_ptr<const TableVersion>> heads_;
};

}  // namespace

LoadedManifest load_manifest(DatabaseState& db, Manifest* manifest) {
  return ManifestLoader(db, *manifest).load();
}

}  // namespace idem
