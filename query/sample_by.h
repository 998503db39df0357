#pragma once

#include "query/aggregate_states.h"
#include "query/logical_plan.h"
#include "query/sample_buckets.h"
#include "query/stored_rows.h"

namespace idem {

// SAMPLE BY over an input that is ordered by time: no hashing of buckets. The end of a bucket is found by
// galloping over the timestamps, and the rows between go through the aggregates' kernels as one run.
//
//   time   ──────────┬──────────────┬────────────┬──▶
//   range 0: bucket 0│bucket 1 …    │ bucket 7 ┈┈┤ one bucket, two ranges: combined
//   range 1:                        ├┈┈ bucket 7 │ bucket 8 …
//
// Output is ordered by bucket, then by first appearance of the group (with FILL: of the key in the whole
// result).
class SampleByOperator final : public StoredRowsOperator {
 public:
  SampleByOperator(const LogicalPlan& plan, OperatorPtr input);
  ~SampleByOperator() override;
  void start(EvaluationState& state) override;

 private:
  struct Part;
  class Consumer;

  std::unique_ptr<Part> make_part(EvaluationState& state) const;
  void merge_part(Part& into, Part& from, EvaluationState& state) const;
  uint32_t merge_shared_bucket(Part& into, const Part& from) const;
  std::shared_ptr<RowStore> finalize_apart(std::vector<std::unique_ptr<Part>>& parts,
                                           EvaluationState& state) const;
  std::shared_ptr<RowStore> finalize(Part& part, uint32_t first_group, EvaluationState& state) const;

  const LogicalPlan& plan_;
  OperatorPtr input_;
  AggregateLayout layout_;
};

}  // namespace idem
