#include <algorithm>

#include "common/error.h"
#include "parser/parser.h"
#include "query/access_control.h"
#include "query/argument_table.h"
#include "query/catalog_objects.h"
#include "query/server_file.h"
#include "query/server_metrics.h"
#include "query/session.h"
#include "query/table_definition.h"
#include "query/virtual_rows.h"
#include "storage/backup.h"
#include "storage/database.h"
#include "storage/tombstones.h"

namespace idem {

namespace {

std::string partition_by(const TableSchema& s) { return std::string(partition_unit_name(s.partition_by)); }

// Null: nothing protects it.
const TableProtection* protection_of(const Snapshot& snapshot, TableId table) {
  const auto found = snapshot.catalog->protections.find(static_cast<uint32_t>(table));
  return found == snapshot.catalog->protections.end() ? nullptr : &found->second;
}

void emit_tables(ExecutionContext& c, RowEmitter& out) {
  for_each_table(*c.snapshot, [&](const TableVersion& t) {
    const TableSchema& s = *t.schema;
    const TableProtection* protection = protection_of(*c.snapshot, s.id);
    Cell timestamp =
        s.has_timestamp() ? Cell(s.columns[static_cast<size_t>(s.timestamp_column)].name) : Cell(nullptr);
    Cell ttl = s.ttl_count > 0 ? Cell(fmt::format("{} {}", s.ttl_count, s.ttl_unit)) : Cell(nullptr);
    Cell bytes =
        c.server ? Cell(static_cast<int64_t>(c.server->database->table_disk_bytes(s.id))) : Cell(nullptr);
    Cell directory = c.server ? Cell(c.server->database->table_directory(s)) : Cell(nullptr);
    out.row({static_cast<int64_t>(static_cast<uint32_t>(s.id)), s.name, timestamp, partition_by(s), true,
             s.has_keys(), ttl, static_cast<int64_t>(visible_rows(t)), bytes, directory,
             static_cast<int64_t>(static_cast<uint64_t>(t.version)),
             protection && protection->is_immutable(c.transaction_time_micros), s.owner});
  });
}

void emit_table_columns(ExecutionContext& c, const std::vector<Value>& arguments, RowEmitter& out) {
  auto table = argument_table(c, arguments, "table_columns");
  const TableSchema& s = *table->schema;
  for (size_t i = 0; i < s.columns.size(); i++) {
    const ColumnSchema& column = s.columns[i];
    bool designated = static_cast<int>(i) == s.timestamp_column;
    bool key = std::find(s.upsert_keys.begin(), s.upsert_keys.end(), static_cast<uint32_t>(i)) !=
               s.upsert_keys.end();
    Cell capacity = column.type.id == TypeId::kSymbol ? Cell(int64_t{column.symbol_capacity}) : Cell(nullptr);
    out.row({column.name, dialect_type_name(column.type), !column.not_null && !designated,
             column.default_text.empty() ? Cell(nullptr) : Cell(column.default_text), designated, key,
             key || !s.has_keys() ? Cell(nullptr) : Cell(std::string(keep_policy_name(column.keep))),
             capacity});
  }
}

void emit_table_partitions(ExecutionContext& c, const std::vector<Value>& arguments, RowEmitter& out) {
  auto table = argument_table(c, arguments, "table_partitions");
  const TableSchema& s = *table->schema;
  const TableProtection* protection = protection_of(*c.snapshot, s.id);
  const bool frozen = protection && protection->is_immutable(c.transaction_time_micros);
  for (size_t i = 0; i < table->partitions.size(); i++) {
    const Partition& p = *table->partitions[i];
    uint64_t bytes = 0;
    uint64_t overlay_rows = 0;
    const RowGroup* counted = nullptr;
    for (const Slice& slice : p.slices) {
      if (slice.overlay) {
        overlay_rows += slice.overlay->item_count(slice.begin, slice.end);
        bytes += slice.overlay->disk_bytes();
      }
      if (slice.group.get() != counted) bytes += slice.group->disk_bytes();
      counted = slice.group.get();
    }
    bool timed = s.has_timestamp() && p.row_count > 0;
    out.row({static_cast<int64_t>(i), partition_by(s), partition_name(s.partition_by, p.start),
             timed ? Cell(p.min_timestamp) : Cell(nullptr), timed ? Cell(p.max_timestamp) : Cell(nullptr),
             static_cast<int64_t>(visible_rows(table->partitions[i], table->schema)),
             static_cast<int64_t>(bytes), frozen || (protection && protection->partitions.contains(p.start)),
             true, static_cast<int64_t>(p.slices.size()), static_cast<int64_t>(overlay_rows)});
  }
}

void emit_sessions(ExecutionContext& c, RowEmitter& out) {
  if (!c.server) return;
  for (const SessionActivity& a : c.server->sessions->activities()) {
    out.row({int64_t{a.pid}, a.user, a.database, a.application_name, a.client_address, a.state, a.query,
             a.connected_micros, a.query_start_micros > 0 ? Cell(a.query_start_micros) : Cell(nullptr)});
  }
}

void emit_wal_status(ExecutionContext& c, RowEmitter& out) {
  if (!c.server) return;
  StorageStatus s = c.server->database->status();
  out.row({static_cast<int64_t>(static_cast<uint64_t>(s.published)),
           static_cast<int64_t>(static_cast<uint64_t>(s.durable)),
           static_cast<int64_t>(s.log_bytes_since_checkpoint), static_cast<int64_t>(s.log_segments),
           static_cast<int64_t>(s.log_syncs),
           s.last_checkpoint_micros > 0 ? Cell(s.last_checkpoint_micros) : Cell(nullptr), s.write_failed,
           s.write_failure.empty() ? Cell(nullptr) : Cell(s.write_failure)});
}

void emit_memory(ExecutionContext& c, RowEmitter& out) {
  if (!c.server) return;
  StorageStatus s = c.server->database->status();
  auto row = [&](std::string name, uint64_t used, Cell limit) {
    out.row({std::move(name), static_cast<int64_t>(used), std::move(limit)});
  };
  row("queries", c.server->memory->used(), static_cast<int64_t>(c.server->memory->limit()));
  row("rows", s.memory_rows_bytes, nullptr);
  row("chunk_cache", s.chunk_cache_bytes, nullptr);
}

void emit_metrics(ExecutionContext& c, RowEmitter& out) {
  if (!c.server) return;
  for (const Metric& metric : collect_metrics(*c.server)) {
    for (const MetricSample& sample : metric.samples) {
      out.row({std::string(metric.name) + sample.suffix,
               sample.labels.empty() ? Cell(nullptr) : Cell(sample.labels), sample.value});
    }
  }
}

void emit_backup(ExecutionContext& c, const std::vector<Value>& arguments, RowEmitter& out) {
  if (!c.server) return;
  if (arguments.size() != 1 || arguments[0].is_null()) {
    throw SqlError(sqlstate::kInvalidParameterValue, "backup() takes the name of a folder");
  }
  if (!AccessControl(*c.snapshot->catalog, c.session->user()).is_superuser()) {
    throw SqlError(sqlstate::kInsufficientPrivilege, "only a superuser may make a backup");
  }
  const std::string target =
      path_within(c.server->backup_folder, arguments[0].as_string(), "backup folder", "");
  const BackupReport report = c.server->database->backup(target);
  out.row({report.directory, static_cast<int64_t>(static_cast<uint64_t>(report.commit)),
           static_cast<int64_t>(report.linked_files), static_cast<int64_t>(report.copied_files),
           static_cast<int64_t>(report.copied_bytes)});
}

}  // namespace

std::shared_ptr<const TableVersion> argument_table(ExecutionContext& c, const std::vector<Value>& arguments,
                                                   std::string_view function) {
  if (arguments.size() != 1 || arguments[0].is_null()) {
    throw sql_error(sqlstate::kInvalidParameterValue, "{}() takes the name of a table", function);
  }
  ast::ObjectName name = parser::parse_object_name(arguments[0].as_string());
  std::vector<std::string> schemas =
      name.schema.empty() ? c.session->search_path(false) : std::vector<std::string>{name.schema.text};
  for (const std::string& schema : schemas) {
    if (auto table = c.snapshot->find_table(schema, name.name.text)) return table;
  }
  throw sql_error(sqlstate::kUndefinedTable, "relation \"{}\" does not exist", arguments[0].as_string());
}

void register_introspection(RelationSet& functions) {
  functions.add("tables",
                "id int8, table_name varchar, designatedTimestamp varchar, partitionBy varchar, walEnabled "
                "bool, dedup bool, ttl varchar, "
                "rows int8, disk_bytes int8, directory varchar, version int8, immutable bool, owner varchar",
                [](ExecutionContext& c, const std::vector<Value>&, RowEmitter& out) { emit_tables(c, out); });
  functions.add("table_columns",
                "column varchar, type varchar, nullable bool, default varchar, designated bool, upsertKey "
                "bool, keep varchar, symbolCapacity int8",
                [](ExecutionContext& c, const std::vector<Value>& a, RowEmitter& out) {
                  emit_table_columns(c, a, out);
                });
  functions.add("table_partitions",
                "index int8, partitionBy varchar, name varchar, minTimestamp timestamp, maxTimestamp "
                "timestamp, numRows int8, diskSize int8, "
                "readOnly bool, attached bool, slices int8, overlay_rows int8",
                [](ExecutionContext& c, const std::vector<Value>& a, RowEmitter& out) {
                  emit_table_partitions(c, a, out);
                });
  functions.add(
      "sessions",
      "pid int4, user_name varchar, database varchar, application_name varchar, client_address varchar, "
      "state varchar, query varchar, "
      "connected_at timestamp, query_start timestamp",
      [](ExecutionContext& c, const std::vector<Value>&, RowEmitter& out) { emit_sessions(c, out); });
  functions.add(
      "wal_status",
      "published_commit int8, durable_commit int8, log_bytes int8, log_segments int8, log_syncs int8, "
      "last_checkpoint timestamp, "
      "write_failed bool, failure varchar",
      [](ExecutionContext& c, const std::vector<Value>&, RowEmitter& out) { emit_wal_status(c, out); });
  functions.add(
      "backup", "directory varchar, commit int8, linked_files int8, copied_files int8, copied_bytes int8",
      [](ExecutionContext& c, const std::vector<Value>& a, RowEmitter& out) { emit_backup(c, a, out); });
  functions.add(
      "metrics", "name varchar, labels varchar, value float8",
      [](ExecutionContext& c, const std::vector<Value>&, RowEmitter& out) { emit_metrics(c, out); });
  functions.add("memory", "name varchar, used_bytes int8, limit_bytes int8",
                [](ExecutionContext& c, const std::vector<Value>&, RowEmitter& out) { emit_memory(c, out); });
}

}  // namespace idem
