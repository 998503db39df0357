#include "query/regex.h"

#include <cctype>
#include <re2/re2.h>

#include "common/error.h"
#include "common/utf8.h"

namespace idem {

namespace {

struct Options {
  bool ignore_case = false;
  bool newline_sensitive_dot = false;      // . and [^…] do not match a newline
  bool newline_sensitive_anchors = false;  // ^ and $ match at line ends
  bool expanded = false;
  bool literal = false;
  bool non_greedy = false;
};

[[noreturn]] void throw_invalid(std::string_view why) {
  throw sql_error(sqlstate::kInvalidRegularExpression, "invalid regular expression: {}", why);
}

void apply_flags(std::string_view flags, Options* options) {
  for (const char flag : flags) {
    switch (flag) {
      case 'g':
      case 'b':
      case 'e':
      case 't': break;
      case 'i': options->ignore_case = true; break;
      case 'c': options->ignore_case = false; break;
      case 'm':
      case 'n': options->newline_sensitive_dot = options->newline_sensitive_anchors = true; break;
      case 'p':
        options->newline_sensitive_dot = true;
        options->newline_sensitive_anchors = false;
        break;
      case 'w':
        options->newline_sensitive_dot = false;
        options->newline_sensitive_anchors = true;
        break;
      case 's': options->newline_sensitive_dot = options->newline_sensitive_anchors = false; break;
      case 'x': options->expanded = true; break;
      case 'q': options->literal = true; break;
      default:
        throw sql_error(sqlstate::kInvalidParameterValue, "invalid regular expression option: \"{}\"", flag);
    }
  }
}

class Translator {
 public:
  Translator(std::string_view pattern, Options* options) : pattern_(pattern), options_(*options) {}

  std::string translate() {
    read_prefix();
    if (options_.literal) return RE2::QuoteMeta(std::string(pattern_.substr(at_)));
    while (at_ < pattern_.size()) step();
    return out_;
  }

 private:
  void read_prefix() {
    if (pattern_.starts_with("***=")) {
      options_.literal = true;
      at_ = 4;
    } else if (pattern_.starts_with("***:")) {
      at_ = 4;
    }
    if (pattern_.substr(at_).starts_with("(?") && at_ + 2 < pattern_.size() &&
        std::isalpha(static_cast<unsigned char>(pattern_[at_ + 2])) != 0) {
      const size_t end = pattern_.find(')', at_);
      if (end == std::string_view::npos) throw_invalid("parentheses () not balanced");
      apply_flags(pattern_.substr(at_ + 2, end - at_ - 2), &options_);
      at_ = end + 1;
    }
  }

  void step() {
    const char c = pattern_[at_];
    switch (c) {
      case '\\': return escape(false);
      case '[': return bracket();
      case '(':
        if (pattern_.substr(at_).starts_with("(?") && !pattern_.substr(at_).starts_with("(?:")) {
          throw SqlError(sqlstate::kFeatureNotSupported,
                         "lookahead and lookbehind constraints of regular expressions are not supported");
        }
        break;
      case '*':
      case '+':
      case '?':
      case '}':
        // A ? behind a quantifier makes it non-greedy.
        if (c != '?' || !follows_quantifier())
          options_.non_greedy |= at_ + 1 < pattern_.size() && pattern_[at_ + 1] == '?';
        break;
      case ' ':
      case '\t':
      case '\n':
      case '\r':
        if (options_.expanded) {
          ++at_;
          return;
        }
        break;
      case '#':
        if (options_.expanded) {
          while (at_ < pattern_.size() && pattern_[at_] != '\n') ++at_;
          return;
        }
        break;
      default: break;
    }
    out_ += c;
    ++at_;
  }

  bool follows_quantifier() const {
    if (at_ == 0) return false;
    const char before = pattern_[at_ - 1];
    return before == '*' || before == '+' || before == '?' || before == '}';
  }

  void escape(bool in_bracket) {
    if (at_ + 1 >= pattern_.size()) throw_invalid("invalid escape \\ sequence");
    const char c = pattern_[at_ + 1];
    at_ += 2;
    switch (c) {
      case 'y':
      case 'm':
      case 'M': out_ += "\\b"; return;
      case 'Y': out_ += "\\B"; return;
      case 'Z': out_ += "\\z"; return;
      case 'B': out_ += "\\\\"; return;
      case 'e': out_ += "\\x{1B}"; return;
      case 'b': out_ += "\\x{08}"; return;
      case 'u': return code_point(4);
      case 'U': return code_point(8);
      case '0': out_ += "\\x{0}"; return;
      default: break;
    }
    if (c >= '1' && c <= '9' && !in_bracket) {
      throw SqlError(sqlstate::kFeatureNotSupported,
                     "back references in regular expressions are not supported");
    }
    if (std::isalpha(static_cast<unsigned char>(c)) != 0) {
      if (std::string_view("aAdDfnrstvwWSx").find(c) == std::string_view::npos)
        throw_invalid("invalid escape \\ sequence");
    }
    out_ += '\\';
    out_ += c;
  }

  void code_point(size_t digits) {
    const std::string_view hex = pattern_.substr(at_, digits);
    if (hex.size() < digits) throw_invalid("invalid escape \\ sequence");
    out_ += "\\x{";
    out_ += hex;
    out_ += '}';
    at_ += digits;
  }

  void bracket() {
    for (const std::string_view word : {"[[:<:]]", "[[:>:]]"}) {
      if (pattern_.substr(at_).starts_with(word)) {
        out_ += "\\b";
        at_ += word.size();
        return;
      }
    }
    out_ += '[';
    ++at_;
    bool negated = false;
    if (at_ < pattern_.size() && pattern_[at_] == '^') {
      out_ += '^';
      ++at_;
      negated = true;
    }
    if (negated && options_.newline_sensitive_dot) out_ += "\\n";
    bool is_first = true;
    while (at_ < pattern_.size() && (is_first || pattern_[at_] != ']')) {
      is_first = false;
      if (pattern_[at_] == '\\') {
        escape(true);
      } else if (pattern_.substr(at_).starts_with("[:")) {
        const size_t end = pattern_.find(":]", at_);
        if (end == std::string_view::npos) throw_invalid("brackets [] not balanced");
        out_ += pattern_.substr(at_, end + 2 - at_);
        at_ = end + 2;
      } else {
        // RE2 reads [ and a leading ] as PostgreSQL does only when escaped.
        if (pattern_[at_] == '[' || pattern_[at_] == ']') out_ += '\\';
        out_ += pattern_[at_++];
      }
    }
    if (at_ == pattern_.size()) throw_invalid("brackets [] not balanced");
    out_ += ']';
    ++at_;
  }

  std::string_view pattern_;
  Options& options_;
  size_t at_ = 0;
  std::string out_;
};

std::string_view reason(RE2::ErrorCode code) {
  switch (code) {
    case RE2::ErrorMissingParen:
    case RE2::ErrorUnexpectedParen: return "parentheses () not balanced";
    case RE2::ErrorMissingBracket: return "brackets [] not balanced";
    case RE2::ErrorBadCharRange: return "invalid character range";
    case RE2::ErrorBadCharClass: return "invalid character class";
    case RE2::ErrorRepeatArgument:
    case RE2::ErrorRepeatOp: return "quantifier operand invalid";
    case RE2::ErrorRepeatSize: return "invalid repetition count(s)";
    case RE2::ErrorPatternTooLarge: return "regular expression is too complex";
    default: return "invalid escape \\ sequence";
  }
}

}  // namespace

Regex::Regex(std::string_view pattern, std::string_view flags) {
  Options options;
  apply_flags(flags, &options);
  std::string translated = Translator(pattern, &options).translate();
  if (options.newline_sensitive_anchors) translated = "(?m)" + translated;
  RE2::Options settings;
  settings.set_log_errors(false);
  settings.set_case_sensitive(!options.ignore_case);
  settings.set_dot_nl(!options.newline_sensitive_dot);
  settings.set_longest_match(!options.non_greedy);
  compiled_ = std::make_unique<RE2>(translated, settings);
  if (!compiled_->ok()) throw_invalid(reason(compiled_->error_code()));
}

Regex::~Regex() = default;
Regex::Regex(Regex&&) noexcept = default;
Regex& Regex::operator=(Regex&&) noexcept = default;

bool Regex::matches(std::string_view text) const {
  return compiled_->Match(re2::StringPiece(text.data(), text.size()), 0, text.size(), RE2::UNANCHORED,
                          nullptr, 0);
}

int Regex::group_count() const { return compiled_->NumberOfCapturingGroups(); }

bool Regex::find(std::string_view text, size_t start, std::vector<std::string_view>* groups) const {
  // RE2 gives null pointers for the groups of an empty text, too, unless the text has an address.
  if (text.data() == nullptr) text = std::string_view("", 0);
  std::vector<re2::StringPiece> pieces(static_cast<size_t>(group_count()) + 1);
  if (!compiled_->Match(re2::StringPiece(text.data(), text.size()), start, text.size(), RE2::UNANCHORED,
                        pieces.data(), static_cast<int>(pieces.size()))) {
    return false;
  }
  groups->clear();
  for (const re2::StringPiece& piece : pieces) groups->emplace_back(piece.data(), piece.size());
  return true;
}

RegexMatches::RegexMatches(const Regex& regex, std::string_view text, size_t start, const CancelToken* cancel)
    : regex_(regex),
      text_(text.data() == nullptr ? std::string_view("", 0) : text),
      next_(start),
      check_cancel_(cancel) {}

bool RegexMatches::next() {
  check_cancel_();
  if (next_ > text_.size() || !regex_.find(text_, next_, &groups_)) return false;
  if (!groups_[0].empty()) {
    next_ = end();
  } else {
    next_ = begin() < text_.size() ? begin() + utf8_sequence_length(text_[begin()]) : text_.size() + 1;
  }
  return true;
}

void regex_split(const Regex& regex, std::string_view text, const CancelToken* cancel,
                 const std::function<void(std::string_view)>& take) {
  RegexMatches matches(regex, text, 0, cancel);
  size_t taken = 0;
  while (matches.next()) {
    const size_t begin = matches.begin();
    if (matches.end() == begin && (begin == 0 || begin >= text.size() || begin == taken)) continue;
    take(text.substr(taken, begin - taken));
    taken = matches.end();
  }
  take(text.substr(taken));
}

namespace {

void check_escape(std::string_view escape) {
  if (utf8_length(escape) <= 1) return;
  throw SqlError(sqlstate::kInvalidEscapeSequence, "invalid escape string")
      .with_hint("Escape string must be empty or one character.");
}

void append_similar(std::string& out, std::string_view pattern, std::string_view escape) {
  bool in_bracket = false;
  for (size_t i = 0; i < pattern.size(); ++i) {
    const char c = pattern[i];
    if (!escape.empty() && pattern.substr(i).starts_with(escape)) {
      i += escape.size();
      if (i >= pattern.size()) break;
      const char escaped = pattern[i];
      if (std::isalnum(static_cast<unsigned char>(escaped)) == 0) out += '\\';
      out += escaped;
    } else if (in_bracket) {
      if (c == '\\') out += '\\';
      out += c;
      in_bracket = c != ']';
    } else if (c == '[') {
      out += c;
      in_bracket = true;
    } else if (c == '%') {
      out += ".*";
    } else if (c == '_') {
      out += '.';
    } else if (c == '(') {
      out += "(?:";
    } else if (c == '\\' || c == '.' || c == '^' || c == '$') {
      out += '\\';
      out += c;
    } else {
      out += c;
    }
  }
}

}  // namespace

std::string similar_to_regex(std::string_view pattern, std::string_view escape) {
  check_escape(escape);
  std::string out = "^(?:";
  append_similar(out, pattern, escape);
  return out + ")$";
}

std::string similar_substring_regex(std::string_view pattern, std::string_view escape) {
  check_escape(escape);
  const std::string mark = std::string(escape) + '"';
  const size_t first = pattern.find(mark);
  const size_t second = first == std::string_view::npos ? first : pattern.find(mark, first + mark.size());
  if (second == std::string_view::npos) return similar_to_regex(pattern, escape);
  std::string out = "^(?:";
  append_similar(out, pattern.substr(0, first), escape);
  out += ")(";
  append_similar(out, pattern.substr(first + mark.size(), second - first - mark.size()), escape);
  out += ")(?:";
  append_similar(out, pattern.substr(second + mark.size()), escape);
  return out + ")$";
}

}  // namespace idem
