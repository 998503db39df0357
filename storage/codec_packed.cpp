#include "storage/codec_packed.h"

#include <array>
#include <bit>
#include <cassert>
#include <cstring>

#include "storage/codec.h"
#include "storage/codec_kernels.h"

namespace idem {

namespace {

unsigned bit_count(uint64_t number) { return 64u - static_cast<unsigned>(std::countl_zero(number)); }

uint64_t low_bits(unsigned width) { return width >= 64 ? ~uint64_t{0} : (uint64_t{1} << width) - 1; }

size_t packed_bytes(uint32_t count, unsigned width) {
  const size_t units = count / kCodecUnit, rest = count % kCodecUnit;
  return units * width * (kCodecUnit / 8) + (rest * width + 7) / 8;
}

// One unit in lanes of words of T.
template <class T>
void pack_unit(const uint64_t* numbers, unsigned width, std::string* out) {
  constexpr unsigned kBits = sizeof(T) * 8, kLanes = kCodecUnit / kBits;
  std::array<T, kCodecUnit> words{};
  const T mask = static_cast<T>(low_bits(width));
  for (unsigned row = 0; row < kBits; ++row) {
    const unsigned word = row * width / kBits, shift = row * width % kBits;
    const uint64_t* in = numbers + row * kLanes;
    T* to = words.data() + word * kLanes;
    for (unsigned lane = 0; lane < kLanes; ++lane) to[lane] |= static_cast<T>((in[lane] & mask) << shift);
    if (shift + width > kBits) {
      for (unsigned lane = 0; lane < kLanes; ++lane) {
        to[kLanes + lane] |= static_cast<T>((in[lane] & mask) >> (kBits - shift));
      }
    }
  }
  out->append(reinterpret_cast<const char*>(words.data()), width * (kCodecUnit / 8));
}

void pack_rest(const uint64_t* numbers, uint32_t count, unsigned width, std::string* out) {
  const size_t start = out->size();
  out->resize(start + packed_bytes(count, width), '\0');
  auto* to = reinterpret_cast<uint8_t*>(out->data() + start);
  size_t bit = 0;
  for (uint32_t i = 0; i < count; ++i) {
    uint64_t number = numbers[i] & low_bits(width);
    for (unsigned left = width; left > 0;) {
      const unsigned shift = bit % 8, taken = std::min(left, 8 - shift);
      to[bit / 8] |= static_cast<uint8_t>((number & low_bits(taken)) << shift);
      number >>= taken;
      left -= taken;
      bit += taken;
    }
  }
}

template <class T>
void unpack_rest(std::string_view bytes, uint32_t count, unsigned width, T* out) {
  std::array<char, kCodecUnit * 8 + 16> padded;
  std::memcpy(padded.data(), bytes.data(), bytes.size());
  std::memset(padded.data() + bytes.size(), 0, 16);
  const uint64_t mask = low_bits(width);
  for (uint32_t i = 0; i < count; ++i) {
    const size_t bit = static_cast<size_t>(i) * width;
    const unsigned shift = bit % 8;
    uint64_t number;
    std::memcpy(&number, padded.data() + bit / 8, sizeof number);
    number >>= shift;
    if (shift + width > 64) {
      number |= static_cast<uint64_t>(static_cast<uint8_t>(padded[bit / 8 + 8])) << (64 - shift);
    }
    out[i] = static_cast<T>(number & mask);
  }
}

}  // namespace

PackingPlan plan_packed(const uint64_t* numbers, uint32_t count) {
  // Four counters each, so that equal widths in a row do not wait for each other.
  std::array<std::array<uint32_t, 65>, 4> counters{};
  for (uint32_t i = 0; i < count; ++i) ++counters[i % 4][bit_count(numbers[i])];
  std::array<uint32_t, 65> with_width;
  for (size_t w = 0; w < with_width.size(); ++w) {
    with_width[w] = counters[0][w] + counters[1][w] + counters[2][w] + counters[3][w];
  }
  unsigned full = 64;
  while (full > 0 && with_width[full] == 0) --full;
  PackingPlan best;
  best.width = best.full_width = static_cast<uint8_t>(full);
  best.bytes = 2 + packed_bytes(count, full);
  const size_t exception_bytes = 2 + (full + 7) / 8;
  uint32_t exceptions = 0;
  size_t best_cost = best.bytes;
  for (unsigned width = full; width-- > 0;) {
    exceptions += with_width[width + 1];
    if (exceptions > count / 8) break;  // patching costs time as well
    const size_t bytes =
        2 + (exceptions < 128 ? 1 : 2) + exceptions * exception_bytes + packed_bytes(count, width);
    const size_t cost = bytes + exceptions * 2 + 8;
    if (cost >= best_cost) continue;
    best_cost = cost;
    best.width = static_cast<uint8_t>(width);
    best.exceptions = exceptions;
    best.bytes = bytes;
  }
  return best;
}

void write_packed(const uint64_t* numbers, uint32_t count, const PackingPlan& plan, std::string* out) {
  assert(count <= kVectorSize);
  ByteWriter writer(*out);
  writer.u8(plan.width);
  writer.u8(plan.full_width);
  if (plan.full_width > plan.width) {
    writer.varint(plan.exceptions);
    const uint64_t mask = low_bits(plan.width);
    for (uint32_t i = 0; i < count; ++i) {
      if (numbers[i] > mask) writer.u16(static_cast<uint16_t>(i));
    }
    for (uint32_t i = 0; i < count; ++i) {
      if (numbers[i] > mask) writer.bytes(&numbers[i], (plan.full_width + 7u) / 8);
    }
  }
  if (plan.width == 0) return;
  uint32_t done = 0;
  for (; done + kCodecUnit <= count; done += kCodecUnit) {
    if (plan.width <= 32) {
      pack_unit<uint32_t>(numbers + done, plan.width, out);
    } else {
      pack_unit<uint64_t>(numbers + done, plan.width, out);
    }
  }
  if (done < count) pack_rest(numbers + done, count - done, plan.width, out);
}

void UnpackedNumbers::read(ByteReader& in, uint32_t count) {
  assert(count <= kVectorSize);
  const unsigned width = in.u8(), full_width = in.u8();
  if (full_width > 64 || width > full_width) throw_damaged_encoding("impossible width of packed numbers");
  wide_ = full_width > 32;
  std::string_view positions, values;
  const unsigned value_bytes = (full_width + 7) / 8;
  if (full_width > width) {
    const uint64_t exceptions = in.varint();
    if (exceptions > count) throw_damaged_encoding("more exceptions than numbers");
    positions = in.bytes(exceptions * 2);
    values = in.bytes(exceptions * value_bytes);
  }
  const CodecKernels& kernels = codec_kernels();
  uint32_t done = 0;
  for (; done + kCodecUnit <= count; done += kCodecUnit) {
    const auto* unit = reinterpret_cast<const uint8_t*>(in.bytes(width * (kCodecUnit / 8)).data());
    if (!wide_) {
      kernels.unpack32[width](unit, numbers32_ + done);
    } else if (width > 32) {
      kernels.unpack64[width](unit, numbers64_ + done);
    } else {
      kernels.unpack32[width](unit, numbers32_ + done);
      for (uint32_t i = done; i < done + kCodecUnit; ++i) numbers64_[i] = numbers32_[i];
    }
  }
  if (done < count) {
    const std::string_view rest = in.bytes(packed_bytes(count - done, width));
    if (wide_) {
      unpack_rest(rest, count - done, width, numbers64_ + done);
    } else {
      unpack_rest(rest, count - done, width, numbers32_ + done);
    }
  }
  for (size_t i = 0; i * 2 < positions.size(); ++i) {
    uint16_t position;
    uint64_t value = 0;
    std::memcpy(&position, positions.data() + i * 2, sizeof position);
    std::memcpy(&value, values.data() + i * value_bytes, value_bytes);
    if (position >= count) throw_damaged_encoding("exception beyond the numbers");
    if (wide_) {
      numbers64_[position] = value;
    } else {
      numbers32_[position] = static_cast<uint32_t>(value);
    }
  }
}

}  // namespace idem
