#pragma once

#include <memory>

#include "query/logical_plan.h"
#include "query/session_state.h"

namespace idem {

// table_changes('t', from [, to]) and changes_of('slot' [, rows]) in FROM: a relation whose columns are those
// of the table, so that their arguments must be known when the statement is bound. Null for a call of
// anything else. Throws SqlError 22023, 42704, 42P01.
std::shared_ptr<const VirtualTable> bind_change_function(SessionState& session,
                                                         const ast::FunctionCall& call);

}  // namespace idem
