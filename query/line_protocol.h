#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace idem {

// InfluxDB line protocol: https://docs.influxdata.com/influxdb/v2/reference/syntax/line-protocol/
//
//   weather,city=Rome,station=A1 temperature=21.5,rain=f,text="a \"b\"",n=3i,at=1700000000000000t 1700000000000000000
//   └─────┘ └─────────────────┘ └─────────────────────────────────────────────────────────────┘ └─────────────────┘
//   table         tags                                 fields                                       timestamp

struct LineValue {
  // kTimestamp, digits with the suffix t, is QuestDB's: microseconds.
  enum class Kind : uint8_t { kFloat, kInteger, kUnsigned, kBoolean, kString, kTimestamp };
  Kind kind = Kind::kFloat;
  bool boolean = false;
  double number = 0;
  int64_t integer = 0;
  uint64_t unsigned_integer = 0;
  std::string_view text;  // as written without suffix and quotes, escapes resolved
};
std::string_view line_value_kind_name(LineValue::Kind kind);  // "float"

struct LineTag {
  std::string_view name, value;
};
struct LineField {
  std::string_view name;
  LineValue value;
};

// One line taken apart. Views point into the line or into `unescaped`.
struct LinePoint {
  std::string_view table;
  std::vector<LineTag> tags;
  std::vector<LineField> fields;
  std::optional<int64_t> timestamp;  // in the unit of the sender
  std::string unescaped;
  // Lines with the same number have the same table, tags and fields, in the same order. From 1.
  uint64_t shape = 0;
};

// Takes lines apart, one after the other. Senders write the same names line after line: those of the last line are looked for first.
class LineParser {
 public:
  // The line is not empty, is no comment, and has no line end. On an error returns false and says in *error what was expected, and where (a
  // byte of the line, from 1).
  bool parse(std::string_view line, std::string* error);
  // The line that was parsed last, until the next one is.
  const LinePoint& point() const { return point_; }

 private:
  class Reader;
  LinePoint point_;
  // Of the line before: its table, the names of its tags, then of its fields, each with the character behind it; "": one that is not to be looked for.
  std::vector<std::string> names_;
  size_t tags_ = 0;  // among them
};

// Cuts text into lines: a newline inside a quoted field value does not end one.
class LineSplitter {
 public:
  explicit LineSplitter(std::string_view text) : text_(text) {}
  // The next line that is neither empty nor a comment, without its end, and its number from 1. False if there is none.
  bool next(std::string_view* line, uint64_t* number);

 private:
  std::string_view text_;
  size_t at_ = 0;
  size_t quote_ = 0;     // where the next double quote is, if not before at_
  uint64_t number_ = 0;  // of lines that ended so far
};

// The bytes of `text` that are whole lines; the rest may go on.
size_t whole_lines(std::string_view text);

}  // namespace idem
