#pragma once

#include <memory>
#include <set>
#include <vector>

#include "parser/ast_statement.h"
#include "query/binder.h"
#include "query/expression_evaluator.h"
#include "storage/transaction.h"

namespace idem {

// Where the rows of INSERT OVERWRITE, INSERT … REPLACE WHERE and COPY … (OVERWRITE) go: takes out of the
// transaction's version of the table what they replace, then puts them in.
//
//   kAll          every row, at once
//   kPartitions   the partitions named, at once; a row outside them is 22023
//   kDynamic      each partition when its first row comes
//   kReplaceWhere the rows that meet the condition, at once; a new row that does not meet it is 23514
//
// The query that gives the rows must have been started before: it sees the rows from before.
class OverwriteTarget {
 public:
  OverwriteTarget(Transaction& transaction, std::shared_ptr<const TableSchema> schema);

  void replace_all();
  // By name, as in the statement: 22023 for one that is none of this table's.
  void replace_partitions(const std::vector<std::string>& names);
  void replace_partitions_with_rows();
  // `condition` over the table's columns; `met`: the rows that meet it, sorted.
  void replace_where(std::shared_ptr<const BoundExpression> condition, const std::vector<RowPosition>& met);

  void insert(ColumnBatch&& rows, EvaluationState& state);

 private:
  void check_condition(const ColumnBatch& rows, EvaluationState& state);
  std::set<int64_t> partitions_of(const ColumnBatch& rows) const;

  Transaction& transaction_;
  const std::shared_ptr<const TableSchema> schema_;
  ast::Overwrite kind_ = ast::Overwrite::kAll;
  std::set<int64_t> partitions_;  // that were taken out
  std::shared_ptr<const BoundExpression> condition_;
  std::unique_ptr<ExpressionEvaluator> evaluator_;
};

}  // namespace idem
