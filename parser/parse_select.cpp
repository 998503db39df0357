#include <charconv>

#include "parser/statement_parser.h"

namespace idem::parser {

using namespace ast;

bool StatementParser::at_query(size_t ahead) const {
  switch (peek(ahead).keyword) {
    case Keyword::kSelect:
    case Keyword::kWith:
    case Keyword::kTable:
    case Keyword::kFrom: return true;
    case Keyword::kValues: return peek(ahead + 1).kind == TokenKind::kLeftParen;
    default: return false;
  }
}

bool StatementParser::at_query_rest() {
  return at(Keyword::kUnion) || at(Keyword::kIntersect) || at(Keyword::kExcept) || at(Keyword::kOrder) ||
         at(Keyword::kLimit) || at(Keyword::kOffset) || at(Keyword::kFetch) || at(Keyword::kFor);
}

QueryPtr StatementParser::parse_query() {
  Nesting nesting(*this);
  HeightScope height(*this);
  const bool table_clauses = std::exchange(next_query_has_table_clauses_, false);
  const bool into = std::exchange(into_allowed_, false);
  const bool outer = std::exchange(table_clauses_follow_, false);
  const uint32_t begin = position();

  std::unique_ptr<With> with;
  if (token().keyword == Keyword::kWith) with = parse_with();
  table_clauses_follow_ = table_clauses;
  into_allowed_ = into;
  QueryPtr query = parse_query_rest(parse_query_operand());
  into_allowed_ = false;
  if (with) {
    if (query->with) {
      throw sql_error(sqlstate::kSyntaxError, "multiple WITH clauses not allowed")
          .with_position(query->with->position);
    }
    query->with = std::move(with);
    query->position = begin;
  }
  table_clauses_follow_ = outer;
  return query;
}

QueryPtr StatementParser::parse_query_rest(QueryPtr left) {
  QueryPtr query = parse_set_operations(std::move(left), 0);
  parse_query_tail(*query);
  return query;
}

std::unique_ptr<With> StatementParser::parse_with() {
  auto with = std::make_unique<With>();
  with->position = position();
  expect(Keyword::kWith);
  with->recursive = accept(Keyword::kRecursive);
  do {
    CommonTableExpression table;
    table.name = parse_name("a name");
    if (token().kind == TokenKind::kLeftParen) table.columns = parse_name_list_in_parens("a column name");
    expect(Keyword::kAs);
    using Materialized = CommonTableExpression::Materialized;
    if (accept(Keyword::kNot)) {
      expect(Keyword::kMaterialized);
      table.materialized = Materialized::kNever;
    } else if (accept(Keyword::kMaterialized)) {
      table.materialized = Materialized::kAlways;
    }
    expect(TokenKind::kLeftParen);
    const Keyword word = token().keyword;
    if (word == Keyword::kInsert || word == Keyword::kUpdate || word == Keyword::kDelete ||
        word == Keyword::kMerge) {
      unsupported("a statement that modifies data in WITH", position());
    }
    table.query = parse_query();
    expect(TokenKind::kRightParen);
    if (at(Keyword::kSearch) || at(Keyword::kCycle))
      unsupported("SEARCH or CYCLE of a recursive query", position());
    with->tables.push_back(std::move(table));
  } while (accept(TokenKind::kComma));
  return with;
}

QueryPtr StatementParser::parse_set_operations(QueryPtr left, int weakest) {
  constexpr int kUnionStrength = 1, kIntersectStrength = 2;
  for (;;) {
    SetOperator op;
    int strength = kUnionStrength;
    if (at(Keyword::kUnion)) {
      op = SetOperator::kUnion;
    } else if (at(Keyword::kExcept)) {
      op = SetOperator::kExcept;
    } else if (at(Keyword::kIntersect)) {
      op = SetOperator::kIntersect;
      strength = kIntersectStrength;
    } else {
      return left;
    }
    if (strength < weakest) return left;
    advance();
    const bool all = accept(Keyword::kAll);
    if (!all) accept(Keyword::kDistinct);

    const uint32_t left_height = height_;
    height_ = 0;
    QueryPtr right = parse_set_operations(parse_query_operand(), strength + 1);
    const bool plain = !left->with && left->order_by.empty() && left->limit.empty() && left->locking.empty();
    if (left->kind == QueryKind::kSetOperation && left->set_operator == op && left->set_all == all && plain) {
      height_ = std::max(height_, left_height);
    } else {
      auto node = std::make_unique<Query>();
      node->kind = QueryKind::kSetOperation;
      node->position = left->position;
      node->set_operator = op;
      node->set_all = all;
      node->operands.push_back(std::move(left));
      left = std::move(node);
      grow_left(left_height);
    }
    left->operands.push_back(std::move(right));
  }
}

QueryPtr StatementParser::parse_query_operand() {
  const uint32_t begin = position();
  if (at(TokenKind::kLeftParen)) {
    advance();
    QueryPtr query = parse_query();
    expect(TokenKind::kRightParen);
    query->position = begin;
    return query;
  }
  if (at(Keyword::kSelect) || at(Keyword::kFrom)) return parse_select();
  if (at(Keyword::kValues)) return parse_values();
  if (at(Keyword::kTable)) return parse_table_query();
  fail();
}

QueryPtr StatementParser::parse_select() {
  auto query = std::make_unique<Query>();
  query->position = position();
  query->select = std::make_unique<Select>();
  Select& select = *query->select;
  const bool into = std::exchange(into_allowed_, false);
  if (token().keyword == Keyword::kFrom) {  // FROM t alone
    auto star = make<Star>(position());
    select.items.push_back({std::move(star), {}});
    parse_select_clauses(select);
    return query;
  }
  expect(Keyword::kSelect);
  if (accept(Keyword::kDistinct)) {
    select.distinct = Select::Distinct::kDistinct;
    if (accept(Keyword::kOn)) {
      select.distinct = Select::Distinct::kOn;
      expect(TokenKind::kLeftParen);
      select.distinct_on = parse_expression_list();
      expect(TokenKind::kRightParen);
    }
  } else {
    accept(Keyword::kAll);
  }
  const Keyword word = token().keyword;
  const bool no_items = word == Keyword::kFrom || word == Keyword::kWhere || word == Keyword::kInto ||
                        word == Keyword::kUnion || word == Keyword::kOrder || word == Keyword::kLimit ||
                        token().kind == TokenKind::kRightParen || token().kind == TokenKind::kSemicolon ||
                        at_end();
  if (!no_items || select.distinct != Select::Distinct::kNone) select.items = parse_select_items();
  if (at(Keyword::kInto)) {
    if (!into) {
      throw sql_error(sqlstate::kSyntaxError, "SELECT ... INTO is not allowed here")
          .with_position(position());
    }
    parse_select_into();
  }
  parse_select_clauses(select);
  return query;
}

// SELECT … INTO [TEMP] [TABLE] t is CREATE TABLE t AS; the statement takes the target from select_into_.
void StatementParser::parse_select_into() {
  select_into_ = make<CreateTableStatement>(position());
  expect(Keyword::kInto);
  if (accept(Keyword::kTemp) || accept(Keyword::kTemporary)) {
    select_into_->temporary = true;
  } else {
    select_into_->unlogged = accept(Keyword::kUnlogged);
  }
  accept(Keyword::kTable);
  select_into_->name = parse_object_name("a table name");
}

std::vector<SelectItem> StatementParser::parse_select_items() {
  std::vector<SelectItem> items;
  do { items.push_back(parse_select_item()); } while (accept(TokenKind::kComma));
  return items;
}

SelectItem StatementParser::parse_select_item() {
  SelectItem item;
  if (is_operator("*")) {
    item.expression = make<Star>(position());
    advance();
    return item;
  }
  item.expression = parse_expression();
  if (accept(Keyword::kAs)) {
    item.alias = is_string_token(token().kind) ? parse_ddl_name("a name") : parse_label("a name");
  } else if (token().kind == TokenKind::kWord ? is_bare_label(token().keyword) : is_label(token())) {
    const bool clause = (token().keyword == Keyword::kSample && next_is(Keyword::kBy)) ||
                        (token().keyword == Keyword::kLatest && next_is(Keyword::kOn));
    if (!clause) item.alias = take_identifier();
  }
  return item;
}

void StatementParser::parse_select_clauses(Select& select) {
  if (accept(Keyword::kFrom)) select.from = parse_from_list();
  parse_where_to_window(select);
}

void StatementParser::parse_where_to_window(Select& select) {
  if (at(Keyword::kLatest)) {
    select.latest_on = parse_latest_on();
    select.latest_on->before_where = at(Keyword::kWhere);
  }
  if (accept(Keyword::kWhere)) select.where = parse_expression();
  if (!select.latest_on && at(Keyword::kLatest)) select.latest_on = parse_latest_on();
  if (at(Keyword::kSample, Keyword::kBy)) select.sample_by = parse_sample_by();
  if (accept(Keyword::kGroup, Keyword::kBy)) {
    if (accept(Keyword::kDistinct)) {
      select.group_by_distinct = true;
    } else if (token().keyword == Keyword::kAll) {
      advance();
    }
    select.group_by = parse_group_items();
  }
  if (accept(Keyword::kHaving)) select.having = parse_expression();
  if (accept(Keyword::kWindow)) {
    do {
      NamedWindow window;
      window.name = parse_name("a window name");
      expect(Keyword::kAs);
      window.spec = parse_window_spec();
      select.windows.push_back(std::move(window));
    } while (accept(TokenKind::kComma));
  }
}

std::vector<GroupItem> StatementParser::parse_group_items() {
  std::vector<GroupItem> items;
  do { items.push_back(parse_group_item()); } while (accept(TokenKind::kComma));
  return items;
}

GroupItem StatementParser::parse_group_item() {
  Nesting nesting(*this);
  GroupItem item;
  item.position = position();
  if (token().kind == TokenKind::kLeftParen && next_is(TokenKind::kRightParen)) {
    advance();
    advance();
    item.kind = GroupItem::Kind::kEmpty;
    return item;
  }
  const bool list = (token().keyword == Keyword::kRollup || token().keyword == Keyword::kCube) &&
                    next_is(TokenKind::kLeftParen);
  if (list) {
    item.kind = token().keyword == Keyword::kRollup ? GroupItem::Kind::kRollup : GroupItem::Kind::kCube;
    advance();
  } else if (token().keyword == Keyword::kGrouping && next_is(Keyword::kSets)) {
    expect(Keyword::kGrouping, Keyword::kSets);
    item.kind = GroupItem::Kind::kGroupingSets;
  } else {
    item.expression = parse_expression();
    return item;
  }
  expect(TokenKind::kLeftParen);
  item.members = parse_group_items();
  expect(TokenKind::kRightParen);
  return item;
}

QueryPtr StatementParser::parse_values() {
  auto query = std::make_unique<Query>();
  query->kind = QueryKind::kValues;
  query->position = position();
  expect(Keyword::kValues);
  do {
    const uint32_t row_begin = position();
    expect(TokenKind::kLeftParen);
    ExpressionList& row = query->values.emplace_back();
    if (query->values.size() > 1) row.reserve(query->values.front().size());
    do { row.push_back(parse_expression()); } while (accept(TokenKind::kComma));
    expect(TokenKind::kRightParen);
    if (row.size() != query->values.front().size()) {
      throw sql_error(sqlstate::kSyntaxError, "VALUES lists must all be the same length")
          .with_position(row_begin);
    }
  } while (accept(TokenKind::kComma));
  return query;
}

QueryPtr StatementParser::parse_table_query() {
  auto query = std::make_unique<Query>();
  query->position = position();
  query->select = std::make_unique<Select>();
  query->select->items.push_back({make<Star>(position()), {}});
  expect(Keyword::kTable);
  auto table = make<NamedTable>(position());
  table->only = accept(Keyword::kOnly);
  table->name = parse_object_name("a table name");
  accept_operator("*");
  query->select->from.push_back(std::move(table));
  return query;
}

// ---- ORDER BY to FOR UPDATE

void StatementParser::parse_query_tail(Query& query) {
  const auto once = [this](bool there, const char* what) {
    if (there) {
      throw sql_error(sqlstate::kSyntaxError, "multiple {} clauses not allowed", what)
          .with_position(position());
    }
  };
  if (at(Keyword::kOrder)) {
    once(!query.order_by.empty(), "ORDER BY");
    expect(Keyword::kOrder, Keyword::kBy);
    query.order_by = parse_order_items();
  }
  for (;;) {
    if (at(Keyword::kLimit)) {
      once(query.limit.count != nullptr, "LIMIT");
      parse_limit(query);
    } else if (at(Keyword::kOffset)) {
      once(query.limit.offset != nullptr, "OFFSET");
      advance();
      query.limit.offset = parse_expression();
      if (!accept(Keyword::kRow)) accept(Keyword::kRows);
    } else if (at(Keyword::kFetch)) {
      once(query.limit.count != nullptr, "LIMIT");
      parse_fetch_first(query);
    } else if (at(Keyword::kFor)) {
      if (next_is(Keyword::kRead)) {
        advance();
        advance();
        expect(Keyword::kOnly);
      } else {
        query.locking.push_back(parse_locking());
      }
    } else {
      return;
    }
  }
}

void StatementParser::parse_limit(Query& query) {
  expect(Keyword::kLimit);
  if (accept(Keyword::kAll)) return;
  query.limit.count = parse_expression();
  if (query.limit.count->kind == ExpressionKind::kLiteral &&
      as<Literal>(*query.limit.count).literal == LiteralKind::kNull) {
    query.limit.count.reset();
    return;
  }
  if (accept(TokenKind::kComma)) {
    query.limit.range_start = std::move(query.limit.count);
    query.limit.count = parse_expression();
  }
}

void StatementParser::parse_fetch_first(Query& query) {
  const uint32_t begin = position();
  expect(Keyword::kFetch);
  if (!accept(Keyword::kFirst)) expect(Keyword::kNext);
  if (at(Keyword::kRow) || at(Keyword::kRows)) {
    auto one = make<Literal>(begin);
    one->literal = LiteralKind::kInteger;
    one->integer = 1;
    query.limit.count = std::move(one);
  } else {
    query.limit.count = parse_expression(precedence::kSign);
  }
  if (!accept(Keyword::kRow)) expect(Keyword::kRows);
  if (!accept(Keyword::kOnly)) {
    expect(Keyword::kWith, Keyword::kTies);
    query.limit.with_ties = true;
  }
}

LockingClause StatementParser::parse_locking() {
  LockingClause locking;
  using Strength = LockingClause::Strength;
  expect(Keyword::kFor);
  if (accept(Keyword::kUpdate)) {
    locking.strength = Strength::kUpdate;
  } else if (accept(Keyword::kShare)) {
    locking.strength = Strength::kShare;
  } else if (accept(Keyword::kNo)) {
    expect(Keyword::kKey, Keyword::kUpdate);
    locking.strength = Strength::kNoKeyUpdate;
  } else {
    expect(Keyword::kKey, Keyword::kShare);
    locking.strength = Strength::kKeyShare;
  }
  if (accept(Keyword::kOf)) locking.tables = parse_object_names("a table name");
  if (accept(Keyword::kNowait)) {
    locking.nowait = true;
  } else if (accept(Keyword::kSkip)) {
    expect(Keyword::kLocked);
    locking.skip_locked = true;
  }
  return locking;
}

// ---- time series

namespace {

// One letter as in dialect.md, or a word; 0 for anything else.
char time_unit(std::string_view word) {
  constexpr std::string_view kLetters = "UTsmhdwMy";
  if (word.size() == 1) return kLetters.find(word[0]) != std::string_view::npos ? word[0] : '\0';
  switch (find_keyword(word)) {
    case Keyword::kMicrosecond:
    case Keyword::kMicroseconds: return 'U';
    case Keyword::kMillisecond:
    case Keyword::kMilliseconds: return 'T';
    case Keyword::kSecond:
    case Keyword::kSeconds: return 's';
    case Keyword::kMinute:
    case Keyword::kMinutes: return 'm';
    case Keyword::kHour:
    case Keyword::kHours: return 'h';
    case Keyword::kDay:
    case Keyword::kDays: return 'd';
    case Keyword::kWeek:
    case Keyword::kWeeks: return 'w';
    case Keyword::kMonth:
    case Keyword::kMonths: return 'M';
    case Keyword::kYear:
    case Keyword::kYears: return 'y';
    default: return '\0';
  }
}

}  // namespace

TimeSpan StatementParser::parse_time_span() {
  TimeSpan span;
  span.position = position();
  std::string_view unit;
  if (token().kind == TokenKind::kNumberWithUnit) {
    const std::string_view text = source();
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), span.count);
    if (error != std::errc()) {
      throw sql_error(sqlstate::kNumericValueOutOfRange, "interval \"{}\" is out of range", text)
          .with_position(position());
    }
    unit = text.substr(static_cast<size_t>(end - text.data()));
    advance();
  } else {
    span.count = parse_integer("a length of time such as 15m");
    if (token().kind != TokenKind::kWord) fail("a unit of time");
    unit = source();
    advance();
  }
  span.unit = time_unit(unit);
  if (span.unit == '\0') {
    throw sql_error(sqlstate::kSyntaxError, "unknown unit of time \"{}\"", unit)
        .with_position(span.position)
        .with_hint("Units are U (microseconds), T (milliseconds), s, m, h, d, w, M (months) and y.");
  }
  return span;
}

std::unique_ptr<SampleBy> StatementParser::parse_sample_by() {
  auto sample = std::make_unique<SampleBy>();
  sample->position = position();
  expect(Keyword::kSample, Keyword::kBy);
  sample->span = parse_time_span();
  if (accept(Keyword::kFrom)) sample->from = parse_expression();
  if (accept(Keyword::kTo)) sample->to = parse_expression();
  if (accept(Keyword::kFill)) {
    expect(TokenKind::kLeftParen);
    do {
      SampleBy::Fill fill;
      using Kind = SampleBy::FillKind;
      if (accept(Keyword::kNone)) {
        fill.kind = Kind::kNone;
      } else if (accept(Keyword::kNull)) {
        fill.kind = Kind::kNull;
      } else if (accept(Keyword::kPrev)) {
        fill.kind = Kind::kPrev;
      } else if (accept(Keyword::kLinear)) {
        fill.kind = Kind::kLinear;
      } else {
        fill.kind = Kind::kValue;
        fill.value = parse_expression();
      }
      sample->fill.push_back(std::move(fill));
    } while (accept(TokenKind::kComma));
    expect(TokenKind::kRightParen);
  }
  if (accept(Keyword::kAlign)) {
    expect(Keyword::kTo);
    if (accept(Keyword::kFirst)) {
      expect(Keyword::kObservation);
      sample->align = SampleBy::Align::kFirstObservation;
    } else {
      expect(Keyword::kCalendar);
      sample->align = SampleBy::Align::kCalendar;
      if (accept(Keyword::kTime, Keyword::kZone)) sample->time_zone = parse_expression();
      if (accept(Keyword::kWith, Keyword::kOffset)) sample->offset = parse_expression();
    }
  }
  return sample;
}

std::unique_ptr<LatestOn> StatementParser::parse_latest_on() {
  auto latest = std::make_unique<LatestOn>();
  latest->position = position();
  expect(Keyword::kLatest, Keyword::kOn);
  latest->timestamp = parse_name_primary();
  if (latest->timestamp->kind != ExpressionKind::kColumnRef) {
    throw sql_error(sqlstate::kSyntaxError, "LATEST ON needs the name of the timestamp column")
        .with_position(latest->timestamp->position);
  }
  expect(Keyword::kPartition, Keyword::kBy);
  latest->partition_by = parse_expression_list();
  return latest;
}

}  // namespace idem::parser
