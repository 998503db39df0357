#include "common/time_zone_reader.h"

#include <optional>

namespace idem {

namespace {

// Reads big-endian numbers; past the end it returns zeros and is not ok() any more.
class BigEndianReader {
 public:
  explicit BigEndianReader(std::string_view bytes) : bytes_(bytes) {}

  bool ok() const { return ok_; }
  int64_t read(size_t size) {
    const std::string_view part = take(size);
    if (part.empty()) return 0;
    auto v = static_cast<uint64_t>(static_cast<int64_t>(static_cast<int8_t>(part[0])));
    for (size_t i = 1; i < size; ++i) v = v << 8 | static_cast<uint8_t>(part[i]);
    return static_cast<int64_t>(v);
  }
  std::string_view take(size_t size) {
    if (size > bytes_.size()) {
      ok_ = false;
      bytes_ = {};
      return {};
    }
    const std::string_view part = bytes_.substr(0, size);
    bytes_.remove_prefix(size);
    return part;
  }
  std::string_view rest() const { return bytes_; }

 private:
  std::string_view bytes_;
  bool ok_ = true;
};

struct TzifHeader {
  char version = 0;
  size_t ut_indicators = 0, standard_indicators = 0, leap_seconds = 0;
  size_t transitions = 0, types = 0, characters = 0;

  size_t body_size(size_t time_size) const {
    return transitions * (time_size + 1) + types * 6 + characters + leap_seconds * (time_size + 4) +
           standard_indicators + ut_indicators;
  }
};

std::optional<TzifHeader> read_header(BigEndianReader& in) {
  if (in.take(4) != "TZif") return std::nullopt;
  TzifHeader header;
  const std::string_view version = in.take(16);  // and 15 reserved bytes
  if (version.empty()) return std::nullopt;
  header.version = version[0];
  for (size_t* count : {&header.ut_indicators, &header.standard_indicators, &header.leap_seconds,
                        &header.transitions, &header.types, &header.characters}) {
    *count = static_cast<uint32_t>(in.read(4));
  }
  if (!in.ok()) return std::nullopt;
  return header;
}

class PosixParser {
 public:
  explicit PosixParser(std::string_view text) : text_(text) {}

  std::optional<TimeZone::Tail> parse() {
    TimeZone::Tail tail;
    tail.standard.abbreviation = read_abbreviation();
    const std::optional<int32_t> west = read_seconds(kMaxOffsetHours);
    if (!west) return std::nullopt;
    tail.standard.offset_seconds = -*west;
    if (at_end()) return tail;
    tail.has_dst = true;
    tail.daylight.is_dst = true;
    tail.daylight.abbreviation = read_abbreviation();
    if (tail.daylight.abbreviation.empty()) return std::nullopt;
    tail.daylight.offset_seconds = tail.standard.offset_seconds + 3600;
    if (!at_end() && peek() != ',') {
      const std::optional<int32_t> daylight_west = read_seconds(kMaxOffsetHours);
      if (!daylight_west) return std::nullopt;
      tail.daylight.offset_seconds = -*daylight_west;
    }
    if (at_end()) text_ = ",M3.2.0,M11.1.0", at_ = 0;
    if (!read_rule(&tail.start) || !read_rule(&tail.end) || !at_end()) return std::nullopt;
    return tail;
  }

 private:
  static constexpr int kMaxOffsetHours = 24;
  static constexpr int kMaxRuleHours = 167;

  bool at_end() const { return at_ == text_.size(); }
  char peek() const { return at_end() ? '\0' : text_[at_]; }
  bool accept(char c) {
    if (peek() != c) return false;
    ++at_;
    return true;
  }

  std::string read_abbreviation() {
    const size_t start = at_;
    if (accept('<')) {
      while (!at_end() && peek() != '>') ++at_;
      if (!accept('>')) return {};
      return std::string(text_.substr(start + 1, at_ - start - 2));
    }
    while ((peek() | 0x20) >= 'a' && (peek() | 0x20) <= 'z') ++at_;
    return std::string(text_.substr(start, at_ - start));
  }

  std::optional<int32_t> read_number(int32_t limit) {
    if (peek() < '0' || peek() > '9') return std::nullopt;
    int32_t v = 0;
    while (peek() >= '0' && peek() <= '9') {
      v = v * 10 + (text_[at_++] - '0');
      if (v > limit) return std::nullopt;
    }
    return v;
  }

  std::optional<int32_t> read_seconds(int32_t max_hours) {
    const bool negative = peek() == '-';
    if (peek() == '-' || peek() == '+') ++at_;
    const std::optional<int32_t> hours = read_number(max_hours);
    if (!hours) return std::nullopt;
    int32_t seconds = *hours * 3600;
    for (const int32_t unit : {60, 1}) {
      if (!accept(':')) break;
      const std::optional<int32_t> part = read_number(59);
      if (!part) return std::nullopt;
      seconds += *part * unit;
    }
    return negative ? -seconds : seconds;
  }

  bool read_rule(TimeZone::Rule* rule) {
    if (!accept(',')) return false;
    std::optional<int32_t> day;
    if (accept('M')) {
      const std::optional<int32_t> month = read_number(12);
      if (!month || !accept('.')) return false;
      const std::optional<int32_t> week = read_number(5);
      if (!week || !accept('.')) return false;
      day = read_number(6);
      rule->kind = TimeZone::Rule::Kind::kMonthWeekDay;
      rule->month = *month;
      rule->week = *week;
    } else if (accept('J')) {
      day = read_number(365);
      rule->kind = TimeZone::Rule::Kind::kJulianNoLeap;
    } else {
      day = read_number(365);
      rule->kind = TimeZone::Rule::Kind::kDayOfYear;
    }
    if (!day) return false;
    rule->day = *day;
    if (accept('/')) {
      const std::optional<int32_t> time = read_seconds(kMaxRuleHours);
      if (!time) return false;
      rule->time_seconds = *time;
    }
    return true;
  }

  std::string_view text_;
  size_t at_ = 0;
};

}  // namespace

std::shared_ptr<const TimeZone> TimeZoneReader::fixed(std::string name, std::string abbreviation,
                                                      int32_t offset_seconds) {
  auto zone = std::make_shared<TimeZone>();
  zone->name_ = std::move(name);
  zone->is_fixed_ = true;
  zone->fixed_offset_ = offset_seconds;
  zone->is_utc_ = offset_seconds == 0 && (zone->name_ == "UTC" || zone->name_ == "GMT");
  zone->types_.push_back({offset_seconds, false, std::move(abbreviation)});
  return zone;
}

std::shared_ptr<const TimeZone> TimeZoneReader::from_posix(std::string name, std::string_view text) {
  const std::optional<TimeZone::Tail> tail = PosixParser(text).parse();
  if (!tail) return nullptr;
  if (!tail->has_dst)
    return fixed(std::move(name), tail->standard.abbreviation, tail->standard.offset_seconds);
  auto zone = std::make_shared<TimeZone>();
  zone->name_ = std::move(name);
  zone->has_tail_ = true;
  zone->tail_ = *tail;
  zone->types_.push_back(tail->standard);
  return zone;
}

std::shared_ptr<const TimeZone> TimeZoneReader::from_tzif(std::string name, std::string_view bytes) {
  BigEndianReader in(bytes);
  std::optional<TzifHeader> header = read_header(in);
  if (!header) return nullptr;
  size_t time_size = 4;
  if (header->version >= '2') {  // the same once more, with times of 64 bits
    in.take(header->body_size(4));
    header = read_header(in);
    if (!header) return nullptr;
    time_size = 8;
  }
  if (header->types == 0 || header->types > 255 || header->body_size(time_size) > in.rest().size())
    return nullptr;

  auto zone = std::make_shared<TimeZone>();
  zone->name_ = std::move(name);
  for (size_t i = 0; i < header->transitions; ++i) zone->transitions_.push_back(in.read(time_size));
  for (size_t i = 0; i < header->transitions; ++i) {
    const auto type = static_cast<uint8_t>(in.read(1));
    if (type >= header->types) return nullptr;
    zone->transition_types_.push_back(type);
  }
  std::vector<size_t> abbreviation_at;
  for (size_t i = 0; i < header->types; ++i) {
    TimeZone::LocalType type;
    type.offset_seconds = static_cast<int32_t>(in.read(4));
    type.is_dst = in.read(1) != 0;
    abbreviation_at.push_back(static_cast<uint8_t>(in.read(1)));
    zone->types_.push_back(std::move(type));
  }
  const std::string_view characters = in.take(header->characters);
  for (size_t i = 0; i < header->types; ++i) {
    if (abbreviation_at[i] >= characters.size()) return nullptr;
    const std::string_view from = characters.substr(abbreviation_at[i]);
    zone->types_[i].abbreviation = std::string(from.substr(0, from.find('\0')));
  }
  in.take(header->leap_seconds * (time_size + 4) + header->standard_indicators + header->ut_indicators);
  if (time_size == 8 && in.rest().size() > 2 && in.rest().front() == '\n') {
    const std::string_view footer = in.rest().substr(1, in.rest().find('\n', 1) - 1);
    if (const auto tail = PosixParser(footer).parse()) {
      zone->has_tail_ = true;
      zone->tail_ = *tail;
    }
  }
  if (zone->transitions_.empty() && !zone->tail_.has_dst) {
    zone->is_fixed_ = true;
    zone->fixed_offset_ = zone->types_[0].offset_seconds;
    zone->is_utc_ = zone->fixed_offset_ == 0 && zone->types_[0].abbreviation == "UTC";
  }
  return zone;
}

}  // namespace idem
