#include <algorithm>
#include <array>

#include "common/array_value.h"
#include "common/decimal.h"
#include "common/element_access.h"
#include "common/error.h"
#include "common/time_zone.h"
#include "common/utf8.h"
#include "query/cast_registry.h"
#include "query/catalog_names.h"
#include "query/kernel.h"

namespace idem {

TextOptions text_options(const EvaluationState& state) {
  TextOptions options;
  options.allow_integer_timestamps = true;
  if (state.context != nullptr) {
    options.zone = state.context->time_zone.get();
    options.now_micros = state.context->transaction_time_micros;
  }
  return options;
}

void append_sql_text(std::string& out, EvaluationState& state, SqlType type, const void* element) {
  const auto oid = [&] { return load<uint32_t>(element); };
  switch (type.id) {
    case TypeId::kRegclass: out += regclass_text(state.context, oid()); return;
    case TypeId::kRegtype: out += regtype_text(oid()); return;
    case TypeId::kRegproc: out += regproc_text(oid()); return;
    case TypeId::kRegnamespace: out += regnamespace_text(state.context, oid()); return;
    default: append_text(out, type, element, text_options(state));
  }
}

namespace {

void append_reg_array_text(std::string& out, EvaluationState& state, SqlType type, std::string_view bytes) {
  const ArrayView array(bytes);
  out += '{';
  std::string item;
  for (uint32_t i = 0; i < array.size(); ++i) {
    if (i > 0) out += ',';
    if (array.is_null(i)) {
      out += "NULL";
      continue;
    }
    uint32_t oid = 0;
    array.element_at(i, &oid);
    item.clear();
    append_sql_text(item, state, type.element, &oid);
    append_array_item(out, item);
  }
  out += '}';
}

void pad(std::string& out, SqlType type) {
  if (type.id != TypeId::kChar || type.modifier < 0) return;
  const size_t length = utf8_length(out);
  if (length < static_cast<size_t>(type.modifier))
    out.append(static_cast<size_t>(type.modifier) - length, ' ');
}

template <bool kIsExplicit>
void append_fitted(std::string& out, SqlType to, std::string_view text) {
  if (to.id == TypeId::kName || to.id == TypeId::kInternalChar) {
    const size_t limit = to.id == TypeId::kName ? 63 : 1;
    if (text.size() > limit) {
      // A name ends before a character that does not fit whole.
      while (to.id == TypeId::kName && text.size() > limit) {
        size_t end = limit;
        while (end > 0 && (static_cast<uint8_t>(text[end]) & 0xc0) == 0x80) --end;
        text = text.substr(0, end);
      }
      if (to.id == TypeId::kInternalChar) text = text.substr(0, limit);
    }
    out.append(text);
    return;
  }
  out.append(to.modifier < 0 ? text : enforce_length(to, text, kIsExplicit));
  pad(out, to);
}

template <bool kIsExplicit>
void fit_strings(EvaluationState& state, const CallTypes& types, std::span<const Vector> arguments,
                 uint32_t size, Selection selection, Vector* result) {
  row_kernel<[](KernelCall& call, std::string& out, std::string_view text) {
    // CHAR(n) loses its padding on the way to other types.
    if (call.types.arguments[0].id == TypeId::kChar) {
      while (!text.empty() && text.back() == ' ') text.remove_suffix(1);
    }
    append_fitted<kIsExplicit>(out, call.types.result, text);
  }>(state, types, arguments, size, selection, result);
}

}  // namespace

void format_kernel(EvaluationState& state, const CallTypes& types, std::span<const Vector> arguments,
                   uint32_t size, Selection selection, Vector* result) {
  auto* out = result->allocate_as<std::string_view>(types.result, size);
  const Vector& input = arguments[0];
  const size_t width = physical_size(physical_type(input.type));
  const char* data = static_cast<const char*>(input.data);
  const SqlType from = types.arguments[0], to = types.result;
  std::string text, fitted;
  for (uint32_t i = 0; i < selection.count; ++i) {
    const uint32_t row = selection[i];
    const char* element = data + width * (input.is_constant() ? 0 : row);
    text.clear();
    if (from.id == TypeId::kBoolean) {
      text = *reinterpret_cast<const uint8_t*>(element) != 0 ? "true" : "false";
    } else if (from.id == TypeId::kArray && is_oid_like(from.element) && from.element != TypeId::kOid) {
      append_reg_array_text(text, state, from, *reinterpret_cast<const std::string_view*>(element));
    } else {
      append_sql_text(text, state, from, element);
    }
    if (to.modifier < 0 && to.id != TypeId::kName && to.id != TypeId::kInternalChar) {
      out[row] = result->store_string(text);
    } else {
      fitted.clear();
      append_fitted<true>(fitted, to, text);
      out[row] = result->store_string(fitted);
    }
  }
}

void parse_kernel(EvaluationState& state, const CallTypes& types, std::span<const Vector> arguments,
                  uint32_t size, Selection selection, Vector* result) {
  const SqlType to = types.result;
  auto* out = static_cast<char*>(result->allocate(to, size));
  const size_t width = physical_size(physical_type(to));
  const TextOptions options = text_options(state);
  const Vector& input = arguments[0];
  const auto* texts = input.values<std::string_view>();
  auto arena = std::make_shared<StringArena>();
  for (uint32_t i = 0; i < selection.count; ++i) {
    const uint32_t row = selection[i];
    const std::string_view text = texts[input.is_constant() ? 0 : row];
    if (is_oid_like(to.id) && to.id != TypeId::kOid) {
      const uint32_t oid = oid_of_name(state.context, to.id, text);
      std::memcpy(out + width * row, &oid, sizeof oid);
    } else {
      parse_text(to, text, out + width * row, *arena, options);
    }
  }
  if (physical_type(to) == PhysicalType::kString) result->string_owner = arena;
}

void length_kernel(EvaluationState& state, const CallTypes& types, std::span<const Vector> arguments,
                   uint32_t size, Selection selection, Vector* result) {
  fit_strings<false>(state, types, arguments, size, selection, result);
}

void explicit_length_kernel(EvaluationState& state, const CallTypes& types, std::span<const Vector> arguments,
                            uint32_t size, Selection selection, Vector* result) {
  fit_strings<true>(state, types, arguments, size, selection, result);
}

void decimal_scale_kernel(EvaluationState& state, const CallTypes& types, std::span<const Vector> arguments,
                          uint32_t size, Selection selection, Vector* result) {
  row_kernel<[](KernelCall& call, const Decimal& v) {
    return rescale(v, call.types.result.precision(), call.types.result.scale());
  }>(state, types, arguments, size, selection, result);
}

void array_cast_kernel(EvaluationState& state, const CallTypes& types, std::span<const Vector> arguments,
                       uint32_t size, Selection selection, Vector* result) {
  const SqlType from(types.arguments[0].element), to(types.result.element, types.result.modifier);
  const ScalarFunction* cast = find_cast(from, to, CastContext::kExplicit);
  CallTypes element_types{{from}, to};
  auto* out = result->allocate_as<std::string_view>(types.result, size);
  const Vector& input = arguments[0];
  const size_t width = physical_size(physical_type(from)), to_width = physical_size(physical_type(to));
  for (uint32_t i = 0; i < selection.count; ++i) {
    const uint32_t row = selection[i];
    const ArrayView array(input.values<std::string_view>()[input.is_constant() ? 0 : row]);
    Vector elements, converted;
    auto* data = static_cast<char*>(elements.allocate(from, array.size()));
    std::vector<uint16_t> valid;
    ArrayBuilder builder(to.id);
    for (uint32_t begin = 0; begin < array.size(); begin += kVectorSize) {
      const uint32_t end = std::min(begin + kVectorSize, array.size());
      valid.clear();
      for (uint32_t k = begin; k < end; ++k) {
        if (array.is_null(k)) continue;
        array.element_at(k, data + width * (k - begin));
        valid.push_back(static_cast<uint16_t>(k - begin));
      }
      const Selection rows{valid.data(), static_cast<uint32_t>(valid.size())};
      const Vector* from_vector = &elements;
      if (cast->kernel != nullptr) {
        cast->kernel(state, element_types, {&elements, 1}, end - begin, rows, &converted);
        from_vector = &converted;
      }
      const char* values = static_cast<const char*>(from_vector->data);
      for (uint32_t k = begin; k < end; ++k) {
        if (array.is_null(k)) {
          builder.append_null();
        } else {
          builder.append(values + to_width * (k - begin));
        }
      }
    }
    out[row] = result->store_string(builder.finish());
  }
}

}  // namespace idem
