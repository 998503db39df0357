#include "parser/parser.h"

#include "parser/statement_parser.h"

namespace idem::parser {

namespace {

// Runs `parse` over the text; when it fails for its syntax, once more to find out what was expected.
template <class Parse>
auto run(std::string_view text, Parse parse) {
  if (text.size() > UINT32_MAX - 16) {
    throw sql_error(sqlstate::kProgramLimitExceeded, "a text of {} bytes is too long", text.size());
  }
  const Tokens tokens = tokenize(text);
  try {
    StatementParser parser(text, tokens, false);
    return parse(parser);
  } catch (const SqlError& error) {
    if (error.sqlstate() != sqlstate::kSyntaxError || !error.hint().empty()) throw;
  }
  StatementParser parser(text, tokens, true);
  return parse(parser);
}

template <class Parse>
auto run_whole(std::string_view text, Parse parse) {
  return run(text, [&](StatementParser& parser) {
    auto result = parse(parser);
    if (!parser.at_end()) parser.fail();
    return result;
  });
}

}  // namespace

ParsedStatement StatementParser::parse_statement_with_range() {
  ParsedStatement result;
  result.offset = token().offset;
  parameter_count_ = 0;
  select_into_.reset();
  result.statement = parse_statement();
  result.parameter_count = parameter_count_;
  const Token& last = (&token())[-1];
  result.length = last.offset + last.length - result.offset;
  return result;
}

std::vector<ParsedStatement> StatementParser::parse_all() {
  std::vector<ParsedStatement> statements;
  for (;;) {
    while (token().kind == TokenKind::kSemicolon) advance();
    if (at_end()) return statements;
    statements.push_back(parse_statement_with_range());
    if (!at_end() && token().kind != TokenKind::kSemicolon) fail();
  }
}

std::vector<ParsedStatement> parse_statements(std::string_view sql) {
  return run(sql, [](StatementParser& parser) { return parser.parse_all(); });
}

ParsedStatement parse_one(std::string_view sql) {
  std::vector<ParsedStatement> statements = parse_statements(sql);
  if (statements.empty()) return {};
  if (statements.size() > 1) {
    throw sql_error(sqlstate::kSyntaxError, "cannot insert multiple commands into a prepared statement");
  }
  return std::move(statements.front());
}

ast::ExpressionPtr parse_expression(std::string_view text) {
  return run_whole(text, [](StatementParser& parser) { return parser.parse_expression(); });
}

ast::QueryPtr parse_query(std::string_view text) {
  return run_whole(text, [](StatementParser& parser) { return parser.parse_query(); });
}

ast::TypeName parse_type_name(std::string_view text) {
  return run_whole(text, [](StatementParser& parser) { return parser.parse_type_name(); });
}

ast::ObjectName parse_object_name(std::string_view text) {
  return run_whole(text, [](StatementParser& parser) { return parser.parse_object_name("a name"); });
}

}  // namespace idem::parser
