#pragma once

#include <array>
#include <string>
#include <vector>

#include "common/decimal.h"
#include "common/uuid.h"
#include "query/row_sorter.h"

namespace idem {

// The last of the first N rows that a thread has met so far: rows that come later and are not before it in the order are not wanted. Of
// one thread; SortThreshold, of one number, is for all of them and for the scan below.
class TopBound {
 public:
  explicit TopBound(const std::vector<SortColumn>& columns);

  // The row is the bound from now on; `rows` is sealed.
  void set(const RowStore& rows, uint32_t id);
  // Rows that are before the bound, or may be: their positions go to `out`, which is not the memory of `rows`. All, if there is no bound.
  uint32_t select(const DataChunk& chunk, Selection rows, uint16_t* out);

 private:
  enum class Kind : uint8_t { kNumber, kNumeric, kIdentifier, kCharacters };
  struct Key {
    SortColumn order;
    Kind kind = Kind::kNumber;
    bool is_null = false;
    uint64_t bits = 0;  // ordered_bits() of a number
    Decimal decimal{};
    Uuid uuid{};
    std::string text;
  };
  // Rows whose value is before the key's are to be kept, those with an equal one stay in `ties_`.
  void divide(const Key& key, const Vector& values);
  template <class Compare>
  void divide_by(const Key& key, const Vector& values, Compare&& compare);

  std::vector<Key> keys_;  // of the leading columns whose types have a Kind
  bool is_set_ = false;
  bool decides_ties_ = true;  // all columns have a Kind
  std::array<uint8_t, kVectorSize> is_kept_;
  std::array<uint16_t, kVectorSize> ties_;
  uint32_t tie_count_ = 0;
};

}  // namespace idem
