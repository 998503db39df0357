#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/harness/raw_client.h"
#include "tests/harness/test_server.h"

namespace idem::test {
namespace {

using ::testing::ElementsAre;

// The payloads that have come, up to one of this text.
class Listener {
 public:
  explicit Listener(uint16_t port) : client_(port) {
    client_.log_in();
    run("LISTEN c");
  }
  void run(const std::string& sql) {
    client_.send_query(sql);
    while (true) {
      const RawClient::Message message = client_.receive();
      if (message.type == 'A') take(message);
      if (message.type == 'Z') return;
    }
  }
  std::vector<std::string> until(const std::string& payload) {
    while (payloads_.empty() || payloads_.back() != payload) {
      const RawClient::Message message = client_.receive();
      if (message.type == 0) return {"closed"};
      if (message.type == 'A') take(message);
    }
    return std::exchange(payloads_, {});
  }

 private:
  void take(const RawClient::Message& message) {
    const std::string text = message.body.substr(4);
    EXPECT_EQ(text.substr(0, 2), std::string("c\0", 2));
    payloads_.push_back(text.substr(2, text.size() - 3));
  }
  RawClient client_;
  std::vector<std::string> payloads_;
};

TEST(Notification, ReachesSessionsThatListen) {
  TestServer server;
  Listener listener(server.port());
  const auto sender = server.connect();
  execute(*sender, "NOTIFY c, 'one'");
  execute(*sender, "NOTIFY other, 'two'");
  execute(*sender, "SELECT pg_notify('c', 'three')");
  EXPECT_THAT(listener.until("three"), ElementsAre("one", "three"));
  listener.run("UNLISTEN *");
  execute(*sender, "NOTIFY c, 'four'");
  listener.run("LISTEN c");
  execute(*sender, "NOTIFY c");
  EXPECT_THAT(listener.until(""), ElementsAre(""));
  listener.run("NOTIFY c, 'own'");
  EXPECT_THAT(listener.until("own"), ElementsAre("own"));
}

TEST(Notification, ComesWithTheCommit) {
  TestServer server;
  Listener listener(server.port());
  const auto sender = server.connect();
  execute(*sender, "CREATE TABLE t (a INT)");
  {
    pqxx::work transaction(*sender);
    transaction.exec("NOTIFY c, 'undone'");
    transaction.abort();
  }
  {
    pqxx::work transaction(*sender);
    transaction.exec("NOTIFY c, 'first'");
    transaction.exec("NOTIFY c, 'first'");  // of equal ones one is sent
    transaction.exec("SAVEPOINT s");
    transaction.exec("NOTIFY c, 'returned'");
    transaction.exec("ROLLBACK TO s");
    transaction.exec("INSERT INTO t VALUES (1)");
    transaction.exec("NOTIFY c, 'second'");
    transaction.commit();
  }
  EXPECT_THAT(listener.until("second"), ElementsAre("first", "second"));
  // Not in the middle of the listener's own transaction.
  listener.run("BEGIN");
  execute(*sender, "NOTIFY c, 'meanwhile'");
  listener.run("NOTIFY c, 'last'");
  listener.run("COMMIT");
  EXPECT_THAT(listener.until("last"), ElementsAre("meanwhile", "last"));
}

TEST(Notification, HasLimits) {
  TestServer server;
  const auto connection = server.connect();
  EXPECT_EQ(error_state(*connection, "SELECT pg_notify('', 'x')"), "22023");
  EXPECT_EQ(error_state(*connection, "SELECT pg_notify('c', repeat('x', 8000))"), "22023");
  EXPECT_EQ(error_state(*connection, "SELECT pg_notify('c', repeat('x', 7999))"), "");
}

}  // namespace
}  // namespace idem::test
