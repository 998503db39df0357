#pragma once

#include <cstdint>
#include <string_view>

namespace idem {

// How one vector is encoded: its first byte in the file (docs/format/segment.md, "Vector").
enum class Codec : uint8_t {
  kConstant = 0,
  kPacked = 1,
  kDelta = 2,
  kDeltaDelta = 3,
  kRunLength = 4,
  kAlp = 5,
  kAlpRd = 6,
  kPlain = 7,
  kLz4 = 8,
  kDictionary = 9,
  kDecimal = 10,
  kInterval = 11,
  kAllNull = 12,
};
inline constexpr uint8_t kCodecCount = 13;

// Numbers packed at once by the kernels; a vector is two units.
inline constexpr uint32_t kCodecUnit = 1024;

// Decoders trust nothing that they read: what cannot be is SqlError XX001 with this text. Whoever reads the
// file adds its name and the offset.
[[noreturn]] void throw_damaged_encoding(std::string_view why);

}  // namespace idem
