#include "common/bytea.h"

#include <cstdint>

#include "common/ascii.h"
#include "common/error.h"
#include "common/utf8.h"

namespace idem {

namespace {

constexpr std::string_view kHexDigits = "0123456789abcdef";

int checked_hex_value(std::string_view text, size_t at) {
  const int value = hex_digit_value(text[at]);
  if (value < 0) {
    throw sql_error(sqlstate::kInvalidParameterValue, "invalid hexadecimal digit: \"{}\"",
                    text.substr(at, utf8_sequence_length(text[at])));
  }
  return value;
}

void append_from_hex(std::string& out, std::string_view text) {
  for (size_t i = 2; i < text.size();) {
    if (text[i] == ' ' || text[i] == '\n' || text[i] == '\t' || text[i] == '\r') {
      ++i;
      continue;
    }
    const int high = checked_hex_value(text, i);
    if (i + 1 >= text.size()) {
      throw sql_error(sqlstate::kInvalidParameterValue, "invalid hexadecimal data: odd number of digits");
    }
    const int low = checked_hex_value(text, i + 1);
    out.push_back(static_cast<char>(high << 4 | low));
    i += 2;
  }
}

bool is_octal(char c, char highest) { return c >= '0' && c <= highest; }

void append_from_escapes(std::string& out, std::string_view text) {
  for (size_t i = 0; i < text.size();) {
    if (text[i] != '\\') {
      out.push_back(text[i++]);
    } else if (i + 1 < text.size() && text[i + 1] == '\\') {
      out.push_back('\\');
      i += 2;
    } else if (i + 3 < text.size() && is_octal(text[i + 1], '3') && is_octal(text[i + 2], '7') &&
               is_octal(text[i + 3], '7')) {
      out.push_back(
          static_cast<char>((text[i + 1] - '0') << 6 | (text[i + 2] - '0') << 3 | (text[i + 3] - '0')));
      i += 4;
    } else {
      throw sql_error(sqlstate::kInvalidTextRepresentation, "invalid input syntax for type bytea");
    }
  }
}

}  // namespace

void append_bytea_from_text(std::string& out, std::string_view text) {
  if (text.starts_with("\\x")) {
    append_from_hex(out, text);
  } else {
    append_from_escapes(out, text);
  }
}

void append_hex(std::string& out, std::string_view bytes) {
  size_t at = out.size();
  out.resize(at + 2 * bytes.size());
  for (const char c : bytes) {
    const auto byte = static_cast<uint8_t>(c);
    out[at++] = kHexDigits[byte >> 4];
    out[at++] = kHexDigits[byte & 15];
  }
}

void append_bytea_text(std::string& out, std::string_view bytes) {
  out += "\\x";
  append_hex(out, bytes);
}

}  // namespace idem
