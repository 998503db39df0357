#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "common/value_text.h"
#include "query/logical_plan.h"

namespace idem {

// Writes a result as /exec answers it: columns with names and types, rows as arrays (docs/http.md has the form of each type).
class JsonRows {
 public:
  // `quotes_large_numbers`: BIGINT and DECIMAL as strings.
  JsonRows(const std::vector<PlanColumn>& columns, bool quotes_large_numbers);

  // Appends [{"name":…,"type":…,"pg_type":…},…].
  static void append_columns(const std::vector<PlanColumn>& columns, std::string& out);
  // Appends the selected rows [first, first + count) of the chunk; a comma before each but the first row of all.
  void append(const DataChunk& chunk, uint32_t first, uint32_t count, std::string& out);

 private:
  struct Column;
  using AppendFunction = void (*)(const Column& column, uint32_t row, std::string& out);
  struct Column {
    SqlType type;
    AppendFunction append = nullptr;
    Vector vector;  // flat, of the current chunk
    uint32_t element_size = 0;
    bool is_quoted = false;
  };
  static AppendFunction append_function(SqlType type);

  std::vector<Column> columns_;
  bool any_ = false;
};

}  // namespace idem
