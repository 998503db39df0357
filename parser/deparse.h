#pragma once

#include <string>

#include "parser/parser.h"

namespace idem::parser {

// Canonical SQL text of a tree: one line, keywords in upper case, names quoted only where they must be,
// parentheses where precedence asks for them. Parsing it gives the same tree but for positions.
std::string deparse(const ast::Expression& expression);
std::string deparse(const ast::Query& query);
std::string deparse(const ast::Statement& statement);
std::string deparse(const ast::TypeName& type);
std::string deparse(const ast::ObjectName& name);

// Two texts that differ in white space, comments, case of keywords and unquoted names only have the same
// normalized text.
std::string normalized_text(const ParsedStatement& statement);

// The name of an output column without an alias, as PostgreSQL chooses it: the column's, function's or
// type's name, or "?column?".
std::string output_name(const ast::Expression& expression);

// The name as it must be written to be read back: quoted where it is not a plain lower-case word or is
// reserved.
std::string quote_identifier(std::string_view name);
// 'text' with quotes doubled.
std::string quote_literal(std::string_view text);

}  // namespace idem::parser
