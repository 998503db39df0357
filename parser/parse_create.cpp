#include "parser/statement_parser.h"

namespace idem::parser {

using namespace ast;

// ---- CREATE TABLE

StatementPtr StatementParser::parse_create_table(uint32_t at_position, bool or_replace, bool temporary,
                                                 bool unlogged) {
  auto create = make<CreateTableStatement>(at_position);
  create->or_replace = or_replace;
  create->temporary = temporary;
  create->unlogged = unlogged;
  expect(Keyword::kTable);
  create->if_not_exists = accept_if_not_exists();
  create->name = parse_object_name("a table name");
  if (at(Keyword::kOf) || (at(Keyword::kPartition) && next_is(Keyword::kOf))) {
    unsupported("CREATE TABLE OF", position());
  }
  bool defined = false;
  if (at(TokenKind::kLeftParen)) {
    defined = !at_column_name_list();
    if (defined) {
      parse_table_elements(*create);
    } else {
      create->column_names = parse_name_list_in_parens("a column name");
    }
  }
  while (parse_table_clause(*create)) {}
  if (!defined) parse_create_table_as(*create);
  return create;
}

// (a, b) before AS: names without types.
bool StatementParser::at_column_name_list() {
  if (!is_column_name(peek()) && !is_string_token(peek().kind)) return false;
  return peek(2).kind == TokenKind::kComma || peek(2).kind == TokenKind::kRightParen;
}

void StatementParser::parse_create_table_as(CreateTableStatement& create) {
  expect(Keyword::kAs);
  if (at(Keyword::kExecute)) unsupported("CREATE TABLE AS EXECUTE", position());
  next_query_has_table_clauses_ = true;
  create.query = parse_query();
  while (accept_with_data(&create.with_no_data) || parse_table_clause(create)) {}
}

bool StatementParser::accept_with_data(bool* with_no_data) {
  if (accept(Keyword::kWith, Keyword::kData)) {
    *with_no_data = false;
    return true;
  }
  if (token().keyword == Keyword::kWith && next_is(Keyword::kNo) && next_is(Keyword::kData, 2)) {
    advance();
    expect(Keyword::kNo, Keyword::kData);
    *with_no_data = true;
    return true;
  }
  return false;
}

void StatementParser::parse_table_elements(CreateTableStatement& create) {
  expect(TokenKind::kLeftParen);
  if (accept(TokenKind::kRightParen)) return;
  do {
    const Keyword word = token().keyword;
    if (accept(Keyword::kLike)) {
      LikeClause like;
      like.columns_before = static_cast<uint32_t>(create.columns.size());
      like.table = parse_object_name("a table name");
      while (at(Keyword::kIncluding) || at(Keyword::kExcluding)) {
        const bool including = token().keyword == Keyword::kIncluding;
        advance();
        const bool all = token().keyword == Keyword::kAll;
        parse_label("ALL");
        if (all) like.including_all = including;
      }
      create.likes.push_back(std::move(like));
    } else if (word == Keyword::kConstraint || word == Keyword::kPrimary || word == Keyword::kUnique ||
               word == Keyword::kCheck || word == Keyword::kForeign ||
               (word == Keyword::kExclude && (next_is(TokenKind::kLeftParen) || next_is(Keyword::kUsing)))) {
      parse_table_constraint(create);
    } else {
      ColumnDefinition column = parse_column_definition();
      if (column.primary_key) {
        if (!create.primary_key.empty()) {
          throw sql_error(sqlstate::kInvalidTableDefinition,
                          "multiple primary keys for a table are not allowed")
              .with_position(column.name.position);
        }
        create.primary_key.push_back(column.name);
      }
      create.columns.push_back(std::move(column));
    }
  } while (accept(TokenKind::kComma));
  expect(TokenKind::kRightParen);
}

void StatementParser::refuse_constraint() {
  switch (token().keyword) {
    case Keyword::kUnique: unsupported("UNIQUE", position());
    case Keyword::kCheck: unsupported("CHECK", position());
    case Keyword::kForeign:
    case Keyword::kReferences: unsupported("FOREIGN KEY", position());
    case Keyword::kExclude: unsupported("EXCLUDE", position());
    case Keyword::kGenerated: unsupported("GENERATED", position());
    default: return;
  }
}

void StatementParser::parse_table_constraint(CreateTableStatement& create) {
  if (accept(Keyword::kConstraint)) parse_name("a constraint name");
  refuse_constraint();
  const uint32_t begin = position();
  expect(Keyword::kPrimary, Keyword::kKey);
  if (!create.primary_key.empty()) {
    throw sql_error(sqlstate::kInvalidTableDefinition, "multiple primary keys for a table are not allowed")
        .with_position(begin);
  }
  create.primary_key = parse_name_list_in_parens("a column name");
}

ColumnDefinition StatementParser::parse_column_definition() {
  ColumnDefinition column;
  column.name = parse_ddl_name("a column name");
  column.type = parse_type_name();
  while (parse_column_option(column)) {}
  return column;
}

bool StatementParser::parse_column_option(ColumnDefinition& column) {
  switch (token().keyword) {
    case Keyword::kNot:
      advance();
      expect(Keyword::kNull);
      column.not_null = true;
      return true;
    case Keyword::kNull: advance(); return true;
    case Keyword::kDefault:
      advance();
      column.default_value = parse_expression(precedence::kComparison);
      return true;
    case Keyword::kKeep:
      advance();
      column.keep = parse_keep_policy();
      return true;
    case Keyword::kCollate:
      advance();
      do { column.collation.push_back(parse_label("a collation")); } while (accept(TokenKind::kDot));
      return true;
    case Keyword::kPrimary:
      expect(Keyword::kPrimary, Keyword::kKey);
      column.primary_key = true;
      return true;
    case Keyword::kConstraint:
      advance();
      parse_name("a constraint name");
      return true;
    case Keyword::kCapacity: {
      advance();
      const uint32_t begin = position();
      const int64_t capacity = parse_integer("a capacity");
      if (capacity > UINT32_MAX) {
        throw sql_error(sqlstate::kInvalidParameterValue, "a capacity of {} is out of range", capacity)
            .with_position(begin);
      }
      column.symbol_capacity = static_cast<uint32_t>(capacity);
      return true;
    }
    case Keyword::kCache:
    case Keyword::kNocache:
      column.symbol_cache = token().keyword == Keyword::kCache;
      advance();
      return true;
    case Keyword::kIndex:
      advance();
      column.index = true;
      if (accept(Keyword::kCapacity)) parse_integer("a capacity");
      return true;
    default:
      note_expected("a column option");
      refuse_constraint();
      return false;
  }
}

KeepPolicy StatementParser::parse_keep_policy() {
  if (accept(Keyword::kFirst)) return KeepPolicy::kFirst;
  if (accept(Keyword::kLast)) return KeepPolicy::kLast;
  if (token().kind == TokenKind::kWord && fold_identifier(source()) == "min") {
    advance();
    return KeepPolicy::kMin;
  }
  if (token().kind == TokenKind::kWord && fold_identifier(source()) == "max") {
    advance();
    return KeepPolicy::kMax;
  }
  note_expected("FIRST, LAST, MIN, MAX");
  if (token().kind == TokenKind::kWord && fold_identifier(source()) == "non") {
    advance();
    expect(Keyword::kNull);
    return KeepPolicy::kNonNull;
  }
  fail("NON NULL");
}

// One of the clauses after the columns, in any order; false where none follows.
bool StatementParser::parse_table_clause(CreateTableStatement& create) {
  const uint32_t begin = position();
  const auto once = [&](bool there) {
    if (there) {
      throw sql_error(sqlstate::kSyntaxError, "conflicting or redundant clauses").with_position(begin);
    }
  };
  if (accept(Keyword::kTimestamp)) {
    once(!create.timestamp.empty());
    expect(TokenKind::kLeftParen);
    create.timestamp = parse_ddl_name("a column name");
    expect(TokenKind::kRightParen);
    return true;
  }
  if (at(Keyword::kPartition)) {
    once(create.partition_by.has_value());
    create.partition_by = parse_partition_unit();
    return true;
  }
  if (accept(Keyword::kWal)) {
    create.wal = true;
    return true;
  }
  if (at(Keyword::kDedup)) {
    once(create.dedup.has_value());
    advance();
    create.dedup = parse_dedup_keys();
    create.dedup->position = begin;
    return true;
  }
  if (accept(Keyword::kTtl)) {
    once(create.ttl.has_value());
    create.ttl = parse_ttl();
    return true;
  }
  if (at(Keyword::kOn)) {
    once(create.on_commit.has_value());
    create.on_commit = parse_on_commit();
    return true;
  }
  if (token().keyword == Keyword::kWith && (next_is(TokenKind::kLeftParen) || is_operator("=", 2))) {
    parse_loose_options(create.options);
    return true;
  }
  // , INDEX (sym CAPACITY n): a hint on a column.
  if (token().kind == TokenKind::kComma && next_is(Keyword::kIndex)) {
    advance();
    advance();
    expect(TokenKind::kLeftParen);
    const Identifier name = parse_ddl_name("a column name");
    if (accept(Keyword::kCapacity)) parse_integer("a capacity");
    expect(TokenKind::kRightParen);
    for (ColumnDefinition& column : create.columns) column.index |= column.name.text == name.text;
    return true;
  }
  return refuse_table_clause();
}

// Clauses of others that are known and not supported; nothing is read where none stands here.
bool StatementParser::refuse_table_clause() {
  switch (token().keyword) {
    case Keyword::kBypass: unsupported("BYPASS WAL", position());
    case Keyword::kIn: unsupported("IN VOLUME", position());
    case Keyword::kTablespace: unsupported("TABLESPACE", position());
    case Keyword::kInherits: unsupported("INHERITS", position());
    case Keyword::kUsing: unsupported("a table access method", position());
    case Keyword::kWithout:  // OIDS, which there are none of
      advance();
      expect(Keyword::kOids);
      return true;
    default: return false;
  }
}

// WITH (a = 1, b = 2), WITH a = 1, b = 2
void StatementParser::parse_loose_options(std::vector<Option>& options) {
  expect(Keyword::kWith);
  if (token().kind == TokenKind::kLeftParen) {
    for (Option& option : parse_options()) options.push_back(std::move(option));
    return;
  }
  do { options.push_back(parse_option()); } while (accept(TokenKind::kComma));
}

PartitionUnit StatementParser::parse_partition_unit() {
  expect(Keyword::kPartition, Keyword::kBy);
  switch (token().keyword) {
    case Keyword::kRange: unsupported("PARTITION BY RANGE", position());
    case Keyword::kNone: advance(); return PartitionUnit::kNone;
    case Keyword::kHour: advance(); return PartitionUnit::kHour;
    case Keyword::kDay: advance(); return PartitionUnit::kDay;
    case Keyword::kWeek: advance(); return PartitionUnit::kWeek;
    case Keyword::kMonth: advance(); return PartitionUnit::kMonth;
    case Keyword::kYear: advance(); return PartitionUnit::kYear;
    default: break;
  }
  if (next_is(TokenKind::kLeftParen)) unsupported("PARTITION BY LIST or HASH", position());
  fail("NONE, HOUR, DAY, WEEK, MONTH, YEAR");
}

// UPSERT KEYS(a, b) [VERSION BY c [DELETED WHEN d]]
DedupClause StatementParser::parse_dedup_keys() {
  DedupClause dedup;
  dedup.position = position();
  expect(Keyword::kUpsert, Keyword::kKeys);
  dedup.keys = parse_name_list_in_parens("a column name");
  if (accept(Keyword::kVersion, Keyword::kBy)) {
    dedup.version_by = parse_ddl_name("a column name");
    if (token().kind == TokenKind::kWord && next_is(Keyword::kWhen) &&
        fold_identifier(source()) == "deleted") {
      advance();
      expect(Keyword::kWhen);
      dedup.deleted_when = parse_ddl_name("a column name");
    } else {
      note_expected("DELETED WHEN");
    }
  }
  return dedup;
}

// 3 DAYS, 1 MONTH, 12h
TtlClause StatementParser::parse_ttl() {
  const TimeSpan span = parse_time_span();
  TtlClause ttl;
  ttl.count = span.count;
  switch (span.unit) {
    case 'h': ttl.unit = "HOURS"; break;
    case 'd': ttl.unit = "DAYS"; break;
    case 'w': ttl.unit = "WEEKS"; break;
    case 'M': ttl.unit = "MONTHS"; break;
    case 'y': ttl.unit = "YEARS"; break;
    default:
      throw sql_error(sqlstate::kSyntaxError, "a retention is counted in HOURS, DAYS, WEEKS, MONTHS or YEARS")
          .with_position(span.position);
  }
  return ttl;
}

OnCommit StatementParser::parse_on_commit() {
  expect(Keyword::kOn, Keyword::kCommit);
  if (accept(Keyword::kDrop)) return OnCommit::kDrop;
  if (accept(Keyword::kDelete)) {
    expect(Keyword::kRows);
    return OnCommit::kDeleteRows;
  }
  expect(Keyword::kPreserve, Keyword::kRows);
  return OnCommit::kPreserveRows;
}

bool StatementParser::accept_if_not_exists() {
  if (!accept(Keyword::kIf)) return false;
  expect(Keyword::kNot, Keyword::kExists);
  return true;
}

bool StatementParser::accept_if_exists() {
  if (token().keyword != Keyword::kIf || !next_is(Keyword::kExists)) return false;
  expect(Keyword::kIf, Keyword::kExists);
  return true;
}

// ---- views, schemas, roles, slots

StatementPtr StatementParser::parse_create_view(uint32_t at_position, bool or_replace, bool temporary) {
  auto create = make<CreateViewStatement>(at_position);
  create->or_replace = or_replace;
  create->temporary = temporary;
  expect(Keyword::kView);
  create->if_not_exists = accept_if_not_exists();
  create->name = parse_object_name("a view name");
  if (token().kind == TokenKind::kLeftParen) create->columns = parse_name_list_in_parens("a column name");
  if (accept(Keyword::kWith)) create->options = parse_options();
  expect(Keyword::kAs);
  create->query = parse_query();
  if (at(Keyword::kWith)) unsupported("WITH CHECK OPTION", position());
  return create;
}

StatementPtr StatementParser::parse_create_materialized_view(uint32_t at_position) {
  auto create = make<CreateMaterializedViewStatement>(at_position);
  expect(Keyword::kMaterialized, Keyword::kView);
  create->if_not_exists = accept_if_not_exists();
  create->name = parse_object_name("a view name");
  if (token().kind == TokenKind::kLeftParen) create->columns = parse_name_list_in_parens("a column name");
  if (accept(Keyword::kRefresh)) create->refresh = parse_refresh_clause();
  if (accept(Keyword::kWith)) create->options = parse_options();
  expect(Keyword::kAs);
  next_query_has_table_clauses_ = true;
  create->query = parse_query();
  for (;;) {
    if (at(Keyword::kPartition)) {
      create->partition_by = parse_partition_unit();
    } else if (accept(Keyword::kTtl)) {
      create->ttl = parse_ttl();
    } else if (!accept_with_data(&create->with_no_data)) {
      return create;
    }
  }
}

RefreshClause StatementParser::parse_refresh_clause() {
  using Mode = RefreshClause::Mode;
  if (accept(Keyword::kImmediate)) return {Mode::kImmediate, {}};
  if (accept(Keyword::kManual)) return {Mode::kManual, {}};
  expect(Keyword::kEvery);
  return {Mode::kEvery, parse_time_span()};
}

StatementPtr StatementParser::parse_create_schema(uint32_t at_position) {
  auto create = make<CreateSchemaStatement>(at_position);
  expect(Keyword::kSchema);
  create->if_not_exists = accept_if_not_exists();
  if (!at(Keyword::kAuthorization)) create->name = parse_label("a schema name");
  if (accept(Keyword::kAuthorization)) {
    create->owner = parse_label("a role name").text;
    if (create->name.empty()) create->name.text = create->owner;
  }
  if (accept(Keyword::kWith)) create->options = parse_options();
  if (at(Keyword::kCreate) || at(Keyword::kGrant)) unsupported("CREATE SCHEMA with elements", position());
  return create;
}

StatementPtr StatementParser::parse_create_role(uint32_t at_position, bool is_user) {
  auto create = make<CreateRoleStatement>(at_position);
  create->is_user = is_user;
  advance();
  create->if_not_exists = accept_if_not_exists();
  create->name = parse_ddl_name("a role name");
  accept(Keyword::kWith);
  while (parse_role_option(create->options)) {}
  return create;
}

StatementPtr StatementParser::parse_create_change_slot(uint32_t at_position) {
  auto create = make<CreateChangeSlotStatement>(at_position);
  expect(Keyword::kChange, Keyword::kSlot);
  create->if_not_exists = accept_if_not_exists();
  create->name = parse_ddl_name("a slot name");
  expect(Keyword::kOn);
  create->table = parse_object_name("a table name");
  return create;
}

}  // namespace idem::parser
