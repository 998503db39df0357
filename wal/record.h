#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <string_view>

namespace idem::wal {

// Orders transactions; assigned by the caller of Log::append, strictly increasing along the log.
using CommitNumber = uint64_t;

// A place in the log: the number of record bytes before it since the log began, segment headers not counted.
// Never reused for records that were acknowledged. Records begin at multiples of 8.
struct Position {
  uint64_t value = 0;
  constexpr auto operator<=>(const Position&) const = default;
};

// Marks the files of one database, so that files of another are never taken for its own.
struct DatabaseId {
  std::array<uint8_t, 16> bytes{};
  constexpr auto operator<=>(const DatabaseId&) const = default;
};

// Where a record lies: [begin, end).
struct Extent {
  Position begin;
  Position end;
};

// A record as it is read back. `payload` is decompressed and valid only during the callback that gets it.
struct Record {
  Extent extent;
  CommitNumber commit_number = 0;
  uint64_t epoch = 0;
  Position durable;  // everything before was known to be durable when this record was written
  std::string_view payload;
  uint32_t stored_bytes = 0;  // of the payload in the segment; fewer than payload.size() if compressed
  bool compressed = false;
};

}  // namespace idem::wal
