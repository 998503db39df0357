#pragma once

#include <string_view>

#include "query/function.h"

namespace idem {

// `left op ANY (array)` and `left op ALL (array)` are calls of any_of and all_of with three arguments: the
// operator's symbol as a constant of type TEXT, the left side, the array. resolve_array_quantifier() finds
// the operator for the element type (an untyped literal on either side takes the other's type) and says to
// what the children must be cast: left to types.arguments[1], the array to types.arguments[2]. The result is
// BOOLEAN with PostgreSQL's NULL rules.
//
// Throws 42809 `op ANY/ALL (array) requires array on right side`, 42809 `… requires operator to yield
// boolean`, 42883.
ResolvedCall resolve_array_quantifier(std::string_view symbol, SqlType left, SqlType array, bool all);

// Array constructors and subscripts are ordinary functions, polymorphic in the element type:
//   ARRAY[a, b, …]   array_constructor(a, b, …), children cast to common_type() by the binder; ARRAY[]::t[]
//   is a constant a[i]             array_subscript(a, i): NULL outside; also of int2vector (from 0)
//   a[low:high]      array_slice(a, low, high): a NULL constant of INTEGER stands for a missing bound

}  // namespace idem
