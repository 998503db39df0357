#pragma once

#include "query/operator.h"
#include "query/query_profile.h"

namespace idem {

// Counts rows and time of an operator for EXPLAIN ANALYZE.
class TimedOperator final : public Operator {
 public:
  TimedOperator(OperatorPtr inner, NodeProfile& profile) : inner_(std::move(inner)), profile_(profile) {}
  ~TimedOperator() override { add_details(); }

  void start(EvaluationState& state) override;
  size_t morsel_count() const override { return inner_->morsel_count(); }
  uint64_t row_estimate() const override { return inner_->row_estimate(); }
  std::unique_ptr<MorselStream> open(EvaluationState& state) override;
  void reset() override;

 private:
  class Stream;
  void add_details();

  OperatorPtr inner_;
  NodeProfile& profile_;
  uint64_t vectors_read_ = 0, vectors_skipped_ = 0;  // what of the inner operator's counts was added
};

}  // namespace idem
