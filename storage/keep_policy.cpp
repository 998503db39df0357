#include "storage/keep_policy.h"

namespace idem {

bool replaces_whole_rows(const TableSchema& schema) {
  if (schema.version_column >= 0) return false;
  for (const ColumnSchema& column : schema.columns) {
    if (column.keep != KeepPolicy::kLast) return false;
  }
  return true;
}

bool older_has_greater_version(const ColumnView& older, uint32_t older_row, const ColumnView& newer,
                               uint32_t newer_row) {
  if (older.is_null(older_row)) return false;
  if (newer.is_null(newer_row)) return true;
  return key_compare(older, older_row, newer, newer_row) > 0;
}

bool takes_newer(const ColumnSchema& column, bool older_version_greater, const ColumnView& older,
                 uint32_t older_row, const ColumnView& newer, uint32_t newer_row) {
  switch (column.keep) {
    case KeepPolicy::kLast: return !older_version_greater;
    case KeepPolicy::kFirst: return false;
    case KeepPolicy::kNonNull: return !older_version_greater && !newer.is_null(newer_row);
    case KeepPolicy::kMin:
      return !newer.is_null(newer_row) &&
             (older.is_null(older_row) || key_compare(newer, newer_row, older, older_row) < 0);
    case KeepPolicy::kMax:
      return !newer.is_null(newer_row) &&
             (older.is_null(older_row) || key_compare(newer, newer_row, older, older_row) > 0);
  }
  return true;
}

}  // namespace idem
