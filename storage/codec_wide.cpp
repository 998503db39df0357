#include "storage/codec_wide.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <limits>
#include <lz4.h>

#include "storage/codec_integer.h"
#include "storage/vector.h"

namespace idem {

namespace {

void encode_section(const std::array<int64_t, kVectorSize>& values, uint32_t count, std::string* out) {
  encode_integers(values.data(), count, IntegerChoice{}, out);
}

bool fits_in_64_bits(int128_t v) {
  return v >= std::numeric_limits<int64_t>::min() && v <= std::numeric_limits<int64_t>::max();
}

bool same(const Decimal& a, const Decimal& b) { return a.value == b.value && a.scale == b.scale; }
bool same(const Interval& a, const Interval& b) {
  return a.micros == b.micros && a.days == b.days && a.months == b.months;
}

template <class T>
bool all_same(const T* values, uint32_t count) {
  return std::all_of(values, values + count, [&](const T& value) { return same(value, values[0]); });
}

int128_t read_int128(ByteReader& in) {
  int128_t value;
  std::memcpy(&value, in.bytes(sizeof value).data(), sizeof value);
  return value;
}

void check_decimal(int128_t value, int64_t scale) {
  if (scale < 0 || scale > kMaxDecimalDigits) throw_damaged_encoding("impossible scale");
  const int128_t limit = power_of_ten(kMaxDecimalDigits);
  if (value >= limit || value <= -limit) throw_damaged_encoding("decimal of too many digits");
}

}  // namespace

Codec encode_decimals(const Decimal* values, uint32_t count, std::string* payload) {
  ByteWriter writer(*payload);
  if (all_same(values, count)) {
    writer.bytes(&values[0].value, sizeof(int128_t));
    writer.u8(static_cast<uint8_t>(values[0].scale));
    return Codec::kConstant;
  }
  std::array<int64_t, kVectorSize> part;
  for (uint32_t i = 0; i < count; ++i) part[i] = values[i].scale;
  encode_section(part, count, payload);
  const bool wide =
      !std::all_of(values, values + count, [](const Decimal& v) { return fits_in_64_bits(v.value); });
  writer.boolean(wide);
  if (wide) {
    for (uint32_t i = 0; i < count; ++i) writer.bytes(&values[i].value, sizeof(int128_t));
  } else {
    for (uint32_t i = 0; i < count; ++i) part[i] = static_cast<int64_t>(values[i].value);
    encode_section(part, count, payload);
  }
  return Codec::kDecimal;
}

void decode_decimals(Codec codec, ByteReader& in, uint32_t count, Decimal* out) {
  if (codec != Codec::kDecimal) throw_damaged_encoding("not a codec of decimals");
  std::array<int64_t, kVectorSize> scales;
  decode_integers(in, count, scales.data());
  const auto [lowest, highest] = std::minmax_element(scales.begin(), scales.begin() + count);
  if (*lowest < 0 || *highest > kMaxDecimalDigits) throw_damaged_encoding("impossible scale");
  if (in.boolean()) {
    for (uint32_t i = 0; i < count; ++i) {
      const int128_t value = read_int128(in);
      check_decimal(value, scales[i]);
      out[i] = {value, static_cast<int32_t>(scales[i])};
    }
    return;
  }
  std::array<int64_t, kVectorSize> values;
  decode_integers(in, count, values.data());
  for (uint32_t i = 0; i < count; ++i) out[i] = {values[i], static_cast<int32_t>(scales[i])};
}

Decimal decode_decimal(ByteReader& in) {
  const int128_t value = read_int128(in);
  const int32_t scale = in.u8();
  check_decimal(value, scale);
  return {value, scale};
}

Codec encode_intervals(const Interval* values, uint32_t count, std::string* payload) {
  if (all_same(values, count)) {
    payload->append(reinterpret_cast<const char*>(values), sizeof(Interval));
    return Codec::kConstant;
  }
  std::array<int64_t, kVectorSize> part;
  for (uint32_t i = 0; i < count; ++i) part[i] = values[i].months;
  encode_section(part, count, payload);
  for (uint32_t i = 0; i < count; ++i) part[i] = values[i].days;
  encode_section(part, count, payload);
  for (uint32_t i = 0; i < count; ++i) part[i] = values[i].micros;
  encode_section(part, count, payload);
  return Codec::kInterval;
}

void decode_intervals(Codec codec, ByteReader& in, uint32_t count, Interval* out) {
  if (codec != Codec::kInterval) throw_damaged_encoding("not a codec of intervals");
  std::array<int32_t, kVectorSize> months, days;
  std::array<int64_t, kVectorSize> micros;
  decode_integers(in, count, months.data());
  decode_integers(in, count, days.data());
  decode_integers(in, count, micros.data());
  for (uint32_t i = 0; i < count; ++i) out[i] = {micros[i], days[i], months[i]};
}

Interval decode_interval(ByteReader& in) {
  Interval value;
  std::memcpy(&value, in.bytes(sizeof value).data(), sizeof value);
  return value;
}

Codec encode_uuids(const Uuid* values, uint32_t count, std::string* payload) {
  const auto* bytes = reinterpret_cast<const char*>(values);
  if (std::all_of(values, values + count, [&](const Uuid& value) { return value == values[0]; })) {
    payload->append(bytes, sizeof(Uuid));
    return Codec::kConstant;
  }
  const size_t size = count * sizeof(Uuid);
  std::string compressed(static_cast<size_t>(LZ4_compressBound(static_cast<int>(size))), '\0');
  const int written = LZ4_compress_default(bytes, compressed.data(), static_cast<int>(size),
                                           static_cast<int>(compressed.size()));
  if (written > 0 && static_cast<size_t>(written) < size - size / 10) {
    payload->append(compressed, 0, static_cast<size_t>(written));
    return Codec::kLz4;
  }
  payload->append(bytes, size);
  return Codec::kPlain;
}

void decode_uuids(Codec codec, ByteReader& in, uint32_t count, Uuid* out) {
  const size_t size = count * sizeof(Uuid);
  if (codec == Codec::kPlain) {
    std::memcpy(out, in.bytes(size).data(), size);
    return;
  }
  if (codec != Codec::kLz4) throw_damaged_encoding("not a codec of UUIDs");
  const std::string_view compressed = in.bytes(in.remaining());
  const int written = LZ4_decompress_safe(compressed.data(), reinterpret_cast<char*>(out),
                                          static_cast<int>(compressed.size()), static_cast<int>(size));
  if (written < 0 || static_cast<size_t>(written) != size) throw_damaged_encoding("damaged LZ4 block");
}

Uuid decode_uuid(ByteReader& in) {
  Uuid value;
  std::memcpy(value.bytes.data(), in.bytes(sizeof value).data(), sizeof value);
  return value;
}

}  // namespace idem
