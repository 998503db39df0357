#include "query/value_column.h"

#include <cstring>

namespace idem {

ValueColumn::ValueColumn(SqlType type)
    : type_(type.id == TypeId::kSymbol ? SqlType(TypeId::kVarchar) : type) {
  physical_ = physical_type(type_);
}

void ValueColumn::begin() {
  vector_ = Vector();
  elements_ = vector_.allocate(type_);
  validity_ = nullptr;
}

void ValueColumn::append(const Value& value) {
  if (size_ == 0) begin();
  const size_t width = physical_size(physical_);
  char* at = static_cast<char*>(elements_) + size_ * width;
  if (value.is_null()) {
    if (!validity_) validity_ = vector_.allocate_validity();
    validity_[size_ >> 6] &= ~(uint64_t{1} << (size_ & 63));
    std::memset(at, 0, width);
    if (physical_ == PhysicalType::kString) *reinterpret_cast<std::string_view*>(at) = std::string_view();
  } else {
    switch (physical_) {
      case PhysicalType::kBool: *reinterpret_cast<uint8_t*>(at) = value.as_bool() ? 1 : 0; break;
      case PhysicalType::kInt16:
        *reinterpret_cast<int16_t*>(at) = static_cast<int16_t>(value.as_int());
        break;
      case PhysicalType::kInt32:
        *reinterpret_cast<int32_t*>(at) = static_cast<int32_t>(value.as_int());
        break;
      case PhysicalType::kInt64: *reinterpret_cast<int64_t*>(at) = value.as_int(); break;
      case PhysicalType::kFloat: *reinterpret_cast<float*>(at) = static_cast<float>(value.as_double()); break;
      case PhysicalType::kDouble: *reinterpret_cast<double*>(at) = value.as_double(); break;
      case PhysicalType::kDecimal: *reinterpret_cast<Decimal*>(at) = value.as_decimal(); break;
      case PhysicalType::kInterval: *reinterpret_cast<Interval*>(at) = value.as_interval(); break;
      case PhysicalType::kUuid: *reinterpret_cast<Uuid*>(at) = value.as_uuid(); break;
      case PhysicalType::kString:
        *reinterpret_cast<std::string_view*>(at) = vector_.store_string(value.as_string());
        break;
    }
  }
  ++size_;
}

Vector ValueColumn::take() {
  if (size_ == 0) begin();
  size_ = 0;
  return std::move(vector_);
}

}  // namespace idem
