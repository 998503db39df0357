#pragma once

#include <string_view>
#include <vector>

#include "parser/ast_statement.h"

// Text to syntax tree. Errors are SqlError with a position: 42601 like PostgreSQL's with a hint that says
// what was expected, 0A000 for syntax that is known and not supported, 54001 for expressions nested too
// deeply. Functions are pure: any thread may call them. Texts up to 4 GiB.
namespace idem::parser {

struct ParsedStatement {
  ast::StatementPtr statement;
  uint32_t offset =
      0;  // of its first token in the whole text, from 0; positions in the tree count from the text's begin
  uint32_t length = 0;           // up to its last token, without the semicolon
  uint32_t parameter_count = 0;  // the highest n of its $n
};

// All statements of a simple Query, none for an empty text. One syntax error anywhere and nothing is
// returned.
std::vector<ParsedStatement> parse_statements(std::string_view sql);

// The text of a Parse message: at most one statement (42601 otherwise); `statement` is null for an empty
// text.
ParsedStatement parse_one(std::string_view sql);

// A stored default, a policy's condition. The whole text must be one expression.
ast::ExpressionPtr parse_expression(std::string_view text);
// The query of a stored view.
ast::QueryPtr parse_query(std::string_view text);
ast::TypeName parse_type_name(std::string_view text);
// "schema.table", 'table', "Table": the argument of functions such as table_history() and of ::regclass.
ast::ObjectName parse_object_name(std::string_view text);

}  // namespace idem::parser
