#pragma once

#include <functional>

#include "storage/column_batch.h"
#include "storage/database_state.h"

namespace idem {

enum class ChangeKind : uint8_t { kInsert, kDelete, kUpdateBefore, kUpdateAfter };
std::string_view change_kind_name(ChangeKind kind);  // "insert", "delete", "update_before", "update_after"

// What one version of a table changed, against the version before it that could be read.
struct VersionChanges {
  VersionNumber version{};
  int64_t time_micros = 0;
  std::shared_ptr<const ColumnBatch> rows;  // in the shape of the last version asked for
  std::vector<ChangeKind> kinds;            // of each row; an update is two rows, before and after
};

// Gives what each version after `from` changed, up to `to` (a version that `snapshot` has), oldest first,
// until `take` says false. A version that changed no row is left out.
//
// Versions differ where they share nothing: partitions and slices that two versions have in common are not
// read. The rows of the others are matched by their keys, or, in a table without, as a whole: there an
// updated row is one deleted and one inserted. Where versions in between can no longer be read, what they did
// comes with the next one that can. Throws SqlError 22023 where `from` can no longer be read.
void read_changes(DatabaseState& db, const Snapshot& snapshot, TableId table, VersionNumber from,
                  VersionNumber to, const std::function<bool(VersionChanges)>& take);

}  // namespace idem
