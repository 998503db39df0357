#include "query/table_definition.h"

#include <algorithm>
#include <set>

#include "parser/deparse.h"
#include "query/insert_plan.h"
#include "storage/retention.h"

namespace idem {

namespace {

SqlError undefined_column(const TableSchema& schema, const ast::Identifier& name) {
  SqlError error = sql_error(sqlstate::kUndefinedColumn, "column \"{}\" of relation \"{}\" does not exist",
                             name.text, schema.name);
  error.with_position(name.position);
  return error;
}

bool column_type_allowed(SqlType type) { return type.id < TypeId::kUnknown; }

std::string quoted(const std::string& name) {
  bool plain = !name.empty() &&
               name.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789_") == name.npos &&
               (name[0] < '0' || name[0] > '9');
  if (plain) return name;
  std::string out = "\"";
  for (char c : name) out += c == '"' ? std::string("\"\"") : std::string(1, c);
  return out + "\"";
}

}  // namespace

std::string_view keep_policy_name(KeepPolicy policy) {
  switch (policy) {
    case KeepPolicy::kLast: return "LAST";
    case KeepPolicy::kFirst: return "FIRST";
    case KeepPolicy::kMin: return "MIN";
    case KeepPolicy::kMax: return "MAX";
    case KeepPolicy::kNonNull: return "NON NULL";
  }
  return "LAST";
}

PartitionUnit partition_unit(ast::PartitionUnit unit) {
  switch (unit) {
    case ast::PartitionUnit::kNone: return PartitionUnit::kNone;
    case ast::PartitionUnit::kHour: return PartitionUnit::kHour;
    case ast::PartitionUnit::kDay: return PartitionUnit::kDay;
    case ast::PartitionUnit::kWeek: return PartitionUnit::kWeek;
    case ast::PartitionUnit::kMonth: return PartitionUnit::kMonth;
    case ast::PartitionUnit::kYear: return PartitionUnit::kYear;
  }
  return PartitionUnit::kNone;
}

KeepPolicy keep_policy(ast::KeepPolicy policy) {
  switch (policy) {
    case ast::KeepPolicy::kLast: return KeepPolicy::kLast;
    case ast::KeepPolicy::kFirst: return KeepPolicy::kFirst;
    case ast::KeepPolicy::kMin: return KeepPolicy::kMin;
    case ast::KeepPolicy::kMax: return KeepPolicy::kMax;
    case ast::KeepPolicy::kNonNull: return KeepPolicy::kNonNull;
  }
  return KeepPolicy::kLast;
}

ColumnSchema column_from_definition(const ast::ColumnDefinition& d, const SessionState& session) {
  ColumnSchema column;
  column.name = d.name.text;
  try {
    column.type =
        resolve_type_name(d.type.name, d.type.modifiers.data(), d.type.modifiers.size(), d.type.is_array());
  } catch (SqlError& error) { throw error.with_position(d.type.position); }
  if (d.type.array_dimensions > 1) {
    throw SqlError(sqlstate::kFeatureNotSupported, "arrays of more than one dimension are not supported")
        .with_position(d.type.position);
  }
  if (!column_type_allowed(column.type)) {
    throw sql_error(sqlstate::kInvalidTableDefinition, "column \"{}\" has pseudo-type {}", column.name,
                    format_type(column.type))
        .with_position(d.type.position);
  }
  column.not_null = d.not_null || d.primary_key;
  if (d.keep) column.keep = keep_policy(*d.keep);
  column.symbol_capacity = d.symbol_capacity.value_or(0);
  if (d.default_value) {
    ParameterTypes none;
    bind_expression(*d.default_value, {}, session, none, assignment_type(column.type));  // checks it
    column.default_text = parser::deparse(*d.default_value);
  }
  return column;
}

void check_column_names(const TableSchema& schema) {
  std::set<std::string> seen;
  for (const ColumnSchema& c : schema.columns) {
    if (!seen.insert(c.name).second)
      throw sql_error(sqlstate::kDuplicateColumn, "column \"{}\" specified more than once", c.name);
  }
}

int column_index(const TableSchema& schema, const ast::Identifier& name) {
  int found = schema.find_column(name.text);
  if (found < 0) throw undefined_column(schema, name);
  return found;
}

void apply_dedup(const ast::DedupClause& dedup, TableSchema& schema) {
  schema.upsert_keys.clear();
  for (const ast::Identifier& key : dedup.keys) {
    uint32_t index = static_cast<uint32_t>(column_index(schema, key));
    if (std::find(schema.upsert_keys.begin(), schema.upsert_keys.end(), index) != schema.upsert_keys.end()) {
      throw sql_error(sqlstate::kDuplicateColumn, "column \"{}\" appears twice in the upsert keys", key.text)
          .with_position(key.position);
    }
    schema.upsert_keys.push_back(index);
  }
  schema.version_column = dedup.version_by.empty() ? -1 : column_index(schema, dedup.version_by);
  schema.deleted_column = dedup.deleted_when.empty() ? -1 : column_index(schema, dedup.deleted_when);
}

void apply_table_clauses(const ast::CreateTableStatement& s, TableSchema& schema) {
  if (!s.timestamp.empty()) schema.timestamp_column = column_index(schema, s.timestamp);
  if (s.dedup && !s.primary_key.empty()) {
    throw SqlError(sqlstate::kSyntaxError, "PRIMARY KEY and DEDUP UPSERT KEYS cannot be used together")
        .with_position(s.dedup->position);
  }
  if (s.dedup) apply_dedup(*s.dedup, schema);
  for (const ast::Identifier& name : s.primary_key) {
    uint32_t index = static_cast<uint32_t>(column_index(schema, name));
    schema.columns[index].not_null = true;
    schema.upsert_keys.push_back(index);
  }
  schema.keys_unique = schema.has_keys();
  if (s.ttl) {
    schema.ttl_count = s.ttl->count;
    schema.ttl_unit = s.ttl->unit;
  }
  for (const ast::Option& option : s.options) {
    if (option.name == "history_retention") {
      parse_retention(option.value);
      schema.options.emplace_back(option.name, option.value);
    } else if (option.name != "fillfactor") {  // pgbench sends it; there is no page to fill
      throw sql_error(sqlstate::kInvalidParameterValue, "unrecognized parameter \"{}\"", option.name)
          .with_position(option.position);
    }
  }
}

void apply_partitioning(const ast::CreateTableStatement& s, TableSchema& schema) {
  if (s.partition_by) schema.partition_by = partition_unit(*s.partition_by);
  else if (s.likes.empty() && schema.has_timestamp()) schema.partition_by = PartitionUnit::kDay;
}

void check_policies_have_keys(const TableSchema& schema) {
  if (schema.has_keys()) return;
  for (const ColumnSchema& c : schema.columns) {
    if (c.keep == KeepPolicy::kLast) continue;
    throw sql_error(sqlstate::kInvalidTableDefinition, "KEEP {} on column \"{}\" needs upsert keys",
                    keep_policy_name(c.keep), c.name)
        .with_hint("Add DEDUP UPSERT KEYS(…).");
  }
}

// 22023 for one that is longer than a retention may be.
void check_ttl(const TableSchema& schema) {
  if (schema.ttl_unit == "MONTHS") {
    parse_retention(fmt::format("{} YEARS", schema.ttl_count / 12));
  } else {
    parse_retention(fmt::format("{} {}", schema.ttl_count, schema.ttl_unit));
  }
}

void check_table_definition(const TableSchema& schema, uint32_t dedup_position) {
  auto fail = [&](std::string_view state, std::string text) {
    SqlError error(state, std::move(text));
    if (dedup_position > 0) error.with_position(dedup_position);
    return error;
  };
  if (schema.columns.empty())
    throw SqlError(sqlstate::kInvalidTableDefinition, "a table must have at least one column");
  if (schema.has_timestamp()) {
    const ColumnSchema& ts = schema.columns[static_cast<size_t>(schema.timestamp_column)];
    if (!is_timestamp(ts.type.id)) {
      throw sql_error(sqlstate::kDatatypeMismatch,
                      "designated timestamp \"{}\" must be of type TIMESTAMP, not {}", ts.name,
                      format_type(ts.type));
    }
    uint32_t index = static_cast<uint32_t>(schema.timestamp_column);
    if (schema.has_keys() &&
        std::find(schema.upsert_keys.begin(), schema.upsert_keys.end(), index) == schema.upsert_keys.end()) {
      throw fail(sqlstate::kSyntaxError,
                 fmt::format("the upsert keys must include the designated timestamp \"{}\"", ts.name));
    }
  } else if (schema.partition_by != PartitionUnit::kNone) {
    throw SqlError(sqlstate::kInvalidTableDefinition, "PARTITION BY needs a designated timestamp")
        .with_hint("Add TIMESTAMP(column).");
  } else if (schema.ttl_count > 0) {
    throw SqlError(sqlstate::kInvalidTableDefinition, "TTL needs a designated timestamp")
        .with_hint("Add TIMESTAMP(column).");
  }
  if (schema.ttl_count > 0) check_ttl(schema);
  for (uint32_t key : schema.upsert_keys) {
    if (schema.columns[key].keep != KeepPolicy::kLast) {
      throw fail(sqlstate::kInvalidTableDefinition,
                 fmt::format("KEEP does not apply to the upsert key \"{}\"", schema.columns[key].name));
    }
  }
  auto is_key = [&](int index) {
    return std::find(schema.upsert_keys.begin(), schema.upsert_keys.end(), static_cast<uint32_t>(index)) !=
           schema.upsert_keys.end();
  };
  auto must_compare = [&](const ColumnSchema& c, std::string_view use) {
    if (c.type.id == TypeId::kJson)
      throw fail(sqlstate::kUndefinedObject,
                 fmt::format("type {} has no order: \"{}\" cannot be {}", format_type(c.type), c.name, use));
  };
  for (uint32_t key : schema.upsert_keys) must_compare(schema.columns[key], "an upsert key");
  for (const ColumnSchema& c : schema.columns) {
    if (c.keep == KeepPolicy::kMin || c.keep == KeepPolicy::kMax) must_compare(c, "kept by MIN or MAX");
  }
  if (schema.version_column >= 0) {
    const ColumnSchema& version = schema.columns[static_cast<size_t>(schema.version_column)];
    must_compare(version, "a version");
    if (is_key(schema.version_column))
      throw fail(sqlstate::kInvalidTableDefinition,
                 fmt::format("the version column \"{}\" must not be an upsert key", version.name));
    if (version.keep != KeepPolicy::kLast && version.keep != KeepPolicy::kMax) {
      throw fail(sqlstate::kInvalidTableDefinition,
                 fmt::format("the version column \"{}\" keeps the greatest value: KEEP {} does not apply",
                             version.name, keep_policy_name(version.keep)));
    }
  }
  if (schema.deleted_column >= 0) {
    const ColumnSchema& deleted = schema.columns[static_cast<size_t>(schema.deleted_column)];
    if (deleted.type.id != TypeId::kBoolean) {
      throw fail(sqlstate::kDatatypeMismatch,
                 fmt::format("DELETED WHEN \"{}\" must be of type BOOLEAN, not {}", deleted.name,
                             format_type(deleted.type)));
    }
    if (is_key(schema.deleted_column))
      throw fail(sqlstate::kInvalidTableDefinition,
                 fmt::format("the deletion column \"{}\" must not be an upsert key", deleted.name));
    if (deleted.keep != KeepPolicy::kLast) {
      throw fail(sqlstate::kInvalidTableDefinition,
                 fmt::format("the deletion column \"{}\" goes with the version: KEEP {} does not apply",
                             deleted.name, keep_policy_name(deleted.keep)));
    }
  }
}

std::string create_table_text(const TableSchema& schema) {
  std::string out = fmt::format("CREATE TABLE {}{} (\n",
                                schema.schema_name == "public" ? "" : quoted(schema.schema_name) + ".",
                                quoted(schema.name));
  for (size_t i = 0; i < schema.columns.size(); i++) {
    const ColumnSchema& c = schema.columns[i];
    out += fmt::format("  {} {}", quoted(c.name), dialect_type_name(c.type));
    if (c.symbol_capacity > 0) out += fmt::format(" CAPACITY {}", c.symbol_capacity);
    if (c.not_null) out += " NOT NULL";
    if (!c.default_text.empty()) out += " DEFAULT " + c.default_text;
    if (c.keep != KeepPolicy::kLast && schema.has_keys())
      out += fmt::format(" KEEP {}", keep_policy_name(c.keep));
    out += i + 1 < schema.columns.size() ? ",\n" : "\n)";
  }
  auto name_of = [&](int index) { return quoted(schema.columns[static_cast<size_t>(index)].name); };
  if (schema.has_timestamp()) {
    out += fmt::format(" TIMESTAMP({}) PARTITION BY {}", name_of(schema.timestamp_column),
                       partition_unit_name(schema.partition_by));
  }
  if (schema.has_keys()) {
    std::vector<std::string> keys;
    for (uint32_t key : schema.upsert_keys) keys.push_back(name_of(static_cast<int>(key)));
    out += fmt::format(" DEDUP UPSERT KEYS({})", fmt::join(keys, ", "));
    if (schema.version_column >= 0) out += " VERSION BY " + name_of(schema.version_column);
    if (schema.deleted_column >= 0) out += " DELETED WHEN " + name_of(schema.deleted_column);
  }
  if (schema.ttl_count > 0) out += fmt::format(" TTL {} {}", schema.ttl_count, schema.ttl_unit);
  for (size_t i = 0; i < schema.options.size(); i++) {
    const auto& [name, value] = schema.options[i];
    out += fmt::format("{}{} = '{}'{}", i == 0 ? " WITH (" : ", ", name, value,
                       i + 1 == schema.options.size() ? ")" : "");
  }
  return out + ";";
}

}  // namespace idem
