#include "storage/manifest.h"

#include "common/crc32c.h"
#include "common/error.h"
#include "storage/schema_encoding.h"

namespace idem {

namespace {

constexpr std::string_view kMagic = "IDEMMANI";
constexpr uint32_t kFormat = 1;

void write_table(ByteWriter& out, const ManifestTable& table) {
  write_table_schema(out, table.schema);
  out.u64(static_cast<uint64_t>(table.version));
  out.u64(static_cast<uint64_t>(table.commit));
  out.varint(table.dictionaries.size());
  for (const ManifestTable::Dictionary& dictionary : table.dictionaries) {
    out.u32(static_cast<uint32_t>(dictionary.column));
    out.varint(dictionary.count);
  }
  out.varint(table.segments.size());
  for (const uint64_t segment : table.segments) out.u64(segment);
  out.varint(table.partitions.size());
  for (const ManifestTable::Partition& partition : table.partitions) {
    out.i64(partition.start);
    out.varint(partition.slices.size());
    for (const ManifestSlice& slice : partition.slices) {
      out.varint(slice.segment);
      out.varint(slice.row_group);
      out.varint(slice.begin);
      out.varint(slice.end);
      out.i64(slice.min_timestamp);
      out.i64(slice.max_timestamp);
    }
  }
}

uint32_t read_u32_varint(ByteReader& in) {
  const uint64_t value = in.varint();
  if (value > UINT32_MAX) in.fail();
  return static_cast<uint32_t>(value);
}

ManifestTable read_table(ByteReader& in) {
  ManifestTable table;
  table.schema = read_table_schema(in);
  table.version = static_cast<VersionNumber>(in.u64());
  table.commit = static_cast<CommitNumber>(in.u64());
  table.dictionaries.resize(in.count(5));
  for (ManifestTable::Dictionary& dictionary : table.dictionaries) {
    dictionary.column = static_cast<ColumnId>(in.u32());
    dictionary.count = read_u32_varint(in);
  }
  table.segments.resize(in.count(8));
  for (uint64_t& segment : table.segments) segment = in.u64();
  table.partitions.resize(in.count(9));
  for (ManifestTable::Partition& partition : table.partitions) {
    partition.start = in.i64();
    partition.slices.resize(in.count(20));
    for (ManifestSlice& slice : partition.slices) {
      slice.segment = read_u32_varint(in);
      slice.row_group = read_u32_varint(in);
      slice.begin = read_u32_varint(in);
      slice.end = read_u32_varint(in);
      slice.min_timestamp = in.i64();
      slice.max_timestamp = in.i64();
      if (slice.segment >= table.segments.size() || slice.begin >= slice.end) in.fail();
    }
    if (partition.slices.empty()) in.fail();
  }
  return table;
}

}  // namespace

std::string encode_manifest(const Manifest& manifest) {
  std::string bytes(kMagic);
  ByteWriter out(bytes);
  out.u32(kFormat);
  out.u64(manifest.database_id);
  out.u64(manifest.number);
  out.u64(static_cast<uint64_t>(manifest.commit));
  out.i64(manifest.commit_time_micros);
  out.u64(manifest.log_position);
  out.u64(manifest.next_segment);
  out.u32(manifest.catalog.next_object_id);
  out.varint(manifest.catalog.schemas.size());
  for (const auto& [name, schema] : manifest.catalog.schemas) write_schema_info(out, schema);
  out.varint(manifest.catalog.views.size());
  for (const auto& [name, view] : manifest.catalog.views) write_view(out, *view);
  out.varint(manifest.catalog.roles.size());
  for (const auto& [name, role] : manifest.catalog.roles) write_role(out, role);
  out.varint(manifest.tables.size());
  for (const ManifestTable& table : manifest.tables) write_table(out, table);
  out.u32(crc32c(bytes.data(), bytes.size()));
  return bytes;
}

Manifest decode_manifest(std::string_view bytes, const std::string& path) {
  const auto damaged = [&](std::string_view why) {
    return sql_error(sqlstate::kDataCorrupted, "damaged manifest \"{}\": {}", path, why);
  };
  if (bytes.size() < kMagic.size() + 8 || bytes.substr(0, kMagic.size()) != kMagic)
    throw damaged("no manifest");
  const std::string_view body = bytes.substr(0, bytes.size() - 4);
  uint32_t stored = 0;
  std::memcpy(&stored, bytes.data() + body.size(), 4);
  if (crc32c(body.data(), body.size()) != stored) throw damaged("checksum mismatch");
  ByteReader in(body, path);
  in.skip(kMagic.size());
  const uint32_t format = in.u32();
  if (format != kFormat) throw damaged(fmt::format("format {} is not known", format));
  Manifest manifest;
  manifest.database_id = in.u64();
  manifest.number = in.u64();
  manifest.commit = static_cast<CommitNumber>(in.u64());
  manifest.commit_time_micros = in.i64();
  manifest.log_position = in.u64();
  manifest.next_segment = in.u64();
  manifest.catalog.next_object_id = in.u32();
  for (size_t n = in.count(6); n > 0; --n) {
    SchemaInfo schema = read_schema_info(in);
    manifest.catalog.schemas[schema.name] = schema;
  }
  for (size_t n = in.count(8); n > 0; --n) {
    auto view = std::make_shared<const ViewSchema>(read_view(in));
    manifest.catalog.views[{view->schema_name, view->name}] = view;
  }
  for (size_t n = in.count(8); n > 0; --n) {
    Role role = read_role(in);
    manifest.catalog.roles[role.name] = role;
  }
  for (size_t n = in.count(32); n > 0; --n) {
    manifest.tables.push_back(read_table(in));
    const TableSchema& schema = manifest.tables.back().schema;
    manifest.catalog.tables[{schema.schema_name, schema.name}] = schema.id;
  }
  in.expect_end();
  return manifest;
}

}  // namespace idem
