#pragma once

#include "query/logical_plan.h"

namespace idem {

// True if rows come in ascending order of this output column (a designated timestamp as its table keeps it, a
// bucket of SAMPLE BY, the first key of a sort), whatever the column's NULLs.
bool is_ascending_by(const LogicalPlan& plan, uint32_t column);
bool is_descending_by(const LogicalPlan& plan, uint32_t column);

// Whether the output column is a designated timestamp as its tables keep it: ascending and never NULL.
bool is_table_time(const LogicalPlan& plan, uint32_t column);

// True if an expression over the output of `plan` is never NULL and never falls from one row to the next: the
// table's time, or its start of an hour, day, ….
bool rises_with_time(const BoundExpression& expression, const LogicalPlan& plan);

// The smallest and largest value that the designated timestamp can have in this output column, by what tables
// and scan ranges say; false if nothing is known.
bool timestamp_bounds(const LogicalPlan& plan, uint32_t column, int64_t* min, int64_t* max);

}  // namespace idem
