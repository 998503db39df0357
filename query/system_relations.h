#pragma once

#include <memory>
#include <string_view>

#include "query/logical_plan.h"

namespace idem {

// Relations that the server makes up: pg_catalog.*, information_schema.*, and functions such as tables(),
// table_columns('t'), table_partitions('t'), sessions(), wal_status(), memory(). Null if there is none of that name.
// Lower case; `schema` is "pg_catalog" or "information_schema".
std::shared_ptr<const VirtualTable> find_system_relation(std::string_view schema, std::string_view name);
std::shared_ptr<const VirtualTable> find_system_function(std::string_view name);

}  // namespace idem
