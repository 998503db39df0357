#include "parser/statement_parser.h"

namespace idem::parser {

using namespace ast;

StatementPtr StatementParser::parse_statement() {
  Nesting nesting(*this);
  switch (token().keyword) {
    case Keyword::kSelect:
    case Keyword::kValues:
    case Keyword::kTable:
    case Keyword::kFrom: return parse_query_statement();
    case Keyword::kWith: return parse_with_statement();
    case Keyword::kInsert: return parse_insert(nullptr);
    case Keyword::kUpdate: return parse_update(nullptr);
    case Keyword::kDelete: return parse_delete(nullptr);
    case Keyword::kMerge: return parse_merge(nullptr);
    case Keyword::kCopy: return parse_copy();
    case Keyword::kBegin:
    case Keyword::kStart: return parse_begin();
    case Keyword::kCommit:
    case Keyword::kEnd: return parse_commit();
    case Keyword::kRollback:
    case Keyword::kAbort: return parse_rollback();
    case Keyword::kSavepoint: return parse_savepoint(TransactionStatement::Action::kSavepoint);
    case Keyword::kRelease: return parse_savepoint(TransactionStatement::Action::kRelease);
    case Keyword::kSet: return parse_set();
    case Keyword::kShow: return parse_show();
    case Keyword::kReset: return parse_reset();
    case Keyword::kDeclare: return parse_declare();
    case Keyword::kFetch: return parse_fetch(false);
    case Keyword::kMove: return parse_fetch(true);
    case Keyword::kClose: return parse_close();
    case Keyword::kCreate: return parse_create();
    case Keyword::kDrop: return parse_drop();
    case Keyword::kAlter: return parse_alter();
    case Keyword::kTruncate: return parse_truncate();
    default:
      if (token().kind == TokenKind::kLeftParen) return parse_query_statement();
      return parse_other_statement();
  }
}

StatementPtr StatementParser::parse_other_statement() {
  const uint32_t begin = position();
  switch (token().keyword) {
    case Keyword::kPrepare: return parse_prepare();
    case Keyword::kExecute: return parse_execute();
    case Keyword::kDeallocate: return parse_deallocate();
    case Keyword::kExplain: return parse_explain();
    case Keyword::kDiscard: return parse_discard();
    case Keyword::kListen: return parse_listen(ListenStatement::Action::kListen);
    case Keyword::kUnlisten: return parse_listen(ListenStatement::Action::kUnlisten);
    case Keyword::kNotify: return parse_listen(ListenStatement::Action::kNotify);
    case Keyword::kLock: return parse_lock();
    case Keyword::kGrant: return parse_grant(true);
    case Keyword::kRevoke: return parse_grant(false);
    case Keyword::kComment: return parse_comment();
    case Keyword::kVacuum: return parse_vacuum();
    case Keyword::kAnalyze:
    case Keyword::kAnalyse: return parse_analyze();
    case Keyword::kCheckpoint: advance(); return make<CheckpointStatement>(begin);
    case Keyword::kRefresh: return parse_refresh();
    case Keyword::kRestore: return parse_restore();
    case Keyword::kUndrop: return parse_undrop();
    case Keyword::kDescribe: return parse_describe();
    case Keyword::kForget: return parse_forget();
    case Keyword::kAdvance: return parse_advance();
    case Keyword::kDo:
    case Keyword::kCall:
    case Keyword::kCluster:
    case Keyword::kReindex:
    case Keyword::kLoad:
    case Keyword::kReassign:
    case Keyword::kSecurity:
    case Keyword::kImport: {
      std::string what = upper_case(source());
      advance();
      return unsupported_statement(std::move(what), begin);
    }
    default: break;
  }
  for (const char* word : {"SELECT",  "INSERT",     "UPDATE",   "DELETE",   "MERGE",   "COPY",      "CREATE",
                           "ALTER",   "DROP",       "TRUNCATE", "BEGIN",    "COMMIT",  "ROLLBACK",  "SET",
                           "SHOW",    "EXPLAIN",    "WITH",     "VALUES",   "TABLE",   "FROM",      "RESTORE",
                           "UNDROP",  "VACUUM",     "ANALYZE",  "DESCRIBE", "GRANT",   "REVOKE",    "RESET",
                           "DECLARE", "FETCH",      "PREPARE",  "EXECUTE",  "REFRESH", "SAVEPOINT", "RELEASE",
                           "START",   "CHECKPOINT", "FORGET",   "ADVANCE",  "COMMENT", "LISTEN"}) {
    note_expected(word);
  }
  fail();
}

StatementPtr StatementParser::parse_query_statement() {
  const uint32_t begin = position();
  into_allowed_ = true;
  QueryPtr query = parse_query();
  if (select_into_) {
    select_into_->position = begin;
    select_into_->query = std::move(query);
    return std::move(select_into_);
  }
  auto statement = make<QueryStatement>(begin);
  statement->query = std::move(query);
  return statement;
}

// What EXPLAIN and PREPARE take.
StatementPtr StatementParser::parse_explainable() {
  switch (token().keyword) {
    case Keyword::kSelect:
    case Keyword::kValues:
    case Keyword::kTable:
    case Keyword::kFrom:
    case Keyword::kWith:
    case Keyword::kInsert:
    case Keyword::kUpdate:
    case Keyword::kDelete:
    case Keyword::kMerge:
    case Keyword::kCreate:
    case Keyword::kDeclare:
    case Keyword::kExecute:
    case Keyword::kRefresh:
    case Keyword::kCopy: return parse_statement();
    default:
      if (token().kind == TokenKind::kLeftParen) return parse_statement();
      fail("SELECT, INSERT, UPDATE, DELETE or MERGE");
  }
}

StatementPtr StatementParser::parse_create() {
  const uint32_t begin = position();
  expect(Keyword::kCreate);
  const bool or_replace = accept(Keyword::kOr, Keyword::kReplace);
  bool temporary = false, unlogged = false;
  if (next_is(Keyword::kTemp) || next_is(Keyword::kTemporary)) {
    if (!accept(Keyword::kLocal)) accept(Keyword::kGlobal);
  }
  if (accept(Keyword::kTemp) || accept(Keyword::kTemporary)) {
    temporary = true;
  } else {
    unlogged = accept(Keyword::kUnlogged);
  }
  if (at(Keyword::kTable)) return parse_create_table(begin, or_replace, temporary, unlogged);
  if (at(Keyword::kView) && !unlogged) return parse_create_view(begin, or_replace, temporary);
  if (!temporary && !unlogged && !or_replace) {
    if (at(Keyword::kMaterialized, Keyword::kView)) return parse_create_materialized_view(begin);
    if (at(Keyword::kSchema)) return parse_create_schema(begin);
    if (at(Keyword::kRole) || at(Keyword::kGroup)) return parse_create_role(begin, false);
    if (at(Keyword::kUser) && !next_is(Keyword::kMapping)) return parse_create_role(begin, true);
    if (at(Keyword::kChange, Keyword::kSlot)) return parse_create_change_slot(begin);
  }
  return unsupported_statement("CREATE", begin);
}

namespace {

// How many words here name a kind of object that the dialect does not have: INDEX, UNIQUE INDEX, FOREIGN DATA
// WRAPPER.
size_t object_kind_words(Keyword first, Keyword second) {
  switch (first) {
    case Keyword::kAggregate:
    case Keyword::kCast:
    case Keyword::kCollation:
    case Keyword::kConversion:
    case Keyword::kDatabase:
    case Keyword::kDomain:
    case Keyword::kExtension:
    case Keyword::kFunction:
    case Keyword::kIndex:
    case Keyword::kLanguage:
    case Keyword::kPolicy:
    case Keyword::kProcedure:
    case Keyword::kPublication:
    case Keyword::kRoutine:
    case Keyword::kRule:
    case Keyword::kSequence:
    case Keyword::kServer:
    case Keyword::kStatistics:
    case Keyword::kSubscription:
    case Keyword::kTablespace:
    case Keyword::kTransform:
    case Keyword::kTrigger:
    case Keyword::kType: return 1;
    case Keyword::kAccess:
    case Keyword::kConstraint:
    case Keyword::kEvent:
    case Keyword::kLarge:
    case Keyword::kOwned:
    case Keyword::kProcedural:
    case Keyword::kRecursive:
    case Keyword::kUnique:
    case Keyword::kUser: return 2;
    case Keyword::kForeign: return second == Keyword::kData ? 3 : 2;
    case Keyword::kText: return 3;
    case Keyword::kTrusted: return second == Keyword::kProcedural ? 3 : 2;
    case Keyword::kOperator: return second == Keyword::kClass || second == Keyword::kFamily ? 2 : 1;
    default: return 0;
  }
}

}  // namespace

// `what` is the verb; CREATE, ALTER and DROP take the words for the kind of object after it.
StatementPtr StatementParser::unsupported_statement(std::string what, uint32_t at_position) {
  auto statement = make<UnsupportedStatement>(at_position);
  if (what == "CREATE" || what == "ALTER" || what == "DROP") {
    for (const char* word : {"TABLE", "VIEW", "MATERIALIZED VIEW", "SCHEMA", "ROLE", "USER", "CHANGE SLOT"}) {
      note_expected(word);
    }
    const size_t words = object_kind_words(token().keyword, peek().keyword);
    if (words == 0) fail();
    for (size_t i = 0; i < words; ++i) {
      if (token().kind != TokenKind::kWord) fail("the kind of an object");
      what += " " + upper_case(source());
      advance();
    }
    if (at_end() || token().kind == TokenKind::kSemicolon) fail("a name");
  }
  statement->what = std::move(what);
  while (!at_end() && token().kind != TokenKind::kSemicolon) {
    if (token().kind == TokenKind::kError) fail();
    if (!statement->text.empty()) statement->text += ' ';
    statement->text += source();
    advance();
  }
  return statement;
}

}  // namespace idem::parser
