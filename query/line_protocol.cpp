#include "query/line_protocol.h"

#include <algorithm>
#include <charconv>
#include <fmt/format.h>
#include <iterator>

#include "common/ascii.h"
#include "common/number_text.h"
#include "query/character_set.h"
#include "query/short_numbers.h"

namespace idem {

namespace {

const CharacterSet kTableEnds(',', ' ', '\\', '\\'), kKeyEnds(',', '=', ' ', '\\'),
    kValueEnds(',', ' ', ' ', ' '), kQuoteEnds('"', '\\', '\\', '\\');

bool read_boolean(std::string_view text, LineValue* value) {
  static constexpr std::string_view kTrue[] = {"t", "T", "true", "True", "TRUE"};
  static constexpr std::string_view kFalse[] = {"f", "F", "false", "False", "FALSE"};
  value->kind = LineValue::Kind::kBoolean;
  value->text = text;
  value->boolean = std::find(std::begin(kTrue), std::end(kTrue), text) != std::end(kTrue);
  return value->boolean || std::find(std::begin(kFalse), std::end(kFalse), text) != std::end(kFalse);
}

bool read_unsigned(std::string_view text, uint64_t* value) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), *value);
  return error == std::errc() && end == text.data() + text.size();
}

bool may_be_in_number(char c) {
  return is_digit(c) || c == '.' || c == '-' || c == '+' || c == 'e' || c == 'E';
}

// `text` begins with a digit, a sign or a point, so that neither "NaN" nor spaces pass. `has_slack`: kShortNumberSlack bytes may be read.
bool read_number(std::string_view text, bool has_slack, LineValue* value) {
  const char suffix = text.back();
  const bool has_suffix = suffix == 'i' || suffix == 'u' || suffix == 't';
  value->text = has_suffix ? text.substr(0, text.size() - 1) : text;
  const char* const begin = value->text.data();
  const char* const end = begin + value->text.size();
  const auto size = static_cast<uint32_t>(value->text.size());
  if (suffix == 'u') {
    value->kind = LineValue::Kind::kUnsigned;
    return read_unsigned(value->text, &value->unsigned_integer);
  }
  if (has_suffix) {
    value->kind = suffix == 'i' ? LineValue::Kind::kInteger : LineValue::Kind::kTimestamp;
    return (has_slack && read_short_integer(begin, size, &value->integer)) ||
           parse_int64(begin, end, &value->integer);
  }
  value->kind = LineValue::Kind::kFloat;
  return (has_slack && read_short_double(begin, size, &value->number)) ||
         (std::all_of(begin, end, may_be_in_number) && parse_double(begin, end, &value->number));
}

}  // namespace

// Reads one line from left to right.
class LineParser::Reader {
 public:
  Reader(std::string_view line, LineParser* parser)
      : line_(line), parser_(*parser), point_(parser->point_), names_(parser->names_) {
    point_.tags.clear();
    point_.fields.clear();
    point_.timestamp.reset();
    point_.unescaped.clear();
  }

  void read() {
    point_.table = name(kTableEnds, "a measurement was expected");
    while (take(',')) {
      LineTag& tag = point_.tags.emplace_back();
      tag.name = name(kKeyEnds, "a tag's name was expected");
      if (!take('=')) fail("\"=\" was expected after a tag's name");
      tag.value = word(kKeyEnds);
      if (tag.value.empty()) fail("a tag's value was expected");
    }
    if (!take(' ')) fail("a space and fields were expected");
    skip_spaces();
    do {
      LineField& field = point_.fields.emplace_back();
      field.name = name(kKeyEnds, "a field's name was expected");
      if (!take('=')) fail("\"=\" was expected after a field's name");
      read_value(&field.value);
    } while (take(','));
    if (at_ < line_.size() && line_[at_] != ' ') fail("\",\" or a timestamp was expected after a field");
    skip_spaces();
    if (at_ < line_.size()) read_timestamp();
    is_known_ &= names_.size() == place_ && parser_.tags_ == point_.tags.size();
    names_.resize(place_);
    parser_.tags_ = point_.tags.size();
    point_.shape += !is_known_;
  }

  const std::string& error() const { return error_; }
  struct Failed {};

 private:
  [[noreturn]] void fail(std::string_view what) {
    // What is kept of the names is of two lines.
    if (!is_known_) ++point_.shape;
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

  // A word that is likely the one at this place of the line before.
  std::string_view name(const CharacterSet& ends, std::string_view expected) {
    if (place_ == names_.size()) names_.emplace_back();
    std::string& last = names_[place_++];
    const size_t begin = at_;
    if (!last.empty() && line_.substr(begin, last.size()) == last) {
      at_ += last.size() - 1;
      return line_.substr(begin, last.size() - 1);
    }
    is_known_ = false;
    const std::string_view found = word(ends);
    if (found.empty()) fail(expected);
    const bool is_plain = found.data() == line_.data() + begin && at_ < line_.size();
    last = is_plain ? line_.substr(begin, at_ + 1 - begin) : "";
    return found;
  }

  // Up to a character that ends it; a backslash before such a one, or before another backslash, takes its meaning away. Before anything
  // else it stands for itself.
  std::string_view word(const CharacterSet& ends) {
    const size_t begin = at_;
    at_ = ends.find_first(line_, at_);
    if (at_ == line_.size() || line_[at_] != '\\') return line_.substr(begin, at_ - begin);
    const size_t kept = start_unescaped(begin);
    while (at_ < line_.size() && (line_[at_] == '\\' || !ends.contains(line_[at_]))) {
      if (line_[at_] == '\\' && at_ + 1 < line_.size() && ends.contains(line_[at_ + 1])) ++at_;
      point_.unescaped += line_[at_++];
    }
    return std::string_view(point_.unescaped).substr(kept);
  }

  // What is written there never moves: it is not longer than the line.
  size_t start_unescaped(size_t begin) {
    if (point_.unescaped.empty()) point_.unescaped.reserve(line_.size());
    const size_t kept = point_.unescaped.size();
    point_.unescaped += line_.substr(begin, at_ - begin);
    return kept;
  }

  void read_value(LineValue* value) {
    if (at_ < line_.size() && line_[at_] == '"') return read_string(value);
    const size_t begin = at_;
    at_ = kValueEnds.find_first(line_, at_);
    const std::string_view text = line_.substr(begin, at_ - begin);
    const char first = text.empty() ? ' ' : text[0];
    const bool is_number = is_digit(first) || first == '-' || first == '+' || first == '.';
    const bool has_slack = line_.size() - begin >= kShortNumberSlack;
    if (is_number ? read_number(text, has_slack, value) : read_boolean(text, value)) return;
    at_ = begin;
    fail(text.empty() ? "a field's value was expected"
                      : "a number, a boolean or a string in double quotes was expected");
  }

  void read_string(LineValue* value) {
    value->kind = LineValue::Kind::kString;
    const size_t begin = ++at_;
    at_ = kQuoteEnds.find_first(line_, at_);
    if (take('"')) {
      value->text = line_.substr(begin, at_ - 1 - begin);
      return;
    }
    const size_t kept = start_unescaped(begin);
    while (at_ < line_.size() && line_[at_] != '"') {
      if (line_[at_] == '\\' && at_ + 1 < line_.size() && kQuoteEnds.contains(line_[at_ + 1])) ++at_;
      point_.unescaped += line_[at_++];
    }
    if (!take('"')) fail("the end of a string in double quotes was expected");
    value->text = std::string_view(point_.unescaped).substr(kept);
  }

  void read_timestamp() {
    std::string_view text = line_.substr(at_);
    while (!text.empty() && text.back() == ' ') text.remove_suffix(1);
    // parse_int64 lets spaces and a plus pass.
    const bool is_plain = (text[0] == '-' || is_digit(text[0])) && is_digit(text.back());
    int64_t value = 0;
    if (!is_plain || !parse_int64(text.data(), text.data() + text.size(), &value))
      fail("a timestamp was expected");
    point_.timestamp = value;
  }

  const std::string_view line_;
  LineParser& parser_;
  LinePoint& point_;
  std::vector<std::string>& names_;
  size_t at_ = 0;
  size_t place_ = 0;      // among the names
  bool is_known_ = true;  // all names so far are those of the line before
  std::string error_;
};

namespace {

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

bool LineParser::parse(std::string_view line, std::string* error) {
  Reader reader(line, this);
  try {
    reader.read();
    return true;
  } catch (const Reader::Failed&) {
    *error = reader.error();
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
