#pragma once

#include <string>

#include "common/array_value.h"
#include "query/function.h"

namespace idem {

// One element of any type, in the layout of its physical type.
struct ElementBuffer {
  alignas(16) char bytes[32];
};

// Elements [begin, end) of an array as a vector of `type`; characters point into the array's bytes.
Vector element_vector(const ArrayView& array, SqlType type, uint32_t begin, uint32_t end);
// A constant vector of one element.
Vector element_constant(const ArrayView& array, SqlType type, uint32_t index);
// Equality as `=` means it; of elements of one type.
bool elements_equal(SqlType type, const void* a, const void* b);

// The element type of T[] and of int2vector; kUnknown for other types.
TypeId element_type(SqlType array);
// The type of array that takes elements of both: names and varchars meet as text. kUnknown if there is none.
TypeId shared_element_type(TypeId a, TypeId b);
// What an element of this type is stored as in an array: SYMBOL as VARCHAR, an untyped literal as TEXT.
TypeId stored_element_type(SqlType element);

}  // namespace idem
