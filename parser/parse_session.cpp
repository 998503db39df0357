#include "parser/statement_parser.h"

namespace idem::parser {

using namespace ast;

// ---- SET, RESET, SHOW

std::string StatementParser::parse_setting_name() {
  std::string name = fold_identifier(parse_label("the name of a setting").text);
  while (accept(TokenKind::kDot)) name += "." + fold_identifier(parse_label("the name of a setting").text);
  return name;
}

std::string StatementParser::parse_setting_word() {
  if (is_string_token(token().kind)) return take_string();
  if (is_label(token())) return take_identifier().text;
  std::string text;
  if (is_operator("-") || is_operator("+")) {
    if (is_operator("-")) text = "-";
    advance();
    if (token().kind == TokenKind::kNumberWithUnit) fail("a number");
  }
  if (token().kind != TokenKind::kInteger && token().kind != TokenKind::kDecimal &&
      token().kind != TokenKind::kNumberWithUnit) {
    fail("a value");
  }
  text += source();
  advance();
  return text;
}

std::vector<std::string> StatementParser::parse_setting_values() {
  std::vector<std::string> values;
  do { values.push_back(parse_setting_word()); } while (accept(TokenKind::kComma));
  return values;
}

StatementPtr StatementParser::parse_set() {
  const uint32_t begin = position();
  auto set = make<SetStatement>(begin);
  expect(Keyword::kSet);
  if (at(Keyword::kTransaction)) return parse_set_transaction(begin, false);
  if (token().keyword == Keyword::kSession && next_is(Keyword::kCharacteristics)) {
    expect(Keyword::kSession, Keyword::kCharacteristics);
    expect(Keyword::kAs);
    if (!at(Keyword::kTransaction)) fail();
    return parse_set_transaction(begin, true);
  }
  if (at(Keyword::kConstraints)) {
    advance();
    return unsupported_statement("SET CONSTRAINTS", begin);
  }
  const bool scope = (token().keyword == Keyword::kSession || token().keyword == Keyword::kLocal) &&
                     !next_is(Keyword::kAuthorization) && !next_is(Keyword::kTo) && !is_operator("=", 1) &&
                     !next_is(TokenKind::kDot);
  if (scope) {
    set->local = token().keyword == Keyword::kLocal;
    advance();
  }
  parse_named_setting(*set);
  return set;
}

void StatementParser::parse_named_setting(SetStatement& set) {
  if (accept(Keyword::kTime, Keyword::kZone)) {
    parse_time_zone(set);
    return;
  }
  const bool assignment = next_is(Keyword::kTo) || is_operator("=", 1) || next_is(TokenKind::kDot);
  std::string_view special;
  if (!assignment) {
    if (accept(Keyword::kNames)) {
      special = "client_encoding";
    } else if (accept(Keyword::kRole)) {
      special = "role";
    } else if (accept(Keyword::kSession, Keyword::kAuthorization)) {
      special = "session_authorization";
    } else if (accept(Keyword::kSchema)) {
      special = "search_path";
    }
  }
  if (!special.empty()) {
    set.name = special;
    const bool end = at_end() || token().kind == TokenKind::kSemicolon;
    if (accept(Keyword::kDefault) || (end && special == "client_encoding")) {
      set.to_default = true;
    } else {
      set.values.push_back(parse_setting_word());
    }
    return;
  }
  set.name = parse_setting_name();
  if (!accept(Keyword::kTo) && !accept_operator("=")) {
    note_expected("TO");
    fail("=");
  }
  if (accept(Keyword::kDefault)) {
    set.to_default = true;
  } else {
    set.values = parse_setting_values();
  }
}

// SET TIME ZONE 'Europe/Berlin' | -3 | INTERVAL '+02:00' HOUR TO MINUTE | LOCAL | DEFAULT
void StatementParser::parse_time_zone(SetStatement& set) {
  set.name = "timezone";
  if (accept(Keyword::kLocal) || accept(Keyword::kDefault)) {
    set.to_default = true;
  } else if (token().keyword == Keyword::kInterval) {
    advance();
    set.values.push_back(parse_string("an interval"));
    parse_interval_fields();
  } else {
    set.values.push_back(parse_setting_word());
  }
}

StatementPtr StatementParser::parse_set_transaction(uint32_t at_position, bool session) {
  auto set = make<SetTransactionStatement>(at_position);
  set->session = session;
  expect(Keyword::kTransaction);
  if (!session && accept(Keyword::kSnapshot)) {
    set->snapshot = parse_string("a snapshot's id");
    return set;
  }
  const Token* first = &token();
  set->modes = parse_transaction_modes();
  if (first == &token()) fail();
  return set;
}

StatementPtr StatementParser::parse_reset() {
  auto reset = make<ResetStatement>(position());
  expect(Keyword::kReset);
  if (accept(Keyword::kAll)) {
    reset->all = true;
  } else if (accept(Keyword::kTime, Keyword::kZone)) {
    reset->name = "timezone";
  } else if (accept(Keyword::kTransaction)) {
    expect(Keyword::kIsolation, Keyword::kLevel);
    reset->name = "transaction_isolation";
  } else if (accept(Keyword::kSession, Keyword::kAuthorization)) {
    reset->name = "session_authorization";
  } else {
    reset->name = parse_setting_name();
  }
  return reset;
}

StatementPtr StatementParser::parse_show() {
  using What = ShowStatement::What;
  auto show = make<ShowStatement>(position());
  expect(Keyword::kShow);
  const auto of_table = [&](What what) {
    show->what = what;
    if (!accept(Keyword::kFrom)) expect(Keyword::kIn);
    show->object = parse_object_name("a table name");
  };
  if (accept(Keyword::kAll)) {
    show->what = What::kAll;
  } else if (accept(Keyword::kTables)) {
    show->what = What::kTables;
    if (accept(Keyword::kFrom) || accept(Keyword::kIn)) show->object.schema = parse_label("a schema name");
  } else if (accept(Keyword::kColumns)) {
    of_table(What::kColumns);
  } else if (accept(Keyword::kPartitions)) {
    of_table(What::kPartitions);
  } else if (accept(Keyword::kCreate)) {
    show->what = What::kCreateView;
    if (accept(Keyword::kTable)) {
      show->what = What::kCreateTable;
    } else if (!accept(Keyword::kView)) {
      expect(Keyword::kMaterialized, Keyword::kView);
    }
    show->object = parse_object_name(show->what == What::kCreateTable ? "a table name" : "a view name");
  } else if (accept(Keyword::kParameters)) {
    show->what = What::kParameters;
  } else if (accept(Keyword::kLast, Keyword::kWrite)) {
    show->what = What::kLastWrite;
  } else if (accept(Keyword::kTransaction, Keyword::kIsolation)) {
    expect(Keyword::kLevel);
    show->setting = "transaction_isolation";
  } else if (accept(Keyword::kTime, Keyword::kZone)) {
    show->setting = "timezone";
  } else if (accept(Keyword::kSession, Keyword::kAuthorization)) {
    show->setting = "session_authorization";
  } else {
    show->setting = parse_setting_name();
  }
  return show;
}

StatementPtr StatementParser::parse_describe() {
  auto describe = make<DescribeHistoryStatement>(position());
  expect(Keyword::kDescribe, Keyword::kHistory);
  describe->table = parse_object_name("a table name");
  if (accept(Keyword::kLimit)) describe->limit = parse_integer("a number");
  return describe;
}

// ---- PREPARE, EXECUTE, DEALLOCATE, EXPLAIN

StatementPtr StatementParser::parse_prepare() {
  auto prepare = make<PrepareStatement>(position());
  expect(Keyword::kPrepare);
  if (at(Keyword::kTransaction) && is_string_token(peek().kind))
    unsupported("PREPARE TRANSACTION", position());
  prepare->name = parse_name("a name");
  if (accept(TokenKind::kLeftParen)) {
    do { prepare->parameter_types.push_back(parse_type_name()); } while (accept(TokenKind::kComma));
    expect(TokenKind::kRightParen);
  }
  expect(Keyword::kAs);
  const uint32_t outer = std::exchange(parameter_count_, 0);
  prepare->statement = parse_explainable();
  prepare->parameter_count = std::exchange(parameter_count_, outer);
  return prepare;
}

StatementPtr StatementParser::parse_execute() {
  auto execute = make<ExecuteStatement>(position());
  expect(Keyword::kExecute);
  execute->name = parse_name("the name of a prepared statement");
  if (accept(TokenKind::kLeftParen)) {
    execute->arguments = parse_expression_list();
    expect(TokenKind::kRightParen);
  }
  return execute;
}

StatementPtr StatementParser::parse_deallocate() {
  auto deallocate = make<DeallocateStatement>(position());
  expect(Keyword::kDeallocate);
  if (token().keyword == Keyword::kPrepare && !next_is(TokenKind::kEnd) && !next_is(TokenKind::kSemicolon))
    advance();
  if (accept(Keyword::kAll)) {
    deallocate->all = true;
  } else {
    deallocate->name = parse_name("the name of a prepared statement");
  }
  return deallocate;
}

StatementPtr StatementParser::parse_explain() {
  auto explain = make<ExplainStatement>(position());
  expect(Keyword::kExplain);
  if (token().kind == TokenKind::kLeftParen && !at_query(1) && !next_is(TokenKind::kLeftParen)) {
    for (Option& option : parse_options()) {
      const bool on = option.value != "false" && option.value != "off" && option.value != "0";
      if (option.name == "analyze" || option.name == "analyse") {
        explain->analyze = on;
      } else if (option.name == "verbose") {
        explain->verbose = on;
      } else {
        explain->options.push_back(std::move(option));
      }
    }
  } else {
    explain->analyze = accept(Keyword::kAnalyze) || accept(Keyword::kAnalyse);
    explain->verbose = accept(Keyword::kVerbose);
  }
  explain->statement = parse_explainable();
  return explain;
}

// ---- DISCARD, LISTEN

StatementPtr StatementParser::parse_discard() {
  using What = DiscardStatement::What;
  auto discard = make<DiscardStatement>(position());
  expect(Keyword::kDiscard);
  if (accept(Keyword::kAll)) {
    discard->what = What::kAll;
  } else if (accept(Keyword::kPlans)) {
    discard->what = What::kPlans;
  } else if (accept(Keyword::kSequences)) {
    discard->what = What::kSequences;
  } else {
    if (!accept(Keyword::kTemp)) expect(Keyword::kTemporary);
    discard->what = What::kTemporary;
  }
  return discard;
}

StatementPtr StatementParser::parse_listen(ListenStatement::Action action) {
  auto listen = make<ListenStatement>(position());
  listen->action = action;
  advance();
  if (action == ListenStatement::Action::kUnlisten && accept_operator("*")) {
    listen->action = ListenStatement::Action::kUnlistenAll;
    return listen;
  }
  listen->channel = parse_name("a channel");
  if (action == ListenStatement::Action::kNotify && accept(TokenKind::kComma)) {
    listen->payload = parse_string("a string");
  }
  return listen;
}

}  // namespace idem::parser
