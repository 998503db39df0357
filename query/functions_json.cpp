#include <algorithm>

#include "common/array_value.h"
#include "common/error.h"
#include "common/json_order.h"
#include "common/json_text.h"
#include "query/cast_registry.h"
#include "query/function_registry.h"
#include "query/json_values.h"
#include "query/kernel.h"
#include "query/record_functions.h"
#include "query/signature_types.h"
#include "query/value_functions.h"

namespace idem {

namespace {

using View = std::string_view;

bool append_found(std::string& out, const std::optional<View>& found) {
  if (!found) return false;
  out += *found;
  return true;
}
bool append_found_text(std::string& out, const std::optional<View>& found) {
  if (!found) return false;
  const std::optional<std::string> text = json_as_text(*found);
  if (!text) return false;
  out += *text;
  return true;
}

std::optional<View> member_of(View json, View key) {
  return json_kind(json) == JsonKind::kObject ? json_member(json, key) : std::nullopt;
}
// A scalar of jsonb counts as an array of itself, one of json does not.
template <bool kIsJsonb>
std::optional<View> element_of(View json, int64_t index) {
  switch (json_kind(json)) {
    case JsonKind::kArray: return json_element(json, index);
    case JsonKind::kObject: return std::nullopt;
    default: return kIsJsonb && (index == 0 || index == -1) ? std::optional(json) : std::nullopt;
  }
}
std::optional<View> at_path(View json, View array_bytes) {
  const ArrayView array(array_bytes);
  std::vector<View> path;
  for (uint32_t i = 0; i < array.size(); ++i) {
    if (array.is_null(i)) return std::nullopt;
    path.push_back(array.string_at(i));
  }
  return json_at_path(json, path);
}

// json_extract_path(json, 'a', 'b')
std::optional<View> at_arguments(KernelCall& call) {
  std::vector<View> path;
  for (size_t i = 1; i < call.arguments.size(); ++i) path.push_back(call.at<View>(i));
  return json_at_path(call.at<View>(0), path);
}

bool has_key(View json, View key) {
  switch (json_kind(json)) {
    case JsonKind::kObject: return json_member(json, key).has_value();
    case JsonKind::kArray: {
      const std::vector<View> items = json_elements(json);
      return std::any_of(items.begin(), items.end(), [&](View item) {
        return json_kind(item) == JsonKind::kString && json_as_text(item) == key;
      });
    }
    case JsonKind::kString: return json_as_text(json) == key;
    default: return false;
  }
}
bool has_keys(View json, View array_bytes, bool all) {
  const ArrayView keys(array_bytes);
  for (uint32_t i = 0; i < keys.size(); ++i) {
    if (keys.is_null(i)) continue;
    if (has_key(json, keys.string_at(i)) != all) return !all;
  }
  return all;
}

// jsonb's @>: objects by their members, arrays as sets, scalars by equality.
bool contains(View outer, View inner, bool at_top) {
  const JsonKind a = json_kind(outer), b = json_kind(inner);
  if (a == JsonKind::kObject && b == JsonKind::kObject) {
    const std::vector<JsonMember> members = json_members(inner);
    return std::all_of(members.begin(), members.end(), [&](const JsonMember& member) {
      const auto own = json_member(outer, member.key);
      return own && contains(*own, member.value, false);
    });
  }
  if (a == JsonKind::kArray && b == JsonKind::kArray) {
    const std::vector<View> own = json_elements(outer), wanted = json_elements(inner);
    return std::all_of(wanted.begin(), wanted.end(), [&](View w) {
      return std::any_of(own.begin(), own.end(), [&](View o) { return contains(o, w, false); });
    });
  }
  if (a == JsonKind::kArray && at_top && b != JsonKind::kObject) {
    const std::vector<View> own = json_elements(outer);
    return std::any_of(own.begin(), own.end(), [&](View o) { return contains(o, inner, false); });
  }
  return compare_jsonb(outer, inner) == 0;
}

void append_stripped(std::string& out, View json) {
  switch (json_kind(json)) {
    case JsonKind::kObject: {
      out += '{';
      bool is_first = true;
      for (const JsonMember& member : json_members(json)) {
        if (json_kind(member.value) == JsonKind::kNull) continue;
        if (!is_first) out += ',';
        is_first = false;
        append_json_string(out, member.key);
        out += ':';
        append_stripped(out, member.value);
      }
      out += '}';
      return;
    }
    case JsonKind::kArray: {
      out += '[';
      bool is_first = true;
      for (const View item : json_elements(json)) {
        if (!is_first) out += ',';
        is_first = false;
        append_stripped(out, item);
      }
      out += ']';
      return;
    }
    default: out += json;
  }
}

void append_pretty(std::string& out, View json, int depth) {
  const auto indent = [&](int d) {
    out += '\n';
    out.append(static_cast<size_t>(d) * 4, ' ');
  };
  const JsonKind kind = json_kind(json);
  if (kind != JsonKind::kObject && kind != JsonKind::kArray) {
    out += json;
    return;
  }
  out += kind == JsonKind::kObject ? '{' : '[';
  bool is_first = true;
  const auto begin_item = [&] {
    if (!is_first) out += ',';
    is_first = false;
    indent(depth + 1);
  };
  if (kind == JsonKind::kObject) {
    for (const JsonMember& member : json_members(json)) {
      begin_item();
      append_json_string(out, member.key);
      out += ": ";
      append_pretty(out, member.value, depth + 1);
    }
  } else {
    for (const View item : json_elements(json)) {
      begin_item();
      append_pretty(out, item, depth + 1);
    }
  }
  indent(depth);
  out += kind == JsonKind::kObject ? '}' : ']';
}

int32_t length_of(View json) {
  switch (json_kind(json)) {
    case JsonKind::kArray: return static_cast<int32_t>(json_array_length(json));
    case JsonKind::kObject:
      throw SqlError(sqlstate::kInvalidParameterValue, "cannot get array length of a non-array");
    default: throw SqlError(sqlstate::kInvalidParameterValue, "cannot get array length of a scalar");
  }
}

// ---- building

template <TypeId kResult>
bool bind_build(std::span<const SqlType> arguments, CallTypes* types) {
  for (const SqlType type : arguments) {
    types->arguments.push_back(type.id == TypeId::kUnknown || type.id == TypeId::kSymbol ? kText : type);
  }
  types->result = kResult;
  return true;
}
template <TypeId kResult>
bool bind_any(std::span<const SqlType> arguments, CallTypes* types) {
  return arguments.size() == 1 && bind_build<kResult>(arguments, types);
}

void append_argument(std::string& out, KernelCall& call, size_t i) {
  if (call.is_valid(i)) {
    append_json_value(out, call.types.arguments[i], call.element(i), text_options(call.state));
  } else {
    out += "null";
  }
}

void finish(KernelCall& call, std::string& out) {
  if (call.types.result.id == TypeId::kJsonb) out = normalize_jsonb(out);
}

void build_object(KernelCall& call, std::string& out) {
  if (call.arguments.size() % 2 != 0) {
    throw SqlError(sqlstate::kInvalidParameterValue, "argument list must have even number of elements")
        .with_hint("The arguments of json_build_object() must consist of alternating keys and values.");
  }
  out += '{';
  for (size_t i = 0; i < call.arguments.size(); i += 2) {
    if (!call.is_valid(i))
      throw sql_error(sqlstate::kInvalidParameterValue, "argument {} cannot be null", i + 1)
          .with_hint("Object keys should be text.");
    if (0 < i) out += ", ";
    append_json_key(out, call.types.arguments[i], call.element(i), text_options(call.state));
    out += " : ";
    append_argument(out, call, i + 1);
  }
  out += '}';
  finish(call, out);
}

void build_array(KernelCall& call, std::string& out) {
  out += '[';
  for (size_t i = 0; i < call.arguments.size(); ++i) {
    if (0 < i) out += ", ";
    append_argument(out, call, i);
  }
  out += ']';
  finish(call, out);
}

void build_row(KernelCall& call, std::string& out) {
  out += '{';
  for (size_t i = 0; i < call.arguments.size(); i += 2) {
    if (i > 0) out += ',';
    append_json_key(out, call.types.arguments[i], call.element(i), text_options(call.state));
    out += ':';
    append_argument(out, call, i + 1);
  }
  out += '}';
}

// json_object({a, 1, b, 2}), json_object({a, b}, {1, 2}): all values are strings.
void object_of_texts(KernelCall& call, std::string& out) {
  const ArrayView keys(call.at<View>(0));
  const bool in_pairs = call.arguments.size() == 1;
  const ArrayView values(call.at<View>(in_pairs ? 0 : 1));
  if (in_pairs && keys.size() % 2 != 0)
    throw SqlError(sqlstate::kArraySubscriptError, "array must have even number of elements");
  if (keys.size() != values.size())
    throw SqlError(sqlstate::kArraySubscriptError, "mismatched array dimensions");
  const uint32_t step = in_pairs ? 2 : 1;
  out += '{';
  for (uint32_t i = 0; i < keys.size(); i += step) {
    const uint32_t value = i + step - 1;
    if (keys.is_null(i)) throw SqlError("22004", "null value not allowed for object key");
    if (0 < i) out += ", ";
    append_json_string(out, keys.string_at(i));
    out += " : ";
    if (values.is_null(value)) {
      out += "null";
    } else {
      append_json_string(out, values.string_at(value));
    }
  }
  out += '}';
  finish(call, out);
}

void register_building(FunctionRegistry& r) {
  const auto add = [&](View name, bool (*bind)(std::span<const SqlType>, CallTypes*), ScalarKernel kernel,
                       bool strict) {
    r.add_polymorphic(name, bind, kernel, Volatility::kStable).strict = strict;
  };
  const ScalarKernel object = row_kernel<[](KernelCall& c, std::string& out) { build_object(c, out); }>;
  const ScalarKernel array = row_kernel<[](KernelCall& c, std::string& out) { build_array(c, out); }>;
  const ScalarKernel value = row_kernel<[](KernelCall& c, std::string& out) {
    append_argument(out, c, 0);
    finish(c, out);
  }>;
  add("json_build_object", bind_build<TypeId::kJson>, object, false);
  add("jsonb_build_object", bind_build<TypeId::kJsonb>, object, false);
  add("json_build_array", bind_build<TypeId::kJson>, array, false);
  add("jsonb_build_array", bind_build<TypeId::kJsonb>, array, false);
  for (const View name : {"to_json", "array_to_json", "row_to_json"})
    add(name, bind_any<TypeId::kJson>, value, true);
  add("to_jsonb", bind_any<TypeId::kJsonb>, value, true);
  const ScalarKernel texts = row_kernel<[](KernelCall& c, std::string& out) { object_of_texts(c, out); }>;
  r.add("json_object", {kTextArray}, kJson, texts);
  r.add("json_object", {kTextArray, kTextArray}, kJson, texts);
  r.add("jsonb_object", {kTextArray}, kJsonb, texts);
  r.add("jsonb_object", {kTextArray, kTextArray}, kJsonb, texts);
}

template <bool kIsJsonb>
void register_access(FunctionRegistry& r) {
  const SqlType json = kIsJsonb ? kJsonb : kJson;
  r.add("->", {json, kText}, json,
        row_kernel<[](std::string& out, View j, View k) { return append_found(out, member_of(j, k)); }>);
  r.add("->", {json, kInt4}, json, row_kernel<[](std::string& out, View j, int32_t i) {
          return append_found(out, element_of<kIsJsonb>(j, i));
        }>);
  r.add("->>", {json, kText}, kText,
        row_kernel<[](std::string& out, View j, View k) { return append_found_text(out, member_of(j, k)); }>);
  r.add("->>", {json, kInt4}, kText, row_kernel<[](std::string& out, View j, int32_t i) {
          return append_found_text(out, element_of<kIsJsonb>(j, i));
        }>);
  r.add("#>", {json, kTextArray}, json,
        row_kernel<[](std::string& out, View j, View p) { return append_found(out, at_path(j, p)); }>);
  r.add("#>>", {json, kTextArray}, kText,
        row_kernel<[](std::string& out, View j, View p) { return append_found_text(out, at_path(j, p)); }>);
  const View prefix = kIsJsonb ? "jsonb_" : "json_";
  const auto named = [&](View rest) { return std::string(prefix) + std::string(rest); };
  ScalarFunction& path =
      r.add(named("extract_path"), {json, kText}, json,
            row_kernel<[](KernelCall& c, std::string& out) { return append_found(out, at_arguments(c)); }>);
  path.variadic = true;
  ScalarFunction& text = r.add(
      named("extract_path_text"), {json, kText}, kText,
      row_kernel<[](KernelCall& c, std::string& out) { return append_found_text(out, at_arguments(c)); }>);
  text.variadic = true;
  r.add(named("typeof"), {json}, kText, row_kernel<[](View j) { return json_kind_name(json_kind(j)); }>);
  r.add(named("array_length"), {json}, kInt4, row_kernel<[](View j) { return length_of(j); }>);
  r.add(named("strip_nulls"), {json}, json, row_kernel<[](KernelCall& c, std::string& out, View j) {
          append_stripped(out, j);
          finish(c, out);
        }>);
}

}  // namespace

void register_json_functions(FunctionRegistry& r) {
  register_access<false>(r);
  register_access<true>(r);
  register_building(r);
  register_json_edit_functions(r);
  r.add("?", {kJsonb, kText}, kBool, row_kernel<[](View j, View k) { return has_key(j, k); }>);
  r.add("?|", {kJsonb, kTextArray}, kBool, row_kernel<[](View j, View k) { return has_keys(j, k, false); }>);
  r.add("?&", {kJsonb, kTextArray}, kBool, row_kernel<[](View j, View k) { return has_keys(j, k, true); }>);
  r.add("@>", {kJsonb, kJsonb}, kBool, row_kernel<[](View a, View b) { return contains(a, b, true); }>);
  r.add("<@", {kJsonb, kJsonb}, kBool, row_kernel<[](View a, View b) { return contains(b, a, true); }>);
  r.add("jsonb_pretty", {kJsonb}, kText,
        row_kernel<[](std::string& out, View j) { append_pretty(out, j, 0); }>);
  register_json_path_functions(r);
}

const ScalarFunction& json_of_fields_function() {
  static const ScalarFunction function = [] {
    ScalarFunction f;
    f.name = "json_of_fields";
    f.result = kJson;
    f.volatility = Volatility::kStable;
    f.kernel = row_kernel<[](KernelCall& c, std::string& out) { build_row(c, out); }>;
    f.strict = false;
    return f;
  }();
  return function;
}

}  // namespace idem
