#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "common/sql_type.h"

namespace idem {

// A composite value as bytes: what vectors keep for RECORD. It says the types of its fields itself, so that
// it can be shown and compared by whoever meets it; names are known to the binder alone.
//
//   offset  bytes
//   0       4        field count n
//   4       8 * n    of each field: TypeId, TypeId of an array's elements, 1 if it is NULL, a zero, and the
//                    end of its value (4 bytes), relative to the first value
//   …                values in the layout of their PhysicalType; of strings the characters
//
// Numbers are in the machine's order (little-endian), unaligned. SYMBOL has no place here: the strings do.
class RecordBuilder {
 public:
  // `element` points at a value in the layout of the type's PhysicalType; null: NULL. Characters are copied.
  void append(SqlType type, const void* element);
  void clear();
  void append_to(std::string& out) const;

 private:
  struct Field {
    SqlType type;
    bool is_null = false;
    uint32_t end = 0;
  };
  std::vector<Field> fields_;
  std::string values_;
};

// Reads such bytes in place; the bytes must outlive it. Throws XX001 if they are not a record.
class RecordView {
 public:
  explicit RecordView(std::string_view bytes);

  uint32_t size() const { return size_; }
  SqlType type(uint32_t field) const;  // without modifier
  bool is_null(uint32_t field) const { return head(field)[2] != 0; }
  // Copies a field that is not NULL to `out`, in the layout of its PhysicalType; strings as a view into the
  // record's bytes.
  void element_at(uint32_t field, void* out) const;

 private:
  const char* head(uint32_t field) const { return heads_ + 8 * static_cast<size_t>(field); }
  uint32_t end_of(uint32_t field) const;

  uint32_t size_ = 0;
  const char* heads_ = nullptr;
  const char* values_ = nullptr;
};

// PostgreSQL's order of records: field by field, NULL above values and equal to NULL. Throws 42804 when the
// fields differ in number or type.
int compare_records(std::string_view a, std::string_view b);

}  // namespace idem
