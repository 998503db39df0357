#pragma once

#include <cstdint>
#include <string_view>

#include "common/text_words.h"

namespace idem {

// A key of bytes in 16 bytes: short ones in place, others with their first bytes here and the whole elsewhere.
//
//   byte   0      1 …                      8 …
//          size   the bytes, then zeros                at most 15
//          255    first three │ size, 4    address, 8
//
// Two keys are compared by their first half mostly. Little endian.
class ByteKey {
 public:
  ByteKey() = default;
  // `bytes` stay where they are as long as the key is used, or until with_address().
  explicit ByteKey(std::string_view bytes) {
    const size_t size = bytes.size();
    const char* p = bytes.data();
    if (size > kMostInPlace) {
      head_ = kElsewhere | uint64_t{load<uint16_t>(p)} << 8 | uint64_t{static_cast<uint8_t>(p[2])} << 24 |
              uint64_t{size} << 32;
      tail_ = reinterpret_cast<uint64_t>(p);
      return;
    }
    const auto [low, high] = TextWords(bytes);
    head_ = size | low << 8;
    tail_ = low >> 56 | high << 8;
  }
  // Equal to itself only.
  static ByteKey null() {
    ByteKey key;
    key.head_ = kNull;
    return key;
  }

  bool is_in_place() const { return (head_ & 0xff) != kElsewhere; }
  // Of a key that is not in place.
  std::string_view bytes() const { return {reinterpret_cast<const char*>(tail_), head_ >> 32}; }
  // The same with its bytes at another place.
  ByteKey with_address(const char* bytes) const {
    ByteKey key = *this;
    key.tail_ = reinterpret_cast<uint64_t>(bytes);
    return key;
  }
  // What a comparison reads beside the key itself.
  const void* compared_bytes() const { return is_in_place() ? this : reinterpret_cast<const void*>(tail_); }

  friend bool operator==(const ByteKey& a, const ByteKey& b) {
    if (a.head_ != b.head_) return false;
    return a.tail_ == b.tail_ || (!a.is_in_place() && a.bytes() == b.bytes());
  }

 private:
  static constexpr size_t kMostInPlace = 15;
  static constexpr uint64_t kElsewhere = 255, kNull = 254;
  uint64_t head_ = 0, tail_ = 0;
};

}  // namespace idem
