#include "storage/catalog_encoding.h"

namespace idem {

void write_run(ByteWriter& out, const Run& run) {
  out.string(run.key);
  out.string(run.user);
  out.u64(static_cast<uint64_t>(run.first_commit));
  out.u64(static_cast<uint64_t>(run.last_commit));
  out.i64(run.first_time_micros);
  out.i64(run.last_time_micros);
  out.varint(run.writes.size());
  for (const RunWrite& write : run.writes) {
    out.u64(write.text_hash);
    out.string(write.tag);
  }
  out.varint(run.tables.size());
  for (const RunTable& table : run.tables) {
    out.u32(static_cast<uint32_t>(table.table));
    out.u8(static_cast<uint8_t>(table.effect));
    out.varint(static_cast<uint64_t>(table.before));
    out.varint(static_cast<uint64_t>(table.after));
  }
}

Run read_run(ByteReader& in) {
  Run run;
  run.key = in.string();
  run.user = in.string();
  run.first_commit = static_cast<CommitNumber>(in.u64());
  run.last_commit = static_cast<CommitNumber>(in.u64());
  run.first_time_micros = in.i64();
  run.last_time_micros = in.i64();
  run.writes.resize(in.count(9));
  for (RunWrite& write : run.writes) {
    write.text_hash = in.u64();
    write.tag = in.string();
  }
  run.tables.resize(in.count(7));
  for (RunTable& table : run.tables) {
    table.table = static_cast<TableId>(in.u32());
    const uint8_t effect = in.u8();
    if (effect > static_cast<uint8_t>(RunTable::Effect::kDropped)) in.fail();
    table.effect = static_cast<RunTable::Effect>(effect);
    table.before = static_cast<VersionNumber>(in.varint());
    table.after = static_cast<VersionNumber>(in.varint());
  }
  return run;
}

void write_protection(ByteWriter& out, const TableProtection& protection) {
  out.boolean(protection.immutable);
  out.i64(protection.until_micros);
  out.varint(protection.partitions.size());
  for (const int64_t start : protection.partitions) out.i64(start);
}

TableProtection read_protection(ByteReader& in) {
  TableProtection protection;
  protection.immutable = in.boolean();
  protection.until_micros = in.i64();
  for (size_t n = in.count(8); n > 0; --n) protection.partitions.insert(in.i64());
  return protection;
}

void write_access_entry(ByteWriter& out, const AccessEntry& entry) {
  out.string(entry.grantee);
  out.string(entry.grantor);
  out.u16(entry.privileges);
  out.u16(entry.grantable);
}

AccessEntry read_access_entry(ByteReader& in) {
  AccessEntry entry;
  entry.grantee = in.string();
  entry.grantor = in.string();
  entry.privileges = in.u16();
  entry.grantable = in.u16();
  return entry;
}

void write_access_list(ByteWriter& out, const AccessList& list) {
  out.varint(list.size());
  for (const AccessEntry& entry : list) write_access_entry(out, entry);
}

AccessList read_access_list(ByteReader& in) {
  AccessList list(in.count(6));
  for (AccessEntry& entry : list) entry = read_access_entry(in);
  return list;
}

void write_membership(ByteWriter& out, const RoleMembership& membership) {
  out.string(membership.role);
  out.string(membership.member);
  out.string(membership.grantor);
  out.boolean(membership.admin);
}

RoleMembership read_membership(ByteReader& in) {
  RoleMembership membership;
  membership.role = in.string();
  membership.member = in.string();
  membership.grantor = in.string();
  membership.admin = in.boolean();
  return membership;
}

void write_default_access_key(ByteWriter& out, const DefaultAccessKey& key) {
  out.string(key.creator);
  out.string(key.schema_name);
  out.u8(static_cast<uint8_t>(key.kind));
}

DefaultAccessKey read_default_access_key(ByteReader& in) {
  DefaultAccessKey key;
  key.creator = in.string();
  key.schema_name = in.string();
  const uint8_t kind = in.u8();
  if (kind > static_cast<uint8_t>(DefaultAccessKey::Kind::kSchemas)) in.fail();
  key.kind = static_cast<DefaultAccessKey::Kind>(kind);
  return key;
}

void write_materialized_view(ByteWriter& out, const MaterializedView& view) {
  out.u32(static_cast<uint32_t>(view.table));
  out.string(view.query_text);
  out.varint(view.settings.size());
  for (const auto& [name, value] : view.settings) {
    out.string(name);
    out.string(value);
  }
  out.u8(static_cast<uint8_t>(view.mode));
  out.i64(view.every_count);
  out.u8(static_cast<uint8_t>(view.every_unit));
  out.boolean(view.populated);
  out.boolean(view.reads_clock);
  out.u64(view.generation);
  out.i64(view.refreshed_micros);
  out.varint(view.sources.size());
  for (const MaterializedViewSource& source : view.sources) {
    out.u32(static_cast<uint32_t>(source.table));
    out.boolean(source.version.has_value());
    if (source.version) out.varint(static_cast<uint64_t>(*source.version));
  }
}

MaterializedView read_materialized_view(ByteReader& in) {
  MaterializedView view;
  view.table = static_cast<TableId>(in.u32());
  view.query_text = in.string();
  view.settings.resize(in.count(2));
  for (auto& [name, value] : view.settings) {
    name = in.string();
    value = in.string();
  }
  const uint8_t mode = in.u8();
  if (mode > static_cast<uint8_t>(RefreshMode::kManual)) in.fail();
  view.mode = static_cast<RefreshMode>(mode);
  view.every_count = in.i64();
  view.every_unit = static_cast<char>(in.u8());
  view.populated = in.boolean();
  view.reads_clock = in.boolean();
  view.generation = in.u64();
  view.refreshed_micros = in.i64();
  view.sources.resize(in.count(5));
  for (MaterializedViewSource& source : view.sources) {
    source.table = static_cast<TableId>(in.u32());
    if (in.boolean()) source.version = static_cast<VersionNumber>(in.varint());
  }
  return view;
}

}  // namespace idem
