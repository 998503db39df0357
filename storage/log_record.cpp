#include "storage/log_record.h"

#include <algorithm>
#include <map>

#include "common/error.h"
#include "storage/attached_row_group.h"
#include "storage/logged_rows.h"
#include "storage/schema_encoding.h"

namespace idem {

namespace {

constexpr uint8_t kFormat = 8;
constexpr size_t kTimeOffset = 1;
constexpr uint8_t kHasSchema = 1, kTruncated = 2, kCreated = 4, kRestored = 8, kNamesSegments = 16;

void write_ordinals(ByteWriter& out, const std::vector<uint64_t>& ordinals) {
  std::vector<std::pair<uint64_t, uint64_t>> runs;  // first, length
  for (const uint64_t o : ordinals) {
    if (!runs.empty() && runs.back().first + runs.back().second == o) {
      ++runs.back().second;
    } else {
      runs.emplace_back(o, 1);
    }
  }
  out.varint(runs.size());
  uint64_t end = 0;
  for (const auto& [first, length] : runs) {
    out.varint(first - end);
    out.varint(length);
    end = first + length;
  }
}

// `limit`: more rows than a partition can have are damage, so that no length makes us allocate without end.
std::vector<uint64_t> read_ordinals(ByteReader& in, uint64_t limit) {
  std::vector<uint64_t> ordinals;
  const size_t runs = in.count(2);
  uint64_t end = 0;
  for (size_t i = 0; i < runs; ++i) {
    const uint64_t gap = in.varint(), length = in.varint();
    if (gap > limit || length > limit || end + gap + length > limit) in.fail();
    for (uint64_t k = 0; k < length; ++k) ordinals.push_back(end + gap + k);
    end += gap + length;
  }
  return ordinals;
}

// How the rows of a table's changes that are in files of other tables are read; a number stands for each, from 1 on.
class LoggedAttachments {
 public:
  explicit LoggedAttachments(const LoggedTable& table) {
    for (const LoggedPartition& partition : table.partitions) {
      for (const PartitionChange* change : partition.changes) {
        for (const EncodedRows& rows : change->encoded) {
          const Attachment* attachment = rows.group->attachment().get();
          if (attachment && number_of(attachment) == 0) attachments_.push_back(attachment);
        }
      }
    }
  }
  // 0: rows of the table's own files.
  size_t number_of(const Attachment* attachment) const {
    const auto found = std::find(attachments_.begin(), attachments_.end(), attachment);
    return found == attachments_.end() ? 0 : static_cast<size_t>(found - attachments_.begin()) + 1;
  }
  void write(ByteWriter& out) const {
    out.varint(attachments_.size());
    for (const Attachment* attachment : attachments_) write_attachment(out, *attachment);
  }

 private:
  std::vector<const Attachment*> attachments_;
};

void write_partition_change(ByteWriter& out, const PartitionChange& change,
                            const LoggedAttachments& attachments) {
  write_ordinals(out, change.positions.deleted);
  write_ordinals(out, change.positions.replaced);
  out.varint(change.positions.inserted.size());
  uint64_t before = 0;
  for (const PositionDelta::InsertRun& run : change.positions.inserted) {
    out.varint(run.before - before);
    out.varint(run.count);
    before = run.before;
  }
  out.varint(change.encoded.size());
  for (const EncodedRows& rows : change.encoded) {
    out.varint(attachments.number_of(rows.group->attachment().get()));
    out.u64(static_cast<uint64_t>(rows.group->file().id()));
    out.varint(rows.group->index());
    out.varint(rows.first);
    out.varint(rows.count);
  }
  write_logged_rows(out, change);
}

// Gives the row groups that the record of a table names; slices of one share it.
class NamedRowGroups {
 public:
  NamedRowGroups(TableId table, const SegmentLookup& segments) : table_(table), segments_(segments) {}

  void read_attachments(ByteReader& in) {
    for (size_t n = in.count(6); n > 0; --n) {
      attachments_.push_back(std::make_shared<const Attachment>(read_attachment(in)));
    }
  }
  std::shared_ptr<const SegmentRowGroup> read(ByteReader& in) {
    const uint64_t number = in.varint();
    if (number > attachments_.size()) in.fail();
    const std::shared_ptr<const Attachment> attachment = number == 0 ? nullptr : attachments_[number - 1];
    const auto id = static_cast<SegmentId>(in.u64());
    const uint64_t index = in.varint();
    const std::shared_ptr<const SegmentFile> file =
        segments_ ? segments_(attachment ? attachment->origin : table_, id) : nullptr;
    if (!file || index >= file->row_group_count()) in.fail();
    auto group = file->row_group(static_cast<uint32_t>(index));
    if (!attachment) return group;
    auto& attached = attached_[{number, group.get()}];
    if (!attached) attached = attach_row_group(group, attachment);
    return attached;
  }

 private:
  const TableId table_;
  const SegmentLookup& segments_;
  std::vector<std::shared_ptr<const Attachment>> attachments_;
  std::map<std::pair<uint64_t, const SegmentRowGroup*>, std::shared_ptr<const SegmentRowGroup>> attached_;
};

// The rows that a change names in segment files; together as many as it inserts.
std::vector<EncodedRows> read_encoded_rows(ByteReader& in, uint64_t inserted, NamedRowGroups* groups) {
  std::vector<EncodedRows> result(in.count(12));
  uint64_t total = 0;
  for (EncodedRows& rows : result) {
    rows.group = groups->read(in);
    const uint64_t first = in.varint(), count = in.varint();
    const uint64_t there = rows.group->row_count();
    if (count == 0 || first >= there || count > there - first) in.fail();
    rows.first = static_cast<uint32_t>(first);
    rows.count = static_cast<uint32_t>(count);
    total += count;
  }
  if (!result.empty() && total != inserted) in.fail();
  return result;
}

PartitionChange read_partition_change(ByteReader& in, int64_t start,
                                      const std::shared_ptr<const TableSchema>& schema,
                                      NamedRowGroups* groups) {
  constexpr uint64_t kMostRows = uint64_t{1} << 40;
  PartitionChange change;
  change.start = start;
  change.positions.deleted = read_ordinals(in, kMostRows);
  change.positions.replaced = read_ordinals(in, kMostRows);
  const size_t runs = in.count(2);
  uint64_t before = 0;
  for (size_t i = 0; i < runs; ++i) {
    const uint64_t gap = in.varint(), count = in.varint();
    before += gap;
    if (before > kMostRows || count == 0 || count > kMostRows || (i > 0 && gap == 0)) in.fail();
    change.positions.insert(before, count);
  }
  change.encoded = read_encoded_rows(in, change.positions.inserted_count(), groups);
  read_logged_rows(in, schema, &change);
  return change;
}

// So that a large record is not copied while it grows.
size_t estimate_bytes(const std::vector<LoggedTable>& tables) {
  size_t bytes = 256;
  for (const LoggedTable& table : tables) {
    for (const LoggedPartition& partition : table.partitions) {
      for (const PartitionChange* change : partition.changes) bytes += estimate_logged_bytes(*change);
    }
  }
  return bytes;
}

}  // namespace

bool LoggedTable::names_segments() const {
  for (const LoggedPartition& partition : partitions) {
    for (const PartitionChange* change : partition.changes) {
      if (!change->encoded.empty()) return true;
    }
  }
  return false;
}

LogRecordWriter::LogRecordWriter(std::string_view user, std::string_view operation,
                                 std::string_view run_key) {
  ByteWriter out(bytes_);
  out.u8(kFormat);
  out.i64(0);
  out.string(user);
  out.string(operation);
  out.string(run_key);
}

void LogRecordWriter::catalog_changes(const std::vector<CatalogChange>& changes) {
  ByteWriter out(bytes_);
  size_t count = 0;
  for (const CatalogChange& change : changes) count += is_temporary(change) ? 0 : 1;
  out.varint(count);
  for (const CatalogChange& change : changes) {
    if (!is_temporary(change)) write_catalog_change(out, change);
  }
}

void LogRecordWriter::tables(const std::vector<LoggedTable>& tables) {
  ByteWriter out(bytes_);
  bytes_.reserve(bytes_.size() + estimate_bytes(tables));
  out.varint(tables.size());
  for (const LoggedTable& table : tables) {
    out.u32(static_cast<uint32_t>(table.table));
    const size_t size_offset = out.offset();
    out.u64(0);
    out.u64(static_cast<uint64_t>(table.version));
    out.u8(static_cast<uint8_t>((table.schema ? kHasSchema : 0) | (table.truncated ? kTruncated : 0) |
                                (table.created ? kCreated : 0) | (table.restored ? kRestored : 0) |
                                (table.names_segments() ? kNamesSegments : 0)));
    out.u8(static_cast<uint8_t>(table.operation));
    out.varint(table.counts.inserted);
    out.varint(table.counts.replaced);
    out.varint(table.counts.skipped);
    out.varint(table.counts.deleted);
    if (table.restored) out.varint(static_cast<uint64_t>(*table.restored));
    if (table.schema) write_table_schema(out, *table.schema);
    out.varint(table.symbols.size());
    for (const LoggedSymbols& symbols : table.symbols) {
      out.u32(static_cast<uint32_t>(symbols.column));
      out.varint(symbols.first);
      out.varint(symbols.end - symbols.first);
      for (uint32_t code = symbols.first; code < symbols.end; ++code) {
        out.string(symbols.dictionary->at(static_cast<int32_t>(code)));
      }
    }
    const LoggedAttachments attachments(table);
    attachments.write(out);
    out.varint(table.partitions.size());
    for (const LoggedPartition& partition : table.partitions) {
      out.i64(partition.start);
      out.boolean(partition.cleared);
      out.varint(partition.changes.size());
      for (const PartitionChange* change : partition.changes) {
        write_partition_change(out, *change, attachments);
        is_encoded_ = is_encoded_ || logged_row_count(*change) >= kEncodedLogRows;
      }
    }
    out.set_u64(size_offset, out.offset() - size_offset - sizeof(uint64_t));
  }
}

void LogRecordWriter::set_time(int64_t micros) {
  ByteWriter(bytes_).set_u64(kTimeOffset, static_cast<uint64_t>(micros));
}

namespace {

RecordHeader read_header(ByteReader& in) {
  if (in.u8() != kFormat) in.fail();
  RecordHeader header;
  header.time_micros = in.i64();
  header.user = in.string();
  header.operation = in.string();
  header.run_key = in.string();
  return header;
}

// `replay`: what is read becomes what is logged of the dictionaries.
void read_symbols(ByteReader& in, const TableSchema& schema, bool replay) {
  const size_t columns = in.count(3);
  for (size_t i = 0; i < columns; ++i) {
    const int index = schema.find_column(static_cast<ColumnId>(in.u32()));
    const uint64_t first = in.varint();
    const size_t count = in.count();
    SymbolDictionary* dictionary =
        index < 0 ? nullptr : schema.columns[static_cast<size_t>(index)].dictionary.get();
    if (index >= 0 && (!dictionary || first > dictionary->size())) in.fail();
    for (size_t k = 0; k < count; ++k) {
      const std::string_view text = in.string();
      if (!dictionary) continue;
      if (dictionary->intern(text) != static_cast<int64_t>(first + k)) in.fail();
    }
    if (dictionary && replay)
      dictionary->set_logged(std::max(dictionary->logged(), static_cast<uint32_t>(first + count)));
  }
}

// `in` holds what follows the table's id and size.
ReadTable read_table(ByteReader& in, TableId id, const SchemaLookup& schemas, const SegmentLookup& segments,
                     bool replay) {
  ReadTable table;
  table.table = id;
  table.version = static_cast<VersionNumber>(in.u64());
  const uint8_t flags = in.u8();
  table.created = flags & kCreated;
  table.truncated = flags & kTruncated;
  table.schema_changed = flags & kHasSchema;
  table.names_segments = flags & kNamesSegments;
  const uint8_t operation = in.u8();
  if (operation > static_cast<uint8_t>(kLastTableOperation)) in.fail();
  table.operation = static_cast<TableOperation>(operation);
  table.counts.inserted = in.varint();
  table.counts.replaced = in.varint();
  table.counts.skipped = in.varint();
  table.counts.deleted = in.varint();
  if (flags & kRestored) table.restored = static_cast<VersionNumber>(in.varint());
  std::optional<TableSchema> logged;
  if (flags & kHasSchema) logged = read_table_schema(in);
  if (table.created && !logged) in.fail();
  table.schema = schemas(table.table, logged ? &*logged : nullptr);
  if (!table.schema) in.fail();
  read_symbols(in, *table.schema, replay);
  NamedRowGroups groups(id, segments);
  groups.read_attachments(in);
  table.partitions.resize(in.count(10));
  for (ReadTable::Partition& partition : table.partitions) {
    partition.start = in.i64();
    partition.cleared = in.boolean();
    const size_t count = in.count(6);
    for (size_t k = 0; k < count; ++k) {
      partition.changes.push_back(read_partition_change(in, partition.start, table.schema, &groups));
    }
  }
  in.expect_end();
  return table;
}

}  // namespace

ReadRecord read_log_record(std::string_view payload, const SchemaLookup& schemas,
                           const SegmentLookup& segments) {
  ByteReader in(payload, kLogRecord);
  ReadRecord record;
  record.header = read_header(in);
  const size_t changes = in.count();
  for (size_t i = 0; i < changes; ++i) record.catalog_changes.push_back(read_catalog_change(in));
  const size_t tables = in.count(12);
  for (size_t i = 0; i < tables; ++i) {
    const auto id = static_cast<TableId>(in.u32());
    ByteReader of_table(in.bytes(in.u64()), kLogRecord);
    record.tables.push_back(read_table(of_table, id, schemas, segments, true));
  }
  in.expect_end();
  return record;
}

ReadTableRecord read_log_record_of(std::string_view payload, TableId table, const SchemaLookup& schemas,
                                   const std::function<bool(const RecordHeader&, VersionNumber)>& wanted) {
  ByteReader in(payload, kLogRecord);
  ReadTableRecord record;
  record.header = read_header(in);
  const size_t changes = in.count();
  for (size_t i = 0; i < changes; ++i) read_catalog_change(in);
  const size_t tables = in.count(12);
  for (size_t i = 0; i < tables; ++i) {
    const auto id = static_cast<TableId>(in.u32());
    const std::string_view bytes = in.bytes(in.u64());
    if (id != table) continue;
    ByteReader first(bytes, kLogRecord);
    record.version = static_cast<VersionNumber>(first.u64());
    const bool names_segments = first.u8() & kNamesSegments;
    if (names_segments || !wanted(record.header, *record.version)) continue;
    ByteReader of_table(bytes, kLogRecord);
    record.table = read_table(of_table, id, schemas, nullptr, false);
  }
  return record;
}

std::string describe_log_record(std::string_view payload) {
  ByteReader in(payload, kLogRecord);
  const RecordHeader header = read_header(in);
  const size_t changes = in.count();
  for (size_t i = 0; i < changes; ++i) read_catalog_change(in);
  return fmt::format("{} user={} run={} catalog changes={} tables={}",
                     header.operation.empty() ? "-" : header.operation,
                     header.user.empty() ? "-" : header.user, header.run_key.empty() ? "-" : header.run_key,
                     changes, in.count());
}

}  // namespace idem
