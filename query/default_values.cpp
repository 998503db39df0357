#include "query/default_values.h"

#include "query/expression_evaluator.h"
#include "query/plan_walk.h"

namespace idem {

DefaultValues::DefaultValues(const std::vector<BoundPtr>& defaults, EvaluationState& state)
    : defaults_(defaults), state_(state) {
  for (const BoundPtr& value : defaults) {
    values_.push_back(evaluate_constant(state, *value));
    volatile_.push_back(idem::is_volatile(*value));
  }
}

const Value& DefaultValues::next(size_t column) {
  if (volatile_[column]) values_[column] = evaluate_constant(state_, *defaults_[column]);
  return values_[column];
}

}  // namespace idem
