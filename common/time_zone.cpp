#include "common/time_zone.h"

#include <algorithm>
#include <array>
#include <map>
#include <mutex>
#include <shared_mutex>

#include "common/ascii.h"
#include "common/calendar.h"
#include "common/error.h"
#include "common/posix_file.h"
#include "common/time_zone_reader.h"

namespace idem {

namespace {

constexpr std::string_view kZoneFolder = "/usr/share/zoneinfo";
constexpr int64_t kSecondsPerDay = 86'400;

struct Abbreviation {
  std::string_view name;
  int32_t minutes;
};

// PostgreSQL's default set, as far as it is in use.
constexpr std::array kAbbreviations = {
    Abbreviation{"acst", 570},  Abbreviation{"acdt", 630},   Abbreviation{"adt", -180},
    Abbreviation{"aedt", 660},  Abbreviation{"aest", 600},   Abbreviation{"akdt", -480},
    Abbreviation{"akst", -540}, Abbreviation{"art", -180},   Abbreviation{"ast", -240},
    Abbreviation{"awst", 480},  Abbreviation{"bdst", 120},   Abbreviation{"brst", -120},
    Abbreviation{"brt", -180},  Abbreviation{"bst", 60},     Abbreviation{"cct", 480},
    Abbreviation{"cdt", -300},  Abbreviation{"cest", 120},   Abbreviation{"cet", 60},
    Abbreviation{"clt", -180},  Abbreviation{"cst", -360},   Abbreviation{"eat", 180},
    Abbreviation{"edt", -240},  Abbreviation{"eest", 180},   Abbreviation{"eet", 120},
    Abbreviation{"est", -300},  Abbreviation{"gmt", 0},      Abbreviation{"hkt", 480},
    Abbreviation{"hst", -600},  Abbreviation{"ict", 420},    Abbreviation{"idt", 180},
    Abbreviation{"ist", 120},   Abbreviation{"jst", 540},    Abbreviation{"kst", 540},
    Abbreviation{"mdt", -360},  Abbreviation{"mest", 120},   Abbreviation{"mesz", 120},
    Abbreviation{"met", 60},    Abbreviation{"metdst", 120}, Abbreviation{"mez", 60},
    Abbreviation{"msd", 240},   Abbreviation{"msk", 180},    Abbreviation{"mst", -420},
    Abbreviation{"ndt", -150},  Abbreviation{"npt", 345},    Abbreviation{"nst", -210},
    Abbreviation{"nzdt", 780},  Abbreviation{"nzst", 720},   Abbreviation{"pdt", -420},
    Abbreviation{"pht", 480},   Abbreviation{"pkt", 300},    Abbreviation{"pst", -480},
    Abbreviation{"sast", 120},  Abbreviation{"sgt", 480},    Abbreviation{"uct", 0},
    Abbreviation{"ut", 0},      Abbreviation{"utc", 0},      Abbreviation{"uzt", 300},
    Abbreviation{"wat", 60},    Abbreviation{"west", 60},    Abbreviation{"wet", 0},
    Abbreviation{"z", 0},       Abbreviation{"zulu", 0},
};

// Zone names of the system by their lower-case form.
using ZoneNames = std::map<std::string, std::string, std::less<>>;

// Folders of alternative rules and files that are no zones begin with a small letter, except for one.
void list_zones(FileSystem& files, const std::string& prefix, ZoneNames* names) {
  IoResult<std::vector<DirectoryEntry>> entries = files.list(std::string(kZoneFolder) + "/" + prefix);
  if (!entries.ok()) return;
  for (const DirectoryEntry& entry : entries.value()) {
    if (prefix.empty() && !(entry.name[0] >= 'A' && entry.name[0] <= 'Z')) continue;
    const std::string path = prefix + entry.name;
    if (entry.is_directory) {
      list_zones(files, path + "/", names);
    } else if (entry.name.find('.') == std::string::npos && path != "Factory" && path != "SECURITY") {
      names->emplace(to_lower(path), path);
    }
  }
}

const ZoneNames& system_zone_names() {
  static const ZoneNames kNames = [] {
    ZoneNames names;
    list_zones(*make_posix_file_system(), "", &names);
    return names;
  }();
  return kNames;
}

// Zones that were asked for; what is in here never changes or goes.
class ZoneCache {
 public:
  std::shared_ptr<const TimeZone> find(const std::string& key) const {
    const std::shared_lock lock(mutex_);
    const auto found = zones_.find(key);
    return found == zones_.end() ? nullptr : found->second;
  }
  std::shared_ptr<const TimeZone> insert(std::string key, std::shared_ptr<const TimeZone> zone) {
    const std::unique_lock lock(mutex_);
    if (zones_.size() >= kMaxZones) return zone;
    return zones_.emplace(std::move(key), std::move(zone)).first->second;
  }

 private:
  static constexpr size_t kMaxZones = 4096;  // POSIX forms are without number
  mutable std::shared_mutex mutex_;
  std::map<std::string, std::shared_ptr<const TimeZone>> zones_;
};

ZoneCache& zone_cache() {
  static ZoneCache cache;
  return cache;
}

std::shared_ptr<const TimeZone> read_zone(const std::string& lower) {
  if (lower == "utc" || lower == "gmt") {
    std::string name = lower == "utc" ? "UTC" : "GMT";
    return TimeZoneReader::fixed(name, name, 0);
  }
  const ZoneNames& names = system_zone_names();
  if (const auto found = names.find(lower); found != names.end()) {
    const std::unique_ptr<FileSystem> files = make_posix_file_system();
    IoResult<std::string> bytes = read_whole_file(*files, std::string(kZoneFolder) + "/" + found->second);
    if (bytes.ok()) return TimeZoneReader::from_tzif(found->second, bytes.value());
  }
  std::string upper = lower;
  for (char& c : upper) c = static_cast<char>(c - (c >= 'a' && c <= 'z' ? 32 : 0));
  int32_t offset;
  if (find_zone_abbreviation(lower, &offset)) return TimeZoneReader::fixed(upper, upper, offset);
  return TimeZoneReader::from_posix(upper, upper);
}

// Seconds since 1970, local time, of the moment that a rule names in a year.
int64_t rule_in_year(const TimeZone::Rule& rule, int32_t year) {
  int64_t day = days_from_civil(year, 1, 1);
  switch (rule.kind) {
    case TimeZone::Rule::Kind::kJulianNoLeap:
      day += rule.day - 1 + (is_leap_year(year) && rule.day >= 60 ? 1 : 0);
      break;
    case TimeZone::Rule::Kind::kDayOfYear: day += rule.day; break;
    case TimeZone::Rule::Kind::kMonthWeekDay: {
      const int64_t first = days_from_civil(year, rule.month, 1);
      int32_t in_month = 1 + (rule.day - day_of_week(first) + 7) % 7 + 7 * (rule.week - 1);
      if (in_month > days_in_month(year, rule.month)) in_month -= 7;
      day = first + in_month - 1;
      break;
    }
  }
  return day * kSecondsPerDay + rule.time_seconds;
}

std::string offset_text(int32_t seconds) {
  const int32_t size = seconds < 0 ? -seconds : seconds;
  std::string text = fmt::format("{}{:02}", seconds < 0 ? '-' : '+', size / 3600);
  if (size % 3600 != 0) text += fmt::format(":{:02}", size / 60 % 60);
  if (size % 60 != 0) text += fmt::format(":{:02}", size % 60);
  return text;
}

}  // namespace

const TimeZone::LocalType& TimeZone::tail_type_at(int64_t utc_seconds) const {
  if (!tail_.has_dst) return tail_.standard;
  const int64_t local_days = floor_divide(utc_seconds + tail_.standard.offset_seconds, kSecondsPerDay);
  const int32_t year = civil_from_days(local_days).year;
  const int64_t start = rule_in_year(tail_.start, year) - tail_.standard.offset_seconds;
  const int64_t end = rule_in_year(tail_.end, year) - tail_.daylight.offset_seconds;
  const bool is_dst =
      start < end ? utc_seconds >= start && utc_seconds < end : utc_seconds >= start || utc_seconds < end;
  return is_dst ? tail_.daylight : tail_.standard;
}

const TimeZone::LocalType& TimeZone::local_type_at(int64_t utc_micros) const {
  const int64_t seconds = floor_divide(utc_micros, kMicrosPerSecond);
  if (has_tail_ && (transitions_.empty() || seconds >= transitions_.back())) return tail_type_at(seconds);
  const auto next = std::upper_bound(transitions_.begin(), transitions_.end(), seconds);
  if (next == transitions_.begin()) return types_[first_type_];
  return types_[transition_types_[static_cast<size_t>(next - transitions_.begin()) - 1]];
}

int64_t TimeZone::utc_to_local(int64_t utc_micros) const {
  if (!is_finite_timestamp(utc_micros)) return utc_micros;
  int64_t local;
  if (__builtin_add_overflow(utc_micros, utc_offset_at(utc_micros) * kMicrosPerSecond, &local) ||
      !is_finite_timestamp(local)) {
    throw sql_error(sqlstate::kDatetimeFieldOverflow, "timestamp out of range");
  }
  return local;
}

int64_t TimeZone::local_to_utc(int64_t local_micros) const {
  if (!is_finite_timestamp(local_micros)) return local_micros;
  const auto minus_offset = [&](int32_t offset) {
    int64_t utc;
    if (__builtin_sub_overflow(local_micros, offset * kMicrosPerSecond, &utc) || !is_finite_timestamp(utc) ||
        !is_valid_timestamp(utc)) {
      throw sql_error(sqlstate::kDatetimeFieldOverflow, "timestamp out of range");
    }
    return utc;
  };
  if (is_fixed_) return minus_offset(fixed_offset_);
  const auto near_offset = [&](int64_t distance) {
    int64_t at;
    if (__builtin_add_overflow(local_micros, distance, &at)) at = local_micros;
    return utc_offset_at(at);
  };
  const int32_t before = near_offset(-kMicrosPerDay);
  const int32_t after = near_offset(kMicrosPerDay);
  if (before == after) return minus_offset(before);
  const int64_t as_before = minus_offset(before);
  const int64_t as_after = minus_offset(after);
  if (utc_offset_at(as_after) == after) return as_after;  // also where both hold: clocks went back
  return as_before;
}

bool find_zone_abbreviation(std::string_view name, int32_t* offset_seconds) {
  if (name.size() > 6) return false;
  const std::string lower = to_lower(name);
  for (const Abbreviation& candidate : kAbbreviations) {
    if (candidate.name == lower) {
      *offset_seconds = candidate.minutes * 60;
      return true;
    }
  }
  return false;
}

std::shared_ptr<const TimeZone> find_time_zone(std::string_view name) {
  constexpr size_t kMaxName = 255;
  if (name.empty() || name.size() > kMaxName) return nullptr;
  const std::string lower = to_lower(name);
  if (auto zone = zone_cache().find(lower)) return zone;
  auto zone = read_zone(lower);
  return zone ? zone_cache().insert(lower, std::move(zone)) : nullptr;
}

std::shared_ptr<const TimeZone> time_zone_from_name(std::string_view name) {
  auto zone = find_time_zone(name);
  if (!zone) throw sql_error(sqlstate::kInvalidParameterValue, "time zone \"{}\" not recognized", name);
  return zone;
}

std::shared_ptr<const TimeZone> utc_time_zone() {
  static const std::shared_ptr<const TimeZone> kUtc = TimeZoneReader::fixed("UTC", "UTC", 0);
  return kUtc;
}

std::shared_ptr<const TimeZone> fixed_time_zone(int32_t offset_seconds) {
  const std::string abbreviation = offset_text(offset_seconds);
  return TimeZoneReader::fixed(fmt::format("<{}>{}", abbreviation, offset_text(-offset_seconds)),
                               abbreviation, offset_seconds);
}

std::vector<std::string> time_zone_names() {
  std::vector<std::string> names;
  for (const auto& [lower, name] : system_zone_names()) names.push_back(name);
  std::sort(names.begin(), names.end());
  return names;
}

}  // namespace idem
