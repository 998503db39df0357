#pragma once

#include <deque>
#include <memory>
#include <vector>

#include "query/binder.h"
#include "query/expression_evaluator.h"
#include "query/session_state.h"
#include "storage/column_batch.h"

namespace idem {

// The columns of a table as a scope for expressions.
std::vector<ScopeTable> table_scope(const TableSchema& schema, const std::string& alias);

// RETURNING: expressions over the rows that a statement wrote (or removed) and those of its FROM or USING
// list, collected until the statement is done.
class Returning {
 public:
  // What the list may read.
  struct Source {
    std::vector<ScopeTable> tables;  // the target, then the FROM or USING list
    const ast::With* with = nullptr;
  };
  Returning(const std::vector<ast::SelectItem>& items, const Source& source, const SessionState& session,
            ParameterTypes& parameters);

  const std::vector<PlanColumn>& columns() const { return columns_; }
  // `others`: the rows of the tables after the first beside them, column by column.
  void add(const ColumnBatch& rows, EvaluationState& state, const std::vector<BatchColumn>& others = {});
  std::deque<DataChunk> take() { return std::move(chunks_); }

 private:
  std::vector<PlanColumn> columns_;
  std::vector<BoundPtr> expressions_;
  std::vector<std::unique_ptr<ExpressionEvaluator>> evaluators_;
  uint32_t slot_count_ = 0;
  std::deque<DataChunk> chunks_;
};

}  // namespace idem
