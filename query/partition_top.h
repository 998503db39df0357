#pragma once

#include <vector>

#include "query/group_table.h"
#include "query/row_sorter.h"

namespace idem {

// Keeps, of rows that come in order, those that can be among the first of their partition: what a window with a
// limit needs of its input. A row that is left out is behind as many rows of its partition as are asked for.
//
//   partition   bound (rank of the worst that counts)     rows kept, in order of arrival
//   AAPL 10:00  ──▶ 0x…7f    a row beyond it is dropped    ─┬─ row 5   partition 0   rank 0x…41
//   MSFT 10:00  ──▶ 0x…12                                   └─ row 9   partition 1   rank 0x…12
//
// A rank is the first sort key as a number (or the place of arrival, where that is the order): what has equal
// ranks is told apart by whoever sorts the rest. Partitions that follow time are found without hashing: an array
// from the other keys to their last partition, as long as the time stays the same. One thread.
class PartitionTop {
 public:
  enum class Ties : uint8_t { kRowNumber, kRank, kDenseRank };
  enum class Order : uint8_t {
    kByKey,        // order[0] and what follows
    kArrival,      // as rows come
    kLatestFirst,  // the reverse
  };
  struct Spec {
    std::vector<SqlType> types;       // of the rows
    std::vector<uint32_t> partition;  // columns
    std::vector<SortColumn> order;
    Ties ties = Ties::kRowNumber;
    Order by = Order::kByKey;
    uint64_t limit = 1;
    // One of `partition`, of 64-bit integers, never NULL and never falling from one row to the next;
    // UINT32_MAX: none.
    uint32_t rising = UINT32_MAX;
  };

  PartitionTop(const Spec& spec, MemoryBudget* budget);

  // Columns as in spec.types.
  void add(const DataChunk& chunk);
  // Takes the rows of `other` (same spec), which come behind all of these.
  void merge(PartitionTop&& other);

  // Ids of the rows that count, ascending; a few more than needed where is_exact() is false. Seals rows().
  std::vector<uint32_t> finish();
  const std::shared_ptr<RowStore>& rows() const { return rows_; }
  // Whether finish() gives exactly the first `limit` rows of each partition.
  bool is_exact() const { return exact_; }

 private:
  struct Candidate {
    uint32_t id, partition;
    uint64_t rank;
  };

  void find_partitions(const DataChunk& chunk);
  uint32_t partition_of(int64_t time, uint32_t key);
  void find_ranks(const DataChunk& chunk);
  bool offer(uint32_t partition, uint64_t rank);
  bool offer_many(uint32_t partition, uint64_t rank);
  uint64_t bound_of(uint32_t partition) const { return bounds_[(partition + size_t{1}) * limit_ - 1]; }
  void make_bounds();
  void shrink();

  const Spec& spec_;
  MemoryBudget* const budget_;
  const size_t limit_;
  std::vector<uint32_t> key_columns_;  // partition columns but for the rising one
  std::unique_ptr<GroupTable> keys_;   // of them; null: none
  // With a rising column: partitions in order of time.
  struct TimedPartition {
    int64_t time;
    uint32_t key;
  };
  std::vector<TimedPartition> timed_;
  std::vector<uint32_t> last_of_key_;  // a key's last partition + 1; 0: none
  int64_t time_ = INT64_MIN;           // the last one
  uint32_t first_of_time_ = 0;         // its first partition

  uint32_t partitions_ = 0;
  bool exact_ = true;             // equal ranks mean equal rows to the caller, and none was cut off
  std::vector<uint64_t> bounds_;  // of each partition: its `limit` least ranks, ascending
  std::vector<Candidate> candidates_;
  std::shared_ptr<RowStore> rows_;
  uint64_t arrived_ = 0;
  size_t shrink_at_;
  OperatorMemory memory_;

  std::vector<Vector> key_values_;
  std::vector<uint32_t> partition_of_row_;
  std::vector<uint64_t> ranks_;
  std::vector<uint16_t> accepted_;
};

}  // namespace idem
