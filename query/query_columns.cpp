#include "query/query_columns.h"

#include "common/error.h"

namespace idem {

SqlType stored_type(SqlType type) {
  switch (type.id) {
    case TypeId::kUnknown: return TypeId::kText;
    case TypeId::kName:
    case TypeId::kInternalChar: return TypeId::kVarchar;
    default: return type;
  }
}

std::vector<ColumnSchema> columns_of_query(const std::vector<ast::Identifier>& names,
                                           const std::vector<PlanColumn>& columns) {
  if (names.size() > columns.size()) {
    throw SqlError(sqlstate::kSyntaxError, "too many column names were specified")
        .with_position(names.back().position);
  }
  std::vector<ColumnSchema> stored;
  for (size_t i = 0; i < columns.size(); i++) {
    ColumnSchema column;
    column.name = i < names.size() ? names[i].text : columns[i].name;
    column.type = stored_type(columns[i].type);
    if (column.type.id >= TypeId::kUnknown) {
      throw sql_error(sqlstate::kInvalidTableDefinition, "column \"{}\" has type {}, which is not for tables",
                      column.name, format_type(column.type))
          .with_hint("Cast it to another type.");
    }
    stored.push_back(std::move(column));
  }
  return stored;
}

}  // namespace idem
