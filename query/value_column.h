#pragma once

#include "storage/vector.h"

namespace idem {

// Writes up to kVectorSize values of one type into a vector, one at a time: VALUES lists, results of one row.
class ValueColumn {
 public:
  explicit ValueColumn(SqlType type);  // SYMBOL becomes VARCHAR
  void append(const Value& value);
  uint32_t size() const { return size_; }
  // The values so far; the column starts again from nothing.
  Vector take();

 private:
  void begin();

  SqlType type_;
  PhysicalType physical_;
  Vector vector_;
  void* elements_ = nullptr;
  uint64_t* validity_ = nullptr;
  uint32_t size_ = 0;
};

}  // namespace idem
