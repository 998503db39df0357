#pragma once

#include <atomic>

#include "query/execution.h"
#include "query/operator.h"

namespace idem {

// Counts rows and time of an operator for EXPLAIN ANALYZE. Time includes the operators below, and is summed
// over threads.
class TimedOperator final : public Operator {
 public:
  // Writes (*profile)[index] at every change that start() or the end of a stream brings.
  TimedOperator(OperatorPtr inner, std::vector<OperatorProfile>* profile, size_t index)
      : inner_(std::move(inner)), profile_(profile), index_(index) {}
  ~TimedOperator() override;

  void start(EvaluationState& state) override;
  size_t morsel_count() const override { return inner_->morsel_count(); }
  uint64_t row_estimate() const override { return inner_->row_estimate(); }
  std::unique_ptr<MorselStream> open(EvaluationState& state) override;
  void reset() override;

 private:
  class Stream;
  void write();

  OperatorPtr inner_;
  std::vector<OperatorProfile>* profile_;
  const size_t index_;
  std::atomic<uint64_t> rows_{0};
  std::atomic<int64_t> nanos_{0};
};

}  // namespace idem
