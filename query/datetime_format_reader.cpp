#include <array>
#include <cctype>

#include "common/error.h"
#include "common/utf8.h"
#include "query/datetime_format.h"

namespace idem {

namespace {

using Field = DateTimeFormat::Field;
using Letters = DateTimeFormat::Letters;

struct Keyword {
  std::string_view text;
  Field field;
  uint8_t digits = 0;
  bool dotted = false;
};

// Longer ones before those that they begin with.
constexpr auto kKeywords = std::to_array<Keyword>({
    {"A.D.", Field::kEra, 0, true},
    {"A.M.", Field::kMeridiem, 0, true},
    {"AD", Field::kEra},
    {"AM", Field::kMeridiem},
    {"B.C.", Field::kEra, 0, true},
    {"BC", Field::kEra},
    {"CC", Field::kCentury},
    {"DAY", Field::kDayName},
    {"DDD", Field::kDayOfYear},
    {"DD", Field::kDay},
    {"DY", Field::kDayShort},
    {"D", Field::kDayOfWeek},
    {"FF1", Field::kFraction, 1},
    {"FF2", Field::kFraction, 2},
    {"FF3", Field::kFraction, 3},
    {"FF4", Field::kFraction, 4},
    {"FF5", Field::kFraction, 5},
    {"FF6", Field::kFraction, 6},
    {"HH24", Field::kHour24},
    {"HH12", Field::kHour12},
    {"HH", Field::kHour12},
    {"IDDD", Field::kIsoDayOfYear},
    {"ID", Field::kIsoDayOfWeek},
    {"IW", Field::kIsoWeek},
    {"IYYY", Field::kIsoYear, 4},
    {"IYY", Field::kIsoYear, 3},
    {"IY", Field::kIsoYear, 2},
    {"I", Field::kIsoYear, 1},
    {"J", Field::kJulian},
    {"MI", Field::kMinute},
    {"MM", Field::kMonth},
    {"MONTH", Field::kMonthName},
    {"MON", Field::kMonthShort},
    {"MS", Field::kMillisecond},
    {"OF", Field::kZoneOffset},
    {"P.M.", Field::kMeridiem, 0, true},
    {"PM", Field::kMeridiem},
    {"Q", Field::kQuarter},
    {"RM", Field::kMonthRoman},
    {"SSSSS", Field::kSecondOfDay},
    {"SSSS", Field::kSecondOfDay},
    {"SS", Field::kSecond},
    {"TZH", Field::kZoneHours},
    {"TZM", Field::kZoneMinutes},
    {"TZ", Field::kZoneName},
    {"US", Field::kMicrosecond},
    {"WW", Field::kWeekOfYear},
    {"W", Field::kWeekOfMonth},
    {"Y,YYY", Field::kYearComma, 4},
    {"YYYY", Field::kYear, 4},
    {"YYY", Field::kYear, 3},
    {"YY", Field::kYear, 2},
    {"Y", Field::kYear, 1},
});

// Case matters.
constexpr auto kQuestDbKeywords = std::to_array<Keyword>({
    {"yyyy", Field::kYear, 4},
    {"yyy", Field::kYear, 3},
    {"yy", Field::kYear, 2},
    {"y", Field::kYear, 4},
    {"MMMM", Field::kMonthName},
    {"MMM", Field::kMonthShort},
    {"MM", Field::kMonth},
    {"M", Field::kMonth},
    {"dd", Field::kDay},
    {"d", Field::kDay},
    {"DD", Field::kDayOfYear},
    {"D", Field::kDayOfYear},
    {"EEEE", Field::kDayName},
    {"EE", Field::kDayShort},
    {"E", Field::kDayShort},
    {"HH", Field::kHour24},
    {"H", Field::kHour24},
    {"hh", Field::kHour12},
    {"h", Field::kHour12},
    {"KK", Field::kHour12},
    {"K", Field::kHour12},
    {"kk", Field::kHour24},
    {"k", Field::kHour24},
    {"mm", Field::kMinute},
    {"m", Field::kMinute},
    {"ss", Field::kSecond},
    {"s", Field::kSecond},
    {"SSSUUU", Field::kMicrosecond},
    {"SSS", Field::kMillisecond},
    {"S", Field::kMillisecond},
    {"UUUUUU", Field::kMicrosecond},
    {"UUU", Field::kMicrosecond},
    {"U", Field::kMicrosecond},
    {"a", Field::kMeridiem},
    {"G", Field::kEra},
    {"z", Field::kZoneName},
    {"Z", Field::kZoneName},
    {"x", Field::kZoneHours},
    {"ww", Field::kIsoWeek},
    {"w", Field::kIsoWeek},
    {"u", Field::kIsoDayOfWeek},
});

bool equal_ignoring_case(std::string_view a, std::string_view b) {
  if (a.size() != b.size()) return false;
  for (size_t i = 0; i < a.size(); ++i) {
    if (std::toupper(static_cast<unsigned char>(a[i])) != std::toupper(static_cast<unsigned char>(b[i])))
      return false;
  }
  return true;
}

bool is_questdb(std::string_view pattern) {
  return pattern.find("yyyy") != std::string_view::npos && pattern.find("MM") != std::string_view::npos;
}

Letters letters_of(std::string_view spelling) {
  if (std::islower(static_cast<unsigned char>(spelling[0])) != 0) return Letters::kLower;
  const bool second_is_lower =
      spelling.size() > 1 && std::islower(static_cast<unsigned char>(spelling[1])) != 0;
  return second_is_lower ? Letters::kCapital : Letters::kUpper;
}

}  // namespace

class DateTimeFormatReader {
 public:
  DateTimeFormatReader(std::string_view pattern, std::vector<DateTimeFormat::Token>* tokens)
      : pattern_(pattern), tokens_(*tokens), questdb_(is_questdb(pattern)) {}

  void read() {
    while (at_ < pattern_.size()) {
      if (questdb_ ? take_questdb() : take_keyword()) continue;
      const char c = pattern_[at_];
      if (c == '"' || (questdb_ && c == '\'')) {
        take_quoted(c);
      } else {
        if (c == '\\' && !questdb_ && at_ + 1 < pattern_.size() && pattern_[at_ + 1] == '"') ++at_;
        add_literal(pattern_.substr(at_, 1));
        ++at_;
      }
    }
  }

 private:
  void add_literal(std::string_view text) {
    if (tokens_.empty() || tokens_.back().field != Field::kLiteral) tokens_.emplace_back();
    tokens_.back().literal += text;
  }

  void take_quoted(char quote) {
    ++at_;
    std::string text;
    while (at_ < pattern_.size() && pattern_[at_] != quote) {
      if (pattern_[at_] == '\\' && at_ + 1 < pattern_.size()) ++at_;
      text += pattern_[at_++];
    }
    ++at_;
    add_literal(text);
  }

  bool take_keyword() {
    size_t at = at_;
    bool fill = false;
    // Modifiers stand before the keyword: FM, FX, TM.
    for (bool found = true; found;) {
      found = false;
      for (const std::string_view modifier : {"FM", "FX", "TM"}) {
        if (!equal_ignoring_case(pattern_.substr(at, 2), modifier)) continue;
        fill |= modifier == "FM";
        at += 2;
        found = true;
      }
    }
    for (const Keyword& keyword : kKeywords) {
      const std::string_view spelling = pattern_.substr(at, keyword.text.size());
      if (!equal_ignoring_case(spelling, keyword.text)) continue;
      at_ = at + keyword.text.size();
      add(keyword, spelling, fill);
      take_ordinal();
      return true;
    }
    if (at == at_) return false;
    at_ = at;
    return true;
  }

  void take_ordinal() {
    const std::string_view suffix = pattern_.substr(at_, 2);
    if (suffix != "TH" && suffix != "th") return;
    tokens_.back().ordinal = true;
    tokens_.back().ordinal_upper = suffix == "TH";
    at_ += 2;
  }

  bool take_questdb() {
    for (const Keyword& keyword : kQuestDbKeywords) {
      if (!pattern_.substr(at_).starts_with(keyword.text)) continue;
      at_ += keyword.text.size();
      add(keyword, keyword.text, keyword.text.size() == 1);
      DateTimeFormat::Token& token = tokens_.back();
      token.letters = token.field == Field::kMeridiem ? Letters::kUpper : Letters::kCapital;
      if (keyword.text == "UUU" || keyword.text == "U") {
        // The three digits behind the milliseconds.
        token.digits = 3;
      }
      if (token.field == Field::kMonthName || token.field == Field::kDayName) token.fill = true;
      return true;
    }
    return false;
  }

  void add(const Keyword& keyword, std::string_view spelling, bool fill) {
    DateTimeFormat::Token token;
    token.field = keyword.field;
    token.digits = keyword.digits;
    token.dotted = keyword.dotted;
    token.fill = fill;
    token.letters = letters_of(spelling);
    tokens_.push_back(std::move(token));
  }

  std::string_view pattern_;
  std::vector<DateTimeFormat::Token>& tokens_;
  bool questdb_;
  size_t at_ = 0;
};

DateTimeFormat::DateTimeFormat(std::string_view pattern) { DateTimeFormatReader(pattern, &tokens_).read(); }

}  // namespace idem
