#pragma once

#include "query/function_registry.h"

namespace idem {

// Functions of one subject, registered with those that they belong to.
void register_json_edit_functions(FunctionRegistry& registry);
void register_json_path_functions(FunctionRegistry& registry);
void register_degree_functions(FunctionRegistry& registry);
void register_bytea_functions(FunctionRegistry& registry);

}  // namespace idem
