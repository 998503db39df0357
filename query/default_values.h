#pragma once

#include <vector>

#include "query/bound_expression.h"
#include "query/evaluation.h"

namespace idem {

// The defaults of a table's columns while a statement writes rows that lack them: computed once, but volatile ones (random()) for
// each row.
class DefaultValues {
 public:
  // `defaults`: of each column, over no input. Both arguments must outlive it.
  DefaultValues(const std::vector<BoundPtr>& defaults, EvaluationState& state);

  bool is_volatile(size_t column) const { return volatile_[column]; }
  const Value& next(size_t column);  // of another row
  const Value& last(size_t column) const { return values_[column]; }

 private:
  const std::vector<BoundPtr>& defaults_;
  EvaluationState& state_;
  std::vector<Value> values_;
  std::vector<bool> volatile_;
};

}  // namespace idem
