#pragma once

#include <string_view>

// Functions that the binder calls for syntax that is neither a function call nor an operator. The function library has them under these
// names, resolved by resolve_function() like all others. Other syntax goes to PostgreSQL's own functions: LIKE … ESCAPE to
// like_escape(pattern, escape), SIMILAR TO to similar_to_escape(pattern[, escape]), AT TIME ZONE to timezone(zone, x), EXTRACT to
// extract(field, x), GREATEST and LEAST to greatest(…) and least(…) with all arguments of one type.
namespace idem::internal_functions {

inline constexpr std::string_view kArrayConstruct = "array_construct";  // ARRAY[a, b]: arguments of one type, result its array; not strict
inline constexpr std::string_view kArraySubscript = "array_subscript";  // (anyarray, integer) → element; NULL beyond the bounds
inline constexpr std::string_view kArraySlice = "array_slice";          // (anyarray, integer, integer): NULL bounds are open; not strict
inline constexpr std::string_view kRowConstruct = "row_construct";      // ROW(a, b) as a value: any arguments, result kRecord; not strict

}  // namespace idem::internal_functions
