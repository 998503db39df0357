#include "server/access_rules.h"

#include <algorithm>
#include <boost/asio/ip/address.hpp>
#include <charconv>
#include <fmt/format.h>
#include <optional>

#include "common/error.h"

namespace idem {

namespace {

constexpr int kAddressBits = 128, kMappedBits = 96;  // of ::ffff:0:0/96, where the addresses of IPv4 are

std::optional<std::array<uint8_t, 16>> parse_address(const std::string& text, bool* is_v4) {
  boost::system::error_code error;
  const auto address = boost::asio::ip::make_address(text, error);
  if (error) return std::nullopt;
  *is_v4 = address.is_v4();
  const auto bytes =
      address.is_v4()
          ? boost::asio::ip::make_address_v6(boost::asio::ip::v4_mapped, address.to_v4()).to_bytes()
          : address.to_v6().to_bytes();
  std::array<uint8_t, 16> out;
  std::copy(bytes.begin(), bytes.end(), out.begin());
  return out;
}

std::vector<std::string> names_between_commas(std::string_view text) {
  std::vector<std::string> names;
  while (!text.empty()) {
    const size_t comma = std::min(text.find(','), text.size());
    std::string_view name = text.substr(0, comma);
    text.remove_prefix(std::min(comma + 1, text.size()));
    while (name.starts_with(' ')) name.remove_prefix(1);
    while (name.ends_with(' ')) name.remove_suffix(1);
    if (!name.empty()) names.emplace_back(name);
  }
  if (names == std::vector<std::string>{"all"}) names.clear();
  return names;
}

template <class T>
T choice(std::string_view key, const std::string& value,
         std::initializer_list<std::pair<std::string_view, T>> allowed) {
  std::string hint;
  for (const auto& [name, meaning] : allowed) {
    if (value == name) return meaning;
    hint += (hint.empty() ? "Available values: " : ", ") + std::string(name);
  }
  throw sql_error(sqlstate::kInvalidParameterValue, "invalid value for \"{}\" of an access rule: \"{}\"", key,
                  value)
      .with_hint(hint + ".");
}

bool same_prefix(const std::array<uint8_t, 16>& a, const std::array<uint8_t, 16>& b, int bits) {
  for (int i = 0; i < bits; i += 8) {
    const int rest = std::min(bits - i, 8);
    const auto mask = static_cast<uint8_t>(0xff << (8 - rest));
    const auto byte = static_cast<size_t>(i / 8);
    if (((a[byte] ^ b[byte]) & mask) != 0) return false;
  }
  return true;
}

}  // namespace

AccessRule::AccessRule(const std::map<std::string, std::string>& keys) {
  bool has_method = false;
  for (const auto& [key, value] : keys) {
    if (key == "address") {
      if (value == "all") continue;
      const size_t slash = value.find('/');
      bool is_v4 = false;
      const auto address = parse_address(value.substr(0, slash), &is_v4);
      const int most = is_v4 ? kAddressBits - kMappedBits : kAddressBits;
      int bits = most;
      const char* const end = value.data() + value.size();
      std::from_chars_result read{end, {}};
      if (slash != value.npos) read = std::from_chars(value.data() + slash + 1, end, bits);
      if (!address || read.ec != std::errc() || read.ptr != end || bits < 0 || bits > most)
        throw sql_error(sqlstate::kInvalidParameterValue,
                        "invalid value for \"address\" of an access rule: \"{}\"", value)
            .with_hint("all, an address, or a network as 10.0.0.0/8.");
      network_ = *address;
      prefix_ = is_v4 ? kMappedBits + bits : bits;
    } else if (key == "user") {
      users_ = names_between_commas(value);
    } else if (key == "database") {
      databases_ = names_between_commas(value);
    } else if (key == "tls") {
      transport_ = choice<Transport>(
          key, value,
          {{"any", Transport::kAny}, {"required", Transport::kEncrypted}, {"none", Transport::kPlain}});
    } else if (key == "method") {
      has_method = true;
      method_ = choice<AuthenticationMethod>(key, value,
                                             {{"trust", AuthenticationMethod::kTrust},
                                              {"scram", AuthenticationMethod::kScram},
                                              {"cert", AuthenticationMethod::kCertificate},
                                              {"reject", AuthenticationMethod::kReject}});
    } else {
      throw sql_error(sqlstate::kInvalidParameterValue, "unrecognized key \"{}\" of an access rule", key)
          .with_hint("Available keys: address, user, database, tls, method.");
    }
  }
  if (!has_method) throw SqlError(sqlstate::kInvalidParameterValue, "an access rule has no method");
}

bool AccessRule::matches(const ClientIdentity& client) const {
  const auto names = [](const std::vector<std::string>& list, const std::string& name) {
    return list.empty() || std::find(list.begin(), list.end(), name) != list.end();
  };
  if (!names(users_, client.user) || !names(databases_, client.database)) return false;
  if (transport_ != Transport::kAny && client.is_encrypted != (transport_ == Transport::kEncrypted))
    return false;
  if (prefix_ == 0) return true;
  bool is_v4 = false;
  const auto address = parse_address(client.address, &is_v4);
  return address && same_prefix(*address, network_, prefix_);
}

bool AccessRule::trusts_others() const {
  if (method_ != AuthenticationMethod::kTrust) return false;
  constexpr int kLoopbackBits = 8;  // of 127.0.0.0/8
  bool is_v4 = false;
  const bool is_v4_loopback =
      prefix_ >= kMappedBits + kLoopbackBits &&
      same_prefix(network_, *parse_address("127.0.0.1", &is_v4), kMappedBits + kLoopbackBits);
  const bool is_v6_loopback = prefix_ == kAddressBits && network_ == *parse_address("::1", &is_v4);
  return !is_v4_loopback && !is_v6_loopback;
}

AuthenticationMethod method_for(const std::vector<AccessRule>& rules, const ClientIdentity& client) {
  const auto rule =
      std::find_if(rules.begin(), rules.end(), [&](const AccessRule& r) { return r.matches(client); });
  return rule == rules.end() ? AuthenticationMethod::kReject : rule->method();
}

std::string without_port(std::string_view address) {
  const size_t colon = address.rfind(':');
  std::string_view host = address.substr(0, colon);
  if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
  return std::string(host);
}

}  // namespace idem
