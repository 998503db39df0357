#pragma once

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <gtest/gtest.h>
#include <limits>
#include <random>
#include <string>
#include <vector>

#include "common/decimal.h"
#include "common/interval.h"
#include "common/uuid.h"
#include "storage/vector.h"

// Columns of every type and of many shapes, for tests that write them and read them back.
namespace idem::column_samples {

using Random = std::mt19937_64;

// A vector of given values; `nulls` lists the NULL rows, whose data becomes canonical.
template <class T>
Vector make_vector(SqlType type, const std::vector<T>& values, const std::vector<bool>& nulls = {}) {
  Vector vector;
  const auto count = static_cast<uint32_t>(values.size());
  T* out = vector.allocate_as<T>(type, count);
  for (uint32_t i = 0; i < count; ++i) {
    if constexpr (std::is_same_v<T, std::string_view>) {
      out[i] = vector.store_string(values[i]);
    } else {
      out[i] = values[i];
    }
  }
  if (std::find(nulls.begin(), nulls.end(), true) == nulls.end()) return vector;
  uint64_t* words = vector.allocate_validity(count);
  for (uint32_t i = 0; i < count; ++i) {
    if (!nulls[i]) continue;
    words[i / 64] &= ~(uint64_t{1} << (i % 64));
    out[i] = T{};
    if constexpr (std::is_same_v<T, int32_t>) out[i] = type.id == TypeId::kSymbol ? -1 : 0;
  }
  return vector;
}

inline bool same_element(const std::string_view& a, const std::string_view& b) { return a == b; }
inline bool same_element(const Decimal& a, const Decimal& b) {
  return a.value == b.value && a.scale == b.scale;
}
inline bool same_element(const Interval& a, const Interval& b) { return std::memcmp(&a, &b, sizeof a) == 0; }
inline bool same_element(const Uuid& a, const Uuid& b) { return a == b; }
template <class T>
bool same_element(const T& a, const T& b) {
  return std::memcmp(&a, &b, sizeof a) == 0;  // NaN and -0 as well
}

template <class T>
void expect_same_elements(const Vector& expected, const Vector& actual, uint32_t first, uint32_t count) {
  for (uint32_t i = 0; i < count; ++i) {
    ASSERT_EQ(expected.is_valid(first + i), actual.is_valid(i)) << "row " << first + i;
    ASSERT_TRUE(same_element(expected.values<T>()[first + i], actual.values<T>()[i])) << "row " << first + i;
  }
}

// Rows [first, first + count) of a flat vector against all rows of another of any form, NULLs' data included.
inline void expect_same(const Vector& expected, const Vector& actual, uint32_t first, uint32_t count) {
  ASSERT_EQ(expected.type, actual.type);
  const Vector flat = flatten(actual, count, {nullptr, count}, false);
  switch (physical_type(expected.type)) {
    case PhysicalType::kBool: return expect_same_elements<uint8_t>(expected, flat, first, count);
    case PhysicalType::kInt16: return expect_same_elements<int16_t>(expected, flat, first, count);
    case PhysicalType::kInt32: return expect_same_elements<int32_t>(expected, flat, first, count);
    case PhysicalType::kInt64: return expect_same_elements<int64_t>(expected, flat, first, count);
    case PhysicalType::kFloat: return expect_same_elements<float>(expected, flat, first, count);
    case PhysicalType::kDouble: return expect_same_elements<double>(expected, flat, first, count);
    case PhysicalType::kDecimal: return expect_same_elements<Decimal>(expected, flat, first, count);
    case PhysicalType::kInterval: return expect_same_elements<Interval>(expected, flat, first, count);
    case PhysicalType::kUuid: return expect_same_elements<Uuid>(expected, flat, first, count);
    case PhysicalType::kString: return expect_same_elements<std::string_view>(expected, flat, first, count);
  }
}

// Integers of one of many shapes.
inline constexpr int kIntegerShapes = 14;
inline int64_t integer_of_shape(int shape, uint32_t i, Random& random) {
  constexpr int64_t kMin = std::numeric_limits<int64_t>::min(), kMax = std::numeric_limits<int64_t>::max();
  const auto noise = random();
  switch (shape) {
    case 0: return 42;
    case 1: return static_cast<int64_t>(noise);
    case 2: return 1'700'000'000'000'000 + int64_t{i} * 1'000'000;
    case 3: return 1'700'000'000'000'000 + int64_t{i} * 1'000'000 + static_cast<int64_t>(noise % 1000);
    case 4: return i / 100;
    case 5: return noise % 50 == 0 ? static_cast<int64_t>(noise) : static_cast<int64_t>(noise % 16);
    case 6: return i % 2 == 0 ? kMin : kMax;
    case 7: return static_cast<int64_t>(noise % 7) * 3600 - 100;
    case 8: return int64_t{i} * i;
    case 9: return static_cast<int64_t>(noise >> (noise % 64));
    case 10: return -static_cast<int64_t>(noise % 3);
    case 11: return static_cast<int64_t>(uint64_t{i} * 0x9e3779b97f4a7c15ULL);
    case 12: return kMin + static_cast<int64_t>(i % 5);
    default: return i == 0 ? kMax : kMin;
  }
}

inline constexpr int kDoubleShapes = 13;
inline double double_of_shape(int shape, uint32_t i, Random& random) {
  const auto noise = random();
  switch (shape) {
    case 0: return 1.5;
    case 1: return std::bit_cast<double>(noise);  // anything, NaN payloads included
    case 2: return static_cast<double>(noise % 100'000) / 100.0;
    case 3: return static_cast<double>(noise % 1'000'000) / 10'000.0;
    case 4: return std::sin(static_cast<double>(i) * 0.001);
    case 5: return i % 3 == 0 ? -0.0 : 0.0;
    case 6:
      return i % 2 == 0 ? std::numeric_limits<double>::infinity() : -std::numeric_limits<double>::infinity();
    case 7:
      return noise % 100 == 0 ? std::numeric_limits<double>::quiet_NaN()
                              : static_cast<double>(noise % 500) / 4;
    case 8: return static_cast<double>(noise % 1000) * 1e15;
    case 9: return static_cast<double>(i / 500);
    case 10: return std::numeric_limits<double>::denorm_min() * static_cast<double>(noise % 100);
    case 11: return i % 2 == 0 ? std::numeric_limits<double>::max() : std::numeric_limits<double>::lowest();
    default: return 20.0 + static_cast<double>(noise % 4096) * 0x1p-44;
  }
}

inline constexpr int kStringShapes = 8;
inline std::string string_of_shape(int shape, uint32_t i, Random& random) {
  const auto noise = random();
  switch (shape) {
    case 0: return "same";
    case 1: return std::string();
    case 2: return "choice " + std::to_string(noise % 20);
    case 3: {
      std::string text(noise % 40, '\0');
      for (char& c : text) c = static_cast<char>(random());
      return text;
    }
    case 4: return "https://example.com/items/" + std::to_string(i) + "?page=" + std::to_string(noise % 10);
    case 5: return std::string(noise % 500 == 0 ? 20'000 : 3, 'x');
    case 6: return i % 2 == 0 ? std::string() : std::string(1, static_cast<char>('a' + noise % 26));
    default: return std::to_string(noise);
  }
}

inline Decimal decimal_of_shape(int shape, uint32_t i, Random& random) {
  const auto noise = static_cast<int64_t>(random() % 1'000'000);
  const int128_t limit = power_of_ten(kMaxDecimalDigits) - 1;
  switch (shape % 5) {
    case 0: return {noise, 2};
    case 1: return {noise, static_cast<int32_t>(i % 39)};
    case 2: return {i % 2 == 0 ? limit : -limit, 38};
    case 3: return {7, 1};
    default: return {int128_t{noise} * power_of_ten(20), 10};
  }
}

inline Interval interval_of_shape(int shape, uint32_t i, Random& random) {
  const auto noise = random();
  switch (shape % 4) {
    case 0: return {static_cast<int64_t>(noise % 86'400'000'000), 0, 0};
    case 1:
      return {static_cast<int64_t>(noise), static_cast<int32_t>(noise), static_cast<int32_t>(noise >> 32)};
    case 2:
      return {std::numeric_limits<int64_t>::min(), std::numeric_limits<int32_t>::min(),
              static_cast<int32_t>(i)};
    default: return {0, 1, 2};
  }
}

inline Uuid uuid_of_shape(int shape, uint32_t i, Random& random) {
  Uuid uuid;
  if (shape % 3 == 2) return uuid;
  for (uint8_t& byte : uuid.bytes) byte = static_cast<uint8_t>(random());
  if (shape % 3 == 1) std::memset(uuid.bytes.data(), static_cast<int>(i % 3), 14);
  return uuid;
}

inline std::vector<bool> nulls_of_shape(int shape, uint32_t count, Random& random) {
  std::vector<bool> nulls(count);
  for (uint32_t i = 0; i < count; ++i) {
    switch (shape) {
      case 0: break;
      case 1: nulls[i] = true; break;
      case 2: nulls[i] = random() % 2 == 0; break;
      case 3: nulls[i] = i == count / 2; break;
      case 4: nulls[i] = i < count / 3; break;
      default: nulls[i] = i % 97 != 0; break;
    }
  }
  return nulls;
}
inline constexpr int kNullShapes = 6;

inline const std::vector<SqlType>& all_types() {
  static const std::vector<SqlType> types = {
      TypeId::kBoolean, TypeId::kSmallInt, TypeId::kInteger,        TypeId::kBigInt, TypeId::kReal,
      TypeId::kDouble,  TypeId::kVarchar,  SqlType::decimal(38, 2), TypeId::kSymbol, TypeId::kTimestamp,
      TypeId::kDate,    TypeId::kTime,     TypeId::kInterval,       TypeId::kUuid,   TypeId::kBytea};
  return types;
}

// `count` rows of a type; symbols are codes below 1000.
inline Vector sample_vector(SqlType type, int shape, int null_shape, uint32_t count, Random& random) {
  const std::vector<bool> nulls = nulls_of_shape(null_shape, count, random);
  auto build = [&]<class T>(auto&& value_at) {
    std::vector<T> values;
    for (uint32_t i = 0; i < count; ++i) values.push_back(static_cast<T>(value_at(i)));
    return make_vector<T>(type, values, nulls);
  };
  auto integer = [&](uint32_t i) { return integer_of_shape(shape % kIntegerShapes, i, random); };
  auto real = [&](uint32_t i) { return double_of_shape(shape % kDoubleShapes, i, random); };
  auto magnitude = [&](uint32_t i) { return static_cast<uint64_t>(integer(i)); };
  switch (physical_type(type)) {
    case PhysicalType::kBool: return build.operator()<uint8_t>([&](uint32_t i) { return magnitude(i) & 1; });
    case PhysicalType::kInt16: return build.operator()<int16_t>(integer);
    case PhysicalType::kInt32:
      if (type.id != TypeId::kSymbol) return build.operator()<int32_t>(integer);
      return build.operator()<int32_t>([&](uint32_t i) { return magnitude(i) % 1000; });
    case PhysicalType::kInt64:
      if (type.id != TypeId::kTime) return build.operator()<int64_t>(integer);
      return build.operator()<int64_t>([&](uint32_t i) { return magnitude(i) % 86'400'000'001; });
    case PhysicalType::kFloat:
      return build.operator()<float>([&](uint32_t i) {
        if (shape % kDoubleShapes == 1) return std::bit_cast<float>(static_cast<uint32_t>(random()));
        const double v = real(i);
        return std::abs(v) > 1e38 && std::isfinite(v) ? 1e38F : static_cast<float>(v);
      });
    case PhysicalType::kDouble: return build.operator()<double>(real);
    case PhysicalType::kDecimal:
      return build.operator()<Decimal>([&](uint32_t i) { return decimal_of_shape(shape, i, random); });
    case PhysicalType::kInterval:
      return build.operator()<Interval>([&](uint32_t i) { return interval_of_shape(shape, i, random); });
    case PhysicalType::kUuid:
      return build.operator()<Uuid>([&](uint32_t i) { return uuid_of_shape(shape, i, random); });
    case PhysicalType::kString: break;
  }
  std::vector<std::string> texts;
  for (uint32_t i = 0; i < count; ++i) texts.push_back(string_of_shape(shape % kStringShapes, i, random));
  return make_vector<std::string_view>(type, std::vector<std::string_view>(texts.begin(), texts.end()),
                                       nulls);
}

}  // namespace idem::column_samples
