#pragma once

#include <cstdint>
#include <string_view>

#include "common/element_access.h"

namespace idem {

// The bytes of a text of at most 16 as two numbers, zeros behind them. Texts of one size are equal when, and only when, these are.
// Little endian.
struct TextWords {
  uint64_t low = 0, high = 0;

  explicit TextWords(std::string_view text) {
    const char* p = text.data();
    const size_t size = text.size();
    if (size >= 8) {
      low = load<uint64_t>(p);
      if (size > 8) high = load<uint64_t>(p + size - 8) >> (128 - 8 * size);
    } else if (size >= 4) {
      low = load<uint32_t>(p) | uint64_t{load<uint32_t>(p + size - 4)} << (8 * size - 32);
    } else {
      for (size_t i = 0; i < size; ++i) low |= uint64_t{load<uint8_t>(p + i)} << (8 * i);
    }
  }
};

}  // namespace idem
