#include "parser/lexer.h"

#include <array>

#include "common/ascii.h"
#include "parser/string_escape.h"

namespace idem::parser {
namespace {

enum CharClass : uint8_t {
  kOther = 0,
  kSpace = 1,
  kIdentStart = 2,
  kDigit = 4,
  kOperatorChar = 8,
  kDollar = 16
};

constexpr std::array<uint8_t, 256> build_classes() {
  std::array<uint8_t, 256> classes{};
  for (int c = 'a'; c <= 'z'; ++c) classes[static_cast<size_t>(c)] = kIdentStart;
  for (int c = 'A'; c <= 'Z'; ++c) classes[static_cast<size_t>(c)] = kIdentStart;
  for (int c = 0x80; c <= 0xff; ++c) classes[static_cast<size_t>(c)] = kIdentStart;
  for (int c = '0'; c <= '9'; ++c) classes[static_cast<size_t>(c)] = kDigit;
  classes['_'] = kIdentStart;
  classes['$'] = kDollar;
  for (char c : {' ', '\t', '\n', '\r', '\f', '\v'}) classes[static_cast<uint8_t>(c)] = kSpace;
  for (char c : {'~', '!', '@', '#', '^', '&', '|', '?', '+', '-', '*', '/', '%', '<', '>', '='}) {
    classes[static_cast<uint8_t>(c)] = kOperatorChar;
  }
  return classes;
}
constexpr std::array<uint8_t, 256> kClasses = build_classes();

bool is(char c, uint8_t classes) { return (kClasses[static_cast<uint8_t>(c)] & classes) != 0; }

class Lexer {
 public:
  explicit Lexer(std::string_view text) : text_(text) {}

  Tokens run() {
    tokens_.list.reserve(text_.size() / 4 + 8);
    while (skip_space_and_comments()) {
      if (!next_token()) break;
    }
    for (int i = 0; i < 3; ++i) {
      tokens_.list.push_back({TokenKind::kEnd, Keyword::kNotKeyword, static_cast<uint32_t>(text_.size()), 0});
    }
    return std::move(tokens_);
  }

 private:
  char at(size_t index) const { return index < text_.size() ? text_[index] : '\0'; }
  char here(size_t ahead = 0) const { return at(pos_ + ahead); }
  bool done() const { return pos_ >= text_.size(); }

  void push(TokenKind kind, size_t begin, Keyword keyword = Keyword::kNotKeyword) {
    tokens_.list.push_back(
        {kind, keyword, static_cast<uint32_t>(begin), static_cast<uint32_t>(pos_ - begin)});
  }

  bool fail(size_t begin, std::string message, std::string_view state = sqlstate::kSyntaxError) {
    tokens_.error.emplace(state, std::move(message));
    tokens_.error->with_position(static_cast<uint32_t>(begin + 1));
    pos_ = text_.size();
    push(TokenKind::kError, begin);
    return false;
  }
  bool fail_near(size_t begin, size_t end, std::string_view what) {
    return fail(begin, fmt::format("{} at or near \"{}\"", what, text_.substr(begin, end - begin)));
  }

  // False at the end of the text, also when an error was met.
  bool skip_space_and_comments() {
    for (;;) {
      while (!done() && is(text_[pos_], kSpace)) ++pos_;
      if (here() == '-' && here(1) == '-') {
        while (!done() && text_[pos_] != '\n' && text_[pos_] != '\r') ++pos_;
      } else if (here() == '/' && here(1) == '*') {
        if (!skip_block_comment()) return false;
      } else {
        return !done();
      }
    }
  }

  bool skip_block_comment() {
    const size_t begin = pos_;
    size_t depth = 0;
    do {
      if (done()) return fail_near(begin, text_.size(), "unterminated /* comment");
      if (here() == '/' && here(1) == '*') {
        ++depth;
        pos_ += 2;
      } else if (here() == '*' && here(1) == '/') {
        --depth;
        pos_ += 2;
      } else {
        ++pos_;
      }
    } while (depth > 0);
    return true;
  }

  bool next_token() {
    const char c = text_[pos_];
    if (is(c, kIdentStart)) return word_or_prefixed_string();
    if (is(c, kDigit) || (c == '.' && is(here(1), kDigit))) return number();
    if (c == '\'') return quoted_string(TokenKind::kString, pos_, false);
    if (c == '"' || c == '`') return quoted_identifier(TokenKind::kQuotedIdentifier, pos_);
    if (c == '$') return dollar();
    if (is(c, kOperatorChar)) return operator_symbol();
    return punctuation();
  }

  bool word_or_prefixed_string() {
    const size_t begin = pos_;
    if (here(1) == '\'') {
      switch (text_[pos_]) {
        case 'e':
        case 'E': ++pos_; return quoted_string(TokenKind::kEscapeString, begin, true);
        case 'b':
        case 'B': ++pos_; return digits_string(TokenKind::kBitString, begin);
        case 'x':
        case 'X': ++pos_; return digits_string(TokenKind::kHexString, begin);
        case 'n':
        case 'N': ++pos_; return quoted_string(TokenKind::kString, pos_, false);
        default: break;
      }
    }
    if ((text_[pos_] | 0x20) == 'u' && here(1) == '&' && (here(2) == '\'' || here(2) == '"')) {
      pos_ += 2;
      return here() == '"' ? quoted_identifier(TokenKind::kUnicodeIdentifier, begin)
                           : quoted_string(TokenKind::kUnicodeString, begin, false);
    }
    while (!done() && is(text_[pos_], kIdentStart | kDigit | kDollar)) ++pos_;
    push(TokenKind::kWord, begin, find_keyword(text_.substr(begin, pos_ - begin)));
    return true;
  }

  // Standing on the opening quote. Strings that only white space with a newline separates are one.
  bool quoted_string(TokenKind kind, size_t begin, bool backslash_escapes) {
    for (;;) {
      ++pos_;
      for (;;) {
        if (!backslash_escapes) {
          const size_t quote = text_.find('\'', pos_);
          pos_ = quote == std::string_view::npos ? text_.size() : quote;
        }
        if (done()) return fail_near(begin, text_.size(), "unterminated quoted string");
        const char c = text_[pos_++];
        if (c == '\\' && backslash_escapes) {
          if (!done()) ++pos_;
        } else if (c == '\'') {
          if (here() != '\'') break;
          ++pos_;
        }
      }
      const size_t end = pos_;
      bool newline = false;
      while (!done() && is(text_[pos_], kSpace)) newline |= text_[pos_++] == '\n' || text_[pos_ - 1] == '\r';
      if (!newline || here() != '\'') {
        pos_ = end;
        break;
      }
    }
    push(kind, begin);
    return true;
  }

  bool digits_string(TokenKind kind, size_t begin) {
    const bool hex = kind == TokenKind::kHexString;
    ++pos_;
    while (!done() && text_[pos_] != '\'') {
      const char c = text_[pos_];
      const bool valid = hex ? hex_digit_value(c) >= 0 : c == '0' || c == '1';
      if (!valid) {
        return fail(begin, fmt::format("\"{}\" is not a valid {} digit", c, hex ? "hexadecimal" : "binary"),
                    sqlstate::kInvalidTextRepresentation);
      }
      ++pos_;
    }
    if (done()) return fail_near(begin, text_.size(), "unterminated bit string literal");
    ++pos_;
    push(kind, begin);
    return true;
  }

  // Standing on the opening quote.
  bool quoted_identifier(TokenKind kind, size_t begin) {
    const char quote = text_[pos_];
    const size_t inside = ++pos_;
    for (;;) {
      const size_t next = text_.find(quote, pos_);
      if (next == std::string_view::npos)
        return fail_near(begin, text_.size(), "unterminated quoted identifier");
      pos_ = next + 1;
      if (here() != quote) break;
      ++pos_;
    }
    if (pos_ - 1 == inside) return fail_near(begin, pos_, "zero-length delimited identifier");
    push(kind, begin);
    return true;
  }

  bool number() {
    const size_t begin = pos_;
    TokenKind kind = TokenKind::kInteger;
    while (is(here(), kDigit)) ++pos_;
    if (here() == '.' && here(1) != '.') {
      kind = TokenKind::kDecimal;
      ++pos_;
      while (is(here(), kDigit)) ++pos_;
    }
    if (here() == 'e' || here() == 'E') {
      const size_t sign = here(1) == '+' || here(1) == '-' ? 1 : 0;
      if (is(here(1 + sign), kDigit)) {
        kind = TokenKind::kDecimal;
        pos_ += 1 + sign;
        while (is(here(), kDigit)) ++pos_;
      }
    }
    if (is(here(), kIdentStart)) {
      const bool decimal = kind == TokenKind::kDecimal;
      while (is(here(), kIdentStart | kDigit | kDollar)) ++pos_;
      if (decimal) return fail_near(begin, pos_, "trailing junk after numeric literal");
      kind = TokenKind::kNumberWithUnit;
    }
    push(kind, begin);
    return true;
  }

  bool dollar() {
    const size_t begin = pos_++;
    if (is(here(), kDigit)) {
      while (is(here(), kDigit)) ++pos_;
      if (is(here(), kIdentStart)) {
        while (is(here(), kIdentStart | kDigit)) ++pos_;
        return fail_near(begin, pos_, "trailing junk after parameter");
      }
      push(TokenKind::kParameter, begin);
      return true;
    }
    if (is(here(), kIdentStart)) {
      while (is(here(), kIdentStart | kDigit)) ++pos_;
    }
    if (here() != '$') return fail_near(begin, begin + 1, "syntax error");
    ++pos_;
    const std::string_view tag = text_.substr(begin, pos_ - begin);
    const size_t close = text_.find(tag, pos_);
    if (close == std::string_view::npos) {
      return fail_near(begin, text_.size(), "unterminated dollar-quoted string");
    }
    pos_ = close + tag.size();
    push(TokenKind::kDollarString, begin);
    return true;
  }

  // PostgreSQL's rules: a comment's begin ends the symbol, and a symbol of several characters ends in + or -
  // only if it holds a character that no SQL operator has.
  bool operator_symbol() {
    const size_t begin = pos_;
    bool unusual = false;
    while (is(here(), kOperatorChar)) {
      const char c = text_[pos_];
      if ((c == '-' && here(1) == '-') || (c == '/' && here(1) == '*')) break;
      unusual |= c != '+' && c != '-' && c != '*' && c != '/' && c != '<' && c != '>' && c != '=';
      ++pos_;
    }
    if (!unusual) {
      while (pos_ - begin > 1 && (text_[pos_ - 1] == '+' || text_[pos_ - 1] == '-')) --pos_;
    }
    const std::string_view symbol = text_.substr(begin, pos_ - begin);
    push(symbol == "=>" ? TokenKind::kArrow : TokenKind::kOperator, begin);
    return true;
  }

  bool punctuation() {
    const size_t begin = pos_++;
    TokenKind kind = TokenKind::kEnd;
    switch (text_[begin]) {
      case '(': kind = TokenKind::kLeftParen; break;
      case ')': kind = TokenKind::kRightParen; break;
      case '[': kind = TokenKind::kLeftBracket; break;
      case ']': kind = TokenKind::kRightBracket; break;
      case ',': kind = TokenKind::kComma; break;
      case ';': kind = TokenKind::kSemicolon; break;
      case '.': kind = TokenKind::kDot; break;
      case ':':
        kind = TokenKind::kColon;
        if (here() == ':' || here() == '=') {
          kind = here() == ':' ? TokenKind::kDoubleColon : TokenKind::kColonEquals;
          ++pos_;
        }
        break;
      default: return fail_near(begin, pos_, "syntax error");
    }
    push(kind, begin);
    return true;
  }

  std::string_view text_;
  size_t pos_ = 0;
  Tokens tokens_;
};

std::string without_doubled(std::string_view inside, char quote) {
  std::string result;
  result.reserve(inside.size());
  for (size_t i = 0; i < inside.size(); ++i) {
    result.push_back(inside[i]);
    if (inside[i] == quote) ++i;
  }
  return result;
}

}  // namespace

Tokens tokenize(std::string_view text) { return Lexer(text).run(); }

std::string fold_identifier(std::string_view source) {
  std::string result(source);
  for (char& c : result) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + ('a' - 'A'));
  }
  return result;
}

std::string upper_case(std::string_view source) {
  std::string result(source);
  for (char& c : result) {
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - ('a' - 'A'));
  }
  return result;
}

std::string identifier_text(TokenKind kind, std::string_view source) {
  switch (kind) {
    case TokenKind::kQuotedIdentifier: return without_doubled(source.substr(1, source.size() - 2), source[0]);
    case TokenKind::kUnicodeIdentifier:
      return decode_unicode_escapes(without_doubled(source.substr(3, source.size() - 4), '"'));
    default: return fold_identifier(source);
  }
}

std::string string_text(TokenKind kind, std::string_view source) {
  switch (kind) {
    case TokenKind::kDollarString: {
      const size_t tag = source.find('$', 1) + 1;
      return std::string(source.substr(tag, source.size() - 2 * tag));
    }
    case TokenKind::kEscapeString: return decode_backslash_escapes(source.substr(1));
    case TokenKind::kUnicodeString: return decode_unicode_escapes(join_quoted_parts(source.substr(2)));
    default: return join_quoted_parts(source);
  }
}

}  // namespace idem::parser
