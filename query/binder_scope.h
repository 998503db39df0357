#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "parser/ast_query.h"
#include "query/logical_plan.h"

// What names mean at a place of a query. Used by the binder alone.
namespace idem::binding {

// A column that a name can mean: an expression over the input of the place (mostly a plain column; a COALESCE
// for a merged column of FULL JOIN … USING).
struct ScopeColumn {
  std::string name;
  SqlType type;
  std::shared_ptr<const BoundExpression> expression;
  TableId table{};
  uint32_t attribute = 0;

  BoundPtr reference() const { return expression->clone(); }
};

// One item of a FROM list under its alias.
struct Relation {
  std::string alias;   // "" where a subquery has none
  std::string schema;  // of a table without alias: schema.table.column; else ""
  std::vector<ScopeColumn> columns;
};

struct Scope;
struct ExpressionContext;

// A query's way out to the query around it. A column found out there becomes a slot, which whoever runs the
// inner query sets first.
struct OuterLink {
  const Scope* scope = nullptr;
  // Where the inner query stands as an expression: aggregates over outer columns alone belong there. Null in FROM.
  ExpressionContext* context = nullptr;
  std::vector<std::pair<uint32_t, BoundPtr>> correlated;  // slot, expression over the input of `scope`
};

struct Scope {
  std::vector<Relation> relations;       // for qualified names
  std::vector<ScopeColumn> visible;      // for unqualified names and stars, merged columns once
  std::optional<ScopeColumn> timestamp;  // the designated timestamp, where the input has one
  OuterLink* outer = nullptr;

  size_t find_relation(std::string_view alias, std::string_view schema, bool quoted) const;  // SIZE_MAX: none
};

// Unquoted names compare case-insensitively, an exact match goes first.
bool name_matches(std::string_view stored, const ast::Identifier& name);
bool equal_ignoring_case(std::string_view a, std::string_view b);
// Positions of the columns that the name means; more than one is ambiguous.
std::vector<size_t> find_columns(const std::vector<ScopeColumn>& columns, const ast::Identifier& name);

ScopeColumn plain_column(std::string name, SqlType type, uint32_t index, RecordShapePtr shape = nullptr);
// Copies with every column reference moved: the scope of a join's right side within the join.
void shift_columns(std::vector<ScopeColumn>& columns, uint32_t by);
void shift_scope(Scope& scope, uint32_t by);

// The nearest of `candidates` by edit distance, as PostgreSQL looks for it (at most 3 edits, fewer than half
// of the name); "" if none.
std::string nearest_name(std::string_view name, const std::vector<std::string>& candidates);

}  // namespace idem::binding
