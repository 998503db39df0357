#pragma once

#include "parser/ast_query.h"

namespace idem::ast {

// Deep copies, positions included.
ExpressionPtr clone(const Expression& expression);
QueryPtr clone(const Query& query);
TableRefPtr clone(const TableRef& table);
WindowSpec clone(const WindowSpec& window);

}  // namespace idem::ast
