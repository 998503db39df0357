#include "storage/column_batch.h"

#include <array>
#include <bit>
#include <cassert>
#include <cstring>
#include <new>

#include "common/error.h"
#include "common/hash.h"

namespace idem {

namespace {

template <class T>
uint64_t load(const char* p) {
  T value;
  std::memcpy(&value, p, sizeof value);
  return value;
}

// The last code seen for each slot of a hash: a repeated symbol costs one probe and one comparison, and no
// lock.
class SymbolCache {
 public:
  int32_t code_of(std::string_view text, SymbolDictionary& dictionary) {
    const Key key = key_of(text);
    if (slots_.empty()) slots_.resize(kSmall);
    Slot* slot = slot_of(key);
    if (slot->code >= 0 && slot->key == key && (text.size() <= kWhole || slot->text == text))
      return slot->code;
    const int32_t code = dictionary.intern(text);
    if (slot->code >= 0 && slots_.size() < kLarge && ++collisions_ > slots_.size()) {
      slots_.assign(slots_.size() * 8, Slot());
      collisions_ = 0;
      slot = slot_of(key);
    }
    *slot = {key, dictionary.at(code), code};
    return code;
  }

 private:
  static constexpr size_t kSmall = 64, kLarge = 32768;
  static constexpr size_t kWhole = 16;  // bytes of the longest text that its key holds

  struct Key {
    uint64_t low = 0, high = 0;  // words of the text that may overlap; of a long one its hash
    size_t size = 0;
    bool operator==(const Key&) const = default;
  };
  static Key key_of(std::string_view text) {
    const char* const p = text.data();
    const size_t n = text.size();
    if (n > kWhole) return {hash_bytes(text), 0, n};
    if (n >= 8) return {load<uint64_t>(p), load<uint64_t>(p + n - 8), n};
    if (n >= 4) return {load<uint32_t>(p), load<uint32_t>(p + n - 4), n};
    if (n == 0) return {};
    return {load<uint8_t>(p) | load<uint8_t>(p + n / 2) << 8 | load<uint8_t>(p + n - 1) << 16, 0, n};
  }

  struct Slot {
    Key key;
    std::string_view text;  // in the dictionary
    int32_t code = -1;
  };
  Slot* slot_of(const Key& key) {
    const uint64_t hash = (key.low ^ std::rotl(key.high, 32) ^ key.size) * 0x9e3779b97f4a7c15ULL;
    return &slots_[(hash >> 32) & (slots_.size() - 1)];
  }

  std::vector<Slot> slots_;
  size_t collisions_ = 0;
};

// Growing plain memory whose new part is not initialised.
class ElementStore {
 public:
  std::byte* data() { return data_.get(); }
  const std::byte* data() const { return data_.get(); }
  size_t bytes() const { return bytes_; }
  void grow(size_t used, size_t wanted) {
    auto* fresh = static_cast<std::byte*>(::operator new (wanted, std::align_val_t{64}));
    if (used > 0) std::memcpy(fresh, data_.get(), used);
    data_.reset(fresh);
    bytes_ = wanted;
  }

 private:
  struct Free {
    void operator()(std::byte* p) const { ::operator delete (p, std::align_val_t{64}); }
  };
  std::unique_ptr<std::byte, Free> data_;
  size_t bytes_ = 0;
};

}  // namespace

struct BatchColumn::State {
  SqlType type;
  PhysicalType physical = PhysicalType::kBool;
  uint32_t element_size = 1;
  uint32_t size = 0;
  uint32_t capacity = 0;
  ElementStore elements;
  std::vector<uint64_t> validity;  // empty while there are no NULLs
  StringArena arena;
  std::shared_ptr<SymbolDictionary> dictionary;
  SymbolCache symbols;

  std::byte* at(uint32_t row) { return elements.data() + static_cast<size_t>(row) * element_size; }
  const std::byte* at(uint32_t row) const {
    return elements.data() + static_cast<size_t>(row) * element_size;
  }

  // Makes room for `count` more rows.
  void ensure(size_t count) {
    const size_t wanted = size + count;
    if (wanted <= capacity) return;
    if (wanted > UINT32_MAX / 2)
      throw sql_error(sqlstate::kProgramLimitExceeded, "too many rows in one batch");
    const size_t rounded = std::max<size_t>(wanted, std::max<size_t>(8, capacity * size_t{2}));
    elements.grow(static_cast<size_t>(size) * element_size, rounded * element_size);
    capacity = static_cast<uint32_t>(rounded);
  }
  void set_bits(uint32_t first, uint32_t count) {
    for (uint32_t row = first; row < first + count; ++row) {
      if ((row & 63) == 0) validity.push_back(0);
      validity[row >> 6] |= uint64_t{1} << (row & 63);
    }
  }
  void need_validity() {
    if (!validity.empty() || size == 0) return;
    validity.reserve((capacity + 63) / 64);
    validity.assign((size + 63) / 64, ~uint64_t{0});
    if (size & 63) validity.back() = (uint64_t{1} << (size & 63)) - 1;
  }
  bool tracks_validity() const { return has_null; }
  bool has_null = false;

  void added_valid(uint32_t count) {
    if (tracks_validity()) set_bits(size, count);
    size += count;
  }
  void add_null() {
    ensure(1);
    need_validity();
    has_null = true;
    std::memset(at(size), 0, element_size);
    if (type.id == TypeId::kSymbol) *reinterpret_cast<int32_t*>(at(size)) = -1;
    if ((size & 63) == 0) validity.push_back(0);
    ++size;
  }
  bool is_null(uint32_t row) const { return has_null && !((validity[row >> 6] >> (row & 63)) & 1); }
};

BatchColumn::BatchColumn(SqlType type, std::shared_ptr<SymbolDictionary> dictionary)
    : state_(std::make_unique<State>()) {
  state_->type = type;
  state_->physical = physical_type(type);
  state_->element_size = static_cast<uint32_t>(physical_size(state_->physical));
  state_->dictionary = std::move(dictionary);
}
BatchColumn::~BatchColumn() = default;
BatchColumn::BatchColumn(BatchColumn&&) noexcept = default;
BatchColumn& BatchColumn::operator=(BatchColumn&&) noexcept = default;

SqlType BatchColumn::type() const { return state_->type; }
uint32_t BatchColumn::size() const { return state_->size; }
const void* BatchColumn::data() const { return state_->elements.data(); }
bool BatchColumn::has_nulls() const { return state_->has_null; }
const uint64_t* BatchColumn::validity() const { return state_->has_null ? state_->validity.data() : nullptr; }
bool BatchColumn::is_null(uint32_t row) const { return state_->is_null(row); }
const std::shared_ptr<SymbolDictionary>& BatchColumn::dictionary() const { return state_->dictionary; }

void BatchColumn::reserve(uint32_t rows) {
  if (rows > state_->size) state_->ensure(rows - state_->size);
}

void BatchColumn::append_null() { state_->add_null(); }

void* BatchColumn::append_space(uint32_t count) {
  State& s = *state_;
  s.ensure(count);
  std::byte* space = s.at(s.size);
  s.added_valid(count);
  return space;
}

void BatchColumn::set_null(uint32_t row) {
  State& s = *state_;
  s.need_validity();
  s.has_null = true;
  s.validity[row >> 6] &= ~(uint64_t{1} << (row & 63));
  std::memset(s.at(row), 0, s.element_size);
  if (s.type.id == TypeId::kSymbol) *reinterpret_cast<int32_t*>(s.at(row)) = -1;
}

void BatchColumn::truncate(uint32_t rows) {
  State& s = *state_;
  if (rows >= s.size) return;
  s.size = rows;
  if (!s.has_null) return;
  s.validity.resize((rows + 63) / 64);
  if (rows & 63) s.validity.back() &= (uint64_t{1} << (rows & 63)) - 1;
  s.has_null = rows > 0;
}

void BatchColumn::append_raw(const void* element) {
  State& s = *state_;
  if (s.size == s.capacity) s.ensure(1);
  std::byte* to = s.at(s.size);
  switch (s.element_size) {
    case 8: std::memcpy(to, element, 8); break;
    case 4: std::memcpy(to, element, 4); break;
    default: std::memcpy(to, element, s.element_size); break;
  }
  s.added_valid(1);
}

void BatchColumn::append_string(std::string_view text) {
  State& s = *state_;
  if (s.size == s.capacity) s.ensure(1);
  if (s.type.id == TypeId::kSymbol) {
    const int32_t code = s.symbols.code_of(text, *s.dictionary);
    std::memcpy(s.at(s.size), &code, sizeof(code));
  } else {
    assert(s.physical == PhysicalType::kString);
    const std::string_view copy = s.arena.copy(text);
    std::memcpy(s.at(s.size), &copy, sizeof(copy));
  }
  s.added_valid(1);
}

void BatchColumn::append_value(const Value& value) {
  if (value.is_null()) return append_null();
  if (state_->type.id == TypeId::kSymbol) return append_string(value.as_string());
  switch (state_->physical) {
    case PhysicalType::kBool: return append<uint8_t>(value.as_bool() ? 1 : 0);
    case PhysicalType::kInt16: return append(static_cast<int16_t>(value.as_int()));
    case PhysicalType::kInt32: return append(static_cast<int32_t>(value.as_int()));
    case PhysicalType::kInt64: return append(value.as_int());
    case PhysicalType::kFloat: return append(static_cast<float>(value.as_double()));
    case PhysicalType::kDouble: return append(value.as_double());
    case PhysicalType::kDecimal: return append(value.as_decimal());
    case PhysicalType::kInterval: return append(value.as_interval());
    case PhysicalType::kUuid: return append(value.as_uuid());
    case PhysicalType::kString: return append_string(value.as_string());
  }
}

namespace {

template <size_t kBytes>
void gather(const void* from, const uint32_t* rows, size_t count, void* to) {
  const auto* source = static_cast<const std::byte*>(from);
  auto* target = static_cast<std::byte*>(to);
  for (size_t i = 0; i < count; ++i)
    std::memcpy(target + i * kBytes, source + size_t{rows[i]} * kBytes, kBytes);
}

void gather_elements(uint32_t element_size, const void* from, const uint32_t* rows, size_t count, void* to) {
  switch (element_size) {
    case 1: return gather<1>(from, rows, count, to);
    case 2: return gather<2>(from, rows, count, to);
    case 4: return gather<4>(from, rows, count, to);
    case 8: return gather<8>(from, rows, count, to);
    case 16: return gather<16>(from, rows, count, to);
    default: return gather<32>(from, rows, count, to);
  }
}

}  // namespace

void BatchColumn::append_vector(const Vector& input, Selection selection) {
  State& s = *state_;
  const uint32_t count = selection.count;
  s.ensure(count);
  const bool string_input = input.type.id != TypeId::kSymbol;
  if (s.type.id == TypeId::kSymbol && (string_input || input.dictionary != s.dictionary.get())) {
    for (uint32_t i = 0; i < count; ++i) {
      const uint32_t row = input.is_constant() ? 0 : selection[i];
      if (!input.is_valid(row)) {
        s.add_null();
      } else {
        append_string(string_input ? input.values<std::string_view>()[row]
                                   : input.dictionary->at(input.values<int32_t>()[row]));
      }
    }
    return;
  }
  if (input.form == Vector::Form::kConstant || input.form == Vector::Form::kSequence) {
    const Vector flat = flatten(input, selection.is_all() ? count : kVectorSize, selection, false);
    return append_vector(flat, selection);
  }
  if (s.physical == PhysicalType::kString && !string_input) {  // a SYMBOL into a VARCHAR
    const uint32_t size = selection.is_all() ? count : kVectorSize;
    return append_vector(flatten(input, size, selection, true), selection);
  }
  const uint32_t first = s.size;
  if (selection.is_all() && count > 0) {
    std::memcpy(s.at(first), input.data, static_cast<size_t>(count) * s.element_size);
  } else {
    for (uint32_t i = 0; i < count; ++i) {
      std::memcpy(s.at(first + i),
                  static_cast<const std::byte*>(input.data) + size_t{selection[i]} * s.element_size,
                  s.element_size);
    }
  }
  const bool any_null = input.may_have_nulls();
  if (any_null && !s.has_null) {
    s.need_validity();
    s.has_null = true;
  }
  if (!any_null) {
    s.added_valid(count);
  } else {
    for (uint32_t i = 0; i < count; ++i) {
      if ((s.size & 63) == 0) s.validity.push_back(0);
      const bool valid = input.is_valid(selection[i]);
      s.validity[s.size >> 6] |= uint64_t{valid} << (s.size & 63);
      if (!valid) {
        std::memset(s.at(s.size), 0, s.element_size);
        if (s.type.id == TypeId::kSymbol) *reinterpret_cast<int32_t*>(s.at(s.size)) = -1;
      }
      ++s.size;
    }
  }
  if (s.physical == PhysicalType::kString) {
    auto* texts = reinterpret_cast<std::string_view*>(s.at(first));
    for (uint32_t i = 0; i < count; ++i) {
      if (!s.is_null(first + i)) texts[i] = s.arena.copy(texts[i]);
    }
  }
}

void BatchColumn::append_from(const BatchColumn& other, const uint32_t* rows, size_t count) {
  State& s = *state_;
  const State& o = *other.state_;
  s.ensure(count);
  const uint32_t first = s.size;
  if (s.type.id == TypeId::kSymbol && o.dictionary != s.dictionary) {
    for (size_t i = 0; i < count; ++i) {
      if (o.is_null(rows[i])) {
        s.add_null();
      } else {
        append_string(o.dictionary->at(reinterpret_cast<const int32_t*>(o.elements.data())[rows[i]]));
      }
    }
    return;
  }
  gather_elements(s.element_size, o.elements.data(), rows, count, s.at(first));
  if (s.physical == PhysicalType::kString) {
    auto* texts = reinterpret_cast<std::string_view*>(s.at(first));
    for (size_t i = 0; i < count; ++i) texts[i] = s.arena.copy(texts[i]);
  }
  if (!o.has_null) {
    s.added_valid(static_cast<uint32_t>(count));
    return;
  }
  if (!s.has_null) {
    s.need_validity();
    s.has_null = true;
  }
  for (size_t i = 0; i < count; ++i, ++s.size) {
    if ((s.size & 63) == 0) s.validity.push_back(0);
    s.validity[s.size >> 6] |= uint64_t{!o.is_null(rows[i])} << (s.size & 63);
  }
}

void BatchColumn::append_range(const BatchColumn& other, uint32_t first, uint32_t count) {
  State& s = *state_;
  const State& o = *other.state_;
  if (s.physical == PhysicalType::kString || o.has_null || o.dictionary != s.dictionary) {
    std::vector<uint32_t> rows(count);
    for (uint32_t i = 0; i < count; ++i) rows[i] = first + i;
    return append_from(other, rows.data(), count);
  }
  s.ensure(count);
  std::memcpy(s.at(s.size), o.at(first), static_cast<size_t>(count) * s.element_size);
  s.added_valid(count);
}

std::string_view BatchColumn::string_at(uint32_t row) const {
  const State& s = *state_;
  if (s.is_null(row)) return {};
  if (s.type.id == TypeId::kSymbol) {
    return s.dictionary->at(reinterpret_cast<const int32_t*>(s.elements.data())[row]);
  }
  return reinterpret_cast<const std::string_view*>(s.elements.data())[row];
}

Vector BatchColumn::slice(uint32_t first, uint32_t count) const {
  const State& s = *state_;
  assert(first + count <= s.size && count <= kVectorSize);
  Vector out;
  out.type = s.type;
  if (s.has_null) {
    uint64_t* words = out.allocate_validity(count);
    const uint32_t shift = first & 63;
    const size_t base = first >> 6;
    for (size_t w = 0; w < (size_t{count} + 63) / 64; ++w) {
      uint64_t word = s.validity[base + w] >> shift;
      if (shift != 0 && base + w + 1 < s.validity.size()) word |= s.validity[base + w + 1] << (64 - shift);
      words[w] = word;
    }
  }
  out.form = s.type.id == TypeId::kSymbol ? Vector::Form::kDictionary : Vector::Form::kFlat;
  out.data = s.at(first);
  out.dictionary = s.dictionary.get();
  return out;
}

size_t BatchColumn::memory_bytes() const {
  return sizeof(State) + state_->elements.bytes() + state_->validity.size() * 8 + state_->arena.bytes();
}

ColumnBatch::ColumnBatch(std::shared_ptr<const TableSchema> schema) : schema_(std::move(schema)) {
  columns_.reserve(schema_->columns.size());
  for (const ColumnSchema& column : schema_->columns) columns_.emplace_back(column.type, column.dictionary);
}

size_t ColumnBatch::memory_bytes() const {
  size_t bytes = 0;
  for (const BatchColumn& column : columns_) bytes += column.memory_bytes();
  return bytes;
}

void ColumnBatch::append_range(const ColumnBatch& other, uint32_t first, uint32_t count) {
  assert(columns_.size() == other.columns_.size());
  for (size_t i = 0; i < columns_.size(); ++i) columns_[i].append_range(other.columns_[i], first, count);
}

void ColumnBatch::reserve(uint32_t rows) {
  for (BatchColumn& column : columns_) column.reserve(rows);
}

void ColumnBatch::append_rows(const ColumnBatch& other, const uint32_t* rows, size_t count) {
  assert(columns_.size() == other.columns_.size());
  for (size_t i = 0; i < columns_.size(); ++i) columns_[i].append_from(other.columns_[i], rows, count);
}

}  // namespace idem
