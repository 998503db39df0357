#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <string_view>
#if defined(__SSE2__)
#include <emmintrin.h>
#endif

namespace idem {

// Four characters (some may be equal) that are looked for together, many bytes at a time.
class CharacterSet {
 public:
#if defined(__SSE2__)
  CharacterSet(char a, char b, char c, char d)
      : set_{a, b, c, d},
        a_(_mm_set1_epi8(a)),
        b_(_mm_set1_epi8(b)),
        c_(_mm_set1_epi8(c)),
        d_(_mm_set1_epi8(d)) {}
#else
  CharacterSet(char a, char b, char c, char d) : set_{a, b, c, d} {}
#endif

  bool contains(char c) const { return c == set_[0] || c == set_[1] || c == set_[2] || c == set_[3]; }

  // Bit i: byte i behind p is one of them.
  uint64_t find_in_64(const char* p) const {
    return find_in_16(p) | find_in_16(p + 16) << 16 | find_in_16(p + 32) << 32 | find_in_16(p + 48) << 48;
  }
  uint64_t find_in_16(const char* p) const {
#if defined(__SSE2__)
    const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(p));
    const __m128i ab = _mm_or_si128(_mm_cmpeq_epi8(bytes, a_), _mm_cmpeq_epi8(bytes, b_));
    const __m128i cd = _mm_or_si128(_mm_cmpeq_epi8(bytes, c_), _mm_cmpeq_epi8(bytes, d_));
    return static_cast<uint32_t>(_mm_movemask_epi8(_mm_or_si128(ab, cd)));
#else
    uint64_t mask = 0;
    for (size_t i = 0; i < 16; ++i) mask |= uint64_t{contains(p[i])} << i;
    return mask;
#endif
  }

  // The place of the first of them from `at` on, the text's size if there is none.
  size_t find_first(std::string_view text, size_t at) const {
    for (; at + 16 <= text.size(); at += 16) {
      const uint64_t found = find_in_16(text.data() + at);
      if (found != 0) return at + static_cast<size_t>(std::countr_zero(found));
    }
    while (at < text.size() && !contains(text[at])) ++at;
    return at;
  }

 private:
  std::array<char, 4> set_;
#if defined(__SSE2__)
  __m128i a_, b_, c_, d_;
#endif
};

}  // namespace idem
