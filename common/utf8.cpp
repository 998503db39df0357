#include "common/utf8.h"

#include <algorithm>
#include <cstring>
#include <locale.h>
#include <wctype.h>

#include "common/element_access.h"
#include "common/error.h"
#include "common/utf8_repair.h"

namespace idem {

namespace {

constexpr uint64_t kHighBits = 0x8080808080808080ULL;
constexpr uint64_t kLowBits = 0x0101010101010101ULL;

// Bytes of the sequence at p, or 0 if it is not one.
size_t valid_sequence(const unsigned char* p, size_t left) {
  const unsigned char b = p[0];
  if (b < 0x80) return b != 0 ? 1 : 0;
  const auto is_tail = [](unsigned char c) { return (c & 0xc0) == 0x80; };
  if (b >= 0xc2 && b <= 0xdf) return left >= 2 && is_tail(p[1]) ? 2 : 0;
  if (b >= 0xe0 && b <= 0xef) {
    if (left < 3 || !is_tail(p[1]) || !is_tail(p[2])) return 0;
    if ((b == 0xe0 && p[1] < 0xa0) || (b == 0xed && p[1] >= 0xa0)) return 0;
    return 3;
  }
  if (b >= 0xf0 && b <= 0xf4) {
    if (left < 4 || !is_tail(p[1]) || !is_tail(p[2]) || !is_tail(p[3])) return 0;
    if ((b == 0xf0 && p[1] < 0x90) || (b == 0xf4 && p[1] >= 0x90)) return 0;
    return 4;
  }
  return 0;
}

// The offset of the first bad sequence, text.size() if there is none.
size_t find_invalid(std::string_view text) {
  const auto* p = static_cast<const unsigned char*>(static_cast<const void*>(text.data()));
  size_t i = 0;
  while (i < text.size()) {
    while (i + 8 <= text.size()) {
      uint64_t word;
      std::memcpy(&word, p + i, sizeof word);
      if (((word | (word - kLowBits)) & kHighBits) != 0) break;  // a byte above 0x7f, or 0
      i += 8;
    }
    if (i == text.size()) break;
    const size_t length = valid_sequence(p + i, text.size() - i);
    if (length == 0) return i;
    i += length;
  }
  return i;
}

locale_t utf8_locale() {
  static const locale_t kLocale = newlocale(LC_CTYPE_MASK, "C.UTF-8", nullptr);
  return kLocale;
}

template <class Map>
std::string map_characters(std::string_view text, Map map) {
  std::string out;
  out.reserve(text.size());
  for (size_t at = 0; at < text.size();) append_utf8(out, map(utf8_next(text, &at)));
  return out;
}

bool is_ascii(std::string_view text) {
  constexpr size_t kStep = sizeof(uint64_t);
  uint64_t all = 0;
  if (text.size() < kStep) {
    for (const char c : text) all |= static_cast<uint8_t>(c);
    return (all & 0x80) == 0;
  }
  for (size_t at = 0; at + kStep < text.size(); at += kStep) all |= load<uint64_t>(text.data() + at);
  return ((all | load<uint64_t>(text.data() + text.size() - kStep)) & kHighBits) == 0;
}

}  // namespace

bool is_valid_utf8(std::string_view text) { return find_invalid(text) == text.size(); }

void check_utf8(std::string_view text) {
  const size_t at = find_invalid(text);
  if (at == text.size()) return;
  std::string bytes;
  const size_t shown = std::min(utf8_sequence_length(text[at]), text.size() - at);
  for (size_t i = 0; i < shown; ++i) {
    bytes += fmt::format("{}0x{:02x}", i > 0 ? " " : "", static_cast<uint8_t>(text[at + i]));
  }
  throw sql_error(sqlstate::kCharacterNotInRepertoire, "invalid byte sequence for encoding \"UTF8\": {}",
                  bytes);
}

std::string utf8_repaired(std::string text) {
  std::string_view rest = text;
  size_t good = find_invalid(rest);
  if (good == rest.size()) return text;
  std::string repaired;
  for (; good < rest.size(); good = find_invalid(rest)) {
    repaired.append(rest.substr(0, good)).append("\xef\xbf\xbd");
    rest.remove_prefix(good + 1);
  }
  return repaired.append(rest);
}

std::string_view utf8_cut(std::string_view text, size_t most_bytes) {
  if (text.size() <= most_bytes) return text;
  size_t end = most_bytes;
  while (end > 0 && (static_cast<uint8_t>(text[end]) & 0xc0) == 0x80) --end;
  return text.substr(0, end);
}

size_t utf8_length(std::string_view text) {
  if (is_ascii(text)) return text.size();
  size_t tails = 0;
  for (const char c : text) tails += (static_cast<uint8_t>(c) & 0xc0) == 0x80;
  return text.size() - tails;
}

char32_t utf8_next(std::string_view text, size_t* offset) {
  const auto byte = [&](size_t i) { return static_cast<char32_t>(static_cast<uint8_t>(text[*offset + i])); };
  const char32_t first = byte(0);
  const size_t length = utf8_sequence_length(text[*offset]);
  char32_t c = first;
  if (*offset + length > text.size()) {
    *offset = text.size();
    return first;
  }
  if (length == 2) c = (first & 0x1f) << 6 | (byte(1) & 0x3f);
  if (length == 3) c = (first & 0x0f) << 12 | (byte(1) & 0x3f) << 6 | (byte(2) & 0x3f);
  if (length == 4) {
    c = (first & 0x07) << 18 | (byte(1) & 0x3f) << 12 | (byte(2) & 0x3f) << 6 | (byte(3) & 0x3f);
  }
  *offset += length;
  return c;
}

void append_utf8(std::string& out, char32_t c) {
  if (c < 0x80) {
    out.push_back(static_cast<char>(c));
  } else if (c < 0x800) {
    out.push_back(static_cast<char>(0xc0 | c >> 6));
    out.push_back(static_cast<char>(0x80 | (c & 0x3f)));
  } else if (c < 0x10000) {
    out.push_back(static_cast<char>(0xe0 | c >> 12));
    out.push_back(static_cast<char>(0x80 | (c >> 6 & 0x3f)));
    out.push_back(static_cast<char>(0x80 | (c & 0x3f)));
  } else {
    out.push_back(static_cast<char>(0xf0 | c >> 18));
    out.push_back(static_cast<char>(0x80 | (c >> 12 & 0x3f)));
    out.push_back(static_cast<char>(0x80 | (c >> 6 & 0x3f)));
    out.push_back(static_cast<char>(0x80 | (c & 0x3f)));
  }
}

size_t utf8_offset(std::string_view text, size_t characters) {
  if (characters >= text.size()) return text.size();
  size_t at = 0;
  for (; characters > 0 && at < text.size(); --characters) at += utf8_sequence_length(text[at]);
  return std::min(at, text.size());
}

std::string_view utf8_substring(std::string_view text, size_t start, size_t count) {
  text.remove_prefix(utf8_offset(text, start));
  return text.substr(0, utf8_offset(text, count));
}

char32_t upper_code_point(char32_t c) {
  if (c < 0x80) return c >= 'a' && c <= 'z' ? c - 32 : c;
  return static_cast<char32_t>(towupper_l(static_cast<wint_t>(c), utf8_locale()));
}

char32_t lower_code_point(char32_t c) {
  if (c < 0x80) return c >= 'A' && c <= 'Z' ? c + 32 : c;
  return static_cast<char32_t>(towlower_l(static_cast<wint_t>(c), utf8_locale()));
}

bool is_alphanumeric(char32_t c) {
  if (c < 0x80) return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
  return iswalnum_l(static_cast<wint_t>(c), utf8_locale()) != 0;
}

std::string utf8_upper(std::string_view text) {
  if (!is_ascii(text)) return map_characters(text, upper_code_point);
  std::string out(text);
  for (char& c : out) c = static_cast<char>(c - (c >= 'a' && c <= 'z' ? 32 : 0));
  return out;
}

std::string utf8_lower(std::string_view text) {
  if (!is_ascii(text)) return map_characters(text, lower_code_point);
  std::string out(text);
  for (char& c : out) c = static_cast<char>(c + (c >= 'A' && c <= 'Z' ? 32 : 0));
  return out;
}

std::string utf8_initcap(std::string_view text) {
  bool in_word = false;
  return map_characters(text, [&](char32_t c) {
    const char32_t mapped = in_word ? lower_code_point(c) : upper_code_point(c);
    in_word = is_alphanumeric(c);
    return mapped;
  });
}

}  // namespace idem
