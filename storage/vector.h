#pragma once

#include <array>
#include <cstdint>
#include <cstring>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "common/sql_type.h"
#include "storage/value.h"

namespace idem {

// Rows in a vector: the unit of encoding, decoding and execution.
inline constexpr uint32_t kVectorSize = 2048;

class SymbolDictionary;

// Memory behind one or more vectors: element storage, validity words and copied strings. Shared, so that
// a vector may be passed on without copying; whoever holds the only reference may reuse it.
class VectorBuffer;

// Up to 2,048 values of one type.
//
//   form        data points at                              used for
//   kFlat       size elements of the physical type          most vectors
//   kConstant   one element; validity has one bit           literals, partition-wide values
//   kSequence   nothing: value i is start + i * step        row positions, evenly spaced timestamps (kInt64 only)
//   kDictionary size int32 codes into `dictionary`          every SYMBOL that is not constant
//
// A constant SYMBOL is a code in kConstant form with `dictionary` set. A NULL row has its validity bit clear; the data
// under it is zero (codes: -1) so that kernels may compute it blindly. `validity` null means no NULLs.
// Data may point into a row group: `owners` keep it alive. Copying a Vector copies references, never values.
struct Vector {
  enum class Form : uint8_t { kFlat, kConstant, kSequence, kDictionary };

  SqlType type;
  Form form = Form::kFlat;
  const void* data = nullptr;
  const uint64_t* validity = nullptr;
  int64_t sequence_start = 0, sequence_step = 0;
  const SymbolDictionary* dictionary = nullptr;
  std::shared_ptr<VectorBuffer> buffer;  // written by the operator that made the vector
  std::shared_ptr<const void> owner;     // a row group, decoded block or dictionary that `data` points into
  std::shared_ptr<const void> string_owner;  // memory of the characters, where it differs from both

  template <class T>
  const T* values() const {
    return static_cast<const T*>(data);
  }
  bool is_constant() const { return form == Form::kConstant; }
  bool may_have_nulls() const { return validity != nullptr; }
  bool is_valid(uint32_t row) const {
    if (!validity) return true;
    if (form == Form::kConstant) row = 0;
    return (validity[row >> 6] >> (row & 63)) & 1;
  }

  // Makes a flat vector (kDictionary for SYMBOL) with room for `capacity` elements in a buffer of its own and returns the writable
  // elements, zeroed only where a validity mask is asked for later. Reuses the buffer if nobody else holds it.
  void* allocate(SqlType new_type, uint32_t capacity = kVectorSize);
  template <class T>
  T* allocate_as(SqlType new_type, uint32_t capacity = kVectorSize) {
    return static_cast<T*>(allocate(new_type, capacity));
  }
  // Writable validity words for `capacity` rows, all set; valid until the next allocate().
  uint64_t* allocate_validity(uint32_t capacity = kVectorSize);
  // Copies characters into this vector's buffer; the view lives as long as the buffer.
  std::string_view store_string(std::string_view text);
  char* store_string_space(size_t bytes);  // uninitialised characters in the buffer

  static Vector constant(const Value& value);  // of a SYMBOL value: a constant VARCHAR
  static Vector constant_null(SqlType type);
  static Vector sequence(SqlType type, int64_t start, int64_t step);

  // The value at a row; slow, for results of one row, messages and tests.
  Value value_at(uint32_t row) const;
};

// Which rows of a chunk count: all of [0, size) or a sorted list of positions.
struct Selection {
  const uint16_t* rows = nullptr;  // null: all rows 0..count-1
  uint32_t count = 0;
  uint32_t operator[](uint32_t i) const { return rows ? rows[i] : i; }
  bool is_all() const { return rows == nullptr; }
};

// Columns of the same rows. `selection` narrows them without copying; vectors stay aligned to [0, size).
struct DataChunk {
  uint32_t size = 0;
  std::vector<Vector> columns;
  Selection selection{nullptr, 0};  // selection.count == size when all rows count
  std::shared_ptr<std::array<uint16_t, kVectorSize>>
      selection_storage;  // owner of selection.rows, where there is one

  uint32_t count() const { return selection.count; }
  void set_size(uint32_t rows) {
    size = rows;
    selection = {nullptr, rows};
    selection_storage.reset();
  }
};

// A flat vector with the same values at the selected rows (others undefined): sequences and constants are written out, and
// symbols become std::string_view of VARCHAR when `decode_symbols`. Returns the input unchanged where it is flat already.
Vector flatten(const Vector& input, uint32_t size, Selection selection, bool decode_symbols);
// The selected rows of `input`, dense from 0. Characters are shared, not copied.
Vector compact(const Vector& input, Selection selection);

}  // namespace idem
