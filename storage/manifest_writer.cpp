#include "storage/manifest_writer.h"

#include <algorithm>
#include <set>

#include "common/error.h"
#include "storage/attached_row_group.h"
#include "storage/database_state.h"
#include "storage/kept_slices.h"
#include "storage/partition_difference.h"
#include "storage/schema_encoding.h"

namespace idem {

namespace {

// Files smaller than this are not worth a new base.
constexpr uint64_t kLeastRewriteBytes = 64 << 10;

using PartitionPtr = std::shared_ptr<const Partition>;

ManifestSlice describe_slice(const Partition& partition, size_t i) {
  const Slice& slice = partition.slices[i];
  const auto& group = static_cast<const SegmentRowGroup&>(*slice.group);
  ManifestSlice described;
  described.segment = static_cast<uint64_t>(group.file().id());
  if (group.attachment()) described.attachment = group.attachment()->id;
  described.row_group = group.index();
  described.begin = slice.begin;
  described.end = slice.end;
  described.min_timestamp = partition.slice_min[i];
  described.max_timestamp = partition.slice_max[i];
  if (slice.overlay) {
    described.patch_segment = static_cast<uint64_t>(slice.overlay->file()->id());
    described.patch = slice.overlay->patch_index();
  }
  return described;
}

void write_partition(ByteWriter& out, const Partition* before, const Partition& after) {
  size_t front = 0, back = 0;
  if (before) {
    const size_t common = std::min(before->slices.size(), after.slices.size());
    while (front < common && describe_slice(*before, front) == describe_slice(after, front)) ++front;
    while (back < common - front && describe_slice(*before, before->slices.size() - 1 - back) ==
                                        describe_slice(after, after.slices.size() - 1 - back)) {
      ++back;
    }
  }
  out.varint(front);
  out.varint(back);
  const size_t end = after.slices.size() - back;
  out.varint(end - front);
  for (size_t i = front; i < end; ++i) write_manifest_slice(out, after.start, describe_slice(after, i));
}

void write_version(ByteWriter& out, const KeptVersion* before, const KeptVersion& kept) {
  const TableVersion& version = *kept.version;
  out.varint(static_cast<uint64_t>(version.version));
  out.varint(static_cast<uint64_t>(version.commit));
  out.i64(kept.time_micros);
  out.varint(kept.log_position);
  out.u8(kept.reasons);
  const bool new_schema = !before || before->version->schema != version.schema;
  out.boolean(new_schema);
  if (new_schema) write_table_schema(out, *version.schema);
  struct Change {
    int64_t start;
    PartitionPtr before, after;
  };
  std::vector<Change> changes;
  for_each_changed_partition(before ? before->version->partitions : PersistentVector<PartitionPtr>(),
                             version.partitions, [&](int64_t start, PartitionPtr a, PartitionPtr b) {
                               changes.push_back({start, std::move(a), std::move(b)});
                             });
  out.varint(changes.size());
  for (const Change& change : changes) {
    out.i64(change.start);
    out.boolean(change.after != nullptr);
    if (change.after) write_partition(out, change.before.get(), *change.after);
  }
}

void write_versions(ByteWriter& out, const std::vector<KeptVersion>& before,
                    const std::vector<KeptVersion>& after) {
  std::string steps;
  ByteWriter step(steps);
  size_t count = 0, old = 0;
  for (size_t i = 0; i < after.size(); ++count) {
    while (old < before.size() && before[old].number() < after[i].number()) ++old;
    const auto same_rows = [&](size_t o, size_t n) {
      return o < before.size() && n < after.size() && before[o].version == after[n].version;
    };
    const auto same = [&](size_t o, size_t n) {
      return same_rows(o, n) && before[o].reasons == after[n].reasons &&
             before[o].log_position == after[n].log_position;
    };
    if (same(old, i)) {
      size_t run = 1;
      while (same(old + run, i + run)) ++run;
      step.u8(static_cast<uint8_t>(ManifestVersionStep::kSame));
      step.varint(old);
      step.varint(run);
      i += run;
      old += run;
    } else if (same_rows(old, i)) {
      step.u8(static_cast<uint8_t>(ManifestVersionStep::kOtherReasons));
      step.varint(old);
      step.varint(after[i].log_position);
      step.u8(after[i].reasons);
      ++i;
    } else {
      step.u8(static_cast<uint8_t>(ManifestVersionStep::kDescribed));
      write_version(step, i == 0 ? nullptr : &after[i - 1], after[i]);
      ++i;
    }
  }
  out.varint(count);
  out.bytes(steps);
}

void write_lines(ByteWriter& out, const std::vector<HistoryLine>& before,
                 const std::vector<HistoryLine>& after) {
  const auto same = [](const HistoryLine& a, const HistoryLine& b) {
    return a.first == b.first && a.last == b.last;
  };
  size_t skipped = 0, kept = 0;
  while (skipped < before.size() && (after.empty() || before[skipped].first < after[0].first)) ++skipped;
  while (skipped + kept < before.size() && kept < after.size() && same(before[skipped + kept], after[kept]))
    ++kept;
  out.varint(skipped);
  out.varint(kept);
  out.varint(after.size() - kept);
  for (size_t i = kept; i < after.size(); ++i) write_history_line(out, after[i]);
}

void write_table(ByteWriter& out, uint32_t id, const WrittenTable* before, const WrittenTable* after) {
  static const WrittenTable kNothing;
  out.u32(id);
  out.boolean(after != nullptr);
  if (!after) return;
  if (!before) before = &kNothing;
  out.varint(after->dictionaries.size());
  for (const ManifestDictionary& dictionary : after->dictionaries) {
    const auto known = std::find_if(before->dictionaries.begin(), before->dictionaries.end(),
                                    [&](const ManifestDictionary& other) {
                                      return other.column == dictionary.column && other.file_bytes == 0;
                                    });
    write_manifest_dictionary(out, dictionary, known == before->dictionaries.end() ? 0 : known->count);
  }
  write_lines(out, before->lines, after->lines);
  write_versions(out, before->versions, after->versions);
}

// fn(id, before, after) for each table that is not the same object in both.
template <class F>
void for_each_changed_table(const WrittenState& before, const WrittenState& after, F&& fn) {
  auto a = before.tables.begin();
  auto b = after.tables.begin();
  while (a != before.tables.end() || b != after.tables.end()) {
    if (b == after.tables.end() || (a != before.tables.end() && a->first < b->first)) {
      fn(a->first, a->second.get(), static_cast<const WrittenTable*>(nullptr));
      ++a;
    } else if (a == before.tables.end() || b->first < a->first) {
      fn(b->first, static_cast<const WrittenTable*>(nullptr), b->second.get());
      ++b;
    } else {
      if (a->second != b->second) fn(b->first, a->second.get(), b->second.get());
      ++a;
      ++b;
    }
  }
}

std::string catalog_bytes(const Catalog* catalog) {
  std::string bytes;
  ByteWriter out(bytes);
  if (catalog) write_catalog(out, *catalog);
  return bytes;
}

std::map<uint64_t, std::shared_ptr<const Attachment>> attachments_of(
    const std::vector<KeptVersion>& versions) {
  std::map<uint64_t, std::shared_ptr<const Attachment>> attachments;
  for_each_slice(versions, [&](const Slice& slice) {
    const auto& attachment = static_cast<const SegmentRowGroup&>(*slice.group).attachment();
    if (attachment) attachments.try_emplace(attachment->id, attachment);
  });
  return attachments;
}

// What records before this one in the file describe.
struct Described {
  const std::map<uint64_t, NamedSegment>* segments = nullptr;
  const std::set<uint64_t>* attachments = nullptr;
};

// What of(versions) gives for the tables that changed, but for what is described already.
template <class Of, class Known>
auto newly_named(const WrittenState& before, const WrittenState& after, const Known* described, Of&& of) {
  decltype(of(std::vector<KeptVersion>())) fresh;
  for_each_changed_table(before, after, [&](uint32_t, const WrittenTable*, const WrittenTable* table) {
    if (!table) return;
    for (auto& [id, object] : of(table->versions)) {
      if (!described || !described->contains(id)) fresh.try_emplace(id, std::move(object));
    }
  });
  return fresh;
}

std::string encode_changes(const WrittenState& before, const WrittenState& after,
                           const Described& described) {
  std::string payload;
  ByteWriter out(payload);
  out.varint(static_cast<uint64_t>(after.commit));
  out.i64(after.commit_time_micros);
  out.varint(after.log_position);
  out.varint(after.next_segment);
  out.u32(after.next_object_id);
  std::string catalog;
  if (before.catalog != after.catalog) {
    catalog = catalog_bytes(after.catalog.get());
    if (before.catalog && catalog_bytes(before.catalog.get()) == catalog) catalog.clear();
  }
  out.boolean(!catalog.empty());
  out.bytes(catalog);
  const auto segments = newly_named(before, after, described.segments, segments_of);
  out.varint(segments.size());
  for (const auto& [id, file] : segments) write_segment_description(out, file->description());
  const auto attachments = newly_named(before, after, described.attachments, attachments_of);
  out.varint(attachments.size());
  for (const auto& [id, attachment] : attachments) write_attachment(out, *attachment);
  size_t tables = 0;
  for_each_changed_table(before, after,
                         [&](uint32_t, const WrittenTable*, const WrittenTable*) { ++tables; });
  out.varint(tables);
  for_each_changed_table(before, after, [&](uint32_t id, const WrittenTable* a, const WrittenTable* b) {
    write_table(out, id, a, b);
  });
  return payload;
}

}  // namespace

std::map<uint64_t, std::shared_ptr<const SegmentFile>> segments_of(const std::vector<KeptVersion>& versions) {
  std::map<uint64_t, std::shared_ptr<const SegmentFile>> segments;
  const SegmentFile* last = nullptr;
  const auto add = [&](const SegmentFile& file) {
    if (&file == last) return;
    last = &file;
    segments.try_emplace(static_cast<uint64_t>(file.id()), file.shared_from_this());
  };
  const auto add_file_of = [&](const RowGroup& group) {
    if (!group.in_memory()) add(static_cast<const SegmentRowGroup&>(group).file());
  };
  for_each_slice(versions, [&](const Slice& slice) {
    for_each_row_group(slice, add_file_of);
    if (slice.overlay && slice.overlay->file()) add(*slice.overlay->file());
  });
  return segments;
}

ManifestWriter::ManifestWriter(FileSystem& files, std::string folder, uint64_t database_id)
    : files_(files), folder_(std::move(folder)), database_id_(database_id) {}

// Names that one table has given up another may have taken over: rows that were moved.
void ManifestWriter::note_names(const std::vector<TableNames>& changes) {
  for (const TableNames& table : changes) {
    for (const auto& [segment, file] : table.after) {
      NamedSegment& named = named_[segment];
      if (named.path.empty()) name(*file, &named);
      named.file = file;
      if (!table.before.contains(segment)) ++named.tables;
    }
  }
  for (const TableNames& table : changes) {
    for (const auto& [segment, file] : table.before) {
      if (table.after.contains(segment)) continue;
      const auto named = named_.find(segment);
      if (named == named_.end() || --named->second.tables > 0) continue;
      forget_name(std::move(named->second));
      named_.erase(named);
    }
  }
}

void ManifestWriter::note_dictionaries(const WrittenTable* before, const WrittenTable* after, uint32_t id) {
  if (!before) return;
  for (const ManifestDictionary& dictionary : before->dictionaries) {
    if (dictionary.file_bytes == 0) continue;
    const bool stays = after && std::any_of(after->dictionaries.begin(), after->dictionaries.end(),
                                            [&](const auto& d) { return d.column == dictionary.column; });
    if (!stays) unnamed_dictionaries_.emplace_back(id, static_cast<uint32_t>(dictionary.column));
  }
}

void ManifestWriter::note_attachments(const WrittenTable& table) {
  for (const auto& [id, attachment] : attachments_of(table.versions)) described_attachments_.insert(id);
}

void ManifestWriter::name(const SegmentFile& file, NamedSegment* named) {
  named->id = file.id();
  named->path = file.path();
  named->table = file.table_id();
  named->size = file.size();
  if (!file.pack()) return;
  named->pack = file.pack()->id();
  NamedPack& pack = packs_[named->pack];
  pack.path = file.path();
  pack.file = file.pack();
  pack.size = file.pack()->size();
  pack.named_bytes += named->size;
}

void ManifestWriter::forget_name(NamedSegment segment) {
  if (const auto pack = packs_.find(segment.pack); pack != packs_.end()) {
    pack->second.named_bytes -= segment.size;
    if (pack->second.named_bytes == 0) {
      unnamed_packs_.push_back(std::move(pack->second));
      packs_.erase(pack);
    }
  }
  unnamed_.push_back(std::move(segment));
}

bool ManifestWriter::is_sparse(uint64_t pack) const {
  const auto named = packs_.find(pack);
  return named != packs_.end() && named->second.named_bytes < named->second.size / 2;
}

bool ManifestWriter::has_sparse_pack() const {
  return std::any_of(packs_.begin(), packs_.end(), [&](const auto& pack) { return is_sparse(pack.first); });
}

void ManifestWriter::adopt(WrittenState next) {
  static const std::vector<KeptVersion> kNone;
  std::vector<TableNames> names;
  for_each_changed_table(
      written_, next, [&](uint32_t id, const WrittenTable* before, const WrittenTable* after) {
        names.push_back(
            {segments_of(before ? before->versions : kNone), segments_of(after ? after->versions : kNone)});
        note_dictionaries(before, after, id);
        if (after) note_attachments(*after);
      });
  note_names(names);
  written_ = std::move(next);
}

void ManifestWriter::resume(const Manifest& manifest, std::string_view bytes, WrittenState written) {
  file_ = files_.open(manifest_path(folder_, manifest.number), OpenMode::kReadWrite).value_or_throw();
  // The base was synced before CURRENT named the file.
  file_->write_at(manifest.base_bytes, bytes.substr(manifest.base_bytes, manifest.end - manifest.base_bytes))
      .throw_if_error();
  file_->sync().throw_if_error();
  for (const std::string& folder : {join_path(folder_, "manifests"), folder_})
    files_.sync_directory(folder).throw_if_error();
  number_ = last_number_ = manifest.number;
  sequence_ = manifest.records;
  base_bytes_ = manifest.base_bytes;
  end_ = manifest.end;
  for (const auto& [id, attachment] : manifest.attachments) described_attachments_.insert(id);
  adopt(std::move(written));
  if (!manifest.torn) last_write_ = LastWrite::kWhole;
}

void ManifestWriter::append(const WrittenState& next) {
  const std::string changes = encode_changes(written_, next, {&named_, &described_attachments_});
  const std::string record = encode_manifest_record(number_, sequence_, changes);
  if (!file_) file_ = files_.open(manifest_path(folder_, number_), OpenMode::kReadWrite).value_or_throw();
  last_write_ = LastWrite::kUntracked;
  const IoStatus written = file_->write_at(end_, record);
  if (!written.ok()) {
    // On a full disk: gives the room back, and then it is known to be gone.
    if (file_->truncate(end_).ok() && file_->sync().ok()) last_write_ = LastWrite::kNone;
    written.throw_if_error();
  }
  file_->sync().throw_if_error();
  end_ += record.size();
  written_bytes_ += record.size();
  ++sequence_;
}

void ManifestWriter::write_file(const std::string& path, std::string_view content,
                                std::unique_ptr<File>* file) {
  *file = files_.open(path, OpenMode::kOpenOrCreate).value_or_throw();
  (*file)->truncate(0).throw_if_error();
  (*file)->write_at(0, content).throw_if_error();
  (*file)->sync_all().throw_if_error();
}

void ManifestWriter::begin_file(const WrittenState& next) {
  const uint64_t number = ++last_number_;
  const std::string path = manifest_path(folder_, number);
  const std::string current = join_path(folder_, "CURRENT"), aside = current + ".new";
  std::string bytes = encode_manifest_header(database_id_, number);
  bytes += encode_manifest_record(number, 0, encode_changes(WrittenState(), next, Described()));
  std::unique_ptr<File> file, name;
  try {
    write_file(path, bytes, &file);
    files_.sync_directory(join_path(folder_, "manifests")).throw_if_error();
    write_file(aside, fmt::format("manifest-{}\n", number), &name);
  } catch (...) {
    // Gives the room back, or leaves it to the next start.
    static_cast<void>(files_.remove(path).ok());
    throw;
  }
  last_write_ = LastWrite::kUntracked;
  files_.rename(aside, current).throw_if_error();
  files_.sync_directory(folder_).throw_if_error();
  if (number_ != 0) static_cast<void>(files_.remove(manifest_path(folder_, number_)).ok());
  described_attachments_.clear();
  for (const auto& [id, table] : next.tables) note_attachments(*table);
  file_ = std::move(file);
  number_ = number;
  sequence_ = 1;
  base_bytes_ = end_ = bytes.size();
  written_bytes_ += bytes.size();
}

void ManifestWriter::note_failure(const WrittenState& next) {
  if (last_write_ != LastWrite::kUntracked) return;
  for (const auto& [id, table] : next.tables) {
    for (const ManifestDictionary& dictionary : table->dictionaries) {
      if (dictionary.file_bytes == 0) continue;
      ManifestDictionary& possible = possible_dictionaries_[{id, static_cast<uint32_t>(dictionary.column)}];
      if (possible.count < dictionary.count) possible = dictionary;
    }
  }
  last_write_ = LastWrite::kMayBeFound;
}

std::optional<ManifestDictionary> ManifestWriter::dictionary_file(TableId table, ColumnId column) const {
  const auto id = static_cast<uint32_t>(table);
  std::optional<ManifestDictionary> result;
  if (const auto written = written_.tables.find(id); written != written_.tables.end()) {
    for (const ManifestDictionary& dictionary : written->second->dictionaries) {
      if (dictionary.column == column && dictionary.file_bytes != 0) result = dictionary;
    }
  }
  const auto possible = possible_dictionaries_.find({id, static_cast<uint32_t>(column)});
  const bool is_longer =
      possible != possible_dictionaries_.end() && (!result || possible->second.count > result->count);
  return is_longer ? possible->second : result;
}

void ManifestWriter::write(WrittenState next) {
  if (is_lost())
    throw SqlError(sqlstate::kIoError,
                   "no further manifest until restart: memory ran out while one was written");
  const bool outgrown = end_ - base_bytes_ > std::max(base_bytes_, kLeastRewriteBytes);
  const bool append_it = last_write_ == LastWrite::kWhole && !outgrown;
  last_write_ = LastWrite::kNone;
  try {
    if (append_it) {
      append(next);
    } else {
      file_.reset();
      begin_file(next);
    }
  } catch (const SqlError&) {
    note_failure(next);
    throw;
  }
  adopt(std::move(next));
  possible_dictionaries_.clear();
  last_write_ = LastWrite::kWhole;
}

}  // namespace idem
