#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "common/file.h"
#include "wal/record.h"

namespace idem::wal {

// A segment whose header was written; those that are only prepared are not listed.
struct SegmentInfo {
  uint64_t id = 0;
  uint64_t epoch = 0;
  Position begin;
  Position end;  // of the last segment: where the next record goes, or the cut
  uint64_t file_bytes = 0;
  std::string path;
};

struct RecoveryResult {
  DatabaseId database_id;
  std::vector<SegmentInfo> segments;  // in log order, without gaps; the oldest may begin before `from`
  std::vector<std::string> prepared;  // paths of segment files that never held a record of this log
  std::vector<std::string>
      obsolete;  // begun segments before a gap below `from`: what a removal left when it was interrupted
  uint64_t last_epoch = 0;       // 0 if the log never had a record
  uint64_t last_segment_id = 0;  // greatest id of any file
  CommitNumber last_commit = 0;  // 0 if no record was read
  Position end;                  // where the log goes on
  Position known_durable;        // what lies before was proven durable
  uint64_t record_count = 0;     // given to the callback
  // What was cut from the end: bytes that were being written when the server stopped and were not
  // acknowledged.
  uint64_t cut_bytes = 0;  // up to the last byte that is not zero; 0: the log ended cleanly
  std::string cut_path;
  uint64_t cut_offset = 0;  // in that file
};

// Reads the log in `directory` (created by Log::open; may be missing or empty) from `from` to its end and
// gives every record to `on_record`, in order. `from` is the end of some record, and what lies before it is
// durable.
//
// Changes nothing on disk, so it may be repeated, and gives the same records each time. The result goes to
// Log::open; show nothing of the records to anyone before that returns, since the last of them may be in
// memory only. Throws SqlError XX001 that names file and offset if a record that was durable cannot be read,
// or belongs to another database; SqlError 58030 if a file cannot be read.
RecoveryResult recover(FileSystem& fs, const std::string& directory, DatabaseId database_id, Position from,
                       const std::function<void(const Record&)>& on_record);

// Gives the records of [from, until) to `on_record`, e.g. to rebuild an old version while the server runs.
// Both are ends of records; the caller keeps Log::remove_before from passing `from` meanwhile. Throws as
// recover().
void read_records(FileSystem& fs, const std::string& directory, DatabaseId database_id, Position from,
                  Position until, const std::function<void(const Record&)>& on_record);

}  // namespace idem::wal
