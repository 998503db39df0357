#pragma once

#include "query/logical_plan.h"

namespace idem {

// Guesses of how many rows a plan gives, from exact row counts of tables and usual selectivities. At least 1
// unless the plan is known to be empty.
double estimate_rows(const LogicalPlan& plan);

// Of a condition over rows of `input`: the part of rows that meets it, 0 … 1.
double estimate_selectivity(const BoundExpression& condition, const LogicalPlan& input);

// How many different values an expression over `input` has at most, as far as that is known; otherwise a
// guess from the rows.
double estimate_distinct(const BoundExpression& expression, const LogicalPlan& input, double rows);

// Rows of a table version that partitions within a time range hold.
uint64_t rows_in_range(const TableVersion& table, const ScanRange& range);

// Bytes of one output row, as EXPLAIN shows it.
uint32_t row_width(const LogicalPlan& plan);

}  // namespace idem
