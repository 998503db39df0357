#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <string_view>

#include "common/sql_type.h"

namespace idem {

// The first bytes of a string as a number; shorter strings are filled up with zeros.
inline uint64_t string_prefix(std::string_view text) {
  uint64_t prefix = 0;
  std::memcpy(&prefix, text.data(), std::min<size_t>(text.size(), 8));
  return __builtin_bswap64(prefix);
}

// Whether values of a type have numbers in their order, and whether equal numbers mean equal values.
enum class Ordinal : uint8_t { kNone, kApproximate, kExact };
inline Ordinal ordinal_of(SqlType type) {
  switch (physical_type(type)) {
    case PhysicalType::kString:
      if (type.id == TypeId::kArray || type.id == TypeId::kInt2Vector || type.id == TypeId::kChar ||
          type.id == TypeId::kRecord)
        return Ordinal::kNone;
      return Ordinal::kApproximate;
    case PhysicalType::kDecimal:
    case PhysicalType::kInterval:
    case PhysicalType::kUuid: return Ordinal::kNone;
    default: return Ordinal::kExact;
  }
}

}  // namespace idem
