#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/sql_type.h"
#include "storage/symbol_dictionary.h"
#include "storage/value.h"

namespace idem {

// Ids are never reused. Different things, different types.
enum class TableId : uint32_t {};
enum class ColumnId : uint32_t {
};  // unique within its table for ever, so that renames and drops are read rightly in the past
enum class CommitNumber : uint64_t {};
enum class VersionNumber : uint64_t {};

enum class PartitionUnit : uint8_t { kNone, kHour, kDay, kWeek, kMonth, kYear };
std::string_view partition_unit_name(PartitionUnit unit);  // "DAY"
// Start of the partition that holds a timestamp; INT64_MIN for kNone.
int64_t partition_start(PartitionUnit unit, int64_t micros);
int64_t partition_end(PartitionUnit unit, int64_t start);  // exclusive; INT64_MAX for kNone
// dialect.md: 2024, 2024-03, 2024-W03, 2024-01-15, 2024-01-15T10; "default" for kNone.
std::string partition_name(PartitionUnit unit, int64_t start);
std::optional<int64_t> parse_partition_name(PartitionUnit unit, std::string_view name);

enum class KeepPolicy : uint8_t { kLast, kFirst, kMin, kMax, kNonNull };

struct ColumnSchema {
  ColumnId id{};
  std::string name;
  SqlType type;
  bool not_null = false;
  KeepPolicy keep = KeepPolicy::kLast;
  std::string default_text;      // SQL expression, "" = none; evaluated at INSERT
  Value initial;                 // what rows written before ADD COLUMN read (null unless it had a default)
  uint32_t symbol_capacity = 0;  // a hint, shown by table_columns()
  std::shared_ptr<SymbolDictionary> dictionary;  // SYMBOL columns; shared by all versions of the table
};

// Everything a table version knows about its shape. Immutable once published.
struct TableSchema {
  TableId id{};
  std::string schema_name, name;
  std::string owner;
  bool temporary = false;
  std::vector<ColumnSchema> columns;
  int timestamp_column = -1;  // index into columns; -1: no designated timestamp
  PartitionUnit partition_by = PartitionUnit::kNone;
  std::vector<uint32_t> upsert_keys;  // indices into columns; empty: no deduplication
  bool keys_unique = false;           // created with keys or checked since: each key is stored at most once
  int version_column = -1;            // VERSION BY
  int deleted_column = -1;            // DELETED WHEN
  int64_t ttl_count = 0;
  std::string ttl_unit;                                      // "" = none, else HOURS, DAYS, …
  std::vector<std::pair<std::string, std::string>> options;  // WITH (…) and SET (…)
  uint32_t next_column_id = 1;

  bool has_timestamp() const { return timestamp_column >= 0; }
  bool has_keys() const { return !upsert_keys.empty(); }
  int find_column(std::string_view column_name) const;  // index or -1; exact match
  int find_column(ColumnId id) const;
};

}  // namespace idem
