#pragma once

#include <array>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "common/error.h"
#include "common/string_arena.h"
#include "common/value_text.h"
#include "query/copy_format.h"
#include "storage/column_batch.h"

namespace idem {

// Turns the bytes of COPY FROM into column batches.
//
// Bytes come in pieces of any size. A row that does not fit is an error with PostgreSQL's text and the context
// "COPY t, line 3, column qty: "abc"" (or is left out and counted, with ON_ERROR ignore). Each value is converted straight into the
// physical form of its column: no intermediate row of strings.
class CopyReader {
 public:
  // `targets`: the table's columns in the order of the data. `defaults`: values of the columns that the data lack, by table column.
  // `sink` takes full batches.
  CopyReader(const CopyFormat& format, std::shared_ptr<const TableSchema> schema, std::vector<uint32_t> targets,
             std::vector<Value> defaults, const TextOptions& text, std::function<void(ColumnBatch&&)> sink);

  void feed(std::string_view bytes);
  void finish();                       // 22P04 if the data end in the middle of a row

  uint64_t rows() const { return rows_; }
  uint64_t rejected() const { return rejected_; }

 private:
  enum class Conversion : uint8_t { kInt16, kInt32, kInt64, kFloat, kDouble, kTimestamp, kDate, kString, kGeneric };
  struct Target {
    uint32_t column = 0;
    SqlType type;                      // VARCHAR for symbols
    Conversion conversion = Conversion::kGeneric;
    bool force_null = false, force_not_null = false;
  };
  struct Field {
    std::string_view text;
    bool quoted = false, is_null = false;
  };
  union alignas(16) Element {
    std::array<unsigned char, 32> bytes;
  };

  void parse_lines(bool at_end);
  // The fields of the row that starts at `at`; returns its end (behind the line end) or npos when it is not complete.
  size_t split_csv(size_t at, bool at_end);
  size_t split_text(size_t at, bool at_end);
  void unescape_text(std::string_view raw, Field& field);
  void take_header();
  void take_row();
  void convert(const Target& target, std::string_view text, Element& element);
  void parse_binary_rows(bool at_end);
  void append_converted();
  void fail(SqlError error, size_t target, const Field* field);
  void hand_over();

  CopyFormat format_;
  std::shared_ptr<const TableSchema> schema_;
  std::vector<Target> targets_;
  std::vector<std::pair<uint32_t, Value>> defaults_;
  TextOptions text_;
  std::function<void(ColumnBatch&&)> sink_;

  std::string buffer_;                 // bytes of rows not yet complete
  std::vector<Field> fields_;
  std::vector<Element> elements_;
  std::vector<bool> nulls_;
  std::string scratch_;                // characters of fields with escapes, of one row
  StringArena arena_;                  // characters that conversions make, of one row
  std::unique_ptr<ColumnBatch> batch_;
  bool header_done_ = false, ended_ = false, binary_header_done_ = false;
  uint64_t line_ = 0, rows_ = 0, rejected_ = 0;
  uint32_t row_lines_ = 1;             // line ends within the current row
};

}  // namespace idem
