#pragma once

#include <map>
#include <memory>
#include <optional>

#include "storage/batch_order.h"
#include "storage/load_limits.h"

namespace idem {

// Rows of large inserts into one table that were not matched yet: by partition, in the order in which they came, until
// there are enough for a row group or their partition gets no more.
//
//   batches ──▶ 2024-01-14  98,000 rows, none since the last batch    ──▶ matched
//               2024-01-15  135,000 rows                               ──▶ the first 131,072 by time, matched
//               2024-01-16  12,000 rows
//
// Holds no more than a few row groups of rows, whatever the number of partitions. One thread.
class WaitingRows {
 public:
  // Rows of one partition in order, to be matched.
  struct Arrived {
    std::shared_ptr<const OrderedBatch> batch;
    OrderedBatch::Part part;
  };

  void set_limits(const LoadLimits& limits) { limits_ = limits; }
  // Takes the rows of a batch, which has the shape of the schema. Throws SqlError 23502 where the designated
  // timestamp is NULL.
  void add(const TableSchema& schema, ColumnBatch&& batch);
  uint64_t rows() const { return rows_; }
  // What should be matched now, if anything; `all`: whatever is there.
  std::optional<Arrived> take(const TableSchema& schema, bool all);
  void clear();
  // The table was altered meanwhile.
  void reshape_to(const std::shared_ptr<const TableSchema>& schema);

 private:
  struct Group {
    std::shared_ptr<ColumnBatch> rows;
    uint64_t last_add = 0;  // number of the add() that brought the last of them
  };

  void append(int64_t start, const ColumnBatch& batch, uint32_t first, uint32_t count);
  uint32_t reserved_rows(uint32_t rows) const;
  std::map<int64_t, Group>::iterator ready();
  Arrived take_from(const TableSchema& schema, std::map<int64_t, Group>::iterator group);

  LoadLimits limits_;
  std::map<int64_t, Group> groups_;  // by start of the partition
  uint64_t rows_ = 0, adds_ = 0;
};

}  // namespace idem
