#include "wal/segment_reader.h"

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <lz4.h>

#include "common/crc32c.h"

namespace idem::wal {

namespace {

constexpr uint64_t kWindowBytes = uint64_t{1} << 20;

}  // namespace

std::string_view SegmentReader::window(uint64_t offset, uint64_t size) {
  if (offset > file_bytes_ || size > file_bytes_ - offset) return {};
  if (offset < window_offset_ || offset + size > window_offset_ + window_.size()) {
    window_.resize(std::min(std::max(size, kWindowBytes), file_bytes_ - offset));
    window_offset_ = offset;
    const size_t got = file_->read_at(offset, window_.data(), window_.size()).value_or_throw();
    window_.resize(got);
    if (got < size) return {};
  }
  return std::string_view(window_).substr(offset - window_offset_, size);
}

std::optional<RecordHeader> SegmentReader::plausible_header(uint64_t offset) {
  const std::string_view bytes = window(offset, kRecordHeaderBytes);
  if (bytes.empty()) return std::nullopt;
  RecordHeader header;
  std::memcpy(&header, bytes.data(), sizeof header);
  const Position at{header_.start.value + (offset - kFirstRecordOffset)};
  if (!header.is_plausible(at, header_.epoch, file_bytes_ - offset)) return std::nullopt;
  return header;
}

std::optional<Record> SegmentReader::read(Position at) {
  const uint64_t offset = offset_of(at);
  const std::optional<RecordHeader> header = plausible_header(offset);
  if (!header) return std::nullopt;
  const std::string_view bytes = window(offset, kRecordHeaderBytes + header->stored_bytes);
  if (bytes.empty()) return std::nullopt;
  const std::string_view stored = bytes.substr(kRecordHeaderBytes);
  if (header->checksum(crc32c(stored.data(), stored.size())) != header->crc) return std::nullopt;

  Record record;
  record.extent = {at, {at.value + header->total_bytes()}};
  record.commit_number = header->commit_number;
  record.epoch = header->epoch;
  record.durable = {header->durable};
  record.stored_bytes = header->stored_bytes;
  record.compressed = (header->flags & kFlagLz4) != 0;
  record.payload = stored;
  if (record.compressed) {
    decompressed_.resize(header->payload_bytes);
    const int got = LZ4_decompress_safe(stored.data(), decompressed_.data(), static_cast<int>(stored.size()),
                                        static_cast<int>(decompressed_.size()));
    if (got < 0 || static_cast<uint32_t>(got) != header->payload_bytes) return std::nullopt;
    record.payload = decompressed_;
  }
  return record;
}

void SegmentReader::find_candidates(uint64_t from_offset, std::vector<uint64_t>* offsets) {
  const std::string_view bytes = window(from_offset, std::min(kWindowBytes, file_bytes_ - from_offset));
  uint64_t expected = header_.start.value + (from_offset - kFirstRecordOffset);
  for (size_t i = 0; i + kRecordHeaderBytes <= bytes.size();
       i += kRecordAlignment, expected += kRecordAlignment) {
    uint64_t position;
    std::memcpy(&position, bytes.data() + i + offsetof(RecordHeader, position), sizeof position);
    if (position == expected) offsets->push_back(from_offset + i);
  }
}

SegmentReader::Tail SegmentReader::scan_tail(Position after) {
  Tail tail;
  std::vector<uint64_t> offsets;
  // Chunks overlap by what the header of a record at the end of one needs.
  for (uint64_t from = offset_of(after); from < file_bytes_; from += kWindowBytes - kRecordHeaderBytes) {
    offsets.clear();
    find_candidates(from, &offsets);
    for (const uint64_t offset : offsets) {
      const std::optional<RecordHeader> header = plausible_header(offset);
      if (!header) continue;
      tail.recognized_end = std::max(tail.recognized_end, offset + header->total_bytes());
      const Position at{header->position};
      if (!read(at)) continue;
      if (!tail.next_valid) tail.next_valid = at;
      if (header->durable > after.value) {
        tail.proof = at;
        return tail;
      }
    }
  }
  return tail;
}

}  // namespace idem::wal
