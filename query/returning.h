#pragma once

#include <deque>
#include <memory>
#include <vector>

#include "query/binder.h"
#include "query/expression_evaluator.h"
#include "query/session_state.h"
#include "storage/column_batch.h"

namespace idem {

// RETURNING: expressions over the rows that a statement wrote (or removed), collected until the statement is done.
class Returning {
 public:
  Returning(const std::vector<ast::SelectItem>& items, const TableSchema& schema, const std::string& alias, const SessionState& session,
            ParameterTypes& parameters);

  const std::vector<PlanColumn>& columns() const { return columns_; }
  void add(const ColumnBatch& rows, EvaluationState& state);
  std::deque<DataChunk> take() { return std::move(chunks_); }

 private:
  std::vector<PlanColumn> columns_;
  std::vector<BoundPtr> expressions_;
  std::vector<std::unique_ptr<ExpressionEvaluator>> evaluators_;
  std::deque<DataChunk> chunks_;
};

// The columns of a table as a scope for expressions.
std::vector<ScopeTable> table_scope(const TableSchema& schema, const std::string& alias);

}  // namespace idem
