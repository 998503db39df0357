#include <algorithm>

#include "common/array_value.h"
#include "common/error.h"
#include "common/utf8.h"
#include "query/function_registry.h"
#include "query/kernel.h"
#include "query/last_parsed.h"
#include "query/regex.h"
#include "query/signature_types.h"

namespace idem {

namespace {

using View = std::string_view;
using Groups = std::vector<std::string_view>;

// Calls row(regex, call, &out) for every selected row; false is NULL. `flags_at`: the argument with flags, or
// none.
template <auto Row, int kFlagsAt = -1>
void regex_text_kernel(EvaluationState& state, const CallTypes& types, std::span<const Vector> arguments,
                       uint32_t size, Selection selection, Vector* result) {
  auto* out = result->allocate_as<View>(types.result, size);
  KernelCall call{state, types, arguments};
  kernel_detail::NullMarker nulls(result, size);
  LastParsed<Regex, 2> last;
  std::string text;
  for (uint32_t i = 0; i < selection.count; ++i) {
    call.row = selection[i];
    View flags;
    if constexpr (kFlagsAt >= 0) flags = call.at<View>(static_cast<size_t>(kFlagsAt));
    text.clear();
    if (Row(last.get(call.at<View>(1), flags), call, text)) {
      out[call.row] = result->store_string(text);
    } else {
      out[call.row] = {};
      nulls.mark(call.row);
    }
  }
}

template <auto Row, int kFlagsAt = -1>
void regex_number_kernel(EvaluationState& state, const CallTypes& types, std::span<const Vector> arguments,
                         uint32_t size, Selection selection, Vector* result) {
  auto* out = result->allocate_as<int32_t>(types.result, size);
  KernelCall call{state, types, arguments};
  LastParsed<Regex, 2> last;
  for (uint32_t i = 0; i < selection.count; ++i) {
    call.row = selection[i];
    View flags;
    if constexpr (kFlagsAt >= 0) flags = call.at<View>(static_cast<size_t>(kFlagsAt));
    out[call.row] = Row(last.get(call.at<View>(1), flags), call);
  }
}

size_t start_offset(KernelCall& call, size_t argument) {
  const int32_t start = call.at<int32_t>(argument);
  if (start < 1)
    throw sql_error(sqlstate::kInvalidParameterValue, "invalid value for parameter \"start\": {}", start);
  const View text = call.at<View>(0);
  const auto characters = static_cast<size_t>(start - 1);
  return utf8_length(text) < characters ? text.size() + 1 : utf8_offset(text, characters);
}

int32_t at_least(KernelCall& call, size_t argument, int32_t least, View name) {
  const int32_t value = call.at<int32_t>(argument);
  if (value < least)
    throw sql_error(sqlstate::kInvalidParameterValue, "invalid value for parameter \"{}\": {}", name, value);
  return value;
}

bool substring_row(const Regex& regex, KernelCall& call, std::string& out) {
  Groups groups;
  if (!regex.find(call.at<View>(0), 0, &groups)) return false;
  const View part = groups.size() > 1 ? groups[1] : groups[0];
  if (part.data() == nullptr) return false;
  out += part;
  return true;
}

// SUBSTRING(text SIMILAR pattern ESCAPE escape)
void similar_substring(EvaluationState&, const CallTypes& types, std::span<const Vector> arguments,
                       uint32_t size, Selection selection, Vector* result) {
  auto* out = result->allocate_as<View>(types.result, size);
  const kernel_detail::Reader<View> texts(arguments[0]), patterns(arguments[1]), escapes(arguments[2]);
  kernel_detail::NullMarker nulls(result, size);
  LastParsed<Regex, 2> last;
  Groups groups;
  for (uint32_t i = 0; i < selection.count; ++i) {
    const uint32_t row = selection[i];
    out[row] = {};
    if (last.get(similar_substring_regex(patterns[row], escapes[row]), "").find(texts[row], 0, &groups)) {
      out[row] = result->store_string(groups.size() > 1 ? groups[1] : groups[0]);
    } else {
      nulls.mark(row);
    }
  }
}

// \1 … \9 and \& in the replacement are groups.
void append_replacement(std::string& out, View replacement, const Groups& groups) {
  for (size_t i = 0; i < replacement.size(); ++i) {
    const char c = replacement[i];
    if (c != '\\' || i + 1 == replacement.size()) {
      out += c;
      continue;
    }
    const char next = replacement[++i];
    if (next == '&') {
      out += groups[0];
    } else if ('0' < next && next <= '9') {
      const auto group = static_cast<size_t>(next - '0');
      if (group < groups.size()) out += groups[group];
    } else if (next == '\\') {
      out += '\\';
    } else {
      out += c;
      out += next;
    }
  }
}

// Replaces match number `nth` from `start` on, or all of them with 0.
void replace_matches(const Regex& regex, View text, View replacement, size_t start, int32_t nth,
                     const CancelToken* cancel, std::string& out) {
  RegexMatches matches(regex, text, start, cancel);
  size_t copied = 0;
  int32_t match = 0;
  while (matches.next()) {
    ++match;
    if (nth != 0 && match != nth) continue;
    out += text.substr(copied, matches.begin() - copied);
    append_replacement(out, replacement, matches.groups());
    copied = matches.end();
    if (nth != 0) break;
  }
  out += text.substr(std::min(copied, text.size()));
}

bool replace_row(const Regex& regex, KernelCall& call, std::string& out) {
  replace_matches(regex, call.at<View>(0), call.at<View>(2), 0, 1, call.state.context->cancel, out);
  return true;
}
bool replace_flags_row(const Regex& regex, KernelCall& call, std::string& out) {
  const bool all = call.at<View>(3).find('g') != View::npos;
  replace_matches(regex, call.at<View>(0), call.at<View>(2), 0, all ? 0 : 1, call.state.context->cancel, out);
  return true;
}
bool replace_start_row(const Regex& regex, KernelCall& call, std::string& out) {
  const int32_t nth = call.arguments.size() > 4 ? at_least(call, 4, 0, "n") : 1;
  replace_matches(regex, call.at<View>(0), call.at<View>(2), start_offset(call, 3), nth,
                  call.state.context->cancel, out);
  return true;
}

void append_groups(ArrayBuilder& builder, const Groups& groups) {
  const size_t first = groups.size() > 1 ? 1 : 0;
  for (size_t i = first; i < groups.size(); ++i) {
    if (groups[i].data() == nullptr) {
      builder.append_null();
    } else {
      builder.append_string(groups[i]);
    }
  }
}

bool match_row(const Regex& regex, KernelCall& call, std::string& out) {
  Groups groups;
  if (!regex.find(call.at<View>(0), 0, &groups)) return false;
  ArrayBuilder builder(TypeId::kText);
  append_groups(builder, groups);
  builder.append_to(out);
  return true;
}
bool match_flags_row(const Regex& regex, KernelCall& call, std::string& out) {
  if (call.at<View>(2).find('g') != View::npos) {
    throw SqlError(sqlstate::kInvalidParameterValue, "regexp_match() does not support the \"global\" option")
        .with_hint("Use the regexp_matches function instead.");
  }
  return match_row(regex, call, out);
}

bool split_row(const Regex& regex, KernelCall& call, std::string& out) {
  ArrayBuilder builder(TypeId::kText);
  regex_split(regex, call.at<View>(0), call.state.context->cancel,
              [&](View part) { builder.append_string(part); });
  builder.append_to(out);
  return true;
}

int32_t count_row(const Regex& regex, KernelCall& call) {
  const size_t start = call.arguments.size() > 2 ? start_offset(call, 2) : 0;
  RegexMatches matches(regex, call.at<View>(0), start, call.state.context->cancel);
  int32_t count = 0;
  while (matches.next()) ++count;
  return count;
}

template <int kFlagsAt>
void like_kernel(EvaluationState& state, const CallTypes& types, std::span<const Vector> arguments,
                 uint32_t size, Selection selection, Vector* result) {
  auto* out = result->allocate_as<uint8_t>(types.result, size);
  KernelCall call{state, types, arguments};
  LastParsed<Regex, 2> last;
  for (uint32_t i = 0; i < selection.count; ++i) {
    call.row = selection[i];
    View flags;
    if constexpr (kFlagsAt >= 0) flags = call.at<View>(static_cast<size_t>(kFlagsAt));
    out[call.row] = last.get(call.at<View>(1), flags).matches(call.at<View>(0));
  }
}

// Match number n from a start on, or one of its groups; nothing if there is none.
std::optional<View> nth_match(const Regex& regex, View text, KernelCall& call, size_t subexpr_at) {
  const size_t start = call.arguments.size() > 2 ? start_offset(call, 2) : 0;
  const int32_t nth = call.arguments.size() > 3 ? at_least(call, 3, 1, "n") : 1;
  const auto group =
      static_cast<size_t>(call.arguments.size() > subexpr_at ? at_least(call, subexpr_at, 0, "subexpr") : 0);
  RegexMatches matches(regex, text, start, call.state.context->cancel);
  for (int32_t match = 1; matches.next(); ++match) {
    if (match != nth) continue;
    const Groups& groups = matches.groups();
    if (group >= groups.size() || groups[group].data() == nullptr) return std::nullopt;
    return groups[group];
  }
  return std::nullopt;
}

// regexp_instr(text, pattern[, start[, n[, endoption[, flags[, subexpr]]]]])
int32_t instr_row(const Regex& regex, KernelCall& call) {
  View text = call.at<View>(0);
  if (text.data() == nullptr) text = View("", 0);
  bool want_end = false;
  if (call.arguments.size() > 4) {
    const int32_t option = at_least(call, 4, 0, "endoption");
    if (option > 1)
      throw sql_error(sqlstate::kInvalidParameterValue, "invalid value for parameter \"endoption\": {}",
                      option);
    want_end = option == 1;
  }
  const std::optional<View> found = nth_match(regex, text, call, 6);
  if (!found) return 0;
  const auto begin = static_cast<size_t>(found->data() - text.data());
  return static_cast<int32_t>(utf8_length(text.substr(0, want_end ? begin + found->size() : begin))) + 1;
}

// regexp_substr(text, pattern[, start[, n[, flags[, subexpr]]]])
bool substr_row(const Regex& regex, KernelCall& call, std::string& out) {
  const std::optional<View> found = nth_match(regex, call.at<View>(0), call, 5);
  if (found) out += *found;
  return found.has_value();
}

}  // namespace

void register_regex_functions(FunctionRegistry& r) {
  r.add("substring", {kText, kText}, kText, regex_text_kernel<substring_row>);
  r.add("substring", {kText, kText, kText}, kText, similar_substring);
  r.add("regexp_replace", {kText, kText, kText}, kText, regex_text_kernel<replace_row>);
  r.add("regexp_replace", {kText, kText, kText, kText}, kText, regex_text_kernel<replace_flags_row, 3>);
  r.add("regexp_replace", {kText, kText, kText, kInt4}, kText, regex_text_kernel<replace_start_row>);
  r.add("regexp_replace", {kText, kText, kText, kInt4, kInt4}, kText, regex_text_kernel<replace_start_row>);
  r.add("regexp_replace", {kText, kText, kText, kInt4, kInt4, kText}, kText,
        regex_text_kernel<replace_start_row, 5>);
  r.add("regexp_match", {kText, kText}, kTextArray, regex_text_kernel<match_row>);
  r.add("regexp_match", {kText, kText, kText}, kTextArray, regex_text_kernel<match_flags_row, 2>);
  r.add("regexp_split_to_array", {kText, kText}, kTextArray, regex_text_kernel<split_row>);
  r.add("regexp_split_to_array", {kText, kText, kText}, kTextArray, regex_text_kernel<split_row, 2>);
  r.add("regexp_count", {kText, kText}, kInt4, regex_number_kernel<count_row>);
  r.add("regexp_count", {kText, kText, kInt4}, kInt4, regex_number_kernel<count_row>);
  r.add("regexp_count", {kText, kText, kInt4, kText}, kInt4, regex_number_kernel<count_row, 3>);
  r.add("regexp_like", {kText, kText}, kBool, like_kernel<-1>);
  r.add("regexp_like", {kText, kText, kText}, kBool, like_kernel<2>);
  r.add("regexp_instr", {kText, kText}, kInt4, regex_number_kernel<instr_row>);
  r.add("regexp_instr", {kText, kText, kInt4}, kInt4, regex_number_kernel<instr_row>);
  r.add("regexp_instr", {kText, kText, kInt4, kInt4}, kInt4, regex_number_kernel<instr_row>);
  r.add("regexp_instr", {kText, kText, kInt4, kInt4, kInt4}, kInt4, regex_number_kernel<instr_row>);
  r.add("regexp_instr", {kText, kText, kInt4, kInt4, kInt4, kText}, kInt4, regex_number_kernel<instr_row, 5>);
  r.add("regexp_instr", {kText, kText, kInt4, kInt4, kInt4, kText, kInt4}, kInt4,
        regex_number_kernel<instr_row, 5>);
  r.add("regexp_substr", {kText, kText}, kText, regex_text_kernel<substr_row>);
  r.add("regexp_substr", {kText, kText, kInt4}, kText, regex_text_kernel<substr_row>);
  r.add("regexp_substr", {kText, kText, kInt4, kInt4}, kText, regex_text_kernel<substr_row>);
  r.add("regexp_substr", {kText, kText, kInt4, kInt4, kText}, kText, regex_text_kernel<substr_row, 4>);
  r.add("regexp_substr", {kText, kText, kInt4, kInt4, kText, kInt4}, kText, regex_text_kernel<substr_row, 4>);
}

}  // namespace idem
