#include "query/comparison_kernels.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <type_traits>

#include "common/decimal.h"
#include "common/error.h"
#include "common/interval.h"
#include "common/string_order.h"
#include "common/uuid.h"
#include "storage/symbol_dictionary.h"

namespace idem {

namespace {

constexpr std::array<std::string_view, 6> kSymbols = {"=", "<>", "<", "<=", ">", ">="};

// Strings of other types than text bring their own order.
struct TextOrder {
  static int compare(std::string_view a, std::string_view b) { return a.compare(b); }
  static bool equal(std::string_view a, std::string_view b) { return a == b; }
};
template <TypeId kType>
struct OrderOf {
  static int compare(std::string_view a, std::string_view b) { return compare_strings(kType, a, b); }
  static bool equal(std::string_view a, std::string_view b) { return compare(a, b) == 0; }
};
struct NaturalOrder {};

template <Comparison C>
bool holds(int order) {
  if constexpr (C == Comparison::kEqual) return order == 0;
  if constexpr (C == Comparison::kNotEqual) return order != 0;
  if constexpr (C == Comparison::kLess) return order < 0;
  if constexpr (C == Comparison::kLessEqual) return order <= 0;
  if constexpr (C == Comparison::kGreater) return order > 0;
  if constexpr (C == Comparison::kGreaterEqual) return order >= 0;
}

// Without branches, so that loops over it vectorize.
template <Comparison C, class T>
bool holds_float(T a, T b) {
  const bool a_nan = a != a, b_nan = b != b;
  if constexpr (C == Comparison::kEqual) return (a == b) | (a_nan & b_nan);
  if constexpr (C == Comparison::kNotEqual) return !((a == b) | (a_nan & b_nan));
  if constexpr (C == Comparison::kLess) return (a < b) | (!a_nan & b_nan);
  if constexpr (C == Comparison::kLessEqual) return (a <= b) | b_nan;
  if constexpr (C == Comparison::kGreater) return (a > b) | (a_nan & !b_nan);
  if constexpr (C == Comparison::kGreaterEqual) return (a >= b) | a_nan;
}

template <Comparison C, class Order, class T>
bool test(const T& a, const T& b) {
  if constexpr (std::is_floating_point_v<T>) {
    return holds_float<C>(a, b);
  } else if constexpr (std::is_integral_v<T>) {
    if constexpr (C == Comparison::kEqual) return a == b;
    if constexpr (C == Comparison::kNotEqual) return a != b;
    if constexpr (C == Comparison::kLess) return a < b;
    if constexpr (C == Comparison::kLessEqual) return a <= b;
    if constexpr (C == Comparison::kGreater) return a > b;
    if constexpr (C == Comparison::kGreaterEqual) return a >= b;
  } else if constexpr (std::is_same_v<T, std::string_view>) {
    if constexpr (C == Comparison::kEqual) return Order::equal(a, b);
    if constexpr (C == Comparison::kNotEqual) return !Order::equal(a, b);
    return holds<C>(Order::compare(a, b));
  } else if constexpr (std::is_same_v<T, Uuid>) {
    return holds<C>(std::memcmp(a.bytes.data(), b.bytes.data(), a.bytes.size()));
  } else {
    return holds<C>(compare(a, b));
  }
}

template <Comparison C, class Order, class T>
void compare_values(const Vector& left, const Vector& right, Selection selection, uint8_t* out) {
  const T* a = left.values<T>();
  const T* b = right.values<T>();
  const uint32_t count = selection.count;
  if (selection.is_all() && right.is_constant() && !left.is_constant()) {
    const T value = *b;
    for (uint32_t i = 0; i < count; ++i) out[i] = test<C, Order, T>(a[i], value);
  } else if (selection.is_all() && !right.is_constant() && !left.is_constant()) {
    for (uint32_t i = 0; i < count; ++i) out[i] = test<C, Order, T>(a[i], b[i]);
  } else {
    const uint32_t left_mask = left.is_constant() ? 0 : ~0U;
    const uint32_t right_mask = right.is_constant() ? 0 : ~0U;
    for (uint32_t i = 0; i < count; ++i) {
      const uint32_t row = selection[i];
      out[row] = test<C, Order, T>(a[row & left_mask], b[row & right_mask]);
    }
  }
}

// Selection of scattered rows without the detour over bytes.
template <Comparison C, class T>
uint32_t select_values(const Vector& left, const Vector& right, Selection in, uint16_t* out_rows) {
  const T* a = left.values<T>();
  const T* b = right.values<T>();
  const uint32_t left_mask = left.is_constant() ? 0 : ~0U;
  const uint32_t right_mask = right.is_constant() ? 0 : ~0U;
  uint32_t found = 0;
  for (uint32_t i = 0; i < in.count; ++i) {
    const uint16_t row = in.rows[i];
    out_rows[found] = row;
    found += test<C, NaturalOrder, T>(a[row & left_mask], b[row & right_mask]);
  }
  return found;
}

template <class Fn>
void with_comparison(Comparison comparison, Fn&& fn) {
  switch (comparison) {
    case Comparison::kEqual: return fn(std::integral_constant<Comparison, Comparison::kEqual>());
    case Comparison::kNotEqual: return fn(std::integral_constant<Comparison, Comparison::kNotEqual>());
    case Comparison::kLess: return fn(std::integral_constant<Comparison, Comparison::kLess>());
    case Comparison::kLessEqual: return fn(std::integral_constant<Comparison, Comparison::kLessEqual>());
    case Comparison::kGreater: return fn(std::integral_constant<Comparison, Comparison::kGreater>());
    case Comparison::kGreaterEqual:
      return fn(std::integral_constant<Comparison, Comparison::kGreaterEqual>());
  }
}

template <Comparison C>
void compare_strings(const Vector& left, const Vector& right, Selection selection, uint8_t* out) {
  const auto by = [&]<TypeId kType>() {
    compare_values<C, OrderOf<kType>, std::string_view>(left, right, selection, out);
  };
  switch (left.type.id) {
    case TypeId::kArray:
    case TypeId::kInt2Vector: return by.template operator()<TypeId::kArray>();
    case TypeId::kRecord: return by.template operator()<TypeId::kRecord>();
    case TypeId::kJsonb: return by.template operator()<TypeId::kJsonb>();
    case TypeId::kChar:
      if (right.type.id == TypeId::kChar) return by.template operator()<TypeId::kChar>();
      break;
    default: break;
  }
  compare_values<C, TextOrder, std::string_view>(left, right, selection, out);
}

bool is_unsigned_32(SqlType type) { return is_oid_like(type.id); }

template <Comparison C>
void compare_physical(const Vector& left, const Vector& right, Selection selection, uint8_t* out) {
  switch (physical_type(left.type)) {
    case PhysicalType::kBool: return compare_values<C, NaturalOrder, uint8_t>(left, right, selection, out);
    case PhysicalType::kInt16: return compare_values<C, NaturalOrder, int16_t>(left, right, selection, out);
    case PhysicalType::kInt32:
      if (is_unsigned_32(left.type))
        return compare_values<C, NaturalOrder, uint32_t>(left, right, selection, out);
      return compare_values<C, NaturalOrder, int32_t>(left, right, selection, out);
    case PhysicalType::kInt64: return compare_values<C, NaturalOrder, int64_t>(left, right, selection, out);
    case PhysicalType::kFloat: return compare_values<C, NaturalOrder, float>(left, right, selection, out);
    case PhysicalType::kDouble: return compare_values<C, NaturalOrder, double>(left, right, selection, out);
    case PhysicalType::kDecimal: return compare_values<C, NaturalOrder, Decimal>(left, right, selection, out);
    case PhysicalType::kInterval:
      return compare_values<C, NaturalOrder, Interval>(left, right, selection, out);
    case PhysicalType::kUuid: return compare_values<C, NaturalOrder, Uuid>(left, right, selection, out);
    case PhysicalType::kString: return compare_strings<C>(left, right, selection, out);
  }
}

// Sequences and the two float widths become flat vectors of one type; symbols become strings.
Vector prepared(const Vector& input, uint32_t size, Selection selection) {
  if (input.form == Vector::Form::kSequence || input.type.id == TypeId::kSymbol) {
    return flatten(input, size, selection, true);
  }
  return input;
}

Vector widened(const Vector& input, uint32_t size, Selection selection) {
  Vector out;
  auto* values = out.allocate_as<double>(TypeId::kDouble, size);
  const float* from = input.values<float>();
  if (input.is_constant()) {
    for (uint32_t i = 0; i < size; ++i) values[i] = static_cast<double>(*from);
  } else {
    for (uint32_t i = 0; i < selection.count; ++i)
      values[selection[i]] = static_cast<double>(from[selection[i]]);
  }
  return out;
}

// symbol = 'text': the text's code is looked up once; -2 is no code of any row.
bool symbol_meets_constant(const Vector& left, const Vector& right) {
  return left.form == Vector::Form::kDictionary && left.dictionary != nullptr && right.is_constant() &&
         right.is_valid(0) && physical_type(right.type) == PhysicalType::kString;
}

Vector code_of(const Vector& symbols, const Vector& text) {
  const std::optional<int32_t> code = symbols.dictionary->find(*text.values<std::string_view>());
  return Vector::constant(Value::of_int(TypeId::kInteger, code.value_or(-2)));
}

bool same_codes(const Vector& left, const Vector& right) {
  return left.form == Vector::Form::kDictionary && right.form == Vector::Form::kDictionary &&
         left.dictionary == right.dictionary;
}

Vector as_codes(const Vector& symbols) {
  Vector out = symbols;
  out.type = TypeId::kInteger;
  out.form = Vector::Form::kFlat;
  return out;
}

struct Pair {
  Vector left, right;
};

Pair prepared_pair(Comparison comparison, const Vector& left, const Vector& right, uint32_t size,
                   Selection selection) {
  const bool by_code = comparison == Comparison::kEqual || comparison == Comparison::kNotEqual;
  if (by_code && symbol_meets_constant(left, right)) return {as_codes(left), code_of(left, right)};
  if (by_code && symbol_meets_constant(right, left)) return {code_of(right, left), as_codes(right)};
  if (by_code && same_codes(left, right)) return {as_codes(left), as_codes(right)};
  Pair pair{prepared(left, size, selection), prepared(right, size, selection)};
  const PhysicalType l = physical_type(pair.left.type), r = physical_type(pair.right.type);
  if (l == PhysicalType::kFloat && r == PhysicalType::kDouble)
    pair.left = widened(pair.left, size, selection);
  if (r == PhysicalType::kFloat && l == PhysicalType::kDouble)
    pair.right = widened(pair.right, size, selection);
  return pair;
}

// NULL rows of strings and other structures may hold anything: they are left out.
bool is_plain(const Vector& v) {
  switch (physical_type(v.type)) {
    case PhysicalType::kDecimal:
    case PhysicalType::kInterval:
    case PhysicalType::kString: return false;
    default: return true;
  }
}

uint32_t select_valid(const Vector& left, const Vector& right, Selection in, uint16_t* out_rows) {
  uint32_t found = 0;
  for (uint32_t i = 0; i < in.count; ++i) {
    const auto row = static_cast<uint16_t>(in[i]);
    out_rows[found] = row;
    found += uint32_t{left.is_valid(row)} & uint32_t{right.is_valid(row)};
  }
  return found;
}

template <Comparison C>
uint32_t select_scattered(const Vector& left, const Vector& right, Selection in, uint16_t* out_rows) {
  switch (physical_type(left.type)) {
    case PhysicalType::kBool: return select_values<C, uint8_t>(left, right, in, out_rows);
    case PhysicalType::kInt16: return select_values<C, int16_t>(left, right, in, out_rows);
    case PhysicalType::kInt32:
      if (is_unsigned_32(left.type)) return select_values<C, uint32_t>(left, right, in, out_rows);
      return select_values<C, int32_t>(left, right, in, out_rows);
    case PhysicalType::kInt64: return select_values<C, int64_t>(left, right, in, out_rows);
    case PhysicalType::kFloat: return select_values<C, float>(left, right, in, out_rows);
    case PhysicalType::kDouble: return select_values<C, double>(left, right, in, out_rows);
    case PhysicalType::kUuid: return select_values<C, Uuid>(left, right, in, out_rows);
    default: {
      std::array<uint8_t, kVectorSize> bytes;
      compare_physical<C>(left, right, in, bytes.data());
      return select_bytes(bytes.data(), in, out_rows);
    }
  }
}

void and_validity(const Vector& v, uint32_t size, uint8_t* bytes) {
  if (!v.validity || v.is_constant()) return;
  for (uint32_t i = 0; i < size; ++i) bytes[i] &= static_cast<uint8_t>((v.validity[i >> 6] >> (i & 63)) & 1);
}

bool is_null_constant(const Vector& v) { return v.is_constant() && !v.is_valid(0); }

}  // namespace

std::optional<Comparison> comparison_of(std::string_view symbol) {
  const auto* found = std::find(kSymbols.begin(), kSymbols.end(), symbol);
  if (found == kSymbols.end()) return std::nullopt;
  return static_cast<Comparison>(found - kSymbols.begin());
}

std::string_view comparison_symbol(Comparison comparison) {
  return kSymbols[static_cast<size_t>(comparison)];
}

Comparison negated(Comparison comparison) {
  switch (comparison) {
    case Comparison::kEqual: return Comparison::kNotEqual;
    case Comparison::kNotEqual: return Comparison::kEqual;
    case Comparison::kLess: return Comparison::kGreaterEqual;
    case Comparison::kLessEqual: return Comparison::kGreater;
    case Comparison::kGreater: return Comparison::kLessEqual;
    case Comparison::kGreaterEqual: return Comparison::kLess;
  }
  return comparison;
}

Comparison commuted(Comparison comparison) {
  switch (comparison) {
    case Comparison::kLess: return Comparison::kGreater;
    case Comparison::kLessEqual: return Comparison::kGreaterEqual;
    case Comparison::kGreater: return Comparison::kLess;
    case Comparison::kGreaterEqual: return Comparison::kLessEqual;
    default: return comparison;
  }
}

uint32_t select_bytes(const uint8_t* bytes, Selection in, uint16_t* out_rows) {
  uint32_t found = 0;
  if (!in.is_all()) {
    for (uint32_t i = 0; i < in.count; ++i) {
      const uint16_t row = in.rows[i];
      out_rows[found] = row;
      found += bytes[row];
    }
    return found;
  }
  uint32_t i = 0;
  for (; i + 8 <= in.count; i += 8) {
    uint64_t eight = 0;
    std::memcpy(&eight, bytes + i, 8);
    if (eight == 0) continue;
    for (uint32_t k = 0; k < 8; ++k) {
      out_rows[found] = static_cast<uint16_t>(i + k);
      found += bytes[i + k];
    }
  }
  for (; i < in.count; ++i) {
    out_rows[found] = static_cast<uint16_t>(i);
    found += bytes[i];
  }
  return found;
}

uint32_t select_comparison(Comparison comparison, const Vector& left, const Vector& right, uint32_t size,
                           Selection in, uint16_t* out_rows) {
  if (in.count == 0 || is_null_constant(left) || is_null_constant(right)) return 0;
  const Pair pair = prepared_pair(comparison, left, right, size, in);
  if (pair.left.is_constant() && !pair.right.is_constant()) {
    return select_comparison(commuted(comparison), pair.right, pair.left, size, in, out_rows);
  }
  const bool has_nulls = pair.left.may_have_nulls() || pair.right.may_have_nulls();
  uint32_t found = 0;
  if (in.is_all() && (!has_nulls || is_plain(pair.left))) {
    std::array<uint8_t, kVectorSize> bytes;
    with_comparison(comparison,
                    [&](auto c) { compare_physical<c.value>(pair.left, pair.right, in, bytes.data()); });
    and_validity(pair.left, in.count, bytes.data());
    and_validity(pair.right, in.count, bytes.data());
    return select_bytes(bytes.data(), in, out_rows);
  }
  std::array<uint16_t, kVectorSize> valid;
  Selection rows = in;
  if (has_nulls) rows = {valid.data(), select_valid(pair.left, pair.right, in, valid.data())};
  if (rows.is_all()) {
    for (uint32_t i = 0; i < in.count; ++i) valid[i] = static_cast<uint16_t>(i);
    rows = {valid.data(), in.count};
  }
  with_comparison(comparison,
                  [&](auto c) { found = select_scattered<c.value>(pair.left, pair.right, rows, out_rows); });
  return found;
}

void compare_vectors(Comparison comparison, const Vector& left, const Vector& right, uint32_t size,
                     Selection selection, uint8_t* out) {
  if (is_null_constant(left) || is_null_constant(right)) return;
  const Pair pair = prepared_pair(comparison, left, right, size, selection);
  const bool has_nulls = pair.left.may_have_nulls() || pair.right.may_have_nulls();
  std::array<uint16_t, kVectorSize> valid;
  Selection rows = selection;
  if (has_nulls && !is_plain(pair.left))
    rows = {valid.data(), select_valid(pair.left, pair.right, selection, valid.data())};
  with_comparison(comparison, [&](auto c) { compare_physical<c.value>(pair.left, pair.right, rows, out); });
}

void compare_distinct(const Vector& left, const Vector& right, uint32_t size, Selection selection,
                      uint8_t* out) {
  compare_vectors(Comparison::kNotEqual, left, right, size, selection, out);
  if (!left.may_have_nulls() && !right.may_have_nulls()) return;
  for (uint32_t i = 0; i < selection.count; ++i) {
    const uint32_t row = selection[i];
    const bool a = left.is_valid(row), b = right.is_valid(row);
    if (!a || !b) out[row] = a != b;
  }
}

}  // namespace idem
