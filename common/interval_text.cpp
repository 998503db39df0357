#include <array>
#include <cmath>
#include <limits>
#include <optional>
#include <vector>

#include "common/ascii.h"
#include "common/calendar.h"
#include "common/error.h"
#include "common/interval.h"
#include "common/sql_type.h"

// Reading intervals. The text is cut into tokens, which are applied from right to left: a bare number then
// knows what stands after it ('3 4:05' is three days).
namespace idem {

namespace {

enum class Unit : uint8_t {
  kMicrosecond,
  kMillisecond,
  kSecond,
  kMinute,
  kHour,
  kDay,
  kWeek,
  kMonth,
  kYear,
  kDecade,
  kCentury,
  kMillennium,
};

struct UnitName {
  std::string_view name;
  Unit unit;
};

constexpr std::array kUnitNames = {
    UnitName{"us", Unit::kMicrosecond},
    UnitName{"usec", Unit::kMicrosecond},
    UnitName{"usecs", Unit::kMicrosecond},
    UnitName{"usecond", Unit::kMicrosecond},
    UnitName{"useconds", Unit::kMicrosecond},
    UnitName{"microsecond", Unit::kMicrosecond},
    UnitName{"microseconds", Unit::kMicrosecond},
    UnitName{"ms", Unit::kMillisecond},
    UnitName{"msec", Unit::kMillisecond},
    UnitName{"msecs", Unit::kMillisecond},
    UnitName{"msecond", Unit::kMillisecond},
    UnitName{"mseconds", Unit::kMillisecond},
    UnitName{"millisecond", Unit::kMillisecond},
    UnitName{"milliseconds", Unit::kMillisecond},
    UnitName{"s", Unit::kSecond},
    UnitName{"sec", Unit::kSecond},
    UnitName{"secs", Unit::kSecond},
    UnitName{"second", Unit::kSecond},
    UnitName{"seconds", Unit::kSecond},
    UnitName{"m", Unit::kMinute},
    UnitName{"min", Unit::kMinute},
    UnitName{"mins", Unit::kMinute},
    UnitName{"minute", Unit::kMinute},
    UnitName{"minutes", Unit::kMinute},
    UnitName{"h", Unit::kHour},
    UnitName{"hr", Unit::kHour},
    UnitName{"hrs", Unit::kHour},
    UnitName{"hour", Unit::kHour},
    UnitName{"hours", Unit::kHour},
    UnitName{"d", Unit::kDay},
    UnitName{"day", Unit::kDay},
    UnitName{"days", Unit::kDay},
    UnitName{"w", Unit::kWeek},
    UnitName{"week", Unit::kWeek},
    UnitName{"weeks", Unit::kWeek},
    UnitName{"mon", Unit::kMonth},
    UnitName{"mons", Unit::kMonth},
    UnitName{"month", Unit::kMonth},
    UnitName{"months", Unit::kMonth},
    UnitName{"y", Unit::kYear},
    UnitName{"yr", Unit::kYear},
    UnitName{"yrs", Unit::kYear},
    UnitName{"year", Unit::kYear},
    UnitName{"years", Unit::kYear},
    UnitName{"dec", Unit::kDecade},
    UnitName{"decs", Unit::kDecade},
    UnitName{"decade", Unit::kDecade},
    UnitName{"decades", Unit::kDecade},
    UnitName{"c", Unit::kCentury},
    UnitName{"cent", Unit::kCentury},
    UnitName{"century", Unit::kCentury},
    UnitName{"centuries", Unit::kCentury},
    UnitName{"mil", Unit::kMillennium},
    UnitName{"mils", Unit::kMillennium},
    UnitName{"millennium", Unit::kMillennium},
    UnitName{"millennia", Unit::kMillennium},
};

constexpr int kMaxUnitName = 12;

// whole + fraction, both of the number's sign.
struct Number {
  int64_t whole = 0;
  double fraction = 0;
  bool negative = false;
};

struct Token {
  enum class Kind : uint8_t { kNumber, kUnit, kTime, kYearMonth, kAgo };
  Kind kind = Kind::kNumber;
  Number number;
  Unit unit = Unit::kSecond;
  int64_t micros = 0;  // kTime
  int64_t months = 0;  // kYearMonth
};

struct Overflow {};
struct BadSyntax {};

// The sum of the parts, with range checks that end the parse.
class Parts {
 public:
  void add(Unit unit, const Number& n) {
    switch (unit) {
      case Unit::kMicrosecond: return add_micros(n, 1);
      case Unit::kMillisecond: return add_micros(n, kMicrosPerMilli);
      case Unit::kSecond: return add_micros(n, kMicrosPerSecond);
      case Unit::kMinute: return add_micros(n, kMicrosPerMinute);
      case Unit::kHour: return add_micros(n, kMicrosPerHour);
      case Unit::kDay: days_ += n.whole; return add_fraction_of_days(n.fraction);
      case Unit::kWeek:
        days_ += static_cast<int128_t>(n.whole) * 7;
        return add_fraction_of_days(n.fraction * 7);
      case Unit::kMonth: months_ += n.whole; return add_fraction_of_days(n.fraction * 30);
      case Unit::kYear: return add_years(n, 1);
      case Unit::kDecade: return add_years(n, 10);
      case Unit::kCentury: return add_years(n, 100);
      case Unit::kMillennium: return add_years(n, 1000);
    }
  }
  void add_months(int64_t months) { months_ += months; }
  void add_time(int64_t micros) { micros_ += micros; }
  void negate() {
    micros_ = -micros_;
    days_ = -days_;
    months_ = -months_;
  }
  Interval result() const {
    return {narrow<int64_t>(micros_), narrow<int32_t>(days_), narrow<int32_t>(months_)};
  }

 private:
  template <class T>
  static T narrow(int128_t v) {
    const auto narrowed = static_cast<T>(v);
    if (narrowed != v) throw Overflow{};
    return narrowed;
  }
  void add_micros(const Number& n, int64_t scale) {
    micros_ += static_cast<int128_t>(n.whole) * scale +
               static_cast<int64_t>(std::rint(n.fraction * static_cast<double>(scale)));
  }
  void add_fraction_of_days(double days) {
    const double whole = std::trunc(days);
    days_ += static_cast<int64_t>(whole);
    micros_ += static_cast<int64_t>(std::rint((days - whole) * static_cast<double>(kMicrosPerDay)));
  }
  void add_years(const Number& n, int years) {
    months_ += static_cast<int128_t>(n.whole) * years * 12 +
               static_cast<int64_t>(std::rint(n.fraction * years * 12));
  }

  int128_t micros_ = 0;
  int128_t days_ = 0;
  int128_t months_ = 0;
};

class IntervalParser {
 public:
  IntervalParser(std::string_view text, IntervalFields fields) : text_(text), fields_(fields) {}

  Interval parse() {
    skip_spaces();
    if (at_end()) throw BadSyntax{};
    Parts parts;
    if (peek() == 'P' || peek() == 'p') {
      ++at_;
      parse_iso(parts);
    } else {
      read_tokens();
      apply_tokens(parts);
    }
    return parts.result();
  }

 private:
  bool at_end() const { return at_ == text_.size(); }
  char peek() const { return at_end() ? '\0' : text_[at_]; }
  void skip_spaces() {
    while (!at_end() && is_space(text_[at_])) ++at_;
  }

  int64_t read_digits() {
    if (!is_digit(peek())) throw BadSyntax{};
    int64_t v = 0;
    for (; is_digit(peek()); ++at_) {
      if (__builtin_mul_overflow(v, 10, &v) || __builtin_add_overflow(v, peek() - '0', &v)) throw Overflow{};
    }
    return v;
  }

  double read_fraction() {  // behind the point; no digits are 0
    double v = 0;
    double unit = 1;
    int digits = 0;
    for (; is_digit(peek()); ++at_, ++digits) {
      if (digits >= 17) continue;
      v = v * 10 + (peek() - '0');
      unit *= 10;
    }
    return v / unit;
  }

  // Whether the sign was a minus.
  bool read_sign() {
    if (peek() != '-' && peek() != '+') return false;
    return text_[at_++] == '-';
  }

  Number read_number() {
    Number n;
    n.negative = read_sign();
    skip_spaces();
    const bool has_whole = is_digit(peek());
    if (has_whole) n.whole = read_digits();
    if (peek() == '.') {
      ++at_;
      if (!has_whole && !is_digit(peek())) throw BadSyntax{};
      n.fraction = read_fraction();
    } else if (!has_whole) {
      throw BadSyntax{};
    }
    if (n.negative) {
      n.whole = -n.whole;
      n.fraction = -n.fraction;
    }
    return n;
  }

  // `hours` is read; ':' comes next. H:MM, H:MM:SS[.f], or M:SS.f.
  int64_t read_time(const Number& hours) {
    const int64_t first = hours.whole < 0 ? -hours.whole : hours.whole;
    if (hours.fraction != 0) throw BadSyntax{};
    ++at_;
    const int64_t second = read_digits();
    int64_t hour = first;
    int64_t minute = second;
    int64_t seconds = 0;
    int64_t micros = 0;
    bool has_seconds = false;
    if (peek() == ':') {
      ++at_;
      seconds = read_digits();
      has_seconds = true;
    } else if (peek() == '.' || fields_ == IntervalFields::kMinuteToSecond) {
      hour = 0;
      minute = first;
      seconds = second;
      has_seconds = true;
    }
    if (has_seconds && peek() == '.') {
      ++at_;
      micros = static_cast<int64_t>(std::rint(read_fraction() * static_cast<double>(kMicrosPerSecond)));
    }
    if (minute > 59 || seconds > 60) throw Overflow{};
    const int128_t total = static_cast<int128_t>(hour) * kMicrosPerHour + minute * kMicrosPerMinute +
                           seconds * kMicrosPerSecond + micros;
    if (total > std::numeric_limits<int64_t>::max()) throw Overflow{};
    return static_cast<int64_t>(hours.negative ? -total : total);
  }

  Token read_unit() {
    char name[kMaxUnitName];
    size_t size = 0;
    for (; is_letter(peek()); ++at_) {
      if (size == kMaxUnitName) throw BadSyntax{};
      name[size++] = static_cast<char>(peek() | 0x20);
    }
    Token token;
    const std::string_view word(name, size);
    if (word == "ago") {
      token.kind = Token::Kind::kAgo;
      return token;
    }
    token.kind = Token::Kind::kUnit;
    for (const UnitName& candidate : kUnitNames) {
      if (candidate.name == word) {
        token.unit = candidate.unit;
        return token;
      }
    }
    throw BadSyntax{};
  }

  Token read_numeric_token() {
    Token token;
    token.number = read_number();
    if (peek() == ':') {
      token.kind = Token::Kind::kTime;
      token.micros = read_time(token.number);
    } else if (peek() == '-' && at_ + 1 < text_.size() && is_digit(text_[at_ + 1]) &&
               token.number.fraction == 0) {
      ++at_;
      const int64_t months = read_digits();
      if (peek() == '-') throw BadSyntax{};  // a date
      if (months > 11) throw Overflow{};
      token.kind = Token::Kind::kYearMonth;
      if (__builtin_mul_overflow(token.number.whole, 12, &token.months)) throw Overflow{};
      token.months += token.number.negative ? -months : months;
    }
    return token;
  }

  void read_tokens() {
    for (skip_spaces(); !at_end(); skip_spaces()) {
      if (peek() == '@' || peek() == ',') {
        ++at_;
      } else if (is_letter(peek())) {
        tokens_.push_back(read_unit());
      } else {
        tokens_.push_back(read_numeric_token());
      }
    }
    if (tokens_.empty()) throw BadSyntax{};
  }

  Unit unit_of_bare_number() const {
    switch (fields_) {
      case IntervalFields::kYear: return Unit::kYear;
      case IntervalFields::kMonth:
      case IntervalFields::kYearToMonth: return Unit::kMonth;
      case IntervalFields::kDay: return Unit::kDay;
      case IntervalFields::kHour:
      case IntervalFields::kDayToHour: return Unit::kHour;
      case IntervalFields::kMinute:
      case IntervalFields::kDayToMinute:
      case IntervalFields::kHourToMinute: return Unit::kMinute;
      default: return Unit::kSecond;
    }
  }

  void claim(uint32_t units) {
    if ((seen_ & units) != 0) throw BadSyntax{};
    seen_ |= units;
  }
  static uint32_t bit(Unit unit) { return 1U << static_cast<int>(unit); }

  void apply_tokens(Parts& parts) {
    constexpr uint32_t kSecondUnits = 0x7;
    std::optional<Unit> unit;
    bool unit_waits = false;  // for its number
    bool is_ago = false;
    for (size_t i = tokens_.size(); i-- > 0;) {
      const Token& token = tokens_[i];
      switch (token.kind) {
        case Token::Kind::kAgo:
          if (i + 1 != tokens_.size() || i == 0) throw BadSyntax{};
          is_ago = true;
          break;
        case Token::Kind::kUnit:
          if (unit_waits) throw BadSyntax{};
          unit = token.unit;
          unit_waits = true;
          break;
        case Token::Kind::kTime:
          if (unit_waits) throw BadSyntax{};
          claim(kSecondUnits | bit(Unit::kMinute) | bit(Unit::kHour));
          parts.add_time(token.micros);
          unit = Unit::kDay;
          break;
        case Token::Kind::kYearMonth:
          if (unit_waits) throw BadSyntax{};
          claim(bit(Unit::kMonth) | bit(Unit::kYear));
          parts.add_months(token.months);
          unit.reset();
          break;
        case Token::Kind::kNumber: {
          if (!unit) unit = unit_of_bare_number();
          const bool all_seconds = *unit == Unit::kSecond && token.number.fraction != 0;
          claim(all_seconds ? kSecondUnits : bit(*unit));
          parts.add(*unit, token.number);
          if (*unit == Unit::kHour) unit = Unit::kDay;
          unit_waits = false;
          break;
        }
      }
    }
    if (unit_waits || seen_ == 0) throw BadSyntax{};
    if (is_ago) parts.negate();
  }

  // P1Y2M3DT4H5M6S, P2W, P0001-02-03T04:05:06.
  void parse_iso(Parts& parts) {
    bool in_time = false;
    if (at_end()) throw BadSyntax{};
    while (!at_end()) {
      if (is_space(peek())) {
        skip_spaces();
        if (!at_end()) throw BadSyntax{};
        break;
      }
      if (peek() == 'T' || peek() == 't') {
        if (in_time) throw BadSyntax{};
        in_time = true;
        ++at_;
        if (at_end()) throw BadSyntax{};
        continue;
      }
      const Number n = read_number();
      if (in_time && peek() == ':') {
        parts.add_time(read_time(n));
      } else if (!in_time && peek() == '-') {
        parse_iso_date(n, parts);
      } else {
        parts.add(iso_unit(in_time), n);
      }
    }
  }

  void parse_iso_date(const Number& years, Parts& parts) {
    ++at_;
    Number months{read_digits(), 0, false};
    if (peek() != '-') throw BadSyntax{};
    ++at_;
    Number days{read_digits(), 0, false};
    parts.add(Unit::kYear, years);
    parts.add(Unit::kMonth, months);
    parts.add(Unit::kDay, days);
  }

  Unit iso_unit(bool in_time) {
    if (at_end()) throw BadSyntax{};
    const char c = static_cast<char>(text_[at_++] & ~0x20);
    if (in_time) {
      if (c == 'H') return Unit::kHour;
      if (c == 'M') return Unit::kMinute;
      if (c == 'S') return Unit::kSecond;
    } else {
      if (c == 'Y') return Unit::kYear;
      if (c == 'M') return Unit::kMonth;
      if (c == 'W') return Unit::kWeek;
      if (c == 'D') return Unit::kDay;
    }
    throw BadSyntax{};
  }

  std::string_view text_;
  IntervalFields fields_;
  size_t at_ = 0;
  uint32_t seen_ = 0;  // units that have a value
  std::vector<Token> tokens_;
};

// Parts smaller than the last field of the qualification are cut off.
Interval cut_to_fields(Interval interval, IntervalFields fields) {
  switch (fields) {
    case IntervalFields::kYear: interval.months -= interval.months % 12; [[fallthrough]];
    case IntervalFields::kMonth:
    case IntervalFields::kYearToMonth: interval.days = 0; [[fallthrough]];
    case IntervalFields::kDay: interval.micros = 0; break;
    case IntervalFields::kHour:
    case IntervalFields::kDayToHour: interval.micros -= interval.micros % kMicrosPerHour; break;
    case IntervalFields::kMinute:
    case IntervalFields::kDayToMinute:
    case IntervalFields::kHourToMinute: interval.micros -= interval.micros % kMicrosPerMinute; break;
    default: break;
  }
  return interval;
}

int64_t round_to_digits(int64_t micros, int digits) {
  int64_t unit = 1;
  for (int i = digits; i < 6; ++i) unit *= 10;
  const int64_t half = micros < 0 ? -(unit / 2) : unit / 2;
  const int128_t rounded = (static_cast<int128_t>(micros) + half) / unit * unit;
  if (rounded != static_cast<int64_t>(rounded)) throw Overflow{};
  return static_cast<int64_t>(rounded);
}

}  // namespace

IntervalResult parse_interval(std::string_view text, Interval* interval, IntervalFields fields,
                              int seconds_digits) {
  try {
    *interval = cut_to_fields(IntervalParser(text, fields).parse(), fields);
    if (seconds_digits >= 0 && seconds_digits < 6)
      interval->micros = round_to_digits(interval->micros, seconds_digits);
    return IntervalResult::kOk;
  } catch (const Overflow&) { return IntervalResult::kOutOfRange; } catch (const BadSyntax&) {
    return IntervalResult::kBadSyntax;
  }
}

Interval interval_from_text(std::string_view text, IntervalFields fields, int seconds_digits) {
  Interval interval;
  switch (parse_interval(text, &interval, fields, seconds_digits)) {
    case IntervalResult::kOk: break;
    case IntervalResult::kBadSyntax:
      throw sql_error(sqlstate::kInvalidDatetimeFormat, "invalid input syntax for type interval: \"{}\"",
                      text);
    case IntervalResult::kOutOfRange:
      throw sql_error(sqlstate::kIntervalFieldOverflow, "interval field value out of range: \"{}\"", text);
  }
  return interval;
}

}  // namespace idem
