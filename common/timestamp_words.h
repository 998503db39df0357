#pragma once

#include <cstdint>
#include <memory>
#include <string_view>

#include "common/time_zone.h"
#include "common/timestamp_text.h"

namespace idem {

// What a date and time text says, before a zone is applied: the result of reading it word by word.
struct DateTimeWords {
  enum class Special : uint8_t { kNone, kInstant };   // kInstant: now, epoch, infinity
  enum class Expect : uint8_t { kTimestamp, kTime };  // of a bare '101112'

  Special special = Special::kNone;
  int64_t instant = 0;  // UTC

  bool has_date = false;
  int64_t days = 0;
  bool has_time = false;
  int64_t micros_of_day = 0;  // 24:00:00 is a whole day

  bool has_offset = false;
  int32_t offset_seconds = 0;
  std::shared_ptr<const TimeZone> zone;  // named one
};

// Reads everything that PostgreSQL takes with DateStyle ISO, MDY.
TimestampResult read_date_time_words(std::string_view text, const TimestampTextOptions& options,
                                     DateTimeWords* words,
                                     DateTimeWords::Expect expect = DateTimeWords::Expect::kTimestamp);

// The offset that holds at a local time.
int32_t local_offset(const TimeZone& zone, int64_t local_micros);

}  // namespace idem
