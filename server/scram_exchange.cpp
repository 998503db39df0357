#include "server/scram_exchange.h"

#include <openssl/crypto.h>

#include "common/error.h"

namespace idem {

namespace {

constexpr size_t kNonceBytes = 18;

SqlError malformed(std::string_view what) {
  return sql_error(sqlstate::kProtocolViolation, "malformed SCRAM message").with_detail(std::string(what));
}

// Takes "<name>=<value>" off the front of `text`, up to the next comma.
std::string_view take_attribute(std::string_view& text, char name) {
  if (text.size() < 2 || text[0] != name || text[1] != '=') {
    throw malformed(fmt::format("Expected attribute \"{}\".", name));
  }
  size_t end = std::min(text.find(','), text.size());
  std::string_view value = text.substr(2, end - 2);
  text.remove_prefix(std::min(end + 1, text.size()));
  return value;
}

std::string_view view_of(const ScramVerifier::Key& key) {
  return {reinterpret_cast<const char*>(key.data()), key.size()};
}

}  // namespace

ScramExchange::ScramExchange(std::optional<ScramVerifier> verifier) : known_user_(verifier.has_value()) {
  if (verifier) verifier_ = std::move(*verifier);
  else verifier_.salt = random_bytes(16);
}

std::string ScramExchange::server_first(std::string_view client_first) {
  if (client_first.starts_with("p=")) throw malformed("Channel binding was not offered.");
  if (!client_first.starts_with("n,") && !client_first.starts_with("y,")) throw malformed("Bad GS2 header.");
  size_t header_end = client_first.find(',', 2);
  if (header_end == client_first.npos) throw malformed("Bad GS2 header.");
  gs2_header_ = client_first.substr(0, header_end + 1);
  client_first_bare_ = client_first.substr(header_end + 1);

  std::string_view rest = client_first_bare_;
  take_attribute(rest, 'n');  // ignored, as PostgreSQL does: the start-up packet named the user
  std::string_view client_nonce = take_attribute(rest, 'r');
  if (client_nonce.empty()) throw malformed("The client nonce is empty.");
  nonce_ = std::string(client_nonce) + base64_encode(random_bytes(kNonceBytes));
  server_first_ = fmt::format("r={},s={},i={}", nonce_, base64_encode(verifier_.salt), verifier_.iterations);
  return server_first_;
}

std::optional<std::string> ScramExchange::server_final(std::string_view client_final) {
  size_t proof_at = client_final.rfind(",p=");
  if (proof_at == client_final.npos) throw malformed("The proof is missing.");
  std::string_view without_proof = client_final.substr(0, proof_at), rest = client_final;
  std::string_view binding = take_attribute(rest, 'c'), nonce = take_attribute(rest, 'r');
  if (base64_decode(binding) != gs2_header_) throw malformed("The channel binding data do not match.");
  if (nonce != nonce_) throw malformed("The nonce does not match.");
  auto proof = base64_decode(client_final.substr(proof_at + 3));
  if (!proof || proof->size() != verifier_.stored_key.size()) throw malformed("Bad proof.");

  std::string message = client_first_bare_ + "," + server_first_ + "," + std::string(without_proof);
  ScramVerifier::Key signature = hmac_sha256(view_of(verifier_.stored_key), message);
  ScramVerifier::Key client_key;
  for (size_t i = 0; i < client_key.size(); i++)
    client_key[i] = static_cast<uint8_t>((*proof)[i]) ^ signature[i];
  ScramVerifier::Key stored = sha256(view_of(client_key));
  bool same = CRYPTO_memcmp(stored.data(), verifier_.stored_key.data(), stored.size()) == 0;
  if (!same || !known_user_) return std::nullopt;
  return "v=" + base64_encode(view_of(hmac_sha256(view_of(verifier_.server_key), message)));
}

}  // namespace idem
