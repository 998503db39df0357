#include "storage/partition_move.h"

#include <algorithm>

#include "common/error.h"
#include "storage/stored_rows.h"

namespace idem {

namespace {

constexpr std::string_view kDiffer = sqlstate::kInvalidTableDefinition;

SqlError tables_differ(const TableSchema& from, const TableSchema& to, const std::string& why) {
  return sql_error(kDiffer, "a partition of \"{}\" cannot be moved into \"{}\": {}", from.name, to.name, why);
}

std::string name_of(const TableSchema& schema, int column) {
  return column < 0 ? std::string() : schema.columns[static_cast<size_t>(column)].name;
}

std::vector<std::string> key_names(const TableSchema& schema) {
  std::vector<std::string> names;
  for (const uint32_t key : schema.upsert_keys) names.push_back(schema.columns[key].name);
  // In which order they are named matters only where rows are in it.
  if (schema.has_timestamp()) std::sort(names.begin(), names.end());
  return names;
}

}  // namespace

void check_rows_may_move(const TableSchema& from, const TableSchema& to) {
  if (from.id == to.id) throw tables_differ(from, to, "they are one table");
  for (const ColumnSchema& column : to.columns) {
    const int index = from.find_column(column.name);
    if (index < 0) throw tables_differ(from, to, fmt::format("\"{}\" has no column \"{}\"", from.name, column.name));
    const ColumnSchema& source = from.columns[static_cast<size_t>(index)];
    if (source.type != column.type) {
      throw tables_differ(from, to, fmt::format("column \"{}\" is {} there and {} here", column.name, format_type(source.type), format_type(column.type)));
    }
    if (column.not_null && !source.not_null) {
      throw tables_differ(from, to, fmt::format("column \"{}\" may be NULL in \"{}\"", column.name, from.name));
    }
  }
  if (from.columns.size() != to.columns.size()) {
    const auto extra = std::find_if(from.columns.begin(), from.columns.end(),
                                    [&](const ColumnSchema& column) { return to.find_column(column.name) < 0; });
    throw tables_differ(from, to, fmt::format("\"{}\" has no column \"{}\"", to.name, extra->name));
  }
  if (name_of(from, from.timestamp_column) != name_of(to, to.timestamp_column)) {
    throw tables_differ(from, to, "their designated timestamps differ");
  }
  if (to.has_keys() && key_names(from) != key_names(to)) throw tables_differ(from, to, "their upsert keys differ");
  if (name_of(from, from.deleted_column) != name_of(to, to.deleted_column)) {
    throw tables_differ(from, to, "DELETED WHEN hides other rows there");
  }
  if (to.keys_unique && !from.keys_unique) {
    throw sql_error(sqlstate::kUniqueViolation, "the upsert keys of \"{}\" may hold duplicates, those of \"{}\" may not",
                    from.name, to.name)
        .with_hint("They were given to a table that had rows.");
  }
}

int64_t partition_for(const Partition& rows, const TableSchema& from, const TableSchema& to) {
  if (!to.has_timestamp()) return INT64_MIN;
  const int64_t start = partition_start(to.partition_by, rows.min_timestamp);
  if (partition_start(to.partition_by, rows.max_timestamp) != start) {
    throw sql_error(sqlstate::kInvalidParameterValue, "partition \"{}\" of \"{}\" does not fit into one partition of \"{}\"",
                    partition_name(from.partition_by, rows.start), from.name, to.name);
  }
  return start;
}

uint64_t place_between(const std::shared_ptr<const Partition>& current, const Partition& rows,
                       const std::shared_ptr<const TableSchema>& schema) {
  if (!current) return 0;
  const auto in_the_way = [&] {
    return sql_error(sqlstate::kUniqueViolation, "partition \"{}\" of \"{}\" has rows where others are to be attached",
                     partition_name(schema->partition_by, current->start), schema->name);
  };
  if (!schema->has_timestamp()) throw in_the_way();
  StoredRows stored(current, schema);
  const uint64_t before = stored.lower_bound(rows.min_timestamp, 0);
  if (stored.upper_bound(rows.max_timestamp, before) != before) throw in_the_way();
  return before;
}

std::vector<PartitionChange> insertions_of(const std::shared_ptr<const Partition>& rows,
                                           const std::shared_ptr<const TableSchema>& from,
                                           const std::shared_ptr<const TableSchema>& to, int64_t start,
                                           uint64_t before) {
  std::vector<uint32_t> sources;
  for (const ColumnSchema& column : to->columns) {
    sources.push_back(static_cast<uint32_t>(from->find_column(column.name)));
  }
  StoredRows stored(rows, from);
  std::vector<PartitionChange> changes;
  std::shared_ptr<ColumnBatch> batch;
  const auto finish_batch = [&] {
    if (!batch) return;
    PartitionChange& change = changes.emplace_back();
    change.start = start;
    change.positions.insert(before, batch->rows());
    before += batch->rows();
    change.rows = std::move(batch);
    batch = nullptr;
  };
  for (uint64_t ordinal = 0; ordinal < rows->row_count; ordinal = stored.block_end()) {
    stored.move_to(ordinal);
    const auto count = static_cast<uint32_t>(stored.block_end() - ordinal);
    if (!batch) batch = std::make_shared<ColumnBatch>(to);
    for (uint32_t c = 0; c < sources.size(); ++c) {
      batch->column(c).append_vector(stored.vector(sources[c]), {nullptr, count});
    }
    if (batch->rows() >= kRowGroupSize) finish_batch();
  }
  finish_batch();
  return changes;
}

}  // namespace idem
