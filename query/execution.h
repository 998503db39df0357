#pragma once

#include <functional>
#include <memory>

#include "query/logical_plan.h"

namespace idem {

// A running query whose result is pulled chunk by chunk: by a portal (with row limits), a cursor, INSERT … SELECT or COPY.
//
// Chunks come in the order that the plan promises (table order where it has no ORDER BY). Workers run ahead by a bounded
// number of chunks and then wait, so that a slow reader costs little memory; they stop when the stream is destroyed. next()
// is called by one thread at a time (any thread) and may take part in the work. The snapshot stays alive with the stream.
class ResultStream {
 public:
  virtual ~ResultStream() = default;
  // Fills *chunk (dense or with a selection); false at the end. Throws the query's error, once.
  virtual bool next(DataChunk* chunk) = 0;
  virtual const std::vector<PlanColumn>& columns() const = 0;
};

// `context` and what it points to must outlive the stream. `parameters`: values of $1 …, of query.parameter_types.
std::unique_ptr<ResultStream> execute(const BoundQuery& query, std::shared_ptr<ExecutionContext> context,
                                      const std::vector<Value>& parameters);

// A small result as a whole, by the calling thread: catalog look-ups, correlated subqueries, EXPLAIN.
void execute_plan_inline(const LogicalPlan& plan, EvaluationState& state,
                         const std::function<bool(DataChunk&)>& consume);

}  // namespace idem
