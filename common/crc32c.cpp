#include "common/crc32c.h"

#include <array>
#include <bit>
#include <cstring>

#if defined(__x86_64__)
#include <nmmintrin.h>
#endif

namespace idem {

namespace {

constexpr uint32_t kPolynomial = 0x82f63b78;  // reflected

using Table = std::array<uint32_t, 256>;

constexpr std::array<Table, 8> make_slicing_tables() {
  std::array<Table, 8> tables{};
  for (uint32_t byte = 0; byte < 256; ++byte) {
    uint32_t crc = byte;
    for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1) ^ ((crc & 1) != 0 ? kPolynomial : 0);
    tables[0][byte] = crc;
  }
  for (size_t slice = 1; slice < 8; ++slice) {
    for (size_t byte = 0; byte < 256; ++byte) {
      const uint32_t before = tables[slice - 1][byte];
      tables[slice][byte] = (before >> 8) ^ tables[0][before & 0xff];
    }
  }
  return tables;
}

constexpr std::array<Table, 8> kSlices = make_slicing_tables();

uint64_t load_u64(const unsigned char* p) {
  uint64_t word;
  std::memcpy(&word, p, sizeof word);
  return word;
}

uint32_t update_from_tables(uint32_t crc, const unsigned char* p, size_t size) {
  static_assert(std::endian::native == std::endian::little);
  for (; size >= 8; p += 8, size -= 8) {
    const uint64_t word = load_u64(p) ^ crc;
    crc = 0;
    for (size_t i = 0; i < 8; ++i) crc ^= kSlices[7 - i][(word >> (8 * i)) & 0xff];
  }
  for (; size > 0; ++p, --size) crc = (crc >> 8) ^ kSlices[0][(crc ^ *p) & 0xff];
  return crc;
}

#if defined(__x86_64__)

// The instruction takes three cycles but one can start in each, so three streams of kStream bytes run side by
// side. Their results are joined by moving one past the kStream bytes behind it: a linear map, kept as four
// tables.
constexpr size_t kStream = 1024;

constexpr std::array<Table, 4> make_shift_tables() {
  std::array<uint32_t, 32> basis{};
  for (uint32_t bit = 0; bit < 32; ++bit) {
    uint32_t crc = uint32_t{1} << bit;
    for (size_t i = 0; i < kStream; ++i) crc = (crc >> 8) ^ kSlices[0][crc & 0xff];
    basis[bit] = crc;
  }
  std::array<Table, 4> tables{};
  for (uint32_t part = 0; part < 4; ++part) {
    for (uint32_t byte = 0; byte < 256; ++byte) {
      uint32_t crc = 0;
      for (uint32_t bit = 0; bit < 8; ++bit) {
        if (((byte >> bit) & 1) != 0) crc ^= basis[part * 8 + bit];
      }
      tables[part][byte] = crc;
    }
  }
  return tables;
}

constexpr std::array<Table, 4> kShift = make_shift_tables();

uint32_t shift_past_stream(uint32_t crc) {
  return kShift[0][crc & 0xff] ^ kShift[1][(crc >> 8) & 0xff] ^ kShift[2][(crc >> 16) & 0xff] ^
         kShift[3][crc >> 24];
}

__attribute__((target("sse4.2"))) uint32_t update_in_hardware(uint32_t crc, const unsigned char* p,
                                                              size_t size) {
  while (size >= 3 * kStream) {
    uint64_t a = crc;
    uint64_t b = 0;
    uint64_t c = 0;
    for (size_t i = 0; i < kStream; i += 8) {
      a = _mm_crc32_u64(a, load_u64(p + i));
      b = _mm_crc32_u64(b, load_u64(p + kStream + i));
      c = _mm_crc32_u64(c, load_u64(p + 2 * kStream + i));
    }
    crc = shift_past_stream(static_cast<uint32_t>(a)) ^ static_cast<uint32_t>(b);
    crc = shift_past_stream(crc) ^ static_cast<uint32_t>(c);
    p += 3 * kStream;
    size -= 3 * kStream;
  }
  uint64_t state = crc;
  for (; size >= 8; p += 8, size -= 8) state = _mm_crc32_u64(state, load_u64(p));
  crc = static_cast<uint32_t>(state);
  for (; size > 0; ++p, --size) crc = _mm_crc32_u8(crc, *p);
  return crc;
}

#endif

}  // namespace

uint32_t crc32c_portable(const void* data, size_t size, uint32_t seed) {
  return ~update_from_tables(~seed, static_cast<const unsigned char*>(data), size);
}

uint32_t crc32c(const void* data, size_t size, uint32_t seed) {
#if defined(__x86_64__)
  if (__builtin_cpu_supports("sse4.2")) {
    return ~update_in_hardware(~seed, static_cast<const unsigned char*>(data), size);
  }
#endif
  return crc32c_portable(data, size, seed);
}

}  // namespace idem
