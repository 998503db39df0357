#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace idem {

// Whether the bytes are UTF-8 as PostgreSQL accepts it: no overlong forms, surrogates, or NUL bytes.
bool is_valid_utf8(std::string_view text);
// Throws 22021 naming the first bad byte sequence.
void check_utf8(std::string_view text);

// The functions below expect valid UTF-8.

size_t utf8_length(std::string_view text);  // in characters
inline size_t utf8_sequence_length(char first_byte) {
  const auto b = static_cast<uint8_t>(first_byte);
  return b < 0x80 ? 1 : b < 0xe0 ? 2 : b < 0xf0 ? 3 : 4;
}
// The code point at `*offset`, which is moved behind it. `*offset` must be below text.size().
char32_t utf8_next(std::string_view text, size_t* offset);
void append_utf8(std::string& out, char32_t code_point);
// The byte offset of character number `characters` (from 0), text.size() if there are fewer.
size_t utf8_offset(std::string_view text, size_t characters);
// Characters [start, start + count), counted from 0, as far as there are such.
std::string_view utf8_substring(std::string_view text, size_t start, size_t count);

// Simple case mapping, character by character, independent of the process's locale.
std::string utf8_upper(std::string_view text);
std::string utf8_lower(std::string_view text);
std::string utf8_initcap(std::string_view text);  // words are runs of letters and digits
char32_t upper_code_point(char32_t c);
char32_t lower_code_point(char32_t c);
bool is_alphanumeric(char32_t c);

}  // namespace idem
