#include "storage/vector.h"

#include <new>

#include "common/error.h"
#include "common/string_arena.h"
#include "storage/element_type.h"
#include "storage/symbol_dictionary.h"

namespace idem {

namespace {

constexpr size_t kAlignment = 64;

struct AlignedDelete {
  void operator()(void* p) const { ::operator delete (p, std::align_val_t{kAlignment}); }
};

size_t validity_words(uint32_t rows) { return (static_cast<size_t>(rows) + 63) / 64; }

}  // namespace

class VectorBuffer {
 public:
  void* elements(size_t bytes) {
    if (bytes > element_bytes_) {
      data_.reset(::operator new (bytes, std::align_val_t{kAlignment}));
      element_bytes_ = bytes;
    }
    return data_.get();
  }
  uint64_t* validity(uint32_t rows) {
    validity_.assign(validity_words(rows), ~uint64_t{0});
    return validity_.data();
  }
  StringArena& arena() { return arena_; }

 private:
  std::unique_ptr<void, AlignedDelete> data_;
  size_t element_bytes_ = 0;
  std::vector<uint64_t> validity_;
  StringArena arena_;
};

void* Vector::allocate(SqlType new_type, uint32_t capacity) {
  if (!buffer || buffer.use_count() != 1) {
    buffer = std::make_shared<VectorBuffer>();
  } else {
    buffer->arena().reset();
  }
  type = new_type;
  form = new_type.id == TypeId::kSymbol ? Form::kDictionary : Form::kFlat;
  validity = nullptr;
  dictionary = nullptr;
  owner.reset();
  string_owner.reset();
  void* elements = buffer->elements(physical_size(physical_type(new_type)) * std::max<uint32_t>(capacity, 1));
  data = elements;
  return elements;
}

uint64_t* Vector::allocate_validity(uint32_t capacity) {
  if (!buffer) buffer = std::make_shared<VectorBuffer>();
  uint64_t* words = buffer->validity(capacity);
  validity = words;
  return words;
}

std::string_view Vector::store_string(std::string_view text) {
  if (!buffer) buffer = std::make_shared<VectorBuffer>();
  return buffer->arena().copy(text);
}

char* Vector::store_string_space(size_t bytes) {
  if (!buffer) buffer = std::make_shared<VectorBuffer>();
  return buffer->arena().allocate(bytes);
}

namespace {

void store_value(Vector& vector, void* element, const Value& value) {
  switch (physical_type(value.type())) {
    case PhysicalType::kBool: *static_cast<uint8_t*>(element) = value.as_bool() ? 1 : 0; break;
    case PhysicalType::kInt16: *static_cast<int16_t*>(element) = static_cast<int16_t>(value.as_int()); break;
    case PhysicalType::kInt32: *static_cast<int32_t*>(element) = static_cast<int32_t>(value.as_int()); break;
    case PhysicalType::kInt64: *static_cast<int64_t*>(element) = value.as_int(); break;
    case PhysicalType::kFloat: *static_cast<float*>(element) = static_cast<float>(value.as_double()); break;
    case PhysicalType::kDouble: *static_cast<double*>(element) = value.as_double(); break;
    case PhysicalType::kDecimal: *static_cast<Decimal*>(element) = value.as_decimal(); break;
    case PhysicalType::kInterval: *static_cast<Interval*>(element) = value.as_interval(); break;
    case PhysicalType::kUuid: *static_cast<Uuid*>(element) = value.as_uuid(); break;
    case PhysicalType::kString:
      *static_cast<std::string_view*>(element) = vector.store_string(value.as_string());
      break;
  }
}

void clear_validity_bit(uint64_t* words, uint32_t row) { words[row >> 6] &= ~(uint64_t{1} << (row & 63)); }

// A constant with its one element written to all rows; the form stays that of the type.
Vector spread_constant(const Vector& input, uint32_t size) {
  Vector out;
  const SqlType type = input.type;
  const bool is_null = !input.is_valid(0);
  void* elements = out.allocate(type, size);
  out.dictionary = input.dictionary;
  out.owner = input.owner;
  out.string_owner = input.string_owner;
  if (is_null) {
    uint64_t* words = out.allocate_validity(size);
    std::memset(words, 0, validity_words(size) * sizeof(uint64_t));
  }
  with_element_type(physical_type(type), [&](auto* tag) {
    using T = std::remove_pointer_t<decltype(tag)>;
    T value = input.data ? *input.values<T>() : T{};
    if constexpr (std::is_same_v<T, std::string_view>) {
      if (!is_null) value = out.store_string(value);
    }
    T* to = static_cast<T*>(elements);
    for (uint32_t i = 0; i < size; ++i) to[i] = value;
  });
  return out;
}

Vector decode_dictionary(const Vector& input, uint32_t size, Selection selection) {
  Vector out;
  auto* texts = out.allocate_as<std::string_view>(TypeId::kVarchar, size);
  out.validity = input.validity;
  out.owner = input.owner;
  // The input's buffer may hold the validity words; the dictionary is kept alive by the input's owners.
  auto keep = std::make_shared<std::pair<std::shared_ptr<VectorBuffer>, std::shared_ptr<const void>>>(
      input.buffer, input.string_owner);
  out.string_owner = keep;
  const int32_t* codes = input.values<int32_t>();
  const uint32_t count = selection.is_all() ? size : selection.count;
  for (uint32_t i = 0; i < count; ++i) {
    const uint32_t row = selection[i];
    texts[row] = codes[row] < 0 ? std::string_view() : input.dictionary->at(codes[row]);
  }
  return out;
}

}  // namespace

Vector Vector::constant(const Value& value) {
  if (value.is_null()) return constant_null(value.type());
  Vector out;
  const SqlType type = value.type().id == TypeId::kSymbol ? SqlType(TypeId::kVarchar) : value.type();
  void* element = out.allocate(type, 1);
  if (value.type().id == TypeId::kSymbol) {
    *static_cast<std::string_view*>(element) = out.store_string(value.as_string());
  } else {
    store_value(out, element, value);
  }
  out.form = Form::kConstant;
  return out;
}

Vector Vector::constant_null(SqlType type) {
  Vector out;
  void* element = out.allocate(type, 1);
  std::memset(element, 0, physical_size(physical_type(type)));
  if (type.id == TypeId::kSymbol) *static_cast<int32_t*>(element) = -1;
  out.allocate_validity(1)[0] = 0;
  out.form = Form::kConstant;
  return out;
}

Vector Vector::sequence(SqlType type, int64_t start, int64_t step) {
  Vector out;
  out.type = type;
  out.form = Form::kSequence;
  out.sequence_start = start;
  out.sequence_step = step;
  return out;
}

Value Vector::value_at(uint32_t row) const {
  if (!is_valid(row)) return Value::null(type);
  if (form == Form::kSequence) return Value::of_int(type, sequence_start + row * sequence_step);
  if (form == Form::kConstant) row = 0;
  if (type.id == TypeId::kSymbol && dictionary) {
    return Value::of_string(type, std::string(dictionary->at(values<int32_t>()[row])));
  }
  switch (physical_type(type)) {
    case PhysicalType::kBool: return Value::of_int(type, values<uint8_t>()[row]);
    case PhysicalType::kInt16: return Value::of_int(type, values<int16_t>()[row]);
    case PhysicalType::kInt32: return Value::of_int(type, values<int32_t>()[row]);
    case PhysicalType::kInt64: return Value::of_int(type, values<int64_t>()[row]);
    case PhysicalType::kFloat: return Value::of_double(type, static_cast<double>(values<float>()[row]));
    case PhysicalType::kDouble: return Value::of_double(type, values<double>()[row]);
    case PhysicalType::kDecimal: return Value::of_decimal(type, values<Decimal>()[row]);
    case PhysicalType::kInterval: return Value::of_interval(values<Interval>()[row]);
    case PhysicalType::kUuid: return Value::of_uuid(values<Uuid>()[row]);
    case PhysicalType::kString: return Value::of_string(type, std::string(values<std::string_view>()[row]));
  }
  return Value::null(type);
}

Vector flatten(const Vector& input, uint32_t size, Selection selection, bool decode_symbols) {
  switch (input.form) {
    case Vector::Form::kFlat: return input;
    case Vector::Form::kDictionary: return decode_symbols ? decode_dictionary(input, size, selection) : input;
    case Vector::Form::kConstant: {
      if (input.type.id == TypeId::kSymbol && decode_symbols) {
        const Value value = input.value_at(0);
        return spread_constant(
            value.is_null() ? Vector::constant_null(TypeId::kVarchar) : Vector::constant(value), size);
      }
      return spread_constant(input, size);
    }
    case Vector::Form::kSequence: {
      Vector out;
      auto* values = out.allocate_as<int64_t>(input.type, size);
      for (uint32_t i = 0; i < size; ++i) values[i] = input.sequence_start + i * input.sequence_step;
      return out;
    }
  }
  return input;
}

Vector compact(const Vector& input, Selection selection) {
  if (selection.is_all() || input.form == Vector::Form::kConstant) return input;
  const uint32_t count = selection.count;
  Vector out;
  void* elements = out.allocate(input.type, count);
  if (input.form == Vector::Form::kSequence) {
    auto* values = static_cast<int64_t*>(elements);
    for (uint32_t i = 0; i < count; ++i) {
      values[i] = input.sequence_start + selection.rows[i] * input.sequence_step;
    }
    return out;
  }
  out.dictionary = input.dictionary;
  out.owner = input.owner;
  out.string_owner = input.string_owner;
  const PhysicalType physical = physical_type(input.type);
  with_element_type(physical, [&](auto* tag) {
    using T = std::remove_pointer_t<decltype(tag)>;
    const T* from = input.values<T>();
    T* to = static_cast<T*>(elements);
    for (uint32_t i = 0; i < count; ++i) to[i] = from[selection.rows[i]];
  });
  if (input.validity) {
    uint64_t* words = out.allocate_validity(count);
    for (uint32_t i = 0; i < count; ++i) {
      if (!input.is_valid(selection.rows[i])) clear_validity_bit(words, i);
    }
  }
  if (physical == PhysicalType::kString && input.buffer) {
    out.string_owner =
        std::make_shared<std::pair<std::shared_ptr<VectorBuffer>, std::shared_ptr<const void>>>(
            input.buffer, input.string_owner);
  }
  return out;
}

}  // namespace idem
