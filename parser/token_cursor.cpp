#include "parser/token_cursor.h"

#include <algorithm>
#include <charconv>
#include <limits>

namespace idem::parser {
namespace {

std::string_view token_kind_name(TokenKind kind) {
  switch (kind) {
    case TokenKind::kLeftParen: return "\"(\"";
    case TokenKind::kRightParen: return "\")\"";
    case TokenKind::kLeftBracket: return "\"[\"";
    case TokenKind::kRightBracket: return "\"]\"";
    case TokenKind::kComma: return "\",\"";
    case TokenKind::kArrow: return "\"=>\"";
    default: return {};  // a semicolon, a dot: they may follow nearly everything and say little
  }
}

// Edits (insert, delete, replace, swap neighbours) between two words, capped at 3.
size_t edit_distance(std::string_view a, std::string_view b) {
  constexpr size_t kCap = 3;
  if (a.size() > b.size()) std::swap(a, b);
  if (b.size() - a.size() >= kCap || b.size() > 40) return kCap;
  std::vector<std::vector<size_t>> d(a.size() + 1, std::vector<size_t>(b.size() + 1));
  for (size_t i = 0; i <= a.size(); ++i) d[i][0] = i;
  for (size_t j = 0; j <= b.size(); ++j) d[0][j] = j;
  for (size_t i = 1; i <= a.size(); ++i) {
    for (size_t j = 1; j <= b.size(); ++j) {
      d[i][j] =
          std::min({d[i - 1][j] + 1, d[i][j - 1] + 1, d[i - 1][j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1)});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) {
        d[i][j] = std::min(d[i][j], d[i - 2][j - 2] + 1);
      }
    }
  }
  return std::min(d[a.size()][b.size()], kCap);
}

// The expected keyword that a misspelt word most likely meant; empty when none is near.
std::string nearest(std::string_view word, const std::vector<std::string>& candidates) {
  const std::string written = upper_case(word);
  std::string best;
  size_t best_distance = written.size() <= 3 ? 2 : 3;
  for (const std::string& candidate : candidates) {
    if (candidate.empty() || candidate[0] < 'A' || candidate[0] > 'Z') continue;
    const std::string first = candidate.substr(0, candidate.find(' '));
    const size_t distance = edit_distance(written, first);
    if (distance < best_distance) {
      best_distance = distance;
      best = first;
    }
  }
  return best;
}

}  // namespace

void TokenCursor::note(std::string_view what) {
  if (what.empty() || std::find(expected_.begin(), expected_.end(), what) != expected_.end()) return;
  expected_.emplace_back(what);
}

void TokenCursor::note(Keyword first, Keyword second) {
  std::string words = upper_case(keyword_spelling(first));
  if (second != Keyword::kNotKeyword) words += " " + upper_case(keyword_spelling(second));
  note(words);
}

void TokenCursor::note(TokenKind kind) { note(token_kind_name(kind)); }

std::string TokenCursor::hint() const {
  if (token_->kind == TokenKind::kWord) {
    const std::string meant = nearest(source(), expected_);
    if (!meant.empty() && meant != upper_case(source())) return fmt::format("Did you mean {}?", meant);
  }
  // SELECT a FRM t: the misspelt word was read as an alias, and the error is at the word after it.
  if (token_ != tokens_.list.data() && token_[-1].kind == TokenKind::kWord &&
      token_[-1].keyword == Keyword::kNotKeyword) {
    static const std::vector<std::string> kClauses = {
        "FROM", "WHERE",  "GROUP",  "ORDER", "HAVING", "LIMIT", "VALUES", "UNION", "JOIN",
        "INTO", "SAMPLE", "LATEST", "TABLE", "SELECT", "USING", "LEFT",   "INNER"};
    const std::string meant = nearest(source(token_[-1]), kClauses);
    if (!meant.empty()) return fmt::format("Did you mean {} instead of \"{}\"?", meant, source(token_[-1]));
  }
  if (expected_.empty()) return {};
  constexpr size_t kMost = 12;
  std::string result = "Expected ";
  for (size_t i = 0; i < expected_.size() && i < kMost; ++i) {
    if (i > 0) result += i + 1 == expected_.size() ? " or " : ", ";
    result += expected_[i];
  }
  return result + (expected_.size() > kMost ? ", …" : ".");
}

void TokenCursor::fail(std::string_view expected) {
  note_expected(expected);
  if (token_->kind == TokenKind::kError) throw SqlError(*tokens_.error);
  SqlError error =
      token_->kind == TokenKind::kEnd
          ? sql_error(sqlstate::kSyntaxError, "syntax error at end of input")
          : sql_error(sqlstate::kSyntaxError, "{} at or near \"{}\"",
                      token_->kind == TokenKind::kNumberWithUnit ? "trailing junk after numeric literal"
                                                                 : "syntax error",
                      source());
  error.with_position(position());
  if (explain_) error.with_hint(hint());
  throw error;
}

void TokenCursor::unsupported(std::string_view what, uint32_t at_position) {
  throw sql_error(sqlstate::kFeatureNotSupported, "{} is not supported", what).with_position(at_position);
}

bool TokenCursor::is_column_name(const Token& token) {
  if (token.kind == TokenKind::kWord) {
    const KeywordClass c = keyword_class(token.keyword);
    return c == KeywordClass::kUnreserved || c == KeywordClass::kColumnName;
  }
  return token.kind == TokenKind::kQuotedIdentifier || token.kind == TokenKind::kUnicodeIdentifier;
}

bool TokenCursor::is_function_name(const Token& token) {
  if (token.kind == TokenKind::kWord) {
    const KeywordClass c = keyword_class(token.keyword);
    return c == KeywordClass::kUnreserved || c == KeywordClass::kTypeFunction;
  }
  return token.kind == TokenKind::kQuotedIdentifier || token.kind == TokenKind::kUnicodeIdentifier;
}

ast::Identifier TokenCursor::take_identifier() {
  ast::Identifier name{identifier_text(token_->kind, source()), position(), token_->kind != TokenKind::kWord};
  advance();
  return name;
}

ast::Identifier TokenCursor::parse_name(std::string_view what) {
  if (!is_column_name(*token_)) fail(what);
  return take_identifier();
}

ast::Identifier TokenCursor::parse_label(std::string_view what) {
  if (!is_label(*token_)) fail(what);
  return take_identifier();
}

ast::Identifier TokenCursor::parse_ddl_name(std::string_view what) {
  if (!is_string_token(token_->kind)) return parse_name(what);
  const uint32_t begin = position();
  ast::Identifier name{take_string(), begin, true};
  if (name.text.empty()) {
    throw sql_error(sqlstate::kSyntaxError, "zero-length identifier").with_position(begin);
  }
  return name;
}

ast::ObjectName TokenCursor::parse_object_name(std::string_view what) {
  ast::ObjectName name;
  const bool default_schema = token_->keyword == Keyword::kDefault && next_is(TokenKind::kDot);
  name.name = default_schema ? take_identifier() : parse_ddl_name(what);
  while (at(TokenKind::kDot)) {
    if (!name.database.empty()) {
      throw sql_error(sqlstate::kSyntaxError, "improper qualified name (too many dotted names)")
          .with_position(name.position());
    }
    advance();
    name.database = std::move(name.schema);
    name.schema = std::move(name.name);
    name.name = is_string_token(token_->kind) ? parse_ddl_name(what) : parse_label(what);
  }
  return name;
}

std::vector<ast::Identifier> TokenCursor::parse_qualified_name(std::string_view what) {
  std::vector<ast::Identifier> parts;
  parts.push_back(parse_name(what));
  while (accept(TokenKind::kDot)) parts.push_back(parse_label(what));
  return parts;
}

std::vector<ast::Identifier> TokenCursor::parse_name_list(std::string_view what) {
  std::vector<ast::Identifier> names;
  do { names.push_back(parse_ddl_name(what)); } while (accept(TokenKind::kComma));
  return names;
}

std::vector<ast::Identifier> TokenCursor::parse_name_list_in_parens(std::string_view what) {
  expect(TokenKind::kLeftParen);
  std::vector<ast::Identifier> names = parse_name_list(what);
  expect(TokenKind::kRightParen);
  return names;
}

std::string TokenCursor::take_string() {
  const uint32_t begin = position();
  try {
    std::string text = string_text(token_->kind, source());
    advance();
    return text;
  } catch (SqlError& error) {
    error.with_position(begin);
    throw;
  }
}

std::string TokenCursor::parse_string(std::string_view what) {
  if (!is_string_token(token_->kind)) fail(what);
  return take_string();
}

int64_t TokenCursor::parse_integer(std::string_view what) {
  if (token_->kind != TokenKind::kInteger) fail(what);
  const std::string_view digits = source();
  int64_t value = 0;
  if (std::from_chars(digits.data(), digits.data() + digits.size(), value).ec != std::errc()) {
    throw sql_error(sqlstate::kNumericValueOutOfRange, "value \"{}\" is out of range for type bigint", digits)
        .with_position(position());
  }
  advance();
  return value;
}

int64_t TokenCursor::parse_signed_integer(std::string_view what) {
  const bool negative = is_operator("-");
  if (negative || is_operator("+")) advance();
  const int64_t value = parse_integer(what);
  return negative ? -value : value;
}

}  // namespace idem::parser
