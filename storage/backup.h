#pragma once

#include <string>

#include "storage/schema.h"

namespace idem {

class FileSystem;
struct DatabaseState;

// What a backup took.
struct BackupReport {
  std::string directory;  // the backup: a data folder of its own
  CommitNumber
      commit{};  // everything that was acknowledged before it began is in it, up to this commit at least
  uint64_t linked_files = 0;  // hard links to immutable files, of the data folder or of the backup before
  uint64_t copied_files = 0, copied_bytes = 0;
};

// Writes a consistent copy of a database that goes on working, as a folder of its own in `target`:
//
//   target/backup-00000000000000000812/    812: commit of the newest version in its segment files
//     CURRENT, manifests/manifest-N         copied
//     tables/T/S.segment                    hard links; copied where links cannot be, unless the backup
//     before has them tables/T/C.symbols                    copied: they are appended to log/….log copied up
//     to what was durable when the backup began
//
// It is made under the name backup-….partial, synced, and renamed when it is whole. A server that is started
// on a copy of it recovers as after a crash at that moment. `target` is created if it is missing. Where
// nothing was committed since the backup before, that one is the answer, and nothing is written.
//
// A checkpoint comes first, so that little of the log is left to copy; none runs during the backup, writers
// and readers do. Throws SqlError 58030, 53100, 22023 for a target among the files of the database.
BackupReport back_up(DatabaseState& db, const std::string& target);

// Copies a backup to where a server can be started on it. `data` must be missing or empty. Throws SqlError
// 55000 where it is not or where `backup` is no backup; 58030, 53100.
BackupReport restore_backup(FileSystem& files, const std::string& backup, const std::string& data);

}  // namespace idem
