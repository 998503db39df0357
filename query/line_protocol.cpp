#include "query/line_protocol.h"

#include <algorithm>
#include <cstring>
#include <fmt/format.h>

#include "common/number_text.h"

namespace idem {

namespace {

// Reads one line from left to right.
class LineParser {
 public:
  LineParser(std::string_view line, LinePoint* point) : line_(line), point_(point) {
    point->tags.clear();
    point->fields.clear();
    point->timestamp.reset();
    point->unescaped.clear();
  }

  void parse() {
    point_->table = name<ends_measurement>();
    if (point_->table.empty()) fail("a measurement was expected");
    while (take(',')) {
      LineTag tag;
      tag.name = name<ends_key>();
      if (tag.name.empty()) fail("a tag's name was expected");
      if (!take('=')) fail("\"=\" was expected after a tag's name");
      tag.value = name<ends_key>();
      if (tag.value.empty()) fail("a tag's value was expected");
      point_->tags.push_back(tag);
    }
    if (!take(' ')) fail("a space and fields were expected");
    skip_spaces();
    do {
      LineField field;
      field.name = name<ends_key>();
      if (field.name.empty()) fail("a field's name was expected");
      if (!take('=')) fail("\"=\" was expected after a field's name");
      read_value(&field.value);
      point_->fields.push_back(field);
    } while (take(','));
    if (at_ < line_.size() && line_[at_] != ' ') fail("\",\" or a timestamp was expected after a field");
    skip_spaces();
    if (at_ < line_.size()) read_timestamp();
  }

  const std::string& error() const { return error_; }
  struct Failed {};

 private:
  [[noreturn]] void fail(std::string_view what) {
    error_ = fmt::format("{} at byte {}", what, at_ + 1);
    throw Failed();
  }

  bool take(char c) {
    if (at_ >= line_.size() || line_[at_] != c) return false;
    ++at_;
    return true;
  }

  void skip_spaces() {
    while (at_ < line_.size() && line_[at_] == ' ') ++at_;
  }

  static constexpr bool ends_measurement(char c) { return c == ',' || c == ' '; }
  static constexpr bool ends_key(char c) { return c == ',' || c == '=' || c == ' '; }

  // Up to a character that ends it; a backslash before such a one, or before another backslash, takes its meaning away. Before anything
  // else it stands for itself.
  template <bool (*kEnds)(char)>
  std::string_view name() {
    const size_t begin = at_;
    while (at_ < line_.size() && line_[at_] != '\\' && !kEnds(line_[at_])) ++at_;
    if (at_ == line_.size() || line_[at_] != '\\') return line_.substr(begin, at_ - begin);
    const size_t kept = start_unescaped(begin);
    while (at_ < line_.size() && !kEnds(line_[at_])) {
      const bool pair =
          line_[at_] == '\\' && at_ + 1 < line_.size() && (kEnds(line_[at_ + 1]) || line_[at_ + 1] == '\\');
      if (pair) ++at_;
      point_->unescaped += line_[at_++];
    }
    return std::string_view(point_->unescaped).substr(kept);
  }

  // What is written there never moves: it is not longer than the line.
  size_t start_unescaped(size_t begin) {
    if (point_->unescaped.empty()) point_->unescaped.reserve(line_.size());
    const size_t kept = point_->unescaped.size();
    point_->unescaped += line_.substr(begin, at_ - begin);
    return kept;
  }

  void read_value(LineValue* value) {
    if (at_ < line_.size() && line_[at_] == '"') {
      read_string(value);
      return;
    }
    const size_t begin = at_;
    while (at_ < line_.size() && line_[at_] != ',' && line_[at_] != ' ') ++at_;
    const std::string_view text = line_.substr(begin, at_ - begin);
    if (!read_boolean(text, value) && !read_number(text, value)) {
      at_ = begin;
      fail(text.empty() ? "a field's value was expected"
                        : "a number, a boolean or a string in double quotes was expected");
    }
  }

  void read_string(LineValue* value) {
    value->kind = LineValue::Kind::kString;
    const size_t begin = ++at_;
    while (at_ < line_.size() && line_[at_] != '"' && line_[at_] != '\\') ++at_;
    if (at_ < line_.size() && line_[at_] == '"') {
      value->text = line_.substr(begin, at_++ - begin);
      return;
    }
    const size_t kept = start_unescaped(begin);
    while (at_ < line_.size() && line_[at_] != '"') {
      const bool pair =
          line_[at_] == '\\' && at_ + 1 < line_.size() && (line_[at_ + 1] == '"' || line_[at_ + 1] == '\\');
      if (pair) ++at_;
      point_->unescaped += line_[at_++];
    }
    if (!take('"')) fail("the end of a string in double quotes was expected");
    value->text = std::string_view(point_->unescaped).substr(kept);
  }

  static bool read_boolean(std::string_view text, LineValue* value) {
    if (text.empty() || text.size() > 5) return false;
    const bool is_true = text == "t" || text == "T" || text == "true" || text == "True" || text == "TRUE";
    const bool is_false = text == "f" || text == "F" || text == "false" || text == "False" || text == "FALSE";
    value->kind = LineValue::Kind::kBoolean;
    value->boolean = is_true;
    value->text = text;
    return is_true || is_false;
  }

  static bool read_number(std::string_view text, LineValue* value) {
    // Only what a number can begin with, so that neither "NaN" nor spaces pass.
    if (text.empty() || !(text[0] == '-' || text[0] == '+' || text[0] == '.' || is_digit(text[0])))
      return false;
    const char suffix = text.back();
    const bool has_suffix = suffix == 'i' || suffix == 'u' || suffix == 't';
    value->text = has_suffix ? text.substr(0, text.size() - 1) : text;
    const char* const begin = value->text.data();
    const char* const end = begin + value->text.size();
    switch (suffix) {
      case 'i': value->kind = LineValue::Kind::kInteger; return parse_int64(begin, end, &value->integer);
      case 't': value->kind = LineValue::Kind::kTimestamp; return parse_int64(begin, end, &value->integer);
      case 'u':
        value->kind = LineValue::Kind::kUnsigned;
        return read_unsigned(value->text, &value->unsigned_integer);
      default:
        value->kind = LineValue::Kind::kFloat;
        return std::all_of(begin, end, may_be_in_number) && parse_double(begin, end, &value->number);
    }
  }

  static bool is_digit(char c) { return c >= '0' && c <= '9'; }
  static bool may_be_in_number(char c) {
    return is_digit(c) || c == '.' || c == '-' || c == '+' || c == 'e' || c == 'E';
  }

  static bool read_unsigned(std::string_view text, uint64_t* value) {
    if (text.empty() || text.size() > 20) return false;
    uint64_t sum = 0;
    for (const char c : text) {
      if (c < '0' || c > '9' || __builtin_mul_overflow(sum, uint64_t{10}, &sum) ||
          __builtin_add_overflow(sum, static_cast<uint64_t>(c - '0'), &sum)) {
        return false;
      }
    }
    *value = sum;
    return true;
  }

  void read_timestamp() {
    std::string_view text = line_.substr(at_);
    while (!text.empty() && text.back() == ' ') text.remove_suffix(1);
    int64_t value = 0;
    const bool digits = std::all_of(text.begin(), text.end(), [](char c) { return is_digit(c) || c == '-'; });
    if (!digits || !parse_int64(text.data(), text.data() + text.size(), &value))
      fail("a timestamp was expected");
    point_->timestamp = value;
  }

  const std::string_view line_;
  LinePoint* const point_;
  size_t at_ = 0;
  std::string error_;
};

// The first newline from `at` on, where a line begins, that is not inside a quoted field value; npos: there is none. Quotes count from the
// second part of a line on, where fields are; a backslash takes the meaning of what follows, if that is no newline outside quotes.
size_t quoted_line_end(std::string_view text, size_t at) {
  if (text[at] == '#') return text.find('\n', at);
  const size_t begin = at;
  bool fields = false, quoted = false;
  for (; at < text.size(); ++at) {
    const char c = text[at];
    if (c == '\n' && !quoted) return at;
    if (c == '\\') at += quoted || text.substr(at + 1, 1) != "\n";
    else if (quoted) quoted = c != '"';
    else if (c == ' ') fields |= at > begin;
    else if (c == '"') quoted = fields && text[at - 1] == '=';
  }
  return text.npos;
}

// The same; `quote` is kept between the lines of a text: where the next double quote is, so that each is looked for once.
size_t line_end(std::string_view text, size_t at, size_t* quote) {
  const size_t newline = text.find('\n', at);
  if (*quote < at || at == 0) *quote = std::min(text.find('"', at), text.size());
  return *quote < std::min(newline, text.size()) ? quoted_line_end(text, at) : newline;
}

}  // namespace

std::string_view line_value_kind_name(LineValue::Kind kind) {
  switch (kind) {
    case LineValue::Kind::kFloat: return "float";
    case LineValue::Kind::kInteger: return "integer";
    case LineValue::Kind::kUnsigned: return "unsigned integer";
    case LineValue::Kind::kBoolean: return "boolean";
    case LineValue::Kind::kString: return "string";
    case LineValue::Kind::kTimestamp: return "timestamp";
  }
  return "unknown";
}

bool parse_line(std::string_view line, LinePoint* point, std::string* error) {
  LineParser parser(line, point);
  try {
    parser.parse();
    return true;
  } catch (const LineParser::Failed&) {
    *error = parser.error();
    return false;
  }
}

bool LineSplitter::next(std::string_view* line, uint64_t* number) {
  while (at_ < text_.size()) {
    const size_t begin = at_;
    const size_t newline = line_end(text_, at_, &quote_);
    size_t end = newline == text_.npos ? text_.size() : newline;
    at_ = newline == text_.npos ? text_.size() : newline + 1;
    *number = ++number_;
    if (quote_ < end) {
      number_ += static_cast<uint64_t>(std::count(text_.begin() + static_cast<std::ptrdiff_t>(begin),
                                                  text_.begin() + static_cast<std::ptrdiff_t>(end), '\n'));
    }
    if (end > begin && text_[end - 1] == '\r') --end;
    size_t first = begin;
    while (first < end && text_[first] == ' ') ++first;
    if (first == end || text_[first] == '#') continue;
    *line = text_.substr(first, end - first);
    return true;
  }
  return false;
}

size_t whole_lines(std::string_view text) {
  size_t whole = 0, quote = 0;
  while (whole < text.size()) {
    const size_t end = line_end(text, whole, &quote);
    if (end == text.npos) break;
    whole = end + 1;
  }
  return whole;
}

}  // namespace idem
