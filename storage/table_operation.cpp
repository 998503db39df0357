#include "storage/table_operation.h"

#include <array>

namespace idem {

namespace {

constexpr std::array<std::string_view, static_cast<size_t>(kLastTableOperation) + 1> kNames = {
    "OTHER",   "INSERT",         "COPY",      "UPDATE", "DELETE", "ALTER TABLE",
    "TTL",     "DROP PARTITION", "TRUNCATE",  "DETACH", "ATTACH", "CREATE TABLE",
    "RESTORE", "UNDROP",         "OVERWRITE", "MERGE",  "REFRESH"};

}  // namespace

std::string_view table_operation_name(TableOperation operation) {
  return kNames[static_cast<size_t>(operation)];
}

TableOperation table_operation_of(std::string_view name) {
  for (size_t i = 0; i < kNames.size(); ++i) {
    if (kNames[i] == name) return static_cast<TableOperation>(i);
  }
  return TableOperation::kOther;
}

}  // namespace idem
