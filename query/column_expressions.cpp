#include "query/column_expressions.h"

#include "query/expression_evaluator.h"

namespace idem {

ColumnExpressions::ColumnExpressions(const std::vector<BoundPtr>& expressions, EvaluationState& state)
    : state_(&state) {
  for (const BoundPtr& expression : expressions) add(*expression);
}
ColumnExpressions::ColumnExpressions(const std::vector<const BoundExpression*>& expressions,
                                     EvaluationState& state)
    : state_(&state) {
  for (const BoundExpression* expression : expressions) add(*expression);
}
ColumnExpressions::~ColumnExpressions() = default;
ColumnExpressions::ColumnExpressions(ColumnExpressions&&) noexcept = default;

void ColumnExpressions::add(const BoundExpression& expression) {
  Item item;
  if (expression.is_column()) {
    item.column = expression.index;
  } else {
    item.evaluator = std::make_unique<ExpressionEvaluator>(expression);
  }
  items_.push_back(std::move(item));
}

void ColumnExpressions::evaluate(const DataChunk& input, Vector* out) {
  for (size_t i = 0; i < items_.size(); ++i) {
    if (items_[i].evaluator) {
      items_[i].evaluator->evaluate(*state_, input, input.selection, &out[i]);
    } else {
      out[i] = input.columns[items_[i].column];
    }
  }
}

void ColumnExpressions::release(Vector* out) const {
  for (size_t i = 0; i < items_.size(); ++i) {
    if (!items_[i].evaluator) out[i] = Vector();
  }
}

void ColumnExpressions::evaluate(const DataChunk& input, std::vector<Vector>* out) {
  out->resize(items_.size());
  evaluate(input, out->data());
}

}  // namespace idem
