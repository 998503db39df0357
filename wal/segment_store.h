#pragma once

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "common/file.h"
#include "wal/record.h"
#include "wal/recovery.h"

namespace idem::wal {

// The files of a log: prepares segments ahead in a thread of its own (or, without one, when they are needed),
// knows the begun ones, and recycles or removes those that are no longer needed. Thread-safe; its lock may be
// taken while the log's is held, never the other way.
class SegmentStore {
 public:
  // A segment file that is allocated, synced under its name and holds no record of this log.
  struct Prepared {
    uint64_t id = 0;
    uint64_t file_bytes = 0;
    std::shared_ptr<File> file;
  };

  // Adopts the files that recovery found. Throws SqlError if those that are of no use cannot be removed.
  SegmentStore(FileSystem& fs, std::string directory, uint64_t segment_bytes, uint32_t max_prepared,
               std::function<IoStatus(const SegmentInfo&)> archive, bool own_thread,
               const RecoveryResult& recovered);
  ~SegmentStore();

  // A prepared segment with room for `record_bytes` of records, if there is one now.
  std::optional<Prepared> try_take(uint64_t record_bytes);
  // Returns when try_take() may succeed. Throws the SqlError of an attempt to prepare one that began after
  // the call.
  void wait_prepared(uint64_t record_bytes);

  // The segment begins at `start`, where the one before ends.
  void begin(const Prepared& segment, uint64_t epoch, Position start);

  // See Log::remove_before. Keeps the segment that ends at `durable`: the header of the next may not be
  // written yet.
  IoResult<size_t> remove_before(Position position, Position durable);

  // Begun segments, oldest first; the last ends at `end`.
  std::vector<SegmentInfo> begun(Position end) const;
  size_t prepared_count() const;
  uint64_t disk_bytes() const;
  std::string last_error() const;

 private:
  void run();
  void prepare_next(std::unique_lock<std::mutex>& lock);
  bool has_prepared(uint64_t record_bytes) const;
  void offer(Prepared segment);
  IoResult<Prepared> prepare(uint64_t id, uint64_t file_bytes);
  IoStatus fill_with_zeros(File& file, uint64_t file_bytes);
  IoResult<Prepared> rename_to(const std::string& path, uint64_t id, uint64_t file_bytes);
  std::string path_of(uint64_t id) const;

  FileSystem& fs_;
  const std::string directory_;
  const uint64_t segment_bytes_;
  const uint32_t max_prepared_;
  const std::function<IoStatus(const SegmentInfo&)> archive_;

  mutable std::mutex mutex_;
  std::condition_variable work_;      // for the thread
  std::condition_variable finished_;  // an attempt has ended
  bool stopping_ = false;
  uint64_t last_id_;                // of all ids ever given
  std::vector<SegmentInfo> begun_;  // oldest first
  std::map<uint64_t, Prepared> prepared_;
  std::vector<Prepared> passed_over_;  // prepared, with an id below that of a begun one: need a new id
  uint64_t wanted_bytes_ = 0;          // size of file that somebody waits for
  uint64_t requests_ = 0;              // calls that wait or waited
  uint64_t served_requests_ = 0;       // those that came before the last attempt began
  std::optional<SqlError> error_;      // of the last attempt
  const bool own_thread_;
  std::thread thread_;
};

}  // namespace idem::wal
