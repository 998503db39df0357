#pragma once

#include <cstdint>
#include <string_view>

namespace idem {

class TimeZone;

// Timestamps, dates and times ⇄ text as PostgreSQL with DateStyle ISO, MDY.

enum class ZoneSuffix : uint8_t {
  kApply,   // '… +02' is converted to UTC
  kIgnore,  // read and dropped, as PostgreSQL does for timestamp without time zone
};

enum class TimestampResult : uint8_t { kOk, kBadSyntax, kOutOfRange, kUnknownZone };

struct TimestampTextOptions {
  ZoneSuffix suffix = ZoneSuffix::kApply;
  const TimeZone* zone = nullptr;  // of values without a suffix, and of 'today'; null: UTC
  int64_t now_micros = 0;          // UTC; what 'now', 'today' and a bare time of day refer to
  // A bare integer is microseconds since 1970 UTC, but for one of eight digits, which is YYYYMMDD.
  bool allow_integer = false;
};

// For loaders: YYYY-MM-DD[( |T)HH:MM:SS[.f{1,9}][Z|±hh[[:]mm]]] with years 0001..9999 and nothing else; more
// than six fraction digits are rounded. False for any other form, valid or not: parse_timestamp decides about
// it.
bool parse_timestamp_fast(const char* begin, const char* end, ZoneSuffix suffix, int64_t* micros);
// YYYY-MM-DD only.
bool parse_date_fast(const char* begin, const char* end, int32_t* days);

// Every form. Tries the fast one first.
TimestampResult parse_timestamp(std::string_view text, const TimestampTextOptions& options, int64_t* micros);
TimestampResult parse_date(std::string_view text, const TimestampTextOptions& options, int32_t* days);
TimestampResult parse_time(std::string_view text, const TimestampTextOptions& options,
                           int64_t* micros_of_day);

// Throw 22007 `invalid input syntax for type timestamp: "…"`, 22008 `date/time field value out of range:
// "…"`, 22023 `time zone "…" not recognized`.
int64_t timestamp_from_text(std::string_view text, const TimestampTextOptions& options,
                            std::string_view type_name = "timestamp");
int32_t date_from_text(std::string_view text, const TimestampTextOptions& options);
int64_t time_from_text(std::string_view text, const TimestampTextOptions& options);

inline constexpr int kMaxTimestampText = 48;

// Write to `out`, which has room for kMaxTimestampText characters, and return the end.
char* format_timestamp(char* out, int64_t micros);  // 2024-01-15 10:00:00.5
char* format_timestamp_tz(char* out, int64_t micros,
                          const TimeZone* zone);  // … with its offset; null: UTC, +00
char* format_date(char* out, int32_t days);
char* format_time(char* out, int64_t micros_of_day);

}  // namespace idem
