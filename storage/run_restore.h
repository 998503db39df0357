#pragma once

#include <string>
#include <vector>

#include "storage/catalog.h"

namespace idem {

struct DatabaseState;

// What must be undone before a run is executed again ON REPLAY RESTORE: its own tables go back to where they
// were before its first commit, and so does whatever later runs of the same key prefix made of these tables,
// with the other tables which those wrote, and so on.
//
//   run            wrote            replay of …/06
//   daily/05       a                stays
//   daily/06       a                a: before 06
//   daily/07       a, b             forgotten; b: before 07, since 07 read what 06 had made of a
//   daily/08          b, c          forgotten; c: before 08
struct RunRestore {
  struct Table {
    TableId table{};
    bool discarded = false;  // it did not exist before: it is dropped
    VersionNumber before{};  // it goes back to this version
    VersionNumber since{};   // commits after this one that are no such runs would be lost
  };
  std::vector<Table> tables;           // ascending
  std::vector<std::string> forgotten;  // keys of the later runs
};
RunRestore plan_run_restore(const Catalog& catalog, const Run& run);

// Throws SqlError 55000 if commits that are no runs of the key's prefix would be lost, and names them.
void check_nothing_is_lost(DatabaseState& db, const Snapshot& snapshot, const RunRestore& restore,
                           const std::string& key);

}  // namespace idem
