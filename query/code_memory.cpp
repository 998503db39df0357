#include "query/code_memory.h"

#include <cstring>

namespace idem {

namespace {

constexpr uint32_t kMaxCodes = 1 << 20;

}  // namespace

bool CodeMemory::suits(const Vector& symbols) {
  return symbols.form == Vector::Form::kDictionary && symbols.dictionary != nullptr &&
         symbols.dictionary->size() <= kMaxCodes;
}

void CodeMemory::learn(const Vector& symbols, Selection selection, const Compute& compute) {
  if (symbols.dictionary != dictionary_) {
    dictionary_ = symbols.dictionary;
    // Keeps the dictionary, so that its address is not taken by another.
    dictionary_owner_ = symbols.owner;
    states_.clear();
    elements_.clear();
    width_ = 0;
    characters_ = std::make_shared<StringArena>();
  }
  if (states_.size() < dictionary_->size()) {
    states_.resize(dictionary_->size(), kUnknown);
    elements_.resize(states_.size() * width_);
  }
  const int32_t* codes = symbols.values<int32_t>();
  std::vector<int32_t> fresh;
  for (uint32_t i = 0; i < selection.count; ++i) {
    const int32_t code = codes[selection[i]];
    if (code < 0 || !symbols.is_valid(selection[i]) || states_[static_cast<size_t>(code)] != kUnknown)
      continue;
    states_[static_cast<size_t>(code)] = kValue;
    fresh.push_back(code);
  }
  if (fresh.empty()) return;
  try {
    add(fresh, compute);
  } catch (...) {
    dictionary_ = nullptr;
    throw;
  }
}

void CodeMemory::add(const std::vector<int32_t>& codes, const Compute& compute) {
  const auto count = static_cast<uint32_t>(codes.size());
  Vector strings;
  auto* texts = strings.allocate_as<std::string_view>(TypeId::kVarchar, count);
  for (uint32_t i = 0; i < count; ++i) texts[i] = dictionary_->at(codes[i]);
  Vector results;
  compute(strings, count, &results);
  const PhysicalType physical = physical_type(results.type);
  if (width_ == 0) {
    width_ = physical_size(physical);
    is_text_ = physical == PhysicalType::kString;
    elements_.resize(states_.size() * width_);
  }
  const char* data = static_cast<const char*>(results.data);
  for (uint32_t i = 0; i < count; ++i) {
    const auto code = static_cast<size_t>(codes[i]);
    if (!results.is_valid(i)) {
      states_[code] = kNull;
      continue;
    }
    const char* element = data + width_ * (results.is_constant() ? 0 : i);
    if (is_text_) {
      std::string_view text;
      std::memcpy(&text, element, sizeof text);
      text = characters_->copy(text);
      std::memcpy(elements_.data() + width_ * code, &text, sizeof text);
    } else {
      std::memcpy(elements_.data() + width_ * code, element, width_);
    }
  }
}

void CodeMemory::gather(const Vector& symbols, uint32_t size, Selection selection, SqlType type,
                        Vector* result) const {
  auto* out = static_cast<char*>(result->allocate(type, size));
  const size_t width = physical_size(physical_type(type));
  const int32_t* codes = symbols.values<int32_t>();
  uint64_t* words = nullptr;
  for (uint32_t i = 0; i < selection.count; ++i) {
    const uint32_t row = selection[i];
    const int32_t code = codes[row];
    if (code >= 0 && symbols.is_valid(row) && states_[static_cast<size_t>(code)] == kValue) {
      std::memcpy(out + width * row, elements_.data() + width * static_cast<size_t>(code), width);
      continue;
    }
    if (words == nullptr) words = result->allocate_validity(size);
    words[row >> 6] &= ~(uint64_t{1} << (row & 63));
    std::memset(out + width * row, 0, width);
  }
  if (is_text_) result->string_owner = characters_;
}

uint32_t CodeMemory::select(const Vector& symbols, Selection selection, bool wanted, uint16_t* out) const {
  const int32_t* codes = symbols.values<int32_t>();
  uint32_t found = 0;
  for (uint32_t i = 0; i < selection.count; ++i) {
    const uint32_t row = selection[i];
    const int32_t code = codes[row];
    out[found] = static_cast<uint16_t>(row);
    found += code >= 0 && symbols.is_valid(row) && states_[static_cast<size_t>(code)] == kValue &&
             (elements_[static_cast<size_t>(code)] != 0) == wanted;
  }
  return found;
}

}  // namespace idem
