#include "query/key_encoder.h"

#include <algorithm>
#include <bit>

#include "common/decimal.h"
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

// fn(i, text) for the i-th selected row; that of a NULL means nothing.
template <class F>
void for_texts(const Vector& vector, Selection selection, F&& fn) {
  if (vector.dictionary) {
    for_selected<int32_t>(vector, selection, [&](uint32_t i, int32_t code) {
      fn(i, code < 0 ? std::string_view() : vector.dictionary->at(code));
    });
  } else if (physical_type(vector.type) == PhysicalType::kString) {
    for_selected<std::string_view>(vector, selection, fn);
  } else {  // symbols that are all NULL
    for (uint32_t i = 0; i < selection.count; ++i) fn(i, std::string_view());
  }
}

constexpr uint32_t kMostLengthBytes = 5;
constexpr uint32_t kMostDecimalBytes = 1 + sizeof(int32_t) + sizeof(int128_t);

// Seven bits a byte, the lowest first; all but the last have their upper bit.
char* append_length(char* out, size_t length) {
  for (; length >= 0x80; length >>= 7) *out++ = static_cast<char>(length | 0x80);
  *out++ = static_cast<char>(length);
  return out;
}

// How many bytes the value takes, with 0x80 if a scale stands before it; the value with its sign in the lowest bit. Without zeros at
// the end of its fraction, as 1.0 equals 1.
char* append_decimal(char* out, Decimal decimal) {
  if (decimal.scale != 0) decimal = trim_scale(decimal);
  const auto value = static_cast<uint128_t>(decimal.value);
  const uint128_t zigzag = value << 1 ^ (decimal.value < 0 ? ~uint128_t{0} : 0);
  const auto high = static_cast<uint64_t>(zigzag >> 64), low = static_cast<uint64_t>(zigzag);
  const int bits = high != 0 ? 64 + std::bit_width(high) : std::bit_width(low);
  const int size = (bits + 7) / 8;
  *out++ = static_cast<char>(size | (decimal.scale != 0 ? 0x80 : 0));
  if (decimal.scale != 0) {
    store(out, decimal.scale);
    out += sizeof decimal.scale;
  }
  std::memcpy(out, &zigzag, static_cast<size_t>(size));
  return out + size;
}

// At most so many bytes of a value, its characters left out; 0: it cannot be encoded by columns.
uint32_t most_bytes(SqlType type) {
  if (is_text(type)) return kMostLengthBytes;
  switch (physical_type(type)) {
    case PhysicalType::kDecimal: return kMostDecimalBytes;
    case PhysicalType::kInterval:
    case PhysicalType::kString: return 0;
    default: return static_cast<uint32_t>(physical_size(physical_type(type)));
  }
}

}  // namespace

KeyEncoder::KeyEncoder(std::span<const SqlType> types) : types_(types.begin(), types.end()) {
  if (types_.size() == 1 && is_text(types_[0])) {
    layout_ = Layout::kOneText;
  } else {
    const bool by_columns =
        std::all_of(types_.begin(), types_.end(), [](SqlType type) { return most_bytes(type) > 0; });
    layout_ = by_columns ? Layout::kColumns : Layout::kRows;
  }
}

void KeyEncoder::encode(const Vector* keys, Selection selection) {
  keys_.resize(kVectorSize);
  hashes_.resize(kVectorSize);
  switch (layout_) {
    case Layout::kOneText: return take_texts(keys[0], selection);
    case Layout::kColumns: encode_columns(keys, selection); break;
    case Layout::kRows: encode_rows(keys, selection); break;
  }
  for (uint32_t i = 0; i < selection.count; ++i)
    take_bytes(i, {bytes_.data() + begins_[i], ends_[i] - begins_[i]});
}

void KeyEncoder::take_bytes(uint32_t i, std::string_view bytes) {
  keys_[i] = ByteKey(bytes);
  hashes_[i] = static_cast<uint32_t>(hash_bytes(bytes) >> 32);
}

void KeyEncoder::take_texts(const Vector& texts, Selection selection) {
  for_texts(texts, selection, [&](uint32_t i, std::string_view text) { take_bytes(i, text); });
  if (!texts.may_have_nulls()) return;
  for (uint32_t i = 0; i < selection.count; ++i) {
    if (texts.is_valid(selection[i])) continue;
    keys_[i] = ByteKey::null();
    hashes_[i] = 0;
  }
}

void KeyEncoder::encode_columns(const Vector* keys, Selection selection) {
  const uint32_t count = selection.count;
  const auto null_bytes = static_cast<uint32_t>((types_.size() + 7) / 8);
  uint32_t most = null_bytes;
  for (const SqlType type : types_) most += most_bytes(type);
  begins_.resize(kVectorSize);
  ends_.assign(kVectorSize, most);
  for (size_t k = 0; k < types_.size(); ++k) {
    if (!is_text(types_[k])) continue;
    for_texts(keys[k], selection,
              [&](uint32_t i, std::string_view text) { ends_[i] += static_cast<uint32_t>(text.size()); });
  }
  uint32_t total = 0;
  for (uint32_t i = 0; i < count; ++i) {
    begins_[i] = total;
    total += ends_[i];
  }
  bytes_.resize(total);
  for (uint32_t i = 0; i < count; ++i) {
    std::memset(bytes_.data() + begins_[i], 0, null_bytes);
    ends_[i] = begins_[i] + null_bytes;
  }
  const auto append = [&](uint32_t i, auto&& write) {
    char* begin = bytes_.data() + ends_[i];
    ends_[i] += static_cast<uint32_t>(write(begin) - begin);
  };
  for (size_t k = 0; k < types_.size(); ++k) {
    const Vector& vector = keys[k];
    const auto or_zero = [&](uint32_t i, auto value) {
      return vector.is_valid(selection[i]) ? value : decltype(value){};
    };
    if (is_text(types_[k])) {
      for_texts(vector, selection, [&](uint32_t i, std::string_view text) {
        text = or_zero(i, text);
        append(i, [&](char* out) {
          return std::copy(text.begin(), text.end(), append_length(out, text.size()));
        });
      });
    } else if (physical_type(types_[k]) == PhysicalType::kUuid) {
      for_selected<Uuid>(vector, selection, [&](uint32_t i, const Uuid& uuid) {
        append(i, [&](char* out) {
          store(out, or_zero(i, uuid));
          return out + sizeof uuid;
        });
      });
    } else if (physical_type(types_[k]) == PhysicalType::kDecimal) {
      for_selected<Decimal>(vector, selection, [&](uint32_t i, const Decimal& decimal) {
        append(i, [&](char* out) { return append_decimal(out, or_zero(i, decimal)); });
      });
    } else {
      const auto append_as = [&]<class T>(T) {
        for_bits(vector, selection, [&](uint32_t i, uint64_t bits) {
          append(i, [&](char* out) {
            store(out, static_cast<T>(or_zero(i, bits)));
            return out + sizeof(T);
          });
        });
      };
      switch (physical_size(physical_type(types_[k]))) {
        case 1: append_as(uint8_t{}); break;
        case 2: append_as(uint16_t{}); break;
        case 4: append_as(uint32_t{}); break;
        default: append_as(uint64_t{}); break;
      }
    }
    if (!vector.may_have_nulls()) continue;
    for (uint32_t i = 0; i < count; ++i) {
      if (vector.is_valid(selection[i])) continue;
      char& byte = bytes_[begins_[i] + k / 8];
      byte = static_cast<char>(byte | 1 << k % 8);
    }
  }
}

void KeyEncoder::encode_rows(const Vector* keys, Selection selection) {
  bytes_.clear();
  begins_.resize(kVectorSize);
  ends_.resize(kVectorSize);
  for (uint32_t i = 0; i < selection.count; ++i) {
    begins_[i] = static_cast<uint32_t>(bytes_.size());
    for (size_t k = 0; k < types_.size(); ++k) append_key_bytes(bytes_, keys[k], selection[i]);
    ends_[i] = static_cast<uint32_t>(bytes_.size());
  }
}

}  // namespace idem
