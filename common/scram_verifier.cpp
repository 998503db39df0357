#include "common/scram_verifier.h"

#include <charconv>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>
#include <openssl/sha.h>

#include "common/error.h"

namespace idem {

namespace {

constexpr std::string_view kPrefix = "SCRAM-SHA-256$";
constexpr size_t kSaltBytes = 16;

const unsigned char* bytes_of(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

std::string_view view_of(const ScramVerifier::Key& key) {
  return {reinterpret_cast<const char*>(key.data()), key.size()};
}

std::optional<ScramVerifier::Key> key_from_base64(std::string_view text) {
  auto raw = base64_decode(text);
  ScramVerifier::Key key;
  if (!raw || raw->size() != key.size()) return std::nullopt;
  std::copy(raw->begin(), raw->end(), key.begin());
  return key;
}

}  // namespace

ScramVerifier::Key hmac_sha256(std::string_view key, std::string_view text) {
  ScramVerifier::Key out;
  unsigned length = 0;
  if (!HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()), bytes_of(text), text.size(), out.data(),
            &length)) {
    throw sql_error(sqlstate::kInternalError, "could not compute HMAC-SHA-256");
  }
  return out;
}

ScramVerifier::Key sha256(std::string_view text) {
  ScramVerifier::Key out;
  SHA256(bytes_of(text), text.size(), out.data());
  return out;
}

std::string base64_encode(std::string_view bytes) {
  std::string out(4 * ((bytes.size() + 2) / 3) + 1, '\0');
  int length = EVP_EncodeBlock(reinterpret_cast<unsigned char*>(out.data()), bytes_of(bytes),
                               static_cast<int>(bytes.size()));
  out.resize(static_cast<size_t>(length));
  return out;
}

std::optional<std::string> base64_decode(std::string_view text) {
  if (text.size() % 4 != 0) return std::nullopt;
  std::string out(text.size() / 4 * 3 + 1, '\0');
  int length = EVP_DecodeBlock(reinterpret_cast<unsigned char*>(out.data()), bytes_of(text),
                               static_cast<int>(text.size()));
  if (length < 0) return std::nullopt;
  size_t padding = text.ends_with("==") ? 2 : text.ends_with('=') ? 1 : 0;
  out.resize(static_cast<size_t>(length) - padding);
  return out;
}

std::string random_bytes(size_t count) {
  std::string out(count, '\0');
  if (RAND_bytes(reinterpret_cast<unsigned char*>(out.data()), static_cast<int>(count)) != 1) {
    throw sql_error(sqlstate::kInternalError, "the system's random generator failed");
  }
  return out;
}

ScramVerifier ScramVerifier::from_password(std::string_view password) {
  ScramVerifier v;
  v.salt = random_bytes(kSaltBytes);
  v.derive_keys(password);
  return v;
}

void ScramVerifier::derive_keys(std::string_view password) {
  Key salted;
  if (PKCS5_PBKDF2_HMAC(password.data(), static_cast<int>(password.size()), bytes_of(salt),
                        static_cast<int>(salt.size()), static_cast<int>(iterations), EVP_sha256(),
                        static_cast<int>(salted.size()), salted.data()) != 1) {
    throw sql_error(sqlstate::kInternalError, "could not derive a key from the password");
  }
  stored_key = sha256(view_of(hmac_sha256(view_of(salted), "Client Key")));
  server_key = hmac_sha256(view_of(salted), "Server Key");
  OPENSSL_cleanse(salted.data(), salted.size());
}

bool ScramVerifier::matches(std::string_view password) const {
  ScramVerifier other;
  other.iterations = iterations;
  other.salt = salt;
  other.derive_keys(password);
  return CRYPTO_memcmp(other.stored_key.data(), stored_key.data(), stored_key.size()) == 0;
}

std::optional<ScramVerifier> ScramVerifier::from_text(std::string_view text) {
  if (!text.starts_with(kPrefix)) return std::nullopt;
  text.remove_prefix(kPrefix.size());
  size_t colon = text.find(':'), dollar = text.find('$'), last = text.rfind(':');
  if (colon == text.npos || dollar == text.npos || colon > dollar || last < dollar) return std::nullopt;
  ScramVerifier v;
  auto [end, error] = std::from_chars(text.data(), text.data() + colon, v.iterations);
  if (error != std::errc() || end != text.data() + colon || v.iterations == 0) return std::nullopt;
  auto salt = base64_decode(text.substr(colon + 1, dollar - colon - 1));
  auto stored = key_from_base64(text.substr(dollar + 1, last - dollar - 1));
  auto server = key_from_base64(text.substr(last + 1));
  if (!salt || !stored || !server) return std::nullopt;
  v.salt = *salt;
  v.stored_key = *stored;
  v.server_key = *server;
  return v;
}

std::string ScramVerifier::to_text() const {
  return fmt::format("{}{}:{}${}:{}", kPrefix, iterations, base64_encode(salt),
                     base64_encode(view_of(stored_key)), base64_encode(view_of(server_key)));
}

}  // namespace idem
