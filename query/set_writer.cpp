#include "query/set_writer.h"

#include <algorithm>
#include <cstring>

namespace idem {

bool any_null(const std::vector<Value>& arguments) {
  for (const Value& value : arguments) {
    if (value.is_null()) return true;
  }
  return false;
}

SetWriter::SetWriter(std::vector<SqlType> types, const std::function<void(DataChunk&)>& emit)
    : types_(std::move(types)), emit_(emit), elements_(types_.size()), valid_(types_.size()) {
  begin();
}

void SetWriter::begin() {
  rows_ = 0;
  chunk_ = DataChunk();
  chunk_.columns.resize(types_.size());
  for (size_t i = 0; i < types_.size(); ++i) {
    elements_[i] = static_cast<char*>(chunk_.columns[i].allocate(types_[i], kVectorSize));
    std::memset(elements_[i], 0, physical_size(physical_type(types_[i])) * kVectorSize);
    valid_[i].assign(kVectorSize / 64, 0);
  }
}

char* SetWriter::place(size_t column) {
  valid_[column][rows_ >> 6] |= uint64_t{1} << (rows_ & 63);
  return elements_[column] + physical_size(physical_type(types_[column])) * rows_;
}

void SetWriter::set_text(size_t column, std::string_view text) {
  set(column, chunk_.columns[column].store_string(text));
}

void SetWriter::set_element(size_t column, const void* element) {
  const PhysicalType physical = physical_type(types_[column]);
  if (physical == PhysicalType::kString) {
    std::string_view text;
    std::memcpy(&text, element, sizeof text);
    set_text(column, text);
  } else {
    std::memcpy(place(column), element, physical_size(physical));
  }
}

void SetWriter::next_row() {
  if (++rows_ < kVectorSize) return;
  finish();
  begin();
}

void SetWriter::finish() {
  if (rows_ == 0) return;
  for (size_t i = 0; i < types_.size(); ++i) {
    const uint32_t words = (rows_ + 63) / 64;
    bool all = true;
    for (uint32_t row = 0; row < rows_ && all; ++row) all = ((valid_[i][row >> 6] >> (row & 63)) & 1) != 0;
    if (!all) std::copy_n(valid_[i].data(), words, chunk_.columns[i].allocate_validity(rows_));
  }
  chunk_.set_size(rows_);
  rows_ = 0;
  emit_(chunk_);
}

}  // namespace idem
