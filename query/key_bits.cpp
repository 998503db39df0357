#include "query/key_bits.h"

#include <cstring>

#include "common/decimal.h"
#include "common/element_access.h"
#include "common/hash.h"
#include "common/interval.h"
#include "common/json_order.h"
#include "common/record_value.h"
#include "common/string_order.h"
#include "query/array_elements.h"
#include "storage/symbol_dictionary.h"

namespace idem {

namespace {

void append_bytes(std::vector<char>& out, const void* data, size_t size) {
  const char* bytes = static_cast<const char*>(data);
  out.insert(out.end(), bytes, bytes + size);
}

void append_text(std::vector<char>& out, std::string_view text) {
  const auto size = static_cast<uint32_t>(text.size());
  append_bytes(out, &size, sizeof size);
  append_bytes(out, text.data(), text.size());
}

template <class View, class TypeOf>
void append_elements(std::vector<char>& out, const View& view, TypeOf type_of) {
  const uint32_t size = view.size();
  append_bytes(out, &size, sizeof size);
  ElementBuffer buffer;
  for (uint32_t i = 0; i < size; ++i) {
    out.push_back(view.is_null(i) ? 0 : 1);
    if (view.is_null(i)) continue;
    view.element_at(i, buffer.bytes);
    append_element_key(out, type_of(i), buffer.bytes);
  }
}

void append_string_key(std::vector<char>& out, TypeId type, std::string_view value) {
  switch (type) {
    case TypeId::kChar: return append_text(out, without_padding(value));
    case TypeId::kJsonb: {
      std::string key;
      append_jsonb_key(key, value);
      return append_text(out, key);
    }
    case TypeId::kArray:
    case TypeId::kInt2Vector: {
      const ArrayView array(value);
      return append_elements(out, array, [&](uint32_t) { return SqlType(array.element()); });
    }
    case TypeId::kRecord: {
      const RecordView record(value);
      return append_elements(out, record, [&](uint32_t i) { return record.type(i); });
    }
    default: return append_text(out, value);
  }
}

}  // namespace

void append_element_key(std::vector<char>& out, SqlType type, const void* element) {
  const PhysicalType physical = type.id == TypeId::kSymbol ? PhysicalType::kString : physical_type(type);
  switch (physical) {
    case PhysicalType::kFloat: {
      const uint64_t bits = float_bits(load<float>(element));
      return append_bytes(out, &bits, sizeof bits);
    }
    case PhysicalType::kDouble: {
      const uint64_t bits = double_bits(load<double>(element));
      return append_bytes(out, &bits, sizeof bits);
    }
    case PhysicalType::kDecimal: {
      auto value = load<Decimal>(element);
      if (value.scale != 0) value = trim_scale(value);
      append_bytes(out, &value.value, sizeof value.value);
      return append_bytes(out, &value.scale, sizeof value.scale);
    }
    case PhysicalType::kInterval: {
      const auto interval = load<Interval>(element);
      const int128_t days = int128_t{interval.months} * 30 + interval.days;
      const int128_t micros = days * 86'400'000'000 + interval.micros;
      return append_bytes(out, &micros, sizeof micros);
    }
    case PhysicalType::kString: return append_string_key(out, type.id, load<std::string_view>(element));
    case PhysicalType::kBool:
    case PhysicalType::kInt16:
    case PhysicalType::kInt32:
    case PhysicalType::kInt64:
    case PhysicalType::kUuid: return append_bytes(out, element, physical_size(physical));
  }
}

void append_key_bytes(std::vector<char>& out, const Vector& vector, uint32_t row) {
  if (!vector.is_valid(row)) {
    out.push_back(0);
    return;
  }
  out.push_back(1);
  if (vector.form == Vector::Form::kSequence) {
    const int64_t value = vector.sequence_start + row * vector.sequence_step;
    return append_bytes(out, &value, sizeof value);
  }
  const uint32_t at = vector.is_constant() ? 0 : row;
  if (vector.dictionary) return append_text(out, vector.dictionary->at(vector.values<int32_t>()[at]));
  append_element_key(out, vector.type,
                     static_cast<const char*>(vector.data) + physical_size(physical_type(vector.type)) * at);
}

uint64_t KeyHasher::hash_symbol(const Vector& vector, std::vector<uint64_t>& known, int32_t code) {
  const auto at = static_cast<size_t>(code);
  if (at >= known.size()) known.resize(std::max<size_t>(at + 1, vector.dictionary->size()), 0);
  if (known[at] == 0) known[at] = hash_bytes(vector.dictionary->at(code)) | 1;
  return known[at];
}

// column_[i] = hash of the i-th selected row's key; what is under a NULL gets some hash.
void KeyHasher::hash_column(const Vector& key, Selection selection) {
  column_.resize(kVectorSize);
  const bool is_symbol = key.dictionary || key.type.id == TypeId::kSymbol;
  if (is_symbol) {
    if (!key.dictionary) return;  // all NULL
    const auto [known, is_new] = symbol_hashes_.try_emplace(key.dictionary);
    if (is_new) owners_.push_back(key.owner);
    auto& hashes = known->second;
    for_selected<int32_t>(key, selection, [&](uint32_t i, int32_t code) {
      column_[i] = code < 0 ? 0 : hash_symbol(key, hashes, code);
    });
    return;
  }
  switch (physical_type(key.type)) {
    case PhysicalType::kString:
      if (!compares_by_bytes(key.type.id)) break;
      return for_selected<std::string_view>(
          key, selection, [&](uint32_t i, std::string_view text) { column_[i] = hash_bytes(text) | 1; });
    case PhysicalType::kDecimal:
    case PhysicalType::kInterval:
    case PhysicalType::kUuid: break;
    default: return for_bits(key, selection, [&](uint32_t i, uint64_t bits) { column_[i] = hash_u64(bits); });
  }
  for (uint32_t i = 0; i < selection.count; ++i) {
    bytes_.clear();
    append_key_bytes(bytes_, key, selection[i]);
    column_[i] = hash_bytes(bytes_.data(), bytes_.size());
  }
}

void KeyHasher::hash(const Vector* keys, size_t key_count, Selection selection, uint64_t* hashes) {
  constexpr uint64_t kNullHash = 0x5bd1e9955bd1e995ULL;
  std::fill_n(hashes, selection.count, uint64_t{0});
  for (size_t k = 0; k < key_count; ++k) {
    hash_column(keys[k], selection);
    for (uint32_t i = 0; i < selection.count; ++i) {
      hashes[i] = hash_combine(hashes[i], keys[k].is_valid(selection[i]) ? column_[i] : kNullHash);
    }
  }
}

}  // namespace idem
