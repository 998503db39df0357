#pragma once

#include <memory>
#include <vector>

#include "parser/ast_statement.h"
#include "query/binder.h"

namespace idem {

// The rows that a MERGE acts on, as a query over target ⋈ source:
//
//   column 0        INTEGER  number of the WHEN clause that acts, the first that holds; NULL: none
//   column 1        BIGINT   position of the target row (RowPosition::packed); NULL: there is none
//   columns 2 …     the row after the action, in the order of the table (of DELETE: as it is stored); a
//   SYMBOL
//                   that a clause sets is VARCHAR
//   then, where there is RETURNING, the columns of the source, whose tables are `source_tables`
//
// Values of a clause are evaluated only for rows on which it acts. The join keeps rows without a match only
// where a clause wants them.
struct MergeRows {
  BoundQuery query;
  std::vector<ScopeTable> source_tables;
};
// `target` is the version that the statement sees. Throws SqlError with the position of what was wrong.
MergeRows bind_merge_rows(const ast::MergeStatement& statement, std::shared_ptr<const TableVersion> target,
                          const NameResolver& names, ParameterTypes& parameters);

}  // namespace idem
