#pragma once

#include <array>
#include <cstdint>
#include <string>

#include "common/byte_io.h"
#include "storage/vector.h"

namespace idem {

// Which rows of an encoded vector are not NULL (docs/format/segment.md, "Vector").

using ValidityWords = std::array<uint64_t, kVectorSize / 64>;

// Appends the byte that names the form and what follows it: nothing, a bitmap, or runs where these are
// shorter. `validity` null means no NULLs.
void encode_validity(const uint64_t* validity, uint32_t count, std::string* out);

// Returns the number of NULLs; writes `words` only if there are any, with bits beyond `count` clear. Throws
// XX001.
uint32_t decode_validity(ByteReader& in, uint32_t count, ValidityWords* words);

uint32_t count_nulls(const uint64_t* validity, uint32_t count);  // 0 for null

// Sets the elements of NULL rows.
template <class T>
void fill_nulls(const uint64_t* validity, uint32_t count, T value, T* elements) {
  for (uint32_t first = 0; first < count; first += 64) {
    uint64_t missing = ~validity[first / 64];
    if (count - first < 64) missing &= (uint64_t{1} << (count - first)) - 1;
    for (; missing != 0; missing &= missing - 1) {
      elements[first + static_cast<uint32_t>(__builtin_ctzll(missing))] = value;
    }
  }
}

}  // namespace idem
