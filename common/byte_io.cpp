#include "common/byte_io.h"

#include "common/error.h"

namespace idem {

bool ByteReader::boolean() {
  const uint8_t v = u8();
  if (v > 1) fail();
  return v == 1;
}

uint64_t ByteReader::varint() {
  uint64_t v = 0;
  for (int shift = 0; shift < 64; shift += 7) {
    const uint8_t byte = u8();
    if (shift == 63 && byte > 1) fail();
    v |= static_cast<uint64_t>(byte & 0x7f) << shift;
    if (byte < 0x80) return v;
  }
  fail();
}

size_t ByteReader::count(size_t min_bytes_each) {
  const uint64_t n = varint();
  if (min_bytes_each > 0 && n > remaining() / min_bytes_each) fail();
  return n;
}

void ByteReader::fail() const {
  throw sql_error(sqlstate::kDataCorrupted, "{} is truncated or damaged", what_)
      .with_detail(fmt::format("at byte {} of {}", offset_, data_.size()));
}

}  // namespace idem
