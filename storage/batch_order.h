#pragma once

#include <memory>
#include <vector>

#include "storage/column_batch.h"

namespace idem {

// The rows of a batch in the order of the table, split by partition: by the designated timestamp, else by the
// upsert keys, else as they came. Stable. A batch that is in order already is neither sorted nor copied.
struct OrderedBatch {
  struct Part {
    int64_t start = INT64_MIN;    // of the partition
    uint32_t begin = 0, end = 0;  // places in the order
  };
  std::shared_ptr<const ColumnBatch> rows;
  std::vector<uint32_t> order;  // row of the batch at each place; empty: they are the same
  std::vector<Part> parts;      // ascending by start

  uint32_t row(uint32_t place) const { return order.empty() ? place : order[place]; }
};

// `schema`: of the table; the batch has its shape. Throws SqlError 23502 where the designated timestamp is
// NULL.
OrderedBatch order_batch(const TableSchema& schema, std::shared_ptr<const ColumnBatch> rows);

}  // namespace idem
