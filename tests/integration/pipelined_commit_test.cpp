// Clients that send the next transactions before they know how the last ones ended.
#include <gtest/gtest.h>

#include "tests/harness/raw_client.h"
#include "tests/harness/test_server.h"

namespace idem::test {
namespace {

using namespace std::string_literals;

class PipelinedCommits : public ::testing::Test {
 protected:
  void SetUp() override {
    connection_ = server_.connect();
    execute(*connection_,
            "CREATE TABLE t (ts TIMESTAMP, id BIGINT) TIMESTAMP(ts) PARTITION BY DAY DEDUP UPSERT KEYS(ts)");
    client_ = connect();
  }
  std::unique_ptr<RawClient> connect() const {
    auto client = std::make_unique<RawClient>(server_.port());
    client->log_in();
    client->send(message('P', "i\0INSERT INTO t VALUES ($1, $2)\0\0\0"s) +
                 message('P', "n\0SELECT count(*) FROM t\0\0\0"s) + sync());
    client->receive_until('Z');
    return client;
  }

  static std::string message(char type, const std::string& body) {
    return type + network_int32(static_cast<uint32_t>(body.size()) + 4) + body;
  }
  static std::string sync() { return message('S', ""); }
  static std::string execute_unnamed() { return message('E', "\0\0\0\0\0"s); }
  static std::string sized(const std::string& value) {
    return network_int32(static_cast<uint32_t>(value.size())) + value;
  }
  static std::string insert(int second, const std::string& id) {
    const auto two_digits = [](int n) { return std::to_string(100 + n).substr(1); };
    const std::string ts = "2024-01-15 00:" + two_digits(second / 60) + ":" + two_digits(second % 60);
    return message('B', "\0i\0\0\0\0\2"s + sized(ts) + sized(id) + "\0\0"s) + execute_unnamed();
  }
  static std::string count() { return message('B', "\0n\0\0\0\0\0\0\0"s) + execute_unnamed(); }

  // The types of the messages up to and with the next ReadyForQuery.
  static std::string answer(RawClient& client) {
    std::string types;
    do { types += client.receive().type; } while (types.back() != 'Z' && types.back() != '\0');
    return types;
  }
  std::string ask(const std::string& sql) { return value_of(*connection_, sql); }

  TestServer server_;
  std::unique_ptr<pqxx::connection> connection_;
  std::unique_ptr<RawClient> client_;
};

TEST_F(PipelinedCommits, AreAnsweredInTheirOrder) {
  constexpr int kSyncs = 300;
  std::string all;
  for (int i = 0; i < kSyncs; ++i) all += insert(2 * i, "1") + insert(2 * i + 1, "2") + sync();
  client_->send(all);
  for (int i = 0; i < kSyncs; ++i) ASSERT_EQ(answer(*client_), "2C2CZ") << i;
  EXPECT_EQ(ask("SELECT count(*) FROM t"), std::to_string(2 * kSyncs));
  EXPECT_EQ(ask("SELECT max(version) || ' ' || sum(inserted) FROM table_history('t')"), "300 600");
}

TEST_F(PipelinedCommits, AreSeenByTheStatementsBehindThem) {
  std::string all;
  for (int i = 0; i < 50; ++i) {
    all += insert(i / 2, std::to_string(i)) + sync();  // every other one replaces the row before
    all += i % 3 == 0   ? count() + sync()
           : i % 3 == 1 ? message('Q', "SELECT count(*) FROM t\0"s)
                        : insert(i / 2, std::to_string(i)) + count() + sync();
  }
  client_->send(all);
  for (int i = 0; i < 50; ++i) {
    ASSERT_EQ(answer(*client_), "2CZ");
    EXPECT_EQ(client_->receive_until('D').body.substr(6), std::to_string(i / 2 + 1)) << i;
    ASSERT_EQ(client_->receive_until('Z').body, "I");
  }
}

TEST_F(PipelinedCommits, DoNotSufferFromAnErrorAmongThem) {
  std::string all;
  for (int i = 0; i < 60; ++i) all += insert(i, i % 5 == 3 ? "x" : "1") + sync();
  client_->send(all);
  for (int i = 0; i < 60; ++i) ASSERT_EQ(answer(*client_), i % 5 == 3 ? "EZ" : "2CZ") << i;
  EXPECT_EQ(ask("SELECT count(*) FROM t"), "48");
}

TEST_F(PipelinedCommits, GoTogetherWithOtherStatements) {
  client_->send(insert(1, "1") + sync() + message('Q', "CREATE TABLE u AS SELECT * FROM t\0"s) +
                insert(2, "2") + sync() + message('Q', "INSERT INTO u SELECT * FROM t\0"s) + insert(3, "3") +
                sync() + message('Q', "BEGIN ISOLATION LEVEL REPEATABLE READ\0"s) + insert(4, "4") + count() +
                sync() + message('Q', "ROLLBACK\0"s) + insert(5, "5") + sync() +
                message('Q', "TRUNCATE t\0"s) + insert(6, "6") + sync());
  for (const std::string expected :
       {"2CZ", "CZ", "2CZ", "CZ", "2CZ", "CZ", "2C2DCZ", "CZ", "2CZ", "CZ", "2CZ"})
    EXPECT_EQ(answer(*client_), expected);
  EXPECT_EQ(ask("SELECT count(*) || ' ' || sum(id) FROM u"), "3 4");
  EXPECT_EQ(ask("SELECT count(*) || ' ' || sum(id) FROM t"), "1 6");
}

// Nothing more comes, though what came last is no Sync.
TEST_F(PipelinedCommits, AreAnsweredBeforeTheNextIsWhole) {
  client_->send(insert(1, "1") + sync() + insert(2, "2") + sync() + insert(3, "3"));
  EXPECT_EQ(answer(*client_), "2CZ");
  EXPECT_EQ(answer(*client_), "2CZ");
  const std::string next = sync() + insert(4, "4");
  client_->send(next.substr(0, next.size() - 3));
  EXPECT_EQ(answer(*client_), "2CZ");
  client_->send(next.substr(next.size() - 3) + sync());
  client_->shut_down_writing();
  EXPECT_EQ(answer(*client_), "2CZ");
  EXPECT_EQ(client_->receive().type, '\0');
}

TEST_F(PipelinedCommits, OfSeveralClientsAreAllThereAfterACrash) {
  constexpr int kClients = 4, kSyncs = 400;
  std::vector<std::unique_ptr<RawClient>> clients;
  for (int c = 0; c < kClients; ++c) {
    clients.push_back(connect());
    std::string all;
    for (int i = 0; i < kSyncs; ++i) all += insert(c * kSyncs + i, "1") + sync();
    clients.back()->send(all);
  }
  int acknowledged = 0;
  for (int c = 0; c < kClients; ++c) {
    for (int i = 0; i < 20 * (c + 1); ++i, ++acknowledged) ASSERT_EQ(answer(*clients[c]), "2CZ");
  }
  server_.restart();
  connection_ = server_.connect();
  for (int c = 0; c < kClients; ++c) {
    while (answer(*clients[c]) == "2CZ") ++acknowledged;  // before it was killed
  }
  EXPECT_GE(std::stoi(ask("SELECT count(*) FROM t")), acknowledged);
  // Of each client the first ones, without a gap.
  const std::string syncs = std::to_string(kSyncs);
  EXPECT_EQ(ask("SELECT count(*) FROM (SELECT n, row_number() OVER (PARTITION BY n / " + syncs +
                " ORDER BY n) AS place FROM (SELECT datediff('s', '2024-01-15', ts) AS n FROM t) AS s) AS o "
                "WHERE n % " +
                syncs + " <> place - 1"),
            "0");
}

}  // namespace
}  // namespace idem::test
