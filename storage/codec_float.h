#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "common/byte_io.h"
#include "storage/codec.h"

namespace idem {

// ALP's pair: value = integer * 10^factor * 10^-exponent.
struct AlpPair {
  uint8_t exponent = 0, factor = 0;
  bool operator==(const AlpPair&) const = default;
};

// Encodes the vectors of one row group's column of doubles or floats: ALP where the values are decimals,
// ALP-RD where they use all their digits but share their upper bits, run-length over bit patterns, or plain.
// Every bit pattern comes back as it was. T is float or double.
template <class T>
class FloatEncoder {
 public:
  // Looks at a sample of the row group's vectors (no NULLs among the values).
  explicit FloatEncoder(const std::vector<std::span<const T>>& sample);

  // The codec is returned, the payload appended.
  Codec encode(const T* values, uint32_t count, std::string* payload) const;

 private:
  using Bits = std::conditional_t<sizeof(T) == 8, uint64_t, uint32_t>;

  void choose_pairs(const std::vector<std::span<const T>>& sample);
  void choose_split(const std::vector<std::span<const T>>& sample);
  AlpPair best_pair(const T* values, uint32_t count) const;
  void encode_alp(const T* values, uint32_t count, std::string* out) const;
  void encode_rd(const T* values, uint32_t count, std::string* out) const;

  std::vector<AlpPair> pairs_;         // candidates, most frequent first
  double alp_bits_ = 0, rd_bits_ = 0;  // estimated, for each value
  uint8_t right_bits_ = 0;
  std::vector<uint16_t> left_parts_;
};

// Reads a payload of kAlp, kAlpRd, kRunLength or kPlain. Throws XX001.
template <class T>
void decode_floats(Codec codec, ByteReader& in, uint32_t count, T* out);

}  // namespace idem
