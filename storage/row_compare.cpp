#include "storage/row_compare.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "common/array_value.h"
#include "common/hash.h"
#include "common/json_order.h"
#include "common/string_order.h"

namespace idem {

ColumnView::ColumnView(const BatchColumn& column)
    : data(column.data()),
      validity(column.validity()),
      physical(physical_type(column.type())),
      type(column.type().id),
      symbols(column.dictionary().get()) {}

ColumnView::ColumnView(const Vector& flat)
    : data(flat.data),
      validity(flat.validity),
      physical(physical_type(flat.type)),
      type(flat.type.id),
      symbols(flat.dictionary) {}

namespace {

bool same_bits(const Decimal& a, const Decimal& b) { return a.value == b.value && a.scale == b.scale; }
bool same_bits(const Interval& a, const Interval& b) {
  return a.micros == b.micros && a.days == b.days && a.months == b.months;
}

bool identical_value(const ColumnView& a, uint32_t i, const ColumnView& b, uint32_t j) {
  switch (a.physical) {
    case PhysicalType::kBool: return a.at<uint8_t>(i) == b.at<uint8_t>(j);
    case PhysicalType::kInt16: return a.at<uint16_t>(i) == b.at<uint16_t>(j);
    case PhysicalType::kInt32: return a.at<uint32_t>(i) == b.at<uint32_t>(j);
    case PhysicalType::kInt64: return a.at<int64_t>(i) == b.at<int64_t>(j);
    case PhysicalType::kFloat: return std::memcmp(&a.at<float>(i), &b.at<float>(j), 4) == 0;
    case PhysicalType::kDouble: return std::memcmp(&a.at<double>(i), &b.at<double>(j), 8) == 0;
    case PhysicalType::kDecimal: return same_bits(a.at<Decimal>(i), b.at<Decimal>(j));
    case PhysicalType::kInterval: return same_bits(a.at<Interval>(i), b.at<Interval>(j));
    case PhysicalType::kUuid: return a.at<Uuid>(i) == b.at<Uuid>(j);
    case PhysicalType::kString: return a.at<std::string_view>(i) == b.at<std::string_view>(j);
  }
  return false;
}

// Elements without padding: compares blocks of bytes, then finds the place.
uint32_t equal_elements(const void* a, const void* b, uint32_t count, size_t size) {
  const auto* x = static_cast<const std::byte*>(a);
  const auto* y = static_cast<const std::byte*>(b);
  constexpr uint32_t kBlock = 64;
  uint32_t done = 0;
  while (done < count) {
    const uint32_t length = std::min(kBlock, count - done);
    if (std::memcmp(x + done * size, y + done * size, length * size) != 0) break;
    done += length;
  }
  while (done < count && std::memcmp(x + done * size, y + done * size, size) == 0) ++done;
  return done;
}

}  // namespace

bool identical(const ColumnView& a, uint32_t row_a, const ColumnView& b, uint32_t row_b) {
  const bool null_a = a.is_null(row_a), null_b = b.is_null(row_b);
  if (null_a || null_b) return null_a == null_b;
  return identical_value(a, row_a, b, row_b);
}

uint32_t identical_prefix(const ColumnView& a, uint32_t row_a, const ColumnView& b, uint32_t row_b,
                          uint32_t count) {
  if (!a.validity && !b.validity) {
    switch (a.physical) {
      case PhysicalType::kDecimal:
      case PhysicalType::kInterval:
      case PhysicalType::kString: break;
      default: {
        const size_t size = physical_size(a.physical);
        return equal_elements(static_cast<const std::byte*>(a.data) + row_a * size,
                              static_cast<const std::byte*>(b.data) + row_b * size, count, size);
      }
    }
  }
  uint32_t i = 0;
  while (i < count && identical(a, row_a + i, b, row_b + i)) ++i;
  return i;
}

namespace {

template <class T>
int compare_floats(T a, T b) {
  const bool nan_a = std::isnan(a), nan_b = std::isnan(b);
  if (nan_a || nan_b) return static_cast<int>(nan_a) - static_cast<int>(nan_b);
  return a < b ? -1 : a > b ? 1 : 0;
}

template <class T>
int compare_order(const T& a, const T& b) {
  return a < b ? -1 : b < a ? 1 : 0;
}

}  // namespace

int key_compare(const ColumnView& a, uint32_t i, const ColumnView& b, uint32_t j) {
  const bool null_a = a.is_null(i), null_b = b.is_null(j);
  if (null_a || null_b) return static_cast<int>(null_a) - static_cast<int>(null_b);
  switch (a.physical) {
    case PhysicalType::kBool: return compare_order(a.at<uint8_t>(i), b.at<uint8_t>(j));
    case PhysicalType::kInt16: return compare_order(a.at<int16_t>(i), b.at<int16_t>(j));
    case PhysicalType::kInt32: {
      const int32_t x = a.at<int32_t>(i), y = b.at<int32_t>(j);
      if (!a.symbols) return compare_order(x, y);
      if (x == y) return 0;
      return a.symbols->at(x).compare(b.symbols->at(y));
    }
    case PhysicalType::kInt64: return compare_order(a.at<int64_t>(i), b.at<int64_t>(j));
    case PhysicalType::kFloat: return compare_floats(a.at<float>(i), b.at<float>(j));
    case PhysicalType::kDouble: return compare_floats(a.at<double>(i), b.at<double>(j));
    case PhysicalType::kDecimal: return compare(a.at<Decimal>(i), b.at<Decimal>(j));
    case PhysicalType::kInterval: return compare(a.at<Interval>(i), b.at<Interval>(j));
    case PhysicalType::kUuid: return compare_order(a.at<Uuid>(i), b.at<Uuid>(j));
    case PhysicalType::kString:
      return compare_strings(a.type, a.at<std::string_view>(i), b.at<std::string_view>(j));
  }
  return 0;
}

bool key_equal(const ColumnView& a, uint32_t i, const ColumnView& b, uint32_t j) {
  switch (a.physical) {
    case PhysicalType::kFloat:
    case PhysicalType::kDouble:
    case PhysicalType::kDecimal:
    case PhysicalType::kInterval: return key_compare(a, i, b, j) == 0;
    case PhysicalType::kString:
      return identical(a, i, b, j) || (!compares_by_bytes(a.type) && key_compare(a, i, b, j) == 0);
    default: return identical(a, i, b, j);
  }
}

namespace {

// Arrays whose bytes differ may be equal: they are hashed by their elements.
uint64_t array_hash(std::string_view bytes) {
  const ArrayView array(bytes);
  const PhysicalType physical = physical_type(array.element());
  if (physical != PhysicalType::kFloat && physical != PhysicalType::kDouble &&
      physical != PhysicalType::kDecimal && physical != PhysicalType::kInterval &&
      compares_by_bytes(array.element())) {
    return hash_bytes(bytes);
  }
  uint64_t hash = array.size();
  for (uint32_t i = 0; i < array.size(); ++i) {
    alignas(16) std::byte element[32] = {};
    ColumnView one;
    one.data = element;
    one.physical = physical;
    one.type = array.element();
    const uint64_t null_hash = 0;
    if (array.is_null(i)) {
      hash = hash_combine(hash, null_hash);
      continue;
    }
    array.element_at(i, element);
    hash = hash_combine(hash, key_hash(one, 0));
  }
  return hash;
}

uint64_t string_hash(TypeId type, std::string_view bytes) {
  switch (type) {
    case TypeId::kArray: return array_hash(bytes);
    case TypeId::kChar: return hash_bytes(without_padding(bytes));
    case TypeId::kJsonb: {
      std::string key;
      append_jsonb_key(key, bytes);
      return hash_bytes(key);
    }
    default: return hash_bytes(bytes);
  }
}

}  // namespace

uint64_t key_hash(const ColumnView& column, uint32_t row) {
  if (column.is_null(row)) return 0x9e3779b97f4a7c15ULL;
  switch (column.physical) {
    case PhysicalType::kBool: return hash_u64(column.at<uint8_t>(row));
    case PhysicalType::kInt16: return hash_u64(static_cast<uint64_t>(column.at<int16_t>(row)));
    case PhysicalType::kInt32: return hash_u64(static_cast<uint64_t>(column.at<int32_t>(row)));
    case PhysicalType::kInt64: return hash_u64(static_cast<uint64_t>(column.at<int64_t>(row)));
    case PhysicalType::kFloat: return hash_float(column.at<float>(row));
    case PhysicalType::kDouble: return hash_double(column.at<double>(row));
    case PhysicalType::kDecimal: return hash_decimal(column.at<Decimal>(row));
    case PhysicalType::kInterval: return hash_interval(column.at<Interval>(row));
    case PhysicalType::kUuid: return hash_bytes(column.at<Uuid>(row).bytes.data(), 16);
    case PhysicalType::kString: return string_hash(column.type, column.at<std::string_view>(row));
  }
  return 0;
}

}  // namespace idem
