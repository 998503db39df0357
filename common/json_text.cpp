#include "common/json_text.h"

#include <algorithm>
#include <charconv>
#include <map>

#include "common/ascii.h"
#include "common/bytea.h"
#include "common/error.h"
#include "common/utf8.h"

namespace idem {

namespace {

bool is_json_space(char c) { return c == ' ' || c == '\n' || c == '\t' || c == '\r'; }
bool is_word_character(char c) {
  return is_digit(c) || is_letter(c) || c == '_' || static_cast<int8_t>(c) < 0;
}

// The offset behind the string that begins at `at` with its quote; npos if it does not end.
size_t skip_string(std::string_view text, size_t at) {
  for (++at; at < text.size(); ++at) {
    if (text[at] == '"') return at + 1;
    if (text[at] == '\\') ++at;
  }
  return std::string_view::npos;
}

class JsonValidator {
 public:
  explicit JsonValidator(std::string_view text) : text_(text) {}

  // Keeps the open brackets in `stack_` instead of calling itself.
  void validate() {
    Expect expect = Expect::kValue;
    for (;;) {
      skip_spaces();
      switch (expect) {
        case Expect::kValue: expect = read_value(); break;
        case Expect::kValueOrEnd: expect = peek() == ']' ? close() : read_value(); break;
        case Expect::kKeyOrEnd:
          if (peek() == '}') {
            expect = close();
            break;
          }
          [[fallthrough]];
        case Expect::kKey: expect = read_key(); break;
        case Expect::kCommaOrEnd: expect = read_separator(); break;
        case Expect::kEndOfText:
          if (at_ != text_.size()) fail_token("Expected end of input, but found \"{}\".");
          return;
      }
    }
  }

 private:
  enum class Expect : uint8_t { kValue, kValueOrEnd, kKey, kKeyOrEnd, kCommaOrEnd, kEndOfText };

  char peek() const { return at_ < text_.size() ? text_[at_] : '\0'; }
  void skip_spaces() {
    while (at_ < text_.size() && is_json_space(text_[at_])) ++at_;
  }

  [[noreturn]] void fail(std::string detail) const {
    throw sql_error(sqlstate::kInvalidTextRepresentation, "invalid input syntax for type json")
        .with_detail(std::move(detail));
  }
  [[noreturn]] void fail_token(fmt::string_view format) const {
    if (at_ >= text_.size()) fail("The input string ended unexpectedly.");
    const std::string_view token = current_token();
    fail(fmt::format(fmt::runtime(format), token));
  }

  std::string_view current_token() const {
    size_t end = at_;
    if (peek() == '"') {
      end = std::min(skip_string(text_, at_), text_.size());
    } else if (is_word_character(peek()) || peek() == '-' || peek() == '.') {
      while (end < text_.size() &&
             (is_word_character(text_[end]) || text_[end] == '-' || text_[end] == '+' || text_[end] == '.')) {
        ++end;
      }
    } else {
      ++end;
    }
    return text_.substr(at_, end - at_);
  }

  Expect after_value() const { return stack_.empty() ? Expect::kEndOfText : Expect::kCommaOrEnd; }

  Expect open(char bracket) {
    if (stack_.size() >= kMaxJsonDepth) {
      throw sql_error(sqlstate::kStatementTooComplex, "JSON is nested deeper than {} levels", kMaxJsonDepth);
    }
    stack_.push_back(bracket);
    ++at_;
    return bracket == '{' ? Expect::kKeyOrEnd : Expect::kValueOrEnd;
  }

  Expect close() {
    stack_.pop_back();
    ++at_;
    return after_value();
  }

  Expect read_value() {
    const char c = peek();
    if (c == '{' || c == '[') return open(c);
    if (c == '"') {
      read_string();
    } else if (c == '-' || is_digit(c)) {
      read_number();
    } else if (is_word_character(c)) {
      read_literal();
    } else {
      fail_token(stack_.empty() || stack_.back() == '{'
                     ? "Expected JSON value, but found \"{}\"."
                     : "Expected array element or \"]\", but found \"{}\".");
    }
    return after_value();
  }

  Expect read_key() {
    if (peek() != '"') fail_token("Expected string or \"}}\", but found \"{}\".");
    read_string();
    skip_spaces();
    if (peek() != ':') fail_token("Expected \":\", but found \"{}\".");
    ++at_;
    return Expect::kValue;
  }

  Expect read_separator() {
    const bool is_object = stack_.back() == '{';
    const char end = is_object ? '}' : ']';
    if (peek() == end) return close();
    if (peek() != ',') {
      fail_token(is_object ? "Expected \",\" or \"}}\", but found \"{}\"."
                           : "Expected \",\" or \"]\", but found \"{}\".");
    }
    ++at_;
    return is_object ? Expect::kKey : Expect::kValue;
  }

  void read_literal() {
    const std::string_view token = current_token();
    if (token != "true" && token != "false" && token != "null")
      fail(fmt::format("Token \"{}\" is invalid.", token));
    at_ += token.size();
  }

  void read_number() {
    const std::string_view token = current_token();
    size_t i = token[0] == '-' ? 1 : 0;
    const auto digits = [&] {
      const size_t start = i;
      while (i < token.size() && is_digit(token[i])) ++i;
      return i > start;
    };
    const size_t first = i;
    bool ok = digits() && (token[first] != '0' || i == first + 1);
    if (ok && i < token.size() && token[i] == '.') ok = (++i, digits());
    if (ok && i < token.size() && (token[i] | 0x20) == 'e') {
      ++i;
      if (i < token.size() && (token[i] == '+' || token[i] == '-')) ++i;
      ok = digits();
    }
    if (!ok || i != token.size()) fail(fmt::format("Token \"{}\" is invalid.", token));
    at_ += token.size();
  }

  void read_string() {
    const size_t start = at_;
    for (++at_; at_ < text_.size(); ++at_) {
      const char c = text_[at_];
      if (c == '"') {
        ++at_;
        return;
      }
      if (static_cast<uint8_t>(c) < 0x20) {
        fail(fmt::format("Character with value 0x{:02x} must be escaped.", static_cast<uint8_t>(c)));
      }
      if (c == '\\') read_escape();
    }
    fail(fmt::format("Token \"{}\" is invalid.", text_.substr(start)));
  }

  // At the backslash; leaves at_ on the last character of the escape.
  void read_escape() {
    if (++at_ >= text_.size()) fail("The input string ended unexpectedly.");
    if (text_[at_] != 'u') {
      if (std::string_view("\"\\/bfnrt").find(text_[at_]) == std::string_view::npos) {
        fail(fmt::format("Escape sequence \"\\{}\" is invalid.",
                         text_.substr(at_, utf8_sequence_length(text_[at_]))));
      }
      return;
    }
    for (int i = 0; i < 4; ++i) {
      if (++at_ >= text_.size() || hex_digit_value(text_[at_]) < 0) {
        fail("\"\\u\" must be followed by four hexadecimal digits.");
      }
    }
  }

  std::string_view text_;
  size_t at_ = 0;
  std::string stack_;
};

uint32_t hex4(std::string_view digits) {
  uint32_t v = 0;
  for (const char c : digits.substr(0, 4)) v = v << 4 | static_cast<uint32_t>(hex_digit_value(c));
  return v;
}

SqlError bad_unicode_escape(std::string detail) {
  return sql_error(sqlstate::kInvalidTextRepresentation, "unsupported Unicode escape sequence")
      .with_detail(std::move(detail));
}

// `at` is behind "\u"; moved behind the digits, also of the second half of a surrogate pair.
char32_t read_unicode_escape(std::string_view json, size_t* at) {
  const uint32_t first = hex4(json.substr(*at));
  *at += 4;
  if (first == 0) throw bad_unicode_escape("\\u0000 cannot be converted to text.");
  if (first < 0xd800 || first > 0xdfff) return first;
  const bool has_pair = first < 0xdc00 && json.substr(*at, 2) == "\\u";
  const uint32_t second = has_pair ? hex4(json.substr(*at + 2)) : 0;
  if (second < 0xdc00 || second > 0xdfff) {
    throw bad_unicode_escape("Unicode low surrogate must follow a high surrogate.");
  }
  *at += 6;
  return 0x10000 + ((first - 0xd800) << 10) + (second - 0xdc00);
}

// The characters of a JSON string given with its quotes.
std::string unescape(std::string_view quoted) {
  std::string out;
  const std::string_view body = quoted.substr(1, quoted.size() - 2);
  for (size_t at = 0; at < body.size();) {
    const size_t next = std::min(body.find('\\', at), body.size());
    out.append(body, at, next - at);
    if (next == body.size()) break;
    at = next + 2;
    switch (body[next + 1]) {
      case 'b': out += '\b'; break;
      case 'f': out += '\f'; break;
      case 'n': out += '\n'; break;
      case 'r': out += '\r'; break;
      case 't': out += '\t'; break;
      case 'u': append_utf8(out, read_unicode_escape(body, &at)); break;
      default: out += body[next + 1];
    }
  }
  return out;
}

bool string_equals(std::string_view quoted, std::string_view text) {
  const std::string_view body = quoted.substr(1, quoted.size() - 2);
  return body.find('\\') == std::string_view::npos ? body == text : unescape(quoted) == text;
}

// Walks over valid JSON.
class JsonCursor {
 public:
  explicit JsonCursor(std::string_view text, size_t at = 0) : text_(text), at_(at) { skip_spaces(); }

  char peek() const { return at_ < text_.size() ? text_[at_] : '\0'; }
  void advance() {
    ++at_;
    skip_spaces();
  }
  std::string_view take_string() {
    const size_t start = at_;
    at_ = skip_string(text_, at_);
    const std::string_view result = text_.substr(start, at_ - start);
    skip_spaces();
    return result;
  }
  std::string_view take_value() {
    const size_t start = at_;
    size_t end;
    if (peek() == '"') {
      end = skip_string(text_, at_);
    } else if (peek() == '{' || peek() == '[') {
      end = skip_brackets();
    } else {
      end = at_;
      while (end < text_.size() && !is_json_space(text_[end]) && text_[end] != ',' && text_[end] != ']' &&
             text_[end] != '}') {
        ++end;
      }
    }
    at_ = end;
    skip_spaces();
    return text_.substr(start, end - start);
  }

 private:
  void skip_spaces() {
    while (at_ < text_.size() && is_json_space(text_[at_])) ++at_;
  }
  size_t skip_brackets() const {
    size_t depth = 0;
    for (size_t at = at_; at < text_.size();) {
      if (text_[at] == '"') {
        at = skip_string(text_, at);
        continue;
      }
      if (text_[at] == '{' || text_[at] == '[') ++depth;
      if ((text_[at] == '}' || text_[at] == ']') && --depth == 0) return at + 1;
      ++at;
    }
    return text_.size();
  }

  std::string_view text_;
  size_t at_;
};

// visit(quoted key, value); stops when it returns false.
template <class Visit>
void for_each_member(std::string_view json, Visit visit) {
  JsonCursor cursor(json);
  if (cursor.peek() != '{') return;
  cursor.advance();
  while (cursor.peek() == '"') {
    const std::string_view key = cursor.take_string();
    cursor.advance();  // the colon
    if (!visit(key, cursor.take_value())) return;
    if (cursor.peek() == ',') cursor.advance();
  }
}

template <class Visit>
void for_each_element(std::string_view json, Visit visit) {
  JsonCursor cursor(json);
  if (cursor.peek() != '[') return;
  cursor.advance();
  while (cursor.peek() != ']' && cursor.peek() != '\0') {
    if (!visit(cursor.take_value())) return;
    if (cursor.peek() == ',') cursor.advance();
  }
}

// PostgreSQL keeps numbers of jsonb as numeric, which prints no exponent: 1.5e3 is 1500, 1e-2 is 0.01.
void append_number(std::string& out, std::string_view number) {
  const size_t e = number.find_first_of("eE");
  const bool is_zero = number.substr(0, e).find_first_of("123456789") == std::string_view::npos;
  if (is_zero && number[0] == '-') return append_number(out, number.substr(1));
  if (e == std::string_view::npos) {
    out += number;
    return;
  }
  int exponent = 0;
  const char* first = number.data() + e + 1;
  if (*first == '+') ++first;
  const auto result = std::from_chars(first, number.data() + number.size(), exponent);
  constexpr int kMaxExponent = 131'072;
  if (result.ec != std::errc() || exponent > kMaxExponent || exponent < -kMaxExponent) {
    throw sql_error(sqlstate::kNumericValueOutOfRange, "value overflows numeric format");
  }
  std::string_view mantissa = number.substr(0, e);
  if (mantissa[0] == '-') {
    out += '-';
    mantissa.remove_prefix(1);
  }
  const size_t point = std::min(mantissa.find('.'), mantissa.size());
  std::string digits(mantissa.substr(0, point));
  if (point < mantissa.size()) digits += mantissa.substr(point + 1);
  // Digits before the point once the exponent is applied.
  int64_t whole = static_cast<int64_t>(point) + exponent;
  if (whole > static_cast<int64_t>(digits.size()))
    digits.append(static_cast<size_t>(whole) - digits.size(), '0');
  if (whole <= 0) {
    digits.insert(0, static_cast<size_t>(1 - whole), '0');
    whole = 1;
  }
  const size_t zeros = std::min(digits.find_first_not_of('0'), static_cast<size_t>(whole) - 1);
  out.append(digits, zeros, static_cast<size_t>(whole) - zeros);
  if (static_cast<size_t>(whole) < digits.size()) {
    out += '.';
    out.append(digits, static_cast<size_t>(whole));
  }
}

void append_jsonb(std::string& out, std::string_view value);

void append_jsonb_object(std::string& out, std::string_view object) {
  struct ByLengthThenBytes {
    bool operator()(const std::string& a, const std::string& b) const {
      return a.size() != b.size() ? a.size() < b.size() : a < b;
    }
  };
  std::map<std::string, std::string_view, ByLengthThenBytes> members;
  for_each_member(object, [&](std::string_view key, std::string_view value) {
    members[unescape(key)] = value;
    return true;
  });
  out += '{';
  bool is_first = true;
  for (const auto& [key, value] : members) {
    if (!is_first) out += ", ";
    is_first = false;
    append_json_string(out, key);
    out += ": ";
    append_jsonb(out, value);
  }
  out += '}';
}

// Calls itself for each level, of which there are at most kMaxJsonDepth.
void append_jsonb(std::string& out, std::string_view value) {
  switch (value[0]) {
    case '{': return append_jsonb_object(out, value);
    case '[': {
      out += '[';
      bool is_first = true;
      for_each_element(value, [&](std::string_view element) {
        if (!is_first) out += ", ";
        is_first = false;
        append_jsonb(out, element);
        return true;
      });
      out += ']';
      return;
    }
    case '"': return append_json_string(out, unescape(value));
    case 't':
    case 'f':
    case 'n': out += value; return;
    default: append_number(out, value);
  }
}

}  // namespace

void validate_json(std::string_view text) { JsonValidator(text).validate(); }

bool is_valid_json(std::string_view text) {
  try {
    validate_json(text);
    return true;
  } catch (const SqlError&) { return false; }
}

std::string normalize_jsonb(std::string_view text) {
  validate_json(text);
  std::string out;
  out.reserve(text.size() + text.size() / 8);
  append_jsonb(out, JsonCursor(text).take_value());
  return out;
}

JsonKind json_kind(std::string_view json) {
  switch (JsonCursor(json).peek()) {
    case '{': return JsonKind::kObject;
    case '[': return JsonKind::kArray;
    case '"': return JsonKind::kString;
    case 't':
    case 'f': return JsonKind::kBoolean;
    case 'n': return JsonKind::kNull;
    default: return JsonKind::kNumber;
  }
}

std::string_view json_kind_name(JsonKind kind) {
  switch (kind) {
    case JsonKind::kNull: return "null";
    case JsonKind::kBoolean: return "boolean";
    case JsonKind::kNumber: return "number";
    case JsonKind::kString: return "string";
    case JsonKind::kArray: return "array";
    case JsonKind::kObject: return "object";
  }
  return {};
}

std::optional<std::string_view> json_member(std::string_view json, std::string_view key) {
  std::optional<std::string_view> result;
  for_each_member(json, [&](std::string_view candidate, std::string_view value) {
    if (string_equals(candidate, key)) result = value;
    return true;
  });
  return result;
}

std::optional<std::string_view> json_element(std::string_view json, int64_t index) {
  if (index < 0) index += json_array_length(json);
  if (index < 0) return std::nullopt;
  std::optional<std::string_view> result;
  for_each_element(json, [&](std::string_view value) {
    if (index-- > 0) return true;
    result = value;
    return false;
  });
  return result;
}

std::optional<std::string_view> json_at_path(std::string_view json,
                                             const std::vector<std::string_view>& path) {
  std::optional<std::string_view> value = json;
  for (const std::string_view step : path) {
    if (json_kind(*value) == JsonKind::kArray) {
      int64_t index = 0;
      const auto result = std::from_chars(step.data(), step.data() + step.size(), index);
      if (result.ec != std::errc() || result.ptr != step.data() + step.size()) return std::nullopt;
      value = json_element(*value, index);
    } else {
      value = json_member(*value, step);
    }
    if (!value) return std::nullopt;
  }
  return value;
}

std::optional<std::string> json_as_text(std::string_view json) {
  const std::string_view value = JsonCursor(json).take_value();
  if (value == "null") return std::nullopt;
  if (!value.empty() && value[0] == '"') return unescape(value);
  return std::string(value);
}

std::vector<JsonMember> json_members(std::string_view json) {
  std::vector<JsonMember> members;
  for_each_member(json, [&](std::string_view key, std::string_view value) {
    members.push_back({unescape(key), value});
    return true;
  });
  return members;
}

std::vector<std::string_view> json_elements(std::string_view json) {
  std::vector<std::string_view> elements;
  for_each_element(json, [&](std::string_view value) {
    elements.push_back(value);
    return true;
  });
  return elements;
}

int64_t json_array_length(std::string_view json) {
  int64_t count = 0;
  for_each_element(json, [&](std::string_view) {
    ++count;
    return true;
  });
  return count;
}

void append_json_string(std::string& out, std::string_view text) {
  out += '"';
  for (const char c : text) {
    switch (c) {
      case '"': out += "\\\""; break;
      case '\\': out += "\\\\"; break;
      case '\b': out += "\\b"; break;
      case '\f': out += "\\f"; break;
      case '\n': out += "\\n"; break;
      case '\r': out += "\\r"; break;
      case '\t': out += "\\t"; break;
      default:
        if (static_cast<uint8_t>(c) < 0x20) {
          out += fmt::format("\\u{:04x}", static_cast<uint8_t>(c));
        } else {
          out += c;
        }
    }
  }
  out += '"';
}

}  // namespace idem
