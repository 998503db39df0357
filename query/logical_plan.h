#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "query/bound_expression.h"
#include "storage/table_scan.h"

namespace idem {

struct PlanColumn {
  std::string name;
  SqlType type;
  TableId table{};         // origin of a plain column, for RowDescription; TableId{0} otherwise
  uint32_t attribute = 0;  // 1-based position in the table
  RecordShapePtr shape;    // of a RECORD, where the binder knows it
};

enum class PlanKind : uint8_t {
  kScan,           // a table version
  kVirtualScan,    // pg_catalog, information_schema, tables() …: rows made by a provider
  kTableFunction,  // generate_series(…), unnest(…); arguments may be slots (LATERAL)
  kValues,
  kFilter,
  kProject,
  kProjectSet,  // set-returning functions of a select list
  kAggregate,
  kSampleBy,
  kLatestOn,
  kJoin,
  kWindowJoin,  // each left row, with aggregates over right rows of a time around its own
  kSort,
  kLimit,
  kDistinct,
  kUnionAll,
  kSetOperation,  // INTERSECT / EXCEPT [ALL]
  kWindow,
  kMaterialize,  // a CTE read more than once: computed once per execution, by `shared_id`
  kRecursive,    // WITH RECURSIVE: child 0 the start, child 1 the step, which reads kWorkingTable
  kWorkingTable,
};

enum class JoinType : uint8_t { kInner, kLeft, kRight, kFull, kCross, kSemi, kAnti, kAsof, kLt };

struct SortKey {
  BoundPtr expression;
  bool descending = false, nulls_first = false;
};

// Calendar buckets of SAMPLE BY.
struct SampleSpec {
  int64_t count = 1;
  char unit = 'm';                // U T s m h d w M y
  bool align_to_calendar = true;  // false: FIRST OBSERVATION
  std::string time_zone;          // "" = UTC
  int64_t offset_micros = 0;
  std::optional<int64_t> from, to;
  enum class Fill : uint8_t { kNone, kNull, kPrev, kLinear, kValue };
  std::vector<Fill> fill;  // empty: none; one for all; or one per aggregate
  std::vector<Value> fill_values;
};

// A condition column <op> value on a table column whose value is known only at execution (parameters, init plans, now()). Evaluate `value`
// once before planning the scan (it refers to no column; its type is that of the column) and narrow the time range or the bounds
// by it; a NULL value lets no row through. The condition itself is also in scan_filter.
struct DynamicBound {
  enum class Op : uint8_t { kEqual, kLess, kLessEqual, kGreater, kGreaterEqual };
  uint32_t column = 0;  // index into the schema
  Op op = Op::kEqual;
  BoundPtr value;
};

// One call of kProjectSet.
struct SetCall {
  const TableFunction* function = nullptr;
  std::vector<SqlType> types;       // of the arguments, as TableFunction::bind gave them
  std::vector<BoundPtr> arguments;  // over the child
  uint32_t column_count = 1;
};

// Provider of a virtual relation: appends all of its rows for this context.
class VirtualTable {
 public:
  virtual ~VirtualTable() = default;
  virtual const std::vector<PlanColumn>& columns() const = 0;
  virtual void produce(ExecutionContext& context, const std::vector<Value>& arguments,
                       const std::function<void(DataChunk&)>& emit) const = 0;
};

// A query as a tree of relational operators. Each node's output is `columns`; expressions in a node refer by index to the
// output of its child (joins: left columns, then right columns). Built by the binder, rewritten by optimize(), run by execute().
struct LogicalPlan {
  PlanKind kind = PlanKind::kValues;
  std::vector<PlanColumn> columns;
  std::vector<std::shared_ptr<LogicalPlan>> children;

  // kScan: output column i is table column scan_columns[i]; UINT32_MAX is the row position (BIGINT, RowPosition::packed).
  std::shared_ptr<const TableVersion> table;
  // `table` has no rows, only the schema; rows are those of the version in the execution's snapshot.
  bool reads_snapshot = false;
  std::vector<uint32_t> scan_columns;
  ScanRange scan_range;
  std::vector<ScanBound> scan_bounds;  // derived from filters, for pruning
  BoundPtr
      scan_filter;  // over the scan's output; evaluated inside the scan (late materialization). Null: none
  bool ordered_by_time = true;  // whether a reader needs table order
  bool backwards = false;  // newest first: last partition, slice and row first (exact reverse of table order)
  std::vector<DynamicBound> dynamic_bounds;
  std::optional<uint64_t> limit_hint;  // nobody reads more rows than these (after scan_filter): stop early

  std::shared_ptr<const VirtualTable> virtual_table;  // kVirtualScan
  const TableFunction* table_function = nullptr;      // kTableFunction
  std::vector<SqlType> function_types;
  bool with_ordinality = false;

  std::vector<BoundPtr>
      expressions;  // kProject: outputs; kTableFunction, kVirtualScan: arguments; kFilter: one condition
  std::vector<std::vector<BoundPtr>> rows;  // kValues

  // kProjectSet: output is the child's columns, then those of each call. A row is repeated as often as its longest call has rows, shorter
  // ones are filled with NULL; a row for which no call has rows is dropped.
  std::vector<SetCall> set_calls;

  // kAggregate, kSampleBy: output is groups, then aggregates (kSampleBy: bucket timestamp first, then groups, then aggregates).
  std::vector<BoundPtr> groups;
  std::vector<BoundAggregate> aggregates;            // kWindowJoin too
  std::vector<std::vector<uint32_t>> grouping_sets;  // indices into groups; empty: one set of all
  bool with_set_index = false;  // kAggregate: a last column (INTEGER) is the index into grouping_sets
  SampleSpec sample;
  BoundPtr sample_timestamp;                // kSampleBy; the child is ordered by it
  uint32_t timestamp_column = 0;            // kLatestOn: over child columns
  std::vector<uint32_t> partition_columns;  // kLatestOn

  JoinType join_type = JoinType::kInner;
  std::vector<std::pair<BoundPtr, BoundPtr>>
      join_keys;            // left expression = right expression (over left / right columns alone)
  BoundPtr join_condition;  // the rest, over left ++ right; null: none
  // LATERAL: for each left row these slots are set from it, then the right child is run anew (kInner, kLeft, kCross).
  std::vector<std::pair<uint32_t, BoundPtr>> correlated;
  std::optional<int64_t> tolerance_micros;           // kAsof, kLt
  uint32_t left_timestamp = 0, right_timestamp = 0;  // kAsof, kLt, kWindowJoin: over left, over right columns
  // kWindowJoin: output is the left columns, then aggregates over left ++ right. join_keys as for kJoin.
  struct TimeWindow {
    int64_t start = 0, end = 0;  // microseconds from the left row's time, both included
    bool prevailing = true;      // also the last right row before the window

    int64_t start_for(int64_t time) const { return moved(time, start); }
    int64_t end_for(int64_t time) const { return moved(time, end); }
    static int64_t moved(int64_t time, int64_t by) {
      int64_t sum = 0;
      return __builtin_add_overflow(time, by, &sum) ? (by < 0 ? INT64_MIN : INT64_MAX) : sum;
    }
  };
  TimeWindow time_window;

  std::vector<SortKey> sort_keys;     // kSort, kLimit as top-N (filled by the optimizer)
  BoundPtr limit, offset;             // kLimit; over no input. A negative constant limit takes the last rows
  std::vector<BoundPtr> distinct_on;  // kDistinct: empty = all columns
  bool set_all = false, set_except = false;  // kSetOperation

  struct Window {               // kWindow: output is the child's columns, then one per window
    ResolvedCall call;          // function null when aggregate.function is set
    std::string function_name;  // row_number, rank, first_value, …
    BoundAggregate aggregate;
    std::vector<BoundPtr> arguments;
    std::vector<BoundPtr> partition_by;
    std::vector<SortKey> order_by;
    enum class Mode : uint8_t { kRows, kRange, kGroups } mode = Mode::kRange;
    enum class Bound : uint8_t {
      kUnboundedPreceding,
      kPreceding,
      kCurrentRow,
      kFollowing,
      kUnboundedFollowing
    };
    Bound start = Bound::kUnboundedPreceding, end = Bound::kCurrentRow;
    BoundPtr start_offset, end_offset;
    enum class Exclude : uint8_t { kNoOthers, kCurrentRow, kGroup, kTies } exclude = Exclude::kNoOthers;
    SqlType type;
  };
  std::vector<Window> windows;

  uint32_t shared_id = 0;  // kMaterialize, kRecursive, kWorkingTable
};

using PlanPtr = std::shared_ptr<LogicalPlan>;

// What a bound SELECT needs besides its tree.
struct BoundQuery {
  PlanPtr plan;
  std::vector<SqlType> parameter_types;  // of $1 …, as declared or inferred
  uint32_t slot_count = 0;               // parameters, init plans and correlated columns
  // Uncorrelated scalar subqueries, run before the plan; each result goes into a slot.
  std::vector<std::pair<uint32_t, PlanPtr>> init_plans;
  std::vector<std::shared_ptr<const TableVersion>> tables;  // that were looked up for it
  // Whether the plan is right only for the rows of these versions, or (of a past version, say) for this execution alone.
  bool is_for_once = false;
  // It was made for the values of its parameters, which left out nothing that a plan for any values would read.
  bool gains_nothing_by_values = false;
};

// Equivalent and cheaper. `context` (may be null) is what constant folding may ask: session, snapshot, time zone. The plans of subqueries
// and init plans are optimized with it where they hang in its expressions. *uses_rows (may be null) becomes true if the
// result is right only for the rows that the table versions have.
PlanPtr optimize(PlanPtr plan, ExecutionContext* context = nullptr, bool* uses_rows = nullptr);

}  // namespace idem
