#include "parser/string_escape.h"

#include <cstdint>
#include <optional>

#include "common/ascii.h"
#include "common/error.h"

namespace idem::parser {
namespace {

void append_utf8(std::string& out, uint32_t code) {
  const auto put = [&out](uint32_t byte) { out.push_back(static_cast<char>(byte)); };
  if (code < 0x80) {
    put(code);
  } else if (code < 0x800) {
    put(0xc0 | code >> 6);
    put(0x80 | (code & 0x3f));
  } else if (code < 0x10000) {
    put(0xe0 | code >> 12);
    put(0x80 | (code >> 6 & 0x3f));
    put(0x80 | (code & 0x3f));
  } else {
    put(0xf0 | code >> 18);
    put(0x80 | (code >> 12 & 0x3f));
    put(0x80 | (code >> 6 & 0x3f));
    put(0x80 | (code & 0x3f));
  }
}

bool is_valid_utf8(std::string_view text) {
  for (size_t i = 0; i < text.size();) {
    const auto lead = static_cast<uint8_t>(text[i]);
    const size_t length = lead < 0x80   ? 1
                          : lead < 0xc2 ? 0
                          : lead < 0xe0 ? 2
                          : lead < 0xf0 ? 3
                          : lead < 0xf5 ? 4
                                        : 0;
    if (length == 0 || i + length > text.size()) return false;
    for (size_t k = 1; k < length; ++k) {
      const auto byte = static_cast<uint8_t>(text[i + k]);
      const uint8_t low = k > 1 ? 0x80 : lead == 0xe0 ? 0xa0 : lead == 0xf0 ? 0x90 : 0x80;
      const uint8_t high = k > 1 ? 0xbf : lead == 0xed ? 0x9f : lead == 0xf4 ? 0x8f : 0xbf;
      if (byte < low || byte > high) return false;
    }
    i += length;
  }
  return true;
}

std::optional<uint32_t> read_hex(std::string_view text, size_t begin, size_t digits) {
  if (begin + digits > text.size()) return std::nullopt;
  uint32_t value = 0;
  for (size_t i = 0; i < digits; ++i) {
    const int digit = hex_digit_value(text[begin + i]);
    if (digit < 0) return std::nullopt;
    value = value << 4 | static_cast<uint32_t>(digit);
  }
  return value;
}

bool is_high_surrogate(uint32_t code) { return code >= 0xd800 && code <= 0xdbff; }
bool is_low_surrogate(uint32_t code) { return code >= 0xdc00 && code <= 0xdfff; }

// Joins surrogate pairs that come as two escapes.
class UnicodeSink {
 public:
  explicit UnicodeSink(std::string& out) : out_(out) {}

  void put(uint32_t code) {
    if (high_ != 0) {
      if (!is_low_surrogate(code))
        throw sql_error(sqlstate::kInvalidEscapeSequence, "invalid Unicode surrogate pair");
      append_utf8(out_, 0x10000 + ((high_ - 0xd800) << 10) + (code - 0xdc00));
      high_ = 0;
    } else if (is_high_surrogate(code)) {
      high_ = code;
    } else if (is_low_surrogate(code)) {
      throw sql_error(sqlstate::kInvalidEscapeSequence, "invalid Unicode surrogate pair");
    } else if (code == 0 || code > 0x10ffff) {
      throw sql_error(sqlstate::kInvalidEscapeSequence, "invalid Unicode escape value");
    } else {
      append_utf8(out_, code);
    }
  }
  void expect_no_pair() const {
    if (high_ != 0) throw sql_error(sqlstate::kInvalidEscapeSequence, "invalid Unicode surrogate pair");
  }

 private:
  std::string& out_;
  uint32_t high_ = 0;
};

uint32_t octal_escape(std::string_view source, size_t* i) {
  uint32_t value = 0;
  for (size_t digits = 0; digits < 3 && *i < source.size() && source[*i] >= '0' && source[*i] <= '7';
       ++digits) {
    value = value << 3 | static_cast<uint32_t>(source[(*i)++] - '0');
  }
  return value & 0xff;
}

}  // namespace

std::string join_quoted_parts(std::string_view source) {
  const std::string_view inside = source.substr(1, source.size() - 2);
  if (inside.find('\'') == std::string_view::npos) return std::string(inside);
  std::string result;
  result.reserve(inside.size());
  for (size_t i = 0; i < inside.size(); ++i) {
    if (inside[i] != '\'') {
      result.push_back(inside[i]);
    } else if (inside[i + 1] == '\'') {
      result.push_back('\'');
      ++i;
    } else {
      i = inside.find('\'', i + 1);  // the next part's opening quote
    }
  }
  return result;
}

std::string decode_backslash_escapes(std::string_view source) {
  std::string result;
  result.reserve(source.size());
  UnicodeSink unicode(result);
  bool high_bytes = false;
  for (size_t i = 1; i + 1 < source.size();) {
    const char c = source[i++];
    if (c == '\'') {
      unicode.expect_no_pair();
      if (source[i] == '\'') {
        result.push_back('\'');
        ++i;
      } else {
        i = source.find('\'', i) + 1;
      }
      continue;
    }
    if (c != '\\') {
      unicode.expect_no_pair();
      result.push_back(c);
      continue;
    }
    const char escape = source[i++];
    if (escape == 'u' || escape == 'U') {
      const size_t digits = escape == 'u' ? 4 : 8;
      const std::optional<uint32_t> code = read_hex(source, i, digits);
      if (!code) {
        throw sql_error(sqlstate::kInvalidEscapeSequence, "invalid Unicode escape")
            .with_hint("Unicode escapes must be \\uXXXX or \\UXXXXXXXX.");
      }
      unicode.put(*code);
      i += digits;
      continue;
    }
    unicode.expect_no_pair();
    switch (escape) {
      case 'b': result.push_back('\b'); break;
      case 'f': result.push_back('\f'); break;
      case 'n': result.push_back('\n'); break;
      case 'r': result.push_back('\r'); break;
      case 't': result.push_back('\t'); break;
      case 'x': {
        if (hex_digit_value(source[i]) < 0) {
          result.push_back('x');
          break;
        }
        auto value = static_cast<uint32_t>(hex_digit_value(source[i++]));
        if (hex_digit_value(source[i]) >= 0)
          value = value << 4 | static_cast<uint32_t>(hex_digit_value(source[i++]));
        result.push_back(static_cast<char>(value));
        high_bytes = true;
        break;
      }
      default:
        if (escape >= '0' && escape <= '7') {
          --i;
          result.push_back(static_cast<char>(octal_escape(source, &i)));
          high_bytes = true;
        } else {
          result.push_back(escape);
        }
    }
  }
  unicode.expect_no_pair();
  if (high_bytes && (result.find('\0') != std::string::npos || !is_valid_utf8(result))) {
    throw sql_error(sqlstate::kCharacterNotInRepertoire, "invalid byte sequence for encoding \"UTF8\"");
  }
  return result;
}

std::string decode_unicode_escapes(std::string_view text) {
  std::string result;
  result.reserve(text.size());
  UnicodeSink unicode(result);
  for (size_t i = 0; i < text.size();) {
    if (text[i] != '\\') {
      unicode.expect_no_pair();
      result.push_back(text[i++]);
    } else if (i + 1 < text.size() && text[i + 1] == '\\') {
      unicode.expect_no_pair();
      result.push_back('\\');
      i += 2;
    } else {
      const bool plus = i + 1 < text.size() && text[i + 1] == '+';
      const size_t begin = i + (plus ? 2 : 1);
      const size_t digits = plus ? 6 : 4;
      const std::optional<uint32_t> code = read_hex(text, begin, digits);
      if (!code) {
        throw sql_error(sqlstate::kInvalidEscapeSequence, "invalid Unicode escape")
            .with_hint("Unicode escapes must be \\XXXX or \\+XXXXXX.");
      }
      unicode.put(*code);
      i = begin + digits;
    }
  }
  unicode.expect_no_pair();
  return result;
}

}  // namespace idem::parser
