#pragma once

#include <memory>
#include <span>
#include <vector>

#include "query/aggregate_states.h"
#include "query/deferred_aggregate.h"
#include "query/dense_aggregate.h"
#include "query/group_table.h"
#include "query/logical_plan.h"

namespace idem {

// What is grouped by and computed, for all threads of an aggregation.
struct AggregateSpec {
  // `aggregation` (kAggregate) outlives this object.
  explicit AggregateSpec(const LogicalPlan& aggregation);

  const LogicalPlan& plan;
  const AggregateLayout layout;
  const std::vector<std::vector<uint32_t>> sets;  // indices into plan.groups
  const bool has_deferred;                        // aggregates with DISTINCT or ORDER BY
};

// The groups of one grouping set.
struct AggregateGroups {
  AggregateGroups(const AggregateSpec& spec, size_t set, EvaluationState& state);

  std::unique_ptr<GroupTable> table;  // null: one group
  AggregateStates states;
  std::vector<std::unique_ptr<DeferredRows>> deferred;  // by aggregate; null where it is not deferred
  std::shared_ptr<const void> sources;                  // groups that were combined into these

  uint32_t size() const { return states.size(); }
  uint64_t memory_bytes() const;
  // What the next chunk may take at once.
  uint64_t next_growth() const;
  // Adds groups `ids` of the same set, which were made of rows that come later, to groups numbers[i] here; without deferred
  // aggregates.
  void combine(const AggregateSpec& spec, const AggregateGroups& later, std::span<const uint32_t> ids,
               const uint32_t* numbers);
  // No more rows come; any thread may read keys, and combine these with others.
  void seal();
  // The deferred ones of a sealed range. map[g]: the group here, kNoGroup for none.
  void combine_deferred(const AggregateGroups& later, const std::vector<uint32_t>& map);
  // Folds the deferred ones of consecutive sealed ranges, of which these are the first, into the states here. maps[r]: as in
  // combine_deferred(), empty for the first.
  void fold_deferred(const AggregateSpec& spec, std::span<const std::unique_ptr<AggregateGroups>> ranges,
                     const std::vector<std::vector<uint32_t>>& maps, const ExecutionContext& context);
  // After the last rows.
  void finish(const AggregateSpec& spec, const ExecutionContext& context);
};

// Results of groups [first, first + count) of set `set`; count is at most kVectorSize and `first` a multiple of 64. They keep
// the groups alive only as far as they point into them; with `copy` keys do not.
void read_groups(const AggregateSpec& spec, size_t set, const std::shared_ptr<const AggregateGroups>& groups,
                 uint32_t first, uint32_t count, bool copy, DataChunk* out);

// One thread's folding of rows into groups.
class AggregateFolder {
 public:
  AggregateFolder(const AggregateSpec& spec, EvaluationState& state);

  // Takes the rows of `input`, which stays valid until release(); their keys are in keys().
  void take(const DataChunk& input);
  // The same for rows whose keys are known, one vector for each expression that is grouped by.
  void take(const DataChunk& input, const Vector* keys);
  void release();
  const std::vector<Vector>& keys() const { return keys_; }
  const std::vector<Vector>& keys_of_set(size_t set);

  // Folds the rows taken, with groups where they have none yet.
  void fold(size_t set, AggregateGroups& groups);
  // numbers[i]: the group of the i-th of the rows taken; null: the one group.
  void fold_numbered(const uint32_t* numbers, AggregateGroups& groups);
  // Folds some of the rows taken; numbers[i] is the group of the i-th of them. Not for deferred aggregates.
  void fold_known(Selection rows, const uint32_t* numbers, AggregateGroups& groups);

  // Folds by the code of a symbol (dense_aggregate.h) if that is all there is to do: true. At the end the sums must be
  // flushed.
  bool fold_dense();
  void flush_dense(AggregateGroups& groups);

 private:
  const AggregateSpec& spec_;
  ColumnExpressions key_expressions_;
  AggregateUpdater updater_;
  std::vector<std::unique_ptr<ColumnExpressions>> orders_;
  const DataChunk* input_ = nullptr;
  std::vector<Vector> keys_, set_keys_;
  std::vector<uint32_t> numbers_;
  bool evaluated_ = false, own_keys_ = false;
  std::unique_ptr<DenseAggregate> dense_;  // null: not by one symbol, or other aggregates
};

}  // namespace idem
