#include "query/number_kernels.h"

#include <cstring>
#include <string_view>

namespace idem {

namespace {

#define IDEM_INLINE [[gnu::always_inline]] inline

constexpr uint32_t kLanes = 8;

IDEM_INLINE double sum_body(const double* values, uint32_t count) {
  double lanes[kLanes] = {};
  uint32_t i = 0;
  for (; i + kLanes <= count; i += kLanes) {
    for (uint32_t k = 0; k < kLanes; ++k) lanes[k] += values[i + k];
  }
  double rest = 0;
  for (; i < count; ++i) rest += values[i];
  return ((lanes[0] + lanes[4]) + (lanes[2] + lanes[6])) + ((lanes[1] + lanes[5]) + (lanes[3] + lanes[7])) +
         rest;
}

using Lanes [[gnu::vector_size(kLanes * sizeof(double))]] = double;
using Masks [[gnu::vector_size(kLanes * sizeof(double))]] = int64_t;

IDEM_INLINE void load(const double* from, Lanes* lanes) { std::memcpy(lanes, from, sizeof *lanes); }

// Four times as many lanes as a sum has: the order of values does not matter here.
template <bool kMax>
IDEM_INLINE bool extreme_body(const double* values, uint32_t count, double* result) {
  constexpr uint32_t kParts = 4;
  Lanes best[kParts];
  Masks nans[kParts] = {};
  for (Lanes& part : best) part = values[0] - Lanes{};
  uint32_t i = 0;
  for (; i + kParts * kLanes <= count; i += kParts * kLanes) {
    for (uint32_t p = 0; p < kParts; ++p) {
      Lanes v;
      load(values + i + p * kLanes, &v);
      best[p] = kMax ? (v > best[p] ? v : best[p]) : (v < best[p] ? v : best[p]);
      nans[p] |= v != v;
    }
  }
  double extreme = values[0];
  bool any_nan = extreme != extreme;
  const auto take = [&](double v) {
    extreme = kMax ? (v > extreme ? v : extreme) : (v < extreme ? v : extreme);
    any_nan |= v != v;
  };
  for (uint32_t p = 0; p < kParts; ++p) {
    for (uint32_t k = 0; k < kLanes; ++k) {
      take(best[p][k]);
      any_nan |= nans[p][k] != 0;
    }
  }
  for (; i < count; ++i) take(values[i]);
  *result = extreme;
  return !any_nan;
}

#define IDEM_DEFINE_KERNELS(SET, TARGET)                                                               \
  struct SET {                                                                                         \
    TARGET static double sum(const double* values, uint32_t count) { return sum_body(values, count); } \
    TARGET static bool min(const double* values, uint32_t count, double* result) {                     \
      return extreme_body<false>(values, count, result);                                               \
    }                                                                                                  \
    TARGET static bool max(const double* values, uint32_t count, double* result) {                     \
      return extreme_body<true>(values, count, result);                                                \
    }                                                                                                  \
    static constexpr NumberKernels kKernels = {&sum, &min, &max};                                      \
  };

IDEM_DEFINE_KERNELS(Baseline, )
#if defined(__x86_64__)
IDEM_DEFINE_KERNELS(Avx2, [[gnu::target("avx2")]])
IDEM_DEFINE_KERNELS(Avx512, [[gnu::target("avx512f,avx512dq,avx512bw,avx512vl")]])
#endif

}  // namespace

const NumberKernels* number_kernels_named(const char* instruction_set) {
  const std::string_view name = instruction_set;
  if (name == "baseline") return &Baseline::kKernels;
#if defined(__x86_64__)
  if (name == "avx2" && __builtin_cpu_supports("avx2")) return &Avx2::kKernels;
  if (name == "avx512" && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") &&
      __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl"))
    return &Avx512::kKernels;
#endif
  return nullptr;
}

const NumberKernels& number_kernels() {
  static const NumberKernels* const best = [] {
    for (const char* name : {"avx512", "avx2"}) {
      if (const NumberKernels* kernels = number_kernels_named(name)) return kernels;
    }
    return &Baseline::kKernels;
  }();
  return *best;
}

}  // namespace idem
