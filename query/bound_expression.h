#pragma once

#include <memory>
#include <string>
#include <vector>

#include "query/aggregate.h"
#include "query/function.h"
#include "query/record_shape.h"
#include "storage/value.h"

namespace idem {

struct LogicalPlan;

// A typed expression over the columns of one input (a chunk). Trees are built by the binder, rewritten by the optimizer,
// evaluated by ExpressionEvaluator (expression_evaluator.h). Functions, operators and casts are one kind: kCall.
enum class BoundKind : uint8_t {
  kColumn,    // index: column of the input chunk
  kConstant,  // value
  kSlot,      // index: slot of EvaluationState (statement parameter, init plan result, correlated column)
  kCall,      // function over children; a relabelling cast has function->kernel null
  kAnd,       // children, two or more; three-valued, evaluated on shrinking selections
  kOr,
  kNot,         // one child
  kIsNull,      // one child; never NULL itself
  kIsDistinct,  // two children of one type: IS DISTINCT FROM
  kCase,      // children: when1, then1, when2, then2, …, else (always there; simple CASE is rewritten to =)
  kCoalesce,  // children of one type, evaluated lazily
  kInList,  // child 0 IN (other children); constants of one type are looked up in a set built once. All of one type, but
  // child 0 may be SYMBOL where the others are VARCHAR
  kSubquery,  // see SubqueryKind
};

enum class SubqueryKind : uint8_t {
  kScalar,  // value of the only row (21000 if there are more), NULL if none
  kExists,
  kAny,  // (children) <op> ANY (subquery): `comparison` is a boolean expression over the n children as columns 0 … n-1
         // and the subquery's n columns as n … 2n-1; n is 1 but for row comparisons
  kAll,
  kArray,  // ARRAY(SELECT …)
};

struct BoundExpression;
using BoundPtr = std::unique_ptr<BoundExpression>;

struct BoundExpression {
  BoundKind kind = BoundKind::kConstant;
  SqlType type;
  uint32_t position = 0;                     // of the text it came from, for errors at run time; 0 unknown
  uint32_t index = 0;                        // kColumn, kSlot
  Value value;                               // kConstant
  RecordShapePtr shape;                      // of a RECORD, where the binder knows it
  const ScalarFunction* function = nullptr;  // kCall
  CallTypes call_types;                      // kCall
  std::vector<BoundPtr> children;

  // kSubquery. Correlated: before each run, slot correlated[i].first takes the value of its expression over this input. With no correlated
  // columns it runs once per execution and is remembered. A subquery in a subquery gets columns of the outermost query by way of the one
  // between: its `correlated` then has a slot as expression.
  SubqueryKind subquery_kind = SubqueryKind::kScalar;
  std::shared_ptr<const LogicalPlan> subquery;
  std::vector<std::pair<uint32_t, BoundPtr>> correlated;
  BoundPtr comparison;  // kAny, kAll

  static BoundPtr column(uint32_t index, SqlType type);
  static BoundPtr constant(Value value);
  static BoundPtr slot(uint32_t index, SqlType type);
  static BoundPtr call(const ResolvedCall& call, std::vector<BoundPtr> children);
  static BoundPtr make(BoundKind kind, SqlType type, std::vector<BoundPtr> children);

  BoundPtr clone() const;
  bool equals(const BoundExpression& other) const;  // structurally; used for GROUP BY matching
  bool is_constant() const { return kind == BoundKind::kConstant; }
  bool is_column() const { return kind == BoundKind::kColumn; }
};

// Calls fn on every column reference of the tree, correlated ones included (their expressions are over this input).
void for_each_column(const BoundExpression& expression, const std::function<void(uint32_t)>& fn);
void remap_columns(BoundExpression& expression, const std::function<uint32_t(uint32_t)>& new_index);
// Constant or slot-free immutable tree: may be computed once at planning. Stable functions are left to execution.
bool is_foldable(const BoundExpression& expression);
std::string expression_text(const BoundExpression& expression,
                            const std::vector<std::string>& column_names);  // for EXPLAIN

struct BoundAggregate {
  const AggregateFunction* function = nullptr;
  CallTypes types;
  std::vector<BoundPtr> arguments;
  bool distinct = false;
  BoundPtr filter;  // null: none
  struct Order {
    BoundPtr expression;
    bool descending = false, nulls_first = false;
  };
  // Inside the call; makes the operator sort the group's rows first. Of WITHIN GROUP (ORDER BY x): `arguments` are the direct
  // arguments, then x (percentile_cont(0.5) WITHIN GROUP (ORDER BY x) is resolved as percentile_cont(double, x)).
  std::vector<Order> order_by;
  std::string name;
};

bool equal_expressions(const std::vector<BoundPtr>& a, const std::vector<BoundPtr>& b);
bool equal_aggregates(const BoundAggregate& a, const BoundAggregate& b);

}  // namespace idem
