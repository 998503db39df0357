#pragma once

#include "query/binder.h"
#include "query/binder_scope.h"

namespace idem::binding {

// A relation that a statement reads beside its target, as RETURNING names it. Each of its columns is handed to `add` together with
// the expression that gives it.
template <class Add>
ScopeTable source_table(const Relation& relation, const Add& add) {
  ScopeTable table;
  table.alias = relation.alias;
  for (const ScopeColumn& column : relation.columns) {
    table.columns.push_back(
        {column.name, column.type, column.table, column.attribute, column.expression->shape});
    add(table.columns.back(), column.reference());
  }
  return table;
}

}  // namespace idem::binding
