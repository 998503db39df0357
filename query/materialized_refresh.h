#pragma once

#include "query/session_state.h"

namespace idem {

// Brings the rows of a materialized view up to date with the session's view of the database, in its transaction, and notes the
// versions of the tables that were read. Writes nothing where none of them has changed since (unless `full`); rows that stay the
// same are not written.
//
//   the tables have changed …             what is computed
//   only in some times of SampledTables   the buckets that hold them
//   in another way, or that is unknown    everything
//
// Throws what the query throws, and 42P16 if it no longer gives the view's columns.
void refresh_materialized_view(SessionState& session, const TableVersion& table, bool full);

}  // namespace idem
