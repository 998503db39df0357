#include "parser/statement_parser.h"

namespace idem::parser {

using namespace ast;

int operator_precedence(std::string_view symbol) {
  if (symbol.size() == 1) {
    switch (symbol[0]) {
      case '<':
      case '>':
      case '=': return precedence::kComparison;
      case '+':
      case '-': return precedence::kSum;
      case '*':
      case '/':
      case '%': return precedence::kProduct;
      case '^': return precedence::kPower;
      default: return precedence::kOther;
    }
  }
  if (symbol == "<=" || symbol == ">=" || symbol == "<>" || symbol == "!=") return precedence::kComparison;
  return precedence::kOther;
}

void StatementParser::too_complex() {
  throw sql_error(sqlstate::kStatementTooComplex, "statement is nested too deeply")
      .with_position(position())
      .with_hint("Split the expression, or replace long chains of operators by a function or an array.");
}

ExpressionPtr StatementParser::parse_expression(int weakest) {
  // A constant that ends here: most of what a long VALUES list holds.
  const TokenKind next = peek().kind;
  if ((next == TokenKind::kComma || next == TokenKind::kRightParen) &&
      (is_string_token(token().kind) || token().kind == TokenKind::kInteger ||
       token().kind == TokenKind::kDecimal)) {
    return parse_literal();
  }

  Nesting nesting(*this);
  HeightScope height(*this);
  ExpressionPtr left = parse_prefix();
  for (;;) {
    const uint32_t left_height = height_;
    height_ = 0;
    if (!parse_infix(left, weakest)) {
      height_ = left_height;
      return left;
    }
    grow_left(left_height);
  }
}

ExpressionList StatementParser::parse_expression_list() {
  ExpressionList list;
  do { list.push_back(parse_expression()); } while (accept(TokenKind::kComma));
  return list;
}

namespace {

// -1 and -1.5 are constants, as in PostgreSQL; so that the smallest bigint can be written.
bool negate_constant(Expression& expression) {
  if (expression.kind != ExpressionKind::kLiteral) return false;
  auto& literal = as<Literal>(expression);
  if (literal.literal == LiteralKind::kInteger) {
    if (literal.integer == INT64_MIN) {
      literal.literal = LiteralKind::kDecimal;
      literal.integer = 0;
      literal.text = "9223372036854775808";
    } else {
      literal.integer = -literal.integer;
    }
    return true;
  }
  if (literal.literal != LiteralKind::kDecimal) return false;
  if (literal.text == "9223372036854775808") {
    literal.literal = LiteralKind::kInteger;
    literal.integer = INT64_MIN;
    literal.text.clear();
  } else if (literal.text.starts_with('-')) {
    literal.text.erase(0, 1);
  } else {
    literal.text.insert(0, 1, '-');
  }
  return true;
}

}  // namespace

ExpressionPtr StatementParser::parse_prefix() {
  const uint32_t begin = position();
  if (token().kind == TokenKind::kOperator) {
    std::string symbol(source());
    if (symbol == "-" || symbol == "+") {
      advance();
      ExpressionPtr operand = parse_expression(precedence::kPostfix);
      if (symbol == "-" && negate_constant(*operand)) {
        operand->position = begin;
        return operand;
      }
      auto node = make<Operator>(begin);
      node->symbol = std::move(symbol);
      node->right = std::move(operand);
      return node;
    }
    if (operator_precedence(symbol) != precedence::kOther) fail("an expression");
    advance();
    auto node = make<Operator>(begin);
    node->symbol = std::move(symbol);
    node->right = parse_expression(precedence::kOther + 1);
    return node;
  }
  if (token().keyword == Keyword::kNot) {
    advance();
    auto node = make<Not>(begin);
    node->operand = parse_expression(precedence::kNot);
    return node;
  }
  if (token().keyword == Keyword::kOperator && next_is(TokenKind::kLeftParen)) {
    auto [schema, symbol] = parse_operator_call();
    auto node = make<Operator>(begin);
    node->schema = std::move(schema);
    node->symbol = std::move(symbol);
    node->right = parse_expression(precedence::kOther + 1);
    return node;
  }
  return parse_primary();
}

std::pair<std::string, std::string> StatementParser::parse_operator_call() {
  expect(Keyword::kOperator);
  expect(TokenKind::kLeftParen);
  std::string schema;
  while (token().kind != TokenKind::kOperator) {
    schema = parse_name("an operator").text;
    expect(TokenKind::kDot);
  }
  std::string symbol(source());
  if (symbol == "!=") symbol = "<>";
  advance();
  expect(TokenKind::kRightParen);
  return {std::move(schema), std::move(symbol)};
}

// Takes one operator that binds at least as strongly as `weakest`, with its right side, onto `left`.
bool StatementParser::parse_infix(ExpressionPtr& left, int weakest) {
  if (token().kind == TokenKind::kWord) return parse_infix_keyword(left, weakest);
  if (token().kind != TokenKind::kOperator) return false;
  const std::string_view written = source();
  const int strength = operator_precedence(written);
  if (strength < weakest) return false;
  const uint32_t begin = position();
  std::string symbol(written == "!=" ? "<>" : written);
  advance();
  parse_binary_operator(left, strength, std::move(symbol), {}, begin);
  return true;
}

void StatementParser::parse_binary_operator(ExpressionPtr& left, int strength, std::string symbol,
                                            std::string schema, uint32_t at_position) {
  if (at_quantifier()) {
    left = parse_quantified(std::move(left), std::move(symbol), std::move(schema), at_position);
    return;
  }
  auto node = make<Operator>(at_position);
  node->symbol = std::move(symbol);
  node->schema = std::move(schema);
  node->left = std::move(left);
  node->right = parse_expression(strength + 1);
  left = std::move(node);
  if (strength == precedence::kComparison && token().kind == TokenKind::kOperator &&
      operator_precedence(source()) == precedence::kComparison) {
    fail("AND, OR or parentheses: comparisons do not chain");
  }
}

bool StatementParser::at_quantifier() const {
  const Keyword keyword = token().keyword;
  return (keyword == Keyword::kAny || keyword == Keyword::kSome || keyword == Keyword::kAll) &&
         next_is(TokenKind::kLeftParen);
}

ExpressionPtr StatementParser::parse_quantified(ExpressionPtr left, std::string symbol, std::string schema,
                                                uint32_t at_position) {
  auto node = make<Quantified>(at_position);
  node->symbol = std::move(symbol);
  node->schema = std::move(schema);
  node->all = token().keyword == Keyword::kAll;
  node->left = std::move(left);
  advance();
  ExpressionPtr operand = parse_parenthesized();
  if (operand->kind == ExpressionKind::kSubquery && as<Subquery>(*operand).form == Subquery::Form::kScalar) {
    node->query = std::move(as<Subquery>(*operand).query);
  } else {
    node->array = std::move(operand);
  }
  return node;
}

bool StatementParser::parse_infix_keyword(ExpressionPtr& left, int weakest) {
  const uint32_t begin = position();
  bool negated = false;
  Keyword keyword = token().keyword;
  if (keyword == Keyword::kNot) {
    keyword = peek().keyword;
    negated = true;
    if (keyword != Keyword::kBetween && keyword != Keyword::kIn && keyword != Keyword::kLike &&
        keyword != Keyword::kIlike && keyword != Keyword::kSimilar) {
      return false;
    }
  }
  switch (keyword) {
    case Keyword::kOr:
      if (weakest > precedence::kOr) return false;
      parse_logical(left, false);
      return true;
    case Keyword::kAnd:
      if (weakest > precedence::kAnd) return false;
      parse_logical(left, true);
      return true;
    case Keyword::kIs:
    case Keyword::kIsnull:
    case Keyword::kNotnull:
      if (weakest > precedence::kIs) return false;
      parse_is(left);
      return true;
    case Keyword::kIn:
    case Keyword::kBetween:
    case Keyword::kLike:
    case Keyword::kIlike:
    case Keyword::kSimilar:
      if (weakest > precedence::kRange) return false;
      if (keyword == Keyword::kSimilar && !next_is(Keyword::kTo, negated ? 2 : 1)) return false;
      if (negated) advance();
      if (keyword == Keyword::kIn) {
        parse_in(left, negated);
      } else if (keyword == Keyword::kBetween) {
        parse_between(left, negated);
      } else {
        parse_like(left, negated);
      }
      return true;
    case Keyword::kOverlaps:
      if (weakest > precedence::kRange || left->kind != ExpressionKind::kRow) return false;
      parse_overlaps(left);
      return true;
    case Keyword::kOperator: {
      if (weakest > precedence::kOther || !next_is(TokenKind::kLeftParen)) return false;
      auto [schema, symbol] = parse_operator_call();
      parse_binary_operator(left, precedence::kOther, std::move(symbol), std::move(schema), begin);
      return true;
    }
    case Keyword::kAt: {
      if (weakest > precedence::kAtTimeZone || !next_is(Keyword::kTime)) return false;
      advance();
      expect(Keyword::kTime, Keyword::kZone);
      auto node = make<AtTimeZone>(begin);
      node->operand = std::move(left);
      node->zone = parse_expression(precedence::kAtTimeZone + 1);
      left = std::move(node);
      return true;
    }
    case Keyword::kCollate: {
      if (weakest > precedence::kCollate) return false;
      advance();
      auto node = make<Collate>(begin);
      node->operand = std::move(left);
      do {
        // `default` is reserved, and the name of a collation.
        if (token().keyword == Keyword::kDefault) {
          node->collation.push_back(take_identifier());
        } else {
          node->collation.push_back(node->collation.empty() ? parse_name("a collation")
                                                            : parse_label("a collation"));
        }
      } while (accept(TokenKind::kDot));
      left = std::move(node);
      return true;
    }
    default: return false;
  }
}

void StatementParser::parse_logical(ExpressionPtr& left, bool is_and) {
  const Keyword word = is_and ? Keyword::kAnd : Keyword::kOr;
  const int strength = is_and ? precedence::kAnd : precedence::kOr;
  if (left->kind != ExpressionKind::kLogical || as<Logical>(*left).is_and != is_and) {
    auto node = make<Logical>(position());
    node->is_and = is_and;
    node->operands.push_back(std::move(left));
    left = std::move(node);
  }
  ExpressionList& operands = as<Logical>(*left).operands;
  while (token().keyword == word) {
    advance();
    operands.push_back(parse_expression(strength + 1));
  }
}

void StatementParser::parse_is(ExpressionPtr& left) {
  auto node = make<Is>(position());
  node->operand = std::move(left);
  if (accept(Keyword::kIsnull)) {
    node->test = Is::Test::kNull;
  } else if (accept(Keyword::kNotnull)) {
    node->test = Is::Test::kNull;
    node->negated = true;
  } else {
    expect(Keyword::kIs);
    node->negated = accept(Keyword::kNot);
    if (accept(Keyword::kNull)) {
      node->test = Is::Test::kNull;
    } else if (accept(Keyword::kTrue)) {
      node->test = Is::Test::kTrue;
    } else if (accept(Keyword::kFalse)) {
      node->test = Is::Test::kFalse;
    } else if (accept(Keyword::kUnknown)) {
      node->test = Is::Test::kUnknown;
    } else if (accept(Keyword::kDistinct)) {
      expect(Keyword::kFrom);
      node->test = Is::Test::kDistinctFrom;
      node->right = parse_expression(precedence::kIs + 1);
    } else if (accept(Keyword::kDocument)) {
      node->test = Is::Test::kDocument;
    } else if (accept(Keyword::kNormalized)) {
      node->test = Is::Test::kNormalized;
    } else {
      fail();
    }
  }
  left = std::move(node);
}

void StatementParser::parse_in(ExpressionPtr& left, bool negated) {
  auto node = make<In>(position());
  node->negated = negated;
  node->left = std::move(left);
  expect(Keyword::kIn);
  if (token().kind != TokenKind::kLeftParen) {
    node->interval_string = true;
    node->list.push_back(parse_expression(precedence::kRange + 1));
  } else {
    advance();
    if (at_query()) {
      node->query = parse_query();
    } else {
      node->list = parse_expression_list();
      const bool lone_query = node->list.size() == 1 && node->list[0]->kind == ExpressionKind::kSubquery &&
                              as<Subquery>(*node->list[0]).form == Subquery::Form::kScalar;
      if (lone_query) {  // IN ((SELECT …)), IN ((SELECT …) UNION (SELECT …))
        node->query = parse_query_rest(std::move(as<Subquery>(*node->list[0]).query));
        node->list.clear();
      }
    }
    expect(TokenKind::kRightParen);
  }
  left = std::move(node);
}

void StatementParser::parse_between(ExpressionPtr& left, bool negated) {
  auto node = make<Between>(position());
  node->negated = negated;
  node->operand = std::move(left);
  expect(Keyword::kBetween);
  node->symmetric = accept(Keyword::kSymmetric);
  if (!node->symmetric) accept(Keyword::kAsymmetric);
  node->low = parse_expression(precedence::kRange + 1);
  expect(Keyword::kAnd);
  node->high = parse_expression(precedence::kRange + 1);
  left = std::move(node);
}

void StatementParser::parse_like(ExpressionPtr& left, bool negated) {
  const uint32_t begin = position();
  Like::Form form = Like::Form::kLike;
  if (accept(Keyword::kIlike)) {
    form = Like::Form::kILike;
  } else if (accept(Keyword::kSimilar)) {
    expect(Keyword::kTo);
    form = Like::Form::kSimilarTo;
  } else {
    expect(Keyword::kLike);
  }
  if (form != Like::Form::kSimilarTo && at_quantifier()) {
    std::string symbol = form == Like::Form::kLike ? "~~" : "~~*";
    left = parse_quantified(std::move(left), negated ? "!" + symbol : symbol, {}, begin);
    return;
  }
  auto node = make<Like>(begin);
  node->form = form;
  node->negated = negated;
  node->operand = std::move(left);
  node->pattern = parse_expression(precedence::kRange + 1);
  if (accept(Keyword::kEscape)) node->escape = parse_expression(precedence::kRange + 1);
  left = std::move(node);
}

// (a, b) OVERLAPS (c, d) is overlaps(a, b, c, d).
void StatementParser::parse_overlaps(ExpressionPtr& left) {
  const uint32_t begin = position();
  advance();
  ExpressionPtr right = parse_expression(precedence::kRange + 1);
  if (right->kind != ExpressionKind::kRow || as<Row>(*left).items.size() != 2 ||
      as<Row>(*right).items.size() != 2) {
    throw sql_error(sqlstate::kSyntaxError, "wrong number of parameters for OVERLAPS expression")
        .with_position(begin);
  }
  auto call = named_call("overlaps", begin);
  for (Row* row : {&as<Row>(*left), &as<Row>(*right)}) {
    for (ExpressionPtr& item : row->items) call->arguments.push_back(std::move(item));
  }
  left = std::move(call);
}

}  // namespace idem::parser
