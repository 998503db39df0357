#include "query/materialized_views.h"

#include <algorithm>

#include "parser/deparse.h"
#include "query/table_definition.h"

namespace idem {

ViewSchema view_definition(const MaterializedView& view, const TableSchema& table) {
  return {static_cast<uint32_t>(table.id), table.schema_name, table.name, table.owner, {}, view.query_text};
}

std::string refresh_mode_text(const MaterializedView& view) {
  switch (view.mode) {
    case RefreshMode::kImmediate: return "IMMEDIATE";
    case RefreshMode::kEvery: return fmt::format("EVERY {}{}", view.every_count, view.every_unit);
    case RefreshMode::kManual: return "MANUAL";
  }
  return "";
}

std::string create_materialized_view_text(const MaterializedView& view, const TableSchema& table) {
  std::vector<std::string> columns;
  for (const ColumnSchema& column : table.columns) columns.push_back(parser::quote_identifier(column.name));
  std::string text =
      fmt::format("CREATE MATERIALIZED VIEW {}{} ({}) REFRESH {} AS\n{}",
                  table.schema_name == "public" ? "" : parser::quote_identifier(table.schema_name) + ".",
                  parser::quote_identifier(table.name), fmt::join(columns, ", "), refresh_mode_text(view),
                  view.query_text);
  if (table.has_timestamp())
    text += fmt::format("\nPARTITION BY {}", partition_unit_name(table.partition_by));
  if (table.ttl_count > 0) text += fmt::format(" TTL {} {}", table.ttl_count, table.ttl_unit);
  return text + ";";
}

bool is_stale(const Snapshot& snapshot, const MaterializedView& view) {
  return std::any_of(view.sources.begin(), view.sources.end(), [&](const MaterializedViewSource& source) {
    const auto now = snapshot.table(source.table);
    return !now || source.version != now->version;
  });
}

RefreshSchedule refresh_schedule(const Snapshot& snapshot, int64_t now_micros) {
  RefreshSchedule schedule;
  for (const auto& [id, view] : snapshot.catalog->materialized_views) {
    const auto table = snapshot.table(view->table);
    if (!table || !view->populated || view->mode == RefreshMode::kManual) continue;
    const bool by_clock = view->mode == RefreshMode::kEvery;
    if (!is_stale(snapshot, *view) && !(by_clock && view->reads_clock)) continue;
    if (by_clock && view->refreshed_micros > now_micros - view->every_micros()) {
      schedule.next_micros = std::min(schedule.next_micros, view->refreshed_micros + view->every_micros());
      continue;
    }
    schedule.due.push_back(
        {view->table, table->schema->owner, table->schema->schema_name, table->schema->name});
  }
  return schedule;
}

bool RefreshFailures::note(TableId view, Failure failure) {
  std::lock_guard lock(mutex_);
  Failure& known = failures_[view];
  const bool is_new = known.text != failure.text;
  known = std::move(failure);
  return is_new;
}

void RefreshFailures::forget(TableId view) {
  std::lock_guard lock(mutex_);
  failures_.erase(view);
}

std::optional<RefreshFailures::Failure> RefreshFailures::find(TableId view) const {
  std::lock_guard lock(mutex_);
  const auto found = failures_.find(view);
  return found == failures_.end() ? std::nullopt : std::optional(found->second);
}

}  // namespace idem
