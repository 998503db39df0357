#pragma once

#include <bit>
#include <cassert>
#include <cmath>
#include <cstdint>
#include <limits>
#include <unordered_map>
#include <vector>

#include "storage/vector.h"

namespace idem {

// Key values as bits, such that equal keys, and only they, have equal bits: -0 is 0, every NaN alike.
inline uint64_t float_bits(float value) {
  if (value == 0) value = 0;
  if (std::isnan(value)) value = std::numeric_limits<float>::quiet_NaN();
  return std::bit_cast<uint32_t>(value);
}
inline uint64_t double_bits(double value) {
  if (value == 0) value = 0;
  if (std::isnan(value)) value = std::numeric_limits<double>::quiet_NaN();
  return std::bit_cast<uint64_t>(value);
}

template <class T, class F>
void for_selected(const Vector& vector, Selection selection, F&& fn) {
  const T* values = vector.values<T>();
  if (vector.is_constant()) {
    for (uint32_t i = 0; i < selection.count; ++i) fn(i, values[0]);
  } else if (selection.is_all()) {
    for (uint32_t i = 0; i < selection.count; ++i) fn(i, values[i]);
  } else {
    for (uint32_t i = 0; i < selection.count; ++i) fn(i, values[selection.rows[i]]);
  }
}

// fn(i, bits) with the value of the i-th selected row as an unsigned number.
template <class F>
void for_bits(const Vector& vector, Selection selection, F&& fn) {
  if (vector.form == Vector::Form::kSequence) {
    for (uint32_t i = 0; i < selection.count; ++i) {
      fn(i, static_cast<uint64_t>(vector.sequence_start + selection[i] * vector.sequence_step));
    }
    return;
  }
  switch (physical_type(vector.type)) {
    case PhysicalType::kBool: return for_selected<uint8_t>(vector, selection, fn);
    case PhysicalType::kInt16:
      return for_selected<uint16_t>(vector, selection, [&](uint32_t i, uint16_t v) { fn(i, uint64_t{v}); });
    case PhysicalType::kInt32:
      return for_selected<uint32_t>(vector, selection, [&](uint32_t i, uint32_t v) { fn(i, uint64_t{v}); });
    case PhysicalType::kInt64: return for_selected<uint64_t>(vector, selection, fn);
    case PhysicalType::kFloat:
      return for_selected<float>(vector, selection, [&](uint32_t i, float v) { fn(i, float_bits(v)); });
    case PhysicalType::kDouble:
      return for_selected<double>(vector, selection, [&](uint32_t i, double v) { fn(i, double_bits(v)); });
    default: assert(false);
  }
}

// Appends a value in the layout of its type, so that equal values of one type, and only they, give equal bytes: numerics
// without trailing zeros (in arrays, records and jsonb, too), CHAR without trailing blanks.
void append_element_key(std::vector<char>& out, SqlType type, const void* element);
// The same of a row, NULL or not; symbols as their characters.
void append_key_bytes(std::vector<char>& out, const Vector& vector, uint32_t row);

// Hashes of keys, for dividing rows among partitions: keys that a GroupTable finds equal have the same hash, whatever
// form their vectors come in. Used by one thread.
class KeyHasher {
 public:
  // hashes[i]: of the i-th selected row's keys.
  void hash(const Vector* keys, size_t key_count, Selection selection, uint64_t* hashes);

 private:
  // Of the codes of one dictionary; 0: not computed yet.
  std::unordered_map<const SymbolDictionary*, std::vector<uint64_t>> symbol_hashes_;
  std::vector<std::shared_ptr<const void>> owners_;
  std::vector<uint64_t> column_;
  std::vector<char> bytes_;
  uint64_t hash_symbol(const Vector& vector, std::vector<uint64_t>& known, int32_t code);
  void hash_column(const Vector& key, Selection selection);
};

}  // namespace idem
