#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace idem::test {

// Integers as on the wire.
inline std::string be16(int v) { return {static_cast<char>(v >> 8), static_cast<char>(v)}; }
inline std::string be32(int64_t v) {
  return {static_cast<char>(v >> 24), static_cast<char>(v >> 16), static_cast<char>(v >> 8),
          static_cast<char>(v)};
}
inline std::string be64(uint64_t v) {
  return be32(static_cast<int64_t>(v >> 32)) + be32(static_cast<int64_t>(v & 0xffffffff));
}
// A string with its NUL.
inline std::string z(std::string_view text) { return std::string(text) + '\0'; }
// A value with its length.
inline std::string sized(std::string_view value) {
  return be32(static_cast<int64_t>(value.size())) + std::string(value);
}
// A message with type and length; type 0: a start-up packet.
inline std::string message(char type, std::string_view body) {
  std::string bytes;
  if (type != 0) bytes += type;
  return bytes + be32(static_cast<int64_t>(body.size() + 4)) + std::string(body);
}

}  // namespace idem::test
