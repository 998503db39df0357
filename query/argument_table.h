#pragma once

#include <string_view>

#include "query/execution.h"

namespace idem {

// The table that the only argument of a function such as table_history('prices') names, by the session's
// search_path. Throws SqlError 22023 for other arguments, 42P01.
std::shared_ptr<const TableVersion> argument_table(ExecutionContext& c, const std::vector<Value>& arguments,
                                                   std::string_view function);

}  // namespace idem
