#pragma once

#include <string>
#include <string_view>

namespace idem {

// PostgreSQL's text forms of bytes: `\x0aff` (hexadecimal, white space between pairs) or escape (`\\`,
// `\ooo`). Appends the bytes. Throws 22P02 for what is neither, 22023 for a bad hexadecimal digit.
void append_bytea_from_text(std::string& out, std::string_view text);
// Appends `\x` and two digits a byte.
void append_bytea_text(std::string& out, std::string_view bytes);
// Two lower-case digits a byte, no prefix.
void append_hex(std::string& out, std::string_view bytes);

}  // namespace idem
