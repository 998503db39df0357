#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "query/copy_fields.h"
#include "storage/column_batch.h"

namespace idem {

// Converts the fields of a group of rows column by column, straight into the physical form. Keeps what helps with
// the next group: codes of symbols seen, the minute of the last timestamp. One thread.
class CopyColumns {
 public:
  explicit CopyColumns(const CopyLayout& layout);

  // Appends the rows to the batch. False, and the batch as it was, if a value does not convert: which one and why is
  // for the careful reader to say.
  bool append(std::string_view text, const CopyFields& fields, ColumnBatch* batch);

 private:
  // Codes of the symbols met last, of up to 16 bytes, by their bytes; places are buckets of two. So that a few symbols
  // cost a look into the first cache; many are found by the dictionary itself.
  // Devices that report together come in the same order each time: the code after the previous one is tried first while that holds.
  class SymbolCodes {
   public:
    int32_t code_of(const char* p, uint32_t size, SymbolDictionary& dictionary);

   private:
    int32_t look_up(const char* p, uint32_t size, SymbolDictionary& dictionary);

    struct Slot {
      uint64_t low = 0, high = 0;
      uint32_t size = UINT32_MAX;
      int32_t code = 0;
    };
    std::vector<Slot> slots_;
    int32_t previous_ = -1;
    bool in_order_ = false;
  };
  // The first 16 characters of a timestamp, up to the minute, and their value.
  struct Minute {
    uint64_t low = 0, high = 0;
    int64_t micros = 0;
  };

  bool append_column(std::string_view text, const CopyFields& fields, uint32_t field, BatchColumn* column);
  template <class Read>
  bool read_values(std::string_view text, const CopyFields& fields, uint32_t field, BatchColumn* column,
                   const Read& read);
  bool append_strings(std::string_view text, const CopyFields& fields, uint32_t field, BatchColumn* column);
  bool append_generic(std::string_view text, const CopyFields& fields, uint32_t field, BatchColumn* column);
  bool read_timestamp(const char* p, uint32_t size, int64_t* value);
  bool is_null(std::string_view text, const CopyFields& fields, uint32_t row, uint32_t field) const;

  const CopyLayout& layout_;
  std::vector<SymbolCodes> symbols_;  // by target
  Minute minute_;
  std::vector<uint32_t> nulls_;  // rows of the column at hand
  StringArena arena_;
};

}  // namespace idem
