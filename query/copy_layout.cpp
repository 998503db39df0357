#include "query/copy_layout.h"

#include <algorithm>

namespace idem {

namespace {

bool contains(const std::vector<std::string>& names, const std::string& name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

CopyLayout::Conversion conversion_of(const ColumnSchema& column) {
  using Conversion = CopyLayout::Conversion;
  switch (column.type.id) {
    case TypeId::kSmallInt: return Conversion::kInt16;
    case TypeId::kInteger: return Conversion::kInt32;
    case TypeId::kBigInt: return Conversion::kInt64;
    case TypeId::kReal: return Conversion::kFloat;
    case TypeId::kDouble: return Conversion::kDouble;
    case TypeId::kTimestamp: return Conversion::kTimestamp;
    case TypeId::kDate: return Conversion::kDate;
    case TypeId::kSymbol: return Conversion::kSymbol;
    case TypeId::kText: return Conversion::kString;
    case TypeId::kVarchar: return column.type.modifier < 0 ? Conversion::kString : Conversion::kGeneric;
    default: return Conversion::kGeneric;
  }
}

}  // namespace

CopyLayout::CopyLayout(const CopyFormat& copy_format, std::shared_ptr<const TableSchema> table_schema,
                       const std::vector<uint32_t>& target_columns, std::vector<Value> default_values,
                       const TextOptions& text_options)
    : format(copy_format), schema(std::move(table_schema)), text(text_options) {
  text.allow_integer_timestamps = true;
  for (const uint32_t column : target_columns) {
    const ColumnSchema& c = schema->columns[column];
    Target t;
    t.column = column;
    t.type = c.type.id == TypeId::kSymbol ? SqlType(TypeId::kVarchar) : c.type;
    t.conversion = conversion_of(c);
    t.force_null = contains(format.force_null, c.name);
    t.force_not_null = contains(format.force_not_null, c.name);
    t.not_null = c.not_null || static_cast<int>(column) == schema->timestamp_column;
    targets.push_back(t);
  }
  for (uint32_t c = 0; c < schema->columns.size(); ++c) {
    const bool in_data = std::find(target_columns.begin(), target_columns.end(), c) != target_columns.end();
    if (!in_data) defaults.emplace_back(c, std::move(default_values[c]));
  }
}

}  // namespace idem
