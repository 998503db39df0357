#pragma once

#include <cstdint>
#include <memory>

#include "query/bound_expression.h"
#include "query/evaluation.h"
#include "storage/vector.h"

namespace idem {

class ExpressionNode;

// One expression, ready to be computed over chunks. One thread at a time: each worker has its own. The
// expression must outlive it.
//
// Work is done on selected rows only, and an error comes only from a row that reaches the failing part: AND,
// OR, CASE and COALESCE narrow the rows that their later parts see. Parts without columns and slots are
// computed once. What a function says of a SYMBOL is remembered for each code of the dictionary.
class ExpressionEvaluator {
 public:
  explicit ExpressionEvaluator(const BoundExpression& expression);
  ~ExpressionEvaluator();
  ExpressionEvaluator(ExpressionEvaluator&&) noexcept;
  ExpressionEvaluator& operator=(ExpressionEvaluator&&) noexcept;

  // The values at the selected rows, in *result aligned to [0, input.size); other rows are undefined. *result
  // may be constant, and may share memory with `input`. Its type is that of the expression; SYMBOL columns
  // stay dictionary vectors. For an expression without columns `input` may have no columns; its size still
  // counts.
  void evaluate(EvaluationState& state, const DataChunk& input, Selection selection, Vector* result);

  // Of a boolean expression: writes the positions out of `in` at which it is true, ascending, and returns how
  // many. `out_rows` has room for in.count positions and may be the memory of `in`.
  uint32_t select(EvaluationState& state, const DataChunk& input, Selection in, uint16_t* out_rows);

  // Forgets results of subqueries: to be called before another execution of the same plan.
  void reset();

 private:
  std::unique_ptr<ExpressionNode> root_;
  SqlType type_;
};

// The value of an expression without columns: LIMIT, arguments of table functions, VALUES, defaults.
Value evaluate_constant(EvaluationState& state, const BoundExpression& expression);

}  // namespace idem
