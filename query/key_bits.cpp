#include "query/key_bits.h"

#include "common/decimal.h"
#include "common/hash.h"
#include "common/interval.h"
#include "common/uuid.h"
#include "storage/symbol_dictionary.h"

namespace idem {

namespace {

std::string_view without_trailing_blanks(std::string_view text) {
  while (!text.empty() && text.back() == ' ') text.remove_suffix(1);
  return text;
}

void append_bytes(std::vector<char>& out, const void* data, size_t size) {
  const char* bytes = static_cast<const char*>(data);
  out.insert(out.end(), bytes, bytes + size);
}

}  // namespace

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
  const auto append_text = [&](std::string_view text) {
    const auto size = static_cast<uint32_t>(text.size());
    append_bytes(out, &size, sizeof size);
    append_bytes(out, text.data(), text.size());
  };
  if (vector.dictionary) return append_text(vector.dictionary->at(vector.values<int32_t>()[at]));
  switch (physical_type(vector.type)) {
    case PhysicalType::kBool: out.push_back(static_cast<char>(vector.values<uint8_t>()[at])); break;
    case PhysicalType::kInt16: append_bytes(out, &vector.values<int16_t>()[at], 2); break;
    case PhysicalType::kInt32: append_bytes(out, &vector.values<int32_t>()[at], 4); break;
    case PhysicalType::kInt64: append_bytes(out, &vector.values<int64_t>()[at], 8); break;
    case PhysicalType::kFloat: {
      const uint64_t bits = float_bits(vector.values<float>()[at]);
      append_bytes(out, &bits, sizeof bits);
      break;
    }
    case PhysicalType::kDouble: {
      const uint64_t bits = double_bits(vector.values<double>()[at]);
      append_bytes(out, &bits, sizeof bits);
      break;
    }
    case PhysicalType::kDecimal: {
      Decimal value = vector.values<Decimal>()[at];
      if (value.scale != 0) value = trim_scale(value);
      append_bytes(out, &value.value, sizeof value.value);
      append_bytes(out, &value.scale, sizeof value.scale);
      break;
    }
    case PhysicalType::kInterval: {
      const Interval& interval = vector.values<Interval>()[at];
      const int128_t days = int128_t{interval.months} * 30 + interval.days;
      const int128_t micros = days * 86'400'000'000 + interval.micros;
      append_bytes(out, &micros, sizeof micros);
      break;
    }
    case PhysicalType::kUuid: append_bytes(out, &vector.values<Uuid>()[at], sizeof(Uuid)); break;
    case PhysicalType::kString: {
      const std::string_view text = vector.values<std::string_view>()[at];
      append_text(vector.type.id == TypeId::kChar ? without_trailing_blanks(text) : text);
      break;
    }
  }
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
    auto [known, is_new] = symbol_hashes_.try_emplace(key.dictionary);
    if (is_new) owners_.push_back(key.owner);
    for_selected<int32_t>(key, selection, [&](uint32_t i, int32_t code) {
      column_[i] = code < 0 ? 0 : hash_symbol(key, known->second, code);
    });
    return;
  }
  switch (physical_type(key.type)) {
    case PhysicalType::kString:
      if (key.type.id == TypeId::kChar) break;
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
