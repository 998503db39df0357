#pragma once

#include <memory>
#include <vector>

#include "query/aggregate_groups.h"
#include "query/key_bits.h"
#include "query/spill_partitions.h"

namespace idem {

using SetPartitions = std::vector<std::unique_ptr<SpillPartitions>>;  // by set; null for sets of one group

// The rows that are put out: the input's columns, then what is grouped by.
std::vector<SqlType> spilled_row_types(const AggregateSpec& spec);

// The groups of one range of the input: in memory until there is too little of it. From then on rows of known groups are
// folded as before, and rows of other groups are put out into partitions by the hash of their keys. So a group that has
// very many rows costs no more than others.
//
// Rows are written as they came in, with their keys behind them: states of aggregates have no form outside of memory, and a
// group that was met late has few rows. With DISTINCT or ORDER BY in an aggregate all rows are put out.
class AggregateRange {
 public:
  AggregateRange(const AggregateSpec& spec, EvaluationState& state);

  void add(const DataChunk& input, AggregateFolder& folder);
  uint64_t memory_bytes() const;
  uint64_t next_growth() const;
  // partitions[set] is null for sets of one group. Range `number` of the input writes to them.
  void put_out_to(const SetPartitions& partitions, size_t number);
  bool puts_out() const { return !writers_.empty(); }
  // After the last rows.
  void finish(AggregateFolder& folder);

  std::vector<std::unique_ptr<AggregateGroups>> groups;  // by set

 private:
  const AggregateSpec& spec_;
  std::vector<std::unique_ptr<SpillPartitions::Writer>> writers_;  // by set
  std::vector<std::unique_ptr<GroupTable::Probe>> probes_;
  KeyHasher hasher_;
};

// An aggregation whose groups are too many for memory. A morsel is a partition: its groups are made by the thread that
// reads it.
//
//   partition p   range 0: groups in memory, rows put out │ range 1: groups, rows │ …   ──▶ groups ──▶ results
//
// Taking the ranges in their order keeps aggregates that depend on the order of rows right. Groups of a partition that do not
// fit are divided again.
class PartitionedAggregate {
 public:
  // `spec` outlives this object.
  PartitionedAggregate(const AggregateSpec& spec, std::vector<std::unique_ptr<AggregateRange>> ranges,
                       SetPartitions partitions, const ExecutionContext& context);
  ~PartitionedAggregate();

  size_t morsel_count() const { return morsels_.size(); }
  uint64_t row_estimate() const;
  uint64_t memory_bytes() const;
  uint64_t spilled_bytes() const;
  std::unique_ptr<MorselStream> open(EvaluationState& state) const;

 private:
  class Stream;
  struct Morsel {
    size_t set;
    uint32_t partition;
  };
  using GroupIds = std::vector<std::vector<uint32_t>>;  // by range: groups of its table

  const AggregateSpec& spec_;
  std::shared_ptr<std::vector<std::unique_ptr<AggregateRange>>> ranges_;
  const std::vector<std::shared_ptr<SpillPartitions>> partitions_;
  const SpillLimit limit_;
  std::vector<Morsel> morsels_;
  std::vector<std::vector<GroupIds>> ids_;  // by set and partition
};

}  // namespace idem
