#include "common/array_value.h"
#include "common/error.h"
#include "common/json_text.h"
#include "query/aggregate_kernels.h"
#include "query/array_elements.h"
#include "query/json_values.h"
#include "query/record_functions.h"

namespace idem {

namespace {

using namespace aggregate_detail;

// ---- string_agg

struct Text {
  std::string text;
  std::string separator;  // of the first row: it stands before this text where it is joined to one of an
                          // earlier worker
  bool has_separator = false;
};
struct TextState {
  Text* text = nullptr;
};

Text& text_of(TextState& s, AggregateArena& arena, bool* is_new) {
  *is_new = s.text == nullptr;
  if (s.text == nullptr) s.text = arena.own(std::make_unique<Text>());
  return *s.text;
}

void update_string(char* states, uint32_t stride, const uint32_t* groups, const CallTypes&,
                   std::span<const Vector> arguments, uint32_t, Selection selection, AggregateArena& arena) {
  const Vector &values = arguments[0], &separators = arguments[1];
  for (uint32_t i = 0; i < selection.count; ++i) {
    const uint32_t row = selection[i];
    if (!values.is_valid(row)) continue;
    bool is_new = false;
    Text& all = text_of(state_at<TextState>(states, stride, groups, i), arena, &is_new);
    const size_t before = all.text.capacity();
    if (separators.is_valid(row)) {
      const std::string_view separator =
          separators.values<std::string_view>()[separators.is_constant() ? 0 : row];
      if (is_new) {
        all.separator = separator;
        all.has_separator = true;
      } else {
        all.text += separator;
      }
    }
    all.text += values.values<std::string_view>()[values.is_constant() ? 0 : row];
    arena.add_bytes(all.text.capacity() - before);
  }
}

void combine_string(char* into, const char* from, const CallTypes&, AggregateArena& arena) {
  const Text* b = reinterpret_cast<const TextState*>(from)->text;
  if (b == nullptr) return;
  bool is_new = false;
  Text& a = text_of(*reinterpret_cast<TextState*>(into), arena, &is_new);
  if (is_new) {
    a = *b;
  } else {
    if (b->has_separator) a.text += b->separator;
    a.text += b->text;
  }
  arena.add_bytes(b->text.size());
}

void finalize_string(const char* states, uint32_t stride, uint32_t count, const CallTypes&, Vector* result,
                     uint32_t first) {
  finalize_states<TextState>(states, stride, count, result, first,
                             [](ResultWriter& out, uint32_t i, const TextState& s) {
                               if (s.text == nullptr) return out.set_null(i);
                               out.set_text(i, s.text->text);
                             });
}

// ---- array_agg

struct ArrayState {
  ArrayBuilder* builder = nullptr;
};

ArrayBuilder& builder_of(ArrayState& s, TypeId element, AggregateArena& arena) {
  if (s.builder == nullptr) s.builder = arena.own(std::make_unique<ArrayBuilder>(element));
  return *s.builder;
}

void update_array(char* states, uint32_t stride, const uint32_t* groups, const CallTypes& types,
                  std::span<const Vector> arguments, uint32_t size, Selection selection,
                  AggregateArena& arena) {
  const Vector v = plain(arguments[0], size, selection);
  const size_t width = physical_size(physical_type(types.arguments[0]));
  const bool is_text = physical_type(types.arguments[0]) == PhysicalType::kString;
  for (uint32_t i = 0; i < selection.count; ++i) {
    const uint32_t row = selection[i];
    ArrayBuilder& builder =
        builder_of(state_at<ArrayState>(states, stride, groups, i), types.result.element, arena);
    if (!v.is_valid(row)) {
      builder.append_null();
      continue;
    }
    const uint32_t at = v.is_constant() ? 0 : row;
    builder.append(static_cast<const char*>(v.data) + width * at);
    arena.add_bytes(is_text ? v.values<std::string_view>()[at].size() + 4 : width);
  }
}

void combine_array(char* into, const char* from, const CallTypes& types, AggregateArena& arena) {
  const ArrayBuilder* b = reinterpret_cast<const ArrayState*>(from)->builder;
  if (b == nullptr) return;
  ArrayBuilder& a = builder_of(*reinterpret_cast<ArrayState*>(into), types.result.element, arena);
  const std::string bytes = b->finish();
  const ArrayView view(bytes);
  ElementBuffer element;
  for (uint32_t i = 0; i < view.size(); ++i) {
    if (view.is_null(i)) {
      a.append_null();
    } else {
      view.element_at(i, element.bytes);
      a.append(element.bytes);
    }
  }
  arena.add_bytes(bytes.size());
}

void finalize_array(const char* states, uint32_t stride, uint32_t count, const CallTypes&, Vector* result,
                    uint32_t first) {
  finalize_states<ArrayState>(states, stride, count, result, first,
                              [](ResultWriter& out, uint32_t i, const ArrayState& s) {
                                if (s.builder == nullptr) return out.set_null(i);
                                out.set_text(i, s.builder->finish());
                              });
}

// ---- json_agg, json_object_agg

struct JsonState {
  std::string* items = nullptr;
};

std::string& items_of(JsonState& s, AggregateArena& arena, std::string_view separator) {
  if (s.items == nullptr) {
    s.items = arena.own(std::make_unique<std::string>());
  } else {
    *s.items += separator;
  }
  return *s.items;
}

const char* element_at(const Vector& v, uint32_t row) {
  return static_cast<const char*>(v.data) +
         physical_size(physical_type(v.type)) * (v.is_constant() ? 0 : row);
}

void append_value(std::string& out, const Vector& v, SqlType type, uint32_t row) {
  if (v.is_valid(row)) {
    append_json_value(out, type, element_at(v, row), {});
  } else {
    out += "null";
  }
}

// PostgreSQL writes arrays and rows on lines of their own.
std::string_view json_separator(SqlType type) {
  return type.id == TypeId::kArray || type.id == TypeId::kRecord ? ", \n " : ", ";
}

template <bool kOfRows>
void update_json(char* states, uint32_t stride, const uint32_t* groups, const CallTypes& types,
                 std::span<const Vector> arguments, uint32_t size, Selection selection,
                 AggregateArena& arena) {
  const Vector v = plain(arguments[0], size, selection);
  const std::string_view separator = json_separator(kOfRows ? TypeId::kRecord : types.arguments[0]);
  for (uint32_t i = 0; i < selection.count; ++i) {
    std::string& items = items_of(state_at<JsonState>(states, stride, groups, i), arena, separator);
    const size_t before = items.size();
    append_value(items, v, types.arguments[0], selection[i]);
    arena.add_bytes(items.size() - before);
  }
}

void update_json_object(char* states, uint32_t stride, const uint32_t* groups, const CallTypes& types,
                        std::span<const Vector> arguments, uint32_t size, Selection selection,
                        AggregateArena& arena) {
  const Vector keys = plain(arguments[0], size, selection), values = plain(arguments[1], size, selection);
  for (uint32_t i = 0; i < selection.count; ++i) {
    const uint32_t row = selection[i];
    if (!keys.is_valid(row)) throw SqlError(sqlstate::kInvalidParameterValue, "field name must not be null");
    std::string& items = items_of(state_at<JsonState>(states, stride, groups, i), arena, ", ");
    const size_t before = items.size();
    append_json_key(items, types.arguments[0], element_at(keys, row), {});
    items += " : ";
    append_value(items, values, types.arguments[1], row);
    arena.add_bytes(items.size() - before);
  }
}

template <bool kOfRows>
void combine_json(char* into, const char* from, const CallTypes& types, AggregateArena& arena) {
  const std::string* b = reinterpret_cast<const JsonState*>(from)->items;
  if (b == nullptr) return;
  const bool is_object = types.arguments.size() == 2;
  const std::string_view separator =
      is_object ? ", " : json_separator(kOfRows ? TypeId::kRecord : types.arguments[0]);
  items_of(*reinterpret_cast<JsonState*>(into), arena, separator) += *b;
  arena.add_bytes(b->size());
}

template <bool kObject>
void finalize_json(const char* states, uint32_t stride, uint32_t count, const CallTypes& types,
                   Vector* result, uint32_t first) {
  const bool is_jsonb = types.result.id == TypeId::kJsonb;
  finalize_states<JsonState>(
      states, stride, count, result, first, [&](ResultWriter& out, uint32_t i, const JsonState& s) {
        if (s.items == nullptr) return out.set_null(i);
        const std::string text = kObject ? "{ " + *s.items + " }" : "[" + *s.items + "]";
        out.set_text(i, is_jsonb ? normalize_jsonb(text) : text);
      });
}

// ---- registration

SqlType shown_type(SqlType type) {
  return type.id == TypeId::kSymbol || type.id == TypeId::kUnknown ? SqlType(TypeId::kText) : type;
}

bool bind_string(std::span<const SqlType> arguments, CallTypes* types) {
  if (arguments.size() != 2) return false;
  const auto is_text = [](SqlType t) { return is_string_like(t.id) || t.id == TypeId::kUnknown; };
  const auto is_bytes = [](SqlType t) { return t.id == TypeId::kBytea || t.id == TypeId::kUnknown; };
  if (is_text(arguments[0]) && is_text(arguments[1])) {
    types->arguments.assign(2, SqlType(TypeId::kText));
  } else if (is_bytes(arguments[0]) && is_bytes(arguments[1])) {
    types->arguments.assign(2, SqlType(TypeId::kBytea));
  } else {
    return false;
  }
  types->result = types->arguments[0];
  return true;
}

bool bind_array(std::span<const SqlType> arguments, CallTypes* types) {
  if (arguments.size() != 1 || arguments[0].id == TypeId::kArray) return false;
  types->arguments = {shown_type(arguments[0])};
  types->result = SqlType::array_of(types->arguments[0].id);
  return true;
}

template <TypeId kResult>
bool bind_json(std::span<const SqlType> arguments, CallTypes* types) {
  if (arguments.size() != 1) return false;
  types->arguments = {shown_type(arguments[0])};
  types->result = kResult;
  return true;
}

template <TypeId kResult>
bool bind_json_object(std::span<const SqlType> arguments, CallTypes* types) {
  if (arguments.size() != 2) return false;
  types->arguments = {shown_type(arguments[0]), shown_type(arguments[1])};
  types->result = kResult;
  return true;
}

template <class State>
AggregateFunction make(std::string_view name, bool (*bind)(std::span<const SqlType>, CallTypes*),
                       decltype(AggregateFunction::update) update,
                       decltype(AggregateFunction::combine) combine,
                       decltype(AggregateFunction::finalize) finalize) {
  AggregateFunction f;
  f.name = name;
  f.state_size = sizeof(State);
  f.init = init_state<State>;
  f.update = update;
  f.combine = combine;
  f.finalize = finalize;
  f.bind = bind;
  f.order_sensitive = true;
  return f;
}

}  // namespace

void register_collecting_aggregates(FunctionRegistry& r) {
  r.add_aggregate(make<TextState>("string_agg", bind_string, update_string, combine_string, finalize_string));
  r.add_aggregate(make<ArrayState>("array_agg", bind_array, update_array, combine_array, finalize_array));
  const auto add_json = [&](std::string_view name, auto bind, auto update, auto combine, auto finalize) {
    r.add_aggregate(make<JsonState>(name, bind, update, combine, finalize));
  };
  add_json("json_agg", bind_json<TypeId::kJson>, update_json<false>, combine_json<false>,
           finalize_json<false>);
  add_json(kJsonOfRows, bind_json<TypeId::kJson>, update_json<true>, combine_json<true>,
           finalize_json<false>);
  add_json("jsonb_agg", bind_json<TypeId::kJsonb>, update_json<false>, combine_json<false>,
           finalize_json<false>);
  add_json("json_object_agg", bind_json_object<TypeId::kJson>, update_json_object, combine_json<false>,
           finalize_json<true>);
  add_json("jsonb_object_agg", bind_json_object<TypeId::kJsonb>, update_json_object, combine_json<false>,
           finalize_json<true>);
}

}  // namespace idem
