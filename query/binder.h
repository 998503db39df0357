#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "parser/ast_query.h"
#include "query/logical_plan.h"

namespace idem {

struct UnionShape;

// What names mean while a statement is bound. The session provides it.
class NameResolver {
 public:
  virtual ~NameResolver() = default;
  virtual const Snapshot& snapshot() const = 0;
  virtual std::shared_ptr<const TableVersion> find_table(
      const std::vector<std::string>& name) const = 0;  // search_path, temp first
  virtual std::shared_ptr<const ViewSchema> find_view(const std::vector<std::string>& name) const = 0;
  virtual std::shared_ptr<const VirtualTable> find_virtual_table(
      const std::vector<std::string>& name) const = 0;  // pg_class …
  virtual std::shared_ptr<const VirtualTable> find_virtual_function(
      const std::string& name) const = 0;  // tables() …
  virtual SessionInfo& session() const = 0;
  // VERSION AS OF and the like. Throws SqlError 22023, 42704; 0A000 where there are no past versions.
  virtual std::shared_ptr<const TableVersion> find_past_version(
      const std::shared_ptr<const TableVersion>& table, const ast::VersionClause& clause) const;
  // table_changes() and changes_of(): relations whose columns depend on their arguments. Null for any other call.
  virtual std::shared_ptr<const VirtualTable> bind_change_function(const ast::FunctionCall&) const {
    return nullptr;
  }
  // 42501 unless whoever acts may read it. A name with a schema is looked up only if that may be used.
  virtual void check_read(const TableSchema&) const {}
  virtual void check_read(const ViewSchema&) const {}
  virtual void check_schema(const std::string& /*schema*/, Privilege) const {}
  // What views were bound to before, for this resolver's names; null where nothing is kept.
  virtual std::shared_ptr<const UnionShape> find_kept_view(const ViewSchema&) const { return nullptr; }
  virtual void keep_view(const ViewSchema&, std::shared_ptr<const UnionShape>) const {}
  // From here on this role acts ("": the session's); gives the one before. What a view reads is read as its owner.
  virtual std::string act_as(std::string /*role*/) const { return {}; }
};

// Declared parameter types in, inferred ones out: kUnknown where the client left them open (they end as
// TEXT).
struct ParameterTypes {
  std::vector<SqlType> types;
  // Of a statement that is executed once as it is bound: what its parameters are. Plans do not depend on them, but that of a query over
  // a view of many tables is made for them, since the time that it asks for leaves few of these. Must outlive the binding.
  std::span<const Value> values = {};
  bool only_described =
      false;  // the plan of such a query is not even made: its columns are what is asked for
};

// Plans come out optimized: they can be given to execute() as they are. All functions throw SqlError with the
// position of what was wrong. `with` is the WITH clause of a statement around the query (WITH … INSERT …
// SELECT), or null.
BoundQuery bind_query(const ast::Query& query, const NameResolver& names, ParameterTypes& parameters,
                      const ast::With* with = nullptr);

// The rows of INSERT … VALUES and INSERT … SELECT. Untyped literals and parameters take the columns' types;
// everything is cast by assignment (42804), so the plan's columns are exactly those of `columns`. A row may
// be shorter than `columns`: the rest is the default; DEFAULT in VALUES is too. 42601 if there are more.
struct InsertColumn {
  std::string name;
  SqlType type;
  const ast::Expression* default_value = nullptr;  // null: NULL
  std::optional<uint32_t>
      listed_at;  // its position in the statement's list of columns; then it must be given
};
BoundQuery bind_insert_rows(const ast::Query& query, const std::vector<InsertColumn>& columns,
                            const NameResolver& names, ParameterTypes& parameters,
                            const ast::With* with = nullptr);

// An expression over the columns of tables (defaults, DO UPDATE SET, MERGE's clauses …), or over none. Column
// i of the input is the i-th of all columns of `scope`, one table after the other. *slot_count (may be null)
// is the number of slots that its evaluation needs.
struct ScopeTable {
  std::string alias;
  std::vector<PlanColumn> columns;
  bool hidden = false;        // neither stars nor unqualified names find it
  bool last_in_star = false;  // a star lists its columns behind those of the other tables
};
// The alias of the one-column table that merge_action() in RETURNING reads.
inline constexpr char kMergeActionScope[] = "merge_action()";
BoundPtr bind_expression(const ast::Expression& expression, const std::vector<ScopeTable>& scope,
                         const NameResolver& names, ParameterTypes& parameters,
                         SqlType wanted = TypeId::kUnknown,  // cast by assignment to `wanted` if known
                         uint32_t* slot_count = nullptr);

// RETURNING: a select list with stars expanded, without aggregates. Its subqueries may read the queries of
// `with`.
struct BoundItem {
  PlanColumn column;
  BoundPtr expression;
};
std::vector<BoundItem> bind_returning(const std::vector<ast::SelectItem>& items,
                                      const std::vector<ScopeTable>& scope, const NameResolver& names,
                                      ParameterTypes& parameters, uint32_t* slot_count = nullptr,
                                      const ast::With* with = nullptr);

// A plan that delivers the rows of `table` (alias, FROM list, WHERE) with their position first, then
// `outputs`: the source of UPDATE and DELETE. Column 0 is the row position; then all columns of the table,
// then `outputs` bound over table and FROM list and cast by assignment to their types (kUnknown: as they
// are), then all columns of the FROM list (for RETURNING), whose tables are `from_tables`.
struct TargetOutput {
  const ast::Expression* value = nullptr;  // of (a, b) = (query): the query, for each of the columns
  SqlType type;                            // of the column it goes to
  std::string column;                      // for messages
  size_t field = 0, fields = 1;            // which column of how many of the query
};
struct TargetRows {
  BoundQuery query;
  std::vector<ScopeTable> from_tables;
};
TargetRows bind_target_rows(const ast::ObjectName& table, const std::string& alias,
                            const std::vector<ast::TableRefPtr>& from, const ast::Expression* where,
                            const std::vector<TargetOutput>& outputs, const NameResolver& names,
                            ParameterTypes& parameters, const ast::With* with = nullptr);

// What SET gives columns, where an expression stands for a row that there is already (ON CONFLICT DO UPDATE).
struct BoundAssignments {
  std::vector<BoundPtr> rows;    // of each (a, b) = (query) one composite value, computed once
  std::vector<BoundPtr> values;  // of each column, over the input and, behind its columns, `rows`
};
// Over the columns of `scope`, as bind_expression().
BoundAssignments bind_assignments(const std::vector<TargetOutput>& outputs,
                                  const std::vector<ScopeTable>& scope, const NameResolver& names,
                                  ParameterTypes& parameters, uint32_t* slot_count);

}  // namespace idem
