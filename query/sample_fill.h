#pragma once

#include "query/logical_plan.h"
#include "query/row_store.h"
#include "query/sample_buckets.h"

namespace idem {

struct SampleGroup {
  int64_t bucket;
  uint32_t key;  // row of the keys
};

// FILL of SAMPLE BY: a row for every key in every bucket from the first to the last (or FROM to TO).
//
// Missing rows get what the aggregate's fill says: NULL, the last value of the key before, a value on the
// line between the ones before and after, or a given value.
class SampleFill {
 public:
  explicit SampleFill(const LogicalPlan& plan) : plan_(plan) {}
  bool fills() const;
  // `values`: a row (bucket, keys, aggregates) for each group, in the groups' order; `keys` null: one key
  // without columns.
  std::shared_ptr<RowStore> run(const std::vector<SampleGroup>& groups, const RowStore* keys,
                                RowStore& values, EvaluationState& state);

 private:
  // One row to put out: a group, or what is needed to make one up.
  struct Slot {
    int64_t bucket;
    uint32_t key;
    uint32_t group;     // kNoRow: missing
    uint32_t previous;  // of the key, before this bucket
  };
  SampleSpec::Fill fill_of(size_t aggregate) const;
  void write(const std::vector<Slot>& slots, const std::vector<SampleGroup>& groups, const RowStore* keys,
             const RowStore& values, RowStore& out) const;
  void interpolate(size_t column, const std::vector<Slot>& slots, const std::vector<SampleGroup>& groups,
                   const RowStore& values, Vector* out) const;

  const LogicalPlan& plan_;
  std::vector<uint32_t> next_of_;  // the next group of the same key
  uint32_t given_row_ = 0;         // of `values`: the given values
};

}  // namespace idem
