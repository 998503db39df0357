#include "query/key_encoder.h"

#include <algorithm>
#include <cstring>

#include "common/hash.h"
#include "common/string_order.h"
#include "common/uuid.h"
#include "query/key_bits.h"
#include "storage/symbol_dictionary.h"

namespace idem {

namespace {

bool is_text(SqlType type) {
  return type.id == TypeId::kSymbol ||
         (physical_type(type) == PhysicalType::kString && compares_by_bytes(type.id));
}

bool is_number(SqlType type) {
  switch (physical_type(type)) {
    case PhysicalType::kDecimal:
    case PhysicalType::kInterval:
    case PhysicalType::kString: return false;
    default: return type.id != TypeId::kSymbol;
  }
}

// fn(i, text) for the i-th selected row; a text without characters is not a null pointer, that of a NULL means nothing.
template <class F>
void for_texts(const Vector& vector, Selection selection, F&& fn) {
  const auto in_place = [](std::string_view text) { return text.empty() ? std::string_view("") : text; };
  if (vector.dictionary) {
    for_selected<int32_t>(vector, selection, [&](uint32_t i, int32_t code) {
      fn(i, code < 0 ? std::string_view("") : in_place(vector.dictionary->at(code)));
    });
  } else if (physical_type(vector.type) == PhysicalType::kString) {
    for_selected<std::string_view>(vector, selection,
                                   [&](uint32_t i, std::string_view text) { fn(i, in_place(text)); });
  } else {  // symbols that are all NULL
    for (uint32_t i = 0; i < selection.count; ++i) fn(i, std::string_view(""));
  }
}

uint32_t high_half(uint64_t hash) { return static_cast<uint32_t>(hash >> 32); }

}  // namespace

KeyEncoder::KeyEncoder(std::span<const SqlType> types) : types_(types.begin(), types.end()) {
  if (types_.size() == 1 && is_text(types_[0])) {
    layout_ = Layout::kOneText;
  } else {
    const bool columns = std::all_of(types_.begin(), types_.end(),
                                     [](SqlType type) { return is_text(type) || is_number(type); });
    layout_ = columns ? Layout::kColumns : Layout::kRows;
  }
}

void KeyEncoder::encode(const Vector* keys, Selection selection) {
  keys_.resize(kVectorSize);
  hashes_.resize(kVectorSize);
  if (layout_ == Layout::kOneText) return take_texts(keys[0], selection);
  if (layout_ == Layout::kColumns) {
    encode_columns(keys, selection);
  } else {
    encode_rows(keys, selection);
  }
  uint32_t begin = 0;
  for (uint32_t i = 0; i < selection.count; ++i) {
    keys_[i] = {bytes_.data() + begin, ends_[i] - begin};
    begin = ends_[i];
    hashes_[i] = high_half(hash_bytes(keys_[i]));
  }
}

void KeyEncoder::take_texts(const Vector& texts, Selection selection) {
  for_texts(texts, selection, [&](uint32_t i, std::string_view text) { keys_[i] = text; });
  if (texts.may_have_nulls()) {
    for (uint32_t i = 0; i < selection.count; ++i) {
      if (!texts.is_valid(selection[i])) keys_[i] = null_key();
    }
  }
  for (uint32_t i = 0; i < selection.count; ++i) hashes_[i] = high_half(hash_bytes(keys_[i]));
}

void KeyEncoder::encode_columns(const Vector* keys, Selection selection) {
  const uint32_t count = selection.count;
  const auto null_bytes = static_cast<uint32_t>((types_.size() + 7) / 8);
  uint32_t fixed = null_bytes;
  for (const SqlType type : types_) {
    fixed += is_text(type)                                ? sizeof(uint32_t)
             : physical_type(type) == PhysicalType::kUuid ? sizeof(Uuid)
                                                          : sizeof(uint64_t);
  }
  ends_.assign(count, fixed);
  for (size_t k = 0; k < types_.size(); ++k) {
    if (!is_text(types_[k])) continue;
    for_texts(keys[k], selection, [&](uint32_t i, std::string_view text) {
      if (keys[k].is_valid(selection[i])) ends_[i] += static_cast<uint32_t>(text.size());
    });
  }
  uint32_t total = 0;
  for (uint32_t i = 0; i < count; ++i) {
    const uint32_t size = ends_[i];
    ends_[i] = total;  // where the row's next column goes
    total += size;
  }
  bytes_.resize(total);
  for (uint32_t i = 0; i < count; ++i) {
    std::memset(bytes_.data() + ends_[i], 0, null_bytes);
    ends_[i] += null_bytes;
  }
  const auto put = [&](uint32_t i, const void* data, size_t size) {
    std::memcpy(bytes_.data() + ends_[i], data, size);
    ends_[i] += static_cast<uint32_t>(size);
  };
  for (size_t k = 0; k < types_.size(); ++k) {
    const Vector& vector = keys[k];
    if (is_text(types_[k])) {
      for_texts(vector, selection, [&](uint32_t i, std::string_view text) {
        if (!vector.is_valid(selection[i])) text = {};
        const auto size = static_cast<uint32_t>(text.size());
        put(i, &size, sizeof size);
        put(i, text.data(), size);
      });
    } else if (physical_type(types_[k]) == PhysicalType::kUuid) {
      for_selected<Uuid>(vector, selection, [&](uint32_t i, Uuid value) {
        if (!vector.is_valid(selection[i])) value = {};
        put(i, &value, sizeof value);
      });
    } else {
      for_bits(vector, selection, [&](uint32_t i, uint64_t bits) {
        if (!vector.is_valid(selection[i])) bits = 0;
        put(i, &bits, sizeof bits);
      });
    }
  }
  for (size_t k = 0; k < types_.size(); ++k) {
    if (!keys[k].may_have_nulls()) continue;
    for (uint32_t i = 0; i < count; ++i) {
      if (keys[k].is_valid(selection[i])) continue;
      char& byte = bytes_[(i == 0 ? 0 : ends_[i - 1]) + k / 8];
      byte = static_cast<char>(byte | 1 << k % 8);
    }
  }
}

void KeyEncoder::encode_rows(const Vector* keys, Selection selection) {
  bytes_.clear();
  ends_.resize(selection.count);
  for (uint32_t i = 0; i < selection.count; ++i) {
    for (size_t k = 0; k < types_.size(); ++k) append_key_bytes(bytes_, keys[k], selection[i]);
    ends_[i] = static_cast<uint32_t>(bytes_.size());
  }
}

}  // namespace idem
