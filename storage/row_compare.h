#pragma once

#include <cstdint>

#include "storage/column_batch.h"
#include "storage/vector.h"

namespace idem {

// One column of some rows, for comparing rows of a batch with stored ones. Does not own what it points at.
struct ColumnView {
  const void* data = nullptr;
  const uint64_t* validity = nullptr;  // null: no NULLs
  PhysicalType physical = PhysicalType::kBool;
  TypeId type = TypeId::kBoolean;
  const SymbolDictionary* symbols = nullptr;  // of a SYMBOL column

  ColumnView() = default;
  explicit ColumnView(const BatchColumn& column);
  explicit ColumnView(const Vector& flat);  // kFlat or kDictionary

  bool is_null(uint32_t row) const { return validity && !((validity[row >> 6] >> (row & 63)) & 1); }
  template <class T>
  const T& at(uint32_t row) const {
    return static_cast<const T*>(data)[row];
  }
};

// Both views of one column; symbols of one dictionary. In all of these NULL equals NULL.

// The same to the bit: -0 differs from 0, NaNs by their bits, 1.0 from 1.00.
bool identical(const ColumnView& a, uint32_t row_a, const ColumnView& b, uint32_t row_b);
// How many of the `count` pairs of rows from row_a and row_b on are identical before the first that is not.
uint32_t identical_prefix(const ColumnView& a, uint32_t row_a, const ColumnView& b, uint32_t row_b,
                          uint32_t count);

// As SQL compares: -0 equals 0, NaN equals NaN, 1.0 equals 1.00; arrays element by element, jsonb by value.
bool key_equal(const ColumnView& a, uint32_t row_a, const ColumnView& b, uint32_t row_b);
uint64_t key_hash(const ColumnView& column, uint32_t row);
// Order of upsert keys and of KEEP MIN and MAX: NaN above all numbers, symbols by their strings, NULL last.
int key_compare(const ColumnView& a, uint32_t row_a, const ColumnView& b, uint32_t row_b);

}  // namespace idem
