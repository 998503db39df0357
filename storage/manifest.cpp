#include "storage/manifest.h"

#include <algorithm>
#include <optional>

#include "common/crc32c.h"
#include "common/error.h"
#include "storage/catalog_encoding.h"
#include "storage/schema_encoding.h"

namespace idem {

namespace {

using Partitions = PersistentVector<std::shared_ptr<const ManifestPartition>>;

uint32_t read_u32_varint(ByteReader& in) {
  const uint64_t value = in.varint();
  if (value > UINT32_MAX) in.fail();
  return static_cast<uint32_t>(value);
}

// Timestamps are written relative to the partition's start, without overflow.
uint64_t time_base(int64_t partition_start) {
  return partition_start == INT64_MIN ? 0 : static_cast<uint64_t>(partition_start);
}

ManifestSlice read_slice(ByteReader& in, int64_t partition_start) {
  ManifestSlice slice;
  slice.segment = in.varint();
  slice.attachment = in.varint();
  slice.row_group = read_u32_varint(in);
  slice.begin = read_u32_varint(in);
  const uint32_t rows = read_u32_varint(in);
  if (rows == 0 || rows > UINT32_MAX - slice.begin) in.fail();
  slice.end = slice.begin + rows;
  const uint64_t min = time_base(partition_start) + static_cast<uint64_t>(in.signed_varint());
  slice.min_timestamp = static_cast<int64_t>(min);
  slice.max_timestamp = static_cast<int64_t>(min + in.varint());
  slice.patch_segment = in.varint();
  if (slice.patch_segment != 0) slice.patch = read_u32_varint(in);
  return slice;
}

SegmentDescription read_segment_description(ByteReader& in) {
  SegmentDescription segment;
  segment.id = static_cast<SegmentId>(in.varint());
  segment.table = static_cast<TableId>(read_u32_varint(in));
  segment.size = in.varint();
  segment.pack = in.varint();
  if (segment.pack != 0) {
    segment.pack_bytes = in.varint();
    segment.offset = in.varint();
    if (segment.size > segment.pack_bytes || segment.offset > segment.pack_bytes - segment.size) in.fail();
  }
  segment.row_groups.resize(in.count(2));
  for (RowGroupSize& group : segment.row_groups) {
    group.rows = read_u32_varint(in);
    group.bytes = in.varint();
    if (group.rows == 0 || group.rows > kRowGroupSize) in.fail();
  }
  return segment;
}

// `before`: those of the table in the record before.
ManifestDictionary read_dictionary(ByteReader& in, const std::vector<ManifestDictionary>& before) {
  ManifestDictionary dictionary;
  dictionary.column = static_cast<ColumnId>(in.u32());
  dictionary.count = read_u32_varint(in);
  dictionary.file_bytes = in.varint();
  if (dictionary.file_bytes != 0) return dictionary;
  const auto known = std::find_if(before.begin(), before.end(), [&](const ManifestDictionary& other) {
    return other.column == dictionary.column && other.strings;
  });
  dictionary.strings = known == before.end() ? std::make_shared<SymbolDictionary>() : known->strings;
  while (dictionary.strings->size() < dictionary.count) {
    const uint32_t code = dictionary.strings->size();
    if (dictionary.strings->intern(in.string()) != static_cast<int32_t>(code)) in.fail();
  }
  return dictionary;
}

HistoryLine read_line(ByteReader& in) {
  HistoryLine line;
  line.first = static_cast<VersionNumber>(in.varint());
  line.last = static_cast<VersionNumber>(in.varint());
  line.first_time_micros = in.i64();
  line.last_time_micros = in.i64();
  const uint8_t operation = in.u8();
  if (operation > static_cast<uint8_t>(kLastTableOperation)) in.fail();
  line.operation = static_cast<TableOperation>(operation);
  line.user = in.string();
  line.run_key = in.string();
  line.counts.inserted = in.varint();
  line.counts.replaced = in.varint();
  line.counts.skipped = in.varint();
  line.counts.deleted = in.varint();
  line.partitions = in.varint();
  return line;
}

Catalog read_catalog(ByteReader& in) {
  Catalog catalog;
  for (size_t n = in.count(7); n > 0; --n) {
    SchemaInfo schema = read_schema_info(in);
    catalog.schemas.put(schema.name, schema);
  }
  for (size_t n = in.count(8); n > 0; --n) {
    auto view = std::make_shared<const ViewSchema>(read_view(in));
    catalog.views.put({view->schema_name, view->name}, view);
  }
  for (size_t n = in.count(8); n > 0; --n) {
    Role role = read_role(in);
    catalog.roles.put(role.name, role);
  }
  for (size_t n = in.count(15); n > 0; --n) {
    DroppedTable dropped = read_dropped_table(in);
    catalog.dropped.put(static_cast<uint32_t>(dropped.table), dropped);
  }
  for (size_t n = in.count(29); n > 0; --n) {
    TableTag tag = read_tag(in);
    catalog.tags.put({static_cast<uint32_t>(tag.table), tag.name}, tag);
  }
  for (size_t n = in.count(14); n > 0; --n) {
    ChangeSlot slot = read_slot(in);
    catalog.slots.put(slot.name, slot);
  }
  for (size_t n = in.count(36); n > 0; --n) {
    auto run = std::make_shared<const Run>(read_run(in));
    catalog.runs.put(run->key, run);
  }
  for (size_t n = in.count(14); n > 0; --n) {
    const uint32_t table = in.u32();
    catalog.protections.put(table, read_protection(in));
  }
  for (size_t n = in.count(5); n > 0; --n) {
    const uint32_t object = in.u32();
    catalog.access.put(object, read_access_list(in));
  }
  for (size_t n = in.count(4); n > 0; --n) {
    RoleMembership membership = read_membership(in);
    catalog.memberships.put({membership.member, membership.role}, membership);
  }
  for (size_t n = in.count(4); n > 0; --n) {
    const DefaultAccessKey key = read_default_access_key(in);
    catalog.default_access.put(key, read_access_list(in));
  }
  for (size_t n = in.count(34); n > 0; --n) {
    auto view = std::make_shared<const MaterializedView>(read_materialized_view(in));
    catalog.materialized_views.put(static_cast<uint32_t>(view->table), view);
  }
  return catalog;
}

const ManifestPartition* find_partition(const Partitions& partitions, int64_t start, size_t* index) {
  size_t low = 0, high = partitions.size();
  while (low < high) {
    const size_t middle = (low + high) / 2;
    if (partitions[middle]->start < start) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  *index = low;
  return low < partitions.size() && partitions[low]->start == start ? partitions[low].get() : nullptr;
}

// Null: the partition is gone.
using PartitionChanges = std::vector<std::pair<int64_t, std::shared_ptr<const ManifestPartition>>>;

Partitions merge_partitions(Partitions before, const PartitionChanges& changes) {
  bool simple = !before.empty();  // replacements and additions at the end: these share what stays
  for (const auto& [start, partition] : changes) {
    size_t index = 0;
    const bool exists = find_partition(before, start, &index) != nullptr;
    simple = simple && partition && (exists || index == before.size());
  }
  if (simple) {
    for (const auto& [start, partition] : changes) {
      size_t index = 0;
      before =
          find_partition(before, start, &index) ? before.set(index, partition) : before.push_back(partition);
    }
    return before;
  }
  std::vector<std::shared_ptr<const ManifestPartition>> all;
  size_t next = 0;
  const auto take_changes = [&](int64_t until, bool all_of_them) {
    for (; next < changes.size() && (all_of_them || changes[next].first < until); ++next) {
      if (changes[next].second) all.push_back(changes[next].second);
    }
  };
  before.for_each([&](const std::shared_ptr<const ManifestPartition>& partition) {
    take_changes(partition->start, false);
    const bool changed = next < changes.size() && changes[next].first == partition->start;
    if (!changed) all.push_back(partition);
  });
  take_changes(0, true);
  return Partitions::from(all);
}

// `before`: the version before in the same table; null for the first.
ManifestVersion read_version(ByteReader& in, TableId table, const ManifestVersion* before) {
  ManifestVersion version;
  version.version = static_cast<VersionNumber>(in.varint());
  version.commit = static_cast<CommitNumber>(in.varint());
  version.time_micros = in.i64();
  version.log_position = in.varint();
  version.reasons = in.u8();
  if (in.boolean()) {
    version.schema = std::make_shared<const TableSchema>(read_table_schema(in));
  } else if (before) {
    version.schema = before->schema;
  }
  if (!version.schema || version.schema->id != table) in.fail();
  if (before) version.partitions = before->partitions;
  PartitionChanges changes;
  for (size_t n = in.count(9); n > 0; --n) {
    const int64_t start = in.i64();
    if (!changes.empty() && changes.back().first >= start) in.fail();
    if (!in.boolean()) {
      changes.emplace_back(start, nullptr);
      continue;
    }
    size_t index = 0;
    const ManifestPartition* old = before ? find_partition(before->partitions, start, &index) : nullptr;
    const size_t old_slices = old ? old->slices.size() : 0;
    const uint64_t front = in.varint(), back = in.varint();
    if (front > old_slices || back > old_slices - front) in.fail();
    auto partition = std::make_shared<ManifestPartition>();
    partition->start = start;
    if (old)
      partition->slices.assign(old->slices.begin(), old->slices.begin() + static_cast<std::ptrdiff_t>(front));
    for (size_t slices = in.count(8); slices > 0; --slices)
      partition->slices.push_back(read_slice(in, start));
    if (old) {
      partition->slices.insert(partition->slices.end(), old->slices.end() - static_cast<std::ptrdiff_t>(back),
                               old->slices.end());
    }
    if (partition->slices.empty()) in.fail();
    changes.emplace_back(start, std::move(partition));
  }
  version.partitions = merge_partitions(std::move(version.partitions), changes);
  return version;
}

std::vector<ManifestVersion> read_versions(ByteReader& in, TableId table,
                                           const std::vector<ManifestVersion>& before) {
  std::vector<ManifestVersion> versions;
  for (size_t n = in.count(3); n > 0; --n) {
    const uint8_t step = in.u8();
    if (step == static_cast<uint8_t>(ManifestVersionStep::kDescribed)) {
      versions.push_back(read_version(in, table, versions.empty() ? nullptr : &versions.back()));
      continue;
    }
    const uint64_t index = in.varint();
    if (step == static_cast<uint8_t>(ManifestVersionStep::kSame)) {
      const uint64_t count = in.varint();
      if (index > before.size() || count > before.size() - index) in.fail();
      versions.insert(versions.end(), before.begin() + static_cast<std::ptrdiff_t>(index),
                      before.begin() + static_cast<std::ptrdiff_t>(index + count));
    } else if (step == static_cast<uint8_t>(ManifestVersionStep::kOtherReasons)) {
      if (index >= before.size()) in.fail();
      versions.push_back(before[index]);
      versions.back().log_position = in.varint();
      versions.back().reasons = in.u8();
    } else {
      in.fail();
    }
  }
  for (size_t i = 1; i < versions.size(); ++i) {
    if (versions[i - 1].version >= versions[i].version) in.fail();
  }
  return versions;
}

void read_table(ByteReader& in, Manifest* manifest) {
  const uint32_t id = in.u32();
  if (!in.boolean()) {
    if (manifest->tables.erase(id) == 0) in.fail();
    return;
  }
  ManifestTable& table = manifest->tables[id];
  std::vector<ManifestDictionary> dictionaries;
  for (size_t n = in.count(6); n > 0; --n) dictionaries.push_back(read_dictionary(in, table.dictionaries));
  table.dictionaries = std::move(dictionaries);
  const uint64_t skipped = in.varint(), kept = in.varint();
  if (skipped > table.lines.size() || kept > table.lines.size() - skipped) in.fail();
  table.lines.erase(table.lines.begin() + static_cast<std::ptrdiff_t>(skipped + kept), table.lines.end());
  table.lines.erase(table.lines.begin(), table.lines.begin() + static_cast<std::ptrdiff_t>(skipped));
  for (size_t n = in.count(24); n > 0; --n) table.lines.push_back(read_line(in));
  table.versions = read_versions(in, static_cast<TableId>(id), table.versions);
  if (table.versions.empty()) in.fail();
}

void read_record(std::string_view payload, const std::string& path, Manifest* manifest) {
  ByteReader in(payload, path);
  manifest->commit = static_cast<CommitNumber>(in.varint());
  manifest->commit_time_micros = in.i64();
  manifest->log_position = in.varint();
  manifest->next_segment = in.varint();
  const uint32_t next_object_id = in.u32();
  if (in.boolean()) manifest->catalog = read_catalog(in);
  manifest->catalog.next_object_id = next_object_id;
  for (size_t n = in.count(5); n > 0; --n) {
    SegmentDescription segment = read_segment_description(in);
    manifest->segments[static_cast<uint64_t>(segment.id)] = std::move(segment);
  }
  for (size_t n = in.count(6); n > 0; --n) {
    auto attachment = std::make_shared<const Attachment>(read_attachment(in));
    manifest->attachments[attachment->id] = std::move(attachment);
  }
  for (size_t n = in.count(5); n > 0; --n) read_table(in, manifest);
  in.expect_end();
}

void name_tables(Manifest* manifest) {
  for (const auto& [id, table] : manifest->tables) {
    if (manifest->catalog.dropped.contains(id)) continue;
    const TableSchema& schema = *table.versions.back().schema;
    manifest->catalog.tables.put({schema.schema_name, schema.name}, schema.id);
  }
}

// The payload of the record at an offset; nothing if it is not whole.
std::optional<std::string_view> record_at(std::string_view bytes, size_t offset, uint64_t number,
                                          uint64_t sequence) {
  if (bytes.size() - offset < kManifestRecordHeaderBytes) return std::nullopt;
  ByteReader in(bytes.substr(offset), "manifest");
  if (in.u32() != kManifestRecordMagic) return std::nullopt;
  const uint32_t crc = in.u32();
  const uint64_t in_number = in.u64(), in_sequence = in.u64(), size = in.u64();
  if (in_number != number || in_sequence != sequence || size > in.remaining()) return std::nullopt;
  const size_t checked = offset + 8;
  if (crc32c(bytes.data() + checked, kManifestRecordHeaderBytes - 8 + size) != crc) return std::nullopt;
  return bytes.substr(offset + kManifestRecordHeaderBytes, size);
}

// Whether a later record is whole: then the one at `offset` was too, once.
bool later_record_is_whole(std::string_view bytes, size_t offset, uint64_t number, uint64_t sequence) {
  const std::string_view magic(reinterpret_cast<const char*>(&kManifestRecordMagic),
                               sizeof kManifestRecordMagic);
  for (size_t at = bytes.find(magic, offset + 1); at != std::string_view::npos;
       at = bytes.find(magic, at + 1)) {
    if (bytes.size() - at < kManifestRecordHeaderBytes) return false;
    uint64_t other = 0;
    std::memcpy(&other, bytes.data() + at + 16, sizeof other);
    if (other > sequence && record_at(bytes, at, number, other)) return true;
  }
  return false;
}

}  // namespace

std::string encode_manifest_header(uint64_t database_id, uint64_t number) {
  std::string bytes(kManifestMagic);
  ByteWriter out(bytes);
  out.u32(kManifestFormat);
  out.u64(database_id);
  out.u64(number);
  out.u32(crc32c(bytes.data(), bytes.size()));
  return bytes;
}

std::string encode_manifest_record(uint64_t number, uint64_t sequence, std::string_view payload) {
  std::string bytes;
  bytes.reserve(kManifestRecordHeaderBytes + payload.size());
  ByteWriter out(bytes);
  out.u32(kManifestRecordMagic);
  out.u32(0);
  out.u64(number);
  out.u64(sequence);
  out.u64(payload.size());
  out.bytes(payload);
  out.set_u32(4, crc32c(bytes.data() + 8, bytes.size() - 8));
  return bytes;
}

void write_manifest_slice(ByteWriter& out, int64_t partition_start, const ManifestSlice& slice) {
  out.varint(slice.segment);
  out.varint(slice.attachment);
  out.varint(slice.row_group);
  out.varint(slice.begin);
  out.varint(slice.end - slice.begin);
  const auto min = static_cast<uint64_t>(slice.min_timestamp);
  out.signed_varint(static_cast<int64_t>(min - time_base(partition_start)));
  out.varint(static_cast<uint64_t>(slice.max_timestamp) - min);
  out.varint(slice.patch_segment);
  if (slice.patch_segment != 0) out.varint(slice.patch);
}

void write_segment_description(ByteWriter& out, const SegmentDescription& segment) {
  out.varint(static_cast<uint64_t>(segment.id));
  out.varint(static_cast<uint32_t>(segment.table));
  out.varint(segment.size);
  out.varint(segment.pack);
  if (segment.pack != 0) {
    out.varint(segment.pack_bytes);
    out.varint(segment.offset);
  }
  out.varint(segment.row_groups.size());
  for (const RowGroupSize& group : segment.row_groups) {
    out.varint(group.rows);
    out.varint(group.bytes);
  }
}

void write_manifest_dictionary(ByteWriter& out, const ManifestDictionary& dictionary, uint32_t known) {
  out.u32(static_cast<uint32_t>(dictionary.column));
  out.varint(dictionary.count);
  out.varint(dictionary.file_bytes);
  if (dictionary.file_bytes != 0) return;
  for (uint32_t code = known; code < dictionary.count; ++code) {
    out.string(dictionary.strings->at(static_cast<int32_t>(code)));
  }
}

void write_history_line(ByteWriter& out, const HistoryLine& line) {
  out.varint(static_cast<uint64_t>(line.first));
  out.varint(static_cast<uint64_t>(line.last));
  out.i64(line.first_time_micros);
  out.i64(line.last_time_micros);
  out.u8(static_cast<uint8_t>(line.operation));
  out.string(line.user);
  out.string(line.run_key);
  out.varint(line.counts.inserted);
  out.varint(line.counts.replaced);
  out.varint(line.counts.skipped);
  out.varint(line.counts.deleted);
  out.varint(line.partitions);
}

void write_catalog(ByteWriter& out, const Catalog& catalog) {
  out.varint(catalog.schemas.size());
  for (const auto& [name, schema] : catalog.schemas) write_schema_info(out, schema);
  out.varint(catalog.views.size());
  for (const auto& [name, view] : catalog.views) write_view(out, *view);
  out.varint(catalog.roles.size());
  for (const auto& [name, role] : catalog.roles) write_role(out, role);
  out.varint(catalog.dropped.size());
  for (const auto& [id, table] : catalog.dropped) write_dropped_table(out, table);
  out.varint(catalog.tags.size());
  for (const auto& [key, tag] : catalog.tags) write_tag(out, tag);
  out.varint(catalog.slots.size());
  for (const auto& [name, slot] : catalog.slots) write_slot(out, slot);
  out.varint(catalog.runs.size());
  for (const auto& [key, run] : catalog.runs) write_run(out, *run);
  out.varint(catalog.protections.size());
  for (const auto& [table, protection] : catalog.protections) {
    out.u32(table);
    write_protection(out, protection);
  }
  out.varint(catalog.access.size());
  for (const auto& [object, list] : catalog.access) {
    out.u32(object);
    write_access_list(out, list);
  }
  out.varint(catalog.memberships.size());
  for (const auto& [key, membership] : catalog.memberships) write_membership(out, membership);
  out.varint(catalog.default_access.size());
  for (const auto& [key, list] : catalog.default_access) {
    write_default_access_key(out, key);
    write_access_list(out, list);
  }
  out.varint(catalog.materialized_views.size());
  for (const auto& [table, view] : catalog.materialized_views) write_materialized_view(out, *view);
}

Manifest read_manifest(std::string_view bytes, const std::string& path) {
  const auto damaged = [&](std::string_view why) {
    return sql_error(sqlstate::kDataCorrupted, "damaged manifest \"{}\": {}", path, why);
  };
  if (bytes.size() < kManifestHeaderBytes || bytes.substr(0, kManifestMagic.size()) != kManifestMagic)
    throw damaged("no manifest");
  ByteReader in(bytes, path);
  in.skip(kManifestMagic.size());
  const uint32_t format = in.u32();
  if (format != kManifestFormat) throw damaged(fmt::format("format {} is not known", format));
  Manifest manifest;
  manifest.database_id = in.u64();
  manifest.number = in.u64();
  if (in.u32() != crc32c(bytes.data(), kManifestHeaderBytes - 4)) throw damaged("checksum mismatch");
  manifest.end = kManifestHeaderBytes;
  while (manifest.end < bytes.size()) {
    const auto payload = record_at(bytes, manifest.end, manifest.number, manifest.records);
    if (!payload) {
      if (manifest.records == 0 ||
          later_record_is_whole(bytes, manifest.end, manifest.number, manifest.records)) {
        throw damaged(fmt::format("record {} at offset {}", manifest.records, manifest.end));
      }
      manifest.torn = true;
      break;
    }
    read_record(*payload, path, &manifest);
    manifest.end += kManifestRecordHeaderBytes + payload->size();
    if (manifest.records++ == 0) manifest.base_bytes = manifest.end;
  }
  if (manifest.records == 0) throw damaged("it has no base");
  name_tables(&manifest);
  return manifest;
}

}  // namespace idem
