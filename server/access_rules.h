#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace idem {

enum class AuthenticationMethod : uint8_t {
  kTrust,        // anybody may be any user
  kScram,        // the user's password
  kCertificate,  // a certificate of tls_client_ca whose common name is the user's
  kReject,
};

// Who connects, and how.
struct ClientIdentity {
  std::string address;  // without port; what is no address of IP matches no rule
  std::string user, database;
  bool is_encrypted = false;
};

// One line of pg_hba.conf, as [[access]] of the configuration spells it.
class AccessRule {
 public:
  // Of the keys address ("all", "10.0.0.0/8", "::1"), user and database ("all", or names with commas between), tls ("any", "required", "none"), method.
  // 22023 for what cannot be.
  explicit AccessRule(const std::map<std::string, std::string>& keys);
  // Of every client.
  explicit AccessRule(AuthenticationMethod method) : method_(method) {}

  bool matches(const ClientIdentity& client) const;
  AuthenticationMethod method() const { return method_; }
  // Whether it lets anybody in without proof from another machine.
  bool trusts_others() const;

 private:
  enum class Transport : uint8_t { kAny, kEncrypted, kPlain };
  using Address = std::array<uint8_t, 16>;  // of IPv4 as ::ffff:a.b.c.d

  Address network_{};
  int prefix_ = 0;                              // bits of the address that must be equal
  std::vector<std::string> users_, databases_;  // empty: all
  Transport transport_ = Transport::kAny;
  AuthenticationMethod method_ = AuthenticationMethod::kReject;
};

// The method of the first rule that matches; kReject if none does.
AuthenticationMethod method_for(const std::vector<AccessRule>& rules, const ClientIdentity& client);

// "127.0.0.1:40112" and "[::1]:40112" without the port.
std::string without_port(std::string_view address);

}  // namespace idem
