#include <algorithm>
#include <cstring>

#include "storage/codec_float.h"
#include "storage/codec_integer.h"
#include "storage/codec_string.h"
#include "storage/codec_validity.h"
#include "storage/codec_wide.h"
#include "storage/encoded_block.h"

namespace idem {

namespace {

constexpr int64_t kMicrosOfDay = 86'400'000'000;

// One vector being decoded.
class VectorDecoder {
 public:
  VectorDecoder(std::string_view bytes, const VectorContext& context,
                const std::vector<std::string_view>& dictionary, const std::shared_ptr<const void>& owner,
                Vector* out)
      : in_(bytes, "encoded vector"), context_(context), dictionary_(dictionary), owner_(owner), out_(out) {}

  void decode() {
    codec_ = static_cast<Codec>(in_.u8());
    if (static_cast<uint8_t>(codec_) >= kCodecCount) throw_damaged_encoding("unknown codec");
    nulls_ = decode_validity(in_, context_.rows, &validity_);
    if (codec_ == Codec::kAllNull) {
      *out_ = Vector::constant_null(context_.type);
      return in_.expect_end();
    }
    switch (physical_type(context_.type)) {
      case PhysicalType::kBool: decode_integer<uint8_t>(); break;
      case PhysicalType::kInt16: decode_integer<int16_t>(); break;
      case PhysicalType::kInt32: decode_integer<int32_t>(); break;
      case PhysicalType::kInt64: decode_integer<int64_t>(); break;
      case PhysicalType::kFloat: decode_float<float>(); break;
      case PhysicalType::kDouble: decode_float<double>(); break;
      case PhysicalType::kDecimal: decode_wide<Decimal>(&decode_decimal, &decode_decimals); break;
      case PhysicalType::kInterval: decode_wide<Interval>(&decode_interval, &decode_intervals); break;
      case PhysicalType::kUuid: decode_wide<Uuid>(&decode_uuid, &decode_uuids); break;
      case PhysicalType::kString: decode_string(); break;
    }
    in_.expect_end();
  }

 private:
  // One value for all rows: as a constant vector, or written out where some rows are NULL.
  template <class T>
  void put_constant(T value, T null_value = T{}) {
    if (nulls_ == 0) {
      *out_->allocate_as<T>(context_.type, 1) = value;
      out_->form = Vector::Form::kConstant;
      return;
    }
    T* values = out_->allocate_as<T>(context_.type, context_.rows);
    std::fill_n(values, context_.rows, value);
    put_nulls(values, null_value);
  }

  template <class T>
  void put_nulls(T* values, T null_value) {
    if (nulls_ == 0) return;
    fill_nulls(validity_.data(), context_.rows, null_value, values);
    uint64_t* words = out_->allocate_validity(context_.rows);
    std::memcpy(words, validity_.data(), (context_.rows + 63) / 64 * sizeof(uint64_t));
  }

  template <class T>
  void decode_integer() {
    const bool symbol = context_.type.id == TypeId::kSymbol;
    const T null_value = symbol ? static_cast<T>(-1) : T{};
    if (codec_ == Codec::kConstant) {
      auto value = static_cast<T>(in_.signed_varint());
      check_range(&value, 1);
      return put_constant(value, null_value);
    }
    if constexpr (sizeof(T) == 8) {
      if (codec_ == Codec::kDelta && nulls_ == 0 && put_sequence()) return;
    }
    T* values = out_->allocate_as<T>(context_.type, context_.rows);
    decode_integers(codec_, in_, context_.rows, values);
    check_range(values, context_.rows);
    put_nulls(values, null_value);
  }

  bool put_sequence() {
    int64_t start, step;
    if (!is_evenly_spaced(in_, context_.rows, &start, &step)) return false;
    if (context_.type.id == TypeId::kTime) return false;
    // Whoever reads a sequence computes without a thought of overflow.
    const int128_t last = int128_t{start} + int128_t{step} * (context_.rows - 1);
    if (last != static_cast<int64_t>(last)) return false;
    in_.skip(in_.remaining());
    *out_ = Vector::sequence(context_.type, start, step);
    return true;
  }

  // Values that other code takes for granted: codes within the dictionary, booleans 0 or 1, times within a
  // day.
  template <class T>
  void check_range(T* values, uint32_t count) {
    if constexpr (sizeof(T) == 1) {
      for (uint32_t i = 0; i < count; ++i) values[i] = values[i] != 0;
    } else if (sizeof(T) == 4 && context_.type.id == TypeId::kSymbol) {
      const auto size = static_cast<int32_t>(context_.dictionary_size);
      int32_t beyond = 0;
      for (uint32_t i = 0; i < count; ++i)
        beyond |= static_cast<int32_t>(values[i] < 0) | (values[i] >= size);
      if (beyond != 0) throw_damaged_encoding("symbol beyond the dictionary");
    } else if (sizeof(T) == 8 && context_.type.id == TypeId::kTime) {
      const auto [min, max] = std::minmax_element(values, values + count);
      if (*min < 0 || *max > kMicrosOfDay) throw_damaged_encoding("time beyond the day");
    }
  }

  template <class T>
  void decode_float() {
    if (codec_ == Codec::kConstant) {
      T value;
      std::memcpy(&value, in_.bytes(sizeof value).data(), sizeof value);
      return put_constant(value);
    }
    T* values = out_->allocate_as<T>(context_.type, context_.rows);
    decode_floats(codec_, in_, context_.rows, values);
    put_nulls(values, T{});
  }

  template <class T>
  void decode_wide(T (*decode_one)(ByteReader&), void (*decode_all)(Codec, ByteReader&, uint32_t, T*)) {
    if (codec_ == Codec::kConstant) return put_constant(decode_one(in_));
    T* values = out_->allocate_as<T>(context_.type, context_.rows);
    decode_all(codec_, in_, context_.rows, values);
    put_nulls(values, T{});
  }

  void decode_string() {
    if (codec_ == Codec::kConstant) {
      put_constant(in_.string());
    } else {
      auto* values = out_->allocate_as<std::string_view>(context_.type, context_.rows);
      decode_strings(codec_, in_, context_.rows, dictionary_, out_, values);
      put_nulls(values, std::string_view());
    }
    if (codec_ != Codec::kLz4) out_->owner = owner_;
  }

  ByteReader in_;
  const VectorContext& context_;
  const std::vector<std::string_view>& dictionary_;
  const std::shared_ptr<const void>& owner_;
  Vector* out_;
  Codec codec_{};
  uint32_t nulls_ = 0;
  ValidityWords validity_;
};

}  // namespace

void decode_vector(std::string_view bytes, const VectorContext& context,
                   const std::vector<std::string_view>& dictionary, const std::shared_ptr<const void>& owner,
                   Vector* out) {
  VectorDecoder(bytes, context, dictionary, owner, out).decode();
}

}  // namespace idem
