#pragma once

#include <array>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/error.h"
#include "common/string_arena.h"
#include "query/copy_columns.h"

namespace idem {

// Why a row does not fit, and where it is: lines count from 1 at the begin of the block.
struct CopyFailure {
  SqlError error;
  uint64_t line = 0;
  std::string where;  // ", column qty: "abc"", or nothing
};

// What a part of COPY data holds.
struct CopyBlock {
  std::unique_ptr<ColumnBatch> rows;
  uint64_t lines = 0;                  // ends of lines in it
  bool ended = false;                  // behind \. or the binary trailer
  std::optional<CopyFailure> failure;  // reading stopped there
  uint64_t rejected = 0;               // rows left out by ON_ERROR ignore or set_null
  std::vector<uint64_t>
      bad_values;  // by field: what did not fit, whether its row was left out or it became NULL; empty: none
  std::vector<CopyFailure> rejects;  // the first of them, as many as REJECT_LIMIT asks for
};

// Reads rows out of COPY data: most by the group (copy_fields.h, copy_columns.h), the others one by one, with every
// rule of the format and PostgreSQL's messages. Used for part after part, by one thread at a time; what it knows of
// one part (codes of symbols, the last date) helps with the next.
class CopyBlockReader {
 public:
  explicit CopyBlockReader(const CopyLayout& layout);

  // Adds the rows of `bytes` to a block; gives the number of bytes taken: all but an incomplete last row, which at the
  // end of the data is an error of the block. `begins`: the bytes are the first, a header may come.
  size_t read(std::string_view bytes, bool begins, bool at_end, CopyBlock* block);

 private:
  using Target = CopyLayout::Target;
  struct Field {
    std::string_view text;
    bool quoted = false, is_null = false;
  };
  union alignas(16) Element {
    std::array<unsigned char, 32> bytes;
  };

  size_t read_lines(bool at_end);
  // The fields of the row that starts at `at`; returns its end (behind the line end) or npos when it is not
  // complete.
  size_t split_csv(size_t at, bool at_end);
  size_t split_text(size_t at, bool at_end);
  void unescape_text(std::string_view raw, Field& field);
  void take_header();
  void take_row();
  void convert(const Target& target, std::string_view text, Element& element);
  size_t read_binary(bool at_end);
  size_t read_binary_header(bool at_end);
  bool read_binary_row(size_t* at);
  void append_converted();
  void reject(SqlError error, size_t target, const Field* field);
  void count_bad_value(size_t target);
  [[noreturn]] void stop(SqlError error, uint64_t line, std::string where = {});

  const CopyLayout& layout_;
  const TableSchema* const schema_;
  CopyFields fields_of_group_;
  CopyColumns columns_;

  std::string_view text_;  // what is being read
  CopyBlock* block_ = nullptr;
  bool header_pending_ = false, binary_header_pending_ = false;
  std::vector<Field> fields_;
  std::vector<Element> elements_;
  std::vector<bool> nulls_;
  std::string scratch_;         // characters of fields with escapes, of one row
  StringArena arena_;           // characters that conversions make, of one row
  uint64_t line_ = 0;           // of the block, of the row at hand
  uint32_t row_lines_ = 1;      // line ends within the row at hand
  uint32_t careful_rows_ = 0;   // rows to read one by one before a group is tried again …
  uint32_t careful_next_ = 1;   // … if that fails
  uint32_t expected_rows_ = 0;  // of a block, after the last one
};

}  // namespace idem
