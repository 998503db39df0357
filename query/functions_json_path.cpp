#include "query/function_registry.h"
#include "query/json_path.h"
#include "query/kernel.h"
#include "query/last_parsed.h"
#include "query/signature_types.h"
#include "query/value_functions.h"

namespace idem {

namespace {

using View = std::string_view;

// (document, path [, variables [, silent]])
JsonPathCall path_call(const KernelCall& call, bool silent) {
  JsonPathCall made{call.at<View>(0), "{}", silent, call.state.context->cancel};
  if (call.arguments.size() > 2) made.variables = call.at<View>(2);
  if (call.arguments.size() > 3) made.silent = call.at<uint8_t>(3) != 0;
  return made;
}

template <auto Find, bool kSilent = false>
void path_bool_kernel(EvaluationState& state, const CallTypes& types, std::span<const Vector> arguments,
                      uint32_t size, Selection selection, Vector* result) {
  auto* out = result->allocate_as<uint8_t>(types.result, size);
  KernelCall call{state, types, arguments};
  kernel_detail::NullMarker nulls(result, size);
  LastParsed<JsonPath> last;
  for (uint32_t i = 0; i < selection.count; ++i) {
    call.row = selection[i];
    const std::optional<bool> found = Find(last.get(call.at<View>(1)), path_call(call, kSilent));
    out[call.row] = found.value_or(false) ? 1 : 0;
    if (!found) nulls.mark(call.row);
  }
}

// Append appends what was found to a text; false is NULL.
template <auto Append>
void path_json_kernel(EvaluationState& state, const CallTypes& types, std::span<const Vector> arguments,
                      uint32_t size, Selection selection, Vector* result) {
  auto* out = result->allocate_as<View>(types.result, size);
  KernelCall call{state, types, arguments};
  kernel_detail::NullMarker nulls(result, size);
  LastParsed<JsonPath> last;
  std::string text;
  for (uint32_t i = 0; i < selection.count; ++i) {
    call.row = selection[i];
    text.clear();
    const bool any = Append(json_path_query(last.get(call.at<View>(1)), path_call(call, false)), text);
    out[call.row] = any ? result->store_string(text) : View();
    if (!any) nulls.mark(call.row);
  }
}

bool append_first(const std::vector<JsonPathItem>& found, std::string& out) {
  if (!found.empty()) out += found[0].json;
  return !found.empty();
}

bool append_all(const std::vector<JsonPathItem>& found, std::string& out) {
  out += '[';
  for (const JsonPathItem& item : found) {
    if (out.size() > 1) out += ", ";
    out += item.json;
  }
  out += ']';
  return true;
}

void add_path_function(FunctionRegistry& r, std::string_view name, SqlType result, ScalarKernel kernel) {
  r.add(name, {kJsonb, kText}, result, kernel);
  r.add(name, {kJsonb, kText, kJsonb}, result, kernel);
  r.add(name, {kJsonb, kText, kJsonb, kBool}, result, kernel);
}

}  // namespace

void register_json_path_functions(FunctionRegistry& r) {
  add_path_function(r, "jsonb_path_exists", kBool, path_bool_kernel<json_path_exists>);
  add_path_function(r, "jsonb_path_match", kBool, path_bool_kernel<json_path_match>);
  r.add("@?", {kJsonb, kText}, kBool, path_bool_kernel<json_path_exists, true>);
  r.add("@@", {kJsonb, kText}, kBool, path_bool_kernel<json_path_match, true>);
  add_path_function(r, "jsonb_path_query_first", kJsonb, path_json_kernel<append_first>);
  add_path_function(r, "jsonb_path_query_array", kJsonb, path_json_kernel<append_all>);
}

}  // namespace idem
