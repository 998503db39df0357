#include <algorithm>
#include <cstdlib>

#include "common/array_value.h"
#include "common/decimal.h"
#include "common/error.h"
#include "common/json_text.h"
#include "query/cast_registry.h"
#include "query/function_registry.h"
#include "query/json_path.h"
#include "query/json_values.h"
#include "query/kernel.h"
#include "query/record_functions.h"

namespace idem {

namespace {

using View = std::string_view;
constexpr SqlType kText = TypeId::kText, kJson = TypeId::kJson, kJsonb = TypeId::kJsonb,
                  kInt4 = TypeId::kInteger, kBool = TypeId::kBoolean;
constexpr SqlType kTextArray = SqlType::array_of(TypeId::kText);

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
std::optional<View> element_of(View json, int64_t index) {
  return json_kind(json) == JsonKind::kArray ? json_element(json, index) : std::nullopt;
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
  if (a != b) return false;
  if (a == JsonKind::kNumber) return decimal_from_text(outer) == decimal_from_text(inner);
  return outer == inner;
}

std::string without_keys(View json, const std::vector<std::string>& keys) {
  const JsonKind kind = json_kind(json);
  if (kind != JsonKind::kObject && kind != JsonKind::kArray)
    throw SqlError(sqlstate::kInvalidParameterValue, "cannot delete from scalar");
  std::string out(kind == JsonKind::kObject ? "{" : "[");
  const auto is_dropped = [&](View key) { return std::find(keys.begin(), keys.end(), key) != keys.end(); };
  if (kind == JsonKind::kObject) {
    for (const JsonMember& member : json_members(json)) {
      if (is_dropped(member.key)) continue;
      if (1 < out.size()) out += ',';
      append_json_string(out, member.key);
      out += ':';
      out += member.value;
    }
    return normalize_jsonb(out + "}");
  }
  for (const View item : json_elements(json)) {
    if (json_kind(item) == JsonKind::kString && is_dropped(*json_as_text(item))) continue;
    if (1 < out.size()) out += ',';
    out += item;
  }
  return normalize_jsonb(out + "]");
}

std::string without_element(View json, int64_t index) {
  if (json_kind(json) != JsonKind::kArray) {
    throw SqlError(sqlstate::kInvalidParameterValue, json_kind(json) == JsonKind::kObject
                                                         ? "cannot delete from object using integer index"
                                                         : "cannot delete from scalar");
  }
  const std::vector<View> items = json_elements(json);
  if (index < 0) index += static_cast<int64_t>(items.size());
  std::string out = "[";
  for (size_t i = 0; i < items.size(); ++i) {
    if (static_cast<int64_t>(i) == index) continue;
    if (1 < out.size()) out += ',';
    out += items[i];
  }
  return normalize_jsonb(out + "]");
}

// jsonb_set(target, path, value, create_missing)
std::string with_value(View json, const std::vector<View>& path, size_t depth, View value, bool create) {
  if (depth == path.size()) return std::string(value);
  const bool is_last = depth + 1 == path.size();
  std::string out;
  if (json_kind(json) == JsonKind::kObject) {
    bool found = false;
    out = "{";
    const auto append = [&](View key, View text) {
      if (1 < out.size()) out += ',';
      append_json_string(out, key);
      out += ':';
      out += text;
    };
    for (const JsonMember& member : json_members(json)) {
      if (member.key != path[depth]) {
        append(member.key, member.value);
        continue;
      }
      found = true;
      append(member.key, with_value(member.value, path, depth + 1, value, create));
    }
    if (!found && is_last && create) append(path[depth], value);
    return out + "}";
  }
  if (json_kind(json) != JsonKind::kArray) return std::string(json);
  const std::vector<View> items = json_elements(json);
  char* end = nullptr;
  const std::string step(path[depth]);
  int64_t index = std::strtoll(step.c_str(), &end, 10);
  if (step.empty() || *end != '\0') {
    throw sql_error(sqlstate::kInvalidTextRepresentation,
                    "path element at position {} is not an integer: \"{}\"", depth + 1, step);
  }
  const auto size = static_cast<int64_t>(items.size());
  if (index < 0) index += size;
  out = "[";
  const auto append = [&](View text) {
    if (1 < out.size()) out += ',';
    out += text;
  };
  if (index < 0 && is_last && create) append(value);
  for (int64_t i = 0; i < size; ++i) {
    const View item = items[static_cast<size_t>(i)];
    append(i == index ? View(with_value(item, path, depth + 1, value, create)) : item);
  }
  if (size <= index && is_last && create) append(value);
  return out + "]";
}

void set_row(KernelCall& call, std::string& out) {
  const ArrayView array(call.at<View>(1));
  std::vector<View> path;
  for (uint32_t i = 0; i < array.size(); ++i) path.push_back(array.string_at(i));
  const bool create = call.arguments.size() < 4 || call.at<uint8_t>(3) != 0;
  out = normalize_jsonb(with_value(call.at<View>(0), path, 0, call.at<View>(2), create));
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
}

void register_access(FunctionRegistry& r, SqlType json) {
  const bool is_jsonb = json.id == TypeId::kJsonb;
  r.add("->", {json, kText}, json,
        row_kernel<[](std::string& out, View j, View k) { return append_found(out, member_of(j, k)); }>);
  r.add("->", {json, kInt4}, json,
        row_kernel<[](std::string& out, View j, int32_t i) { return append_found(out, element_of(j, i)); }>);
  r.add("->>", {json, kText}, kText,
        row_kernel<[](std::string& out, View j, View k) { return append_found_text(out, member_of(j, k)); }>);
  r.add("->>", {json, kInt4}, kText, row_kernel<[](std::string& out, View j, int32_t i) {
          return append_found_text(out, element_of(j, i));
        }>);
  r.add("#>", {json, kTextArray}, json,
        row_kernel<[](std::string& out, View j, View p) { return append_found(out, at_path(j, p)); }>);
  r.add("#>>", {json, kTextArray}, kText,
        row_kernel<[](std::string& out, View j, View p) { return append_found_text(out, at_path(j, p)); }>);
  const View prefix = is_jsonb ? "jsonb_" : "json_";
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
  register_access(r, kJson);
  register_access(r, kJsonb);
  register_building(r);
  r.add("?", {kJsonb, kText}, kBool, row_kernel<[](View j, View k) { return has_key(j, k); }>);
  r.add("?|", {kJsonb, kTextArray}, kBool, row_kernel<[](View j, View k) { return has_keys(j, k, false); }>);
  r.add("?&", {kJsonb, kTextArray}, kBool, row_kernel<[](View j, View k) { return has_keys(j, k, true); }>);
  r.add("@>", {kJsonb, kJsonb}, kBool, row_kernel<[](View a, View b) { return contains(a, b, true); }>);
  r.add("<@", {kJsonb, kJsonb}, kBool, row_kernel<[](View a, View b) { return contains(b, a, true); }>);
  r.add("-", {kJsonb, kText}, kJsonb,
        row_kernel<[](View j, View k) { return without_keys(j, {std::string(k)}); }>);
  r.add("-", {kJsonb, kInt4}, kJsonb, row_kernel<[](View j, int32_t i) { return without_element(j, i); }>);
  r.add("-", {kJsonb, kTextArray}, kJsonb, row_kernel<[](View j, View k) {
          std::vector<std::string> keys;
          const ArrayView array(k);
          for (uint32_t i = 0; i < array.size(); ++i) keys.emplace_back(array.string_at(i));
          return without_keys(j, keys);
        }>);
  r.add("jsonb_set", {kJsonb, kTextArray, kJsonb}, kJsonb,
        row_kernel<[](KernelCall& c, std::string& out) { set_row(c, out); }>);
  r.add("jsonb_set", {kJsonb, kTextArray, kJsonb, kBool}, kJsonb,
        row_kernel<[](KernelCall& c, std::string& out) { set_row(c, out); }>);
  r.add("jsonb_pretty", {kJsonb}, kText,
        row_kernel<[](std::string& out, View j) { append_pretty(out, j, 0); }>);
  r.add("jsonb_path_query_first", {kJsonb, kText}, kJsonb, row_kernel<[](std::string& out, View j, View p) {
          const std::vector<View> found = json_path_query(j, JsonPath(p));
          if (!found.empty()) out += found[0];
          return !found.empty();
        }>);
  r.add("jsonb_path_exists", {kJsonb, kText}, kBool,
        row_kernel<[](View j, View p) { return !json_path_query(j, JsonPath(p)).empty(); }>);
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
