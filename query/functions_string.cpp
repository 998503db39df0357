#include <algorithm>

#include "common/bytea.h"
#include "common/error.h"
#include "common/hash.h"
#include "common/md5.h"
#include "common/number_text.h"
#include "common/utf8.h"
#include "parser/deparse.h"
#include "query/cancel_check.h"
#include "query/cast_registry.h"
#include "query/function_registry.h"
#include "query/kernel.h"
#include "query/signature_types.h"
#include "query/string_kernels.h"

namespace idem {

namespace {

using View = std::string_view;
constexpr size_t kMaxTextBytes = size_t{1} << 30;

int32_t length_of(size_t n) { return static_cast<int32_t>(n); }

void check_size(size_t bytes) {
  if (bytes > kMaxTextBytes) throw SqlError(sqlstate::kProgramLimitExceeded, "requested length too large");
}

// Characters from `start` (counted from 1, may lie before the text), `count` of them.
View substring(View text, int64_t start, std::optional<int64_t> count) {
  if (count && *count < 0) throw SqlError(sqlstate::kSubstringError, "negative substring length not allowed");
  int64_t end = count ? start + *count : INT64_MAX;
  if (end < 1) return {};
  const int64_t begin = std::max<int64_t>(start, 1);
  return utf8_substring(text, static_cast<size_t>(begin - 1),
                        static_cast<size_t>(std::max<int64_t>(end - begin, 0)));
}
View byte_substring(View bytes, int64_t start, std::optional<int64_t> count) {
  if (count && *count < 0) throw SqlError(sqlstate::kSubstringError, "negative substring length not allowed");
  const int64_t size = static_cast<int64_t>(bytes.size());
  const int64_t begin = std::clamp<int64_t>(start - 1, 0, size);
  const int64_t end = count ? std::clamp<int64_t>(start - 1 + *count, begin, size) : size;
  return bytes.substr(static_cast<size_t>(begin), static_cast<size_t>(end - begin));
}

View left_part(View text, int32_t n) {
  if (n >= 0) return utf8_substring(text, 0, static_cast<size_t>(n));
  const int64_t keep = static_cast<int64_t>(utf8_length(text)) + n;
  return keep <= 0 ? View{} : utf8_substring(text, 0, static_cast<size_t>(keep));
}
View right_part(View text, int32_t n) {
  const auto length = static_cast<int64_t>(utf8_length(text));
  const int64_t keep = n >= 0 ? std::min<int64_t>(n, length) : std::max<int64_t>(length + n, 0);
  return text.substr(utf8_offset(text, static_cast<size_t>(length - keep)));
}

void append_padding(std::string& out, View fill, size_t characters) {
  const size_t fill_length = utf8_length(fill);
  check_size(characters * 4);
  for (; characters >= fill_length; characters -= fill_length) out += fill;
  out += utf8_substring(fill, 0, characters);
}
void pad(std::string& out, View text, int32_t length, View fill, bool left) {
  const size_t wanted = length < 0 ? 0 : static_cast<size_t>(length);
  const size_t have = utf8_length(text);
  if (have >= wanted) {
    out += utf8_substring(text, 0, wanted);
    return;
  }
  if (!left) out += text;
  if (!fill.empty()) append_padding(out, fill, wanted - have);
  if (left) out += text;
}

bool contains_character(View set, View character) {
  for (size_t at = 0; at < set.size();) {
    const size_t bytes = utf8_sequence_length(set[at]);
    if (set.substr(at, bytes) == character) return true;
    at += bytes;
  }
  return false;
}
View trimmed_left(View text, View set) {
  while (!text.empty()) {
    const View character = text.substr(0, utf8_sequence_length(text[0]));
    if (!contains_character(set, character)) break;
    text.remove_prefix(character.size());
  }
  return text;
}
View trimmed_right(View text, View set) {
  while (!text.empty()) {
    size_t begin = text.size() - 1;
    while (begin > 0 && (static_cast<uint8_t>(text[begin]) & 0xc0) == 0x80) --begin;
    if (!contains_character(set, text.substr(begin))) break;
    text = text.substr(0, begin);
  }
  return text;
}

int32_t position_of(View text, View wanted) {
  const size_t at = text.find(wanted);
  return at == View::npos ? 0 : length_of(utf8_length(text.substr(0, at)) + 1);
}

void replace_all(std::string& out, View text, View from, View to, const CancelToken* cancel) {
  if (from.empty()) {
    out += text;
    return;
  }
  CancelCheck check_cancel(cancel);
  size_t at = 0;
  for (size_t found = text.find(from); found != View::npos; found = text.find(from, at)) {
    check_cancel();
    out += text.substr(at, found - at);
    out += to;
    at = found + from.size();
  }
  out += text.substr(at);
}

void translate(std::string& out, View text, View from, View to) {
  std::vector<View> replacements;
  for (size_t at = 0; at < to.size(); at += utf8_sequence_length(to[at]))
    replacements.push_back(to.substr(at, utf8_sequence_length(to[at])));
  for (size_t at = 0; at < text.size();) {
    const View character = text.substr(at, utf8_sequence_length(text[at]));
    at += character.size();
    size_t index = 0;
    bool found = false;
    for (size_t f = 0; f < from.size() && !found; ++index) {
      const View candidate = from.substr(f, utf8_sequence_length(from[f]));
      f += candidate.size();
      if (candidate != character) continue;
      found = true;
      if (index < replacements.size()) out += replacements[index];
      break;
    }
    if (!found) out += character;
  }
}

void repeat(std::string& out, View text, int32_t n) {
  if (n <= 0) return;
  check_size(text.size() * static_cast<size_t>(n));
  for (int32_t i = 0; i < n; ++i) out += text;
}

void reverse(std::string& out, View text) {
  out.resize(text.size());
  size_t end = text.size();
  for (size_t at = 0; at < text.size();) {
    const size_t bytes = std::min(utf8_sequence_length(text[at]), text.size() - at);
    end -= bytes;
    std::copy_n(text.data() + at, bytes, out.data() + end);
    at += bytes;
  }
}

View split_part(View text, View separator, int32_t n) {
  if (n == 0) throw SqlError(sqlstate::kInvalidParameterValue, "field position must not be zero");
  if (separator.empty()) return n == 1 || n == -1 ? text : View{};
  std::vector<View> parts;
  size_t at = 0;
  for (size_t found = text.find(separator); found != View::npos; found = text.find(separator, at)) {
    parts.push_back(text.substr(at, found - at));
    at = found + separator.size();
  }
  parts.push_back(text.substr(at));
  const int64_t index = n > 0 ? n - 1 : static_cast<int64_t>(parts.size()) + n;
  return index < 0 || index >= static_cast<int64_t>(parts.size()) ? View{}
                                                                  : parts[static_cast<size_t>(index)];
}

void overlay(std::string& out, View text, View replacement, int32_t start, int32_t count) {
  if (start <= 0) throw SqlError(sqlstate::kSubstringError, "negative substring length not allowed");
  out += substring(text, 1, int64_t{start} - 1);
  out += replacement;
  out += substring(text, int64_t{start} + count, std::nullopt);
}

void append_radix(std::string& out, uint64_t value, unsigned bits) {
  const size_t begin = out.size();
  do {
    out += "0123456789abcdef"[value & ((1U << bits) - 1)];
    value >>= bits;
  } while (value != 0);
  std::reverse(out.begin() + static_cast<std::ptrdiff_t>(begin), out.end());
}

void append_character(std::string& out, int32_t code) {
  if (code == 0) throw SqlError(sqlstate::kProgramLimitExceeded, "null character not permitted");
  if (code < 0 || 0x10ffff < code) {
    throw sql_error(sqlstate::kProgramLimitExceeded, "requested character too large for encoding: {}", code);
  }
  append_utf8(out, static_cast<char32_t>(code));
}

bool bind_any_variadic(std::span<const SqlType> arguments, CallTypes* types) {
  if (arguments.empty()) return false;
  types->arguments.clear();
  for (const SqlType type : arguments) {
    types->arguments.push_back(type.id == TypeId::kUnknown || type.id == TypeId::kSymbol ? kText : type);
  }
  types->result = kText;
  return true;
}
bool bind_concat_ws(std::span<const SqlType> arguments, CallTypes* types) {
  if (!bind_any_variadic(arguments, types)) return false;
  types->arguments[0] = kText;
  return true;
}

void concat_row(KernelCall& call, std::string& out) {
  for (size_t i = 0; i < call.arguments.size(); ++i) append_shown_argument(out, call, i);
}
bool concat_ws_row(KernelCall& call, std::string& out) {
  if (!call.is_valid(0)) return false;
  bool is_first = true;
  for (size_t i = 1; i < call.arguments.size(); ++i) {
    if (!call.is_valid(i)) continue;
    if (!is_first) out += call.at<View>(0);
    is_first = false;
    append_shown_argument(out, call, i);
  }
  return true;
}

void register_lengths(FunctionRegistry& r) {
  for (const View name : {"length", "char_length", "character_length"}) {
    r.add(name, {kText}, kInt4, row_kernel<[](View t) { return length_of(utf8_length(t)); }>);
  }
  r.add("length", {kBytea}, kInt4, row_kernel<[](View b) { return length_of(b.size()); }>);
  r.add("octet_length", {kText}, kInt4, row_kernel<[](View t) { return length_of(t.size()); }>);
  r.add("octet_length", {kBytea}, kInt4, row_kernel<[](View t) { return length_of(t.size()); }>);
  r.add("bit_length", {kText}, kInt4, row_kernel<[](View t) { return length_of(t.size() * 8); }>);
  r.add("position", {kText, kText}, kInt4, row_kernel<[](View t, View w) { return position_of(t, w); }>);
  r.add("strpos", {kText, kText}, kInt4, row_kernel<[](View t, View w) { return position_of(t, w); }>);
  r.add("starts_with", {kText, kText}, kBool, row_kernel<[](View t, View p) { return t.starts_with(p); }>);
  r.add("^@", {kText, kText}, kBool, row_kernel<[](View t, View p) { return t.starts_with(p); }>);
  r.add("ends_with", {kText, kText}, kBool, row_kernel<[](View t, View p) { return t.ends_with(p); }>);
  r.add("ascii", {kText}, kInt4, row_kernel<[](View t) {
          size_t at = 0;
          return t.empty() ? 0 : static_cast<int32_t>(utf8_next(t, &at));
        }>);
}

void register_text_parts(FunctionRegistry& r) {
  for (const View name : {"substring", "substr"}) {
    r.add(name, {kText, kInt4}, kText,
          row_kernel<[](View t, int32_t s) { return substring(t, s, std::nullopt); }>);
    r.add(name, {kText, kInt4, kInt4}, kText,
          row_kernel<[](View t, int32_t s, int32_t n) { return substring(t, s, n); }>);
    r.add(name, {kBytea, kInt4}, kBytea,
          row_kernel<[](View t, int32_t s) { return byte_substring(t, s, std::nullopt); }>);
    r.add(name, {kBytea, kInt4, kInt4}, kBytea,
          row_kernel<[](View t, int32_t s, int32_t n) { return byte_substring(t, s, n); }>);
  }
  r.add("left", {kText, kInt4}, kText, row_kernel<[](View t, int32_t n) { return left_part(t, n); }>);
  r.add("right", {kText, kInt4}, kText, row_kernel<[](View t, int32_t n) { return right_part(t, n); }>);
  r.add("split_part", {kText, kText, kInt4}, kText,
        row_kernel<[](View t, View s, int32_t n) { return split_part(t, s, n); }>);
  for (const View name : {"btrim", "trim"}) {
    r.add(name, {kText}, kText, row_kernel<[](View t) { return trimmed_right(trimmed_left(t, " "), " "); }>);
    r.add(name, {kText, kText}, kText,
          row_kernel<[](View t, View set) { return trimmed_right(trimmed_left(t, set), set); }>);
  }
  r.add("ltrim", {kText}, kText, row_kernel<[](View t) { return trimmed_left(t, " "); }>);
  r.add("ltrim", {kText, kText}, kText, row_kernel<[](View t, View set) { return trimmed_left(t, set); }>);
  r.add("rtrim", {kText}, kText, row_kernel<[](View t) { return trimmed_right(t, " "); }>);
  r.add("rtrim", {kText, kText}, kText, row_kernel<[](View t, View set) { return trimmed_right(t, set); }>);
}

void register_changes(FunctionRegistry& r) {
  for (const View name : {"lower", "to_lowercase"})
    r.add(name, {kText}, kText, row_kernel<[](View t) { return utf8_lower(t); }>);
  for (const View name : {"upper", "to_uppercase"})
    r.add(name, {kText}, kText, row_kernel<[](View t) { return utf8_upper(t); }>);
  r.add("initcap", {kText}, kText, row_kernel<[](View t) { return utf8_initcap(t); }>);
  r.add("lpad", {kText, kInt4}, kText,
        row_kernel<[](std::string& out, View t, int32_t n) { pad(out, t, n, " ", true); }>);
  r.add("lpad", {kText, kInt4, kText}, kText,
        row_kernel<[](std::string& out, View t, int32_t n, View f) { pad(out, t, n, f, true); }>);
  r.add("rpad", {kText, kInt4}, kText,
        row_kernel<[](std::string& out, View t, int32_t n) { pad(out, t, n, " ", false); }>);
  r.add("rpad", {kText, kInt4, kText}, kText,
        row_kernel<[](std::string& out, View t, int32_t n, View f) { pad(out, t, n, f, false); }>);
  r.add("replace", {kText, kText, kText}, kText,
        row_kernel<[](KernelCall& call, std::string& out, View t, View a, View b) {
          replace_all(out, t, a, b, call.state.context->cancel);
        }>);
  r.add("translate", {kText, kText, kText}, kText,
        row_kernel<[](std::string& out, View t, View a, View b) { translate(out, t, a, b); }>);
  r.add("repeat", {kText, kInt4}, kText,
        row_kernel<[](std::string& out, View t, int32_t n) { repeat(out, t, n); }>);
  r.add("reverse", {kText}, kText, row_kernel<[](std::string& out, View t) { reverse(out, t); }>);
  r.add("overlay", {kText, kText, kInt4}, kText, row_kernel<[](std::string& out, View t, View p, int32_t s) {
          overlay(out, t, p, s, length_of(utf8_length(p)));
        }>);
  r.add("overlay", {kText, kText, kInt4, kInt4}, kText,
        row_kernel<[](std::string& out, View t, View p, int32_t s, int32_t n) { overlay(out, t, p, s, n); }>);
  r.add("chr", {kInt4}, kText,
        row_kernel<[](std::string& out, int32_t code) { append_character(out, code); }>);
  r.add("to_hex", {kInt4}, kText,
        row_kernel<[](std::string& out, int32_t v) { append_radix(out, static_cast<uint32_t>(v), 4); }>);
  r.add("to_hex", {kInt8}, kText,
        row_kernel<[](std::string& out, int64_t v) { append_radix(out, static_cast<uint64_t>(v), 4); }>);
  r.add_polymorphic("concat", bind_any_variadic,
                    row_kernel<[](KernelCall& c, std::string& out) { concat_row(c, out); }>,
                    Volatility::kStable)
      .strict = false;
  r.add_polymorphic("concat_ws", bind_concat_ws,
                    row_kernel<[](KernelCall& c, std::string& out) { return concat_ws_row(c, out); }>,
                    Volatility::kStable)
      .strict = false;
}

// A value of any other type is quoted as its text.
bool bind_quotable(std::span<const SqlType> arguments, CallTypes* types) {
  if (arguments.size() != 1 || is_string_like(arguments[0].id) || arguments[0].id == TypeId::kUnknown)
    return false;
  types->arguments = {arguments[0]};
  types->result = kText;
  return true;
}
std::string quoted_value(KernelCall& call) {
  if (!call.is_valid(0)) return "NULL";
  const SqlType type = call.types.arguments[0];
  // As a cast to text writes it, not as a result shows it.
  if (type.id == TypeId::kBoolean) return quoted_literal(call.at<uint8_t>(0) != 0 ? "true" : "false");
  std::string text;
  append_text(text, type, call.element(0), text_options(call.state));
  return quoted_literal(text);
}

void register_quoting(FunctionRegistry& r) {
  r.add("quote_ident", {kText}, kText, row_kernel<[](View t) { return parser::quote_identifier(t); }>);
  r.add("quote_literal", {kText}, kText, row_kernel<[](View t) { return quoted_literal(t); }>);
  r.add("quote_nullable", {kText}, kText,
        row_kernel<[](std::optional<View> t) { return t ? quoted_literal(*t) : std::string("NULL"); }>)
      .strict = false;
  const ScalarKernel of_value = row_kernel<[](KernelCall& call) { return quoted_value(call); }>;
  r.add_polymorphic("quote_literal", bind_quotable, of_value, Volatility::kStable);
  r.add_polymorphic("quote_nullable", bind_quotable, of_value, Volatility::kStable).strict = false;
}

}  // namespace

std::string quoted_literal(View text) {
  if (text.find('\\') == View::npos) return parser::quote_literal(text);
  std::string out = "E'";
  for (const char c : text) {
    if (c == '\'' || c == '\\') out += c;
    out += c;
  }
  return out + "'";
}

void append_shown_argument(std::string& out, KernelCall& call, size_t argument) {
  if (!call.is_valid(argument)) return;
  append_sql_text(out, call.state, call.types.arguments[argument], call.element(argument));
}

void register_string_functions(FunctionRegistry& r) {
  register_lengths(r);
  register_text_parts(r);
  register_changes(r);
  register_quoting(r);
}

}  // namespace idem
