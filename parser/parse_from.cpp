#include "parser/statement_parser.h"

namespace idem::parser {

using namespace ast;

std::vector<TableRefPtr> StatementParser::parse_from_list() {
  std::vector<TableRefPtr> list;
  do { list.push_back(parse_table_ref()); } while (accept(TokenKind::kComma));
  return list;
}

// An item of the FROM list with the joins after it.
TableRefPtr StatementParser::parse_table_ref() {
  Nesting nesting(*this);
  HeightScope height(*this);
  TableRefPtr left = parse_table_operand();
  for (;;) {
    const uint32_t left_height = height_;
    height_ = 0;
    if (!parse_join(left)) {
      height_ = left_height;
      return left;
    }
    grow_left(left_height);
  }
}

TableRefPtr StatementParser::parse_table_operand() {
  if (token().kind == TokenKind::kLeftParen) return parse_parenthesized_table();
  if (token().keyword == Keyword::kLateral) {
    const uint32_t begin = position();
    advance();
    if (token().kind == TokenKind::kLeftParen) {
      advance();
      auto table = derived_table(parse_query(), begin);
      expect(TokenKind::kRightParen);
      as<DerivedTable>(*table).lateral = true;
      parse_alias(*table);
      return table;
    }
    return parse_table_function(true);
  }
  if (token().keyword == Keyword::kRows && next_is(Keyword::kFrom)) return parse_rows_from(false);
  if (token().kind == TokenKind::kWord && !is_column_name(token()) && token().keyword != Keyword::kOnly) {
    // CURRENT_DATE and functions such as left(…).
    const bool function = is_function_name(token()) && next_is(TokenKind::kLeftParen);
    const bool current = keyword_class(token().keyword) == KeywordClass::kReserved &&
                         keyword_spelling(token().keyword).starts_with("current_");
    if (function || current) return parse_table_function(false);
  }
  size_t name_end = 0;
  while (is_label(peek(name_end)) && peek(name_end + 1).kind == TokenKind::kDot) name_end += 2;
  if (is_label(token()) && peek(name_end).kind != TokenKind::kEnd &&
      peek(name_end + 1).kind == TokenKind::kLeftParen && token().keyword != Keyword::kOnly) {
    return parse_table_function(false);
  }
  return parse_named_table();
}

TableRefPtr StatementParser::derived_table(QueryPtr query, uint32_t at_position) {
  auto table = make<DerivedTable>(at_position);
  table->query = std::move(query);
  return table;
}

// (query), (joined tables), or a table with clauses of SELECT: (trades LATEST ON ts PARTITION BY sym).
TableRefPtr StatementParser::parse_parenthesized_table() {
  Nesting nesting(*this);
  const uint32_t begin = position();
  expect(TokenKind::kLeftParen);
  TableRefPtr table;
  if (at_query()) {
    table = derived_table(parse_query(), begin);
  } else {
    table = parse_table_ref();
    const bool bare_query = table->kind == TableRefKind::kSubquery && table->alias.empty();
    if (bare_query && at_query_rest()) {
      auto& derived = as<DerivedTable>(*table);
      derived.query = parse_query_rest(std::move(derived.query));
    } else if (token().kind != TokenKind::kRightParen) {
      auto query = std::make_unique<Query>();
      query->position = table->position;
      query->select = std::make_unique<Select>();
      query->select->items.push_back({make<Star>(table->position), {}});
      query->select->from.push_back(std::move(table));
      while (accept(TokenKind::kComma)) query->select->from.push_back(parse_table_ref());
      parse_where_to_window(*query->select);
      table = derived_table(parse_query_rest(std::move(query)), begin);
    }
  }
  expect(TokenKind::kRightParen);
  if (table->alias.empty()) parse_alias(*table);
  return table;
}

TableRefPtr StatementParser::parse_named_table() {
  auto table = make<NamedTable>(position());
  if (accept(Keyword::kOnly)) {
    table->only = true;
    if (accept(TokenKind::kLeftParen)) {
      table->name = parse_object_name("a table name");
      expect(TokenKind::kRightParen);
    } else {
      table->name = parse_object_name("a table name");
    }
  } else {
    table->name = parse_object_name("a table name");
    accept_operator("*");
  }
  table->version = parse_version_clause();
  parse_alias(*table);
  if (!table->version) table->version = parse_version_clause();
  if (accept(Keyword::kTablesample)) {
    table->sample = std::make_unique<TableSample>();
    table->sample->method = parse_label("a sampling method").text;
    expect(TokenKind::kLeftParen);
    table->sample->arguments = parse_expression_list();
    expect(TokenKind::kRightParen);
    if (accept(Keyword::kRepeatable)) {
      expect(TokenKind::kLeftParen);
      table->sample->repeatable = parse_expression();
      expect(TokenKind::kRightParen);
    }
  }
  return table;
}

bool StatementParser::at_version_clause() {
  switch (token().keyword) {
    case Keyword::kVersion:
    case Keyword::kTimestamp: return next_is(Keyword::kAs) && next_is(Keyword::kOf, 2);
    case Keyword::kFor:
      return next_is(Keyword::kSystemTime) || (next_is(Keyword::kTimestamp) && next_is(Keyword::kAs, 2)) ||
             (next_is(Keyword::kVersion) && next_is(Keyword::kAs, 2));
    case Keyword::kAt: return next_is(Keyword::kTag);
    default: return false;
  }
}

std::unique_ptr<VersionClause> StatementParser::parse_version_clause() {
  if (!at_version_clause()) return nullptr;
  auto clause = std::make_unique<VersionClause>();
  clause->position = position();
  if (accept(Keyword::kAt)) {
    expect(Keyword::kTag);
    clause->kind = VersionClause::Kind::kTag;
  } else {
    accept(Keyword::kFor);
    clause->kind = token().keyword == Keyword::kVersion ? VersionClause::Kind::kVersion
                                                        : VersionClause::Kind::kTimestamp;
    advance();
    expect(Keyword::kAs, Keyword::kOf);
  }
  clause->value = parse_expression(precedence::kOther);
  return clause;
}

// ---- table functions

namespace {

std::unique_ptr<FunctionCall> as_call(ExpressionPtr expression) {
  return std::unique_ptr<FunctionCall>(&as<FunctionCall>(*expression.release()));
}

}  // namespace

TableRefPtr StatementParser::parse_table_function(bool lateral) {
  if (token().keyword == Keyword::kRows && next_is(Keyword::kFrom)) return parse_rows_from(lateral);
  auto table = make<TableFunction>(position());
  table->lateral = lateral;
  ExpressionPtr call = parse_keyword_primary();
  if (call->kind != ExpressionKind::kFunctionCall) {
    throw sql_error(sqlstate::kSyntaxError, "a function is needed in FROM").with_position(call->position);
  }
  table->calls.push_back(as_call(std::move(call)));
  if (accept(Keyword::kWith, Keyword::kOrdinality)) table->with_ordinality = true;
  parse_alias(*table);
  return table;
}

TableRefPtr StatementParser::parse_rows_from(bool lateral) {
  auto table = make<TableFunction>(position());
  table->lateral = lateral;
  table->rows_from = true;
  expect(Keyword::kRows, Keyword::kFrom);
  expect(TokenKind::kLeftParen);
  do {
    ExpressionPtr call = parse_primary();
    if (call->kind != ExpressionKind::kFunctionCall) {
      throw sql_error(sqlstate::kSyntaxError, "a function is needed in ROWS FROM")
          .with_position(call->position);
    }
    table->calls.push_back(as_call(std::move(call)));
  } while (accept(TokenKind::kComma));
  expect(TokenKind::kRightParen);
  if (accept(Keyword::kWith, Keyword::kOrdinality)) table->with_ordinality = true;
  parse_alias(*table);
  return table;
}

// (a int, b text)
void StatementParser::parse_column_definitions(TableFunction& function) {
  expect(TokenKind::kLeftParen);
  do {
    ColumnTypePair column;
    column.name = parse_name("a column name");
    column.type = parse_type_name();
    function.column_definitions.push_back(std::move(column));
  } while (accept(TokenKind::kComma));
  expect(TokenKind::kRightParen);
}

// ---- aliases

// Whether the word here is an alias without AS: words that begin a clause are none where the clause follows.
bool StatementParser::at_bare_alias() {
  if (!is_column_name(token())) return false;
  if (token().kind != TokenKind::kWord) return true;
  switch (token().keyword) {
    case Keyword::kSample:
    case Keyword::kPartition: return !next_is(Keyword::kBy);
    case Keyword::kLatest: return !next_is(Keyword::kOn);
    case Keyword::kAsof:
    case Keyword::kLt:
    case Keyword::kSplice: return !next_is(Keyword::kJoin);
    case Keyword::kVersion:
    case Keyword::kAt: return !at_version_clause();
    case Keyword::kTimestamp:
      return !at_version_clause() && !(table_clauses_follow_ && next_is(TokenKind::kLeftParen));
    case Keyword::kRange: return !next_is(Keyword::kBetween);
    case Keyword::kTolerance: return !next_is(TokenKind::kNumberWithUnit) && !next_is(TokenKind::kInteger);
    case Keyword::kWal:
    case Keyword::kBypass:
    case Keyword::kDedup:
    case Keyword::kTtl: return !table_clauses_follow_;
    case Keyword::kSet:
    case Keyword::kReplace: return false;
    default: return true;
  }
}

void StatementParser::parse_alias(TableRef& table) {
  const bool with_as = token().keyword == Keyword::kAs;
  const bool function = table.kind == TableRefKind::kFunction;
  if (with_as) {
    advance();
    if (function && token().kind == TokenKind::kLeftParen) {
      parse_column_definitions(as<TableFunction>(table));
      return;
    }
    table.alias = parse_ddl_name("an alias");
  } else if (at_bare_alias()) {
    table.alias = take_identifier();
  } else {
    return;
  }
  if (token().kind != TokenKind::kLeftParen) return;
  const bool names_only = next_is(TokenKind::kComma, 2) || next_is(TokenKind::kRightParen, 2);
  if (function && !next_is(TokenKind::kEnd) && !names_only) {
    parse_column_definitions(as<TableFunction>(table));
  } else {
    table.column_aliases = parse_name_list_in_parens("a column name");
  }
}

// ---- joins

bool StatementParser::at_join() const {
  switch (token().keyword) {
    case Keyword::kJoin:
    case Keyword::kInner:
    case Keyword::kLeft:
    case Keyword::kRight:
    case Keyword::kFull:
    case Keyword::kCross:
    case Keyword::kNatural: return true;
    case Keyword::kAsof:
    case Keyword::kLt:
    case Keyword::kSplice:
    case Keyword::kWindow: return next_is(Keyword::kJoin);
    default: return false;
  }
}

bool StatementParser::parse_join_kind(Join& join) {
  const auto outer = [&](JoinKind kind) {
    advance();
    accept(Keyword::kOuter);
    join.join = kind;
  };
  join.natural = accept(Keyword::kNatural);
  switch (token().keyword) {
    case Keyword::kInner: advance(); break;
    case Keyword::kLeft: outer(JoinKind::kLeft); break;
    case Keyword::kRight: outer(JoinKind::kRight); break;
    case Keyword::kFull: outer(JoinKind::kFull); break;
    default: {
      if (join.natural) break;
      const Keyword word = token().keyword;
      if (word == Keyword::kJoin) break;
      join.join = word == Keyword::kCross    ? JoinKind::kCross
                  : word == Keyword::kAsof   ? JoinKind::kAsof
                  : word == Keyword::kLt     ? JoinKind::kLt
                  : word == Keyword::kSplice ? JoinKind::kSplice
                                             : JoinKind::kWindow;
      advance();
      break;
    }
  }
  expect(Keyword::kJoin);
  return true;
}

// One join onto `left`; false where none follows.
bool StatementParser::parse_join(TableRefPtr& left) {
  if (!at_join()) {
    at(Keyword::kJoin);
    return false;
  }
  Nesting nesting(*this);
  auto join = make<Join>(position());
  parse_join_kind(*join);
  join->left = std::move(left);
  join->right = parse_table_operand();
  const bool time_series = join->join >= JoinKind::kAsof;
  if (join->join != JoinKind::kCross && !join->natural && !time_series) {
    // a JOIN b JOIN c ON … ON …: the inner condition belongs to the inner join.
    while (!at(Keyword::kOn) && !at(Keyword::kUsing)) {
      if (!parse_join(join->right)) fail();
    }
    parse_join_condition(*join);
  } else if (time_series) {
    const bool condition = (at(Keyword::kOn) && !next_is(Keyword::kConflict)) || at(Keyword::kUsing);
    if (condition) parse_join_condition(*join);
    if (join->join == JoinKind::kWindow) {
      if (at(Keyword::kRange, Keyword::kBetween)) parse_window_join_range(*join);
    } else if (accept(Keyword::kTolerance)) {
      join->tolerance = parse_time_span();
    }
  }
  left = std::move(join);
  return true;
}

void StatementParser::parse_join_condition(Join& join) {
  if (accept(Keyword::kOn)) {
    join.on = parse_expression();
    use_key_columns(join);
    return;
  }
  expect(Keyword::kUsing);
  join.using_columns = parse_name_list_in_parens("a column name");
  if (accept(Keyword::kAs)) join.using_alias = parse_name("an alias");
}

// ON (a, b) names the columns that both sides have; so does ON a of a time-series join.
void StatementParser::use_key_columns(Join& join) {
  const auto is_column = [](const Expression& e) {
    return e.kind == ExpressionKind::kColumnRef && as<ColumnRef>(e).parts.size() == 1;
  };
  if (join.on->kind == ExpressionKind::kRow && !as<Row>(*join.on).explicit_row) {
    for (const ExpressionPtr& item : as<Row>(*join.on).items) {
      if (!is_column(*item)) return;
    }
    for (const ExpressionPtr& item : as<Row>(*join.on).items) {
      join.using_columns.push_back(std::move(as<ColumnRef>(*item).parts[0]));
    }
    join.on.reset();
  } else if (join.join >= JoinKind::kAsof && is_column(*join.on)) {
    join.using_columns.push_back(std::move(as<ColumnRef>(*join.on).parts[0]));
    join.on.reset();
  }
}

void StatementParser::parse_window_join_range(Join& join) {
  expect(Keyword::kRange, Keyword::kBetween);
  join.has_window_range = true;
  join.window_start = parse_window_join_bound();
  expect(Keyword::kAnd);
  join.window_end = parse_window_join_bound();
  if (accept(Keyword::kInclude, Keyword::kPrevailing)) {
    join.include_prevailing = true;
  } else if (accept(Keyword::kExclude, Keyword::kPrevailing)) {
    join.include_prevailing = false;
  }
}

WindowJoinBound StatementParser::parse_window_join_bound() {
  WindowJoinBound bound;
  if (accept(Keyword::kCurrent, Keyword::kRow)) return bound;
  if (accept(Keyword::kUnbounded)) {
    const bool preceding = accept(Keyword::kPreceding);
    if (!preceding) expect(Keyword::kFollowing);
    bound.kind = preceding ? FrameBound::Kind::kUnboundedPreceding : FrameBound::Kind::kUnboundedFollowing;
    return bound;
  }
  bound.span = parse_time_span();
  const bool preceding = accept(Keyword::kPreceding);
  if (!preceding) expect(Keyword::kFollowing);
  bound.kind = preceding ? FrameBound::Kind::kPreceding : FrameBound::Kind::kFollowing;
  return bound;
}

}  // namespace idem::parser
