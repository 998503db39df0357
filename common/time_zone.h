#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace idem {

// The rules of one time zone. Immutable; any thread may use it.
//
// Offsets are seconds east of UTC. Infinite timestamps pass through unchanged.
class TimeZone {
 public:
  struct LocalType {
    int32_t offset_seconds = 0;
    bool is_dst = false;
    std::string abbreviation;
  };
  // Daylight-saving rule that goes on after the last listed transition, from the POSIX string of the zone
  // file.
  struct Rule {
    enum class Kind : uint8_t { kJulianNoLeap, kDayOfYear, kMonthWeekDay };
    Kind kind = Kind::kMonthWeekDay;
    int32_t month = 0, week = 0, day = 0;
    int32_t time_seconds = 7200;  // local time of the change
  };
  struct Tail {
    bool has_dst = false;
    LocalType standard, daylight;
    Rule start, end;
  };

  const std::string& name() const { return name_; }
  bool is_utc() const { return is_utc_; }

  int32_t utc_offset_at(int64_t utc_micros) const {
    return is_fixed_ ? fixed_offset_ : local_type_at(utc_micros).offset_seconds;
  }
  std::string_view abbreviation_at(int64_t utc_micros) const {
    return local_type_at(utc_micros).abbreviation;
  }
  bool is_dst_at(int64_t utc_micros) const { return local_type_at(utc_micros).is_dst; }

  // In a gap (clocks go forward) the offset from before it is used, in an overlap (clocks go back) the later
  // reading, standard time, both as PostgreSQL does.
  int64_t local_to_utc(int64_t local_micros) const;
  int64_t utc_to_local(int64_t utc_micros) const;

 private:
  friend class TimeZoneReader;
  const LocalType& local_type_at(int64_t utc_micros) const;
  const LocalType& tail_type_at(int64_t utc_seconds) const;

  std::string name_;
  bool is_utc_ = false;
  bool is_fixed_ = false;
  int32_t fixed_offset_ = 0;
  std::vector<int64_t>
      transitions_;  // utc seconds, ascending; types_[transition_types_[i]] holds from transitions_[i] on
  std::vector<uint8_t> transition_types_;
  std::vector<LocalType> types_;
  uint8_t first_type_ = 0;
  bool has_tail_ = false;
  Tail tail_;
};

// By IANA name in any case (Europe/Berlin), abbreviation (UTC, GMT, Z, EST, CEST …), or POSIX form, whose
// sign PostgreSQL reads the other way round: '+02:00' and 'XYZ2' are two hours *west* of Greenwich. Null if
// there is no such zone. Objects are read from the system's zone files once and shared.
std::shared_ptr<const TimeZone> find_time_zone(std::string_view name);
// Throws 22023 `time zone "…" not recognized`.
std::shared_ptr<const TimeZone> time_zone_from_name(std::string_view name);
std::shared_ptr<const TimeZone> utc_time_zone();
// An offset in seconds east of UTC, as SET TIME ZONE 2 and INTERVAL '2:00' mean it; named <+02>-02 as in
// PostgreSQL.
std::shared_ptr<const TimeZone> fixed_time_zone(int32_t offset_seconds);
// Seconds east of UTC of an abbreviation such as EST, CEST, Z, in any case; false if unknown.
bool find_zone_abbreviation(std::string_view name, int32_t* offset_seconds);
// IANA names of the system, sorted: what pg_timezone_names lists.
std::vector<std::string> time_zone_names();

}  // namespace idem
