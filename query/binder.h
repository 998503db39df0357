#pragma once

#include <memory>
#include <string>
#include <vector>

#include "parser/ast_statement.h"
#include "query/logical_plan.h"

namespace idem {

// What names mean while a statement is bound. The session provides it.
class NameResolver {
 public:
  virtual ~NameResolver() = default;
  virtual const Snapshot& snapshot() const = 0;
  virtual std::shared_ptr<const TableVersion> find_table(const std::vector<std::string>& name) const = 0;  // search_path, temp first
  virtual std::shared_ptr<const ViewSchema> find_view(const std::vector<std::string>& name) const = 0;
  virtual std::shared_ptr<const VirtualTable> find_virtual_table(const std::vector<std::string>& name) const = 0;     // pg_class …
  virtual std::shared_ptr<const VirtualTable> find_virtual_function(const std::string& name) const = 0;               // tables() …
  virtual SessionInfo& session() const = 0;
};

// Declared parameter types in, inferred ones out: kUnknown where the client left them open (they end as TEXT).
struct ParameterTypes {
  std::vector<SqlType> types;
};

BoundQuery bind_query(const ast::Query& query, const NameResolver& names, ParameterTypes& parameters);

// An expression over the columns of one table (defaults, UPDATE SET, DELETE WHERE, RETURNING, ON CONFLICT …), or over none.
struct ScopeTable {
  std::string alias;
  std::vector<PlanColumn> columns;
};
BoundPtr bind_expression(const ast::Expression& expression, const std::vector<ScopeTable>& scope, const NameResolver& names,
                         ParameterTypes& parameters, SqlType wanted = TypeId::kUnknown);  // cast by assignment to `wanted` if known

// A plan that delivers the rows of `table` (alias, FROM list, WHERE) with their position first, then `outputs`: the source of
// UPDATE and DELETE. Column 0 is the row position; then all columns of the table, then `outputs` bound over table and FROM list.
struct TargetRows {
  BoundQuery query;
};
TargetRows bind_target_rows(const ast::TableName& table, const std::string& alias, const std::vector<std::unique_ptr<ast::FromItem>>& from,
                            const ast::Expression* where, const std::vector<std::pair<const ast::Expression*, SqlType>>& outputs,
                            const NameResolver& names, ParameterTypes& parameters);

}  // namespace idem
