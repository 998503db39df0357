#pragma once

#include <gtest/gtest.h>
#include <memory>
#include <string>
#include <vector>

#include "common/clock.h"
#include "common/simulated_file.h"
#include "storage/database.h"
#include "storage/table_scan.h"

namespace idem {

inline ColumnSchema test_column(std::string name, SqlType type) {
  ColumnSchema column;
  column.name = std::move(name);
  column.type = type;
  return column;
}

// prices (ts TIMESTAMP, ticker SYMBOL, price DOUBLE, note VARCHAR), partitioned by day.
inline TableSchema prices_schema(bool with_keys) {
  TableSchema schema;
  schema.schema_name = "public";
  schema.name = "prices";
  schema.owner = "admin";
  schema.columns = {test_column("ts", TypeId::kTimestamp), test_column("ticker", TypeId::kSymbol),
                    test_column("price", TypeId::kDouble), test_column("note", TypeId::kVarchar)};
  schema.timestamp_column = 0;
  schema.partition_by = PartitionUnit::kDay;
  if (with_keys) schema.upsert_keys = {0, 1};
  return schema;
}

// All rows of a version as text, one string a row, in table order.
inline std::vector<std::string> rows_of(const std::shared_ptr<const TableVersion>& version) {
  std::vector<std::string> rows;
  const ScanPlan plan = plan_scan(*version, {}, {});
  for (const Morsel& morsel : plan.morsels) {
    MorselReader reader(version, morsel, nullptr);
    while (const uint32_t count = reader.next()) {
      std::vector<Vector> columns(version->schema->columns.size());
      for (uint32_t c = 0; c < columns.size(); ++c) reader.read(c, &columns[c]);
      for (uint32_t row = 0; row < count; ++row) {
        std::string text;
        for (const Vector& column : columns) {
          const Value value = column.value_at(row);
          if (!text.empty()) text += '|';
          if (value.is_null()) {
            text += "null";
          } else if (value.type().id == TypeId::kSymbol ||
                     physical_type(value.type()) == PhysicalType::kString) {
            text += value.as_string();
          } else if (physical_type(value.type()) == PhysicalType::kDouble) {
            text += fmt::format("{}", value.as_double());
          } else {
            text += std::to_string(value.as_int());
          }
        }
        rows.push_back(std::move(text));
      }
    }
  }
  return rows;
}

}  // namespace idem
