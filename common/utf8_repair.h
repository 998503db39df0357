#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace idem {

// The text with U+FFFD for each byte that is none of a character in UTF-8.
std::string utf8_repaired(std::string text);
// The longest beginning of at most so many bytes that ends between two characters.
std::string_view utf8_cut(std::string_view text, size_t most_bytes);

}  // namespace idem
