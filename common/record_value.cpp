#include "common/record_value.h"

#include <algorithm>
#include <cstring>

#include "common/array_value.h"
#include "common/decimal.h"
#include "common/error.h"

namespace idem {

namespace {

constexpr size_t kCountBytes = 4;
constexpr size_t kHeadBytes = 8;

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

SqlError malformed() { return sql_error(sqlstate::kDataCorrupted, "composite value is malformed"); }

bool is_string(SqlType type) { return physical_type(type) == PhysicalType::kString; }

}  // namespace

void RecordBuilder::append(SqlType type, const void* element) {
  if (element != nullptr) {
    if (is_string(type)) {
      std::string_view text;
      std::memcpy(&text, element, sizeof text);
      values_ += text;
    } else {
      values_.append(static_cast<const char*>(element), physical_size(physical_type(type)));
    }
  }
  fields_.push_back({type, element == nullptr, static_cast<uint32_t>(values_.size())});
}

void RecordBuilder::clear() {
  fields_.clear();
  values_.clear();
}

void RecordBuilder::append_to(std::string& out) const {
  append_u32(out, static_cast<uint32_t>(fields_.size()));
  for (const Field& field : fields_) {
    out += static_cast<char>(field.type.id);
    out += static_cast<char>(field.type.element);
    out += static_cast<char>(field.is_null ? 1 : 0);
    out += '\0';
    append_u32(out, field.end);
  }
  out += values_;
}

RecordView::RecordView(std::string_view bytes) {
  if (bytes.size() < kCountBytes) throw malformed();
  size_ = load_u32(bytes.data());
  if (size_ > (bytes.size() - kCountBytes) / kHeadBytes) throw malformed();
  heads_ = bytes.data() + kCountBytes;
  values_ = heads_ + kHeadBytes * size_;
  const size_t value_bytes = bytes.size() - kCountBytes - kHeadBytes * size_;
  uint32_t begin = 0;
  for (uint32_t i = 0; i < size_; ++i) {
    const uint32_t end = end_of(i);
    if (end < begin || end > value_bytes ||
        static_cast<uint8_t>(head(i)[0]) > static_cast<uint8_t>(TypeId::kVoid))
      throw malformed();
    if (!is_null(i) && !is_string(type(i)) && end - begin != physical_size(physical_type(type(i))))
      throw malformed();
    begin = end;
  }
}

SqlType RecordView::type(uint32_t field) const {
  SqlType type(static_cast<TypeId>(head(field)[0]));
  type.element = static_cast<TypeId>(head(field)[1]);
  return type;
}

uint32_t RecordView::end_of(uint32_t field) const { return load_u32(head(field) + 4); }

void RecordView::element_at(uint32_t field, void* out) const {
  const uint32_t begin = field == 0 ? 0 : end_of(field - 1);
  const uint32_t size = end_of(field) - begin;
  if (is_string(type(field))) {
    const std::string_view text(values_ + begin, size);
    std::memcpy(out, &text, sizeof text);
  } else {
    std::memcpy(out, values_ + begin, size);
  }
}

int compare_records(std::string_view a, std::string_view b) {
  const RecordView x(a);
  const RecordView y(b);
  alignas(16) char left[sizeof(Decimal)];
  alignas(16) char right[sizeof(Decimal)];
  for (uint32_t i = 0; i < std::min(x.size(), y.size()); ++i) {
    if (x.type(i) != y.type(i)) {
      throw sql_error(sqlstate::kDatatypeMismatch,
                      "cannot compare dissimilar column types {} and {} at record column {}",
                      format_type(x.type(i)), format_type(y.type(i)), i + 1);
    }
    if (x.is_null(i) || y.is_null(i)) {
      if (x.is_null(i) && y.is_null(i)) continue;
      return x.is_null(i) ? 1 : -1;
    }
    x.element_at(i, left);
    y.element_at(i, right);
    if (const int order = compare_elements(x.type(i).id, left, right); order != 0) return order;
  }
  if (x.size() != y.size()) {
    throw sql_error(sqlstate::kDatatypeMismatch,
                    "cannot compare record types with different numbers of columns");
  }
  return 0;
}

}  // namespace idem
