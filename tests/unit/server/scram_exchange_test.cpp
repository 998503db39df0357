#include "server/scram_exchange.h"

#include <gtest/gtest.h>
#include <openssl/evp.h>

#include "tests/unit/common/expect_sql_error.h"

namespace idem {
namespace {

std::string bytes_of(const ScramVerifier::Key& key) {
  return {reinterpret_cast<const char*>(key.data()), key.size()};
}

// The client's side, from the password alone (RFC 5802 section 3).
class Client {
 public:
  explicit Client(std::string password) : password_(std::move(password)) {}

  std::string first() const { return header + bare_; }

  std::string final(const std::string& server_first) {
    nonce = server_first.substr(2, server_first.find(',') - 2);
    const size_t salt_at = server_first.find(",s=") + 3, count_at = server_first.find(",i=") + 3;
    const std::string salt = *base64_decode(server_first.substr(salt_at, count_at - 3 - salt_at));
    ScramVerifier::Key salted;
    PKCS5_PBKDF2_HMAC(password_.data(), static_cast<int>(password_.size()),
                      reinterpret_cast<const unsigned char*>(salt.data()), static_cast<int>(salt.size()),
                      std::stoi(server_first.substr(count_at)), EVP_sha256(), static_cast<int>(salted.size()),
                      salted.data());
    const ScramVerifier::Key client_key = hmac_sha256(bytes_of(salted), "Client Key");
    const std::string without_proof = "c=" + base64_encode(binding) + ",r=" + nonce;
    auth_message_ = bare_ + "," + server_first + "," + without_proof;
    const ScramVerifier::Key signature = hmac_sha256(bytes_of(sha256(bytes_of(client_key))), auth_message_);
    ScramVerifier::Key proof;
    for (size_t i = 0; i < proof.size(); i++) proof[i] = client_key[i] ^ signature[i];
    expected_ = "v=" + base64_encode(bytes_of(hmac_sha256(
                           bytes_of(hmac_sha256(bytes_of(salted), "Server Key")), auth_message_)));
    return without_proof + ",p=" + base64_encode(bytes_of(proof));
  }

  const std::string& expected() const { return expected_; }  // server-final

  std::string header = "n,,", binding = "n,,", nonce;

 private:
  std::string password_, bare_ = "n=,r=rOprNGfwEbeRWgbNEkqO", auth_message_, expected_;
};

std::optional<std::string> run(Client& client, std::optional<ScramVerifier> verifier) {
  ScramExchange server(std::move(verifier));
  return server.server_final(client.final(server.server_first(client.first())));
}

TEST(ScramExchange, ProvesBothSides) {
  Client client("pencil, Bleistift, Böhm");
  const auto server_final = run(client, ScramVerifier::from_password("pencil, Bleistift, Böhm"));
  ASSERT_TRUE(server_final.has_value());
  EXPECT_EQ(*server_final, client.expected());
}

TEST(ScramExchange, WorksWithTheVerifierFromItsText) {
  const ScramVerifier verifier = ScramVerifier::from_password("secret");
  const auto read = ScramVerifier::from_text(verifier.to_text());
  ASSERT_TRUE(read.has_value());
  Client client("secret");
  EXPECT_EQ(run(client, read), client.expected());
}

// The verifier that RFC 7677's example gives: user "user", password "pencil".
TEST(ScramExchange, AgreesWithTheExampleOfTheStandard) {
  const std::string salt = *base64_decode("W22ZaJ0SNY7soEsUEjb6gQ==");
  ScramVerifier::Key salted;
  const std::string password = "pencil";
  PKCS5_PBKDF2_HMAC(password.data(), 6, reinterpret_cast<const unsigned char*>(salt.data()),
                    static_cast<int>(salt.size()), 4096, EVP_sha256(), 32, salted.data());
  const ScramVerifier::Key server_key = hmac_sha256(bytes_of(salted), "Server Key");
  const std::string auth_message =
      "n=user,r=rOprNGfwEbeRWgbNEkqO,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s="
      "W22ZaJ0SNY7soEsUEjb6gQ==,"
      "i=4096,c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0";
  EXPECT_EQ(base64_encode(bytes_of(hmac_sha256(bytes_of(server_key), auth_message))),
            "6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=");
}

TEST(ScramExchange, RefusesAWrongPassword) {
  Client client("wrong");
  EXPECT_EQ(run(client, ScramVerifier::from_password("right")), std::nullopt);
}

TEST(ScramExchange, AnUnknownUserLooksLikeAWrongPassword) {
  Client client("anything");
  ScramExchange server(std::nullopt);
  const std::string first = server.server_first(client.first());
  EXPECT_NE(first.find(",i=4096"), std::string::npos);
  EXPECT_EQ(server.server_final(client.final(first)), std::nullopt);
}

TEST(ScramExchange, EachExchangeHasItsOwnNonce) {
  const ScramVerifier verifier = ScramVerifier::from_password("secret");
  ScramExchange one{verifier}, other{verifier};
  Client client("secret");
  const std::string first = one.server_first(client.first());
  EXPECT_NE(first, other.server_first(client.first()));
  // An answer to one is no answer to the other.
  const std::string answer = client.final(first);
  expect_sql_error("08P01", "malformed SCRAM message", [&] { other.server_final(answer); });
}

TEST(ScramExchange, TakesClientsThatCouldBindChannels) {
  Client client("secret");
  client.header = client.binding = "y,,";
  EXPECT_EQ(run(client, ScramVerifier::from_password("secret")), client.expected());
}

TEST(ScramExchange, RefusesADifferentBindingAtTheEnd) {
  Client client("secret");
  client.binding = "y,,";  // the header was "n,,"
  expect_sql_error("08P01", "malformed SCRAM message",
                   [&] { run(client, ScramVerifier::from_password("secret")); });
}

TEST(ScramExchange, RefusesMalformedMessages) {
  const auto first = [](std::string_view text) {
    expect_sql_error("08P01", "malformed SCRAM message",
                     [&] { ScramExchange(ScramVerifier::from_password("x")).server_first(text); });
  };
  for (const char* text :
       {"", "n", "n,", "n,,", "x,,n=,r=abc", "p=tls-unique,,n=,r=abc", "n,,r=abc", "n,,n=user", "n,,n=,r="})
    first(text);
  const auto last = [](std::string_view text) {
    expect_sql_error("08P01", "malformed SCRAM message", [&] {
      ScramExchange server(ScramVerifier::from_password("x"));
      const std::string nonce = server.server_first("n,,n=,r=abc").substr(0, 0);
      server.server_final(nonce + std::string(text));
    });
  };
  for (const char* text :
       {"", "c=biws", "c=biws,r=abc", "c=biws,r=abc,p=AAAA", "r=abc,c=biws,p=AAAA", "c=biws,p="})
    last(text);
}

TEST(ScramExchange, RefusesAProofOfTheWrongLength) {
  ScramExchange server(ScramVerifier::from_password("x"));
  const std::string first = server.server_first("n,,n=,r=abc");
  const std::string nonce = first.substr(0, first.find(','));
  expect_sql_error("08P01", "malformed SCRAM message",
                   [&] { server.server_final("c=biws," + nonce + ",p=" + base64_encode("short")); });
  expect_sql_error("08P01", "malformed SCRAM message",
                   [&] { server.server_final("c=biws," + nonce + ",p=!!!!"); });
}

}  // namespace
}  // namespace idem
