#pragma once

#include "query/aggregate_states.h"
#include "query/logical_plan.h"
#include "query/operator.h"

namespace idem {

class ScanOperator;

// GROUP BY with any number of grouping sets, aggregates without grouping, DISTINCT (no aggregates).
//
//   range 0 of the morsels ─▶ table, states ─┐
//   range 1                ─▶ table, states ─┼─▶ combined in the order of the ranges ─▶ finalized as groups
//   are read …                                       ─┘
//
// Combining in order keeps order-sensitive aggregates right and sums of doubles the same in every run. Groups
// come in order of first appearance.
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
  class Consumer;
  struct SetPart;
  struct Part;

  std::vector<std::vector<uint32_t>> grouping_sets() const;
  bool counts_only() const;
  bool groups_few() const;
  bool groups_by_symbol() const;
  std::unique_ptr<Part> make_part(EvaluationState& state) const;
  void merge_part(Part& into, Part& from, EvaluationState& state);

  const LogicalPlan& plan_;
  OperatorPtr input_;
  const ScanOperator* scan_;
  AggregateLayout layout_;
  const std::vector<std::vector<uint32_t>> sets_;
  bool has_deferred_ = false;
  std::shared_ptr<Part> result_;
};

}  // namespace idem
