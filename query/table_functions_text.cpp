#include "common/array_value.h"
#include "common/error.h"
#include "common/json_text.h"
#include "common/utf8.h"
#include "query/function_registry.h"
#include "query/json_path.h"
#include "query/kernel.h"
#include "query/regex.h"
#include "query/set_writer.h"
#include "query/signature_types.h"

namespace idem {

namespace {

using View = std::string_view;
using Columns = std::vector<std::pair<std::string, SqlType>>;
using Emit = std::function<void(DataChunk&)>;

bool are_texts(std::span<const SqlType> arguments, size_t least, size_t most, std::vector<SqlType>* types) {
  if (arguments.size() < least || arguments.size() > most) return false;
  for (const SqlType type : arguments) {
    if (!is_string_like(type.id) && type.id != TypeId::kUnknown) return false;
  }
  types->assign(arguments.size(), kText);
  return true;
}

// ---- regular expressions and separators

bool bind_split(std::span<const SqlType> arguments, std::vector<SqlType>* types, Columns* columns) {
  *columns = {{"regexp_split_to_table", kText}};
  return are_texts(arguments, 2, 3, types);
}
void run_split(EvaluationState& state, const std::vector<SqlType>&, const std::vector<Value>& arguments,
               const Emit& emit) {
  if (any_null(arguments)) return;
  const Regex regex(arguments[1].as_string(), arguments.size() > 2 ? arguments[2].as_string() : "");
  SetWriter out({kText}, emit);
  regex_split(regex, arguments[0].as_string(), state.context->cancel, [&](View part) {
    out.set_text(0, part);
    out.next_row();
  });
  out.finish();
}

bool bind_matches(std::span<const SqlType> arguments, std::vector<SqlType>* types, Columns* columns) {
  *columns = {{"regexp_matches", SqlType::array_of(TypeId::kText)}};
  return are_texts(arguments, 2, 3, types);
}
void run_matches(EvaluationState& state, const std::vector<SqlType>&, const std::vector<Value>& arguments,
                 const Emit& emit) {
  if (any_null(arguments)) return;
  const View flags = arguments.size() > 2 ? View(arguments[2].as_string()) : View();
  const Regex regex(arguments[1].as_string(), flags);
  const bool all = flags.find('g') != View::npos;
  SetWriter out({SqlType::array_of(TypeId::kText)}, emit);
  RegexMatches matches(regex, arguments[0].as_string(), 0, state.context->cancel);
  while (matches.next()) {
    const std::vector<View>& groups = matches.groups();
    ArrayBuilder builder(TypeId::kText);
    for (size_t i = groups.size() > 1 ? 1 : 0; i < groups.size(); ++i) {
      if (groups[i].data() == nullptr) {
        builder.append_null();
      } else {
        builder.append_string(groups[i]);
      }
    }
    out.set_text(0, builder.finish());
    out.next_row();
    if (!all) break;
  }
  out.finish();
}

// Calls take(part) for the parts of string_to_array and string_to_table: a NULL separator takes the text apart by
// characters, an empty one not at all.
template <class Take>
void split_text(View text, const std::optional<View>& separator, const CancelToken* cancel, Take&& take) {
  if (text.empty()) return;
  CancelCheck check_cancel(cancel);
  size_t at = 0;
  if (!separator) {
    for (size_t size = 0; at < text.size(); at += size) {
      check_cancel();
      size = utf8_sequence_length(text[at]);
      take(text.substr(at, size));
    }
    return;
  }
  if (!separator->empty()) {
    for (size_t found = text.find(*separator); found != View::npos; found = text.find(*separator, at)) {
      check_cancel();
      take(text.substr(at, found - at));
      at = found + separator->size();
    }
  }
  take(text.substr(at));
}

bool bind_text_table(std::span<const SqlType> arguments, std::vector<SqlType>* types, Columns* columns) {
  *columns = {{"string_to_table", kText}};
  return are_texts(arguments, 2, 3, types);
}
void run_text_table(EvaluationState& state, const std::vector<SqlType>&, const std::vector<Value>& arguments,
                    const Emit& emit) {
  if (arguments[0].is_null()) return;
  const std::optional<View> separator =
      arguments[1].is_null() ? std::nullopt : std::optional<View>(arguments[1].as_string());
  const bool has_null = arguments.size() > 2 && !arguments[2].is_null();
  SetWriter out({kText}, emit);
  split_text(arguments[0].as_string(), separator, state.context->cancel, [&](View part) {
    if (!has_null || part != arguments[2].as_string()) out.set_text(0, part);
    out.next_row();
  });
  out.finish();
}

bool array_row(KernelCall& call, std::string& out) {
  if (!call.is_valid(0)) return false;
  const std::optional<View> separator = call.is_valid(1) ? std::optional(call.at<View>(1)) : std::nullopt;
  ArrayBuilder builder(TypeId::kText);
  const bool has_null = call.arguments.size() > 2 && call.is_valid(2);
  split_text(call.at<View>(0), separator, call.state.context->cancel, [&](View part) {
    if (has_null && part == call.at<View>(2)) {
      builder.append_null();
    } else {
      builder.append_string(part);
    }
  });
  builder.append_to(out);
  return true;
}

// ---- json

bool is_json_argument(std::span<const SqlType> arguments, SqlType json, std::vector<SqlType>* types) {
  if (arguments.size() != 1 || (arguments[0].id != json.id && arguments[0].id != TypeId::kUnknown))
    return false;
  *types = {json};
  return true;
}

template <TypeId kJson, bool kAsText>
bool bind_elements(std::span<const SqlType> arguments, std::vector<SqlType>* types, Columns* columns) {
  *columns = {{"value", kAsText ? kText : SqlType(kJson)}};
  return is_json_argument(arguments, kJson, types);
}
template <TypeId kJson, bool kAsText>
bool bind_each(std::span<const SqlType> arguments, std::vector<SqlType>* types, Columns* columns) {
  *columns = {{"key", kText}, {"value", kAsText ? kText : SqlType(kJson)}};
  return is_json_argument(arguments, kJson, types);
}
template <TypeId kJson>
bool bind_keys(std::span<const SqlType> arguments, std::vector<SqlType>* types, Columns* columns) {
  *columns = {{kJson == TypeId::kJsonb ? "jsonb_object_keys" : "json_object_keys", kText}};
  return is_json_argument(arguments, kJson, types);
}

template <bool kAsText>
void set_json(SetWriter& out, size_t column, View json) {
  if constexpr (kAsText) {
    if (const auto text = json_as_text(json)) out.set_text(column, *text);
  } else {
    out.set_text(column, json);
  }
}

template <bool kAsText>
void run_elements(EvaluationState&, const std::vector<SqlType>& types, const std::vector<Value>& arguments,
                  const Emit& emit) {
  if (arguments[0].is_null()) return;
  const View json = arguments[0].as_string();
  if (json_kind(json) != JsonKind::kArray) {
    throw SqlError(sqlstate::kInvalidParameterValue, json_kind(json) == JsonKind::kObject
                                                         ? "cannot extract elements from an object"
                                                         : "cannot extract elements from a scalar");
  }
  SetWriter out({kAsText ? kText : types[0]}, emit);
  for (const View item : json_elements(json)) {
    set_json<kAsText>(out, 0, item);
    out.next_row();
  }
  out.finish();
}

void check_object(View json, View name) {
  if (json_kind(json) == JsonKind::kObject) return;
  throw sql_error(sqlstate::kInvalidParameterValue, "cannot call {} on {}", name,
                  json_kind(json) == JsonKind::kArray ? "an array" : "a scalar");
}

template <bool kAsText>
void run_each(EvaluationState&, const std::vector<SqlType>& types, const std::vector<Value>& arguments,
              const Emit& emit) {
  if (arguments[0].is_null()) return;
  const View json = arguments[0].as_string();
  check_object(json, types[0].id == TypeId::kJsonb ? "jsonb_each" : "json_each");
  SetWriter out({kText, kAsText ? kText : types[0]}, emit);
  for (const JsonMember& member : json_members(json)) {
    out.set_text(0, member.key);
    set_json<kAsText>(out, 1, member.value);
    out.next_row();
  }
  out.finish();
}

void run_keys(EvaluationState&, const std::vector<SqlType>& types, const std::vector<Value>& arguments,
              const Emit& emit) {
  if (arguments[0].is_null()) return;
  const View json = arguments[0].as_string();
  check_object(json, types[0].id == TypeId::kJsonb ? "jsonb_object_keys" : "json_object_keys");
  SetWriter out({kText}, emit);
  for (const JsonMember& member : json_members(json)) {
    out.set_text(0, member.key);
    out.next_row();
  }
  out.finish();
}

bool bind_path(std::span<const SqlType> arguments, std::vector<SqlType>* types, Columns* columns) {
  if (arguments.size() < 2 || arguments.size() > 4) return false;
  if (arguments[0].id != TypeId::kJsonb && arguments[0].id != TypeId::kUnknown) return false;
  *types = {TypeId::kJsonb, kText, TypeId::kJsonb, TypeId::kBoolean};
  types->resize(arguments.size());
  *columns = {{"jsonb_path_query", TypeId::kJsonb}};
  return true;
}
void run_path(EvaluationState& state, const std::vector<SqlType>&, const std::vector<Value>& arguments,
              const Emit& emit) {
  if (any_null(arguments)) return;
  SetWriter out({TypeId::kJsonb}, emit);
  JsonPathCall call{arguments[0].as_string(), "{}", false, state.context->cancel};
  if (arguments.size() > 2) call.variables = arguments[2].as_string();
  if (arguments.size() > 3) call.silent = arguments[3].as_bool();
  const JsonPath path(arguments[1].as_string());
  for (const JsonPathItem& found : json_path_query(path, call)) {
    out.set_text(0, found.json);
    out.next_row();
  }
  out.finish();
}

template <TypeId kJson>
void add_json(FunctionRegistry& r, View prefix) {
  const auto name = [&](View rest) { return std::string(prefix) + std::string(rest); };
  r.add_table_function({name("_array_elements"), {}, bind_elements<kJson, false>, run_elements<false>});
  r.add_table_function({name("_array_elements_text"), {}, bind_elements<kJson, true>, run_elements<true>});
  r.add_table_function({name("_each"), {}, bind_each<kJson, false>, run_each<false>});
  r.add_table_function({name("_each_text"), {}, bind_each<kJson, true>, run_each<true>});
  r.add_table_function({name("_object_keys"), {}, bind_keys<kJson>, run_keys});
}

}  // namespace

void register_text_table_functions(FunctionRegistry& r) {
  r.add_table_function({"regexp_split_to_table", {}, bind_split, run_split});
  r.add_table_function({"regexp_matches", {}, bind_matches, run_matches});
  r.add_table_function({"string_to_table", {}, bind_text_table, run_text_table});
  r.add_table_function({"jsonb_path_query", {}, bind_path, run_path});
  add_json<TypeId::kJson>(r, "json");
  add_json<TypeId::kJsonb>(r, "jsonb");
  const ScalarKernel array = row_kernel<[](KernelCall& c, std::string& out) { return array_row(c, out); }>;
  r.add("string_to_array", {kText, kText}, SqlType::array_of(TypeId::kText), array).strict = false;
  r.add("string_to_array", {kText, kText, kText}, SqlType::array_of(TypeId::kText), array).strict = false;
}

}  // namespace idem
