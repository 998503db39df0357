#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "wal/record.h"

// The bytes of a log segment, as docs/format/log.md describes them.
namespace idem::wal {

inline constexpr uint64_t kPageBytes = 4096;
inline constexpr uint64_t kFirstRecordOffset = kPageBytes;
inline constexpr uint64_t kRecordAlignment = 8;
inline constexpr size_t kSegmentHeaderBytes = 64;
inline constexpr size_t kRecordHeaderBytes = 48;
inline constexpr uint32_t kFlagLz4 = 1;

constexpr uint64_t round_up(uint64_t n, uint64_t multiple) {
  return (n + multiple - 1) / multiple * multiple;
}

struct SegmentHeader {
  DatabaseId database_id;
  uint64_t segment_id = 0;
  uint64_t epoch = 0;
  Position start;

  std::string encode() const;  // kSegmentHeaderBytes
};

enum class SegmentHeaderState : uint8_t { kValid, kZero, kDamaged };
// `bytes` are the first kSegmentHeaderBytes of a file, or fewer if it is shorter. Sets `header` if valid.
SegmentHeaderState decode_segment_header(std::string_view bytes, SegmentHeader* header);

// The header of a record as it is stored.
struct RecordHeader {
  uint32_t crc = 0;
  uint32_t stored_bytes = 0;
  uint32_t payload_bytes = 0;
  uint32_t flags = 0;
  uint64_t epoch = 0;
  uint64_t position = 0;
  uint64_t commit_number = 0;
  uint64_t durable = 0;

  uint64_t total_bytes() const { return round_up(kRecordHeaderBytes + stored_bytes, kRecordAlignment); }
  // Over the header but for `crc` itself; goes on from the CRC of the stored payload.
  uint32_t checksum(uint32_t payload_crc) const;
  // Could stand at `at` in a segment of `epoch` with `room` bytes left: everything but the checksum.
  bool is_plausible(Position at, uint64_t segment_epoch, uint64_t room) const;
};
static_assert(sizeof(RecordHeader) == kRecordHeaderBytes);

// "00000000000000000012.log".
std::string segment_file_name(uint64_t id);
// Nothing if `name` is not such a name.
std::optional<uint64_t> parse_segment_file_name(std::string_view name);

}  // namespace idem::wal
