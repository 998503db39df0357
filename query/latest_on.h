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
  LatestOnScanOperator(const LogicalPlan& plan, std::unique_ptr<ScanOperator> scan)
      : plan_(plan), scan_(std::move(scan)) {}
  void start(EvaluationState& state) override;
  void describe(OperatorProfile& profile) const override;

 private:
  const LogicalPlan& plan_;
  std::unique_ptr<ScanOperator> scan_;
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
