#include "common/csv_guess.h"

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <set>

#include "common/ascii.h"
#include "common/error.h"

namespace idem {

namespace {

constexpr size_t kMaxSymbolLength = 48;
constexpr size_t kMaxSymbols = 10'000;

bool is_boolean(std::string_view text) {
  constexpr std::string_view kWords[] = {"true", "false", "t", "f", "TRUE", "FALSE", "True", "False"};
  return std::find(std::begin(kWords), std::end(kWords), text) != std::end(kWords);
}

bool has_leading_zero(std::string_view digits) {
  return digits.size() > 1 && digits[0] == '0' && is_digit(digits[1]);
}

bool is_bigint(std::string_view text) {
  if (!text.empty() && (text[0] == '-' || text[0] == '+')) text.remove_prefix(1);
  if (text.empty() || has_leading_zero(text)) return false;
  int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc() && end == text.data() + text.size();
}

bool is_double(std::string_view text) {
  if (!text.empty() && (text[0] == '-' || text[0] == '+')) text.remove_prefix(1);
  if (text.empty() || !(is_digit(text[0]) || text[0] == '.') || has_leading_zero(text)) return false;
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc() && end == text.data() + text.size();
}

// Consumes text that has the form of `pattern`: 9 is any digit, other characters stand for themselves.
bool take(std::string_view& text, std::string_view pattern) {
  if (text.size() < pattern.size()) return false;
  for (size_t i = 0; i < pattern.size(); ++i) {
    if (pattern[i] == '9' ? !is_digit(text[i]) : text[i] != pattern[i]) return false;
  }
  text.remove_prefix(pattern.size());
  return true;
}

bool is_date(std::string_view text) { return take(text, "9999-99-99") && text.empty(); }

bool is_timestamp(std::string_view text) {
  if (!take(text, "9999-99-99")) return false;
  if (text.empty()) return true;  // a column of both is a timestamp
  if (!take(text, "T") && !take(text, " ")) return false;
  if (!take(text, "99:99")) return false;
  if (take(text, ":99") && take(text, ".9")) {
    while (take(text, "9")) {}
  }
  if (text.empty() || text == "Z" || text == " UTC") return true;
  if (text[0] != '+' && text[0] != '-') return false;
  text.remove_prefix(1);
  if (!take(text, "99")) return false;
  return text.empty() || (take(text, ":99") && text.empty()) || (take(text, "99") && text.empty());
}

bool is_uuid(std::string_view text) {
  if (text.size() != 36) return false;
  for (size_t i = 0; i < text.size(); ++i) {
    const bool dash = i == 8 || i == 13 || i == 18 || i == 23;
    const bool hex =
        is_digit(text[i]) || (text[i] >= 'a' && text[i] <= 'f') || (text[i] >= 'A' && text[i] <= 'F');
    if (dash ? text[i] != '-' : !hex) return false;
  }
  return true;
}

// What one column may still be.
class ColumnGuess {
 public:
  void see(std::string_view text) {
    ++values_;
    for (Candidate& candidate : candidates_) candidate.possible = candidate.possible && candidate.fits(text);
    longest_ = std::max(longest_, text.size());
    if (distinct_.size() <= kMaxSymbols) distinct_.emplace(text);
  }

  std::string type() const {
    if (values_ == 0) return "VARCHAR";
    for (const Candidate& candidate : candidates_) {
      if (candidate.possible) return candidate.type;
    }
    const bool repeats = distinct_.size() <= kMaxSymbols && distinct_.size() * 4 <= values_;
    return repeats && longest_ <= kMaxSymbolLength ? "SYMBOL" : "VARCHAR";
  }

 private:
  struct Candidate {
    const char* type;
    bool (*fits)(std::string_view);
    bool possible = true;
  };
  // In the order of preference.
  Candidate candidates_[6] = {{"BOOLEAN", is_boolean}, {"BIGINT", is_bigint},       {"DOUBLE", is_double},
                              {"DATE", is_date},       {"TIMESTAMP", is_timestamp}, {"UUID", is_uuid}};
  size_t values_ = 0, longest_ = 0;
  std::set<std::string, std::less<>> distinct_;
};

}  // namespace

size_t check_csv_begin(std::string_view bytes) {
  constexpr std::string_view kByteOrderMark = "\xef\xbb\xbf";
  const auto fail = [](std::string_view what, std::string_view hint) {
    throw SqlError(sqlstate::kCharacterNotInRepertoire, std::string(what)).with_hint(std::string(hint));
  };
  if (bytes.starts_with("\xff\xfe") || bytes.starts_with("\xfe\xff"))
    fail("the file is UTF-16, not UTF-8", "Convert it: iconv -f UTF-16 -t UTF-8.");
  if (bytes.starts_with("\x1f\x8b")) fail("the file is packed by gzip", "Unpack it first: gunzip.");
  if (bytes.find('\0') != bytes.npos) fail("the file is no text: it has a NUL byte", "");
  return bytes.starts_with(kByteOrderMark) ? kByteOrderMark.size() : 0;
}

std::vector<std::vector<CsvField>> read_csv_records(std::string_view bytes, const CsvShape& shape,
                                                    bool is_end, size_t limit) {
  std::vector<std::vector<CsvField>> records;
  std::vector<CsvField> record;
  CsvField field;
  bool in_quotes = false, any = false;
  const auto end_field = [&] {
    record.push_back(std::move(field));
    field = {};
  };
  const auto end_record = [&] {
    end_field();
    records.push_back(std::move(record));
    record = {};
    any = false;
  };
  for (size_t i = 0; i < bytes.size() && records.size() < limit; ++i) {
    const char c = bytes[i];
    any = true;
    if (in_quotes) {
      if (c != shape.quote) field.text += c;
      else if (i + 1 < bytes.size() && bytes[i + 1] == shape.quote) field.text += bytes[++i];
      else in_quotes = false;
    } else if (c == shape.quote) {
      in_quotes = field.quoted = true;
    } else if (c == shape.delimiter) {
      end_field();
    } else if (c == '\n' || c == '\r') {
      if (c == '\r' && i + 1 < bytes.size() && bytes[i + 1] == '\n') ++i;
      end_record();
    } else {
      field.text += c;
    }
  }
  if (is_end && any && records.size() < limit) end_record();
  return records;
}

std::vector<GuessedColumn> guess_columns(const std::vector<std::string>& names,
                                         const std::vector<std::vector<CsvField>>& records,
                                         const CsvShape& shape) {
  std::vector<GuessedColumn> columns;
  for (size_t c = 0; c < names.size(); ++c) {
    GuessedColumn column{names[c]};
    ColumnGuess guess;
    for (const auto& record : records) {
      const bool is_null = c >= record.size() || (!record[c].quoted && record[c].text == shape.null);
      column.has_null |= is_null;
      if (!is_null) guess.see(record[c].text);
    }
    column.type = guess.type();
    columns.push_back(std::move(column));
  }
  return columns;
}

char guess_delimiter(std::string_view bytes, bool is_end) {
  constexpr size_t kRecords = 20;
  char best = ',';
  size_t most_fields = 1, most_equal = 0;
  for (const char candidate : {',', ';', '\t', '|'}) {
    CsvShape shape;
    shape.delimiter = candidate;
    const auto records = read_csv_records(bytes, shape, is_end, kRecords);
    if (records.empty()) continue;
    const size_t fields = records[0].size();
    const auto equal = static_cast<size_t>(
        std::count_if(records.begin(), records.end(), [&](const auto& r) { return r.size() == fields; }));
    if (fields < 2 || equal < most_equal || (equal == most_equal && fields <= most_fields)) continue;
    best = candidate;
    most_fields = fields;
    most_equal = equal;
  }
  return best;
}

bool has_header(const std::vector<std::vector<CsvField>>& records) {
  if (records.empty()) return false;
  std::set<std::string_view> names;
  for (const CsvField& field : records[0]) {
    ColumnGuess guess;
    guess.see(field.text);
    if (guess.type() != "VARCHAR" || !names.insert(field.text).second) return false;
  }
  return true;
}

}  // namespace idem
