#pragma once

#include <vector>

#include "parser/ast_ddl.h"
#include "query/logical_plan.h"
#include "storage/schema.h"

namespace idem {

// What a table keeps of a query's column: names and single characters of the catalog are strings like others.
SqlType stored_type(SqlType type);
// The columns of a table that is to hold the rows of a query; the first of them may be given other names. 42601, 42P16.
std::vector<ColumnSchema> columns_of_query(const std::vector<ast::Identifier>& names,
                                           const std::vector<PlanColumn>& columns);

}  // namespace idem
