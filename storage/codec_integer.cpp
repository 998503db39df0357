#include "storage/codec_integer.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cassert>
#include <numeric>

#include "storage/codec_kernels.h"
#include "storage/codec_packed.h"

namespace idem {

namespace {

uint64_t as_unsigned(int64_t v) { return static_cast<uint64_t>(v); }
int64_t as_signed(uint64_t v) { return static_cast<int64_t>(v); }

unsigned varint_bytes(uint64_t v) {
  unsigned bytes = 1;
  for (; v >= 0x80; v >>= 7) ++bytes;
  return bytes;
}

// Tests and divides by multiplication: an odd d divides m exactly if m times the inverse of d modulo 2^64 is at
// most (2^64 - 1) / d, and then that is the quotient.
class ExactDivisor {
 public:
  explicit ExactDivisor(uint64_t divisor)
      : shift_(std::countr_zero(divisor)), odd_(divisor >> shift_), limit_(~uint64_t{0} / odd_) {
    inverse_ = odd_ * 3 ^ 2;  // right in 5 bits; each step doubles them
    for (int i = 0; i < 4; ++i) inverse_ *= 2 - odd_ * inverse_;
  }
  bool divides(uint64_t number) const {
    return (number & ((uint64_t{1} << shift_) - 1)) == 0 && quotient(number) <= limit_;
  }
  uint64_t quotient(uint64_t number) const { return (number >> shift_) * inverse_; }  // if it divides

 private:
  int shift_;
  uint64_t odd_, limit_, inverse_;
};

// Numbers with their smallest subtracted and their common divisor taken out, and how to pack them.
struct Reduced {
  int64_t base = 0;
  uint64_t divisor = 1;
  PackingPlan plan;
  std::array<uint64_t, kVectorSize> numbers;

  // Entries before `first` become 0.
  void reduce(const int64_t* values, uint32_t first, uint32_t count) {
    std::fill_n(numbers.begin(), first, 0);
    base = first < count ? values[first] : 0;
    for (uint32_t i = first; i < count; ++i) base = std::min(base, values[i]);
    for (uint32_t i = first; i < count; ++i) numbers[i] = as_unsigned(values[i]) - as_unsigned(base);
    divisor = common_divisor(first, count);
    if (divisor > 1) {
      const ExactDivisor exact(divisor);
      for (uint32_t i = first; i < count; ++i) numbers[i] = exact.quotient(numbers[i]);
    }
    plan = plan_packed(numbers.data(), count);
  }
  size_t bytes() const { return varint_bytes(zigzag_encode(base)) + varint_bytes(divisor) + plan.bytes; }
  void write(uint32_t count, std::string* out) const {
    ByteWriter writer(*out);
    writer.signed_varint(base);
    writer.varint(divisor);
    write_packed(numbers.data(), count, plan, out);
  }

 private:
  uint64_t common_divisor(uint32_t first, uint32_t count) const {
    uint32_t i = first;
    while (i < count && numbers[i] == 0) ++i;
    if (i == count) return 1;
    uint64_t divisor_so_far = numbers[i];
    ExactDivisor exact(divisor_so_far);
    for (; i < count && divisor_so_far != 1; ++i) {
      if (exact.divides(numbers[i])) continue;
      divisor_so_far = std::gcd(divisor_so_far, numbers[i]);
      exact = ExactDivisor(divisor_so_far);
    }
    return divisor_so_far;
  }
};

void differences(const int64_t* values, uint32_t first, uint32_t count, int64_t* out) {
  for (uint32_t i = first; i < count; ++i)
    out[i] = as_signed(as_unsigned(values[i]) - as_unsigned(values[i - 1]));
}

uint32_t count_runs(const int64_t* values, uint32_t count) {
  uint32_t runs = 1;
  for (uint32_t i = 1; i < count; ++i) runs += values[i] != values[i - 1];
  return runs;
}

void write_runs(const int64_t* values, uint32_t count, uint32_t runs, std::string* out) {
  std::array<uint64_t, kVectorSize> lengths;
  std::array<int64_t, kVectorSize> run_values;
  uint32_t run = 0;
  for (uint32_t i = 0; i < count; ++run) {
    uint32_t end = i + 1;
    while (end < count && values[end] == values[i]) ++end;
    lengths[run] = end - i - 1;
    run_values[run] = values[i];
    i = end;
  }
  ByteWriter(*out).varint(runs);
  write_packed(lengths.data(), runs, plan_packed(lengths.data(), runs), out);
  Reduced reduced;
  reduced.reduce(run_values.data(), 0, runs);
  reduced.write(runs, out);
}

// Delta codings against what was found so far: 1/16 fewer bytes, since their decoding is a chain of
// additions.
bool clearly_smaller(size_t bytes, size_t than) { return bytes + bytes / 16 < than; }

}  // namespace

Codec encode_integers(const int64_t* values, uint32_t count, IntegerChoice choice, std::string* out) {
  assert(count > 0 && count <= kVectorSize);
  ByteWriter writer(*out);
  const uint32_t runs = count_runs(values, count);
  if (runs == 1) {
    writer.u8(static_cast<uint8_t>(Codec::kConstant));
    writer.signed_varint(values[0]);
    return Codec::kConstant;
  }
  Reduced packed, delta, delta_delta;
  std::array<int64_t, kVectorSize> deltas, second;
  packed.reduce(values, 0, count);
  Codec best = Codec::kPacked;
  size_t best_bytes = packed.bytes();
  if (choice.delta || choice.delta_delta) differences(values, 1, count, deltas.data());
  if (choice.delta) {
    delta.reduce(deltas.data(), 1, count);
    const size_t bytes = delta.bytes() + varint_bytes(zigzag_encode(values[0]));
    if (clearly_smaller(bytes, best_bytes)) best = Codec::kDelta, best_bytes = bytes;
  }
  if (choice.delta_delta && count > 2) {
    differences(deltas.data(), 2, count, second.data());
    delta_delta.reduce(second.data(), 2, count);
    const size_t bytes =
        delta_delta.bytes() + varint_bytes(zigzag_encode(values[0])) + varint_bytes(zigzag_encode(deltas[1]));
    if (clearly_smaller(bytes, best_bytes)) best = Codec::kDeltaDelta, best_bytes = bytes;
  }
  if (choice.run_length && runs <= count / 4) {
    std::string coded;
    write_runs(values, count, runs, &coded);
    if (coded.size() < best_bytes) {
      writer.u8(static_cast<uint8_t>(Codec::kRunLength));
      writer.bytes(coded);
      return Codec::kRunLength;
    }
  }
  writer.u8(static_cast<uint8_t>(best));
  if (best == Codec::kPacked) {
    packed.write(count, out);
    return best;
  }
  writer.signed_varint(values[0]);
  if (best == Codec::kDeltaDelta) writer.signed_varint(deltas[1]);
  (best == Codec::kDelta ? delta : delta_delta).write(count, out);
  return best;
}

namespace {

// Base, divisor and numbers of one part of a section.
struct Scaled {
  uint64_t base = 0, divisor = 1;
  UnpackedNumbers numbers;

  void read(ByteReader& in, uint32_t count) {
    base = as_unsigned(in.signed_varint());
    divisor = in.varint();
    numbers.read(in, count);
  }
  uint64_t operator[](uint32_t i) const { return base + divisor * numbers[i]; }
  template <class T>
  void write_to(T* out, uint32_t count) const;
};

template <class T>
void Scaled::write_to(T* out, uint32_t count) const {
  const CodecKernels& kernels = codec_kernels();
  if constexpr (sizeof(T) == 8) {
    auto* to = reinterpret_cast<uint64_t*>(out);
    if (numbers.is_wide()) {
      kernels.scale_u64_to_64(numbers.wide(), count, base, divisor, to);
    } else {
      kernels.scale_u32_to_64(numbers.narrow(), count, base, divisor, to);
    }
  } else if (numbers.is_wide()) {
    for (uint32_t i = 0; i < count; ++i) out[i] = static_cast<T>(base + divisor * numbers.wide()[i]);
  } else if constexpr (sizeof(T) == 4) {
    kernels.scale_u32_to_32(numbers.narrow(), count, static_cast<uint32_t>(base),
                            static_cast<uint32_t>(divisor), reinterpret_cast<uint32_t*>(out));
  } else {
    const auto low_base = static_cast<uint32_t>(base), low_divisor = static_cast<uint32_t>(divisor);
    for (uint32_t i = 0; i < count; ++i)
      out[i] = static_cast<T>(low_base + low_divisor * numbers.narrow()[i]);
  }
}

template <class Number, class T>
void sum_deltas(const Number* numbers, uint64_t first, uint64_t base, uint64_t divisor, uint32_t count,
                T* out) {
  uint64_t value = first;
  out[0] = static_cast<T>(value);
  for (uint32_t i = 1; i < count; ++i) {
    value += base + divisor * numbers[i];
    out[i] = static_cast<T>(value);
  }
}

template <class T>
void decode_deltas(ByteReader& in, uint32_t count, T* out) {
  const uint64_t first = as_unsigned(in.signed_varint());
  Scaled deltas;
  deltas.read(in, count);
  if (deltas.numbers.is_wide()) {
    sum_deltas(deltas.numbers.wide(), first, deltas.base, deltas.divisor, count, out);
  } else {
    sum_deltas(deltas.numbers.narrow(), first, deltas.base, deltas.divisor, count, out);
  }
}

template <class T>
void decode_second_deltas(ByteReader& in, uint32_t count, T* out) {
  uint64_t value = as_unsigned(in.signed_varint()), delta = as_unsigned(in.signed_varint());
  Scaled second;
  second.read(in, count);
  out[0] = static_cast<T>(value);
  if (count > 1) out[1] = static_cast<T>(value += delta);
  for (uint32_t i = 2; i < count; ++i) {
    delta += second[i];
    value += delta;
    out[i] = static_cast<T>(value);
  }
}

template <class T>
void decode_runs(ByteReader& in, uint32_t count, T* out) {
  const uint64_t runs = in.varint();
  if (runs == 0 || runs > count) throw_damaged_encoding("impossible number of runs");
  UnpackedNumbers lengths;
  lengths.read(in, static_cast<uint32_t>(runs));
  Scaled values;
  values.read(in, static_cast<uint32_t>(runs));
  uint32_t done = 0;
  for (uint32_t run = 0; run < runs; ++run) {
    const uint64_t length = lengths[run];
    if (length >= count - done) throw_damaged_encoding("runs longer than the vector");
    std::fill_n(out + done, length + 1, static_cast<T>(values[run]));
    done += static_cast<uint32_t>(length) + 1;
  }
  if (done != count) throw_damaged_encoding("runs shorter than the vector");
}

}  // namespace

template <class T>
void decode_integers(Codec codec, ByteReader& in, uint32_t count, T* out) {
  assert(count > 0 && count <= kVectorSize);
  switch (codec) {
    case Codec::kConstant: std::fill_n(out, count, static_cast<T>(in.signed_varint())); return;
    case Codec::kPacked: {
      Scaled scaled;
      scaled.read(in, count);
      scaled.write_to(out, count);
      return;
    }
    case Codec::kDelta: return decode_deltas(in, count, out);
    case Codec::kDeltaDelta: return decode_second_deltas(in, count, out);
    case Codec::kRunLength: return decode_runs(in, count, out);
    default: throw_damaged_encoding("not a codec of integers");
  }
}

template <class T>
void decode_integers(ByteReader& in, uint32_t count, T* out) {
  decode_integers(static_cast<Codec>(in.u8()), in, count, out);
}

template void decode_integers<uint8_t>(Codec, ByteReader&, uint32_t, uint8_t*);
template void decode_integers<int16_t>(Codec, ByteReader&, uint32_t, int16_t*);
template void decode_integers<int32_t>(Codec, ByteReader&, uint32_t, int32_t*);
template void decode_integers<uint32_t>(Codec, ByteReader&, uint32_t, uint32_t*);
template void decode_integers<int64_t>(Codec, ByteReader&, uint32_t, int64_t*);
template void decode_integers<uint8_t>(ByteReader&, uint32_t, uint8_t*);
template void decode_integers<int32_t>(ByteReader&, uint32_t, int32_t*);
template void decode_integers<uint32_t>(ByteReader&, uint32_t, uint32_t*);
template void decode_integers<int64_t>(ByteReader&, uint32_t, int64_t*);

bool is_evenly_spaced(ByteReader in, uint32_t count, int64_t* start, int64_t* step) {
  *start = in.signed_varint();
  *step = in.signed_varint();
  in.varint();
  return count > 1 && in.u8() == 0 && in.u8() == 0;
}

}  // namespace idem
