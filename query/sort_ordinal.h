#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <string_view>

#include "common/sql_type.h"
#include "common/string_order.h"

namespace idem {

// The first bytes of a string as a number; shorter strings are filled up with zeros.
inline uint64_t string_prefix(std::string_view text) {
  uint64_t prefix = 0;
  if (text.empty()) return prefix;  // may have no data
  std::memcpy(&prefix, text.data(), std::min<size_t>(text.size(), 8));
  return __builtin_bswap64(prefix);
}

// Whether values of a type have numbers in their order, and whether equal numbers mean equal values.
enum class Ordinal : uint8_t { kNone, kApproximate, kExact };
inline Ordinal ordinal_of(SqlType type) {
  switch (physical_type(type)) {
    case PhysicalType::kString: return compares_by_bytes(type.id) ? Ordinal::kApproximate : Ordinal::kNone;
    case PhysicalType::kDecimal:
    case PhysicalType::kInterval:
    case PhysicalType::kUuid: return Ordinal::kNone;
    default: return Ordinal::kExact;
  }
}

}  // namespace idem
