#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <string_view>

#include "wal/segment_format.h"

namespace idem::wal {

// Records from this size on are not copied into the log's buffer, but written from bytes of their own.
constexpr size_t kOwnPieceBytes = 64 * 1024;

// The bytes of one large record, with room for a page of padding. Not a string, which would clear memory that is about to be written.
class RecordBytes {
 public:
  RecordBytes() = default;
  explicit RecordBytes(size_t most) : data_(std::make_unique_for_overwrite<char[]>(most + kPageBytes)) {}

  char* data() { return data_.get(); }
  size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }
  std::string_view view() const { return {data_.get(), size_}; }
  // Zeros from `used` on; at most a page more than it was made for.
  void pad(size_t used, size_t size) {
    std::memset(data_.get() + used, 0, size - used);
    size_ = size;
  }

 private:
  std::unique_ptr<char[]> data_;
  size_t size_ = 0;
};

// A record on its way into the log: all that can be done before its place there is known. Of the header, that is the sizes and flags.
struct PendingRecord {
  RecordHeader header;
  uint32_t payload_crc = 0;
  std::string_view stored;  // the payload as it goes to the disk
  // Header room, payload and padding, if the record gets bytes of its own; `stored` then points into it.
  RecordBytes own;
};

// The result refers to `payload`, unless it got bytes of its own: if it is large, or compressed because `try_compression` saved an eighth
// at least.
PendingRecord make_record(std::string_view payload, bool try_compression);

}  // namespace idem::wal
