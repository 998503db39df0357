#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "query/copy_layout.h"

namespace idem {

// Where the fields of a group of rows are: bytes [start, end) of the text they were found in.
//
// Finds the rows that need no rewriting: as many fields as targets, without escapes; a CSV field may be wholly in
// quotes that hold no quote and no line end. What is not so ends the group before that row, and is left to the
// careful reader. Looks at 64 bytes at a time.
class CopyFields {
 public:
  static constexpr uint32_t kMaxRows = 512;
  static constexpr size_t kSlack = 16;  // bytes that may be read behind the end of each field

  explicit CopyFields(const CopyLayout& layout);

  // Fields of the rows from `at` on; false if not even the first is plain.
  bool find(std::string_view text, size_t at);

  uint32_t rows() const { return rows_; }
  size_t end() const { return end_; }  // of the last row, behind its line end
  uint32_t start(uint32_t row, uint32_t field) const { return starts_[row * fields_ + field] & ~kQuoted; }
  uint32_t size(uint32_t row, uint32_t field) const {
    return ends_[row * fields_ + field] - start(row, field);
  }
  bool is_quoted(uint32_t row, uint32_t field) const {
    return (starts_[row * fields_ + field] & kQuoted) != 0;
  }

 private:
  static constexpr uint32_t kQuoted = uint32_t{1} << 31;

  const bool csv_;
  const char delimiter_, special_;  // special: the quote, or the backslash of the text format
  const uint32_t fields_;
  const bool null_is_backslash_n_;
  std::vector<uint32_t> starts_, ends_;
  uint32_t rows_ = 0;
  size_t end_ = 0;
};

}  // namespace idem
