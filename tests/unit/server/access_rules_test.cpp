#include "server/access_rules.h"

#include <gtest/gtest.h>

#include "tests/unit/common/expect_sql_error.h"

namespace idem {
namespace {

using Keys = std::map<std::string, std::string>;

bool matches(Keys keys, const ClientIdentity& client) {
  keys["method"] = "scram";
  return AccessRule(keys).matches(client);
}

TEST(AccessRules, LookAtAddresses) {
  const auto by_address = [](const std::string& rule, const std::string& address) {
    return matches({{"address", rule}}, {address, "u", "d", false});
  };
  EXPECT_TRUE(by_address("all", "1.2.3.4"));
  EXPECT_TRUE(by_address("all", "unknown"));
  EXPECT_TRUE(by_address("10.1.0.0/16", "10.1.255.3"));
  EXPECT_FALSE(by_address("10.1.0.0/16", "10.2.0.1"));
  EXPECT_TRUE(by_address("10.1.0.0/16", "::ffff:10.1.2.3"));
  EXPECT_TRUE(by_address("10.1.2.4/31", "10.1.2.5"));
  EXPECT_FALSE(by_address("10.1.2.4/31", "10.1.2.6"));
  EXPECT_TRUE(by_address("::1", "::1"));
  EXPECT_FALSE(by_address("::1", "::2"));
  EXPECT_TRUE(by_address("2001:db8::/32", "2001:db8:1::7"));
  EXPECT_FALSE(by_address("0.0.0.0/0", "::1"));
  EXPECT_FALSE(by_address("127.0.0.1", "unknown"));
  EXPECT_EQ(without_port("127.0.0.1:40112"), "127.0.0.1");
  EXPECT_EQ(without_port("[::1]:40112"), "::1");
  EXPECT_EQ(without_port("::1:40112"), "::1");
}

TEST(AccessRules, LookAtWhoComesAndHow) {
  const ClientIdentity client{"1.2.3.4", "ann", "main", true};
  EXPECT_TRUE(matches({{"user", "bob, ann"}, {"database", "all"}}, client));
  EXPECT_FALSE(matches({{"user", "bob"}}, client));
  EXPECT_FALSE(matches({{"database", "other"}}, client));
  EXPECT_TRUE(matches({{"tls", "required"}}, client));
  EXPECT_FALSE(matches({{"tls", "none"}}, client));
}

TEST(AccessRules, TheFirstThatMatchesDecides) {
  const std::vector<AccessRule> rules = {AccessRule(Keys{{"user", "eve"}, {"method", "reject"}}),
                                         AccessRule(Keys{{"tls", "required"}, {"method", "cert"}}),
                                         AccessRule(Keys{{"address", "127.0.0.0/8"}, {"method", "trust"}})};
  EXPECT_EQ(method_for(rules, {"127.0.0.1", "eve", "d", false}), AuthenticationMethod::kReject);
  EXPECT_EQ(method_for(rules, {"127.0.0.1", "ann", "d", true}), AuthenticationMethod::kCertificate);
  EXPECT_EQ(method_for(rules, {"127.0.0.1", "ann", "d", false}), AuthenticationMethod::kTrust);
  EXPECT_EQ(method_for(rules, {"10.0.0.1", "ann", "d", false}), AuthenticationMethod::kReject);
}

TEST(AccessRules, KnowWhomTheyTrust) {
  const auto trusts_others = [](const std::string& address) {
    return AccessRule(Keys{{"address", address}, {"method", "trust"}}).trusts_others();
  };
  EXPECT_FALSE(trusts_others("127.0.0.1"));
  EXPECT_FALSE(trusts_others("127.0.0.0/8"));
  EXPECT_FALSE(trusts_others("::1"));
  EXPECT_TRUE(trusts_others("126.0.0.0/7"));
  EXPECT_TRUE(trusts_others("all"));
  EXPECT_TRUE(trusts_others("::1/127"));
  EXPECT_FALSE(AccessRule(Keys{{"method", "scram"}}).trusts_others());
}

TEST(AccessRules, RefuseWhatCannotBe) {
  for (const Keys& keys : {Keys{{"address", "10.0.0.0/33"}, {"method", "scram"}},
                           {{"address", "host.example"}, {"method", "scram"}},
                           {{"address", "10.0.0.0/x"}, {"method", "scram"}},
                           {{"address", "10.0.0.0/"}, {"method", "scram"}},
                           {{"address", "10.0.0.0/99999999999"}, {"method", "scram"}},
                           {{"method", "md5"}},
                           {{"user", "a"}},
                           {{"role", "a"}, {"method", "scram"}},
                           {{"tls", "on"}, {"method", "scram"}}}) {
    expect_sql_error("22023", "", [&] { AccessRule rule(keys); });
  }
}

}  // namespace
}  // namespace idem
