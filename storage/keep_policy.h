#pragma once

#include "storage/row_compare.h"
#include "storage/schema.h"

namespace idem {

// Whether a newer row replaces an older one in whole: no KEEP policy but LAST and no VERSION BY.
bool replaces_whole_rows(const TableSchema& schema);

// Whether the older row's version is the greater one; a NULL version is the lowest, a tie is not greater.
bool older_has_greater_version(const ColumnView& older, uint32_t older_row, const ColumnView& newer,
                               uint32_t newer_row);

// Whether a column of the result takes its value from the newer row.
bool takes_newer(const ColumnSchema& column, bool older_version_greater, const ColumnView& older,
                 uint32_t older_row, const ColumnView& newer, uint32_t newer_row);

}  // namespace idem
