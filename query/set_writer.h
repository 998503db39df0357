#pragma once

#include <cstring>
#include <functional>
#include <vector>

#include "query/function.h"

namespace idem {

// A set-returning function of a NULL returns no row, as a strict function of PostgreSQL.
bool any_null(const std::vector<Value>& arguments);

// Collects the rows of a table function and hands them on in chunks. Values of one row are set in any order;
// what is not set is NULL.
class SetWriter {
 public:
  SetWriter(std::vector<SqlType> types, const std::function<void(DataChunk&)>& emit);

  template <class T>
  void set(size_t column, const T& value) {
    std::memcpy(place(column), &value, sizeof value);
  }
  void set_text(size_t column, std::string_view text);
  // `element` in the layout of the column's physical type; characters are copied.
  void set_element(size_t column, const void* element);
  void next_row();
  // After the last row.
  void finish();

 private:
  void begin();
  char* place(size_t column);

  std::vector<SqlType> types_;
  const std::function<void(DataChunk&)>& emit_;
  DataChunk chunk_;
  std::vector<char*> elements_;
  std::vector<std::vector<uint64_t>> valid_;
  uint32_t rows_ = 0;
};

}  // namespace idem
