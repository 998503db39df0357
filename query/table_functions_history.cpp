#include "common/array_value.h"
#include "query/argument_table.h"
#include "query/catalog_objects.h"
#include "query/session.h"
#include "query/virtual_rows.h"
#include "storage/database.h"

namespace idem {

namespace {

Cell count(uint64_t n) { return static_cast<int64_t>(n); }

void emit_table_history(ExecutionContext& c, const std::vector<Value>& arguments, RowEmitter& out) {
  const auto table = argument_table(c, arguments, "table_history");
  if (!c.server) return;
  for (const HistoryLine& line : c.server->database->table_history(*c.snapshot, table->schema->id)) {
    out.row({count(static_cast<uint64_t>(line.last)), line.last_time_micros, line.user,
             std::string(table_operation_name(line.operation)),
             line.run_key.empty() ? Cell(nullptr) : Cell(line.run_key), count(line.counts.inserted),
             count(line.counts.replaced), count(line.counts.skipped), count(line.counts.deleted),
             count(line.partitions), count(static_cast<uint64_t>(line.first))});
  }
}

void emit_table_tags(ExecutionContext& c, const std::vector<Value>& arguments, RowEmitter& out) {
  const auto id = static_cast<uint32_t>(argument_table(c, arguments, "table_tags")->schema->id);
  const auto& tags = c.snapshot->catalog->tags;
  for (auto tag = tags.lower_bound({id, std::string()}); tag != tags.end() && tag->first.first == id; ++tag) {
    out.row({tag->second.name, count(static_cast<uint64_t>(tag->second.version)), tag->second.created_micros,
             tag->second.expires_micros == 0 ? Cell(nullptr) : Cell(tag->second.expires_micros)});
  }
}

void emit_dropped_tables(ExecutionContext& c, const std::vector<Value>&, RowEmitter& out) {
  for (const auto& [id, dropped] : c.snapshot->catalog->dropped) {
    out.row({dropped.schema_name, dropped.name, dropped.time_micros});
  }
}

// Of a dropped table too.
std::string table_name(const Snapshot& snapshot, TableId id) {
  if (const auto table = snapshot.table(id)) return table->schema->schema_name + "." + table->schema->name;
  const auto dropped = snapshot.catalog->dropped.find(static_cast<uint32_t>(id));
  return dropped == snapshot.catalog->dropped.end()
             ? "?"
             : dropped->second.schema_name + "." + dropped->second.name;
}

void emit_materialized_views(ExecutionContext& c, RowEmitter& out) {
  const Snapshot& snapshot = *c.snapshot;
  for_each_materialized_view(snapshot, [&](const TableVersion& table, const MaterializedView& view) {
    std::vector<std::string> bases;
    ArrayBuilder read(TypeId::kBigInt);
    for (const MaterializedViewSource& source : view.sources) {
      bases.push_back(table_name(snapshot, source.table));
      const auto version =
          static_cast<int64_t>(static_cast<uint64_t>(source.version.value_or(VersionNumber{})));
      if (source.version) {
        read.append(&version);
      } else {
        read.append_null();
      }
    }
    const auto failure = c.server ? c.server->refresh_failures->find(view.table) : std::nullopt;
    const bool failed = failure && failure->time_micros > view.refreshed_micros;
    out.row({table.schema->schema_name, table.schema->name, table.schema->owner, refresh_mode_text(view),
             text_array(bases), read.finish(),
             view.refreshed_micros == 0 ? Cell(nullptr) : Cell(view.refreshed_micros), view.populated,
             !view.populated || is_stale(snapshot, view), failed ? Cell(failure->text) : Cell(nullptr),
             failed ? Cell(failure->time_micros) : Cell(nullptr), view.query_text});
  });
}

// How far each slot is behind, and until when what it has not read is kept for it at least.
void emit_change_slots(ExecutionContext& c, const std::vector<Value>&, RowEmitter& out) {
  for (const auto& [name, slot] : c.snapshot->catalog->slots) {
    const auto table = c.snapshot->table(slot.table);
    if (!table || !c.server) continue;
    const auto behind = static_cast<uint64_t>(table->version) - static_cast<uint64_t>(slot.version);
    Cell held_until = nullptr;
    if (behind > 0) {
      for (const HistoryLine& line : c.server->database->table_history(*c.snapshot, slot.table)) {
        if (line.first <= slot.version) continue;
        held_until = line.first_time_micros + c.server->database->change_slot_retention_micros();
        break;
      }
    }
    out.row({name, table->schema->schema_name, table->schema->name,
             count(static_cast<uint64_t>(slot.version)), count(behind), held_until, slot.owner});
  }
}

std::string versions_array(const std::vector<RunTable>& tables, bool after) {
  ArrayBuilder builder(TypeId::kBigInt);
  for (const RunTable& table : tables) {
    const bool none =
        after ? table.effect == RunTable::Effect::kDropped : table.effect == RunTable::Effect::kCreated;
    if (none) {
      builder.append_null();
    } else {
      const auto version = static_cast<int64_t>(static_cast<uint64_t>(after ? table.after : table.before));
      builder.append(&version);
    }
  }
  return builder.finish();
}

void emit_runs(ExecutionContext& c, const std::vector<Value>&, RowEmitter& out) {
  for (const auto& [key, run] : c.snapshot->catalog->runs) {
    std::vector<std::string> names;
    for (const RunTable& table : run->tables) names.push_back(table_name(*c.snapshot, table.table));
    out.row({key, run->user, count(static_cast<uint64_t>(run->first_commit)),
             count(static_cast<uint64_t>(run->last_commit)), run->first_time_micros, run->last_time_micros,
             count(run->writes.size()), text_array(names), versions_array(run->tables, false),
             versions_array(run->tables, true)});
  }
}

}  // namespace

void register_history(RelationSet& functions) {
  functions.add("table_history",
                "version int8, committed_at timestamp, user varchar, operation varchar, run varchar, "
                "inserted int8, replaced int8, "
                "skipped int8, deleted int8, partitions int8, first_version int8",
                [](ExecutionContext& c, const std::vector<Value>& a, RowEmitter& out) {
                  emit_table_history(c, a, out);
                });
  functions.add(
      "table_tags", "tag varchar, version int8, created_at timestamp, expires_at timestamp",
      [](ExecutionContext& c, const std::vector<Value>& a, RowEmitter& out) { emit_table_tags(c, a, out); });
  functions.add("change_slots",
                "slot varchar, schema_name varchar, table_name varchar, version int8, versions_behind int8, "
                "held_until timestamp, owner varchar",
                [](ExecutionContext& c, const std::vector<Value>& a, RowEmitter& out) {
                  emit_change_slots(c, a, out);
                });
  functions.add(
      "runs",
      "key varchar, user varchar, first_commit int8, last_commit int8, first_committed_at timestamp, "
      "last_committed_at timestamp, writes int8, tables _text, versions_before _int8, versions_after _int8",
      [](ExecutionContext& c, const std::vector<Value>& a, RowEmitter& out) { emit_runs(c, a, out); });
  functions.add("materialized_views",
                "schema_name varchar, view_name varchar, owner varchar, refresh varchar, base_tables _text, "
                "versions_read _int8, "
                "last_refresh timestamp, populated bool, stale bool, last_error varchar, last_error_at "
                "timestamp, query varchar",
                [](ExecutionContext& c, const std::vector<Value>&, RowEmitter& out) {
                  emit_materialized_views(c, out);
                });
  functions.add("dropped_tables", "schema_name varchar, table_name varchar, dropped_at timestamp",
                [](ExecutionContext& c, const std::vector<Value>& a, RowEmitter& out) {
                  emit_dropped_tables(c, a, out);
                });
}

}  // namespace idem
