#pragma once

#include <memory>
#include <string_view>
#include <vector>

#include "common/string_arena.h"
#include "storage/schema.h"
#include "storage/vector.h"

namespace idem {

// One column of a batch: values in physical layout, contiguous, with strings in an arena of the batch. NULL rows have
// their validity bit clear and a zero value (code -1 for symbols).
//
// SYMBOL columns hold codes of the table's dictionary: append_string() interns through a small local cache,
// so that a repeated symbol costs one probe.
class BatchColumn {
 public:
  BatchColumn(SqlType type, std::shared_ptr<SymbolDictionary> dictionary);
  ~BatchColumn();
  BatchColumn(BatchColumn&&) noexcept;
  BatchColumn& operator=(BatchColumn&&) noexcept;

  SqlType type() const;
  uint32_t size() const;
  void reserve(uint32_t rows);

  void append_null();
  void append_raw(const void* element);  // an element of the physical type; not for strings and symbols
  template <class T>
  void append(T value) {
    append_raw(&value);
  }
  void append_string(std::string_view text);  // strings (copied into the arena) and symbols (interned)
  void append_value(const Value& value);      // already of the column's type (or a string for a symbol)
  void append_vector(const Vector& vector,
                     Selection selection);  // same type; symbols of another dictionary are mapped
  void append_from(const BatchColumn& other, const uint32_t* rows, size_t count);  // gather
  void append_range(const BatchColumn& other, uint32_t first, uint32_t count);  // rows that follow each other

  // Room for `count` more rows of a type of fixed size (codes for symbols), which the caller fills at once.
  void* append_space(uint32_t count);
  void set_null(uint32_t row);
  void truncate(uint32_t rows);

  const void* data() const;  // elements; int32 codes for symbols
  bool has_nulls() const;
  const uint64_t* validity() const;  // null when there are no NULLs
  bool is_null(uint32_t row) const;
  std::string_view string_at(uint32_t row) const;
  Vector slice(uint32_t first,
               uint32_t count) const;  // a view on rows [first, first + count); count <= kVectorSize
  size_t memory_bytes() const;
  const std::shared_ptr<SymbolDictionary>& dictionary() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// Rows on their way into a table: one BatchColumn for each column of the schema, in its order.
//
// Shape is that of `schema` at the time of building; Transaction maps it by column id if the table was altered since.
class ColumnBatch {
 public:
  explicit ColumnBatch(std::shared_ptr<const TableSchema> schema);
  const TableSchema& schema() const { return *schema_; }
  const std::shared_ptr<const TableSchema>& schema_ptr() const { return schema_; }
  uint32_t rows() const { return columns_.empty() ? 0 : columns_[0].size(); }
  BatchColumn& column(size_t i) { return columns_[i]; }
  const BatchColumn& column(size_t i) const { return columns_[i]; }
  size_t column_count() const { return columns_.size(); }
  size_t memory_bytes() const;
  void append_rows(const ColumnBatch& other, const uint32_t* rows, size_t count);
  void append_range(const ColumnBatch& other, uint32_t first, uint32_t count);
  void reserve(uint32_t rows);

 private:
  std::shared_ptr<const TableSchema> schema_;
  std::vector<BatchColumn> columns_;
};

}  // namespace idem
