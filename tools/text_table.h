#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace idem::tools {

// Rows of text to be shown aligned, as CSV or as JSON.
class TextTable {
 public:
  using Cell = std::optional<std::string>;  // nullopt: NULL
  // What the cells of a column are, as PostgreSQL writes them. Numbers are shown on the right.
  enum class Kind : uint8_t { kText, kNumber, kBoolean, kJson };

  void add_column(std::string name, Kind kind = Kind::kText);
  void add_row(std::vector<Cell> cells);
  size_t row_count() const { return rows_.size(); }
  const Cell& cell(size_t row, size_t column) const { return rows_[row][column]; }
  // The number in a cell, 0 if it is NULL.
  uint64_t number(size_t row, size_t column) const;

  // Columns side by side under their names, with a line "(n rows)". NULL is empty, line breaks and other control characters
  // are shown as escapes.
  std::string aligned() const;
  // As COPY … CSV HEADER writes it: NULL is nothing, an empty string is "".
  std::string csv() const;
  // A row as an object, its members called as the columns; all of them as an array of objects; the same, one a line.
  std::string json_row(size_t row) const;
  std::string json_array(std::string_view separator = ",") const;
  std::string json() const { return json_array(",\n ") + "\n"; }

 private:
  struct Column {
    std::string name;
    Kind kind;
  };
  std::vector<Column> columns_;
  std::vector<std::vector<Cell>> rows_;
};

// 1234567 → "1,234,567".
std::string with_thousands(uint64_t number);
// 1536 → "1.5 KiB".
std::string readable_bytes(uint64_t bytes);

}  // namespace idem::tools
