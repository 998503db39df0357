#include "storage/schema.h"

#include <charconv>
#include <fmt/format.h>

#include "common/calendar.h"

namespace idem {

std::string_view partition_unit_name(PartitionUnit unit) {
  switch (unit) {
    case PartitionUnit::kNone: return "NONE";
    case PartitionUnit::kHour: return "HOUR";
    case PartitionUnit::kDay: return "DAY";
    case PartitionUnit::kWeek: return "WEEK";
    case PartitionUnit::kMonth: return "MONTH";
    case PartitionUnit::kYear: return "YEAR";
  }
  return "NONE";
}

namespace {

constexpr int64_t kMicrosPerWeek = 7 * kMicrosPerDay;
constexpr int64_t kMondayOffset = 3 * kMicrosPerDay;  // 1970-01-01 was a Thursday

int64_t saturate(int128_t micros) {
  if (micros < INT64_MIN) return INT64_MIN;
  if (micros > INT64_MAX) return INT64_MAX;
  return static_cast<int64_t>(micros);
}
int64_t micros_of_days(int64_t days) { return saturate(static_cast<int128_t>(days) * kMicrosPerDay); }

int64_t floor_to(int64_t micros, int64_t width, int64_t offset) {
  const int128_t shifted = static_cast<int128_t>(micros) + offset;
  int128_t quotient = shifted / width;
  if (shifted % width < 0) --quotient;
  return saturate(quotient * width - offset);
}
int64_t end_after(int64_t start, int64_t width) { return saturate(static_cast<int128_t>(start) + width); }

}  // namespace

int64_t partition_start(PartitionUnit unit, int64_t micros) {
  switch (unit) {
    case PartitionUnit::kNone: return INT64_MIN;
    case PartitionUnit::kHour: return floor_to(micros, kMicrosPerHour, 0);
    case PartitionUnit::kDay: return floor_to(micros, kMicrosPerDay, 0);
    case PartitionUnit::kWeek: return floor_to(micros, kMicrosPerWeek, kMondayOffset);
    case PartitionUnit::kMonth:
    case PartitionUnit::kYear: {
      const CivilDate date = civil_from_days(days_of_micros(micros));
      return micros_of_days(days_from_civil(date.year, unit == PartitionUnit::kMonth ? date.month : 1, 1));
    }
  }
  return INT64_MIN;
}

int64_t partition_end(PartitionUnit unit, int64_t start) {
  switch (unit) {
    case PartitionUnit::kNone: return INT64_MAX;
    case PartitionUnit::kHour: return floor_to(end_after(start, kMicrosPerHour), kMicrosPerHour, 0);
    case PartitionUnit::kDay: return end_after(start, kMicrosPerDay);
    case PartitionUnit::kWeek: return end_after(start, kMicrosPerWeek);
    case PartitionUnit::kMonth:
    case PartitionUnit::kYear: {
      const CivilDate date = civil_from_days(days_of_micros(start));
      if (unit == PartitionUnit::kYear) return micros_of_days(days_from_civil(date.year + 1, 1, 1));
      return micros_of_days(date.month == 12 ? days_from_civil(date.year + 1, 1, 1)
                                             : days_from_civil(date.year, date.month + 1, 1));
    }
  }
  return INT64_MAX;
}

std::string partition_name(PartitionUnit unit, int64_t start) {
  if (unit == PartitionUnit::kNone) return "default";
  const int64_t days = days_of_micros(start);
  const CivilDate date = civil_from_days(days);
  switch (unit) {
    case PartitionUnit::kYear: return fmt::format("{:04}", date.year);
    case PartitionUnit::kMonth: return fmt::format("{:04}-{:02}", date.year, date.month);
    case PartitionUnit::kWeek: {
      const IsoWeek week = iso_week(days);
      return fmt::format("{:04}-W{:02}", week.year, week.week);
    }
    case PartitionUnit::kDay: return fmt::format("{:04}-{:02}-{:02}", date.year, date.month, date.day);
    default:
      return fmt::format("{:04}-{:02}-{:02}T{:02}", date.year, date.month, date.day,
                         time_of_day(start) / kMicrosPerHour);
  }
}

namespace {

// Reads the numbers of `name` in the shape of `pattern`, where 'n' stands for a number and every other
// character for itself; a leading minus belongs to the first number.
bool parse_numbers(std::string_view name, std::string_view pattern, int32_t* numbers) {
  const char* p = name.data();
  const char* end = p + name.size();
  for (const char c : pattern) {
    if (c == 'n') {
      const auto result = std::from_chars(p, end, *numbers++);
      if (result.ec != std::errc()) return false;
      p = result.ptr;
    } else if (p == end || *p++ != c) {
      return false;
    }
  }
  return p == end;
}

}  // namespace

std::optional<int64_t> parse_partition_name(PartitionUnit unit, std::string_view name) {
  if (unit == PartitionUnit::kNone) {
    return name == "default" ? std::optional<int64_t>(INT64_MIN) : std::nullopt;
  }
  int32_t n[4] = {0, 1, 1, 0};
  std::string_view pattern;
  switch (unit) {
    case PartitionUnit::kYear: pattern = "n"; break;
    case PartitionUnit::kMonth: pattern = "n-n"; break;
    case PartitionUnit::kWeek: pattern = "n-Wn"; break;
    case PartitionUnit::kDay: pattern = "n-n-n"; break;
    default: pattern = "n-n-nTn"; break;
  }
  if (!parse_numbers(name, pattern, n)) return std::nullopt;
  if (n[0] < -290'000 || n[0] > 294'246) return std::nullopt;
  int64_t start = 0;
  if (unit == PartitionUnit::kWeek) {
    if (n[1] < 1 || n[1] > 53) return std::nullopt;
    start = micros_of_days(days_from_iso_week(n[0], n[1]));
  } else {
    if (n[1] < 1 || n[1] > 12 || n[2] < 1 || n[2] > days_in_month(n[0], n[1]) || n[3] < 0 || n[3] > 23) {
      return std::nullopt;
    }
    start = micros_of_days(days_from_civil(n[0], n[1], n[2])) + n[3] * kMicrosPerHour;
  }
  // A week 53 that the year does not have is another week's name.
  if (partition_start(unit, start) != start || partition_name(unit, start) != name) return std::nullopt;
  return start;
}

int TableSchema::find_column(std::string_view column_name) const {
  for (size_t i = 0; i < columns.size(); ++i) {
    if (columns[i].name == column_name) return static_cast<int>(i);
  }
  return -1;
}

int TableSchema::find_column(ColumnId column_id) const {
  for (size_t i = 0; i < columns.size(); ++i) {
    if (columns[i].id == column_id) return static_cast<int>(i);
  }
  return -1;
}

}  // namespace idem
