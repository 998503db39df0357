#pragma once

#include <memory>
#include <string_view>
#include <vector>

#include "parser/ast_statement.h"
#include "query/binder.h"
#include "storage/schema.h"

namespace idem {

// An INSERT bound to the schema of its table. Immutable; kept with a prepared statement.
struct InsertPlan {
  std::shared_ptr<const TableSchema> schema;
  std::vector<int>
      source;  // of each table column: its place in a row or in the query's columns; -1: its default
  std::vector<BoundPtr> defaults;           // of each table column; NULL where it has none
  std::vector<std::vector<BoundPtr>> rows;  // VALUES that read nothing
  std::shared_ptr<const BoundQuery> query;  // any other query; null: `rows`
  bool is_direct = false;  // only rows, of parameters and constants alone: nothing is to be evaluated

  // Whether it may be used again for the same schema.
  bool is_cacheable() const;
};

// Table columns of a column list (all of them when it is empty): 42703, 42701.
std::vector<uint32_t> resolve_target_columns(const TableSchema& schema,
                                             const std::vector<ast::Identifier>& names);
// What SET gives to which columns of the table: 42703; one twice is 42601.
struct Assignments {
  std::vector<uint32_t> targets;
  std::vector<TargetOutput> outputs;         // of each; for DEFAULT the column's default
  std::vector<ast::ExpressionPtr> defaults;  // that outputs refer to
};
Assignments resolve_assignments(const TableSchema& schema, const std::vector<ast::Assignment>& assignments);
// The type that a value for a column of this type is cast to before it is stored (SYMBOL takes VARCHAR).
SqlType assignment_type(SqlType column_type);
// The stored default of a column as a tree, null if it has none; and bound (NULL if it has none).
ast::ExpressionPtr parse_default(const ColumnSchema& column);
BoundPtr bind_default(const ColumnSchema& column, const NameResolver& names);

std::shared_ptr<const InsertPlan> plan_insert(std::shared_ptr<const TableSchema> schema,
                                              const ast::InsertStatement& statement,
                                              const NameResolver& names, ParameterTypes& parameters);

}  // namespace idem
