#include "parser/statement_parser.h"

namespace idem::parser {

using namespace ast;

std::vector<Option> StatementParser::parse_options() {
  std::vector<Option> options;
  expect(TokenKind::kLeftParen);
  do { options.push_back(parse_option()); } while (accept(TokenKind::kComma));
  expect(TokenKind::kRightParen);
  return options;
}

// name, name value, name = value; names may have dots.
Option StatementParser::parse_option() {
  Option option;
  option.position = position();
  option.name = fold_identifier(parse_label("an option").text);
  while (accept(TokenKind::kDot)) option.name += "." + parse_label("an option").text;
  const bool equals = accept_operator("=");
  if (!parse_option_value(option) && equals) fail("a value");
  return option;
}

bool StatementParser::parse_option_value(Option& option) {
  using Kind = Option::ValueKind;
  if (is_string_token(token().kind)) {
    option.kind = Kind::kString;
    option.value = take_string();
    return true;
  }
  switch (token().kind) {
    case TokenKind::kWord:
      option.kind = Kind::kWord;
      option.value = take_identifier().text;
      return true;
    case TokenKind::kQuotedIdentifier:
    case TokenKind::kUnicodeIdentifier:
      option.kind = Kind::kString;
      option.value = take_identifier().text;
      return true;
    case TokenKind::kInteger:
    case TokenKind::kDecimal:
      option.kind = Kind::kNumber;
      option.value = source();
      advance();
      return true;
    case TokenKind::kNumberWithUnit:  // 30d
      option.kind = Kind::kWord;
      option.value = source();
      advance();
      return true;
    case TokenKind::kOperator:
      if (is_operator("*")) {
        advance();
        option.kind = Kind::kStar;
        return true;
      }
      if ((is_operator("-") || is_operator("+")) &&
          (next_is(TokenKind::kInteger) || next_is(TokenKind::kDecimal))) {
        option.kind = Kind::kNumber;
        option.value = is_operator("-") ? "-" : "";
        advance();
        option.value += source();
        advance();
        return true;
      }
      return false;
    case TokenKind::kLeftParen:
      option.kind = Kind::kList;
      for (const Identifier& name : parse_name_list_in_parens("a column name"))
        option.list.push_back(name.text);
      return true;
    default: return false;
  }
}

}  // namespace idem::parser
