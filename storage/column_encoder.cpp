#include "storage/column_encoder.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <limits>
#include <optional>

#include "storage/codec_float.h"
#include "storage/codec_integer.h"
#include "storage/codec_string.h"
#include "storage/codec_validity.h"
#include "storage/codec_wide.h"

namespace idem {

namespace {

constexpr uint32_t kSampleVectors = 5;

// The values of a vector with those of NULL rows replaced by their neighbours, so that they cost nothing.
template <class T>
void copy_without_nulls(const Vector& vector, uint32_t count, T* out) {
  const T* values = vector.values<T>();
  std::copy_n(values, count, out);
  if (!vector.validity) return;
  uint32_t first = 0;
  while (first < count && !vector.is_valid(first)) ++first;
  if (first == count) return;
  T last = values[first];
  for (uint32_t i = 0; i < count; ++i) {
    if (vector.is_valid(i)) last = values[i];
    out[i] = last;
  }
}

template <class T>
void widen(const Vector& vector, uint32_t count, int64_t* out) {
  std::array<T, kVectorSize> values;
  copy_without_nulls(vector, count, values.data());
  std::copy_n(values.begin(), count, out);
}

bool is_integer_type(PhysicalType type) { return type <= PhysicalType::kInt64; }

void widen_integers(const Vector& vector, uint32_t count, int64_t* out) {
  switch (physical_type(vector.type)) {
    case PhysicalType::kBool: return widen<uint8_t>(vector, count, out);
    case PhysicalType::kInt16: return widen<int16_t>(vector, count, out);
    case PhysicalType::kInt32: return widen<int32_t>(vector, count, out);
    default: return widen<int64_t>(vector, count, out);
  }
}

template <class T>
void float_bounds(const Vector& vector, uint32_t count, VectorStatistics* statistics) {
  T low = std::numeric_limits<T>::infinity(), high = -std::numeric_limits<T>::infinity();
  bool any_nan = false, any_number = false;
  std::array<T, kVectorSize> values;
  copy_without_nulls(vector, count, values.data());
  for (uint32_t i = 0; i < count; ++i) {
    const bool nan = std::isnan(values[i]);
    any_nan |= nan;
    any_number |= !nan;
    low = values[i] < low ? values[i] : low;
    high = values[i] > high ? values[i] : high;
  }
  const double nan = std::numeric_limits<double>::quiet_NaN();
  statistics->min = std::bit_cast<int64_t>(any_number ? static_cast<double>(low) : nan);
  statistics->max = std::bit_cast<int64_t>(any_nan ? nan : static_cast<double>(high));
}

template <class T>
std::vector<std::vector<T>> sample_values(const std::vector<Vector>& vectors, uint32_t rows) {
  std::vector<std::vector<T>> sample;
  const size_t step = std::max<size_t>(1, vectors.size() / kSampleVectors);
  for (size_t v = 0; v < vectors.size(); v += step) {
    const auto count = std::min<uint32_t>(kVectorSize, rows - static_cast<uint32_t>(v) * kVectorSize);
    if (count_nulls(vectors[v].validity, count) == count) continue;
    sample.emplace_back(count);
    copy_without_nulls(vectors[v], count, sample.back().data());
  }
  return sample;
}

template <class T>
FloatEncoder<T> make_float_encoder(const std::vector<Vector>& vectors, uint32_t rows) {
  const std::vector<std::vector<T>> sample = sample_values<T>(vectors, rows);
  return FloatEncoder<T>(std::vector<std::span<const T>>(sample.begin(), sample.end()));
}

// The codecs that won on the sample.
IntegerChoice choose_integer_codecs(const std::vector<Vector>& vectors, uint32_t rows) {
  IntegerChoice choice{.delta = false, .delta_delta = false, .run_length = false};
  const size_t step = std::max<size_t>(1, vectors.size() / kSampleVectors);
  for (size_t v = 0; v < vectors.size(); v += step) {
    const auto count = std::min<uint32_t>(kVectorSize, rows - static_cast<uint32_t>(v) * kVectorSize);
    std::array<int64_t, kVectorSize> values;
    widen_integers(vectors[v], count, values.data());
    std::string tried;
    switch (encode_integers(values.data(), count, IntegerChoice{}, &tried)) {
      case Codec::kDelta: choice.delta = true; break;
      case Codec::kDeltaDelta: choice.delta_delta = true; break;
      case Codec::kRunLength: choice.run_length = true; break;
      default: break;
    }
  }
  return choice;
}

}  // namespace

VectorStatistics compute_statistics(const Vector& flat, uint32_t count) {
  VectorStatistics statistics;
  statistics.null_count = count_nulls(flat.validity, count);
  if (statistics.null_count == count) return statistics;
  const PhysicalType type = physical_type(flat.type);
  if (is_integer_type(type)) {
    std::array<int64_t, kVectorSize> values;
    widen_integers(flat, count, values.data());
    int64_t min = values[0], max = values[0];
    for (uint32_t i = 1; i < count; ++i) {
      min = std::min(min, values[i]);
      max = std::max(max, values[i]);
    }
    statistics.min = min;
    statistics.max = max;
  } else if (type == PhysicalType::kFloat) {
    float_bounds<float>(flat, count, &statistics);
  } else if (type == PhysicalType::kDouble) {
    float_bounds<double>(flat, count, &statistics);
  } else {
    return statistics;
  }
  statistics.has_bounds = true;
  return statistics;
}

struct ColumnEncoder::State {
  SqlType type;
  PhysicalType physical{};
  uint32_t rows = 0;
  std::vector<Vector> vectors;  // flat
  std::string no_parameters;
  IntegerChoice integers;
  std::optional<FloatEncoder<float>> floats;
  std::optional<FloatEncoder<double>> doubles;
  std::optional<StringEncoder> strings;

  uint32_t rows_of(uint32_t vector_index) const {
    return std::min(kVectorSize, rows - vector_index * kVectorSize);
  }
  void choose();
  Codec encode_payload(const Vector& vector, uint32_t count, std::string* payload) const;
  template <class T>
  std::array<T, kVectorSize> filled(const Vector& vector, uint32_t count) const {
    std::array<T, kVectorSize> values;
    copy_without_nulls(vector, count, values.data());
    return values;
  }
};

void ColumnEncoder::State::choose() {
  if (is_integer_type(physical)) {
    integers = choose_integer_codecs(vectors, rows);
  } else if (physical == PhysicalType::kFloat) {
    floats = make_float_encoder<float>(vectors, rows);
  } else if (physical == PhysicalType::kDouble) {
    doubles = make_float_encoder<double>(vectors, rows);
  } else if (physical == PhysicalType::kString) {
    std::vector<std::span<const std::string_view>> spans;
    for (uint32_t v = 0; v < vectors.size(); ++v) {
      spans.emplace_back(vectors[v].values<std::string_view>(), rows_of(v));
    }
    strings.emplace(std::move(spans));
  }
}

Codec ColumnEncoder::State::encode_payload(const Vector& vector, uint32_t count, std::string* payload) const {
  switch (physical) {
    case PhysicalType::kFloat: return floats->encode(filled<float>(vector, count).data(), count, payload);
    case PhysicalType::kDouble: return doubles->encode(filled<double>(vector, count).data(), count, payload);
    case PhysicalType::kDecimal:
      return encode_decimals(filled<Decimal>(vector, count).data(), count, payload);
    case PhysicalType::kInterval:
      return encode_intervals(filled<Interval>(vector, count).data(), count, payload);
    case PhysicalType::kUuid: return encode_uuids(filled<Uuid>(vector, count).data(), count, payload);
    case PhysicalType::kString: return strings->encode({vector.values<std::string_view>(), count}, payload);
    default: break;
  }
  std::array<int64_t, kVectorSize> values;
  widen_integers(vector, count, values.data());
  std::string section;
  const Codec codec = encode_integers(values.data(), count, integers, &section);
  payload->append(section, 1);
  return codec;
}

ColumnEncoder::ColumnEncoder(SqlType type, uint32_t rows, std::vector<Vector> vectors)
    : state_(std::make_unique<State>()) {
  state_->type = type;
  state_->physical = physical_type(type);
  state_->rows = rows;
  for (uint32_t v = 0; v < vectors.size(); ++v) {
    const uint32_t count = state_->rows_of(v);
    state_->vectors.push_back(flatten(vectors[v], count, {nullptr, count}, false));
  }
  state_->choose();
}

ColumnEncoder::~ColumnEncoder() = default;

const std::string& ColumnEncoder::parameters() const {
  return state_->strings ? state_->strings->parameters() : state_->no_parameters;
}

void ColumnEncoder::encode(uint32_t vector_index, std::string* out, VectorStatistics* statistics) {
  const Vector& vector = state_->vectors[vector_index];
  const uint32_t count = state_->rows_of(vector_index);
  if (statistics) *statistics = compute_statistics(vector, count);
  ByteWriter writer(*out);
  const uint64_t nulls = statistics ? statistics->null_count : count_nulls(vector.validity, count);
  if (nulls == count) {
    writer.u8(static_cast<uint8_t>(Codec::kAllNull));
    writer.u8(0);
    return;
  }
  const size_t start = out->size();
  writer.u8(0);
  encode_validity(vector.validity, count, out);
  (*out)[start] = static_cast<char>(state_->encode_payload(vector, count, out));
}

}  // namespace idem
