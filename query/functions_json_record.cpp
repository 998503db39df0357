#include "common/error.h"
#include "common/json_text.h"
#include "query/json_record.h"
#include "query/kernel.h"

namespace idem {

namespace {

using View = std::string_view;

void check_object(View json) {
  if (json_kind(json) != JsonKind::kObject) {
    throw sql_error(sqlstate::kInvalidParameterValue, "cannot make a record of {}",
                    json_kind(json) == JsonKind::kArray ? "an array" : "a scalar")
        .with_hint("The argument is an object, that of a recordset an array of objects.");
  }
}

std::optional<View> field_of(View json, View name) {
  check_object(json);
  const std::optional<View> value = json_member(json, name);
  return value && json_kind(*value) != JsonKind::kNull ? value : std::nullopt;
}

bool text_field(std::string& out, View json, View name) {
  const std::optional<View> value = field_of(json, name);
  if (value) out += *json_as_text(*value);
  return value.has_value();
}

bool json_field(std::string& out, View json, View name) {
  const std::optional<View> value = field_of(json, name);
  if (value) out += *value;
  return value.has_value();
}

// As the text of an array: {"a",NULL,"1"}.
bool array_field(std::string& out, View json, View name) {
  const std::optional<View> value = field_of(json, name);
  if (!value) return false;
  if (json_kind(*value) == JsonKind::kString) {
    out += *json_as_text(*value);
    return true;
  }
  if (json_kind(*value) != JsonKind::kArray) {
    throw sql_error(sqlstate::kInvalidTextRepresentation, "expected JSON array")
        .with_hint(fmt::format("See the value of key \"{}\".", name));
  }
  out += '{';
  for (const View item : json_elements(*value)) {
    if (out.size() > 1) out += ',';
    const std::optional<std::string> text = json_as_text(item);
    if (!text) {
      out += "NULL";
      continue;
    }
    out += '"';
    for (const char c : *text) {
      if (c == '"' || c == '\\') out += '\\';
      out += c;
    }
    out += '"';
  }
  out += '}';
  return true;
}

bool has_field(View json, View name) {
  check_object(json);
  return json_member(json, name).has_value();
}

ScalarFunction make_function(std::string name, ScalarKernel kernel) {
  ScalarFunction f;
  f.name = std::move(name);
  f.kernel = kernel;
  return f;
}

}  // namespace

const ScalarFunction& json_record_field_function(SqlType column) {
  static const ScalarFunction text = make_function(
      "json_text_field", row_kernel<[](std::string& out, View j, View n) { return text_field(out, j, n); }>);
  static const ScalarFunction json = make_function(
      "json_field", row_kernel<[](std::string& out, View j, View n) { return json_field(out, j, n); }>);
  static const ScalarFunction array =
      make_function("json_array_field",
                    row_kernel<[](std::string& out, View j, View n) { return array_field(out, j, n); }>);
  if (column.id == TypeId::kJson || column.id == TypeId::kJsonb) return json;
  return column.id == TypeId::kArray ? array : text;
}

const ScalarFunction& json_has_field_function() {
  static const ScalarFunction function =
      make_function("json_has_field", row_kernel<[](View j, View n) { return has_field(j, n); }>);
  return function;
}

}  // namespace idem
