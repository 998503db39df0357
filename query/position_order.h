#pragma once

#include <vector>

#include "common/cancellation.h"
#include "storage/table_version.h"

namespace idem {

// Puts positions in the order of the table; looks at `cancel` (may be null) meanwhile.
void sort_positions(std::vector<RowPosition>* positions, const CancelToken* cancel);
// The places of the positions, in the order of the table.
std::vector<uint32_t> order_of_positions(const std::vector<RowPosition>& positions,
                                         const CancelToken* cancel);

}  // namespace idem
