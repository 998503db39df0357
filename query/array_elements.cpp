#include "query/array_elements.h"

#include <cstring>

namespace idem {

Vector element_vector(const ArrayView& array, SqlType type, uint32_t begin, uint32_t end) {
  Vector out;
  const size_t width = physical_size(physical_type(type));
  auto* elements = static_cast<char*>(out.allocate(type, end - begin));
  uint64_t* words = nullptr;
  for (uint32_t i = begin; i < end; ++i) {
    if (array.is_null(i)) {
      if (words == nullptr) words = out.allocate_validity(end - begin);
      words[(i - begin) >> 6] &= ~(uint64_t{1} << ((i - begin) & 63));
      std::memset(elements + width * (i - begin), 0, width);
    } else {
      array.element_at(i, elements + width * (i - begin));
    }
  }
  return out;
}

Vector element_constant(const ArrayView& array, SqlType type, uint32_t index) {
  Vector out = element_vector(array, type, index, index + 1);
  out.form = Vector::Form::kConstant;
  return out;
}

bool elements_equal(SqlType type, const void* a, const void* b) {
  return compare_elements(type.id, a, b) == 0;
}

TypeId element_type(SqlType array) {
  if (array.id == TypeId::kInt2Vector) return TypeId::kSmallInt;
  return array.id == TypeId::kArray ? array.element : TypeId::kUnknown;
}

TypeId shared_element_type(TypeId a, TypeId b) {
  if (a == b) return a;
  if (a == TypeId::kUnknown) return b;
  if (b == TypeId::kUnknown) return a;
  const auto is_text = [](TypeId id) { return is_string_like(id) && id != TypeId::kChar; };
  if (is_text(a) && is_text(b)) return TypeId::kText;
  if (can_cast(SqlType(b), SqlType(a), CastContext::kImplicit)) return a;
  if (can_cast(SqlType(a), SqlType(b), CastContext::kImplicit)) return b;
  return TypeId::kUnknown;
}

TypeId stored_element_type(SqlType element) {
  if (element.id == TypeId::kSymbol) return TypeId::kVarchar;
  return element.id == TypeId::kUnknown ? TypeId::kText : element.id;
}

}  // namespace idem
