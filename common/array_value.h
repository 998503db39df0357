#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "common/sql_type.h"

namespace idem {

// A one-dimensional array as bytes: what vectors and row groups keep for a value of T[].
//
//   offset  bytes
//   0       4            element count
//   4       1            element TypeId
//   5       1            1 if there is a null bitmap
//   6       2            zero
//   8       (n+7)/8      bit i set: element i is NULL (only if some is)
//   …       n * size     elements of fixed physical size, NULLs zero; or
//   …       n * 4        ends of the strings, relative to the first, then their bytes
//
// Numbers are in the machine's order (little-endian), unaligned. Equal arrays of integers and strings are
// equal bytes.
class ArrayBuilder {
 public:
  explicit ArrayBuilder(TypeId element);

  TypeId element() const { return element_; }
  size_t size() const { return nulls_.size(); }
  // `element` points at a value in the layout of the element's PhysicalType; characters are copied.
  void append(const void* element);
  void append_string(std::string_view text);  // elements of PhysicalType::kString
  void append_null();
  void clear();
  std::string finish() const;
  void append_to(std::string& out) const;

 private:
  TypeId element_;
  uint32_t element_size_;  // 0: strings
  std::vector<bool> nulls_;
  bool has_nulls_ = false;
  std::string data_;
  std::vector<uint32_t> ends_;
};

// Reads such bytes in place; the bytes must outlive it. Throws XX001 if they are not an array.
class ArrayView {
 public:
  explicit ArrayView(std::string_view bytes);

  TypeId element() const { return element_; }
  uint32_t size() const { return size_; }
  bool is_null(uint32_t i) const {
    return nulls_ != nullptr && ((static_cast<uint8_t>(nulls_[i >> 3]) >> (i & 7)) & 1) != 0;
  }
  std::string_view string_at(uint32_t i) const;
  // Copies element i to `out`, in the layout of its PhysicalType; strings as a view into the array's bytes.
  void element_at(uint32_t i, void* out) const;

 private:
  TypeId element_;
  uint32_t size_ = 0;
  uint32_t element_size_ = 0;  // 0: strings
  const char* nulls_ = nullptr;
  const char* values_ = nullptr;
  const char* characters_ = nullptr;
};

// Three-way comparison of two values in the layout of `type`, as PostgreSQL's default B-tree order (NaN above
// all). Strings by bytes.
int compare_elements(TypeId type, const void* a, const void* b);
// Element by element, NULL above values; then by length.
int compare_arrays(std::string_view a, std::string_view b);

// The items of `{1,NULL,"a b"}`: unescaped texts, nullopt for NULL. Throws 22P02 `malformed array literal:
// "…"`, 0A000 for more than one dimension.
std::vector<std::optional<std::string>> split_array_text(std::string_view text);
// Appends one item of an array literal, in quotes where PostgreSQL needs them.
void append_array_item(std::string& out, std::string_view text);

}  // namespace idem
