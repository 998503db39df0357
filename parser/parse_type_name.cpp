#include "parser/statement_parser.h"

namespace idem::parser {

using namespace ast;

// The types that PostgreSQL's grammar spells out; all other type names are ordinary names.
bool StatementParser::at_type_keyword() const {
  switch (token().keyword) {
    case Keyword::kBigint:
    case Keyword::kBit:
    case Keyword::kBoolean:
    case Keyword::kChar:
    case Keyword::kCharacter:
    case Keyword::kDec:
    case Keyword::kDecimal:
    case Keyword::kFloat:
    case Keyword::kInt:
    case Keyword::kInteger:
    case Keyword::kInterval:
    case Keyword::kNational:
    case Keyword::kNchar:
    case Keyword::kNumeric:
    case Keyword::kReal:
    case Keyword::kSmallint:
    case Keyword::kTime:
    case Keyword::kTimestamp:
    case Keyword::kVarchar: return true;
    default: return false;
  }
}

TypeName StatementParser::parse_type_name() {
  Nesting nesting(*this);
  TypeName type;
  type.position = position();

  if (at_type_keyword()) {
    const Keyword keyword = token().keyword;
    type.name = fold_identifier(source());
    advance();
    if (keyword == Keyword::kNational) {
      if (!at(Keyword::kCharacter) && !at(Keyword::kChar)) fail();
      type.name = fold_identifier(source());
      advance();
    }
    const bool character = type.name == "character" || type.name == "char" || type.name == "nchar";
    if ((character || keyword == Keyword::kBit) && accept(Keyword::kVarying)) {
      type.name = character ? "character varying" : "bit varying";
    }
    if (keyword == Keyword::kInterval) type.interval_fields = parse_interval_fields();
  } else if (at(Keyword::kDouble)) {
    advance();
    type.name = accept(Keyword::kPrecision) ? "double precision" : "double";
  } else {
    if (!is_function_name(token()) && !is_column_name(token())) fail("a type name");
    Identifier name = take_identifier();
    while (accept(TokenKind::kDot)) {
      type.schema = std::move(name.text);
      name = parse_label("a type name");
    }
    if (name.quoted && name.text == "char") name.text = "\"char\"";
    type.name = std::move(name.text);
    if (type.name == "list" && is_operator("<")) {
      advance();
      const uint32_t begin = type.position;
      type = parse_type_name();
      type.position = begin;
      if (!accept_operator(">")) fail("\">\"");
      ++type.array_dimensions;
    }
  }

  if (type.array_dimensions == 0 && accept(TokenKind::kLeftParen)) {
    do {
      const uint32_t begin = position();
      const int64_t modifier = parse_signed_integer("a number");
      if (modifier > INT32_MAX || modifier < INT32_MIN) {
        throw sql_error(sqlstate::kInvalidParameterValue, "type modifier {} is out of range", modifier)
            .with_position(begin);
      }
      type.modifiers.push_back(static_cast<int32_t>(modifier));
    } while (accept(TokenKind::kComma));
    expect(TokenKind::kRightParen);
  }

  if (type.schema.empty() && (type.name == "timestamp" || type.name == "time")) {
    if (token().keyword == Keyword::kWith && next_is(Keyword::kTime)) {
      advance();
      expect(Keyword::kTime, Keyword::kZone);
      type.name += " with time zone";
    } else if (token().keyword == Keyword::kWithout && next_is(Keyword::kTime)) {
      advance();
      expect(Keyword::kTime, Keyword::kZone);
      type.name += " without time zone";
    }
  }

  if (accept(Keyword::kArray)) {
    ++type.array_dimensions;
    if (accept(TokenKind::kLeftBracket)) {
      parse_integer("the array's size");
      expect(TokenKind::kRightBracket);
    }
  } else {
    while (at(TokenKind::kLeftBracket) &&
           (next_is(TokenKind::kRightBracket) || next_is(TokenKind::kInteger))) {
      advance();
      if (at(TokenKind::kInteger)) advance();
      expect(TokenKind::kRightBracket);
      ++type.array_dimensions;
    }
  }
  return type;
}

// YEAR [TO MONTH], DAY [TO HOUR|MINUTE|SECOND], … SECOND(p)'s precision is read and, like PostgreSQL's below
// microseconds, of no effect here.
std::string StatementParser::parse_interval_fields() {
  const auto field = [this]() -> std::string {
    switch (token().keyword) {
      case Keyword::kYear:
      case Keyword::kMonth:
      case Keyword::kDay:
      case Keyword::kHour:
      case Keyword::kMinute:
      case Keyword::kSecond: {
        std::string word = fold_identifier(source());
        advance();
        return word;
      }
      default: return {};
    }
  };
  std::string fields = field();
  if (fields.empty()) return fields;
  if (fields != "month" && fields != "second" && token().keyword == Keyword::kTo) {
    advance();
    const std::string last = field();
    if (last.empty() || last == "year" || last == "day" || (fields == "year") != (last == "month")) {
      fail("a field of an interval");
    }
    fields += " to " + last;
  }
  if (fields.ends_with("second") && at(TokenKind::kLeftParen)) {
    advance();
    parse_integer("a precision");
    expect(TokenKind::kRightParen);
  }
  return fields;
}

}  // namespace idem::parser
