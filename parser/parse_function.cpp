#include "parser/statement_parser.h"

namespace idem::parser {

using namespace ast;

// Standing on the opening parenthesis.
std::unique_ptr<FunctionCall> StatementParser::parse_function_call(std::vector<Identifier> name,
                                                                   uint32_t at_position) {
  auto call = make<FunctionCall>(at_position);
  call->name = std::move(name);
  expect(TokenKind::kLeftParen);
  parse_function_arguments(*call);
  parse_function_tail(*call);
  return call;
}

// Up to and with the closing parenthesis.
void StatementParser::parse_function_arguments(FunctionCall& call) {
  if (accept(TokenKind::kRightParen)) return;
  if (is_operator("*") && next_is(TokenKind::kRightParen)) {
    advance();
    advance();
    call.star = true;
    return;
  }
  if (accept(Keyword::kDistinct)) {
    call.distinct = true;
  } else {
    accept(Keyword::kAll);
  }
  do {
    if (call.variadic) fail();
    call.variadic = accept(Keyword::kVariadic);
    const bool named = is_label(token()) && (next_is(TokenKind::kArrow) || next_is(TokenKind::kColonEquals));
    if (named) {
      call.argument_names.resize(call.arguments.size());
      call.argument_names.push_back(parse_label("an argument"));
      advance();
    } else if (!call.argument_names.empty()) {
      throw sql_error(sqlstate::kSyntaxError, "positional argument cannot follow named argument")
          .with_position(position());
    }
    call.arguments.push_back(parse_expression());
  } while (accept(TokenKind::kComma));
  if (accept(Keyword::kOrder)) {
    expect(Keyword::kBy);
    call.order_by = parse_order_items();
  }
  expect(TokenKind::kRightParen);
}

// WITHIN GROUP, FILTER, IGNORE NULLS, OVER.
void StatementParser::parse_function_tail(FunctionCall& call) {
  if (token().kind != TokenKind::kWord) return;
  if (token().keyword == Keyword::kWithin && next_is(Keyword::kGroup)) {
    if (!call.order_by.empty() || call.distinct || call.variadic) {
      throw sql_error(sqlstate::kSyntaxError, "cannot use {} with WITHIN GROUP",
                      call.distinct   ? "DISTINCT"
                      : call.variadic ? "VARIADIC"
                                      : "multiple ORDER BY clauses")
          .with_position(position());
    }
    expect(Keyword::kWithin, Keyword::kGroup);
    expect(TokenKind::kLeftParen);
    expect(Keyword::kOrder, Keyword::kBy);
    call.order_by = parse_order_items();
    call.within_group = true;
    expect(TokenKind::kRightParen);
  }
  if (token().keyword == Keyword::kFilter && next_is(TokenKind::kLeftParen)) {
    advance();
    expect(TokenKind::kLeftParen);
    expect(Keyword::kWhere);
    call.filter = parse_expression();
    expect(TokenKind::kRightParen);
  }
  if (token().keyword == Keyword::kIgnore && next_is(Keyword::kNulls)) {
    expect(Keyword::kIgnore, Keyword::kNulls);
    call.ignore_nulls = true;
  } else if (token().keyword == Keyword::kRespect && next_is(Keyword::kNulls)) {
    expect(Keyword::kRespect, Keyword::kNulls);
  }
  if (token().keyword == Keyword::kOver && (next_is(TokenKind::kLeftParen) || is_column_name(peek()))) {
    advance();
    call.over = std::make_unique<WindowSpec>();
    if (token().kind == TokenKind::kLeftParen) {
      *call.over = parse_window_spec();
    } else {
      call.over->position = position();
      call.over->reference = take_identifier();
      call.over->bare_reference = true;
    }
  }
}

std::unique_ptr<FunctionCall> StatementParser::named_call(std::string_view name, uint32_t at_position) {
  auto call = make<FunctionCall>(at_position);
  call->name.push_back({std::string(name), at_position, false});
  call->sql_syntax = true;
  return call;
}

// Functions that the grammar knows, standing on the name with a parenthesis after it.
ExpressionPtr StatementParser::parse_special_function() {
  const uint32_t begin = position();
  const Keyword keyword = token().keyword;
  auto call = named_call(keyword_spelling(keyword), begin);
  call->sql_syntax = false;
  advance();
  expect(TokenKind::kLeftParen);
  switch (keyword) {
    case Keyword::kExtract: parse_extract(*call); break;
    case Keyword::kPosition: parse_position(*call); break;
    case Keyword::kSubstring: parse_substring(*call); break;
    case Keyword::kOverlay: parse_overlay(*call); break;
    case Keyword::kTrim: parse_trim(*call); break;
    default:
      call->arguments = parse_expression_list();
      if (keyword == Keyword::kNullif && call->arguments.size() != 2) fail();
      break;
  }
  expect(TokenKind::kRightParen);
  parse_function_tail(*call);
  return call;
}

void StatementParser::parse_extract(FunctionCall& call) {
  const bool word = token().kind == TokenKind::kWord || token().kind == TokenKind::kQuotedIdentifier;
  if ((word || is_string_token(token().kind)) && next_is(Keyword::kFrom)) {
    auto field = make<Literal>(position());
    field->literal = LiteralKind::kString;
    field->text = word ? take_identifier().text : take_string();
    expect(Keyword::kFrom);
    call.sql_syntax = true;
    call.arguments.push_back(std::move(field));
    call.arguments.push_back(parse_expression());
    return;
  }
  call.arguments = parse_expression_list();
}

void StatementParser::parse_position(FunctionCall& call) {
  ExpressionPtr wanted = parse_expression(precedence::kRange + 1);
  if (accept(Keyword::kIn)) {
    call.sql_syntax = true;
    call.arguments.push_back(parse_expression(precedence::kRange + 1));
    call.arguments.push_back(std::move(wanted));
    return;
  }
  call.arguments.push_back(std::move(wanted));
  while (accept(TokenKind::kComma)) call.arguments.push_back(parse_expression());
}

void StatementParser::parse_substring(FunctionCall& call) {
  if (token().kind == TokenKind::kRightParen) return;
  call.arguments = parse_expression_list();
  if (call.arguments.size() != 1) return;
  ExpressionPtr from, count;
  if (accept(Keyword::kSimilar)) {
    from = parse_expression();
    expect(Keyword::kEscape);
    count = parse_expression();
  } else {
    for (int i = 0; i < 2; ++i) {
      if (!from && accept(Keyword::kFrom)) {
        from = parse_expression();
      } else if (!count && accept(Keyword::kFor)) {
        count = parse_expression();
      }
    }
    if (count && !from) {
      auto one = make<Literal>(0);
      one->literal = LiteralKind::kInteger;
      one->integer = 1;
      from = std::move(one);
    }
  }
  call.sql_syntax = from != nullptr;
  if (from) call.arguments.push_back(std::move(from));
  if (count) call.arguments.push_back(std::move(count));
}

void StatementParser::parse_overlay(FunctionCall& call) {
  call.arguments = parse_expression_list();
  if (call.arguments.size() != 1) return;
  expect(Keyword::kPlacing);
  call.sql_syntax = true;
  call.arguments.push_back(parse_expression());
  expect(Keyword::kFrom);
  call.arguments.push_back(parse_expression());
  if (accept(Keyword::kFor)) call.arguments.push_back(parse_expression());
}

void StatementParser::parse_trim(FunctionCall& call) {
  call.sql_syntax = true;
  std::string& name = call.name.back().text;
  name = "btrim";
  if (accept(Keyword::kLeading)) {
    name = "ltrim";
  } else if (accept(Keyword::kTrailing)) {
    name = "rtrim";
  } else {
    accept(Keyword::kBoth);
  }
  ExpressionList characters;
  if (!at(Keyword::kFrom)) characters = parse_expression_list();
  if (accept(Keyword::kFrom)) {
    call.arguments = parse_expression_list();
    for (ExpressionPtr& e : characters) call.arguments.push_back(std::move(e));
  } else {
    call.arguments = std::move(characters);
  }
}

ExpressionPtr StatementParser::parse_bare_function(bool may_have_precision) {
  auto call = named_call(keyword_spelling(token().keyword), position());
  call->bare_keyword = true;
  advance();
  if (may_have_precision && token().kind == TokenKind::kLeftParen) {
    advance();
    if (token().kind != TokenKind::kInteger) fail("a precision");
    call->arguments.push_back(parse_number());
    expect(TokenKind::kRightParen);
  }
  return call;
}

// ( [name] [PARTITION BY …] [ORDER BY …] [frame] )
WindowSpec StatementParser::parse_window_spec() {
  Nesting nesting(*this);
  WindowSpec window;
  window.position = position();
  expect(TokenKind::kLeftParen);
  const bool clause = (token().keyword == Keyword::kPartition && next_is(Keyword::kBy)) ||
                      token().keyword == Keyword::kRows || token().keyword == Keyword::kRange ||
                      token().keyword == Keyword::kGroups;
  if (!clause && is_column_name(token())) window.reference = take_identifier();
  if (accept(Keyword::kPartition, Keyword::kBy)) window.partition_by = parse_expression_list();
  if (accept(Keyword::kOrder, Keyword::kBy)) window.order_by = parse_order_items();
  if (at(Keyword::kRows) || at(Keyword::kRange) || at(Keyword::kGroups)) window.frame = parse_window_frame();
  expect(TokenKind::kRightParen);
  return window;
}

std::unique_ptr<WindowFrame> StatementParser::parse_window_frame() {
  auto frame = std::make_unique<WindowFrame>();
  const uint32_t begin = position();
  switch (token().keyword) {
    case Keyword::kRows: frame->unit = WindowFrame::Unit::kRows; break;
    case Keyword::kGroups: frame->unit = WindowFrame::Unit::kGroups; break;
    default: frame->unit = WindowFrame::Unit::kRange; break;
  }
  advance();
  using Kind = FrameBound::Kind;
  if (accept(Keyword::kBetween)) {
    frame->start = parse_frame_bound();
    expect(Keyword::kAnd);
    frame->end = parse_frame_bound();
  } else {
    frame->start = parse_frame_bound();
    frame->end.kind = Kind::kCurrentRow;
  }
  const Kind start = frame->start.kind, end = frame->end.kind;
  const char* wrong = nullptr;
  if (start == Kind::kUnboundedFollowing) {
    wrong = "frame start cannot be UNBOUNDED FOLLOWING";
  } else if (end == Kind::kUnboundedPreceding) {
    wrong = "frame end cannot be UNBOUNDED PRECEDING";
  } else if (start == Kind::kCurrentRow && end == Kind::kPreceding) {
    wrong = "frame starting from current row cannot have preceding rows";
  } else if (start == Kind::kFollowing && (end == Kind::kPreceding || end == Kind::kCurrentRow)) {
    wrong = "frame starting from following row cannot end before it";
  }
  if (wrong != nullptr) throw sql_error("42P20", "{}", wrong).with_position(begin);
  if (accept(Keyword::kExclude)) {
    if (accept(Keyword::kCurrent)) {
      expect(Keyword::kRow);
      frame->exclude = WindowFrame::Exclude::kCurrentRow;
    } else if (accept(Keyword::kGroup)) {
      frame->exclude = WindowFrame::Exclude::kGroup;
    } else if (accept(Keyword::kTies)) {
      frame->exclude = WindowFrame::Exclude::kTies;
    } else {
      expect(Keyword::kNo, Keyword::kOthers);
    }
  }
  return frame;
}

FrameBound StatementParser::parse_frame_bound() {
  FrameBound bound;
  using Kind = FrameBound::Kind;
  if (token().keyword == Keyword::kUnbounded &&
      (next_is(Keyword::kPreceding) || next_is(Keyword::kFollowing))) {
    advance();
    bound.kind =
        token().keyword == Keyword::kPreceding ? Kind::kUnboundedPreceding : Kind::kUnboundedFollowing;
    advance();
  } else if (accept(Keyword::kCurrent, Keyword::kRow)) {
    bound.kind = Kind::kCurrentRow;
  } else {
    bound.offset = parse_expression();
    if (accept(Keyword::kPreceding)) {
      bound.kind = Kind::kPreceding;
    } else {
      expect(Keyword::kFollowing);
      bound.kind = Kind::kFollowing;
    }
  }
  return bound;
}

std::vector<OrderItem> StatementParser::parse_order_items() {
  std::vector<OrderItem> items;
  do {
    OrderItem item;
    item.expression = parse_expression();
    if (accept(Keyword::kAsc)) {
      item.direction = OrderItem::Direction::kAscending;
    } else if (accept(Keyword::kDesc)) {
      item.direction = OrderItem::Direction::kDescending;
    } else if (accept(Keyword::kUsing)) {
      if (token().kind == TokenKind::kOperator) {
        item.using_operator = source();
        advance();
      } else {
        item.using_operator = parse_operator_call().second;
      }
    }
    if (accept(Keyword::kNulls)) {
      if (accept(Keyword::kFirst)) {
        item.nulls = OrderItem::Nulls::kFirst;
      } else {
        expect(Keyword::kLast);
        item.nulls = OrderItem::Nulls::kLast;
      }
    }
    items.push_back(std::move(item));
  } while (accept(TokenKind::kComma));
  return items;
}

}  // namespace idem::parser
