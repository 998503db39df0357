#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace idem {

// What the server keeps of a password: enough to check a SCRAM-SHA-256 exchange (RFC 5802, RFC 7677), not
// enough to log in elsewhere. Text form as PostgreSQL: SCRAM-SHA-256$<iterations>:<salt>$<stored key>:<server key>.
struct ScramVerifier {
  using Key = std::array<uint8_t, 32>;

  uint32_t iterations = 4096;
  std::string salt;  // raw bytes
  Key stored_key{}, server_key{};

  // Passwords are taken as their UTF-8 bytes; SASLprep's normalization changes only some non-ASCII ones.
  static ScramVerifier from_password(std::string_view password);
  static std::optional<ScramVerifier> from_text(std::string_view text);
  std::string to_text() const;
  // For a password that came as text, as HTTP sends it. Takes the time that the iterations cost.
  bool matches(std::string_view password) const;

 private:
  void derive_keys(std::string_view password);  // from salt and iterations
};

ScramVerifier::Key hmac_sha256(std::string_view key, std::string_view text);
ScramVerifier::Key sha256(std::string_view text);
std::string base64_encode(std::string_view bytes);
std::optional<std::string> base64_decode(std::string_view text);
std::string random_bytes(size_t count);  // from the system's cryptographic generator

}  // namespace idem
