#include "storage/codec_kernels.h"

#include <bit>
#include <cstring>
#include <string_view>
#include <utility>

namespace idem {

namespace {

// Each kernel is written once as an always-inlined body; the functions of an instruction set inline it and
// are vectorized for that set.
#define IDEM_INLINE [[gnu::always_inline]] inline

// A word at any address.
template <class T>
IDEM_INLINE T load_word(const uint8_t* from) {
  T word;
  std::memcpy(&word, from, sizeof word);
  return word;
}

// Number kRow of a lane, whose words are kLanes words apart.
template <class T, int kWidth, int kRow, int kLanes>
IDEM_INLINE T lane_number(const uint8_t* lane) {
  constexpr int kBits = sizeof(T) * 8, kStride = kLanes * static_cast<int>(sizeof(T));
  constexpr int kBit = kWidth * kRow;
  constexpr int kWord = kBit / kBits, kShift = kBit % kBits;
  constexpr T kMask = kWidth == kBits ? ~T{0} : (T{1} << (kWidth % kBits)) - 1;
  T number = load_word<T>(lane + kWord * kStride) >> kShift;
  if constexpr (kShift + kWidth > kBits) {
    number |= load_word<T>(lane + (kWord + 1) * kStride) << (kBits - kShift);
  }
  return number & kMask;
}

template <class T, int kWidth, int... kRows>
IDEM_INLINE void unpack_lanes(const uint8_t* __restrict packed, T* __restrict out,
                              std::integer_sequence<int, kRows...>) {
  constexpr int kLanes = 1024 / static_cast<int>(sizeof(T) * 8);
  for (int lane = 0; lane < kLanes; ++lane) {
    ((out[kRows * kLanes + lane] = lane_number<T, kWidth, kRows, kLanes>(packed + lane * sizeof(T))), ...);
  }
}

template <int kWidth>
IDEM_INLINE void unpack32_body(const uint8_t* packed, uint32_t* out) {
  if constexpr (kWidth == 0) {
    std::memset(out, 0, 1024 * sizeof(uint32_t));
  } else {
    unpack_lanes<uint32_t, kWidth>(packed, out, std::make_integer_sequence<int, 32>());
  }
}

template <int kWidth>
IDEM_INLINE void unpack64_body(const uint8_t* packed, uint64_t* out) {
  unpack_lanes<uint64_t, kWidth>(packed, out, std::make_integer_sequence<int, 64>());
}

template <class In, class Out>
IDEM_INLINE void scale_body(const In* __restrict in, uint32_t count, Out base, Out divisor,
                            Out* __restrict out) {
  if (divisor == 1) {
    for (uint32_t i = 0; i < count; ++i) out[i] = base + in[i];
  } else if (sizeof(In) == 4 && (divisor >> 16 >> 16) == 0) {
    const auto small = static_cast<uint32_t>(divisor);
    for (uint32_t i = 0; i < count; ++i) out[i] = base + static_cast<Out>(in[i]) * small;
  } else {
    for (uint32_t i = 0; i < count; ++i) out[i] = base + in[i] * divisor;
  }
}

// Integers below 2^51 become doubles by an addition to the bits of 1.5 * 2^52, without a conversion
// instruction, which exists for vectors only in AVX-512.
template <class In, class Out>
IDEM_INLINE void alp_body(const In* __restrict in, uint32_t count, uint64_t base, double factor,
                          double fraction, Out* __restrict out) {
  const uint64_t bits = base + std::bit_cast<uint64_t>(kRoundingMagic);
  for (uint32_t i = 0; i < count; ++i) {
    const double number = std::bit_cast<double>(bits + in[i]) - kRoundingMagic;
    out[i] = static_cast<Out>(number * factor * fraction);
  }
}

#define IDEM_DEFINE_KERNELS(SET, TARGET)                                                                \
  struct SET {                                                                                          \
    template <int kWidth>                                                                               \
    TARGET static void unpack32(const uint8_t* packed, uint32_t* out) {                                 \
      unpack32_body<kWidth>(packed, out);                                                               \
    }                                                                                                   \
    template <int kWidth>                                                                               \
    TARGET static void unpack64(const uint8_t* packed, uint64_t* out) {                                 \
      unpack64_body<kWidth>(packed, out);                                                               \
    }                                                                                                   \
    template <class In, class Out>                                                                      \
    TARGET static void scale(const In* in, uint32_t count, Out base, Out divisor, Out* out) {           \
      scale_body<In, Out>(in, count, base, divisor, out);                                               \
    }                                                                                                   \
    template <class In, class Out>                                                                      \
    TARGET static void alp(const In* in, uint32_t count, uint64_t base, double factor, double fraction, \
                           Out* out) {                                                                  \
      alp_body<In, Out>(in, count, base, factor, fraction, out);                                        \
    }                                                                                                   \
  };

IDEM_DEFINE_KERNELS(Baseline, )
#if defined(__x86_64__)
IDEM_DEFINE_KERNELS(Avx2, [[gnu::target("avx2,bmi2")]])
IDEM_DEFINE_KERNELS(Avx512, [[gnu::target("avx512f,avx512dq,avx512bw,avx512vl,bmi2")]])
#endif

template <class Set, int... kNarrow, int... kWide>
constexpr CodecKernels make_kernels(std::integer_sequence<int, kNarrow...>,
                                    std::integer_sequence<int, kWide...>) {
  CodecKernels kernels{};
  ((kernels.unpack32[kNarrow] = &Set::template unpack32<kNarrow>), ...);
  ((kernels.unpack64[33 + kWide] = &Set::template unpack64<33 + kWide>), ...);
  kernels.scale_u32_to_32 = &Set::template scale<uint32_t, uint32_t>;
  kernels.scale_u32_to_64 = &Set::template scale<uint32_t, uint64_t>;
  kernels.scale_u64_to_64 = &Set::template scale<uint64_t, uint64_t>;
  kernels.alp_u32_to_double = &Set::template alp<uint32_t, double>;
  kernels.alp_u64_to_double = &Set::template alp<uint64_t, double>;
  kernels.alp_u32_to_float = &Set::template alp<uint32_t, float>;
  kernels.alp_u64_to_float = &Set::template alp<uint64_t, float>;
  return kernels;
}

template <class Set>
constexpr CodecKernels kKernels = make_kernels<Set>(std::make_integer_sequence<int, 33>(),
                                                    std::make_integer_sequence<int, 32>());

bool has_avx2() {
#if defined(__x86_64__)
  return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi2");
#else
  return false;
#endif
}

bool has_avx512() {
#if defined(__x86_64__)
  return has_avx2() && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") &&
         __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl");
#else
  return false;
#endif
}

}  // namespace

const CodecKernels* codec_kernels_named(const char* instruction_set) {
  const std::string_view name = instruction_set;
  if (name == "baseline") return &kKernels<Baseline>;
#if defined(__x86_64__)
  if (name == "avx2" && has_avx2()) return &kKernels<Avx2>;
  if (name == "avx512" && has_avx512()) return &kKernels<Avx512>;
#endif
  return nullptr;
}

const CodecKernels& codec_kernels() {
  static const CodecKernels& chosen = []() -> const CodecKernels& {
    for (const char* name : {"avx512", "avx2"}) {
      if (const CodecKernels* kernels = codec_kernels_named(name)) return *kernels;
    }
    return *codec_kernels_named("baseline");
  }();
  return chosen;
}

}  // namespace idem
