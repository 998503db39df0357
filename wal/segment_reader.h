#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/file.h"
#include "wal/record.h"
#include "wal/segment_format.h"

namespace idem::wal {

// Reads the records of one segment through a window of its bytes. Used by one thread. Its calls throw
// SqlError 58030 if the file cannot be read.
class SegmentReader {
 public:
  // The header need not be the one in the file: recovery reads files whose header was lost.
  SegmentReader(std::unique_ptr<File> file, const SegmentHeader& header, uint64_t file_bytes)
      : file_(std::move(file)), header_(header), file_bytes_(file_bytes) {}

  // The valid record at `at`, or nothing if there is none. Its payload is valid until the next call.
  std::optional<Record> read(Position at);

  // What is to be seen of records after a place where no valid one is.
  struct Tail {
    std::optional<Position> proof;       // a valid record here says that more than `after` was durable
    std::optional<Position> next_valid;  // the first valid record
    uint64_t recognized_end =
        0;  // file offset after the last record of which at least the header is there; 0: none
  };
  // Looks at every multiple of 8 from `after` on. Stops at the first proof.
  Tail scan_tail(Position after);

  uint64_t offset_of(Position at) const { return kFirstRecordOffset + (at.value - header_.start.value); }
  const SegmentHeader& header() const { return header_; }
  const std::string& path() const { return file_->path(); }

 private:
  // The bytes [offset, offset + size) of the file, or an empty view if it ends before.
  std::string_view window(uint64_t offset, uint64_t size);
  std::optional<RecordHeader> plausible_header(uint64_t offset);
  // Offsets in the window's worth of bytes from `from_offset` on that hold the position of a record that
  // would begin there.
  void find_candidates(uint64_t from_offset, std::vector<uint64_t>* offsets);

  std::unique_ptr<File> file_;
  SegmentHeader header_;
  uint64_t file_bytes_;
  std::string window_;
  uint64_t window_offset_ = 0;
  std::string decompressed_;
};

}  // namespace idem::wal
