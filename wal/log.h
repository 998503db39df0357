#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "common/file.h"
#include "wal/record.h"
#include "wal/recovery.h"

namespace idem::wal {

struct LogOptions {
  uint64_t segment_bytes = uint64_t{64} << 20;
  uint64_t max_buffer_bytes = uint64_t{16} << 20;  // append() waits above it
  uint32_t max_prepared_segments = 2;  // of the segments that are no longer needed so many are recycled
  uint64_t lazy_flush_bytes = uint64_t{1}
                              << 20;    // records that nobody waits for are synced when there are so many
  uint32_t lazy_flush_ms = 200;         // bytes, or this long after they were appended
  uint32_t compress_from_bytes = 4096;  // smaller payloads are never compressed
  // False: the log has no threads. Whoever needs a segment prepares it, and what nobody waits for is synced
  // when the buffer is full or the log is closed. Then one thread at a time may call, and the same calls do
  // the same to the disk: for simulations.
  bool own_threads = true;
  // Called for each segment, complete and synced, before it is recycled or removed. An error keeps the
  // segment; the next remove_before() tries again.
  std::function<IoStatus(const SegmentInfo&)> archive;
};

// Told about the fate of records. Calls come from whichever thread synced, one at a time, in log order, with
// no lock of the log held; they must be short, must not throw and must not call the log.
class LogListener {
 public:
  virtual ~LogListener() = default;
  // Every record up to and including this commit is durable.
  virtual void on_durable(CommitNumber commit_number) = 0;
  // The log has failed for good: nothing after the last on_durable() will be acknowledged. Called once.
  virtual void on_failed(const SqlError& error) = 0;
};

enum class Compression : uint8_t { kNone, kLz4 };

struct LogStats {
  Position appended;  // end of the last record
  Position durable;
  Position oldest_kept;
  CommitNumber last_commit = 0;  // appended
  CommitNumber durable_commit = 0;
  uint64_t epoch = 0;
  uint64_t segments = 0;           // begun
  uint64_t prepared_segments = 0;  // ready for use
  uint64_t disk_bytes = 0;         // of all of them
  uint64_t records = 0;            // since open, as are the following
  uint64_t payload_bytes = 0;      // before compression
  uint64_t written_bytes = 0;
  uint64_t syncs = 0;
  double sync_micros_mean = 0;
  double sync_micros_p99 = 0;  // of the last 1,024
  bool failed = false;
  std::string
      last_error;  // of writing, or of the preparation of segments; empty if the last attempt succeeded
};

// The write-ahead log: opaque records in commit order, made durable in groups. docs/format/log.md has the
// format, docs/decisions/log-group-commit.md why it syncs as it does.
//
// Thread-safe. A commit is append() under the caller's own ordering (commit numbers strictly increase along
// the log), then one of
//   * wait_durable(): blocks until the record is durable. The first to wait writes and syncs for all in its
//   own thread;
//     those that come meanwhile are served by the next sync, which one of them does.
//   * request_sync(): for threads that must not block. The log's own thread syncs at once, or when the sync that runs has ended;
//     LogListener::on_durable() tells.
//   * neither: the log's own thread syncs within LogOptions::lazy_flush_ms.
class Log {
 public:
  // Goes on where recovery ended, in a new segment with a higher epoch. Creates the folder if it is missing.
  // Makes the records durable that recovery accepted, since they may have been read from memory only. `fs`
  // and `listener` (may be null) outlive the log. Throws SqlError 58030 or 53100.
  static std::unique_ptr<Log> open(FileSystem& fs, const std::string& directory, const LogOptions& options,
                                   const RecoveryResult& recovered, LogListener* listener);
  // Syncs what is buffered, unless the log has failed; the outcome is with the listener.
  virtual ~Log() = default;

  // Puts a record at the end of the log buffer. Waits while the buffer is full or the next segment is being
  // prepared. Throws, with nothing buffered: SqlError 53100 if the next segment does not fit on the disk (a
  // later append tries again), 58030 after the log has failed, 54000 if the payload exceeds kMaxPayloadBytes.
  virtual Extent append(CommitNumber commit_number, std::string_view payload,
                        Compression compression = Compression::kNone) = 0;
  static constexpr uint64_t kMaxPayloadBytes = uint64_t{1} << 30;
  // Puts small records there one behind the other, all of them or, where it throws as append() does, none; uncompressed.
  // Gives the place of each.
  struct SmallRecord {
    CommitNumber commit_number = 0;
    std::string_view payload;
  };
  static constexpr uint64_t kMaxSmallPayloadBytes = 16 * 1024;
  virtual std::vector<Extent> append_all(std::span<const SmallRecord> records) = 0;

  // Returns when everything up to this commit is durable. Throws SqlError 58030 "the log could not be written
  // …; no further writes until restart" if it never will be.
  virtual void wait_durable(CommitNumber commit_number) = 0;
  virtual void request_sync() = 0;
  // Returns when everything appended before is durable. Throws as wait_durable().
  virtual void flush() = 0;

  virtual Position durable_position() const = 0;
  virtual CommitNumber durable_commit() const = 0;

  // Nothing before `position` is needed any more: archives, then recycles or removes the segments that end at
  // or before it. Gives their number. Called by one thread at a time. A position beyond the durable one
  // counts as that.
  virtual IoResult<size_t> remove_before(Position position) = 0;

  virtual LogStats stats() const = 0;
  // The segments that hold records, oldest first. A backup must copy them: they are overwritten when
  // recycled.
  virtual std::vector<SegmentInfo> segments() const = 0;
};

}  // namespace idem::wal
