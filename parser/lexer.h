#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/error.h"
#include "parser/keyword.h"

namespace idem::parser {

enum class TokenKind : uint8_t {
  kEnd,
  kError,              // what follows could not be read; Tokens::error says why
  kWord,               // identifier or keyword
  kQuotedIdentifier,   // "name", `name`
  kUnicodeIdentifier,  // U&"name"
  kString,             // 'text'; adjacent ones on separate lines are one token
  kEscapeString,       // E'text'
  kUnicodeString,      // U&'text'
  kDollarString,       // $tag$text$tag$
  kBitString,          // B'01'
  kHexString,          // X'1F'
  kInteger,
  kDecimal,
  kNumberWithUnit,  // 15m: only where a length of time may stand
  kParameter,       // $1
  kOperator,        // + - * / < > = ~ ! @ # % ^ & | ? and sequences of them
  kLeftParen,
  kRightParen,
  kLeftBracket,
  kRightBracket,
  kComma,
  kSemicolon,
  kDot,
  kColon,
  kDoubleColon,
  kColonEquals,
  kArrow,  // =>
};

struct Token {
  TokenKind kind = TokenKind::kEnd;
  Keyword keyword = Keyword::kNotKeyword;  // of kWord
  uint32_t offset = 0;                     // from 0
  uint32_t length = 0;
};

// The tokens of a text, closed by three of kind kEnd so that a parser may look two ahead of any real token.
// When something cannot be read, a kError token stands in its place and the kEnd tokens follow: errors come
// in text order.
struct Tokens {
  std::vector<Token> list;
  std::optional<SqlError> error;
};
Tokens tokenize(std::string_view text);

// What a token says. `source` is the token's text.
std::string fold_identifier(std::string_view source);                  // ASCII to lower case
std::string upper_case(std::string_view source);                       // ASCII to upper case
std::string identifier_text(TokenKind kind, std::string_view source);  // kWord, the quoted ones
std::string string_text(TokenKind kind, std::string_view source);  // the string kinds; throws 22025, 22021

}  // namespace idem::parser
