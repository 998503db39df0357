#pragma once

#include <optional>

#include "parser/ast_expression.h"

namespace idem::ast {

using QueryPtr = std::unique_ptr<Query>;

struct SelectItem {
  ExpressionPtr expression;  // may be a Star
  Identifier alias;
};

// ---- FROM

enum class TableRefKind : uint8_t { kTable, kFunction, kSubquery, kJoin };

struct TableRef {
  const TableRefKind kind;
  uint32_t position = 0;
  Identifier alias;
  std::vector<Identifier> column_aliases;  // t(a, b)

  virtual ~TableRef();
  TableRef(const TableRef&) = delete;
  TableRef& operator=(const TableRef&) = delete;

 protected:
  explicit TableRef(TableRefKind k) : kind(k) {}
};
using TableRefPtr = std::unique_ptr<TableRef>;

// VERSION AS OF n; FOR SYSTEM_TIME AS OF x and TIMESTAMP AS OF x; AT TAG 'name'
struct VersionClause {
  enum class Kind : uint8_t { kVersion, kTimestamp, kTag };
  Kind kind = Kind::kVersion;
  ExpressionPtr value;
  uint32_t position = 0;
};

struct TableSample {
  std::string method;  // bernoulli, system, lower case
  ExpressionList arguments;
  ExpressionPtr repeatable;
};

struct NamedTable final : TableRef {
  static constexpr TableRefKind kKind = TableRefKind::kTable;
  NamedTable() : TableRef(kKind) {}
  ObjectName name;
  bool only = false;
  std::unique_ptr<VersionClause> version;
  std::unique_ptr<TableSample> sample;
};

struct ColumnTypePair {
  Identifier name;
  TypeName type;
};

// f(…) AS alias(a, b) or alias(a int, b text); ROWS FROM (f(…), g(…)) has several calls.
struct TableFunction final : TableRef {
  static constexpr TableRefKind kKind = TableRefKind::kFunction;
  TableFunction() : TableRef(kKind) {}
  std::vector<std::unique_ptr<FunctionCall>> calls;
  bool rows_from = false;
  bool lateral = false;
  bool with_ordinality = false;
  std::vector<ColumnTypePair> column_definitions;
};

struct DerivedTable final : TableRef {
  static constexpr TableRefKind kKind = TableRefKind::kSubquery;
  DerivedTable();
  ~DerivedTable() override;
  QueryPtr query;
  bool lateral = false;
};

enum class JoinKind : uint8_t { kInner, kLeft, kRight, kFull, kCross, kAsof, kLt, kSplice, kWindow };

// A length of time as in SAMPLE BY 5m, TOLERANCE 1h: units as in dialect.md §8, one letter of U T s m h d w
// M y.
struct TimeSpan {
  int64_t count = 1;
  char unit = 'h';
  uint32_t position = 0;
};

// RANGE BETWEEN 1 minute PRECEDING AND 1 minute FOLLOWING of a WINDOW JOIN; no span: CURRENT ROW.
struct WindowJoinBound {
  FrameBound::Kind kind = FrameBound::Kind::kCurrentRow;
  std::optional<TimeSpan> span;
};

// A parenthesised join may have an alias. For the time-series joins `ON (a, b)`, `ON a` and USING name key
// columns.
struct Join final : TableRef {
  static constexpr TableRefKind kKind = TableRefKind::kJoin;
  Join() : TableRef(kKind) {}
  JoinKind join = JoinKind::kInner;
  bool natural = false;
  TableRefPtr left, right;
  ExpressionPtr on;  // at most one of `on` and `using_columns`
  std::vector<Identifier> using_columns;
  Identifier using_alias;  // JOIN … USING (a) AS x
  std::optional<TimeSpan> tolerance;
  bool has_window_range = false;  // WINDOW JOIN … RANGE BETWEEN
  WindowJoinBound window_start, window_end;
  bool include_prevailing = true;
};

// ---- SELECT

struct SampleBy {
  enum class FillKind : uint8_t { kNone, kNull, kPrev, kLinear, kValue };
  enum class Align : uint8_t { kDefault, kCalendar, kFirstObservation };
  struct Fill {
    FillKind kind = FillKind::kNone;
    ExpressionPtr value;  // kValue
  };
  TimeSpan span;
  ExpressionPtr from, to;  // may be null
  std::vector<Fill> fill;
  Align align = Align::kDefault;
  ExpressionPtr time_zone, offset;  // may be null
  uint32_t position = 0;
};

struct LatestOn {
  ExpressionPtr timestamp;  // a ColumnRef
  ExpressionList partition_by;
  bool before_where = false;  // written before WHERE
  uint32_t position = 0;
};

struct GroupItem {
  enum class Kind : uint8_t { kExpression, kEmpty, kRollup, kCube, kGroupingSets };
  Kind kind = Kind::kExpression;
  ExpressionPtr expression;        // kExpression; a Row groups by its items
  std::vector<GroupItem> members;  // of ROLLUP, CUBE, GROUPING SETS
  uint32_t position = 0;
};

struct NamedWindow {
  Identifier name;
  WindowSpec spec;
};

struct Select {
  enum class Distinct : uint8_t { kNone, kDistinct, kOn };
  Distinct distinct = Distinct::kNone;
  ExpressionList distinct_on;
  std::vector<SelectItem> items;  // FROM t alone: one Star; may be empty, as in PostgreSQL
  std::vector<TableRefPtr> from;  // comma list
  ExpressionPtr where;
  std::unique_ptr<SampleBy> sample_by;
  std::unique_ptr<LatestOn> latest_on;
  std::vector<GroupItem> group_by;
  bool group_by_distinct = false;
  ExpressionPtr having;
  std::vector<NamedWindow> windows;
};

struct CommonTableExpression {
  enum class Materialized : uint8_t { kDefault, kAlways, kNever };
  Identifier name;
  std::vector<Identifier> columns;
  Materialized materialized = Materialized::kDefault;
  QueryPtr query;
};

struct With {
  bool recursive = false;
  std::vector<CommonTableExpression> tables;
  uint32_t position = 0;
};

enum class SetOperator : uint8_t { kUnion, kIntersect, kExcept };

// LIMIT n (negative: the last n), LIMIT a, b (rows a to b, `range`), FETCH FIRST n ROWS [WITH TIES]. LIMIT
// ALL is null.
struct Limit {
  ExpressionPtr count;
  ExpressionPtr range_start;  // LIMIT a, b: a; `count` is b
  ExpressionPtr offset;
  bool with_ties = false;

  bool empty() const { return !count && !range_start && !offset; }
};

struct LockingClause {
  enum class Strength : uint8_t { kUpdate, kNoKeyUpdate, kShare, kKeyShare };
  Strength strength = Strength::kUpdate;
  std::vector<ObjectName> tables;
  bool nowait = false;
  bool skip_locked = false;
};

enum class QueryKind : uint8_t { kSelect, kValues, kSetOperation };

// A SELECT, VALUES or set operation with what may stand around it. TABLE t is SELECT * FROM t.
struct Query {
  QueryKind kind = QueryKind::kSelect;
  uint32_t position = 0;
  std::unique_ptr<With> with;
  std::unique_ptr<Select> select;                  // kSelect
  std::vector<ExpressionList> values;              // kValues
  SetOperator set_operator = SetOperator::kUnion;  // kSetOperation
  bool set_all = false;
  std::vector<QueryPtr> operands;  // two or more, folded from left to right by the one operator
  std::vector<OrderItem> order_by;
  Limit limit;
  std::vector<LockingClause> locking;
};

}  // namespace idem::ast
