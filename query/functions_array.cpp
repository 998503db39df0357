#include <algorithm>

#include "common/error.h"
#include "query/array_elements.h"
#include "query/cast_registry.h"
#include "query/function_registry.h"
#include "query/kernel.h"
#include "query/signature_types.h"

namespace idem {

namespace {

// An array and things of its element type: (anyarray, anyelement) and the like.
bool bind_array_and_element(std::span<const SqlType> arguments, CallTypes* types, size_t array_at) {
  if (arguments.size() < 2) return false;
  const SqlType array = arguments[array_at], other = arguments[1 - array_at];
  if (other.id == TypeId::kArray) return false;
  // 'a' || '{b}' joins texts.
  if (array.id == TypeId::kUnknown && is_string_like(other.id)) return false;
  TypeId element = element_type(array);
  if (array.id == TypeId::kUnknown)
    element = other.id == TypeId::kUnknown ? TypeId::kUnknown : stored_element_type(other);
  if (element == TypeId::kUnknown) return false;
  if (other.id != TypeId::kUnknown) element = shared_element_type(element, stored_element_type(other));
  if (element == TypeId::kUnknown) return false;
  types->arguments.assign(2, SqlType(element));
  types->arguments[array_at] = SqlType::array_of(element);
  types->result = types->arguments[array_at];
  return true;
}

bool bind_two_arrays(std::span<const SqlType> arguments, CallTypes* types) {
  if (arguments.size() != 2) return false;
  const auto fits = [](SqlType t) {
    return t.id == TypeId::kArray || t.id == TypeId::kInt2Vector || t.id == TypeId::kUnknown;
  };
  if (!fits(arguments[0]) || !fits(arguments[1])) return false;
  const TypeId element = shared_element_type(element_type(arguments[0]), element_type(arguments[1]));
  if (element == TypeId::kUnknown) return false;
  types->arguments.assign(2, SqlType::array_of(element));
  types->result = types->arguments[0];
  return true;
}

// Arrays of the same type; all texts are one.
bool bind_same_arrays_to_bool(std::span<const SqlType> arguments, CallTypes* types) {
  if (!bind_two_arrays(arguments, types)) return false;
  types->result = kBool;
  const TypeId a = element_type(arguments[0]), b = element_type(arguments[1]);
  return a == b || a == TypeId::kUnknown || b == TypeId::kUnknown || (is_string_like(a) && is_string_like(b));
}

bool bind_append(std::span<const SqlType> arguments, CallTypes* types) {
  return arguments.size() == 2 && bind_array_and_element(arguments, types, 0);
}
bool bind_prepend(std::span<const SqlType> arguments, CallTypes* types) {
  return arguments.size() == 2 && bind_array_and_element(arguments, types, 1);
}

template <TypeId kResult>
bool bind_position(std::span<const SqlType> arguments, CallTypes* types) {
  if (arguments.size() != 2 && !(arguments.size() == 3 && kResult == TypeId::kInteger)) return false;
  if (!bind_array_and_element(arguments, types, 0)) return false;
  if (arguments.size() == 3) types->arguments.push_back(kInt4);
  types->result = kResult == TypeId::kArray ? SqlType::array_of(TypeId::kInteger) : SqlType(kResult);
  return true;
}

bool bind_replace(std::span<const SqlType> arguments, CallTypes* types) {
  if (arguments.size() != 3 || !bind_array_and_element(arguments, types, 0)) return false;
  types->arguments.push_back(types->arguments[1]);
  if (arguments[2].id == TypeId::kUnknown) return true;
  const TypeId element = shared_element_type(types->arguments[1].id, stored_element_type(arguments[2]));
  if (element == TypeId::kUnknown) return false;
  types->arguments = {SqlType::array_of(element), SqlType(element), SqlType(element)};
  types->result = types->arguments[0];
  return true;
}

bool is_array(SqlType t) { return t.id == TypeId::kArray || t.id == TypeId::kInt2Vector; }

// f(anyarray) and f(anyarray, int).
template <TypeId kResult, size_t kIntegers>
bool bind_array_integers(std::span<const SqlType> arguments, CallTypes* types) {
  if (arguments.size() != 1 + kIntegers || !is_array(arguments[0])) return false;
  types->arguments.assign(arguments.size(), kInt4);
  types->arguments[0] = arguments[0];
  types->result = kResult == TypeId::kArray ? arguments[0] : SqlType(kResult);
  return true;
}

// array_fill(anyelement, int[])
bool bind_fill(std::span<const SqlType> arguments, CallTypes* types) {
  if (arguments.size() != 2 || arguments[0].id == TypeId::kArray || arguments[0].id == TypeId::kUnknown)
    return false;
  types->arguments = {arguments[0], SqlType::array_of(TypeId::kInteger)};
  types->result = SqlType::array_of(stored_element_type(arguments[0]));
  return true;
}

bool bind_constructor(std::span<const SqlType> arguments, CallTypes* types) {
  if (arguments.empty()) return false;
  TypeId element = TypeId::kUnknown;
  for (const SqlType type : arguments) {
    if (type.id == TypeId::kArray) return false;
    if (type.id == TypeId::kUnknown) continue;
    element = shared_element_type(element, stored_element_type(type));
    if (element == TypeId::kUnknown) return false;
  }
  if (element == TypeId::kUnknown) element = TypeId::kText;
  types->arguments.assign(arguments.size(), SqlType(element));
  types->result = SqlType::array_of(element);
  return true;
}

bool bind_subscript(std::span<const SqlType> arguments, CallTypes* types) {
  if (arguments.size() != 2 || !is_array(arguments[0])) return false;
  types->arguments = {arguments[0], kInt4};
  types->result = element_type(arguments[0]);
  return true;
}

void append_elements(ArrayBuilder& builder, const ArrayView& array, uint32_t begin, uint32_t end) {
  ElementBuffer element;
  for (uint32_t i = begin; i < end; ++i) {
    if (array.is_null(i)) {
      builder.append_null();
    } else {
      array.element_at(i, element.bytes);
      builder.append(element.bytes);
    }
  }
}

ArrayView array_at(KernelCall& call, size_t argument) {
  return ArrayView(call.at<std::string_view>(argument));
}
ArrayBuilder builder_for(const KernelCall& call) { return ArrayBuilder(call.types.result.element); }

void construct(EvaluationState& state, const CallTypes& types, std::span<const Vector> arguments,
               uint32_t size, Selection selection, Vector* result) {
  row_kernel<[](KernelCall& call, std::string& out) {
    ArrayBuilder builder = builder_for(call);
    for (size_t i = 0; i < call.arguments.size(); ++i) {
      if (call.is_valid(i)) {
        builder.append(call.element(i));
      } else {
        builder.append_null();
      }
    }
    builder.append_to(out);
  }>(state, types, arguments, size, selection, result);
}

bool fill_row(KernelCall& call, std::string& out) {
  if (!call.is_valid(1)) throw SqlError("22004", "dimension array or low bound array cannot be null");
  const ArrayView lengths = array_at(call, 1);
  if (lengths.size() > 1)
    throw SqlError(sqlstate::kFeatureNotSupported, "arrays of more than one dimension are not supported");
  int32_t length = 0;
  if (lengths.size() == 1) {
    if (lengths.is_null(0)) throw SqlError("22004", "dimension values cannot be null");
    lengths.element_at(0, &length);
  }
  constexpr int32_t kMostElements = 134'217'727;  // PostgreSQL's
  if (length < 0 || length > kMostElements) {
    throw sql_error(sqlstate::kProgramLimitExceeded, "array size exceeds the maximum allowed ({})",
                    kMostElements);
  }
  ArrayBuilder builder = builder_for(call);
  for (int32_t i = 0; i < length; ++i) {
    if (call.is_valid(0)) {
      builder.append(call.element(0));
    } else {
      builder.append_null();
    }
  }
  builder.append_to(out);
  return true;
}

void subscript(EvaluationState&, const CallTypes& types, std::span<const Vector> arguments, uint32_t size,
               Selection selection, Vector* result) {
  auto* out = static_cast<char*>(result->allocate(types.result, size));
  const PhysicalType physical = physical_type(types.result);
  const size_t width = physical_size(physical);
  const int64_t first = types.arguments[0].id == TypeId::kInt2Vector ? 0 : 1;
  const kernel_detail::Reader<std::string_view> arrays(arguments[0]);
  const kernel_detail::Reader<int32_t> indexes(arguments[1]);
  kernel_detail::NullMarker nulls(result, size);
  for (uint32_t i = 0; i < selection.count; ++i) {
    const uint32_t row = selection[i];
    const ArrayView array(arrays[row]);
    const int64_t index = indexes[row] - first;
    if (index < 0 || index >= array.size() || array.is_null(static_cast<uint32_t>(index))) {
      std::memset(out + width * row, 0, width);
      nulls.mark(row);
      continue;
    }
    array.element_at(static_cast<uint32_t>(index), out + width * row);
    if (physical == PhysicalType::kString) {
      auto* text = reinterpret_cast<std::string_view*>(out + width * row);
      *text = result->store_string(*text);
    }
  }
}

void slice_row(KernelCall& call, std::string& out) {
  const ArrayView array = array_at(call, 0);
  const int64_t low = call.is_valid(1) ? call.at<int32_t>(1) : 1;
  const int64_t high = call.is_valid(2) ? call.at<int32_t>(2) : int64_t{array.size()};
  ArrayBuilder builder(array.element());
  const auto begin = static_cast<uint32_t>(std::clamp<int64_t>(low - 1, 0, array.size()));
  const auto end = static_cast<uint32_t>(std::clamp<int64_t>(high, begin, array.size()));
  append_elements(builder, array, begin, end);
  builder.append_to(out);
}

std::optional<int32_t> length_of(const ArrayView& array, int32_t dimension) {
  if (dimension != 1 || array.size() == 0) return std::nullopt;
  return static_cast<int32_t>(array.size());
}
std::optional<int32_t> upper_of(const KernelCall& call, const ArrayView& array, int32_t dimension) {
  const auto length = length_of(array, dimension);
  if (!length) return std::nullopt;
  return call.types.arguments[0].id == TypeId::kInt2Vector ? *length - 1 : *length;
}
std::optional<int32_t> lower_of(const KernelCall& call, const ArrayView& array, int32_t dimension) {
  if (!length_of(array, dimension)) return std::nullopt;
  return call.types.arguments[0].id == TypeId::kInt2Vector ? 0 : 1;
}

// Whether element i of the array is the argument; NULLs are one another's equal here.
bool is_argument(KernelCall& call, const ArrayView& array, uint32_t i, size_t argument) {
  if (array.is_null(i) || !call.is_valid(argument)) return array.is_null(i) && !call.is_valid(argument);
  ElementBuffer element;
  array.element_at(i, element.bytes);
  return elements_equal(call.types.arguments[argument], element.bytes, call.element(argument));
}

std::optional<int32_t> position_row(KernelCall& call) {
  if (!call.is_valid(0)) return std::nullopt;
  const ArrayView array = array_at(call, 0);
  int64_t start = 1;
  if (call.arguments.size() == 3) {
    if (!call.is_valid(2)) throw SqlError("22004", "initial position must not be null");
    start = std::max<int64_t>(call.at<int32_t>(2), 1);
  }
  for (int64_t i = start - 1; i < array.size(); ++i) {
    if (is_argument(call, array, static_cast<uint32_t>(i), 1)) return static_cast<int32_t>(i + 1);
  }
  return std::nullopt;
}

bool positions_row(KernelCall& call, std::string& out) {
  if (!call.is_valid(0)) return false;
  const ArrayView array = array_at(call, 0);
  ArrayBuilder builder(TypeId::kInteger);
  for (uint32_t i = 0; i < array.size(); ++i) {
    const auto position = static_cast<int32_t>(i + 1);
    if (is_argument(call, array, i, 1)) builder.append(&position);
  }
  builder.append_to(out);
  return true;
}

void add_argument(ArrayBuilder& builder, KernelCall& call, size_t argument) {
  if (call.is_valid(argument)) {
    builder.append(call.element(argument));
  } else {
    builder.append_null();
  }
}

void append_row(KernelCall& call, std::string& out, size_t array_argument) {
  ArrayBuilder builder = builder_for(call);
  if (array_argument == 1) add_argument(builder, call, 0);
  if (call.is_valid(array_argument)) {
    const ArrayView array = array_at(call, array_argument);
    append_elements(builder, array, 0, array.size());
  }
  if (array_argument == 0) add_argument(builder, call, 1);
  builder.append_to(out);
}

bool concatenate_row(KernelCall& call, std::string& out) {
  if (!call.is_valid(0) && !call.is_valid(1)) return false;
  ArrayBuilder builder = builder_for(call);
  for (size_t i = 0; i < 2; ++i) {
    if (!call.is_valid(i)) continue;
    const ArrayView array = array_at(call, i);
    append_elements(builder, array, 0, array.size());
  }
  builder.append_to(out);
  return true;
}

bool remove_row(KernelCall& call, std::string& out) {
  if (!call.is_valid(0)) return false;
  const ArrayView array = array_at(call, 0);
  ArrayBuilder builder = builder_for(call);
  for (uint32_t i = 0; i < array.size(); ++i) {
    if (!is_argument(call, array, i, 1)) append_elements(builder, array, i, i + 1);
  }
  builder.append_to(out);
  return true;
}

bool replace_row(KernelCall& call, std::string& out) {
  if (!call.is_valid(0)) return false;
  const ArrayView array = array_at(call, 0);
  ArrayBuilder builder = builder_for(call);
  for (uint32_t i = 0; i < array.size(); ++i) {
    if (is_argument(call, array, i, 1)) {
      add_argument(builder, call, 2);
    } else {
      append_elements(builder, array, i, i + 1);
    }
  }
  builder.append_to(out);
  return true;
}

// Whether some element of `array` equals this one; NULLs never do.
bool has_element(const ArrayView& array, const void* wanted) {
  ElementBuffer element;
  for (uint32_t i = 0; i < array.size(); ++i) {
    if (array.is_null(i)) continue;
    array.element_at(i, element.bytes);
    if (elements_equal(SqlType(array.element()), element.bytes, wanted)) return true;
  }
  return false;
}

bool contains_all(const ArrayView& outer, const ArrayView& inner) {
  ElementBuffer element;
  for (uint32_t i = 0; i < inner.size(); ++i) {
    if (inner.is_null(i)) return false;
    inner.element_at(i, element.bytes);
    if (!has_element(outer, element.bytes)) return false;
  }
  return true;
}

bool overlap(const ArrayView& a, const ArrayView& b) {
  ElementBuffer element;
  for (uint32_t i = 0; i < a.size(); ++i) {
    if (a.is_null(i)) continue;
    a.element_at(i, element.bytes);
    if (has_element(b, element.bytes)) return true;
  }
  return false;
}

bool to_string_row(KernelCall& call, std::string& out) {
  if (!call.is_valid(0) || !call.is_valid(1)) return false;
  const ArrayView array = array_at(call, 0);
  const std::string_view separator = call.at<std::string_view>(1);
  const bool shows_null = call.arguments.size() == 3 && call.is_valid(2);
  const SqlType type(array.element());
  ElementBuffer element;
  bool is_first = true;
  for (uint32_t i = 0; i < array.size(); ++i) {
    if (array.is_null(i) && !shows_null) continue;
    if (!is_first) out += separator;
    is_first = false;
    if (array.is_null(i)) {
      out += call.at<std::string_view>(2);
      continue;
    }
    array.element_at(i, element.bytes);
    append_sql_text(out, call.state, type, element.bytes);
  }
  return true;
}

template <size_t kCount>
bool bind_to_string(std::span<const SqlType> arguments, CallTypes* types) {
  if (arguments.size() != kCount || !is_array(arguments[0])) return false;
  types->arguments.assign(kCount, kText);
  types->arguments[0] = arguments[0];
  types->result = kText;
  return true;
}

void add_polymorphic_lax(FunctionRegistry& r, std::string_view name,
                         bool (*bind)(std::span<const SqlType>, CallTypes*), ScalarKernel kernel) {
  r.add_polymorphic(name, bind, kernel).strict = false;
}

void register_building(FunctionRegistry& r) {
  add_polymorphic_lax(r, "array_constructor", bind_constructor, construct);
  const ScalarKernel append =
      row_kernel<[](KernelCall& call, std::string& out) { append_row(call, out, 0); }>;
  const ScalarKernel prepend =
      row_kernel<[](KernelCall& call, std::string& out) { append_row(call, out, 1); }>;
  const ScalarKernel concatenate =
      row_kernel<[](KernelCall& call, std::string& out) { return concatenate_row(call, out); }>;
  for (const std::string_view name : {"||", "array_append"})
    add_polymorphic_lax(r, name, bind_append, append);
  for (const std::string_view name : {"||", "array_prepend"})
    add_polymorphic_lax(r, name, bind_prepend, prepend);
  for (const std::string_view name : {"||", "array_cat"})
    add_polymorphic_lax(r, name, bind_two_arrays, concatenate);
  add_polymorphic_lax(r, "array_remove", bind_append,
                      row_kernel<[](KernelCall& call, std::string& out) { return remove_row(call, out); }>);
  add_polymorphic_lax(r, "array_replace", bind_replace,
                      row_kernel<[](KernelCall& call, std::string& out) { return replace_row(call, out); }>);
  add_polymorphic_lax(r, "array_fill", bind_fill,
                      row_kernel<[](KernelCall& call, std::string& out) { return fill_row(call, out); }>);
  r.add_polymorphic("trim_array", bind_array_integers<TypeId::kArray, 1>,
                    row_kernel<[](KernelCall& call, std::string& out) {
                      const ArrayView array = array_at(call, 0);
                      const int32_t cut = call.at<int32_t>(1);
                      if (cut < 0 || static_cast<int64_t>(array.size()) < cut) {
                        throw sql_error(sqlstate::kArraySubscriptError,
                                        "number of elements to trim must be between 0 and {}", array.size());
                      }
                      ArrayBuilder builder(array.element());
                      append_elements(builder, array, 0, array.size() - static_cast<uint32_t>(cut));
                      builder.append_to(out);
                    }>);
}

}  // namespace

void register_array_functions(FunctionRegistry& r) {
  register_building(r);
  r.add_polymorphic("array_subscript", bind_subscript, subscript);
  ScalarFunction& slice = r.add_polymorphic("array_slice", bind_array_integers<TypeId::kArray, 2>,
                                            row_kernel<[](KernelCall& call, std::string& out) {
                                              if (!call.is_valid(0)) return false;
                                              slice_row(call, out);
                                              return true;
                                            }>);
  slice.strict = false;
  using View = std::string_view;
  r.add_polymorphic("array_length", bind_array_integers<TypeId::kInteger, 1>,
                    row_kernel<[](View a, int32_t d) { return length_of(ArrayView(a), d); }>);
  r.add_polymorphic(
      "array_upper", bind_array_integers<TypeId::kInteger, 1>,
      row_kernel<[](KernelCall& c, View a, int32_t d) { return upper_of(c, ArrayView(a), d); }>);
  r.add_polymorphic(
      "array_lower", bind_array_integers<TypeId::kInteger, 1>,
      row_kernel<[](KernelCall& c, View a, int32_t d) { return lower_of(c, ArrayView(a), d); }>);
  r.add_polymorphic("cardinality", bind_array_integers<TypeId::kInteger, 0>,
                    row_kernel<[](View a) { return static_cast<int32_t>(ArrayView(a).size()); }>);
  r.add_polymorphic(
      "array_ndims", bind_array_integers<TypeId::kInteger, 0>,
      row_kernel<[](View a) { return ArrayView(a).size() == 0 ? std::nullopt : std::optional<int32_t>(1); }>);
  r.add_polymorphic("array_dims", bind_array_integers<TypeId::kText, 0>,
                    row_kernel<[](std::string& out, View a) {
                      const ArrayView array(a);
                      out = "[1:" + std::to_string(array.size()) + "]";
                      return array.size() != 0;
                    }>);
  add_polymorphic_lax(r, "array_position", bind_position<TypeId::kInteger>,
                      row_kernel<[](KernelCall& call) { return position_row(call); }>);
  add_polymorphic_lax(
      r, "array_positions", bind_position<TypeId::kArray>,
      row_kernel<[](KernelCall& call, std::string& out) { return positions_row(call, out); }>);
  r.add_polymorphic("&&", bind_same_arrays_to_bool,
                    row_kernel<[](View a, View b) { return overlap(ArrayView(a), ArrayView(b)); }>);
  r.add_polymorphic("@>", bind_same_arrays_to_bool,
                    row_kernel<[](View a, View b) { return contains_all(ArrayView(a), ArrayView(b)); }>);
  r.add_polymorphic("<@", bind_same_arrays_to_bool,
                    row_kernel<[](View a, View b) { return contains_all(ArrayView(b), ArrayView(a)); }>);
  const ScalarKernel to_string =
      row_kernel<[](KernelCall& call, std::string& out) { return to_string_row(call, out); }>;
  add_polymorphic_lax(r, "array_to_string", bind_to_string<2>, to_string);
  add_polymorphic_lax(r, "array_to_string", bind_to_string<3>, to_string);
}

}  // namespace idem
