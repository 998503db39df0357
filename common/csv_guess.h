#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace idem {

// How a CSV file is written.
struct CsvShape {
  char delimiter = ',';
  char quote = '"';
  std::string null;  // an unquoted field of this text is NULL
  bool header = true;
};

// One field: `quoted` fields are never NULL.
struct CsvField {
  std::string text;
  bool quoted = false;
};

// The length of the byte order mark at the begin of a file. Throws 22021 where it is no text in UTF-8: UTF-16, packed, with NUL bytes; the
// hint says what to do.
size_t check_csv_begin(std::string_view bytes);

// The whole records in `bytes`; one that `bytes` cuts off is left out unless `is_end`, where the file ends with `bytes`.
std::vector<std::vector<CsvField>> read_csv_records(std::string_view bytes, const CsvShape& shape,
                                                    bool is_end, size_t limit);

struct GuessedColumn {
  std::string name;
  std::string type;       // as CREATE TABLE takes it
  bool has_null = false;  // in the sample
};

// The character, of , ; | and tab, that divides most records into equally many fields, at least two; a comma if none does.
char guess_delimiter(std::string_view bytes, bool is_end);
// Whether the first record names columns: texts, no two of them equal, none of them a value of another type; one, of row numbers, may be
// empty.
bool has_header(const std::vector<std::vector<CsvField>>& records);

// Types that hold every value of the sample: BOOLEAN, BIGINT, DOUBLE, TIMESTAMP, DATE, UUID, SYMBOL for short strings that
// repeat, else VARCHAR. A column without a value is VARCHAR. Numbers with leading zeros are text: they are codes.
// `records` has no header; `names` says how many columns there are.
std::vector<GuessedColumn> guess_columns(const std::vector<std::string>& names,
                                         const std::vector<std::vector<CsvField>>& records,
                                         const CsvShape& shape);

}  // namespace idem
