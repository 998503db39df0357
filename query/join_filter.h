#pragma once

#include <cstdint>
#include <vector>

#include "storage/table_scan.h"

namespace idem {

class GroupTable;
struct LogicalPlan;

// What a hash join that has its right rows tells a scan below its left side: rows with other keys than these are
// not wanted. Partitions and vectors that cannot have one are not read, of others not all columns.
//
//   join ──▶ scan   bounds   of single keys, before the scan is started
//             └──── groups   all keys of a row, looked up before the other columns are read
//
// Made with the operators, set by the join between start() of its right and of its left side, and cleared when the
// join is reset. The scan's threads only read it.
struct JoinFilter {
  struct Key {
    size_t number = 0;          // among the keys of the join
    uint32_t column = 0;        // of the scan's output
    uint32_t table_column = 0;  // of the table
  };
  std::vector<Key> keys;      // those of the join's keys that are a column of the scan
  bool has_all_keys = false;  // as they are, in their order
  std::vector<ScanBound> bounds;
  const GroupTable* groups = nullptr;
};

// A scan that gives the left rows of a join, and which of its columns are keys. Found through filters, projections,
// sorts, the left sides of joins and UNION ALL: whatever drops no row because another one is missing.
struct FilteredScan {
  const LogicalPlan* scan = nullptr;
  JoinFilter filter;
};
// Nothing for joins that want left rows without a partner.
std::vector<FilteredScan> filtered_scans(const LogicalPlan& join);

}  // namespace idem
