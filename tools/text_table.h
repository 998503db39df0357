#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace idem::tools {

// Rows of text to be shown aligned or as CSV.
class TextTable {
 public:
  using Cell = std::optional<std::string>;  // nullopt: NULL

  void add_column(std::string name, bool align_right = false);
  void add_row(std::vector<Cell> cells);
  size_t row_count() const { return rows_.size(); }

  // Columns side by side under their names, with a line "(n rows)". NULL is empty, line breaks and other control characters
  // are shown as escapes.
  std::string aligned() const;
  // As COPY … CSV HEADER writes it: NULL is nothing, an empty string is "".
  std::string csv() const;

 private:
  struct Column {
    std::string name;
    bool align_right;
  };
  std::vector<Column> columns_;
  std::vector<std::vector<Cell>> rows_;
};

// 1234567 → "1,234,567".
std::string with_thousands(uint64_t number);
// 1536 → "1.5 KiB".
std::string readable_bytes(uint64_t bytes);

}  // namespace idem::tools
