#include "parser/statement_parser.h"

namespace idem::parser {

using namespace ast;

// BEGIN [WORK|TRANSACTION] modes, START TRANSACTION modes, BEGIN RUN 'key' …
StatementPtr StatementParser::parse_begin() {
  auto begin = make<TransactionStatement>(position());
  begin->action = TransactionStatement::Action::kBegin;
  if (accept(Keyword::kStart)) {
    begin->start = true;
    expect(Keyword::kTransaction);
  } else {
    expect(Keyword::kBegin);
    if (at(Keyword::kRun)) return parse_begin_run(begin->position);
    if (!accept(Keyword::kWork)) accept(Keyword::kTransaction);
  }
  begin->modes = parse_transaction_modes();
  return begin;
}

// BEGIN RUN 'key' [ON REPLAY SKIP | RESTORE [FORCE]] [modes]
StatementPtr StatementParser::parse_begin_run(uint32_t at_position) {
  auto run = make<TransactionStatement>(at_position);
  run->action = TransactionStatement::Action::kBeginRun;
  expect(Keyword::kRun);
  run->run_key = parse_string("a run's key");
  if (accept(Keyword::kOn)) {
    expect(Keyword::kReplay);
    if (accept(Keyword::kRestore)) {
      run->on_replay = TransactionStatement::OnReplay::kRestore;
      run->force = accept(Keyword::kForce);
    } else {
      expect(Keyword::kSkip);
    }
  }
  run->modes = parse_transaction_modes();
  return run;
}

IsolationLevel StatementParser::parse_isolation_level() {
  if (accept(Keyword::kSerializable)) return IsolationLevel::kSerializable;
  if (accept(Keyword::kRepeatable)) {
    expect(Keyword::kRead);
    return IsolationLevel::kRepeatableRead;
  }
  expect(Keyword::kRead);
  if (accept(Keyword::kUncommitted)) return IsolationLevel::kReadUncommitted;
  expect(Keyword::kCommitted);
  return IsolationLevel::kReadCommitted;
}

TransactionModes StatementParser::parse_transaction_modes() {
  TransactionModes modes;
  for (;;) {
    if (accept(Keyword::kIsolation)) {
      expect(Keyword::kLevel);
      modes.isolation = parse_isolation_level();
    } else if (accept(Keyword::kRead)) {
      modes.read_only = accept(Keyword::kOnly);
      if (!*modes.read_only) expect(Keyword::kWrite);
    } else if (accept(Keyword::kDeferrable)) {
      modes.deferrable = true;
    } else if (token().keyword == Keyword::kNot && next_is(Keyword::kDeferrable)) {
      expect(Keyword::kNot, Keyword::kDeferrable);
      modes.deferrable = false;
    } else {
      return modes;
    }
    accept(TokenKind::kComma);
  }
}

StatementPtr StatementParser::parse_commit() {
  auto commit = make<TransactionStatement>(position());
  commit->action = TransactionStatement::Action::kCommit;
  advance();
  if (at(Keyword::kPrepared)) unsupported("COMMIT PREPARED", position());
  if (!accept(Keyword::kWork)) accept(Keyword::kTransaction);
  commit->chain = parse_chain();
  return commit;
}

bool StatementParser::parse_chain() {
  if (!accept(Keyword::kAnd)) return false;
  const bool no = accept(Keyword::kNo);
  expect(Keyword::kChain);
  return !no;
}

// ROLLBACK, ABORT, ROLLBACK TO [SAVEPOINT] name
StatementPtr StatementParser::parse_rollback() {
  auto rollback = make<TransactionStatement>(position());
  rollback->action = TransactionStatement::Action::kRollback;
  const bool abort = token().keyword == Keyword::kAbort;
  advance();
  if (!abort && at(Keyword::kPrepared)) unsupported("ROLLBACK PREPARED", position());
  if (!accept(Keyword::kWork)) accept(Keyword::kTransaction);
  if (!abort && accept(Keyword::kTo)) {
    accept(Keyword::kSavepoint);
    rollback->action = TransactionStatement::Action::kRollbackTo;
    rollback->savepoint = parse_name("a savepoint name");
    return rollback;
  }
  rollback->chain = parse_chain();
  return rollback;
}

// SAVEPOINT name, RELEASE [SAVEPOINT] name
StatementPtr StatementParser::parse_savepoint(TransactionStatement::Action action) {
  auto statement = make<TransactionStatement>(position());
  statement->action = action;
  advance();
  if (action == TransactionStatement::Action::kRelease) accept(Keyword::kSavepoint);
  statement->savepoint = parse_name("a savepoint name");
  return statement;
}

// ---- cursors

StatementPtr StatementParser::parse_declare() {
  auto declare = make<DeclareCursorStatement>(position());
  expect(Keyword::kDeclare);
  declare->name = parse_name("a cursor name");
  for (;;) {
    if (accept(Keyword::kBinary)) {
      declare->binary = true;
    } else if (accept(Keyword::kInsensitive)) {
      declare->insensitive = true;
    } else if (accept(Keyword::kAsensitive)) {
      declare->asensitive = true;
    } else if (accept(Keyword::kScroll)) {
      declare->scroll = true;
    } else if (accept(Keyword::kNo)) {
      expect(Keyword::kScroll);
      declare->scroll = false;
    } else {
      break;
    }
  }
  expect(Keyword::kCursor);
  if (accept(Keyword::kWith)) {
    expect(Keyword::kHold);
    declare->hold = true;
  } else if (accept(Keyword::kWithout)) {
    expect(Keyword::kHold);
  }
  expect(Keyword::kFor);
  declare->query = parse_query();
  return declare;
}

StatementPtr StatementParser::parse_fetch(bool move) {
  using Direction = FetchStatement::Direction;
  auto fetch = make<FetchStatement>(position());
  fetch->move = move;
  advance();
  const auto count_or_all = [&](bool required) {
    if (accept(Keyword::kAll)) {
      fetch->all = true;
    } else if (required || token().kind == TokenKind::kInteger || is_operator("-") || is_operator("+")) {
      fetch->count = parse_signed_integer("a number of rows");
    }
  };
  // A direction's word may also be the cursor's name: FETCH next.
  const bool last = next_is(TokenKind::kEnd) || next_is(TokenKind::kSemicolon);
  switch (last ? Keyword::kNotKeyword : token().keyword) {
    case Keyword::kNext: advance(); break;
    case Keyword::kPrior:
      advance();
      fetch->direction = Direction::kBackward;
      break;
    case Keyword::kFirst:
    case Keyword::kLast:
      fetch->direction = Direction::kAbsolute;
      fetch->count = token().keyword == Keyword::kFirst ? 1 : -1;
      advance();
      break;
    case Keyword::kAbsolute:
    case Keyword::kRelative:
      fetch->direction = token().keyword == Keyword::kAbsolute ? Direction::kAbsolute : Direction::kRelative;
      advance();
      fetch->count = parse_signed_integer("a number of rows");
      break;
    case Keyword::kForward:
    case Keyword::kBackward:
      fetch->direction = token().keyword == Keyword::kForward ? Direction::kForward : Direction::kBackward;
      advance();
      count_or_all(false);
      break;
    default: count_or_all(false); break;
  }
  if (!accept(Keyword::kFrom)) accept(Keyword::kIn);
  fetch->cursor = parse_name("a cursor name");
  return fetch;
}

StatementPtr StatementParser::parse_close() {
  auto close = make<CloseCursorStatement>(position());
  expect(Keyword::kClose);
  if (accept(Keyword::kAll)) {
    close->all = true;
  } else {
    close->cursor = parse_name("a cursor name");
  }
  return close;
}

}  // namespace idem::parser
