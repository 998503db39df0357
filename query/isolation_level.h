#pragma once

#include <string_view>

#include "parser/ast_session.h"

namespace idem {

// As SET and SHOW spell it: "repeatable read".
std::string_view isolation_level_name(ast::IsolationLevel level);
// The level of such a name, in lower case, for the parameter `setting`: else 22023.
ast::IsolationLevel isolation_level_named(std::string_view name, std::string_view setting);
// 0A000 for SERIALIZABLE.
void check_isolation_level(ast::IsolationLevel level);

}  // namespace idem
