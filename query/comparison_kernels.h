#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "storage/vector.h"

namespace idem {

// Comparison of vectors of one physical type, in PostgreSQL's order: NaN equals itself and is above all
// numbers, strings as string_order.h says. A SYMBOL dictionary vector may
// meet a constant string.
enum class Comparison : uint8_t { kEqual, kNotEqual, kLess, kLessEqual, kGreater, kGreaterEqual };

std::optional<Comparison> comparison_of(std::string_view symbol);
std::string_view comparison_symbol(Comparison comparison);
Comparison negated(Comparison comparison);   // a < b ⇄ a >= b
Comparison commuted(Comparison comparison);  // a < b ⇄ b > a

// Writes the positions of `in` at which neither side is NULL and the comparison holds; `out_rows` may be the
// memory of `in`.
uint32_t select_comparison(Comparison comparison, const Vector& left, const Vector& right, uint32_t size,
                           Selection in, uint16_t* out_rows);
// Bytes 0 and 1 at the selected rows; what NULL rows get is undefined.
void compare_vectors(Comparison comparison, const Vector& left, const Vector& right, uint32_t size,
                     Selection selection, uint8_t* out);
// Whether two values of one type are distinct (NULL equals NULL); bytes as above, defined for every selected
// row.
void compare_distinct(const Vector& left, const Vector& right, uint32_t size, Selection selection,
                      uint8_t* out);

// Writes the selected positions whose byte is 1.
uint32_t select_bytes(const uint8_t* bytes, Selection in, uint16_t* out_rows);

}  // namespace idem
