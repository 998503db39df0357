#include "query/datetime_format.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <cstdlib>
#include <optional>

#include "common/calendar.h"
#include "common/error.h"
#include "common/time_zone.h"
#include "common/timestamp_arithmetic.h"

namespace idem {

namespace {

using Field = DateTimeFormat::Field;
using Letters = DateTimeFormat::Letters;
using Token = DateTimeFormat::Token;

constexpr std::array<std::string_view, 12> kMonths = {"January",   "February", "March",    "April",
                                                      "May",       "June",     "July",     "August",
                                                      "September", "October",  "November", "December"};
constexpr std::array<std::string_view, 7> kDays = {"Sunday",   "Monday", "Tuesday", "Wednesday",
                                                   "Thursday", "Friday", "Saturday"};
constexpr std::array<std::string_view, 12> kRoman = {"I",   "II",   "III", "IV", "V",  "VI",
                                                     "VII", "VIII", "IX",  "X",  "XI", "XII"};

void append_word(std::string& out, std::string_view word, Letters letters, bool fill, size_t width) {
  const size_t begin = out.size();
  for (size_t i = 0; i < word.size(); ++i) {
    const auto c = static_cast<unsigned char>(word[i]);
    const bool upper = letters == Letters::kUpper || (letters == Letters::kCapital && i == 0);
    out += static_cast<char>(upper ? std::toupper(c) : std::tolower(c));
  }
  const size_t length = out.size() - begin;
  if (!fill && length < width) out.append(width - length, ' ');
}

void append_number(std::string& out, int64_t value, int width, const Token& token) {
  const size_t begin = out.size();
  if (token.fill) {
    out += std::to_string(value);
  } else if (value < 0) {
    out += fmt::format("-{:0{}}", -value, width);
  } else {
    out += fmt::format("{:0{}}", value, width);
  }
  if (!token.ordinal) return;
  const std::string digits = out.substr(begin);
  const char last = digits.back();
  const bool teen = digits.size() > 1 && digits[digits.size() - 2] == '1';
  const std::string_view suffix = teen          ? "th"
                                  : last == '1' ? "st"
                                  : last == '2' ? "nd"
                                  : last == '3' ? "rd"
                                                : "th";
  append_word(out, suffix, token.ordinal_upper ? Letters::kUpper : Letters::kLower, true, 0);
}

void append_mark(std::string& out, const Token& token, std::string_view plain, std::string_view dotted) {
  append_word(out, token.dotted ? dotted : plain,
              token.letters == Letters::kLower ? Letters::kLower : Letters::kUpper, true, 0);
}

// What the fields are read from; of an interval without a calendar date.
struct Parts {
  bool is_interval = false;
  int64_t days = 0;  // since 1970
  int64_t year = 0;
  int32_t month = 0, day = 0;
  int64_t hour = 0;
  int32_t minute = 0, second = 0, micros = 0;
  std::string_view zone_name;
  bool has_zone = false;
  int32_t offset = 0;
};

int64_t shown_year(const Parts& p) { return p.is_interval || p.year > 0 ? p.year : 1 - p.year; }

void append_year(std::string& out, int64_t year, const Token& token) {
  constexpr std::array<int64_t, 5> kPowers = {1, 10, 100, 1000, 10000};
  if (token.digits >= 4) {
    append_number(out, year, year < 0 ? 4 : 4, token);
  } else {
    append_number(out, year % kPowers[token.digits], token.digits, token);
  }
}

void append_offset(std::string& out, const Token& token, int32_t offset) {
  const int32_t minutes = std::abs(offset) / 60;
  const char sign = offset < 0 ? '-' : '+';
  switch (token.field) {
    case Field::kZoneHours: out += fmt::format("{}{:02}", sign, minutes / 60); break;
    case Field::kZoneMinutes: out += fmt::format("{:02}", minutes % 60); break;
    default:
      out += fmt::format("{}{:02}", sign, minutes / 60);
      if (minutes % 60 != 0) out += fmt::format(":{:02}", minutes % 60);
  }
}

void append_date_field(std::string& out, const Token& token, const Parts& p) {
  const IsoWeek week = p.is_interval ? IsoWeek{} : iso_week(p.days);
  switch (token.field) {
    case Field::kDayName:
      append_word(out, kDays[static_cast<size_t>(day_of_week(p.days))], token.letters, token.fill, 9);
      break;
    case Field::kDayShort:
      append_word(out, kDays[static_cast<size_t>(day_of_week(p.days))].substr(0, 3), token.letters, true, 0);
      break;
    case Field::kDayOfYear: append_number(out, p.is_interval ? p.days : day_of_year(p.days), 3, token); break;
    case Field::kIsoDayOfYear:
      append_number(out, p.days - days_from_iso_week(week.year, 1) + 1, 3, token);
      break;
    case Field::kDay: append_number(out, p.day, 2, token); break;
    case Field::kDayOfWeek: append_number(out, day_of_week(p.days) + 1, 1, token); break;
    case Field::kIsoDayOfWeek: append_number(out, week.weekday, 1, token); break;
    case Field::kWeekOfMonth: append_number(out, (p.day - 1) / 7 + 1, 1, token); break;
    case Field::kWeekOfYear: append_number(out, (day_of_year(p.days) - 1) / 7 + 1, 2, token); break;
    case Field::kIsoWeek: append_number(out, week.week, 2, token); break;
    case Field::kIsoYear: append_year(out, week.year, token); break;
    case Field::kCentury:
      append_number(out, p.year > 0 ? (p.year + 99) / 100 : p.year / 100 - 1, 2, token);
      break;
    case Field::kJulian: append_number(out, p.days + 2'440'588, 1, token); break;
    case Field::kQuarter: append_number(out, (p.month - 1) / 3 + 1, 1, token); break;
    case Field::kMonth: append_number(out, p.month, 2, token); break;
    case Field::kMonthName:
      if (p.month > 0)
        append_word(out, kMonths[static_cast<size_t>(p.month - 1)], token.letters, token.fill, 9);
      break;
    case Field::kMonthShort:
      if (p.month > 0)
        append_word(out, kMonths[static_cast<size_t>(p.month - 1)].substr(0, 3), token.letters, true, 0);
      break;
    case Field::kMonthRoman:
      if (p.month > 0)
        append_word(out, kRoman[static_cast<size_t>(p.month - 1)], token.letters, token.fill, 4);
      break;
    case Field::kYear: append_year(out, shown_year(p), token); break;
    case Field::kYearComma: {
      const int64_t year = shown_year(p);
      out += fmt::format("{},{:03}", year / 1000, year % 1000);
      break;
    }
    case Field::kEra: append_mark(out, token, p.year > 0 ? "AD" : "BC", p.year > 0 ? "A.D." : "B.C."); break;
    default: break;
  }
}

void append_field(std::string& out, const Token& token, const Parts& p) {
  switch (token.field) {
    case Field::kLiteral: out += token.literal; break;
    case Field::kHour12: append_number(out, p.hour % 12 == 0 ? 12 : p.hour % 12, 2, token); break;
    case Field::kHour24: append_number(out, p.hour, 2, token); break;
    case Field::kMinute: append_number(out, p.minute, 2, token); break;
    case Field::kSecond: append_number(out, p.second, 2, token); break;
    case Field::kMillisecond: append_number(out, p.micros / 1000, 3, Token{}); break;
    case Field::kMicrosecond:
      append_number(out, token.digits == 3 ? p.micros % 1000 : p.micros, token.digits == 3 ? 3 : 6, Token{});
      break;
    case Field::kFraction: {
      const std::string digits = fmt::format("{:06}", p.micros);
      out += digits.substr(0, token.digits);
      break;
    }
    case Field::kSecondOfDay: append_number(out, p.hour * 3600 + p.minute * 60 + p.second, 1, token); break;
    case Field::kMeridiem:
      append_mark(out, token, p.hour % 24 < 12 ? "AM" : "PM", p.hour % 24 < 12 ? "A.M." : "P.M.");
      break;
    case Field::kZoneName:
      append_word(out, p.has_zone ? p.zone_name : std::string_view(),
                  token.letters == Letters::kLower ? Letters::kLower : Letters::kUpper, true, 0);
      break;
    case Field::kZoneHours:
    case Field::kZoneMinutes:
    case Field::kZoneOffset: append_offset(out, token, p.offset); break;
    default: append_date_field(out, token, p);
  }
}

// Reads a text by the tokens.
class Parser {
 public:
  explicit Parser(std::string_view text) : text_(text) {}

  void read(const std::vector<Token>& tokens) {
    for (size_t i = 0; i < tokens.size() && at_ < text_.size(); ++i) {
      // A number directly before another one takes no more digits than its own.
      const bool bounded = i + 1 < tokens.size() && tokens[i + 1].field != Field::kLiteral;
      token(tokens[i], bounded);
    }
  }

  int64_t result(const TimeZone* zone) const {
    int64_t days = date();
    int64_t hours = hour_;
    if (twelve_hours_) {
      if (hour_ < 1 || hour_ > 12) throw out_of_range("hour \"{}\" is invalid for the 12-hour clock", hour_);
      hours = hour_ % 12 + (afternoon_ ? 12 : 0);
    }
    if (hours > 24 || minute_ > 59 || second_ > 60) {
      throw sql_error(sqlstate::kDatetimeFieldOverflow, "date/time field value out of range: \"{}\"", text_);
    }
    const int64_t time = hours * kMicrosPerHour + minute_ * kMicrosPerMinute + second_ * kMicrosPerSecond +
                         second_of_day_ * kMicrosPerSecond + micros_;
    const int64_t local = days * kMicrosPerDay + time;
    if (has_offset_)
      return local - (offset_sign_ * (offset_hours_ * 60 + offset_minutes_)) * kMicrosPerMinute;
    return zone != nullptr ? zone->local_to_utc(local) : local;
  }

 private:
  template <class... A>
  static SqlError out_of_range(fmt::format_string<A...> format, A&&... arguments) {
    return sql_error(sqlstate::kInvalidDatetimeFormat, format, std::forward<A>(arguments)...);
  }

  int64_t date() const {
    int64_t year = year_;
    if (has_two_digits_) year += year < 70 ? 2000 : 1900;
    if (has_century_ && has_two_digits_) year = (century_ - 1) * 100 + year_;
    if (before_christ_) year = 1 - year;
    if (julian_) return *julian_ - 2'440'588;
    if (iso_year_ || iso_week_) {
      const auto weekday = static_cast<int32_t>(iso_weekday_.value_or(1));
      return days_from_iso_week(static_cast<int32_t>(iso_year_.value_or(year)),
                                static_cast<int32_t>(iso_week_.value_or(1)), weekday);
    }
    if (!has_year_ && !month_ && !day_ && !day_of_year_)
      return days_from_civil(0, 1, 1);  // 0001-01-01 BC, as PostgreSQL
    if (!has_year_) year = 0;
    if (day_of_year_ && !month_) return days_from_civil(year, 1, 1) + *day_of_year_ - 1;
    const auto month = static_cast<int32_t>(month_.value_or(1)), day = static_cast<int32_t>(day_.value_or(1));
    if (month < 1 || month > 12 || day < 1 || day > days_in_month(static_cast<int32_t>(year), month)) {
      throw sql_error(sqlstate::kDatetimeFieldOverflow, "date/time field value out of range: \"{}\"", text_);
    }
    return days_from_civil(year, month, day);
  }

  void skip_spaces() {
    while (at_ < text_.size() && std::isspace(static_cast<unsigned char>(text_[at_])) != 0) ++at_;
  }

  void literal(const std::string& pattern) {
    // A separator takes any other; letters and digits of the template pass over one character each.
    for (const char c : pattern) {
      if (at_ >= text_.size()) return;
      const bool separator = std::isalnum(static_cast<unsigned char>(c)) == 0;
      const auto here = static_cast<unsigned char>(text_[at_]);
      if (std::isspace(static_cast<unsigned char>(c)) != 0) {
        if (std::isalnum(here) == 0 && here != '-' && here != '+') ++at_;
        skip_spaces();
      } else if (separator) {
        if (std::isalnum(here) == 0) ++at_;
      } else {
        ++at_;
      }
    }
  }

  int64_t number(size_t width, bool bounded, std::string_view name) {
    skip_spaces();
    const size_t begin = at_;
    bool negative = false;
    if (at_ < text_.size() && (text_[at_] == '-' || text_[at_] == '+')) negative = text_[at_++] == '-';
    int64_t value = 0;
    size_t digits = 0;
    while (at_ < text_.size() && std::isdigit(static_cast<unsigned char>(text_[at_])) != 0 &&
           (!bounded || digits < width) && digits < 9) {
      value = value * 10 + (text_[at_++] - '0');
      ++digits;
    }
    digits_ = digits;
    if (digits == 0) {
      throw sql_error(sqlstate::kInvalidDatetimeFormat, "invalid value \"{}\" for \"{}\"",
                      text_.substr(begin, std::max<size_t>(width, 1)), name)
          .with_detail("Value must be an integer.");
    }
    return negative ? -value : value;
  }

  // Microseconds of a fraction: 5 is half a second.
  int64_t fraction(size_t width, bool bounded, std::string_view name) {
    int64_t value = number(width, bounded, name);
    for (size_t i = digits_; i < 6; ++i) value *= 10;
    for (size_t i = 6; i < digits_; ++i) value /= 10;
    return value;
  }

  template <size_t N>
  size_t word(const std::array<std::string_view, N>& words, size_t length, std::string_view name) {
    skip_spaces();
    size_t best = N, best_size = 0;
    for (size_t i = 0; i < N; ++i) {
      const std::string_view candidate = words[i].substr(0, length);
      if (candidate.size() > best_size && starts_with_word(candidate)) {
        best = i;
        best_size = candidate.size();
      }
    }
    if (best == N) {
      throw sql_error(sqlstate::kInvalidDatetimeFormat, "invalid value \"{}\" for \"{}\"", text_.substr(at_),
                      name)
          .with_detail("The given value did not match any of the allowed values for this field.");
    }
    at_ += best_size;
    return best;
  }
  bool starts_with_word(std::string_view candidate) const {
    const std::string_view here = text_.substr(at_, candidate.size());
    return here.size() == candidate.size() &&
           std::equal(here.begin(), here.end(), candidate.begin(), [](char a, char b) {
             return std::tolower(static_cast<unsigned char>(a)) ==
                    std::tolower(static_cast<unsigned char>(b));
           });
  }

  void token(const Token& t, bool bounded) {
    switch (t.field) {
      case Field::kLiteral: literal(t.literal); break;
      case Field::kHour12:
        twelve_hours_ = true;
        hour_ = number(2, bounded, "HH12");
        break;
      case Field::kHour24: hour_ = number(2, bounded, "HH24"); break;
      case Field::kMinute: minute_ = number(2, bounded, "MI"); break;
      case Field::kSecond: second_ = number(2, bounded, "SS"); break;
      case Field::kMillisecond: micros_ = fraction(3, bounded, "MS"); break;
      case Field::kMicrosecond:
        if (t.digits == 3) {
          micros_ += number(3, bounded, "US");
        } else {
          micros_ = fraction(6, bounded, "US");
        }
        break;
      case Field::kFraction: micros_ = fraction(t.digits, bounded, "FF"); break;
      case Field::kSecondOfDay: second_of_day_ = number(5, bounded, "SSSS"); break;
      case Field::kMeridiem: {
        static constexpr std::array<std::string_view, 4> kMarks = {"AM", "PM", "A.M.", "P.M."};
        afternoon_ = word(kMarks, 4, "AM") % 2 == 1;
        twelve_hours_ = true;
        break;
      }
      default: date_token(t, bounded);
    }
  }

  void date_token(const Token& t, bool bounded) {
    switch (t.field) {
      case Field::kYearComma:
      case Field::kYear:
        year_ = number(t.field == Field::kYearComma ? 1 : t.digits, bounded || t.digits < 4, "YYYY");
        if (t.field == Field::kYearComma && at_ < text_.size() && text_[at_] == ',') {
          ++at_;
          year_ = year_ * 1000 + number(3, true, "Y,YYY");
        }
        has_year_ = true;
        has_two_digits_ = t.digits < 4 && digits_ <= 2;
        break;
      case Field::kIsoYear: iso_year_ = number(t.digits, bounded, "IYYY"); break;
      case Field::kEra: {
        static constexpr std::array<std::string_view, 4> kMarks = {"AD", "BC", "A.D.", "B.C."};
        before_christ_ = word(kMarks, 4, "BC") % 2 == 1;
        break;
      }
      case Field::kMonthName: month_ = static_cast<int64_t>(word(kMonths, 9, "MONTH")) + 1; break;
      case Field::kMonthShort: month_ = static_cast<int64_t>(word(kMonths, 3, "MON")) + 1; break;
      case Field::kMonth: month_ = number(2, bounded, "MM"); break;
      case Field::kMonthRoman: month_ = static_cast<int64_t>(word(kRoman, 4, "RM")) + 1; break;
      case Field::kDayName: word(kDays, 9, "DAY"); break;
      case Field::kDayShort: word(kDays, 3, "DY"); break;
      case Field::kDayOfYear: day_of_year_ = number(3, bounded, "DDD"); break;
      case Field::kIsoDayOfYear: number(3, bounded, "IDDD"); break;
      case Field::kDay: day_ = number(2, bounded, "DD"); break;
      case Field::kDayOfWeek: number(1, bounded, "D"); break;
      case Field::kIsoDayOfWeek: iso_weekday_ = number(1, bounded, "ID"); break;
      case Field::kWeekOfMonth: number(1, bounded, "W"); break;
      case Field::kWeekOfYear: day_of_year_ = (number(2, bounded, "WW") - 1) * 7 + 1; break;
      case Field::kIsoWeek: iso_week_ = number(2, bounded, "IW"); break;
      case Field::kCentury:
        century_ = number(2, bounded, "CC");
        has_century_ = true;
        break;
      case Field::kJulian: julian_ = number(9, bounded, "J"); break;
      case Field::kQuarter: number(1, bounded, "Q"); break;
      case Field::kZoneHours: {
        const int64_t hours = number(2, bounded, "TZH");
        offset_sign_ = hours < 0 ? -1 : 1;
        offset_hours_ = std::llabs(hours);
        has_offset_ = true;
        break;
      }
      case Field::kZoneMinutes: offset_minutes_ = number(2, bounded, "TZM"); break;
      case Field::kZoneName: zone_name(); break;
      default:
        throw SqlError(sqlstate::kFeatureNotSupported,
                       "formatting field \"OF\" is only supported in to_char");
    }
  }

  // Z, UTC, +02, +02:00 (QuestDB's z).
  void zone_name() {
    skip_spaces();
    const size_t begin = at_;
    while (at_ < text_.size() && std::isspace(static_cast<unsigned char>(text_[at_])) == 0) ++at_;
    const std::string_view name = text_.substr(begin, at_ - begin);
    has_offset_ = true;
    if (!name.empty() && (name[0] == '+' || name[0] == '-')) {
      offset_sign_ = name[0] == '-' ? -1 : 1;
      offset_hours_ = std::atoi(std::string(name.substr(1, 2)).c_str());
      const size_t minutes = name.size() > 3 && name[3] == ':' ? 4 : 3;
      if (name.size() > minutes) offset_minutes_ = std::atoi(std::string(name.substr(minutes, 2)).c_str());
      return;
    }
    int32_t seconds = 0;
    if (!find_zone_abbreviation(name, &seconds)) {
      throw sql_error(sqlstate::kInvalidDatetimeFormat, "invalid value \"{}\" for \"TZ\"", name);
    }
    offset_sign_ = seconds < 0 ? -1 : 1;
    offset_hours_ = std::abs(seconds) / 3600;
    offset_minutes_ = std::abs(seconds) / 60 % 60;
  }

  std::string_view text_;
  size_t at_ = 0, digits_ = 0;
  int64_t hour_ = 0, minute_ = 0, second_ = 0, micros_ = 0, second_of_day_ = 0;
  bool twelve_hours_ = false, afternoon_ = false;
  int64_t year_ = 0, century_ = 0;
  bool has_year_ = false, has_two_digits_ = false, has_century_ = false, before_christ_ = false;
  std::optional<int64_t> month_, day_, day_of_year_, iso_year_, iso_week_, iso_weekday_, julian_;
  bool has_offset_ = false;
  int64_t offset_sign_ = 1, offset_hours_ = 0, offset_minutes_ = 0;
};

}  // namespace

void DateTimeFormat::append_timestamp(std::string& out, int64_t micros, const TimeZone* zone) const {
  Parts parts;
  const int64_t local = zone != nullptr ? zone->utc_to_local(micros) : micros;
  parts.days = days_of_micros(local);
  const CivilDate date = civil_from_days(parts.days);
  parts.year = date.year;
  parts.month = date.month;
  parts.day = date.day;
  const CivilTime time = civil_time(time_of_day(local));
  parts.hour = time.hour;
  parts.minute = time.minute;
  parts.second = time.second;
  parts.micros = time.micros;
  if (zone != nullptr) {
    parts.has_zone = true;
    parts.zone_name = zone->abbreviation_at(micros);
    parts.offset = zone->utc_offset_at(micros);
  }
  for (const Token& token : tokens_) append_field(out, token, parts);
}

void DateTimeFormat::append_interval(std::string& out, const Interval& interval) const {
  Parts parts;
  parts.is_interval = true;
  parts.year = interval.months / 12;
  parts.month = interval.months % 12;
  parts.day = interval.days;
  parts.days = interval.months * 30 + interval.days;
  const int64_t micros = interval.micros;
  parts.hour = micros / kMicrosPerHour;
  parts.minute = static_cast<int32_t>(micros / kMicrosPerMinute % 60);
  parts.second = static_cast<int32_t>(micros / kMicrosPerSecond % 60);
  parts.micros = static_cast<int32_t>(micros % kMicrosPerSecond);
  for (const Token& token : tokens_) append_field(out, token, parts);
}

int64_t DateTimeFormat::parse(std::string_view text, const TimeZone* zone) const {
  Parser parser(text);
  parser.read(tokens_);
  return parser.result(zone);
}

}  // namespace idem
