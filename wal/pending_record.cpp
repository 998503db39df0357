#include "wal/pending_record.h"

#include <lz4.h>

#include "common/crc32c.h"

namespace idem::wal {

namespace {

bool compress(std::string_view payload, PendingRecord* record) {
  const int bound = LZ4_compressBound(static_cast<int>(payload.size()));
  record->own = RecordBytes(kRecordHeaderBytes + static_cast<size_t>(bound));
  // Its accelerated forms are hardly faster on columns and leave more: docs/decisions/log-group-commit.md.
  const int size = LZ4_compress_default(payload.data(), record->own.data() + kRecordHeaderBytes,
                                        static_cast<int>(payload.size()), bound);
  // Less than an eighth saved is not worth the time of reading it back.
  if (size <= 0 || static_cast<size_t>(size) > payload.size() - payload.size() / 8) return false;
  record->header.stored_bytes = static_cast<uint32_t>(size);
  record->header.flags = kFlagLz4;
  return true;
}

}  // namespace

PendingRecord make_record(std::string_view payload, bool try_compression) {
  PendingRecord record;
  record.header.stored_bytes = record.header.payload_bytes = static_cast<uint32_t>(payload.size());
  const bool compressed = try_compression && compress(payload, &record);
  if (compressed || payload.size() >= kOwnPieceBytes) {
    if (!compressed) {
      record.own = RecordBytes(record.header.total_bytes());
      std::memcpy(record.own.data() + kRecordHeaderBytes, payload.data(), payload.size());
    }
    record.own.pad(kRecordHeaderBytes + record.header.stored_bytes, record.header.total_bytes());
    record.stored = record.own.view().substr(kRecordHeaderBytes, record.header.stored_bytes);
  } else {
    record.own = {};
    record.stored = payload;
  }
  record.payload_crc = crc32c(record.stored.data(), record.stored.size());
  return record;
}

}  // namespace idem::wal
