#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "common/interval.h"

namespace idem {

class TimeZone;

// A template of to_char, to_timestamp and to_date, PostgreSQL's (YYYY-MM-DD HH24:MI:SS.US) or QuestDB's
// (yyyy-MM-ddTHH:mm:ss.SSSUUU), which is known by a lower-case yyyy beside an upper-case MM. Read once, used
// for many values.
class DateTimeFormat {
 public:
  explicit DateTimeFormat(std::string_view pattern);

  enum class Field : uint8_t {
    kLiteral,
    kHour12,
    kHour24,
    kMinute,
    kSecond,
    kMillisecond,
    kMicrosecond,
    kFraction,
    kSecondOfDay,
    kMeridiem,
    kYear,
    kYearComma,
    kIsoYear,
    kEra,
    kMonthName,
    kMonthShort,
    kMonth,
    kMonthRoman,
    kDayName,
    kDayShort,
    kDayOfYear,
    kIsoDayOfYear,
    kDay,
    kDayOfWeek,
    kIsoDayOfWeek,
    kWeekOfMonth,
    kWeekOfYear,
    kIsoWeek,
    kCentury,
    kJulian,
    kQuarter,
    kZoneName,
    kZoneHours,
    kZoneMinutes,
    kZoneOffset,
  };
  enum class Letters : uint8_t { kUpper, kCapital, kLower };
  struct Token {
    Field field = Field::kLiteral;
    uint8_t digits = 0;  // of years, fractions and day names
    Letters letters = Letters::kUpper;
    bool fill = false;                            // FM: no padding
    bool dotted = false;                          // A.M., B.C.
    bool ordinal = false, ordinal_upper = false;  // TH, th
    std::string literal;
  };

  // `zone` names the wall clock of an instant; null for timestamps without one.
  void append_timestamp(std::string& out, int64_t micros, const TimeZone* zone) const;
  void append_interval(std::string& out, const Interval& interval) const;
  // Microseconds since 1970 UTC; a text without a zone is in `zone` (null: UTC). Throws 22007, 22008.
  int64_t parse(std::string_view text, const TimeZone* zone) const;

 private:
  friend class DateTimeFormatReader;
  std::vector<Token> tokens_;
};

}  // namespace idem
