#pragma once

#include "query/group_union.h"
#include "query/operator.h"
#include "query/partitioned_aggregate.h"

namespace idem {

class ScanOperator;

// GROUP BY with any number of grouping sets, aggregates without grouping, DISTINCT (no aggregates).
//
//   range 0 of the morsels ─▶ table, states ─┐
//   range 1                ─▶ table, states ─┼─▶ combined in the order of the ranges ─▶ finalized as groups
//   …                                       ─┘
//
// Combining in order keeps order-sensitive aggregates right and sums of doubles the same in every run: few groups are added to those of
// the first range, many are united where they are (group_union.h). Groups come in order of first appearance, unless they are too many for
// memory: see partitioned_aggregate.h.
class HashAggregateOperator final : public Operator {
 public:
  // `scan` is the input where that is a scan, to count its rows without reading them; else null. `plan`
  // outlives the operator.
  HashAggregateOperator(const LogicalPlan& plan, OperatorPtr input, const ScanOperator* scan);
  ~HashAggregateOperator() override;

  void start(EvaluationState& state) override;
  size_t morsel_count() const override;
  uint64_t row_estimate() const override;
  std::unique_ptr<MorselStream> open(EvaluationState& state) override;
  void reset() override;
  void describe(OperatorDetails& details) const override;

 private:
  class Stream;

  bool counts_only() const;
  bool groups_few() const;
  void read_input(EvaluationState& state);
  void combine(std::vector<std::unique_ptr<AggregateRange>> ranges, EvaluationState& state);
  std::shared_ptr<AggregateGroups> combine_set(RangeGroups ranges, EvaluationState& state) const;

  const AggregateSpec spec_;
  OperatorPtr input_;
  const ScanOperator* scan_;
  uint64_t starts_ = 0;
  struct SetGroups {
    size_t set;
    UnitedGroups united;
  };
  using AllGroups = std::vector<SetGroups>;  // by set, then range
  std::shared_ptr<AllGroups> groups_;        // streams may still read them when the operator has gone on
  std::unique_ptr<PartitionedAggregate> partitions_;  // null: they are in groups_
};

}  // namespace idem
