#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "common/scram_verifier.h"

namespace idem {

// The server's side of one SCRAM-SHA-256 authentication without channel binding (RFC 5802 section 3).
//
//   client-first  n,,n=user,r=<client nonce>
//   server-first  r=<both nonces>,s=<salt>,i=<iterations>
//   client-final  c=biws,r=<both nonces>,p=<proof>
//   server-final  v=<server signature>
//
// A user that does not exist runs through the same exchange with a made-up verifier and fails at its end.
class ScramExchange {
 public:
  explicit ScramExchange(std::optional<ScramVerifier> verifier);

  // Throws 08P01 for a malformed message.
  std::string server_first(std::string_view client_first);
  // The server-final message, or nullopt when the proof is wrong. Throws 08P01 for a malformed message.
  std::optional<std::string> server_final(std::string_view client_final);

 private:
  bool known_user_;
  ScramVerifier verifier_;
  std::string gs2_header_, client_first_bare_, server_first_, nonce_;
};

}  // namespace idem
