#pragma once

#include "storage/database_state.h"

namespace idem {

// The version with this number: kept, or rebuilt from the nearest kept one before it and the log, which is
// read up to `log_end`. If that ends before, the last version there is. Nothing if neither is there any more. `newest`: the schema that the
// table has now, null if it is dropped: columns that it has, too, have its dictionaries.
std::optional<KeptVersion> read_version(DatabaseState& db, const TableHistory& history, VersionNumber version,
                                        uint64_t log_end, const std::shared_ptr<const TableSchema>& newest);

// The versions after `first` up to and with `last` that can be read, oldest first, until `take` says false.
// Where the log reaches back to `first` these are all.
void for_each_version_between(DatabaseState& db, const TableHistory& history, const KeptVersion& first,
                              const KeptVersion& last, const std::function<bool(const KeptVersion&)>& take);

// For find_version() of database.h: SqlError 22023 that names the nearest versions that can be read.
KeptVersion find_version(DatabaseState& db, const Snapshot& snapshot, TableId table,
                         const VersionTarget& target);

}  // namespace idem
