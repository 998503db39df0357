#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace idem {

// A number of bytes as settings give it: digits, blanks and a unit if any, B, kB, MB or GB, each 1024 of the one before. Null where it
// is none, or more than 64 bits hold.
std::optional<uint64_t> parse_byte_size(std::string_view text);
// In the largest unit of which it is a whole number; "0".
std::string byte_size_text(uint64_t bytes);

}  // namespace idem
