#pragma once

#include <vector>

#include "query/session_state.h"

namespace idem {

// The partitions of a table, by their starts, whose rows all meet a condition on the designated timestamp: what DROP
// PARTITION WHERE removes. Comparisons of the timestamp with values that read nothing, joined by AND, OR and NOT; decided
// from the calendar alone, without a row. Throws 22023 where the condition does not fall on boundaries of partitions or
// tests something else.
std::vector<int64_t> partitions_where(SessionState& session, const TableVersion& table,
                                      const ast::Expression& condition);

}  // namespace idem
