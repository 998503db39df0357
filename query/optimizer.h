#pragma once

#include <span>
#include <unordered_set>
#include <vector>

#include "query/logical_plan.h"

// The optimizer's rules, one file each. Each takes a plan and gives an equivalent one; optimize() in
// optimizer.cpp has their order. Plans are trees but for what stands under kMaterialize, which several
// readers share and which is planned once on its own.
namespace idem::optimizer {

// State of planning one statement.
struct Planning {
  ExecutionContext* context = nullptr;              // may be null
  std::unordered_set<const LogicalPlan*> finished;  // plans of subqueries and CTEs that are done
  bool uses_rows = false;                           // something was taken from what tables know of their rows
};

PlanPtr optimize_plan(PlanPtr plan, Planning& planning);

// Constant parts are computed, conditions simplified. An expression whose computation fails is left to fail
// at run time.
void fold_constants(LogicalPlan& plan, Planning& planning);
void fold_expression(BoundPtr& expression, Planning& planning);

// [NOT] EXISTS and IN of subqueries in WHERE become semi and anti joins where only equalities or other plain
// conditions tie them.
PlanPtr unnest_subqueries(PlanPtr plan);

// Conditions move as far down as they may; outer joins that a condition makes inner become so.
PlanPtr push_down_conditions(PlanPtr plan);
// Over this plan's columns. What cannot move below stays in a filter above.
PlanPtr push_conditions(PlanPtr plan, std::vector<BoundPtr> conditions);
// True if the condition cannot hold where all columns in [from, to) are NULL.
bool rejects_nulls(const BoundExpression& condition, uint32_t from, uint32_t to);

// Equalities between the two sides of joins become keys; trees of inner joins are put in order of size.
PlanPtr order_joins(PlanPtr plan);

// Unions of tables that views stand for (TableUnion) get their scans: of the tables that can have rows in the times that the
// conditions above leave.
PlanPtr expand_unions(PlanPtr plan, Planning& planning);

// Conditions on the designated timestamp become the range of a scan, others its bounds.
void find_scan_ranges(LogicalPlan& plan, Planning& planning);

// ASOF and LT joins read the right rows of the left side's time, and the last ones before it.
PlanPtr narrow_time_joins(PlanPtr plan);

// Groups that depend on other groups are not grouped by; sums that differ by constants are made of one.
PlanPtr simplify_aggregations(PlanPtr plan);

// Projections of projections become one, those that change nothing go.
PlanPtr merge_projections(PlanPtr plan);
// Columns that nobody reads go.
PlanPtr prune_columns(PlanPtr plan);

// Sorts that the order of tables makes superfluous go or become scans backwards; LIMIT moves down.
PlanPtr use_order_and_limits(PlanPtr plan);
// A filter on row_number(), rank() or dense_rank() tells the window below, in its limit_hint, that nobody reads
// rows for which all of these are larger. All windows of the node are such, of one order.
PlanPtr limit_partitions(PlanPtr plan);
// count(*), min and max of the timestamp from what tables know; DISTINCT of what is grouped already.
PlanPtr use_known_facts(PlanPtr plan, Planning& planning);

// Columns of an expression all within [from, to).
bool reads_only(const BoundExpression& expression, uint32_t from, uint32_t to);
void shift_columns(BoundExpression& expression, int64_t by);
PlanPtr make_filter(PlanPtr child, std::vector<BoundPtr> conditions);
// A plan of no rows with these columns.
PlanPtr make_empty(std::vector<PlanColumn> columns);
// Output columns `kept` of the child, in that order, under these names.
PlanPtr make_selection(PlanPtr child, std::span<const uint32_t> kept);

}  // namespace idem::optimizer
