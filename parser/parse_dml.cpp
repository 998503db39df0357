#include "parser/statement_parser.h"

namespace idem::parser {

using namespace ast;

// WITH before SELECT, INSERT, UPDATE, DELETE or MERGE.
StatementPtr StatementParser::parse_with_statement() {
  const uint32_t begin = position();
  std::unique_ptr<With> with = parse_with();
  StatementPtr statement;
  switch (token().keyword) {
    case Keyword::kInsert: statement = parse_insert(std::move(with)); break;
    case Keyword::kUpdate: statement = parse_update(std::move(with)); break;
    case Keyword::kDelete: statement = parse_delete(std::move(with)); break;
    case Keyword::kMerge: statement = parse_merge(std::move(with)); break;
    default: {
      auto select = make<QueryStatement>(begin);
      into_allowed_ = true;
      select->query = parse_query();
      if (select->query->with) {
        throw sql_error(sqlstate::kSyntaxError, "multiple WITH clauses not allowed")
            .with_position(select->query->with->position);
      }
      select->query->with = std::move(with);
      select->query->position = begin;
      statement = std::move(select);
      break;
    }
  }
  statement->position = begin;
  return statement;
}

// ---- INSERT

StatementPtr StatementParser::parse_insert(std::unique_ptr<With> with) {
  auto insert = make<InsertStatement>(position());
  insert->with = std::move(with);
  expect(Keyword::kInsert);
  if (accept(Keyword::kOverwrite)) {
    insert->overwrite = Overwrite::kAll;
    if (accept(Keyword::kInto)) {
      accept(Keyword::kTable);
    } else {
      accept(Keyword::kTable);
    }
  } else {
    expect(Keyword::kInto);
    accept(Keyword::kTable);
  }
  insert->table = parse_object_name("a table name");
  if (accept(Keyword::kAs)) insert->alias = parse_name("an alias");

  const auto partition_clause = [&] {
    if (insert->overwrite != Overwrite::kAll || !accept(Keyword::kPartition)) return;
    if (accept(Keyword::kDynamic)) {
      insert->overwrite = Overwrite::kDynamic;
      return;
    }
    insert->overwrite = Overwrite::kPartitions;
    expect(TokenKind::kLeftParen);
    do {
      insert->partitions.push_back(parse_string("a partition's name"));
    } while (accept(TokenKind::kComma));
    expect(TokenKind::kRightParen);
  };
  partition_clause();
  if (token().kind == TokenKind::kLeftParen && !at_query(1) && !next_is(TokenKind::kLeftParen)) {
    insert->columns = parse_name_list_in_parens("a column name");
  }
  if (insert->overwrite == Overwrite::kAll) partition_clause();
  if (insert->overwrite == Overwrite::kNone && accept(Keyword::kReplace)) {
    expect(Keyword::kWhere);
    insert->overwrite = Overwrite::kReplaceWhere;
    insert->replace_where = parse_expression();
  }
  parse_insert_source(*insert);
  if (at(Keyword::kOn)) insert->on_conflict = parse_on_conflict();
  insert->returning = parse_returning();
  return insert;
}

void StatementParser::parse_insert_source(InsertStatement& insert) {
  if (at(Keyword::kOverriding)) unsupported("OVERRIDING", position());
  if (insert.overwrite == Overwrite::kNone && accept(Keyword::kDefault, Keyword::kValues)) {
    if (!insert.columns.empty()) {
      throw sql_error(sqlstate::kSyntaxError, "DEFAULT VALUES cannot follow a list of columns")
          .with_position(insert.columns[0].position);
    }
    return;
  }
  insert.query = parse_query();
}

std::unique_ptr<OnConflict> StatementParser::parse_on_conflict() {
  auto conflict = std::make_unique<OnConflict>();
  conflict->position = position();
  expect(Keyword::kOn, Keyword::kConflict);
  if (at(TokenKind::kLeftParen)) {
    conflict->keys = parse_name_list_in_parens("a column name");
    if (at(Keyword::kWhere)) unsupported("ON CONFLICT with a partial index", position());
  } else if (at(Keyword::kOn)) {
    unsupported("ON CONFLICT ON CONSTRAINT", position());
  }
  expect(Keyword::kDo);
  if (accept(Keyword::kNothing)) return conflict;
  expect(Keyword::kUpdate, Keyword::kSet);
  conflict->do_update = true;
  conflict->assignments = parse_assignments();
  if (accept(Keyword::kWhere)) conflict->where = parse_expression();
  return conflict;
}

std::vector<SelectItem> StatementParser::parse_returning() {
  if (!accept(Keyword::kReturning)) return {};
  return parse_select_items();
}

// ---- SET a = 1, (b, c) = (2, 3)

std::vector<Assignment> StatementParser::parse_assignments() {
  std::vector<Assignment> assignments;
  do { parse_assignment(assignments); } while (accept(TokenKind::kComma));
  return assignments;
}

void StatementParser::parse_assignment(std::vector<Assignment>& assignments) {
  Assignment assignment;
  const uint32_t begin = position();
  if (token().kind != TokenKind::kLeftParen) {
    Identifier name = parse_ddl_name("a column name");
    if (accept(TokenKind::kDot)) {
      assignment.qualifier = std::move(name);
      name = parse_label("a column name");
    }
    if (at(TokenKind::kLeftBracket)) unsupported("assignment to an element of an array", position());
    assignment.columns.push_back(std::move(name));
    if (!accept_operator("=")) fail("\"=\"");
    assignment.value = parse_expression();
    assignments.push_back(std::move(assignment));
    return;
  }
  assignment.columns = parse_name_list_in_parens("a column name");
  if (!accept_operator("=")) fail("\"=\"");
  assignment.value = parse_expression();
  if (assignment.value->kind == ExpressionKind::kRow) {
    ExpressionList& values = as<Row>(*assignment.value).items;
    if (values.size() != assignment.columns.size()) {
      throw sql_error(sqlstate::kSyntaxError, "number of columns does not match number of values")
          .with_position(begin);
    }
    for (size_t i = 0; i < values.size(); ++i) {
      Assignment one;
      one.columns.push_back(std::move(assignment.columns[i]));
      one.value = std::move(values[i]);
      assignments.push_back(std::move(one));
    }
    return;
  }
  if (assignment.columns.size() > 1 && assignment.value->kind != ExpressionKind::kSubquery) {
    throw sql_error(sqlstate::kFeatureNotSupported,
                    "source for a multiple-column UPDATE item must be a sub-SELECT or ROW() expression")
        .with_position(assignment.value->position);
  }
  assignments.push_back(std::move(assignment));
}

// ---- UPDATE, DELETE

void StatementParser::parse_where_or_current_of(ExpressionPtr& where, Identifier& cursor) {
  if (!accept(Keyword::kWhere)) return;
  if (token().keyword == Keyword::kCurrent && next_is(Keyword::kOf)) {
    expect(Keyword::kCurrent, Keyword::kOf);
    cursor = parse_name("a cursor name");
    return;
  }
  where = parse_expression();
}

StatementPtr StatementParser::parse_update(std::unique_ptr<With> with) {
  auto update = make<UpdateStatement>(position());
  update->with = std::move(with);
  expect(Keyword::kUpdate);
  update->only = accept(Keyword::kOnly);
  update->table = parse_object_name("a table name");
  accept_operator("*");
  if (accept(Keyword::kAs) || at_bare_alias()) update->alias = parse_name("an alias");
  expect(Keyword::kSet);
  update->assignments = parse_assignments();
  if (accept(Keyword::kFrom)) update->from = parse_from_list();
  parse_where_or_current_of(update->where, update->current_of);
  update->returning = parse_returning();
  return update;
}

StatementPtr StatementParser::parse_delete(std::unique_ptr<With> with) {
  auto statement = make<DeleteStatement>(position());
  statement->with = std::move(with);
  expect(Keyword::kDelete, Keyword::kFrom);
  statement->only = accept(Keyword::kOnly);
  statement->table = parse_object_name("a table name");
  accept_operator("*");
  if (accept(Keyword::kAs) || at_bare_alias()) statement->alias = parse_name("an alias");
  if (accept(Keyword::kUsing)) statement->using_tables = parse_from_list();
  parse_where_or_current_of(statement->where, statement->current_of);
  statement->returning = parse_returning();
  return statement;
}

// ---- MERGE

StatementPtr StatementParser::parse_merge(std::unique_ptr<With> with) {
  auto merge = make<MergeStatement>(position());
  merge->with = std::move(with);
  expect(Keyword::kMerge, Keyword::kInto);
  accept(Keyword::kOnly);
  merge->table = parse_object_name("a table name");
  accept_operator("*");
  if (accept(Keyword::kAs) || at_bare_alias()) merge->alias = parse_name("an alias");
  expect(Keyword::kUsing);
  merge->source = parse_table_ref();
  expect(Keyword::kOn);
  merge->on = parse_expression();
  do { merge->clauses.push_back(parse_merge_clause()); } while (at(Keyword::kWhen));
  merge->returning = parse_returning();
  return merge;
}

MergeClause StatementParser::parse_merge_clause() {
  using Match = MergeClause::Match;
  using Action = MergeClause::Action;
  MergeClause clause;
  clause.position = position();
  expect(Keyword::kWhen);
  if (accept(Keyword::kNot)) {
    expect(Keyword::kMatched);
    clause.match = Match::kNotMatchedByTarget;
    if (accept(Keyword::kBy)) {
      if (accept(Keyword::kSource)) {
        clause.match = Match::kNotMatchedBySource;
      } else {
        expect(Keyword::kTarget);
      }
    }
  } else {
    expect(Keyword::kMatched);
  }
  if (accept(Keyword::kAnd)) clause.condition = parse_expression();
  expect(Keyword::kThen);
  if (accept(Keyword::kDo)) {
    expect(Keyword::kNothing);
    return clause;
  }
  if (clause.match == Match::kNotMatchedByTarget) {
    parse_merge_insert(clause);
    return clause;
  }
  if (accept(Keyword::kDelete)) {
    clause.action = Action::kDelete;
    return clause;
  }
  expect(Keyword::kUpdate);
  clause.action = Action::kUpdate;
  if (is_operator("*")) {
    advance();
    clause.action = Action::kUpdateAll;
    return clause;
  }
  expect(Keyword::kSet);
  if (accept_operator("*")) {
    clause.action = Action::kUpdateAll;
  } else {
    clause.assignments = parse_assignments();
  }
  if (clause.action == Action::kUpdateAll && clause.match == Match::kNotMatchedBySource) {
    throw sql_error(sqlstate::kSyntaxError, "UPDATE SET * needs a row of the source")
        .with_position(clause.position);
  }
  return clause;
}

void StatementParser::parse_merge_insert(MergeClause& clause) {
  expect(Keyword::kInsert);
  clause.action = MergeClause::Action::kInsert;
  if (accept_operator("*")) {
    clause.action = MergeClause::Action::kInsertAll;
    return;
  }
  if (token().kind == TokenKind::kLeftParen) clause.columns = parse_name_list_in_parens("a column name");
  if (at(Keyword::kOverriding)) unsupported("OVERRIDING", position());
  if (accept(Keyword::kDefault)) {
    expect(Keyword::kValues);
    return;
  }
  expect(Keyword::kValues);
  expect(TokenKind::kLeftParen);
  clause.values = parse_expression_list();
  expect(TokenKind::kRightParen);
}

}  // namespace idem::parser
