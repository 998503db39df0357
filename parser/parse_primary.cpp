#include <charconv>

#include "parser/statement_parser.h"

namespace idem::parser {

using namespace ast;

ExpressionPtr StatementParser::parse_primary() {
  const Token& first = token();
  switch (first.kind) {
    case TokenKind::kInteger:
    case TokenKind::kDecimal:
    case TokenKind::kString:
    case TokenKind::kEscapeString:
    case TokenKind::kUnicodeString:
    case TokenKind::kDollarString:
    case TokenKind::kBitString:
    case TokenKind::kHexString: return parse_postfix(parse_literal());
    case TokenKind::kParameter: {
      auto node = make<Parameter>(position());
      const std::string_view digits = source().substr(1);
      if (std::from_chars(digits.data(), digits.data() + digits.size(), node->number).ec != std::errc() ||
          node->number == 0 || node->number > 65535) {
        throw sql_error(sqlstate::kUndefinedParameter, "there is no parameter {}", source())
            .with_position(position());
      }
      parameter_count_ = std::max(parameter_count_, node->number);
      advance();
      return parse_postfix(std::move(node));
    }
    case TokenKind::kLeftParen: return parse_postfix(parse_parenthesized());
    case TokenKind::kWord: return parse_postfix(parse_keyword_primary());
    case TokenKind::kQuotedIdentifier:
    case TokenKind::kUnicodeIdentifier: return parse_postfix(parse_name_primary());
    default: fail("an expression");
  }
}

ExpressionPtr StatementParser::parse_literal() {
  switch (token().kind) {
    case TokenKind::kInteger:
    case TokenKind::kDecimal: return parse_number();
    case TokenKind::kBitString:
    case TokenKind::kHexString: {
      auto node = make<Literal>(position());
      node->literal = LiteralKind::kBitString;
      node->text = token().kind == TokenKind::kBitString ? "b" : "x";
      node->text += source().substr(2, source().size() - 3);
      advance();
      return node;
    }
    default: {
      auto node = make<Literal>(position());
      node->literal = LiteralKind::kString;
      node->text = take_string();
      return node;
    }
  }
}

ExpressionPtr StatementParser::parse_number() {
  auto node = make<Literal>(position());
  const std::string_view digits = source();
  node->literal = LiteralKind::kInteger;
  if (token().kind == TokenKind::kDecimal ||
      std::from_chars(digits.data(), digits.data() + digits.size(), node->integer).ec != std::errc()) {
    node->literal = LiteralKind::kDecimal;
    node->integer = 0;
    node->text = digits;
    if (token().kind == TokenKind::kInteger) {  // leading zeros of a number beyond int64 say nothing
      node->text.erase(0, std::min(node->text.find_first_not_of('0'), node->text.size() - 1));
    }
  }
  advance();
  return node;
}

// Words that begin an expression and are no names, or not only; then names.
ExpressionPtr StatementParser::parse_keyword_primary() {
  const uint32_t begin = position();
  switch (token().keyword) {
    case Keyword::kNotKeyword: return parse_name_primary();
    case Keyword::kNull: {
      advance();
      return make<Literal>(begin);
    }
    case Keyword::kTrue:
    case Keyword::kFalse: {
      auto node = make<Literal>(begin);
      node->literal = LiteralKind::kBoolean;
      node->boolean = token().keyword == Keyword::kTrue;
      advance();
      return node;
    }
    case Keyword::kCase: return parse_case();
    case Keyword::kDefault:
      if (next_is(TokenKind::kDot)) return parse_name_primary();  // the schema of this name
      advance();
      return make<DefaultValue>(begin);
    case Keyword::kArray: return parse_array();
    case Keyword::kExists:
      if (!next_is(TokenKind::kLeftParen)) return parse_name_primary();
      advance();
      return parse_subquery(Subquery::Form::kExists, begin);
    case Keyword::kRow:
      if (!next_is(TokenKind::kLeftParen)) return parse_name_primary();
      return parse_row();
    case Keyword::kCast:
    case Keyword::kTreat:
      if (!next_is(TokenKind::kLeftParen)) return parse_name_primary();
      return parse_cast();
    case Keyword::kCurrentDate:
    case Keyword::kCurrentRole:
    case Keyword::kCurrentUser:
    case Keyword::kSessionUser:
    case Keyword::kUser:
    case Keyword::kCurrentCatalog: return parse_bare_function(false);
    case Keyword::kCurrentSchema:
      if (next_is(TokenKind::kLeftParen) || next_is(TokenKind::kDot)) return parse_name_primary();
      return parse_bare_function(false);
    case Keyword::kCurrentTime:
    case Keyword::kCurrentTimestamp:
    case Keyword::kLocaltime:
    case Keyword::kLocaltimestamp: return parse_bare_function(true);
    case Keyword::kCoalesce:
    case Keyword::kExtract:
    case Keyword::kGreatest:
    case Keyword::kGrouping:
    case Keyword::kLeast:
    case Keyword::kNormalize:
    case Keyword::kNullif:
    case Keyword::kOverlay:
    case Keyword::kPosition:
    case Keyword::kSubstring:
    case Keyword::kTrim:
      if (next_is(TokenKind::kLeftParen)) return parse_special_function();
      return parse_name_primary();
    default:
      if (at_typed_literal()) return parse_typed_literal();
      return parse_name_primary();
  }
}

// Standing on a type's keyword with a string after the type: TIMESTAMP(3) WITH TIME ZONE '…'.
bool StatementParser::at_typed_literal() const {
  const Keyword keyword = token().keyword;
  const bool is_double = keyword == Keyword::kDouble && next_is(Keyword::kPrecision);
  if (!at_type_keyword() && !is_double) return false;
  size_t ahead = is_double || next_is(Keyword::kVarying) ? 2 : 1;
  if (keyword == Keyword::kNational) ++ahead;
  const auto end = [this](size_t i) { return peek(i).kind == TokenKind::kEnd; };
  if (end(1)) return false;
  if (peek(ahead).kind == TokenKind::kLeftParen) {
    do {
      ++ahead;
      if (peek(ahead).kind != TokenKind::kInteger) return false;
      ++ahead;
    } while (peek(ahead).kind == TokenKind::kComma);
    if (peek(ahead).kind != TokenKind::kRightParen) return false;
    ++ahead;
  }
  if ((next_is(Keyword::kWith, ahead) || next_is(Keyword::kWithout, ahead)) &&
      next_is(Keyword::kTime, ahead + 1)) {
    ahead += next_is(Keyword::kZone, ahead + 2) ? 3 : 2;
  }
  return is_string_token(peek(ahead).kind);
}

ExpressionPtr StatementParser::parse_typed_literal() {
  auto node = make<TypedLiteral>(position());
  node->type = parse_type_name();
  node->text = parse_string("a string");
  if (node->type.name == "interval") node->type.interval_fields = parse_interval_fields();
  return node;
}

// A column, a function call, or a generic type before a string.
ExpressionPtr StatementParser::parse_name_primary() {
  const uint32_t begin = position();
  const Token& first = token();
  const bool function_name = is_function_name(first);
  const bool default_schema = first.keyword == Keyword::kDefault && next_is(TokenKind::kDot);
  if (!is_column_name(first) && !default_schema &&
      !(function_name && (next_is(TokenKind::kLeftParen) || is_string_token(peek().kind)))) {
    fail("an expression");
  }
  // One word and no more: most columns.
  auto column = make<ColumnRef>(begin);
  column->parts.push_back(take_identifier());
  while (token().kind == TokenKind::kDot) {
    advance();
    if (is_operator("*")) {
      advance();
      auto star = make<Star>(begin);
      star->qualifier = std::move(column->parts);
      return star;
    }
    column->parts.push_back(parse_label("a name"));
  }
  const bool callable = function_name || column->parts.size() > 1;
  if (token().kind == TokenKind::kLeftParen && callable) {
    return parse_function_call(std::move(column->parts), begin);
  }
  if (is_string_token(token().kind) && callable && column->parts.size() <= 2) {
    auto node = make<TypedLiteral>(begin);
    node->type.position = begin;
    node->type.name = std::move(column->parts.back().text);
    if (column->parts.back().quoted && node->type.name == "char") node->type.name = "\"char\"";
    if (column->parts.size() == 2) node->type.schema = std::move(column->parts.front().text);
    node->text = take_string();
    return node;
  }
  return column;
}

// `::type`, `[index]`, `.field` after an expression, as many as there are.
ExpressionPtr StatementParser::parse_postfix(ExpressionPtr operand) {
  for (;;) {
    const uint32_t left_height = height_;
    height_ = 0;
    if (token().kind == TokenKind::kDoubleColon) {
      auto node = make<Cast>(position());
      advance();
      node->operand = std::move(operand);
      node->type = parse_type_name();
      operand = std::move(node);
    } else if (token().kind == TokenKind::kLeftBracket) {
      operand = parse_subscript(std::move(operand));
    } else if (token().kind == TokenKind::kDot && operand->kind != ExpressionKind::kLiteral) {
      const uint32_t begin = position();
      advance();
      if (accept_operator("*")) {
        auto star = make<Star>(begin);
        star->of = std::move(operand);
        operand = std::move(star);
      } else {
        auto node = make<FieldSelect>(begin);
        node->operand = std::move(operand);
        node->field = parse_label("a field");
        operand = std::move(node);
      }
    } else {
      height_ = left_height;
      return operand;
    }
    grow_left(left_height);
  }
}

ExpressionPtr StatementParser::parse_subscript(ExpressionPtr operand) {
  auto node = make<Subscript>(position());
  expect(TokenKind::kLeftBracket);
  node->operand = std::move(operand);
  ExpressionPtr first;
  if (token().kind != TokenKind::kColon) first = parse_expression();
  if (accept(TokenKind::kColon)) {
    node->slice = true;
    node->low = std::move(first);
    if (token().kind != TokenKind::kRightBracket) node->high = parse_expression();
  } else {
    node->index = std::move(first);
  }
  expect(TokenKind::kRightBracket);
  return node;
}

// (expression), (row, of, values) or (query).
ExpressionPtr StatementParser::parse_parenthesized() {
  Nesting nesting(*this);
  const uint32_t begin = position();
  if (token().kind == TokenKind::kLeftParen && at_query(1))
    return parse_subquery(Subquery::Form::kScalar, begin);
  expect(TokenKind::kLeftParen);
  ExpressionPtr first = parse_expression();
  if (accept(TokenKind::kComma)) {
    auto row = make<Row>(begin);
    row->items = parse_expression_list();
    row->items.insert(row->items.begin(), std::move(first));
    expect(TokenKind::kRightParen);
    return row;
  }
  // ((SELECT …) UNION (SELECT …)): the inner parentheses were an operand of a larger query.
  if (first->kind == ExpressionKind::kSubquery && as<Subquery>(*first).form == Subquery::Form::kScalar &&
      at_query_rest()) {
    auto& subquery = as<Subquery>(*first);
    subquery.query = parse_query_rest(std::move(subquery.query));
  }
  expect(TokenKind::kRightParen);
  return first;
}

// Standing on the opening parenthesis.
ExpressionPtr StatementParser::parse_subquery(Subquery::Form form, uint32_t at_position) {
  auto node = make<Subquery>(at_position);
  node->form = form;
  expect(TokenKind::kLeftParen);
  node->query = parse_query();
  expect(TokenKind::kRightParen);
  return node;
}

ExpressionPtr StatementParser::parse_case() {
  auto node = make<Case>(position());
  expect(Keyword::kCase);
  if (!at(Keyword::kWhen)) node->operand = parse_expression();
  while (accept(Keyword::kWhen)) {
    Case::When when;
    when.condition = parse_expression();
    expect(Keyword::kThen);
    when.result = parse_expression();
    node->whens.push_back(std::move(when));
  }
  if (node->whens.empty()) fail();
  if (accept(Keyword::kElse)) node->otherwise = parse_expression();
  expect(Keyword::kEnd);
  return node;
}

ExpressionPtr StatementParser::parse_cast() {
  auto node = make<Cast>(position());
  advance();
  expect(TokenKind::kLeftParen);
  node->operand = parse_expression();
  expect(Keyword::kAs);
  node->type = parse_type_name();
  expect(TokenKind::kRightParen);
  return node;
}

ExpressionPtr StatementParser::parse_array() {
  const uint32_t begin = position();
  expect(Keyword::kArray);
  if (token().kind == TokenKind::kLeftParen) return parse_subquery(Subquery::Form::kArray, begin);
  return parse_array_items(begin);
}

ExpressionPtr StatementParser::parse_array_items(uint32_t at_position) {
  Nesting nesting(*this);
  auto node = make<Array>(at_position);
  expect(TokenKind::kLeftBracket);
  if (token().kind != TokenKind::kRightBracket) {
    do {
      node->items.push_back(token().kind == TokenKind::kLeftBracket ? parse_array_items(position())
                                                                    : parse_expression());
    } while (accept(TokenKind::kComma));
  }
  expect(TokenKind::kRightBracket);
  return node;
}

ExpressionPtr StatementParser::parse_row() {
  auto node = make<Row>(position());
  node->explicit_row = true;
  expect(Keyword::kRow);
  expect(TokenKind::kLeftParen);
  if (token().kind != TokenKind::kRightParen) node->items = parse_expression_list();
  expect(TokenKind::kRightParen);
  return node;
}

}  // namespace idem::parser
