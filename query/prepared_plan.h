#pragma once

#include <functional>
#include <memory>

#include "query/execution.h"

namespace idem {

class Operator;
class MorselStream;

// A plan whose operators are built once and run any number of times by one thread: correlated subqueries,
// LATERAL sides. Each run sees the slot values that `state` has then. Keeps its buffers between runs.
class PreparedPlan {
 public:
  // `context` is that of the execution and outlives this object.
  PreparedPlan(std::shared_ptr<const LogicalPlan> plan, ExecutionContext& context);
  ~PreparedPlan();
  PreparedPlan(const PreparedPlan&) = delete;
  PreparedPlan& operator=(const PreparedPlan&) = delete;

  // Hands all chunks to `consume` until it returns false. Must not be called from within `consume`.
  void run(EvaluationState& state, const std::function<bool(DataChunk&)>& consume);

 private:
  struct Inner;
  std::unique_ptr<Inner> inner_;
};

}  // namespace idem
