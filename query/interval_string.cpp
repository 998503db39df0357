#include "query/interval_string.h"

#include <algorithm>
#include <charconv>

#include "common/calendar.h"
#include "common/error.h"
#include "common/timestamp_arithmetic.h"
#include "common/timestamp_text.h"

namespace idem {

namespace {

constexpr int64_t kMaxRepetitions = 100'000;

[[noreturn]] void throw_invalid(std::string_view text) {
  throw sql_error(sqlstate::kInvalidDatetimeFormat, "invalid interval string: \"{}\"", text)
      .with_hint(
          "Write a year, month, day, hour … such as '2024-01-15T10', or '2024-01-15T10;30m;1d;7': "
          "start;extension;period;count.");
}

bool parse_digits(std::string_view text, size_t at, size_t count, int32_t* value) {
  if (at + count > text.size()) return false;
  auto [end, error] = std::from_chars(text.data() + at, text.data() + at + count, *value);
  return error == std::errc() && end == text.data() + at + count;
}

// A date or time with its last parts left out: [first, next).
bool parse_partial(std::string_view t, int64_t* first, int64_t* next) {
  int32_t year = 0, month = 1, day = 1, hour = 0, minute = 0, second = 0, week = 0;
  const auto at = [&](int32_t y, int32_t m, int32_t d) { return days_from_civil(y, m, d) * kMicrosPerDay; };
  if (!parse_digits(t, 0, 4, &year)) return false;
  if (t.size() == 4) {
    *first = at(year, 1, 1);
    *next = at(year + 1, 1, 1);
    return true;
  }
  if (t[4] != '-') return false;
  if (t.size() == 8 && t[5] == 'W') {
    if (!parse_digits(t, 6, 2, &week) || week < 1 || week > 53) return false;
    *first = days_from_iso_week(year, week) * kMicrosPerDay;
    *next = *first + 7 * kMicrosPerDay;
    return true;
  }
  if (!parse_digits(t, 5, 2, &month) || month < 1 || month > 12) return false;
  if (t.size() == 7) {
    *first = at(year, month, 1);
    *next = month == 12 ? at(year + 1, 1, 1) : at(year, month + 1, 1);
    return true;
  }
  if (t[7] != '-' || !parse_digits(t, 8, 2, &day) || day < 1 || day > days_in_month(year, month))
    return false;
  *first = at(year, month, day);
  if (t.size() == 10) {
    *next = *first + kMicrosPerDay;
    return true;
  }
  if ((t[10] != 'T' && t[10] != ' ') || !parse_digits(t, 11, 2, &hour) || hour > 23) return false;
  *first += hour * kMicrosPerHour;
  if (t.size() == 13) {
    *next = *first + kMicrosPerHour;
    return true;
  }
  if (t[13] != ':' || !parse_digits(t, 14, 2, &minute) || minute > 59) return false;
  *first += minute * kMicrosPerMinute;
  if (t.size() == 16) {
    *next = *first + kMicrosPerMinute;
    return true;
  }
  if (t[16] != ':' || !parse_digits(t, 17, 2, &second) || second > 59) return false;
  *first += second * kMicrosPerSecond;
  if (t.size() == 19) {
    *next = *first + kMicrosPerSecond;
    return true;
  }
  return false;
}

// n units later.
int64_t add_duration(int64_t micros, int64_t count, char unit, std::string_view text) {
  Interval interval;
  switch (unit) {
    case 'U': interval.micros = count; break;
    case 'T': interval.micros = count * 1000; break;
    case 's': interval.micros = count * kMicrosPerSecond; break;
    case 'm': interval.micros = count * kMicrosPerMinute; break;
    case 'h': interval.micros = count * kMicrosPerHour; break;
    case 'd': interval.days = static_cast<int32_t>(count); break;
    case 'w': interval.days = static_cast<int32_t>(count * 7); break;
    case 'M': interval.months = static_cast<int32_t>(count); break;
    case 'y': interval.months = static_cast<int32_t>(count * 12); break;
    default: throw_invalid(text);
  }
  return add_interval(micros, interval);
}

void parse_duration(std::string_view part, std::string_view whole, int64_t* count, char* unit) {
  if (part.size() < 2 || part.size() > 8) throw_invalid(whole);
  *unit = part.back();
  auto [end, error] = std::from_chars(part.data(), part.data() + part.size() - 1, *count);
  if (error != std::errc() || end != part.data() + part.size() - 1) throw_invalid(whole);
}

std::vector<std::string_view> split(std::string_view text) {
  std::vector<std::string_view> parts;
  while (true) {
    size_t end = text.find(';');
    parts.push_back(text.substr(0, end));
    if (end == std::string_view::npos) return parts;
    text.remove_prefix(end + 1);
  }
}

}  // namespace

std::vector<std::pair<int64_t, int64_t>> parse_interval_string(std::string_view text) {
  std::string_view trimmed = text;
  while (!trimmed.empty() && trimmed.front() == ' ') trimmed.remove_prefix(1);
  while (!trimmed.empty() && trimmed.back() == ' ') trimmed.remove_suffix(1);
  std::vector<std::string_view> parts = split(trimmed);
  if (parts.size() == 3 || parts.size() > 4) throw_invalid(text);
  int64_t first = 0, last = 0;
  if (int64_t next = 0; parse_partial(parts[0], &first, &next)) {
    last = next - 1;
  } else {
    if (parse_timestamp(parts[0], {}, &first) != TimestampResult::kOk) throw_invalid(text);
    last = first;
  }
  int64_t period = 0, repetitions = 1;
  char period_unit = 'd';
  if (parts.size() > 1) {
    int64_t extension = 0;
    char unit = 's';
    parse_duration(parts[1], text, &extension, &unit);
    last = add_duration(last, extension, unit, text);
    if (last < first) std::swap(first, last);
  }
  if (parts.size() == 4) {
    parse_duration(parts[2], text, &period, &period_unit);
    auto [end, error] = std::from_chars(parts[3].data(), parts[3].data() + parts[3].size(), repetitions);
    if (error != std::errc() || end != parts[3].data() + parts[3].size() || repetitions < 1 ||
        repetitions > kMaxRepetitions) {
      throw_invalid(text);
    }
  }
  std::vector<std::pair<int64_t, int64_t>> ranges;
  for (int64_t i = 0; i < repetitions; i++) {
    ranges.emplace_back(add_duration(first, period * i, period_unit, text),
                        add_duration(last, period * i, period_unit, text));
  }
  std::sort(ranges.begin(), ranges.end());
  std::vector<std::pair<int64_t, int64_t>> merged;
  for (const auto& range : ranges) {
    if (!merged.empty() && range.first <= merged.back().second + 1) {
      merged.back().second = std::max(merged.back().second, range.second);
    } else {
      merged.push_back(range);
    }
  }
  return merged;
}

}  // namespace idem
