#pragma once

#include <memory>
#include <vector>

#include "query/bound_expression.h"

namespace idem {

class ExpressionEvaluator;

// Several expressions over one input, evaluated by one thread. Plain columns are references to the input's
// vectors.
class ColumnExpressions {
 public:
  // The expressions and `state` outlive this object.
  ColumnExpressions(const std::vector<BoundPtr>& expressions, EvaluationState& state);
  ColumnExpressions(const std::vector<const BoundExpression*>& expressions, EvaluationState& state);
  ~ColumnExpressions();
  ColumnExpressions(ColumnExpressions&&) noexcept;

  size_t size() const { return items_.size(); }
  // out[i] = expression i at the selected rows of `input`. Vectors in `out` are reused where nobody else
  // holds them.
  void evaluate(const DataChunk& input, Vector* out);
  void evaluate(const DataChunk& input, std::vector<Vector>* out);
  // Empties those of evaluate()'s vectors that are plain columns, so that the input's memory may be used again.
  void release(Vector* out) const;

 private:
  struct Item {
    uint32_t column = 0;
    std::unique_ptr<ExpressionEvaluator> evaluator;  // null: a plain column
  };
  void add(const BoundExpression& expression);
  EvaluationState* state_;
  std::vector<Item> items_;
};

}  // namespace idem
