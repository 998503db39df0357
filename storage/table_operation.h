#pragma once

#include <cstdint>
#include <string_view>

namespace idem {

// What a commit did to a table, in the words of table_history(). Of several statements of one transaction on
// one table the greatest counts: MERGE, then INSERT is a MERGE. The numbers are in log records and manifests.
enum class TableOperation : uint8_t {
  kOther = 0,
  kInsert = 1,
  kCopy = 2,
  kUpdate = 3,
  kDelete = 4,
  kAlter = 5,
  kTtl = 6,
  kDropPartition = 7,
  kTruncate = 8,
  kDetach = 9,
  kAttach = 10,
  kCreate = 11,
  kRestore = 12,
  kUndrop = 13,
  kOverwrite = 14,
  kMerge = 15,
  kRefresh = 16,
};
inline constexpr TableOperation kLastTableOperation = TableOperation::kRefresh;

// "INSERT", "DROP PARTITION", …; and back: kOther where there is none of that name.
std::string_view table_operation_name(TableOperation operation);
TableOperation table_operation_of(std::string_view name);

// Rows by what became of them.
struct WriteCounts {
  uint64_t inserted = 0, replaced = 0, skipped = 0, deleted = 0;
};

}  // namespace idem
