#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "common/time_zone.h"

namespace idem {

// Makes TimeZone objects from their sources. Every function returns null for what it cannot read.
class TimeZoneReader {
 public:
  // The bytes of a zoneinfo file (RFC 8536, any version).
  static std::shared_ptr<const TimeZone> from_tzif(std::string name, std::string_view bytes);
  // A POSIX TZ string such as EST5EDT,M3.2.0,M11.1.0 or <+02>-02, whose offsets count west of Greenwich.
  // Without rules daylight-saving time is that of the United States; the abbreviation may be missing.
  static std::shared_ptr<const TimeZone> from_posix(std::string name, std::string_view text);
  static std::shared_ptr<const TimeZone> fixed(std::string name, std::string abbreviation,
                                               int32_t offset_seconds);
};

}  // namespace idem
