#include "common/timestamp_words.h"

#include <array>
#include <cmath>
#include <optional>
#include <string>

#include "common/ascii.h"
#include "common/calendar.h"

namespace idem {

namespace {

constexpr std::array<std::string_view, 12> kMonths = {"january",   "february", "march",    "april",
                                                      "may",       "june",     "july",     "august",
                                                      "september", "october",  "november", "december"};
constexpr std::array<std::string_view, 7> kWeekdays = {"sunday",   "monday", "tuesday", "wednesday",
                                                       "thursday", "friday", "saturday"};

// 1.. of the name that `word` is or, with three letters or more of it, stands for; 0 if none.
template <size_t N>
int32_t index_of_name(const std::array<std::string_view, N>& names, std::string_view word) {
  for (size_t i = 0; i < N; ++i) {
    if (word == names[i] || word == names[i].substr(0, 3)) return static_cast<int32_t>(i) + 1;
  }
  if (word == "sept") return N == 12 ? 9 : 0;
  if (N == 7 && (word == "tues" || word == "wednes" || word == "weds" || word == "thur" || word == "thurs")) {
    return word == "tues" ? 3 : word.starts_with("wed") ? 4 : 5;
  }
  return 0;
}

class DateTimeReader {
 public:
  DateTimeReader(std::string_view text, const TimestampTextOptions& options, DateTimeWords::Expect expect)
      : text_(text), options_(options), expect_(expect) {}

  TimestampResult read(DateTimeWords* words) {
    bool is_empty = true;
    for (skip_filler(); !at_end(); skip_filler()) {
      is_empty = false;
      if (!read_word()) return result_;
    }
    if (is_empty || !finish(words)) return result_;
    return TimestampResult::kOk;
  }

 private:
  enum class Meridiem : uint8_t { kNone, kAm, kPm };

  bool fail(TimestampResult result) {
    result_ = result;
    return false;
  }
  bool bad_syntax() { return fail(TimestampResult::kBadSyntax); }
  bool out_of_range() { return fail(TimestampResult::kOutOfRange); }

  bool at_end() const { return at_ == text_.size(); }
  char peek(size_t ahead = 0) const { return at_ + ahead < text_.size() ? text_[at_ + ahead] : '\0'; }
  void skip_filler() {
    while (!at_end() && !is_digit(peek()) && !is_letter(peek()) && peek() != '+' && peek() != '-') {
      if (!is_space(peek()) && peek() != ',' && peek() != '_' && peek() != '.' && peek() != '/') break;
      ++at_;
    }
  }
  std::string_view take_digits() {
    const size_t start = at_;
    while (is_digit(peek())) ++at_;
    return text_.substr(start, at_ - start);
  }
  static bool to_number(std::string_view digits, int32_t* value) {
    if (digits.empty() || digits.size() > 8) return false;
    *value = 0;
    for (const char c : digits) *value = *value * 10 + (c - '0');
    return true;
  }

  bool read_word() {
    if (is_digit(peek())) return read_numeric();
    if (peek() == '+' || peek() == '-') return read_signed();
    if (is_letter(peek())) return read_letters();
    return bad_syntax();
  }

  // A sign begins an offset, or -infinity.
  bool read_signed() {
    if (is_letter(peek(1))) {
      const bool negative = text_[at_++] == '-';
      const std::string word = to_lower(take_letters());
      if (word != "infinity" && word != "inf") return bad_syntax();
      return set_instant(negative ? kTimestampMinusInfinity : kTimestampInfinity);
    }
    if (!has_time_ && !has_date()) return bad_syntax();
    return read_offset();
  }

  bool read_offset() {
    if (has_offset_ || zone_) return bad_syntax();
    const bool negative = text_[at_++] == '-';
    const std::string_view digits = take_digits();
    std::array<int32_t, 3> parts{};
    if (digits.empty() || digits.size() > 4) return bad_syntax();
    to_number(digits, &parts[0]);
    if (digits.size() > 2) {
      parts[1] = parts[0] % 100;
      parts[0] /= 100;
    } else {
      for (size_t i = 1; i < 3 && peek() == ':'; ++i) {
        ++at_;
        if (!to_number(take_digits(), &parts[i])) return bad_syntax();
      }
    }
    if (parts[0] > 15 || parts[1] > 59 || parts[2] > 59) return out_of_range();
    offset_seconds_ = parts[0] * 3600 + parts[1] * 60 + parts[2];
    if (negative) offset_seconds_ = -offset_seconds_;
    has_offset_ = true;
    return true;
  }

  bool read_numeric() {
    const size_t start = at_;
    const std::string_view digits = take_digits();
    if (peek() == ':') return read_time(digits);
    const bool is_clock = expect_ == DateTimeWords::Expect::kTime && digits.size() == 6 && !has_time_;
    if (peek() == '.' && is_clock) return set_compact_time(digits);
    const bool is_dated = peek() == '-' || peek() == '/' || peek() == '.';
    if (is_dated && !has_date() && (is_digit(peek(1)) || (is_letter(peek(1)) && peek() != '.'))) {
      at_ = start;
      return read_date_token();
    }
    if (peek() == '.' && digits.size() == 6 && has_date() && !has_time_) return set_compact_time(digits);
    return peek() == '.' ? bad_syntax() : read_plain_number(digits);
  }

  // H:MM[:SS[.f]], behind the hour.
  bool read_time(std::string_view hour_digits) {
    if (has_time_) return bad_syntax();
    int32_t hour = 0, minute = 0, second = 0;
    ++at_;
    if (!to_number(hour_digits, &hour) || !to_number(take_digits(), &minute)) return bad_syntax();
    int64_t micros = 0;
    if (peek() == ':') {
      ++at_;
      if (!to_number(take_digits(), &second)) return bad_syntax();
      if (peek() == '.') micros = read_fraction();
    }
    return set_time(hour, minute, second, micros);
  }

  int64_t read_fraction() {  // at the point
    ++at_;
    double value = 0;
    double unit = 1;
    for (const char c : take_digits()) {
      if (unit >= 1e15) continue;
      value = value * 10 + (c - '0');
      unit *= 10;
    }
    return static_cast<int64_t>(std::rint(value / unit * 1e6));
  }

  bool set_time(int32_t hour, int32_t minute, int32_t second, int64_t micros) {
    if (hour > 24 || minute > 59 || second > 60) return out_of_range();
    clock_micros_ = hour * kMicrosPerHour + minute * kMicrosPerMinute + second * kMicrosPerSecond + micros;
    hour_ = hour;
    has_time_ = true;
    return true;
  }

  // HHMM or HHMMSS[.f]
  bool set_compact_time(std::string_view digits) {
    int32_t hour = 0, minute = 0, second = 0;
    to_number(digits.substr(0, 2), &hour);
    to_number(digits.substr(2, 2), &minute);
    if (digits.size() == 6) to_number(digits.substr(4, 2), &second);
    const int64_t micros = peek() == '.' ? read_fraction() : 0;
    return set_time(hour, minute, second, micros);
  }

  // Three parts with one separator: 2024-1-5, 1/5/2024, 5-Jan-2024; or 2024-005, a day of the year.
  bool read_date_token() {
    std::array<std::string_view, 3> parts;
    size_t count = 0;
    char separator = '\0';
    for (;;) {
      const size_t start = at_;
      if (is_letter(peek())) {
        while (is_letter(peek())) ++at_;
      } else {
        take_digits();
      }
      parts[count++] = text_.substr(start, at_ - start);
      if (parts[count - 1].empty()) return bad_syntax();
      if (count == 3 || (separator != '\0' && peek() != separator)) break;
      if (peek() != '-' && peek() != '/' && peek() != '.') break;
      if (separator == '\0') separator = peek();
      ++at_;
    }
    skip_time_mark();
    if (count == 2) return set_day_of_year(parts[0], parts[1]);
    if (count != 3) return bad_syntax();
    return set_date_parts(parts);
  }

  void skip_time_mark() {
    if ((peek() == 'T' || peek() == 't') && is_digit(peek(1))) ++at_;
  }

  bool set_day_of_year(std::string_view year, std::string_view day) {
    int32_t number;
    if (year.size() < 4 || day.size() != 3 || !to_number(year, &year_) || !to_number(day, &number))
      return bad_syntax();
    return set_year_and_day(number);
  }

  bool set_year_and_day(int32_t number) {
    if (number < 1 || number > (is_leap_year(year_) ? 366 : 365)) return out_of_range();
    const CivilDate date = civil_from_days(days_from_civil(year_, 1, 1) + number - 1);
    month_ = date.month;
    day_ = date.day;
    has_year_ = has_month_ = has_day_ = true;
    return true;
  }

  bool set_date_parts(const std::array<std::string_view, 3>& parts) {
    std::array<size_t, 3> order = {2, 0, 1};  // year, month, day of MDY
    if (is_letter(parts[1][0])) {
      order = parts[0].size() >= 3 ? std::array<size_t, 3>{0, 1, 2} : std::array<size_t, 3>{2, 1, 0};
    } else if (parts[0].size() >= 3 && is_digit(parts[0][0])) {
      order = {0, 1, 2};
    }
    const std::string_view month = parts[order[1]];
    if (is_letter(month[0])) {
      month_ = index_of_name(kMonths, to_lower(month));
      if (month_ == 0) return bad_syntax();
    } else if (!to_number(month, &month_)) {
      return out_of_range();
    }
    if (!to_number(parts[order[0]], &year_) || !to_number(parts[order[2]], &day_)) return bad_syntax();
    year_is_short_ = parts[order[0]].size() <= 2;
    has_year_ = has_month_ = has_day_ = true;
    return true;
  }

  bool read_plain_number(std::string_view digits) {
    int32_t value;
    if (!has_year_ && !has_day_ && !month_is_number_ && digits.size() == 8) {
      return set_compact_date(digits);
    }
    if (digits.size() == 6 && !has_time_ && (has_date() || expect_ == DateTimeWords::Expect::kTime)) {
      return set_compact_time(digits);
    }
    const bool is_clock = has_date() || expect_ == DateTimeWords::Expect::kTime;
    if (digits.size() == 4 && !has_time_ && is_clock) return set_compact_time(digits);
    if (digits.size() == 6 && !has_year_ && !has_month_ && !has_day_) return set_short_compact_date(digits);
    if (digits.size() > 8) return out_of_range();
    if (!to_number(digits, &value)) return bad_syntax();
    return add_date_number(value, digits.size());
  }

  bool set_compact_date(std::string_view digits) {
    to_number(digits.substr(0, 4), &year_);
    to_number(digits.substr(4, 2), &month_);
    to_number(digits.substr(6, 2), &day_);
    has_year_ = has_month_ = has_day_ = true;
    skip_time_mark();
    return true;
  }

  bool set_short_compact_date(std::string_view digits) {
    to_number(digits.substr(0, 2), &year_);
    to_number(digits.substr(2, 2), &month_);
    to_number(digits.substr(4, 2), &day_);
    year_is_short_ = true;
    has_year_ = has_month_ = has_day_ = true;
    return true;
  }

  // A number that stands alone: month, day, year in the order in which they are missing.
  bool add_date_number(int32_t value, size_t digits) {
    if (digits == 3 && has_year_ && !has_month_) return set_year_and_day(value);
    if (digits >= 3) {
      if (has_year_) return bad_syntax();
      year_ = value;
      has_year_ = true;
    } else if (!has_month_) {
      month_ = value;
      has_month_ = month_is_number_ = true;
    } else if (!has_day_) {
      day_ = value;
      has_day_ = true;
    } else if (!has_year_) {
      year_ = value;
      year_is_short_ = true;
      has_year_ = true;
    } else {
      return bad_syntax();
    }
    return true;
  }

  std::string_view take_letters() {
    const size_t start = at_;
    while (is_letter(peek())) ++at_;
    return text_.substr(start, at_ - start);
  }

  bool read_letters() {
    const size_t start = at_;
    const std::string word = to_lower(take_letters());
    if (word == "j" && is_digit(peek())) return read_julian_day();
    if (word == "t" && (is_digit(peek()) || is_space(peek()))) return true;
    if (const int32_t month = index_of_name(kMonths, word); month != 0) {
      if (peek() == '-' && is_digit(peek(1)) && !has_date()) {
        at_ = start;
        return read_date_token();
      }
      return set_month_name(month);
    }
    if (is_zone_character(peek())) {
      while (is_zone_character(peek())) ++at_;
      return set_zone_name(text_.substr(start, at_ - start));
    }
    return apply_word(word);
  }

  bool is_zone_character(char c) const {
    return is_letter(c) || is_digit(c) || c == '/' || c == '_' || c == '+' || c == '-' || c == ':';
  }

  bool read_julian_day() {
    int32_t value;
    if (has_date() || !to_number(take_digits(), &value)) return bad_syntax();
    const CivilDate date = civil_from_days(static_cast<int64_t>(value) + kMinDate);
    year_ = date.year;
    month_ = date.month;
    day_ = date.day;
    has_year_ = has_month_ = has_day_ = is_astronomical_ = true;
    return true;
  }

  bool set_month_name(int32_t month) {
    if (has_month_) {  // the number before it was the day
      if (!month_is_number_ || has_day_) return bad_syntax();
      day_ = month_;
      has_day_ = true;
    }
    month_ = month;
    has_month_ = true;
    month_is_number_ = false;
    return true;
  }

  bool set_zone_name(std::string_view name) {
    if (has_offset_ || zone_) return bad_syntax();
    if (find_zone_abbreviation(name, &offset_seconds_)) {
      has_offset_ = true;
      return true;
    }
    zone_ = find_time_zone(name);
    return zone_ != nullptr || fail(TimestampResult::kUnknownZone);
  }

  bool set_instant(int64_t micros) {
    if (instant_ || has_date() || has_time_) return bad_syntax();
    instant_ = micros;
    return true;
  }

  bool set_day_near_now(int offset) {
    if (has_year_ || has_month_ || has_day_) return bad_syntax();
    const int64_t now =
        options_.zone ? options_.zone->utc_to_local(options_.now_micros) : options_.now_micros;
    const CivilDate date = civil_from_days(days_of_micros(now) + offset);
    year_ = date.year;
    month_ = date.month;
    day_ = date.day;
    has_year_ = has_month_ = has_day_ = is_astronomical_ = true;
    return true;
  }

  bool apply_word(const std::string& word) {
    if (word == "am" || word == "pm") {
      if (!has_time_ || meridiem_ != Meridiem::kNone) return bad_syntax();
      meridiem_ = word == "am" ? Meridiem::kAm : Meridiem::kPm;
      return true;
    }
    if (word == "bc" || word == "ad") {
      is_before_christ_ = word == "bc";
      return true;
    }
    if (word == "now") return set_instant(options_.now_micros);
    if (word == "epoch") return set_instant(0);
    if (word == "infinity" || word == "inf") return set_instant(kTimestampInfinity);
    if (word == "today") return set_day_near_now(0);
    if (word == "yesterday") return set_day_near_now(-1);
    if (word == "tomorrow") return set_day_near_now(1);
    if (word == "allballs") {
      has_offset_ = true;
      return set_time(0, 0, 0, 0);
    }
    if (word == "at" || word == "on" || index_of_name(kWeekdays, word) != 0) return true;
    if (!has_offset_ && !zone_ && find_zone_abbreviation(word, &offset_seconds_)) {
      has_offset_ = true;
      return true;
    }
    if (has_offset_ || zone_) return bad_syntax();
    zone_ = find_time_zone(word);
    return zone_ != nullptr || bad_syntax();
  }

  bool has_date() const { return has_year_ && has_month_ && has_day_; }

  bool apply_meridiem() {
    if (meridiem_ == Meridiem::kNone) return true;
    if (hour_ > 12) return out_of_range();
    if (meridiem_ == Meridiem::kAm && hour_ == 12) clock_micros_ -= 12 * kMicrosPerHour;
    if (meridiem_ == Meridiem::kPm && hour_ != 12) clock_micros_ += 12 * kMicrosPerHour;
    return true;
  }

  bool finish(DateTimeWords* words) {
    if (instant_) {
      if (has_time_ || has_year_ || has_month_ || has_day_) return bad_syntax();
      words->special = DateTimeWords::Special::kInstant;
      words->instant = *instant_;
      return true;
    }
    if (!apply_meridiem()) return false;
    if (clock_micros_ > kMicrosPerDay) return out_of_range();
    if (has_year_ || has_month_ || has_day_) {
      if (!has_date()) return bad_syntax();
      if (!check_date()) return false;
      words->has_date = true;
      words->days = days_from_civil(year_, month_, day_);
    }
    words->has_time = has_time_;
    words->micros_of_day = clock_micros_;
    words->has_offset = has_offset_;
    words->offset_seconds = offset_seconds_;
    words->zone = zone_;
    return true;
  }

  bool check_date() {
    if (!is_astronomical_) {
      if (year_is_short_ && !is_before_christ_) year_ += year_ < 70 ? 2000 : 1900;
      if (year_ == 0) return out_of_range();
      if (is_before_christ_) year_ = 1 - year_;
    }
    if (month_ < 1 || month_ > 12 || day_ < 1 || day_ > days_in_month(year_, month_)) return out_of_range();
    return true;
  }

  std::string_view text_;
  const TimestampTextOptions& options_;
  DateTimeWords::Expect expect_;
  size_t at_ = 0;
  TimestampResult result_ = TimestampResult::kBadSyntax;

  std::optional<int64_t> instant_;
  int32_t year_ = 0, month_ = 0, day_ = 0;
  bool has_year_ = false, has_month_ = false, has_day_ = false;
  bool month_is_number_ = false;  // a month name may still show that it was the day
  bool year_is_short_ = false;    // two digits: 70 is 1970, 69 is 2069
  bool is_astronomical_ = false;
  bool is_before_christ_ = false;
  bool has_time_ = false;
  int32_t hour_ = 0;
  int64_t clock_micros_ = 0;
  Meridiem meridiem_ = Meridiem::kNone;
  bool has_offset_ = false;
  int32_t offset_seconds_ = 0;
  std::shared_ptr<const TimeZone> zone_;
};

}  // namespace

TimestampResult read_date_time_words(std::string_view text, const TimestampTextOptions& options,
                                     DateTimeWords* words, DateTimeWords::Expect expect) {
  return DateTimeReader(text, options, expect).read(words);
}

int32_t local_offset(const TimeZone& zone, int64_t local_micros) {
  return static_cast<int32_t>((local_micros - zone.local_to_utc(local_micros)) / kMicrosPerSecond);
}

}  // namespace idem
