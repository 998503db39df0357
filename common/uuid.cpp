#include "common/uuid.h"

#include "common/ascii.h"
#include "common/bytea.h"
#include "common/error.h"

namespace idem {

namespace {

constexpr std::string_view kHexDigits = "0123456789abcdef";

}  // namespace

bool parse_uuid(std::string_view text, Uuid* uuid) {
  if (!text.empty() && text.front() == '{') {
    if (text.back() != '}') return false;
    text = text.substr(1, text.size() - 2);
  }
  size_t at = 0;
  for (size_t i = 0; i < 16; ++i) {
    if (at + 2 > text.size()) return false;
    const int high = hex_digit_value(text[at]);
    const int low = hex_digit_value(text[at + 1]);
    if ((high | low) < 0) return false;
    uuid->bytes[i] = static_cast<uint8_t>(high << 4 | low);
    at += 2;
    if (i % 2 == 1 && i < 15 && at < text.size() && text[at] == '-') ++at;
  }
  return at == text.size();
}

Uuid uuid_from_text(std::string_view text) {
  Uuid uuid;
  if (!parse_uuid(text, &uuid)) {
    throw sql_error(sqlstate::kInvalidTextRepresentation, "invalid input syntax for type uuid: \"{}\"", text);
  }
  return uuid;
}

char* format_uuid(char* out, const Uuid& uuid) {
  for (size_t i = 0; i < 16; ++i) {
    if (i == 4 || i == 6 || i == 8 || i == 10) *out++ = '-';
    *out++ = kHexDigits[uuid.bytes[i] >> 4];
    *out++ = kHexDigits[uuid.bytes[i] & 15];
  }
  return out;
}

}  // namespace idem
