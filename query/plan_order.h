#pragma once

#include "query/logical_plan.h"

namespace idem {

// True if rows come in ascending order of this output column (a designated timestamp as its table keeps it, a
// bucket of SAMPLE BY, the first key of a sort), whatever the column's NULLs.
bool is_ascending_by(const LogicalPlan& plan, uint32_t column);

// The smallest and largest value that the designated timestamp can have in this output column, by what tables
// and scan ranges say; false if nothing is known.
bool timestamp_bounds(const LogicalPlan& plan, uint32_t column, int64_t* min, int64_t* max);

}  // namespace idem
