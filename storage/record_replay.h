#pragma once

#include <functional>

#include "storage/database_state.h"
#include "storage/log_record.h"

namespace idem {

// Applying records of the log to table versions: recovery and the rebuilding of old versions share it.

// The schema that a record's rows have: `logged`, if the record brings one, with the dictionaries of columns
// that `known` schemas have already (null ones are skipped, earlier ones win); else the first known one.
std::shared_ptr<const TableSchema> schema_for_record(
    const TableSchema* logged, std::span<const std::shared_ptr<const TableSchema>> known);

// The schemas that a record of a table may share dictionaries with: of its newest version (null: none), then those of kept ones, which may
// have columns that the newest has no more; the last first.
std::vector<std::shared_ptr<const TableSchema>> known_schemas(std::shared_ptr<const TableSchema> newest,
                                                              const TableHistory& history);

// Gives an earlier version of the table, for a record that restores it.
using VersionSource = std::function<std::shared_ptr<const TableVersion>(VersionNumber)>;

// The version that a record makes of the one before (null: a new table). `owner`: whose row groups may be
// appended to (MemoryRowGroup::kCommitted in recovery). Throws SqlError XX001 where they do not fit together.
std::shared_ptr<TableVersion> apply_logged_table(const DatabaseState& db,
                                                 const std::shared_ptr<const TableVersion>& before,
                                                 const ReadTable& logged, CommitNumber commit, uint64_t owner,
                                                 const VersionSource& earlier);

// The line of the history for a record.
HistoryLine history_line(const RecordHeader& header, const ReadTable& logged);

}  // namespace idem
