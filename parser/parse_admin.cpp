#include "parser/statement_parser.h"

namespace idem::parser {

using namespace ast;

std::vector<ObjectName> StatementParser::parse_object_names(std::string_view what) {
  std::vector<ObjectName> names;
  do { names.push_back(parse_object_name(what)); } while (accept(TokenKind::kComma));
  return names;
}

bool StatementParser::accept_cascade() {
  if (accept(Keyword::kCascade)) return true;
  accept(Keyword::kRestrict);
  return false;
}

StatementPtr StatementParser::parse_drop() {
  auto drop = make<DropStatement>(position());
  const uint32_t begin = position();
  expect(Keyword::kDrop);
  std::string_view what = "a table name";
  if (accept(Keyword::kTable)) {
    drop->object = ObjectKind::kTable;
  } else if (accept(Keyword::kView)) {
    drop->object = ObjectKind::kView;
    what = "a view name";
  } else if (accept(Keyword::kMaterialized, Keyword::kView)) {
    drop->object = ObjectKind::kMaterializedView;
    what = "a view name";
  } else if (accept(Keyword::kSchema)) {
    drop->object = ObjectKind::kSchema;
    what = "a schema name";
  } else if ((at(Keyword::kRole) || at(Keyword::kUser) || at(Keyword::kGroup)) &&
             !next_is(Keyword::kMapping)) {
    advance();
    drop->object = ObjectKind::kRole;
    what = "a role name";
  } else if (accept(Keyword::kChange, Keyword::kSlot)) {
    drop->object = ObjectKind::kChangeSlot;
    what = "a slot name";
  } else {
    return unsupported_statement("DROP", begin);
  }
  drop->if_exists = accept_if_exists();
  if (drop->object == ObjectKind::kSchema) {
    do {
      ObjectName name;
      name.name = parse_label(what);
      drop->names.push_back(std::move(name));
    } while (accept(TokenKind::kComma));
  } else {
    drop->names = parse_object_names(what);
  }
  drop->cascade = accept_cascade();
  return drop;
}

StatementPtr StatementParser::parse_truncate() {
  auto truncate = make<TruncateStatement>(position());
  expect(Keyword::kTruncate);
  accept(Keyword::kTable);
  do {
    accept(Keyword::kOnly);
    truncate->tables.push_back(parse_object_name("a table name"));
    accept_operator("*");
  } while (accept(TokenKind::kComma));
  if (accept(Keyword::kRestart) || accept(Keyword::kContinue)) expect(Keyword::kIdentity);
  truncate->cascade = accept_cascade();
  return truncate;
}

// RESTORE TABLE t TO VERSION AS OF n | TIMESTAMP AS OF '…' | TAG 'name'
StatementPtr StatementParser::parse_restore() {
  auto restore = make<RestoreTableStatement>(position());
  expect(Keyword::kRestore);
  accept(Keyword::kTable);
  restore->table = parse_object_name("a table name");
  expect(Keyword::kTo);
  restore->to.position = position();
  if (accept(Keyword::kTag)) {
    restore->to.kind = VersionClause::Kind::kTag;
  } else {
    if (accept(Keyword::kTimestamp)) {
      restore->to.kind = VersionClause::Kind::kTimestamp;
    } else {
      expect(Keyword::kVersion);
      restore->to.kind = VersionClause::Kind::kVersion;
    }
    expect(Keyword::kAs, Keyword::kOf);
  }
  restore->to.value = parse_expression();
  return restore;
}

StatementPtr StatementParser::parse_undrop() {
  auto undrop = make<UndropStatement>(position());
  expect(Keyword::kUndrop, Keyword::kTable);
  undrop->table = parse_object_name("a table name");
  if (accept(Keyword::kAs)) undrop->new_name = parse_ddl_name("a table name");
  return undrop;
}

StatementPtr StatementParser::parse_vacuum() {
  auto vacuum = make<VacuumStatement>(position());
  expect(Keyword::kVacuum);
  if (token().kind == TokenKind::kLeftParen) {
    for (Option& option : parse_options()) {
      if (option.name == "analyze" || option.name == "analyse") {
        vacuum->analyze = option.value != "false" && option.value != "off" && option.value != "0";
      } else {
        vacuum->options.push_back(std::move(option));
      }
    }
  } else {
    for (;;) {
      if (at(Keyword::kFull) || at(Keyword::kFreeze) || at(Keyword::kVerbose)) {
        Option option;
        option.position = position();
        option.name = fold_identifier(source());
        vacuum->options.push_back(std::move(option));
        advance();
      } else if (accept(Keyword::kAnalyze) || accept(Keyword::kAnalyse)) {
        vacuum->analyze = true;
      } else {
        break;
      }
    }
    accept(Keyword::kTable);
  }
  const bool clause = (token().keyword == Keyword::kRetain &&
                       (next_is(TokenKind::kInteger) || next_is(TokenKind::kNumberWithUnit))) ||
                      (token().keyword == Keyword::kDry && fold_identifier(source(peek())) == "run");
  const bool names =
      is_column_name(token()) || is_string_token(token().kind) || token().keyword == Keyword::kDefault;
  if (names && !clause) {
    do {
      vacuum->tables.push_back(parse_object_name("a table name"));
      if (token().kind == TokenKind::kLeftParen) parse_name_list_in_parens("a column name");
    } while (accept(TokenKind::kComma));
  }
  if (accept(Keyword::kRetain)) vacuum->retain = parse_ttl();
  if (accept(Keyword::kDry)) {
    expect(Keyword::kRun);
    vacuum->dry_run = true;
  }
  return vacuum;
}

StatementPtr StatementParser::parse_analyze() {
  auto analyze = make<AnalyzeStatement>(position());
  advance();
  if (token().kind == TokenKind::kLeftParen) {
    analyze->options = parse_options();
  } else if (at(Keyword::kVerbose)) {
    Option option;
    option.name = "verbose";
    option.position = position();
    analyze->options.push_back(std::move(option));
    advance();
  }
  accept(Keyword::kTable);
  if (is_column_name(token()) || is_string_token(token().kind) || token().keyword == Keyword::kDefault) {
    do {
      analyze->tables.push_back(parse_object_name("a table name"));
      if (token().kind == TokenKind::kLeftParen) parse_name_list_in_parens("a column name");
    } while (accept(TokenKind::kComma));
  }
  return analyze;
}

StatementPtr StatementParser::parse_refresh() {
  auto refresh = make<RefreshMaterializedViewStatement>(position());
  expect(Keyword::kRefresh);
  expect(Keyword::kMaterialized, Keyword::kView);
  accept(Keyword::kConcurrently);
  refresh->name = parse_object_name("a view name");
  refresh->full = accept(Keyword::kFull);
  accept_with_data(&refresh->with_no_data);
  return refresh;
}

StatementPtr StatementParser::parse_advance() {
  auto statement = make<AdvanceChangeSlotStatement>(position());
  expect(Keyword::kAdvance);
  expect(Keyword::kChange, Keyword::kSlot);
  statement->name = parse_ddl_name("a slot name");
  expect(Keyword::kTo);
  statement->version = parse_expression();
  return statement;
}

StatementPtr StatementParser::parse_forget() {
  auto forget = make<ForgetRunStatement>(position());
  expect(Keyword::kForget, Keyword::kRun);
  forget->key = parse_string("a run's key");
  return forget;
}

StatementPtr StatementParser::parse_lock() {
  auto lock = make<LockStatement>(position());
  expect(Keyword::kLock);
  accept(Keyword::kTable);
  do {
    accept(Keyword::kOnly);
    lock->tables.push_back(parse_object_name("a table name"));
    accept_operator("*");
  } while (accept(TokenKind::kComma));
  lock->mode = "access exclusive";
  if (accept(Keyword::kIn)) {
    lock->mode.clear();
    while (token().kind == TokenKind::kWord && token().keyword != Keyword::kMode) {
      if (!lock->mode.empty()) lock->mode += ' ';
      lock->mode += fold_identifier(source());
      advance();
    }
    static constexpr std::string_view kModes[] = {
        "access share", "row share",           "row exclusive", "share update exclusive",
        "share",        "share row exclusive", "exclusive",     "access exclusive"};
    if (std::find(std::begin(kModes), std::end(kModes), lock->mode) == std::end(kModes)) fail("a lock mode");
    expect(Keyword::kMode);
  }
  lock->nowait = accept(Keyword::kNowait);
  return lock;
}

StatementPtr StatementParser::parse_comment() {
  auto comment = make<CommentStatement>(position());
  expect(Keyword::kComment, Keyword::kOn);
  bool column = false;
  if (accept(Keyword::kTable)) {
    comment->object = ObjectKind::kTable;
  } else if (accept(Keyword::kColumn)) {
    comment->object = ObjectKind::kColumn;
    column = true;
  } else if (accept(Keyword::kView)) {
    comment->object = ObjectKind::kView;
  } else if (accept(Keyword::kMaterialized, Keyword::kView)) {
    comment->object = ObjectKind::kMaterializedView;
  } else if (accept(Keyword::kSchema)) {
    comment->object = ObjectKind::kSchema;
  } else if (accept(Keyword::kDatabase)) {
    comment->object = ObjectKind::kDatabase;
  } else if (accept(Keyword::kRole)) {
    comment->object = ObjectKind::kRole;
  } else if (is_label(token())) {
    unsupported(fmt::format("COMMENT ON {}", source()), position());
  } else {
    fail("the kind of an object");
  }
  if (column) {
    std::vector<Identifier> parts = parse_qualified_name("a column name");
    if (parts.size() < 2 || parts.size() > 4) {
      throw sql_error(sqlstate::kSyntaxError, "column name must be qualified")
          .with_position(parts[0].position);
    }
    comment->column = std::move(parts.back());
    parts.pop_back();
    comment->name.name = std::move(parts.back());
    parts.pop_back();
    if (!parts.empty()) {
      comment->name.schema = std::move(parts.back());
      parts.pop_back();
    }
    if (!parts.empty()) comment->name.database = std::move(parts.back());
  } else {
    comment->name = parse_object_name("a name");
  }
  expect(Keyword::kIs);
  if (!accept(Keyword::kNull)) comment->text = parse_string("a string or NULL");
  return comment;
}

}  // namespace idem::parser
