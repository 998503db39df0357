#pragma once

#include <cstdint>

namespace idem {

// Folds over whole vectors of doubles without NULLs, in the form that this processor runs best; chosen once.
// All forms give the same bits.
struct NumberKernels {
  // Eight partial sums, of the values at i, i + 8, …, which are then added in a fixed order.
  double (*sum)(const double* values, uint32_t count);
  // False where a value is NaN, which needs PostgreSQL's order. count > 0.
  bool (*min)(const double* values, uint32_t count, double* result);
  bool (*max)(const double* values, uint32_t count, double* result);
};

const NumberKernels& number_kernels();
// For tests: "baseline", "avx2", "avx512"; null where the processor does not have it.
const NumberKernels* number_kernels_named(const char* instruction_set);

}  // namespace idem
