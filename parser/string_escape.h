#pragma once

#include <string>
#include <string_view>

namespace idem::parser {

// 'a''b' or 'a' newline 'b', quotes included: the text inside.
std::string join_quoted_parts(std::string_view source);

// The same of E'…' (without the E): \n, \t, \\, \', \ooo, \xhh, \uXXXX, \UXXXXXXXX. Throws SqlError 22025 for
// a malformed Unicode escape, 22021 for text that is no UTF-8 afterwards.
std::string decode_backslash_escapes(std::string_view source);

// \XXXX and \+XXXXXX of U&'…' in a text whose quotes are resolved. Throws SqlError 22025.
std::string decode_unicode_escapes(std::string_view text);

}  // namespace idem::parser
