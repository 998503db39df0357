#pragma once

#include <algorithm>
#include <bit>
#include <cmath>
#include <map>
#include <optional>
#include <random>

#include "tests/unit/storage/storage_fixture.h"

namespace idem {

// A table as a list of rows, with the rules of the dialect applied row by row in the plainest way: what the
// storage is compared with.
class TableModel {
 public:
  using Row = std::vector<Value>;
  struct Stored {
    uint64_t id = 0;       // of the row, for ever
    uint64_t changed = 0;  // stamp of the last change
    Row values;
  };

  explicit TableModel(TableSchema table_schema) : schema(std::move(table_schema)) {}

  static int compare_values(const Value& a, const Value& b) {
    if (a.is_null() || b.is_null()) return static_cast<int>(a.is_null()) - static_cast<int>(b.is_null());
    if (a.type().id == TypeId::kDouble) {
      const double x = a.as_double(), y = b.as_double();
      if (std::isnan(x) || std::isnan(y))
        return static_cast<int>(std::isnan(x)) - static_cast<int>(std::isnan(y));
      return x < y ? -1 : x > y;
    }
    if (a.type().id == TypeId::kSymbol || a.type().id == TypeId::kVarchar) {
      return a.as_string().compare(b.as_string());
    }
    return a.as_int() < b.as_int() ? -1 : a.as_int() > b.as_int();
  }
  int compare_keys(const Row& a, const Row& b) const {
    for (const uint32_t key : schema.upsert_keys) {
      if (const int c = compare_values(a[key], b[key])) return c;
    }
    return 0;
  }

  bool is_tombstone(const Row& row) const {
    if (schema.deleted_column < 0) return false;
    const Value& deleted = row[static_cast<size_t>(schema.deleted_column)];
    return !deleted.is_null() && deleted.as_bool();
  }

  size_t find_id(uint64_t id) const {
    size_t i = 0;
    while (i < rows.size() && rows[i].id != id) ++i;
    return i;
  }
  // Rows are in the order of their times, without a time in that of their keys; without keys as they came.
  bool goes_before(const Row& a, const Row& b) const {
    if (schema.has_timestamp()) {
      const auto ts = static_cast<size_t>(schema.timestamp_column);
      return a[ts].as_int() < b[ts].as_int();
    }
    return schema.has_keys() && compare_keys(a, b) < 0;
  }
  size_t find_key(const Row& row) const {
    auto at = std::lower_bound(rows.begin(), rows.end(), row,
                               [&](const Stored& a, const Row& b) { return goes_before(a.values, b); });
    while (at != rows.end() && !goes_before(row, at->values)) {
      if (compare_keys(at->values, row) == 0) return static_cast<size_t>(at - rows.begin());
      ++at;
    }
    return rows.size();
  }
  size_t place_for(const Row& row) const {
    const auto at = std::upper_bound(rows.begin(), rows.end(), row,
                                     [&](const Row& a, const Stored& b) { return goes_before(a, b.values); });
    return static_cast<size_t>(at - rows.begin());
  }

  // Gives the id of the row that it became: its own, or that of the one it replaced.
  uint64_t upsert(const Row& row, uint64_t id, uint64_t stamp) {
    if (schema.has_keys()) {
      const size_t at = find_key(row);
      if (at < rows.size()) {
        Row result = fold(rows[at].values, row);
        if (text_of(result) != text_of(rows[at].values)) {
          rows[at].values = std::move(result);
          rows[at].changed = stamp;
        }
        return rows[at].id;
      }
    }
    rows.insert(rows.begin() + static_cast<std::ptrdiff_t>(place_for(row)), Stored{id, stamp, row});
    return id;
  }

  Row fold(const Row& older, const Row& newer) const {
    bool older_greater = false;
    if (schema.version_column >= 0) {
      const auto v = static_cast<size_t>(schema.version_column);
      if (!older[v].is_null()) older_greater = newer[v].is_null() || compare_values(older[v], newer[v]) > 0;
    }
    Row result = older;
    for (size_t c = 0; c < older.size(); ++c) {
      bool take = false;
      switch (schema.columns[c].keep) {
        case KeepPolicy::kLast: take = !older_greater; break;
        case KeepPolicy::kFirst: break;
        case KeepPolicy::kNonNull: take = !older_greater && !newer[c].is_null(); break;
        case KeepPolicy::kMin:
          take = !newer[c].is_null() && (older[c].is_null() || compare_values(newer[c], older[c]) < 0);
          break;
        case KeepPolicy::kMax:
          take = !newer[c].is_null() && (older[c].is_null() || compare_values(newer[c], older[c]) > 0);
          break;
      }
      if (take) result[c] = newer[c];
    }
    return result;
  }

  static std::string text_of(const Row& row) {
    std::string text;
    for (const Value& value : row) {
      if (!text.empty()) text += '|';
      if (value.is_null()) {
        text += "null";
      } else if (value.type().id == TypeId::kDouble) {
        text += fmt::format("{:x}", std::bit_cast<uint64_t>(value.as_double()));
      } else if (value.type().id == TypeId::kSymbol || value.type().id == TypeId::kVarchar) {
        text += value.as_string();
      } else {
        text += std::to_string(value.as_int());
      }
    }
    return text;
  }
  std::vector<std::string> texts() const {
    std::vector<std::string> result;
    for (const Stored& row : rows) result.push_back(text_of(row.values));
    return result;
  }

  TableSchema schema;
  std::vector<Stored> rows;
};

inline std::vector<std::string> exact_rows_of(const std::shared_ptr<const TableVersion>& version) {
  std::vector<std::string> rows;
  if (!version) return rows;
  const ScanPlan plan = plan_scan(*version, {}, {});
  for (const Morsel& morsel : plan.morsels) {
    MorselReader reader(version, morsel, nullptr);
    while (const uint32_t count = reader.next()) {
      std::vector<Vector> columns(version->schema->columns.size());
      for (uint32_t c = 0; c < columns.size(); ++c) reader.read(c, &columns[c]);
      for (uint32_t row = 0; row < count; ++row) {
        TableModel::Row values;
        for (const Vector& column : columns) values.push_back(column.value_at(row));
        rows.push_back(TableModel::text_of(values));
      }
    }
  }
  return rows;
}

// Schemas over the same columns with every kind of order and key.
enum class Shape {
  kTimeKeys,
  kTimeOnlyKey,
  kTimeNullableKeys,
  kTimeNoKeys,
  kKeys,
  kFloatKey,
  kNoOrder,
  kPolicies,
  kTombstones,
  kCount
};

inline TableSchema model_schema(Shape shape) {
  TableSchema schema;
  schema.schema_name = "public";
  schema.name = "t";
  schema.owner = "admin";
  schema.columns = {test_column("ts", TypeId::kTimestamp), test_column("sym", TypeId::kSymbol),
                    test_column("k", TypeId::kBigInt),     test_column("v", TypeId::kDouble),
                    test_column("ver", TypeId::kInteger),  test_column("note", TypeId::kVarchar),
                    test_column("gone", TypeId::kBoolean)};
  schema.timestamp_column = 0;
  schema.partition_by = PartitionUnit::kDay;
  switch (shape) {
    case Shape::kTimeKeys: schema.upsert_keys = {0, 1}; break;
    case Shape::kTimeOnlyKey: schema.upsert_keys = {0}; break;
    case Shape::kTimeNullableKeys: schema.upsert_keys = {2, 0, 1}; break;
    case Shape::kTimeNoKeys: break;
    case Shape::kKeys:
      schema.timestamp_column = -1;
      schema.upsert_keys = {1, 2};
      break;
    case Shape::kFloatKey:
      schema.timestamp_column = -1;
      schema.upsert_keys = {3};
      break;
    case Shape::kNoOrder: schema.timestamp_column = -1; break;
    case Shape::kPolicies:
      schema.upsert_keys = {0, 1};
      schema.columns[2].keep = KeepPolicy::kMax;
      schema.columns[3].keep = KeepPolicy::kNonNull;
      schema.columns[5].keep = KeepPolicy::kFirst;
      schema.version_column = 4;
      break;
    case Shape::kTombstones:
      schema.upsert_keys = {0, 1};
      schema.columns[2].keep = KeepPolicy::kMin;
      schema.version_column = 4;
      schema.deleted_column = 6;
      break;
    case Shape::kCount: break;
  }
  if (schema.timestamp_column < 0) schema.partition_by = PartitionUnit::kNone;
  return schema;
}

class RowMaker {
 public:
  RowMaker(uint64_t seed, int64_t times, int symbols) : random_(seed), times_(times), symbols_(symbols) {}

  uint64_t below(uint64_t n) { return std::uniform_int_distribution<uint64_t>(0, n - 1)(random_); }
  // Times lie close together, in steps that cross days now and then.
  TableModel::Row row() {
    TableModel::Row row;
    const auto t = static_cast<int64_t>(below(static_cast<uint64_t>(times_)));
    row.push_back(Value::of_int(TypeId::kTimestamp, t * 7'000'000'000 / std::max<int64_t>(times_ / 60, 1)));
    row.push_back(
        below(9) == 0
            ? Value::null(TypeId::kSymbol)
            : Value::of_string(TypeId::kSymbol, fmt::format("S{}", below(static_cast<uint64_t>(symbols_)))));
    row.push_back(below(5) == 0 ? Value::null(TypeId::kBigInt)
                                : Value::of_int(TypeId::kBigInt, static_cast<int64_t>(below(4)) - 1));
    static constexpr double kValues[] = {0.0, -0.0, 1.5, -3, 1e300, std::numeric_limits<double>::quiet_NaN()};
    row.push_back(below(6) == 0
                      ? Value::null(TypeId::kDouble)
                      : Value::of_double(TypeId::kDouble, below(3) == 0 ? static_cast<double>(below(1000))
                                                                        : kValues[below(6)]));
    row.push_back(below(5) == 0 ? Value::null(TypeId::kInteger)
                                : Value::of_int(TypeId::kInteger, static_cast<int64_t>(below(3))));
    row.push_back(
        below(3) == 0
            ? Value::null(TypeId::kVarchar)
            : Value::of_string(TypeId::kVarchar, std::string(below(20), static_cast<char>('a' + below(26)))));
    row.push_back(below(8) == 0 ? Value::null(TypeId::kBoolean) : Value::of_bool(below(4) == 0));
    return row;
  }
  std::mt19937_64& random() { return random_; }

 private:
  std::mt19937_64 random_;
  int64_t times_;
  int symbols_;
};

inline void append_row(ColumnBatch* batch, const TableModel::Row& row) {
  for (size_t c = 0; c < row.size(); ++c) batch->column(c).append_value(row[c]);
}

inline std::vector<RowPosition> positions_of(const TableVersion& version, std::vector<size_t> indices) {
  std::sort(indices.begin(), indices.end());
  std::vector<RowPosition> positions;
  uint32_t partition = 0;
  uint64_t before = 0;
  for (const size_t index : indices) {
    while (index - before >= version.partitions[partition]->row_count) {
      before += version.partitions[partition]->row_count;
      ++partition;
    }
    positions.push_back({partition, index - before});
  }
  return positions;
}

}  // namespace idem
