#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <string_view>

namespace idem {

// 16 bytes, most significant first; ordered as PostgreSQL does (bytewise).
struct Uuid {
  std::array<uint8_t, 16> bytes{};
  constexpr auto operator<=>(const Uuid&) const = default;
};

inline constexpr size_t kUuidTextSize = 36;

// Every form that PostgreSQL reads: 8-4-4-4-12 digits, upper or lower case, hyphens after any group of four,
// braces around it. False if it is none.
bool parse_uuid(std::string_view text, Uuid* uuid);
// Throws 22P02.
Uuid uuid_from_text(std::string_view text);
// Writes 36 characters and returns their end.
char* format_uuid(char* out, const Uuid& uuid);

}  // namespace idem
