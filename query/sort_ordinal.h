#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <string_view>

#include "common/decimal.h"
#include "common/sql_type.h"
#include "common/string_order.h"
#include "common/uuid.h"
#include "query/sort_threshold.h"

namespace idem {

constexpr size_t kPrefixBytes = 8;

// The first bytes of a string as a number; shorter strings are filled up with zeros.
inline uint64_t string_prefix(std::string_view text) {
  uint64_t prefix = 0;
  if (text.empty()) return prefix;  // may have no data
  std::memcpy(&prefix, text.data(), std::min(text.size(), kPrefixBytes));
  return __builtin_bswap64(prefix);
}

// The bytes of a string from `skipped` on.
inline uint64_t string_prefix(std::string_view text, size_t skipped) {
  text.remove_prefix(std::min(skipped, text.size()));
  return string_prefix(text);
}

// What all of some strings begin with: bytes that need not be compared.
class CommonBeginning {
 public:
  // The string stays where it is as long as text() is used.
  void add(std::string_view text) {
    if (shortest_ > longest_) {
      text_ = text;
    } else if (!text.starts_with(text_)) {
      const auto same = std::mismatch(text_.begin(), text_.end(), text.begin(), text.end());
      text_ = text_.substr(0, static_cast<size_t>(same.first - text_.begin()));
    }
    shortest_ = std::min(shortest_, text.size());
    longest_ = std::max(longest_, text.size());
    ends_in_zero_ |= text.ends_with('\0');
  }
  void add(const CommonBeginning& other) {
    if (other.shortest_ > other.longest_) return;
    add(other.text_);
    shortest_ = std::min(shortest_, other.shortest_);
    longest_ = std::max(longest_, other.longest_);
    ends_in_zero_ |= other.ends_in_zero_;
  }

  std::string_view text() const { return text_; }
  bool all_equal() const { return shortest_ >= longest_ && text_.size() == longest_; }
  // Whether string_prefix() of what follows tells the strings apart.
  bool prefix_is_exact() const { return longest_ <= text_.size() + kPrefixBytes && !ends_in_zero_; }

 private:
  std::string_view text_;
  size_t shortest_ = SIZE_MAX, longest_ = 0;
  bool ends_in_zero_ = false;
};

// Whether values of a type have numbers in their order, and whether equal numbers mean equal values.
enum class Ordinal : uint8_t { kNone, kApproximate, kExact };
inline Ordinal ordinal_of(SqlType type) {
  switch (physical_type(type)) {
    case PhysicalType::kString: return compares_by_bytes(type.id) ? Ordinal::kApproximate : Ordinal::kNone;
    case PhysicalType::kDecimal:
    case PhysicalType::kUuid: return Ordinal::kApproximate;
    case PhysicalType::kInterval: return Ordinal::kNone;
    default: return Ordinal::kExact;
  }
}

// Calls visit(T*, number) with the layout of the type's values, T, and a function from T to the number of a value. Not for
// strings, symbols and types without numbers.
template <class Visit>
void visit_ordinals(SqlType type, Visit&& visit) {
  switch (physical_type(type)) {
    case PhysicalType::kBool:
      return visit(static_cast<uint8_t*>(nullptr), [](uint8_t v) { return uint64_t{v}; });
    case PhysicalType::kInt16:
      return visit(static_cast<int16_t*>(nullptr), [](int16_t v) { return ordered_bits(int64_t{v}); });
    case PhysicalType::kInt32:
      if (is_oid_like(type.id))
        return visit(static_cast<uint32_t*>(nullptr), [](uint32_t v) { return uint64_t{v}; });
      return visit(static_cast<int32_t*>(nullptr), [](int32_t v) { return ordered_bits(int64_t{v}); });
    case PhysicalType::kInt64:
      return visit(static_cast<int64_t*>(nullptr), [](int64_t v) { return ordered_bits(v); });
    case PhysicalType::kFloat:
      return visit(static_cast<float*>(nullptr),
                   [](float v) { return ordered_bits(static_cast<double>(v)); });
    case PhysicalType::kDouble:
      return visit(static_cast<double*>(nullptr), [](double v) { return ordered_bits(v); });
    case PhysicalType::kDecimal:
      return visit(static_cast<Decimal*>(nullptr),
                   [](const Decimal& v) { return ordered_bits(decimal_to_double(v)); });
    case PhysicalType::kUuid:
      return visit(static_cast<Uuid*>(nullptr), [](const Uuid& v) {
        return string_prefix({reinterpret_cast<const char*>(v.bytes.data()), kPrefixBytes});
      });
    case PhysicalType::kInterval:
    case PhysicalType::kString: return;
  }
}

}  // namespace idem
