#pragma once

#include <array>
#include <cstdint>

namespace idem {

// The hot loops of decoding, in the form that this processor runs best; chosen once. Plain C++ that the
// compiler vectorizes, compiled for several instruction sets.
struct CodecKernels {
  // Unpacks one unit of 1,024 numbers of the given width from 128 * width bytes at any alignment.
  using Unpack32 = void (*)(const uint8_t* packed, uint32_t* out);
  using Unpack64 = void (*)(const uint8_t* packed, uint64_t* out);
  std::array<Unpack32, 33> unpack32;  // by width, 0 to 32
  std::array<Unpack64, 65> unpack64;  // by width, 33 to 64; others null

  // out[i] = base + divisor * in[i]
  void (*scale_u32_to_32)(const uint32_t* in, uint32_t count, uint32_t base, uint32_t divisor, uint32_t* out);
  void (*scale_u32_to_64)(const uint32_t* in, uint32_t count, uint64_t base, uint64_t divisor, uint64_t* out);
  void (*scale_u64_to_64)(const uint64_t* in, uint32_t count, uint64_t base, uint64_t divisor, uint64_t* out);
  // out[i] = (double)(base + in[i]) * factor * fraction, for |base + in[i]| < 2^51
  void (*alp_u32_to_double)(const uint32_t* in, uint32_t count, uint64_t base, double factor, double fraction,
                            double* out);
  void (*alp_u64_to_double)(const uint64_t* in, uint32_t count, uint64_t base, double factor, double fraction,
                            double* out);
  void (*alp_u32_to_float)(const uint32_t* in, uint32_t count, uint64_t base, double factor, double fraction,
                           float* out);
  void (*alp_u64_to_float)(const uint64_t* in, uint32_t count, uint64_t base, double factor, double fraction,
                           float* out);
};

// 1.5 * 2^52: added to a double below 2^51 in magnitude it leaves the rounded integer in the low bits, and back.
inline constexpr double kRoundingMagic = 0x1.8p52;

const CodecKernels& codec_kernels();
// For tests: "baseline", "avx2", "avx512"; null where the processor does not have it.
const CodecKernels* codec_kernels_named(const char* instruction_set);

}  // namespace idem
