#include <array>
#include <openssl/evp.h>
#include <openssl/rand.h>

#include "common/bytea.h"
#include "common/error.h"
#include "common/md5.h"
#include "common/utf8.h"
#include "query/function_registry.h"
#include "query/kernel.h"
#include "query/signature_types.h"
#include "query/value_functions.h"

namespace idem {

namespace {

using View = std::string_view;
constexpr View kBase64 = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

void append_digest(std::string& out, View bytes, const EVP_MD* algorithm) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest;
  unsigned int size = 0;
  if (EVP_Digest(bytes.data(), bytes.size(), digest.data(), &size, algorithm, nullptr) != 1) {
    throw SqlError(sqlstate::kInternalError, "could not compute hash");
  }
  out.append(reinterpret_cast<const char*>(digest.data()), size);
}

// Lines of 76 characters, as in MIME.
void append_base64(std::string& out, View bytes) {
  size_t line = 0;
  for (size_t i = 0; i < bytes.size(); i += 3) {
    const size_t n = std::min<size_t>(3, bytes.size() - i);
    uint32_t group = 0;
    for (size_t k = 0; k < 3; ++k) group = group << 8 | (k < n ? static_cast<uint8_t>(bytes[i + k]) : 0);
    for (size_t k = 0; k < 4; ++k) out += k <= n ? kBase64[(group >> (18 - 6 * k)) & 63] : '=';
    line += 4;
    if (line == 76 && i + 3 < bytes.size()) {
      out += '\n';
      line = 0;
    }
  }
}

void append_from_base64(std::string& out, View text) {
  uint32_t group = 0;
  int count = 0;
  int padding = 0;
  for (const char c : text) {
    if (c == ' ' || c == '\t' || c == '\n' || c == '\r') continue;
    uint32_t value = 0;
    if (c == '=') {
      if (padding == 0 && count < 2)
        throw SqlError(sqlstate::kInvalidParameterValue, "unexpected \"=\" while decoding base64 sequence");
      ++padding;
    } else {
      const size_t found = kBase64.find(c);
      if (found == View::npos || 0 < padding) {
        throw sql_error(sqlstate::kInvalidParameterValue,
                        "invalid symbol \"{}\" found while decoding base64 sequence", c);
      }
      value = static_cast<uint32_t>(found);
    }
    group = group << 6 | value;
    if (++count < 4) continue;
    for (int k = 0; k < 3 - padding; ++k) out += static_cast<char>(group >> (16 - 8 * k));
    group = 0;
    count = 0;
  }
  if (count != 0) {
    throw SqlError(sqlstate::kInvalidParameterValue, "invalid base64 end sequence")
        .with_hint("Input data is missing padding, is truncated, or is otherwise corrupted.");
  }
}

void append_escaped(std::string& out, View bytes) {
  for (const char c : bytes) {
    const auto b = static_cast<uint8_t>(c);
    if (c == '\\') {
      out += "\\\\";
    } else if (b == 0 || b >= 0x80) {
      out += fmt::format("\\{:03o}", b);
    } else {
      out += c;
    }
  }
}

void encode(std::string& out, View bytes, View format) {
  const std::string name = utf8_lower(format);
  if (name == "hex") {
    append_hex(out, bytes);
  } else if (name == "base64") {
    append_base64(out, bytes);
  } else if (name == "escape") {
    append_escaped(out, bytes);
  } else {
    throw sql_error(sqlstate::kInvalidParameterValue, "unrecognized encoding: \"{}\"", format);
  }
}

void decode(std::string& out, View text, View format) {
  const std::string name = utf8_lower(format);
  if (name == "hex") {
    append_bytea_from_text(out, "\\x" + std::string(text));
  } else if (name == "base64") {
    append_from_base64(out, text);
  } else if (name == "escape") {
    append_bytea_from_text(out, text.starts_with("\\x") ? "\\" + std::string(text) : std::string(text));
  } else {
    throw sql_error(sqlstate::kInvalidParameterValue, "unrecognized encoding: \"{}\"", format);
  }
}

enum class Encoding : uint8_t { kUtf8, kLatin1, kAscii };

Encoding encoding_of(View name) {
  std::string plain;
  for (const char c : utf8_lower(name)) {
    if (c != '-' && c != '_' && c != ' ') plain += c;
  }
  if (plain == "utf8" || plain == "unicode") return Encoding::kUtf8;
  if (plain == "latin1" || plain == "iso88591") return Encoding::kLatin1;
  if (plain == "sqlascii") return Encoding::kAscii;
  throw sql_error(sqlstate::kInvalidParameterValue, "invalid encoding name \"{}\"", name);
}

void convert_from(std::string& out, View bytes, View name) {
  if (encoding_of(name) == Encoding::kLatin1) {
    for (const char c : bytes) append_utf8(out, static_cast<uint8_t>(c));
    return;
  }
  check_utf8(bytes);
  out += bytes;
}

void convert_to(std::string& out, View text, View name) {
  if (encoding_of(name) != Encoding::kLatin1) {
    out += text;
    return;
  }
  for (size_t at = 0; at < text.size();) {
    const char32_t c = utf8_next(text, &at);
    if (0xff < c) {
      throw SqlError(sqlstate::kCharacterNotInRepertoire,
                     "character in encoding \"UTF8\" has no equivalent in encoding \"LATIN1\"");
    }
    out += static_cast<char>(c);
  }
}

Uuid random_uuid() {
  Uuid uuid;
  if (RAND_bytes(uuid.bytes.data(), static_cast<int>(uuid.bytes.size())) != 1) {
    throw SqlError(sqlstate::kInternalError, "could not generate random values");
  }
  uuid.bytes[6] = static_cast<uint8_t>((uuid.bytes[6] & 0x0f) | 0x40);
  uuid.bytes[8] = static_cast<uint8_t>((uuid.bytes[8] & 0x3f) | 0x80);
  return uuid;
}

}  // namespace

void register_encoding_functions(FunctionRegistry& r) {
  register_bytea_functions(r);
  for (const SqlType type : {kText, kBytea}) {
    r.add("md5", {type}, kText, row_kernel<[](View b) { return md5_hex(b); }>);
  }
  r.add("sha224", {kBytea}, kBytea,
        row_kernel<[](std::string& out, View b) { append_digest(out, b, EVP_sha224()); }>);
  r.add("sha256", {kBytea}, kBytea,
        row_kernel<[](std::string& out, View b) { append_digest(out, b, EVP_sha256()); }>);
  r.add("sha384", {kBytea}, kBytea,
        row_kernel<[](std::string& out, View b) { append_digest(out, b, EVP_sha384()); }>);
  r.add("sha512", {kBytea}, kBytea,
        row_kernel<[](std::string& out, View b) { append_digest(out, b, EVP_sha512()); }>);
  r.add("encode", {kBytea, kText}, kText,
        row_kernel<[](std::string& out, View b, View f) { encode(out, b, f); }>);
  r.add("decode", {kText, kText}, kBytea,
        row_kernel<[](std::string& out, View t, View f) { decode(out, t, f); }>);
  r.add("convert_from", {kBytea, kText}, kText,
        row_kernel<[](std::string& out, View b, View n) { convert_from(out, b, n); }>);
  r.add("convert_to", {kText, kText}, kBytea,
        row_kernel<[](std::string& out, View t, View n) { convert_to(out, t, n); }>);
  for (const View name : {"gen_random_uuid", "uuid_generate_v4"}) {
    r.add(name, {}, TypeId::kUuid, row_kernel<[](KernelCall&) { return random_uuid(); }>,
          Volatility::kVolatile);
  }
  // QuestDB's names.
  r.add("rnd_uuid4", {}, TypeId::kUuid, row_kernel<[](KernelCall&) { return random_uuid(); }>,
        Volatility::kVolatile);
}

}  // namespace idem
