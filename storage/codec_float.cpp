#include "storage/codec_float.h"

#include <algorithm>
#include <bit>
#include <cassert>
#include <cmath>
#include <limits>
#include <map>

#include "storage/codec_integer.h"
#include "storage/codec_kernels.h"
#include "storage/codec_packed.h"

namespace idem {

namespace {

constexpr int kMaxExponent = 18;
constexpr uint32_t kSampleValues = 32;  // of each vector, to choose an exponent and a factor
constexpr size_t kMaxPairs = 5;
constexpr size_t kMaxLeftParts = 8;
constexpr double kIntegerLimit = 0x1p51;

constexpr std::array<double, kMaxExponent + 1> kPower = {
    1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18};
constexpr std::array<double, kMaxExponent + 1> kFraction = {1e0,   1e-1,  1e-2,  1e-3,  1e-4,  1e-5,  1e-6,
                                                            1e-7,  1e-8,  1e-9,  1e-10, 1e-11, 1e-12, 1e-13,
                                                            1e-14, 1e-15, 1e-16, 1e-17, 1e-18};

template <class T>
using BitsOf = std::conditional_t<sizeof(T) == 8, uint64_t, uint32_t>;

template <class T>
BitsOf<T> bits_of(T value) {
  return std::bit_cast<BitsOf<T>>(value);
}

// The integer of a value, if it gives the value back bit by bit.
template <class T>
bool to_integer(T value, AlpPair pair, int64_t* integer) {
  const double scaled = static_cast<double>(value) * kPower[pair.exponent] * kFraction[pair.factor];
  if (!(std::abs(scaled) < kIntegerLimit)) return false;
  const double rounded = scaled + kRoundingMagic - kRoundingMagic;
  *integer = static_cast<int64_t>(rounded);
  return bits_of(static_cast<T>(rounded * kPower[pair.factor] * kFraction[pair.exponent])) == bits_of(value);
}

// to_integer() of many values without branches, so that the compiler vectorizes it: where a value fits, the integer
// is in the low bits of the sum with the magic number.
template <class T>
void to_integers(const T* values, uint32_t count, AlpPair pair, int64_t* integers, uint8_t* fits) {
  const double up = kPower[pair.exponent], down = kFraction[pair.factor];
  const double back_up = kPower[pair.factor], back_down = kFraction[pair.exponent];
  for (uint32_t i = 0; i < count; ++i) {
    const double scaled = static_cast<double>(values[i]) * up * down;
    const double shifted = scaled + kRoundingMagic;
    integers[i] = std::bit_cast<int64_t>(shifted) - std::bit_cast<int64_t>(kRoundingMagic);
    const T back = static_cast<T>((shifted - kRoundingMagic) * back_up * back_down);
    fits[i] = static_cast<uint8_t>(int{std::abs(scaled) < kIntegerLimit} &
                                   int{bits_of(back) == bits_of(values[i])});
  }
}

// Bits that the values take with this pair, exceptions included.
template <class T>
size_t estimated_bits(std::span<const T> values, AlpPair pair) {
  int64_t min = std::numeric_limits<int64_t>::max(), max = std::numeric_limits<int64_t>::min();
  size_t exceptions = 0;
  for (const T value : values) {
    int64_t integer;
    if (!to_integer(value, pair, &integer)) {
      ++exceptions;
      continue;
    }
    min = std::min(min, integer);
    max = std::max(max, integer);
  }
  const auto range =
      exceptions == values.size() ? 0 : static_cast<uint64_t>(max) - static_cast<uint64_t>(min);
  return values.size() * static_cast<size_t>(std::bit_width(range)) + exceptions * (sizeof(T) * 8 + 16);
}

template <class T>
std::vector<T> every_nth(std::span<const T> values, uint32_t wanted) {
  const size_t step = std::max<size_t>(1, values.size() / wanted);
  std::vector<T> picked;
  for (size_t i = 0; i < values.size() && picked.size() < wanted; i += step) picked.push_back(values[i]);
  return picked;
}

}  // namespace

template <class T>
FloatEncoder<T>::FloatEncoder(const std::vector<std::span<const T>>& sample) {
  choose_pairs(sample);
  choose_split(sample);
}

template <class T>
void FloatEncoder<T>::choose_pairs(const std::vector<std::span<const T>>& sample) {
  std::map<std::pair<int, int>, int> wins;
  size_t bits = 0, values = 0;
  for (const std::span<const T> vector : sample) {
    const std::vector<T> picked = every_nth(vector, kSampleValues);
    AlpPair best;
    size_t best_bits = std::numeric_limits<size_t>::max();
    for (int exponent = kMaxExponent; exponent >= 0; --exponent) {
      for (int factor = exponent; factor >= 0; --factor) {
        const AlpPair pair{static_cast<uint8_t>(exponent), static_cast<uint8_t>(factor)};
        const size_t pair_bits = estimated_bits<T>(picked, pair);
        if (pair_bits < best_bits) best = pair, best_bits = pair_bits;
      }
    }
    ++wins[{best.exponent, best.factor}];
    bits += best_bits;
    values += picked.size();
  }
  std::vector<std::pair<int, std::pair<int, int>>> ranked;
  for (const auto& [pair, count] : wins) ranked.push_back({-count, pair});
  std::sort(ranked.begin(), ranked.end());
  for (size_t i = 0; i < std::min(ranked.size(), kMaxPairs); ++i) {
    pairs_.push_back(
        {static_cast<uint8_t>(ranked[i].second.first), static_cast<uint8_t>(ranked[i].second.second)});
  }
  if (pairs_.empty()) pairs_.push_back({});
  alp_bits_ = values ? static_cast<double>(bits) / static_cast<double>(values) : 0;
}

// Where to split the bit patterns so that few left parts cover most values.
template <class T>
void FloatEncoder<T>::choose_split(const std::vector<std::span<const T>>& sample) {
  constexpr unsigned kBits = sizeof(T) * 8, kFirst = kBits - 16;
  std::vector<T> picked;
  for (const std::span<const T> vector : sample) {
    for (const T value : every_nth(vector, 128)) picked.push_back(value);
  }
  rd_bits_ = std::numeric_limits<double>::max();
  for (unsigned right = kFirst; right < kBits; ++right) {
    std::map<uint16_t, size_t> counts;
    for (const T value : picked) ++counts[static_cast<uint16_t>(bits_of(value) >> right)];
    std::vector<std::pair<size_t, uint16_t>> ranked;
    for (const auto& [left, count] : counts) ranked.push_back({picked.size() - count, left});
    std::sort(ranked.begin(), ranked.end());
    const size_t entries = std::min(ranked.size(), kMaxLeftParts);
    size_t exceptions = picked.size();
    for (size_t i = 0; i < entries; ++i) exceptions -= picked.size() - ranked[i].first;
    const double bits =
        right + std::bit_width(entries - (entries > 0)) +
        32.0 * static_cast<double>(exceptions) / static_cast<double>(std::max<size_t>(picked.size(), 1));
    if (bits >= rd_bits_) continue;
    rd_bits_ = bits;
    right_bits_ = static_cast<uint8_t>(right);
    left_parts_.clear();
    for (size_t i = 0; i < entries; ++i) left_parts_.push_back(ranked[i].second);
  }
  if (left_parts_.empty()) left_parts_.push_back(0);
}

template <class T>
AlpPair FloatEncoder<T>::best_pair(const T* values, uint32_t count) const {
  if (pairs_.size() == 1) return pairs_[0];
  const std::vector<T> picked = every_nth(std::span<const T>(values, count), kSampleValues);
  AlpPair best;
  size_t best_bits = std::numeric_limits<size_t>::max();
  for (const AlpPair pair : pairs_) {
    const size_t bits = estimated_bits<T>(picked, pair);
    if (bits < best_bits) best = pair, best_bits = bits;
  }
  return best;
}

template <class T>
void FloatEncoder<T>::encode_alp(const T* values, uint32_t count, std::string* out) const {
  const AlpPair pair = best_pair(values, count);
  std::array<int64_t, kVectorSize> integers;
  std::array<uint16_t, kVectorSize> exceptions;
  uint32_t exception_count = 0;
  int64_t min = std::numeric_limits<int64_t>::max();
  std::array<uint8_t, kVectorSize> fits;
  to_integers(values, count, pair, integers.data(), fits.data());
  for (uint32_t i = 0; i < count; ++i) {
    exceptions[exception_count] = static_cast<uint16_t>(i);
    exception_count += fits[i] ? 0 : 1;
    min = fits[i] ? std::min(min, integers[i]) : min;
  }
  if (exception_count == count) min = 0;
  for (uint32_t i = 0; i < exception_count; ++i) integers[exceptions[i]] = min;
  std::array<uint64_t, kVectorSize> numbers;
  for (uint32_t i = 0; i < count; ++i)
    numbers[i] = static_cast<uint64_t>(integers[i]) - static_cast<uint64_t>(min);
  ByteWriter writer(*out);
  writer.u8(pair.exponent);
  writer.u8(pair.factor);
  writer.varint(exception_count);
  for (uint32_t i = 0; i < exception_count; ++i) writer.u16(exceptions[i]);
  for (uint32_t i = 0; i < exception_count; ++i) writer.bytes(&values[exceptions[i]], sizeof(T));
  writer.signed_varint(min);
  write_packed(numbers.data(), count, plan_packed(numbers.data(), count), out);
}

template <class T>
void FloatEncoder<T>::encode_rd(const T* values, uint32_t count, std::string* out) const {
  std::array<uint64_t, kVectorSize> lefts, rights;
  std::string positions, parts;
  uint32_t exception_count = 0;
  const Bits right_mask = (Bits{1} << right_bits_) - 1;
  for (uint32_t i = 0; i < count; ++i) {
    const Bits bits = bits_of(values[i]);
    const auto left = static_cast<uint16_t>(bits >> right_bits_);
    rights[i] = bits & right_mask;
    const auto found = std::find(left_parts_.begin(), left_parts_.end(), left);
    lefts[i] = 0;
    if (found != left_parts_.end()) {
      lefts[i] = static_cast<uint64_t>(found - left_parts_.begin());
      continue;
    }
    ByteWriter(positions).u16(static_cast<uint16_t>(i));
    ByteWriter(parts).u16(left);
    ++exception_count;
  }
  ByteWriter writer(*out);
  writer.u8(right_bits_);
  writer.u8(static_cast<uint8_t>(left_parts_.size()));
  for (const uint16_t left : left_parts_) writer.u16(left);
  writer.varint(exception_count);
  writer.bytes(positions);
  writer.bytes(parts);
  write_packed(lefts.data(), count, plan_packed(lefts.data(), count), out);
  write_packed(rights.data(), count, plan_packed(rights.data(), count), out);
}

template <class T>
Codec FloatEncoder<T>::encode(const T* values, uint32_t count, std::string* payload) const {
  assert(count > 0 && count <= kVectorSize);
  uint32_t runs = 1;
  for (uint32_t i = 1; i < count; ++i) runs += bits_of(values[i]) != bits_of(values[i - 1]);
  const size_t plain_bytes = count * sizeof(T);
  if (runs == 1) {
    payload->append(reinterpret_cast<const char*>(values), sizeof(T));
    return Codec::kConstant;
  }
  std::string best;
  Codec codec = alp_bits_ <= rd_bits_ ? Codec::kAlp : Codec::kAlpRd;
  codec == Codec::kAlp ? encode_alp(values, count, &best) : encode_rd(values, count, &best);
  if (runs <= count / 4) {
    std::array<int64_t, kVectorSize> patterns;
    for (uint32_t i = 0; i < count; ++i) patterns[i] = static_cast<int64_t>(bits_of(values[i]));
    std::string coded;
    const IntegerChoice runs_only{.delta = false, .delta_delta = false, .run_length = true};
    if (encode_integers(patterns.data(), count, runs_only, &coded) == Codec::kRunLength &&
        coded.size() < best.size()) {
      best = coded.substr(1);
      codec = Codec::kRunLength;
    }
  }
  if (best.size() >= plain_bytes) {
    payload->append(reinterpret_cast<const char*>(values), plain_bytes);
    return Codec::kPlain;
  }
  payload->append(best);
  return codec;
}

namespace {

template <class T>
void decode_alp(ByteReader& in, uint32_t count, T* out) {
  const uint8_t exponent = in.u8(), factor = in.u8();
  if (exponent > kMaxExponent || factor > exponent) throw_damaged_encoding("impossible exponent of ALP");
  const uint64_t exceptions = in.varint();
  if (exceptions > count) throw_damaged_encoding("more exceptions than values");
  const std::string_view positions = in.bytes(exceptions * 2), values = in.bytes(exceptions * sizeof(T));
  const auto base = static_cast<uint64_t>(in.signed_varint());
  UnpackedNumbers numbers;
  numbers.read(in, count);
  const CodecKernels& kernels = codec_kernels();
  const double power = kPower[factor], fraction = kFraction[exponent];
  if constexpr (sizeof(T) == 8) {
    numbers.is_wide() ? kernels.alp_u64_to_double(numbers.wide(), count, base, power, fraction, out)
                      : kernels.alp_u32_to_double(numbers.narrow(), count, base, power, fraction, out);
  } else {
    numbers.is_wide() ? kernels.alp_u64_to_float(numbers.wide(), count, base, power, fraction, out)
                      : kernels.alp_u32_to_float(numbers.narrow(), count, base, power, fraction, out);
  }
  for (size_t i = 0; i < exceptions; ++i) {
    uint16_t position;
    std::memcpy(&position, positions.data() + i * 2, sizeof position);
    if (position >= count) throw_damaged_encoding("exception beyond the vector");
    std::memcpy(out + position, values.data() + i * sizeof(T), sizeof(T));
  }
}

template <class T>
void decode_rd(ByteReader& in, uint32_t count, T* out) {
  using Bits = BitsOf<T>;
  constexpr unsigned kBits = sizeof(T) * 8;
  const unsigned right_bits = in.u8();
  if (right_bits < kBits - 16 || right_bits >= kBits) throw_damaged_encoding("impossible split of ALP-RD");
  const unsigned entries = in.u8();
  if (entries == 0 || entries > kMaxLeftParts) throw_damaged_encoding("impossible dictionary of ALP-RD");
  std::array<Bits, kMaxLeftParts> left_parts{};
  for (unsigned i = 0; i < entries; ++i) left_parts[i] = static_cast<Bits>(Bits{in.u16()} << right_bits);
  const uint64_t exceptions = in.varint();
  if (exceptions > count) throw_damaged_encoding("more exceptions than values");
  const std::string_view positions = in.bytes(exceptions * 2), parts = in.bytes(exceptions * 2);
  UnpackedNumbers lefts, rights;
  lefts.read(in, count);
  rights.read(in, count);
  if (lefts.is_wide()) throw_damaged_encoding("impossible width of left parts");
  const Bits right_mask = (Bits{1} << right_bits) - 1;
  std::array<Bits, kVectorSize> patterns;
  for (uint32_t i = 0; i < count; ++i) {
    patterns[i] = left_parts[lefts.narrow()[i] % kMaxLeftParts] | (static_cast<Bits>(rights[i]) & right_mask);
  }
  for (size_t i = 0; i < exceptions; ++i) {
    uint16_t position, left;
    std::memcpy(&position, positions.data() + i * 2, sizeof position);
    std::memcpy(&left, parts.data() + i * 2, sizeof left);
    if (position >= count) throw_damaged_encoding("exception beyond the vector");
    patterns[position] =
        static_cast<Bits>(Bits{left} << right_bits) | (static_cast<Bits>(rights[position]) & right_mask);
  }
  std::memcpy(out, patterns.data(), count * sizeof(T));
}

template <class T>
void decode_float_runs(ByteReader& in, uint32_t count, T* out) {
  std::array<int64_t, kVectorSize> patterns;
  decode_integers(Codec::kRunLength, in, count, patterns.data());
  for (uint32_t i = 0; i < count; ++i) out[i] = std::bit_cast<T>(static_cast<BitsOf<T>>(patterns[i]));
}

}  // namespace

template <class T>
void decode_floats(Codec codec, ByteReader& in, uint32_t count, T* out) {
  assert(count > 0 && count <= kVectorSize);
  switch (codec) {
    case Codec::kAlp: return decode_alp(in, count, out);
    case Codec::kAlpRd: return decode_rd(in, count, out);
    case Codec::kRunLength: return decode_float_runs(in, count, out);
    case Codec::kPlain: std::memcpy(out, in.bytes(count * sizeof(T)).data(), count * sizeof(T)); return;
    default: throw_damaged_encoding("not a codec of floating-point numbers");
  }
}

template class FloatEncoder<float>;
template class FloatEncoder<double>;
template void decode_floats<float>(Codec, ByteReader&, uint32_t, float*);
template void decode_floats<double>(Codec, ByteReader&, uint32_t, double*);

}  // namespace idem
