#pragma once

#include <cstdint>
#include <string_view>

#include "common/decimal.h"
#include "common/interval.h"
#include "common/sql_type.h"
#include "common/uuid.h"

namespace idem {

// Calls fn with a null pointer to the C++ type of the elements of vectors: `fn` reads the type from its argument.
template <class F>
void with_element_type(PhysicalType type, F&& fn) {
  switch (type) {
    case PhysicalType::kBool: return fn(static_cast<uint8_t*>(nullptr));
    case PhysicalType::kInt16: return fn(static_cast<int16_t*>(nullptr));
    case PhysicalType::kInt32: return fn(static_cast<int32_t*>(nullptr));
    case PhysicalType::kInt64: return fn(static_cast<int64_t*>(nullptr));
    case PhysicalType::kFloat: return fn(static_cast<float*>(nullptr));
    case PhysicalType::kDouble: return fn(static_cast<double*>(nullptr));
    case PhysicalType::kDecimal: return fn(static_cast<Decimal*>(nullptr));
    case PhysicalType::kInterval: return fn(static_cast<Interval*>(nullptr));
    case PhysicalType::kUuid: return fn(static_cast<Uuid*>(nullptr));
    case PhysicalType::kString: return fn(static_cast<std::string_view*>(nullptr));
  }
}

}  // namespace idem
