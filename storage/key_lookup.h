#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "storage/column_batch.h"
#include "storage/table_version.h"

namespace idem {

// Where rows with the upsert keys of given rows are stored; nothing is changed. The table has keys, and the rows its shape.

// For each row of a batch the first stored row with its upsert keys that is no tombstone, and the first row of the batch
// with them (itself if there is none before it).
struct KeyMatch {
  std::optional<RowPosition> stored;
  uint32_t first_row = 0;
};
std::vector<KeyMatch> match_keys(const TableVersion& version, std::shared_ptr<const ColumnBatch> rows);

// The first stored row with the upsert keys of a row that is no tombstone; nothing if there is none. `stored` may be null.
std::optional<uint64_t> find_by_keys(const std::shared_ptr<const TableSchema>& schema,
                                     std::shared_ptr<const Partition> stored,
                                     const std::shared_ptr<const ColumnBatch>& rows, uint32_t row);

}  // namespace idem
