#pragma once

#include <numbers>

#include "common/error.h"

namespace idem {

inline constexpr double kDegree = std::numbers::pi / 180;

// What an arc sine or cosine is taken of. Throws 22003 if it is none.
inline double check_unit(double x) {
  if (x < -1 || 1 < x) throw SqlError(sqlstate::kNumericValueOutOfRange, "input is out of range");
  return x;
}

}  // namespace idem
