#pragma once

#include <memory>
#include <vector>

#include "storage/table_scan.h"

namespace idem {

// Rows that DELETED WHEN hides: they are stored like any other, so that an older row with their keys that arrives later
// finds their version, and no reader sees them. How many there are is not kept: vectors whose statistics say that the
// column is never true are passed over, so that counting costs next to nothing where there are none.

inline bool hides_rows(const TableSchema& schema) { return schema.deleted_column >= 0; }
// What a row must meet to be a tombstone; the table has the clause.
ScanBound tombstone_bound(const TableSchema& schema);

// Rows that readers see. Reads nothing where the table has no such clause. Throws 58030, XX001 where reading fails.
uint64_t visible_rows(const TableVersion& version);
uint64_t visible_rows(const std::shared_ptr<const Partition>& partition,
                      const std::shared_ptr<const TableSchema>& schema);

// In table order.
std::vector<RowPosition> hidden_rows(const TableVersion& version);

}  // namespace idem
