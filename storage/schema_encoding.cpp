#include "storage/schema_encoding.h"

#include "storage/catalog_encoding.h"

namespace idem {

namespace {

constexpr uint8_t kNullValue = 0, kIntValue = 1, kDoubleValue = 2, kDecimalValue = 3, kIntervalValue = 4,
                  kUuidValue = 5, kStringValue = 6;

void write_decimal(ByteWriter& out, const Decimal& value) {
  out.u64(static_cast<uint64_t>(value.value));
  out.u64(static_cast<uint64_t>(static_cast<uint128_t>(value.value) >> 64));
  out.i32(value.scale);
}

Decimal read_decimal(ByteReader& in) {
  const uint64_t low = in.u64(), high = in.u64();
  Decimal value;
  value.value = static_cast<int128_t>(static_cast<uint128_t>(high) << 64 | low);
  value.scale = in.i32();
  return value;
}

template <class E>
E read_enum(ByteReader& in, E last) {
  const uint8_t value = in.u8();
  if (value > static_cast<uint8_t>(last)) in.fail();
  return static_cast<E>(value);
}

}  // namespace

void write_type(ByteWriter& out, SqlType type) {
  out.u8(static_cast<uint8_t>(type.id));
  out.u8(static_cast<uint8_t>(type.element));
  out.i32(type.modifier);
}

SqlType read_type(ByteReader& in) {
  SqlType type(read_enum(in, TypeId::kVoid));
  type.element = read_enum(in, TypeId::kVoid);
  type.modifier = in.i32();
  return type;
}

void write_value(ByteWriter& out, const Value& value) {
  write_type(out, value.type());
  if (value.is_null()) return out.u8(kNullValue);
  if (value.type().id == TypeId::kSymbol) {
    out.u8(kStringValue);
    return out.string(value.as_string());
  }
  switch (physical_type(value.type())) {
    case PhysicalType::kBool:
    case PhysicalType::kInt16:
    case PhysicalType::kInt32:
    case PhysicalType::kInt64: out.u8(kIntValue); return out.i64(value.as_int());
    case PhysicalType::kFloat:
    case PhysicalType::kDouble: out.u8(kDoubleValue); return out.f64(value.as_double());
    case PhysicalType::kDecimal: out.u8(kDecimalValue); return write_decimal(out, value.as_decimal());
    case PhysicalType::kInterval:
      out.u8(kIntervalValue);
      out.i64(value.as_interval().micros);
      out.i32(value.as_interval().days);
      return out.i32(value.as_interval().months);
    case PhysicalType::kUuid: out.u8(kUuidValue); return out.bytes(value.as_uuid().bytes.data(), 16);
    case PhysicalType::kString: out.u8(kStringValue); return out.string(value.as_string());
  }
}

Value read_value(ByteReader& in) {
  const SqlType type = read_type(in);
  switch (in.u8()) {
    case kNullValue: return Value::null(type);
    case kIntValue: return Value::of_int(type, in.i64());
    case kDoubleValue: return Value::of_double(type, in.f64());
    case kDecimalValue: return Value::of_decimal(type, read_decimal(in));
    case kIntervalValue: {
      Interval interval;
      interval.micros = in.i64();
      interval.days = in.i32();
      interval.months = in.i32();
      return Value::of_interval(interval);
    }
    case kUuidValue: {
      Uuid uuid;
      std::memcpy(uuid.bytes.data(), in.bytes(16).data(), 16);
      return Value::of_uuid(uuid);
    }
    case kStringValue: return Value::of_string(type, std::string(in.string()));
    default: in.fail();
  }
}

void write_table_schema(ByteWriter& out, const TableSchema& schema) {
  out.u32(static_cast<uint32_t>(schema.id));
  out.string(schema.schema_name);
  out.string(schema.name);
  out.string(schema.owner);
  out.varint(schema.columns.size());
  for (const ColumnSchema& column : schema.columns) {
    out.u32(static_cast<uint32_t>(column.id));
    out.string(column.name);
    write_type(out, column.type);
    out.boolean(column.not_null);
    out.u8(static_cast<uint8_t>(column.keep));
    out.string(column.default_text);
    write_value(out, column.initial);
    out.u32(column.symbol_capacity);
  }
  out.i32(schema.timestamp_column);
  out.u8(static_cast<uint8_t>(schema.partition_by));
  out.varint(schema.upsert_keys.size());
  for (const uint32_t key : schema.upsert_keys) out.varint(key);
  out.boolean(schema.keys_unique);
  out.i32(schema.version_column);
  out.i32(schema.deleted_column);
  out.i64(schema.ttl_count);
  out.string(schema.ttl_unit);
  out.varint(schema.options.size());
  for (const auto& [name, value] : schema.options) {
    out.string(name);
    out.string(value);
  }
  out.u32(schema.next_column_id);
}

TableSchema read_table_schema(ByteReader& in) {
  TableSchema schema;
  schema.id = static_cast<TableId>(in.u32());
  schema.schema_name = in.string();
  schema.name = in.string();
  schema.owner = in.string();
  schema.columns.resize(in.count(16));
  for (ColumnSchema& column : schema.columns) {
    column.id = static_cast<ColumnId>(in.u32());
    column.name = in.string();
    column.type = read_type(in);
    column.not_null = in.boolean();
    column.keep = read_enum(in, KeepPolicy::kNonNull);
    column.default_text = in.string();
    column.initial = read_value(in);
    column.symbol_capacity = in.u32();
  }
  const auto columns = static_cast<int32_t>(schema.columns.size());
  const auto column_index = [&] {
    const int32_t index = in.i32();
    if (index < -1 || index >= columns) in.fail();
    return index;
  };
  schema.timestamp_column = column_index();
  schema.partition_by = read_enum(in, PartitionUnit::kYear);
  schema.upsert_keys.resize(in.count());
  for (uint32_t& key : schema.upsert_keys) {
    const uint64_t index = in.varint();
    if (index >= schema.columns.size()) in.fail();
    key = static_cast<uint32_t>(index);
  }
  schema.keys_unique = in.boolean();
  schema.version_column = column_index();
  schema.deleted_column = column_index();
  schema.ttl_count = in.i64();
  schema.ttl_unit = in.string();
  schema.options.resize(in.count(2));
  for (auto& [name, value] : schema.options) {
    name = in.string();
    value = in.string();
  }
  schema.next_column_id = in.u32();
  return schema;
}

void write_view(ByteWriter& out, const ViewSchema& view) {
  out.u32(view.id);
  out.string(view.schema_name);
  out.string(view.name);
  out.string(view.owner);
  out.varint(view.column_names.size());
  for (const std::string& name : view.column_names) out.string(name);
  out.string(view.query_text);
}

ViewSchema read_view(ByteReader& in) {
  ViewSchema view;
  view.id = in.u32();
  view.schema_name = in.string();
  view.name = in.string();
  view.owner = in.string();
  view.column_names.resize(in.count());
  for (std::string& name : view.column_names) name = in.string();
  view.query_text = in.string();
  return view;
}

void write_role(ByteWriter& out, const Role& role) {
  out.u32(role.id);
  out.string(role.name);
  out.boolean(role.superuser);
  out.boolean(role.can_login);
  out.string(role.scram_verifier);
  out.i32(role.connection_limit);
  out.varint(role.settings.size());
  for (const auto& [name, value] : role.settings) {
    out.string(name);
    out.string(value);
  }
}

Role read_role(ByteReader& in) {
  Role role;
  role.id = in.u32();
  role.name = in.string();
  role.superuser = in.boolean();
  role.can_login = in.boolean();
  role.scram_verifier = in.string();
  role.connection_limit = in.i32();
  for (uint64_t left = in.count(); left > 0; --left) {
    std::string name(in.string());
    role.settings[std::move(name)] = in.string();
  }
  return role;
}

void write_schema_info(ByteWriter& out, const SchemaInfo& schema) {
  out.u32(schema.id);
  out.string(schema.name);
  out.string(schema.owner);
  out.boolean(schema.owns_objects);
}

SchemaInfo read_schema_info(ByteReader& in) {
  SchemaInfo schema;
  schema.id = in.u32();
  schema.name = in.string();
  schema.owner = in.string();
  schema.owns_objects = in.boolean();
  return schema;
}

void write_dropped_table(ByteWriter& out, const DroppedTable& table) {
  out.u32(static_cast<uint32_t>(table.table));
  out.string(table.schema_name);
  out.string(table.name);
  out.i64(table.time_micros);
  out.boolean(table.view != nullptr);
  if (table.view) write_materialized_view(out, *table.view);
}

DroppedTable read_dropped_table(ByteReader& in) {
  DroppedTable table;
  table.table = static_cast<TableId>(in.u32());
  table.schema_name = in.string();
  table.name = in.string();
  table.time_micros = in.i64();
  if (in.boolean()) table.view = std::make_shared<const MaterializedView>(read_materialized_view(in));
  return table;
}

void write_tag(ByteWriter& out, const TableTag& tag) {
  out.u32(static_cast<uint32_t>(tag.table));
  out.string(tag.name);
  out.u64(static_cast<uint64_t>(tag.version));
  out.i64(tag.created_micros);
  out.i64(tag.expires_micros);
}

TableTag read_tag(ByteReader& in) {
  TableTag tag;
  tag.table = static_cast<TableId>(in.u32());
  tag.name = in.string();
  tag.version = static_cast<VersionNumber>(in.u64());
  tag.created_micros = in.i64();
  tag.expires_micros = in.i64();
  return tag;
}

void write_slot(ByteWriter& out, const ChangeSlot& slot) {
  out.string(slot.name);
  out.string(slot.owner);
  out.u32(static_cast<uint32_t>(slot.table));
  out.u64(static_cast<uint64_t>(slot.version));
}

ChangeSlot read_slot(ByteReader& in) {
  ChangeSlot slot;
  slot.name = in.string();
  slot.owner = in.string();
  slot.table = static_cast<TableId>(in.u32());
  slot.version = static_cast<VersionNumber>(in.u64());
  return slot;
}

}  // namespace idem
