#include "wal/segment_format.h"

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <cstring>
#include <fmt/format.h>

#include "common/byte_io.h"
#include "common/crc32c.h"

namespace idem::wal {

namespace {

constexpr std::string_view kMagic = "IDEMLOG1";
constexpr uint32_t kFormatVersion = 1;
constexpr size_t kChecksummedFrom = 12;  // of a segment header: after magic and CRC
constexpr size_t kIdDigits = 20;
constexpr std::string_view kSuffix = ".log";

}  // namespace

std::string SegmentHeader::encode() const {
  std::string out;
  ByteWriter writer(out);
  writer.bytes(kMagic);
  writer.u32(0);
  writer.u32(kFormatVersion);
  writer.bytes(database_id.bytes.data(), database_id.bytes.size());
  writer.u64(segment_id);
  writer.u64(epoch);
  writer.u64(start.value);
  writer.u64(0);
  writer.set_u32(kMagic.size(), crc32c(out.data() + kChecksummedFrom, out.size() - kChecksummedFrom));
  return out;
}

SegmentHeaderState decode_segment_header(std::string_view bytes, SegmentHeader* header) {
  if (std::all_of(bytes.begin(), bytes.end(), [](char c) { return c == '\0'; }))
    return SegmentHeaderState::kZero;
  if (bytes.size() < kSegmentHeaderBytes || !bytes.starts_with(kMagic)) return SegmentHeaderState::kDamaged;
  ByteReader reader(bytes.substr(0, kSegmentHeaderBytes), "log segment header");
  reader.skip(kMagic.size());
  const uint32_t crc = reader.u32();
  if (crc != crc32c(bytes.data() + kChecksummedFrom, kSegmentHeaderBytes - kChecksummedFrom)) {
    return SegmentHeaderState::kDamaged;
  }
  if (reader.u32() != kFormatVersion) return SegmentHeaderState::kDamaged;
  const std::string_view database_id = reader.bytes(header->database_id.bytes.size());
  std::memcpy(header->database_id.bytes.data(), database_id.data(), database_id.size());
  header->segment_id = reader.u64();
  header->epoch = reader.u64();
  header->start.value = reader.u64();
  return SegmentHeaderState::kValid;
}

uint32_t RecordHeader::checksum(uint32_t payload_crc) const {
  const size_t skipped = offsetof(RecordHeader, stored_bytes);
  return crc32c(reinterpret_cast<const char*>(this) + skipped, sizeof *this - skipped, payload_crc);
}

bool RecordHeader::is_plausible(Position at, uint64_t segment_epoch, uint64_t room) const {
  if (position != at.value || epoch != segment_epoch || durable > position || flags > kFlagLz4) return false;
  return total_bytes() <= room &&
         (flags == kFlagLz4 ? stored_bytes < payload_bytes : stored_bytes == payload_bytes);
}

std::string segment_file_name(uint64_t id) { return fmt::format("{:0{}}{}", id, kIdDigits, kSuffix); }

std::optional<uint64_t> parse_segment_file_name(std::string_view name) {
  if (name.size() != kIdDigits + kSuffix.size() || !name.ends_with(kSuffix)) return std::nullopt;
  uint64_t id = 0;
  const char* end = name.data() + kIdDigits;
  const auto [stop, error] = std::from_chars(name.data(), end, id);
  if (error != std::errc() || stop != end || id == 0) return std::nullopt;
  return id;
}

}  // namespace idem::wal
