#include "common/timestamp_text.h"

#include <bit>
#include <cstring>

#include "common/ascii.h"
#include "common/calendar.h"
#include "common/digit_chunk.h"
#include "common/digit_pairs.h"
#include "common/error.h"
#include "common/number_text.h"
#include "common/time_zone.h"
#include "common/timestamp_words.h"

// The fixed forms that loaders meet, read eight characters at a time, and all output. Everything else that
// PostgreSQL reads is in timestamp_words.cpp.
namespace idem {

namespace {

constexpr uint64_t pattern(std::string_view text) {
  uint64_t word = 0;
  for (size_t i = 0; i < 8; ++i) word |= static_cast<uint64_t>(static_cast<uint8_t>(text[i])) << (8 * i);
  return word;
}

constexpr uint64_t separator_bytes(std::string_view text) {
  uint64_t mask = 0;
  for (size_t i = 0; i < 8; ++i) {
    if (text[i] != '0') mask |= uint64_t{0xff} << (8 * i);
  }
  return mask;
}

// Eight characters where `shape` has '0' for a digit and separators elsewhere. Leaves in each byte that a
// pair of digits begins at the pair's value.
bool read_pairs(const char* p, uint64_t shape, uint64_t separators, uint64_t* pairs) {
  const uint64_t digits = load_chunk(p) ^ shape;  // digits become 0..9, right separators 0
  const uint64_t too_large = (digits | (digits + 0x7676767676767676ULL)) & 0x8080808080808080ULL;
  *pairs = digits * 10 + (digits >> 8);
  return (too_large | (digits & separators)) == 0;
}

constexpr uint64_t kDateShape = pattern("0000-00-");
constexpr uint64_t kDateSeparators = separator_bytes("0000-00-");
constexpr uint64_t kTimeShape = pattern("00:00:00");
constexpr uint64_t kTimeSeparators = separator_bytes("00:00:00");

uint32_t byte_of(uint64_t word, int index) { return static_cast<uint8_t>(word >> (8 * index)); }
// YYYY-MM-DD at p, which has ten characters.
bool read_date(const char* p, int64_t* days) {
  uint64_t pairs;
  if (!read_pairs(p, kDateShape, kDateSeparators, &pairs) || !is_digit(p[8]) || !is_digit(p[9])) return false;
  const auto year = static_cast<int32_t>(byte_of(pairs, 0) * 100 + byte_of(pairs, 2));
  const auto month = static_cast<int32_t>(byte_of(pairs, 5));
  const int32_t day = (p[8] - '0') * 10 + (p[9] - '0');
  if (year == 0 || month - 1U > 11 || day - 1U > 30 || (day > 28 && day > days_in_month(year, month)))
    return false;
  *days = days_from_civil(year, month, day);
  return true;
}

// HH:MM:SS at p, which has eight characters. 24:00:00 and leap seconds are left to the general reader.
bool read_clock(const char* p, int64_t* micros) {
  uint64_t pairs;
  if (!read_pairs(p, kTimeShape, kTimeSeparators, &pairs)) return false;
  const uint32_t hour = byte_of(pairs, 0);
  const uint32_t minute = byte_of(pairs, 3);
  const uint32_t second = byte_of(pairs, 6);
  if (hour > 23 || minute > 59 || second > 59) return false;
  *micros = static_cast<int64_t>(hour * 3600 + minute * 60 + second) * kMicrosPerSecond;
  return true;
}

// Up to nine digits at p, behind the point, as microseconds; ties to the even one. At least eight characters
// stand before p, so that a chunk that ends at `end` may be read.
const char* read_fraction(const char* p, const char* end, int64_t* micros) {
  const ptrdiff_t left = end - p;
  if (left == 0) return nullptr;
  const uint64_t chunk = left >= 8 ? load_chunk(p) : load_chunk(end - 8) >> (8 * (8 - left));
  const uint64_t others = non_digit_bytes(chunk);
  const int count = others == 0 ? 8 : std::countr_zero(others) / 8;
  if (count == 0) return nullptr;
  // Bytes behind the digits are cleared, and count as digits 0.
  const uint64_t kept = (chunk - 0x3030303030303030ULL) << (8 * (8 - count)) >> (8 * (8 - count));
  uint32_t nanos = join_eight_digits(kept) * 10;
  p += count;
  if (count == 8 && p != end && is_digit(*p)) nanos += static_cast<uint32_t>(*p++ - '0');
  const uint32_t whole = nanos / 1000;
  const uint32_t rest = nanos % 1000;
  *micros = whole + (rest > 500 || (rest == 500 && (whole & 1) != 0));
  return p;
}

// Z, ±hh, ±hhmm, ±hh:mm up to `end`.
bool read_offset(const char* p, const char* end, int32_t* seconds) {
  if ((*p == 'Z' || *p == 'z') && p + 1 == end) {
    *seconds = 0;
    return true;
  }
  if (*p != '+' && *p != '-') return false;
  const bool is_west = *p++ == '-';
  if (end - p < 2 || !is_digit(p[0]) || !is_digit(p[1])) return false;
  const int32_t hours = (p[0] - '0') * 10 + (p[1] - '0');
  p += 2;
  int32_t minutes = 0;
  if (p != end) {
    if (*p == ':') ++p;
    if (end - p != 2 || !is_digit(p[0]) || !is_digit(p[1])) return false;
    minutes = (p[0] - '0') * 10 + (p[1] - '0');
  }
  if (hours > 15 || minutes > 59) return false;
  *seconds = hours * 3600 + minutes * 60;
  if (is_west) *seconds = -*seconds;
  return true;
}

struct FastTimestamp {
  int64_t local = 0;
  bool has_offset = false;
  int32_t offset_seconds = 0;
};

inline bool read_fixed_form(const char* begin, const char* end, FastTimestamp* result) {
  const ptrdiff_t size = end - begin;
  int64_t days;
  if (size < 10 || !read_date(begin, &days)) return false;
  result->local = days * kMicrosPerDay;
  if (size == 10) return true;
  int64_t clock;
  if (size < 19 || (begin[10] != ' ' && begin[10] != 'T') || !read_clock(begin + 11, &clock)) return false;
  result->local += clock;
  const char* p = begin + 19;
  if (p != end && *p == '.') {
    int64_t fraction = 0;
    p = read_fraction(p + 1, end, &fraction);
    if (p == nullptr) return false;
    result->local += fraction;
  }
  if (p == end) return true;
  result->has_offset = true;
  return read_offset(p, end, &result->offset_seconds);
}

char* write_year(char* out, int64_t year) {
  if (year < 10'000) {
    out = write_digit_pair(out, static_cast<uint32_t>(year / 100));
    return write_digit_pair(out, static_cast<uint32_t>(year % 100));
  }
  return format_uint64(out, static_cast<uint64_t>(year));
}

char* write_date(char* out, const CivilDate& date) {
  out = write_year(out, date.year > 0 ? date.year : 1 - static_cast<int64_t>(date.year));
  *out++ = '-';
  out = write_digit_pair(out, static_cast<uint32_t>(date.month));
  *out++ = '-';
  return write_digit_pair(out, static_cast<uint32_t>(date.day));
}

char* write_era(char* out, const CivilDate& date) {
  if (date.year > 0) return out;
  std::memcpy(out, " BC", 3);
  return out + 3;
}

char* write_time(char* out, int64_t micros_of_day) {
  const auto seconds = static_cast<uint32_t>(micros_of_day / kMicrosPerSecond);
  const auto micros = static_cast<uint32_t>(micros_of_day % kMicrosPerSecond);
  out = write_digit_pair(out, seconds / 3600);
  *out++ = ':';
  out = write_digit_pair(out, seconds / 60 % 60);
  *out++ = ':';
  out = write_digit_pair(out, seconds % 60);
  return write_fraction(out, micros);
}

char* write_offset(char* out, int32_t offset_seconds) {
  *out++ = offset_seconds < 0 ? '-' : '+';
  const auto size = static_cast<uint32_t>(offset_seconds < 0 ? -offset_seconds : offset_seconds);
  out = write_digit_pair(out, size / 3600);
  if (size % 3600 == 0) return out;
  *out++ = ':';
  out = write_digit_pair(out, size / 60 % 60);
  if (size % 60 == 0) return out;
  *out++ = ':';
  return write_digit_pair(out, size % 60);
}

char* write_infinity(char* out, bool is_positive) {
  const std::string_view text = is_positive ? "infinity" : "-infinity";
  std::memcpy(out, text.data(), text.size());
  return out + text.size();
}

[[noreturn]] void throw_parse_error(TimestampResult result, std::string_view text,
                                    std::string_view type_name) {
  if (result == TimestampResult::kOutOfRange) {
    throw sql_error(sqlstate::kDatetimeFieldOverflow, "date/time field value out of range: \"{}\"", text);
  }
  if (result == TimestampResult::kUnknownZone) {
    throw sql_error(sqlstate::kInvalidParameterValue, "time zone in \"{}\" not recognized", text);
  }
  throw sql_error(sqlstate::kInvalidDatetimeFormat, "invalid input syntax for type {}: \"{}\"", type_name,
                  text);
}

// Local time to what the value means, in UTC.
TimestampResult resolve(int64_t local, bool has_offset, int32_t offset_seconds,
                        const TimestampTextOptions& options, int64_t* micros) {
  if (has_offset && options.suffix == ZoneSuffix::kApply) {
    if (__builtin_sub_overflow(local, offset_seconds * kMicrosPerSecond, micros))
      return TimestampResult::kOutOfRange;
  } else if (options.zone != nullptr) {
    *micros = options.zone->local_to_utc(local);
  } else {
    *micros = local;
  }
  if (!is_valid_timestamp(*micros) || !is_finite_timestamp(*micros)) return TimestampResult::kOutOfRange;
  return TimestampResult::kOk;
}

bool parse_bare_integer(std::string_view text, int64_t* micros) {
  const size_t sign = !text.empty() && text.front() == '-' ? 1 : 0;
  const std::string_view digits = text.substr(sign);
  if (digits.empty() || digits.size() == 8 ||
      digits.find_first_not_of("0123456789") != std::string_view::npos) {
    return false;
  }
  return parse_int64(text.data(), text.data() + text.size(), micros);
}

}  // namespace

bool parse_timestamp_fast(const char* begin, const char* end, ZoneSuffix suffix, int64_t* micros) {
  FastTimestamp value;
  if (!read_fixed_form(begin, end, &value)) return false;
  *micros = value.local;
  if (value.has_offset && suffix == ZoneSuffix::kApply) *micros -= value.offset_seconds * kMicrosPerSecond;
  return true;
}

bool parse_date_fast(const char* begin, const char* end, int32_t* days) {
  int64_t wide;
  if (end - begin != 10 || !read_date(begin, &wide)) return false;
  *days = static_cast<int32_t>(wide);
  return true;
}

TimestampResult parse_timestamp(std::string_view text, const TimestampTextOptions& options, int64_t* micros) {
  FastTimestamp fast;
  if (read_fixed_form(text.data(), text.data() + text.size(), &fast)) {
    return resolve(fast.local, fast.has_offset, fast.offset_seconds, options, micros);
  }
  if (options.allow_integer && parse_bare_integer(text, micros)) {
    return is_valid_timestamp(*micros) ? TimestampResult::kOk : TimestampResult::kOutOfRange;
  }
  DateTimeWords words;
  const TimestampResult result = read_date_time_words(text, options, &words);
  if (result != TimestampResult::kOk) return result;
  if (words.special == DateTimeWords::Special::kInstant) {
    *micros = words.instant;
    return TimestampResult::kOk;
  }
  if (!words.has_date) return TimestampResult::kBadSyntax;
  int64_t local;
  if (__builtin_mul_overflow(words.days, kMicrosPerDay, &local) ||
      __builtin_add_overflow(local, words.micros_of_day, &local)) {
    return TimestampResult::kOutOfRange;
  }
  const int32_t offset = words.zone ? local_offset(*words.zone, local) : words.offset_seconds;
  return resolve(local, words.has_offset || words.zone != nullptr, offset, options, micros);
}

TimestampResult parse_date(std::string_view text, const TimestampTextOptions& options, int32_t* days) {
  if (parse_date_fast(text.data(), text.data() + text.size(), days)) return TimestampResult::kOk;
  DateTimeWords words;
  const TimestampResult result = read_date_time_words(text, options, &words);
  if (result != TimestampResult::kOk) return result;
  if (words.special == DateTimeWords::Special::kInstant) {
    const int64_t local = options.zone ? options.zone->utc_to_local(words.instant) : words.instant;
    *days = date_from_timestamp(local);
    return TimestampResult::kOk;
  }
  if (!words.has_date) return TimestampResult::kBadSyntax;
  if (words.days < kMinDate || words.days >= kEndDate) return TimestampResult::kOutOfRange;
  *days = static_cast<int32_t>(words.days);
  return TimestampResult::kOk;
}

TimestampResult parse_time(std::string_view text, const TimestampTextOptions& options,
                           int64_t* micros_of_day) {
  if (text.size() == 8 && read_clock(text.data(), micros_of_day)) return TimestampResult::kOk;
  DateTimeWords words;
  const TimestampResult result = read_date_time_words(text, options, &words, DateTimeWords::Expect::kTime);
  if (result != TimestampResult::kOk) return result;
  if (words.special == DateTimeWords::Special::kInstant) {
    if (!is_finite_timestamp(words.instant)) return TimestampResult::kBadSyntax;
    *micros_of_day = time_of_day(options.zone ? options.zone->utc_to_local(words.instant) : words.instant);
    return TimestampResult::kOk;
  }
  if (!words.has_time) return TimestampResult::kBadSyntax;
  *micros_of_day = words.micros_of_day;
  return TimestampResult::kOk;
}

int64_t timestamp_from_text(std::string_view text, const TimestampTextOptions& options,
                            std::string_view type_name) {
  int64_t micros;
  const TimestampResult result = parse_timestamp(text, options, &micros);
  if (result != TimestampResult::kOk) throw_parse_error(result, text, type_name);
  return micros;
}

int32_t date_from_text(std::string_view text, const TimestampTextOptions& options) {
  int32_t days;
  const TimestampResult result = parse_date(text, options, &days);
  if (result != TimestampResult::kOk) throw_parse_error(result, text, "date");
  return days;
}

int64_t time_from_text(std::string_view text, const TimestampTextOptions& options) {
  int64_t micros;
  const TimestampResult result = parse_time(text, options, &micros);
  if (result != TimestampResult::kOk) throw_parse_error(result, text, "time");
  return micros;
}

char* format_timestamp(char* out, int64_t micros) {
  if (!is_finite_timestamp(micros)) return write_infinity(out, micros > 0);
  const int64_t days = days_of_micros(micros);
  const CivilDate date = civil_from_days(days);
  out = write_date(out, date);
  *out++ = ' ';
  out = write_time(out, micros - days * kMicrosPerDay);
  return write_era(out, date);
}

char* format_timestamp_tz(char* out, int64_t micros, const TimeZone* zone) {
  if (!is_finite_timestamp(micros)) return write_infinity(out, micros > 0);
  const int32_t offset = zone ? zone->utc_offset_at(micros) : 0;
  // Day and time are moved apart, since local time may be beyond what 64 bits hold.
  int64_t days = days_of_micros(micros);
  int64_t in_day = micros - days * kMicrosPerDay + offset * kMicrosPerSecond;
  days += floor_divide(in_day, kMicrosPerDay);
  in_day = floor_modulo(in_day, kMicrosPerDay);
  const CivilDate date = civil_from_days(days);
  out = write_date(out, date);
  *out++ = ' ';
  out = write_time(out, in_day);
  out = write_offset(out, offset);
  return write_era(out, date);
}

char* format_date(char* out, int32_t days) {
  if (!is_finite_date(days)) return write_infinity(out, days > 0);
  const CivilDate date = civil_from_days(days);
  return write_era(write_date(out, date), date);
}

char* format_time(char* out, int64_t micros_of_day) { return write_time(out, micros_of_day); }

}  // namespace idem
