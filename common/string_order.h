#pragma once

#include <string_view>

#include "common/sql_type.h"

namespace idem {

// Values of PhysicalType::kString are mostly texts, which are equal when their bytes are, and ordered by them. CHAR(n),
// JSONB, arrays and records have an order and an equality of their own.
bool compares_by_bytes(TypeId type);

// Three-way, in PostgreSQL's order of the type.
int compare_strings(TypeId type, std::string_view a, std::string_view b);

// Spaces at the end of a CHAR(n) do not count.
std::string_view without_padding(std::string_view text);

}  // namespace idem
