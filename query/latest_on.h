#pragma once

#include "query/logical_plan.h"
#include "query/scan_operator.h"
#include "query/stored_rows.h"

namespace idem {

// LATEST ON over a scan: reads newest rows first, takes the first row of each key that it meets, and stops
// when every symbol of the key's dictionary was met. Rows come in time order.
class LatestOnScanOperator final : public StoredRowsOperator {
 public:
  // `scan` reads backwards (Direction::kBackwards) and its table is ordered by plan.timestamp_column.
  // `input` is that scan, or counts its work.
  LatestOnScanOperator(const LogicalPlan& plan, OperatorPtr input, ScanOperator& scan)
      : plan_(plan), input_(std::move(input)), scan_(scan) {}
  void start(EvaluationState& state) override;

 private:
  const LogicalPlan& plan_;
  OperatorPtr input_;
  ScanOperator& scan_;
};

// LATEST ON over any input: the row with the greatest time of each key, of equal times the last one.
class LatestOnOperator final : public StoredRowsOperator {
 public:
  LatestOnOperator(const LogicalPlan& plan, OperatorPtr input) : plan_(plan), input_(std::move(input)) {}
  void start(EvaluationState& state) override;

 private:
  const LogicalPlan& plan_;
  OperatorPtr input_;
};

}  // namespace idem
