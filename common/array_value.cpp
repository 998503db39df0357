#include "common/array_value.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "common/decimal.h"
#include "common/element_access.h"
#include "common/error.h"
#include "common/interval.h"
#include "common/string_order.h"
#include "common/uuid.h"

namespace idem {

namespace {

constexpr size_t kHeaderSize = 8;

// Symbols are kept as strings here; 0 stands for strings.
uint32_t element_size_of(TypeId element) {
  const PhysicalType physical = element == TypeId::kSymbol ? PhysicalType::kString : physical_type(element);
  return physical == PhysicalType::kString ? 0 : static_cast<uint32_t>(physical_size(physical));
}

void append_u32(std::string& out, uint32_t value) {
  char bytes[4];
  std::memcpy(bytes, &value, 4);
  out.append(bytes, 4);
}

uint32_t load_u32(const char* p) {
  uint32_t value;
  std::memcpy(&value, p, 4);
  return value;
}

SqlError corrupted() { return sql_error(sqlstate::kDataCorrupted, "array value is malformed"); }

template <class T>
int three_way(const T& a, const T& b) {
  return a < b ? -1 : b < a ? 1 : 0;
}

// Arrays of these are alike, whichever of them was written.
bool is_text(TypeId type) { return is_string_like(type) && type != TypeId::kChar; }

// NaN equals itself and is above everything else.
template <class T>
int compare_floating(T a, T b) {
  if (std::isnan(a) || std::isnan(b)) return three_way(std::isnan(a), std::isnan(b));
  return three_way(a, b);
}

}  // namespace

ArrayBuilder::ArrayBuilder(TypeId element) : element_(element), element_size_(element_size_of(element)) {}

void ArrayBuilder::append(const void* element) {
  if (element_size_ == 0) return append_string(*static_cast<const std::string_view*>(element));
  data_.append(static_cast<const char*>(element), element_size_);
  nulls_.push_back(false);
}

void ArrayBuilder::append_string(std::string_view text) {
  if (data_.size() + text.size() > UINT32_MAX) {
    throw sql_error(sqlstate::kProgramLimitExceeded, "array size exceeds the maximum allowed");
  }
  data_ += text;
  ends_.push_back(static_cast<uint32_t>(data_.size()));
  nulls_.push_back(false);
}

void ArrayBuilder::append_null() {
  if (element_size_ == 0) {
    ends_.push_back(static_cast<uint32_t>(data_.size()));
  } else {
    data_.append(element_size_, '\0');
  }
  nulls_.push_back(true);
  has_nulls_ = true;
}

void ArrayBuilder::clear() {
  nulls_.clear();
  has_nulls_ = false;
  data_.clear();
  ends_.clear();
}

void ArrayBuilder::append_to(std::string& out) const {
  append_u32(out, static_cast<uint32_t>(nulls_.size()));
  out.push_back(static_cast<char>(element_));
  out.push_back(has_nulls_ ? 1 : 0);
  out.append(2, '\0');
  if (has_nulls_) {
    const size_t bitmap = out.size();
    out.append((nulls_.size() + 7) / 8, '\0');
    for (size_t i = 0; i < nulls_.size(); ++i) {
      if (nulls_[i]) out[bitmap + i / 8] = static_cast<char>(out[bitmap + i / 8] | 1 << (i % 8));
    }
  }
  for (const uint32_t end : ends_) append_u32(out, end);
  out += data_;
}

std::string ArrayBuilder::finish() const {
  std::string out;
  append_to(out);
  return out;
}

ArrayView::ArrayView(std::string_view bytes) {
  if (bytes.size() < kHeaderSize) throw corrupted();
  size_ = load_u32(bytes.data());
  const auto id = static_cast<uint8_t>(bytes[4]);
  if (id > static_cast<uint8_t>(TypeId::kVoid)) throw corrupted();
  element_ = static_cast<TypeId>(id);
  element_size_ = element_size_of(element_);
  size_t at = kHeaderSize;
  if (bytes[5] != 0) {
    nulls_ = bytes.data() + at;
    at += (static_cast<size_t>(size_) + 7) / 8;
  }
  values_ = bytes.data() + at;
  const size_t fixed = static_cast<size_t>(size_) * (element_size_ == 0 ? 4 : element_size_);
  if (at + fixed > bytes.size()) throw corrupted();
  size_t characters = 0;
  if (element_size_ == 0) {
    characters_ = values_ + fixed;
    uint32_t before = 0;
    for (uint32_t i = 0; i < size_; ++i) {
      const uint32_t end = load_u32(values_ + 4 * static_cast<size_t>(i));
      if (end < before) throw corrupted();
      before = end;
    }
    characters = before;
  }
  if (at + fixed + characters != bytes.size()) throw corrupted();
}

std::string_view ArrayView::string_at(uint32_t i) const {
  const uint32_t start = i == 0 ? 0 : load_u32(values_ + 4 * static_cast<size_t>(i - 1));
  return {characters_ + start, load_u32(values_ + 4 * static_cast<size_t>(i)) - start};
}

void ArrayView::element_at(uint32_t i, void* out) const {
  if (element_size_ == 0) {
    *static_cast<std::string_view*>(out) = string_at(i);
  } else {
    std::memcpy(out, values_ + static_cast<size_t>(i) * element_size_, element_size_);
  }
}

int compare_elements(TypeId type, const void* a, const void* b) {
  if (type == TypeId::kSymbol) type = TypeId::kVarchar;
  switch (physical_type(type)) {
    case PhysicalType::kBool: return three_way(load<uint8_t>(a), load<uint8_t>(b));
    case PhysicalType::kInt16: return three_way(load<int16_t>(a), load<int16_t>(b));
    case PhysicalType::kInt32:
      if (is_oid_like(type)) return three_way(load<uint32_t>(a), load<uint32_t>(b));
      return three_way(load<int32_t>(a), load<int32_t>(b));
    case PhysicalType::kInt64: return three_way(load<int64_t>(a), load<int64_t>(b));
    case PhysicalType::kFloat: return compare_floating(load<float>(a), load<float>(b));
    case PhysicalType::kDouble: return compare_floating(load<double>(a), load<double>(b));
    case PhysicalType::kDecimal: return compare(load<Decimal>(a), load<Decimal>(b));
    case PhysicalType::kInterval: return compare(load<Interval>(a), load<Interval>(b));
    case PhysicalType::kUuid: return three_way(load<Uuid>(a), load<Uuid>(b));
    case PhysicalType::kString: {
      return three_way(compare_strings(type, load<std::string_view>(a), load<std::string_view>(b)), 0);
    }
  }
  return 0;
}

int compare_arrays(std::string_view a, std::string_view b) {
  const ArrayView x(a);
  const ArrayView y(b);
  if (x.element() != y.element() && !(is_text(x.element()) && is_text(y.element())))
    return three_way(x.element(), y.element());
  const uint32_t common = std::min(x.size(), y.size());
  alignas(16) char left[sizeof(Decimal)];
  alignas(16) char right[sizeof(Decimal)];
  for (uint32_t i = 0; i < common; ++i) {
    int order = three_way(x.is_null(i), y.is_null(i));
    if (order == 0 && !x.is_null(i)) {
      x.element_at(i, left);
      y.element_at(i, right);
      order = compare_elements(x.element(), left, right);
    }
    if (order != 0) return order;
  }
  return three_way(x.size(), y.size());
}

}  // namespace idem
