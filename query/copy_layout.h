#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "common/value_text.h"
#include "query/copy_format.h"
#include "storage/schema.h"

namespace idem {

// What the fields of COPY data become: decided once for a statement, read by all who parse parts of it.
struct CopyLayout {
  enum class Conversion : uint8_t {
    kInt16,
    kInt32,
    kInt64,
    kFloat,
    kDouble,
    kTimestamp,
    kDate,
    kSymbol,
    kString,
    kGeneric
  };
  struct Target {
    uint32_t column = 0;  // of the table
    SqlType type;         // VARCHAR for symbols
    Conversion conversion = Conversion::kGeneric;
    bool force_null = false, force_not_null = false;
    bool not_null = false;
  };

  // `targets`: the table's columns in the order of the data. `defaults`: a value for each column of the table;
  // those of columns that the data lack count.
  CopyLayout(const CopyFormat& copy_format, std::shared_ptr<const TableSchema> table_schema,
             const std::vector<uint32_t>& target_columns, std::vector<Value> default_values,
             const TextOptions& text_options);

  CopyFormat format;
  std::shared_ptr<const TableSchema> schema;
  std::vector<Target> targets;
  std::vector<std::pair<uint32_t, Value>> defaults;  // of the columns that the data lack, by table column
  TextOptions text;
};

}  // namespace idem
