#pragma once

#include "common/byte_io.h"
#include "storage/catalog.h"

namespace idem {

// Schemas, views and roles as bytes, for log records and manifests: docs/format/log_record.md, "Schemas".
//
// Reading throws SqlError XX001 where the bytes are damaged. Dictionaries are not part of a schema's bytes: a
// read SYMBOL column has none.
void write_type(ByteWriter& out, SqlType type);
SqlType read_type(ByteReader& in);
void write_value(ByteWriter& out, const Value& value);
Value read_value(ByteReader& in);
void write_table_schema(ByteWriter& out, const TableSchema& schema);
TableSchema read_table_schema(ByteReader& in);
void write_view(ByteWriter& out, const ViewSchema& view);
ViewSchema read_view(ByteReader& in);
void write_role(ByteWriter& out, const Role& role);
Role read_role(ByteReader& in);
void write_schema_info(ByteWriter& out, const SchemaInfo& schema);
SchemaInfo read_schema_info(ByteReader& in);
void write_dropped_table(ByteWriter& out, const DroppedTable& table);
DroppedTable read_dropped_table(ByteReader& in);
void write_tag(ByteWriter& out, const TableTag& tag);
TableTag read_tag(ByteReader& in);
void write_slot(ByteWriter& out, const ChangeSlot& slot);
ChangeSlot read_slot(ByteReader& in);

}  // namespace idem
