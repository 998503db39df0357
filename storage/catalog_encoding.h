#pragma once

#include "common/byte_io.h"
#include "storage/catalog.h"

namespace idem {

// Runs, protections, grants and materialized views as bytes, for log records and manifests:
// docs/format/log_record.md, "Runs and grants".
//
// Reading throws SqlError XX001 where the bytes are damaged.
void write_run(ByteWriter& out, const Run& run);
Run read_run(ByteReader& in);
void write_protection(ByteWriter& out, const TableProtection& protection);
TableProtection read_protection(ByteReader& in);
void write_access_entry(ByteWriter& out, const AccessEntry& entry);
AccessEntry read_access_entry(ByteReader& in);
void write_access_list(ByteWriter& out, const AccessList& list);
AccessList read_access_list(ByteReader& in);
void write_membership(ByteWriter& out, const RoleMembership& membership);
RoleMembership read_membership(ByteReader& in);
void write_default_access_key(ByteWriter& out, const DefaultAccessKey& key);
DefaultAccessKey read_default_access_key(ByteReader& in);
void write_materialized_view(ByteWriter& out, const MaterializedView& view);
MaterializedView read_materialized_view(ByteReader& in);

}  // namespace idem
