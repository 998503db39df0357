#include "server/protocol_handler.h"

#include <cerrno>
#include <gtest/gtest.h>

#include "common/clock.h"
#include "common/memory_budget.h"
#include "common/simulated_file.h"
#include "storage/database.h"
#include "tests/unit/server/wire_bytes.h"

namespace idem {
namespace {

using test::be16;
using test::be32;
using test::sized;
using test::z;

// A client that has sent all of its messages before the first is handled.
class Channel final : public ClientChannel {
 public:
  void send(std::string& bytes) override {
    received += bytes;
    bytes.clear();
  }
  bool is_encrypted() const override { return false; }
  std::string certificate_name() const override { return ""; }
  void session_started(int32_t) override {}
  bool shares_commits() const override { return false; }
  bool has_more_input() override { return left > 0; }
  void notifications_came() override {}

  std::string received;
  size_t left = 0;
};

// On a disk that fails when it is told to, without threads: a sync is done by whoever asks for it.
class ProtocolHandlerTest : public ::testing::Test {
 protected:
  void SetUp() override {
    DatabaseOptions options;
    options.background_checkpoint = false;
    options.own_threads = false;
    database_ = Database::open(files_, clock_, "/data", options);
    auto transaction = database_->begin();
    Role admin;
    admin.name = "admin";
    admin.can_login = admin.superuser = true;
    transaction->put_role(admin);
    transaction->commit(true);
    server_.database = database_.get();
    server_.memory = &memory_;
    server_.clock = &clock_;
    server_.files = &files_;
    server_.sessions = &sessions_;
    handler_ = std::make_unique<ProtocolHandler>(server_, options_, channel_, "127.0.0.1:1");
    handle({{0, be32(196608) + z("user") + z("admin") + z("database") + z("main") + z("")}});
    handle({{'Q', z("CREATE TABLE t (id BIGINT)")}});
    handle({{'P', z("i") + z("INSERT INTO t VALUES ($1)") + be16(0)}, {'S', ""}});
    insert(0);  // its plan is kept
    channel_.received.clear();
  }
  void handle(std::vector<FrontendMessage> messages) {
    channel_.left = messages.size();
    for (FrontendMessage& message : messages) {
      --channel_.left;
      handler_->handle(message);
      if (channel_.left == 0 && handler_->has_unanswered()) handler_->await_unanswered();
      if (handler_->awaited_commit() == CommitNumber{}) continue;
      std::optional<SqlError> failure;
      try {
        database_->wait_visible(handler_->awaited_commit());
      } catch (const SqlError& error) { failure = error; }
      handler_->commit_is_visible(failure ? &*failure : nullptr);
    }
  }
  static void add_insert(int id, std::vector<FrontendMessage>* messages) {
    messages->push_back({'B', z("") + z("i") + be16(0) + be16(1) + sized(std::to_string(id)) + be16(0)});
    messages->push_back({'E', z("") + be32(0)});
    messages->push_back({'S', ""});
  }
  void insert(int id) {
    std::vector<FrontendMessage> messages;
    add_insert(id, &messages);
    handle(std::move(messages));
  }
  // Of what the client got: a letter for each message.
  std::string received_types() const {
    std::string types;
    for (size_t at = 0; at < channel_.received.size();) {
      types += channel_.received[at];
      uint32_t size = 0;
      for (size_t i = 1; i <= 4; ++i)
        size = size << 8 | static_cast<unsigned char>(channel_.received[at + i]);
      at += size + 1;
    }
    return types;
  }

  SimulatedFileSystem files_;
  SettableClock clock_;
  MemoryBudget memory_{"server", 64 << 20};
  SessionRegistry sessions_;
  std::unique_ptr<Database> database_;
  ServerContext server_;
  ProtocolOptions options_;
  Channel channel_;
  std::unique_ptr<ProtocolHandler> handler_;
};

TEST_F(ProtocolHandlerTest, AnswersCommitsOfAClientThatDoesNotWaitInTheirOrder) {
  std::vector<FrontendMessage> messages;
  for (int id = 1; id <= 5; ++id) add_insert(id, &messages);
  handle(std::move(messages));
  EXPECT_EQ(received_types(), "2CZ2CZ2CZ2CZ2CZ");
}

// Who has been told, before the failure, is told no more; the others all are that it failed.
TEST_F(ProtocolHandlerTest, TellsOfEachCommitThatCouldNotBeSynced) {
  std::vector<FrontendMessage> messages;
  for (int id = 1; id <= 5; ++id) add_insert(id, &messages);
  files_.fail_nth(FileOp::kSync, 3, EIO);
  handle(std::move(messages));
  EXPECT_EQ(received_types(), "2CZ2CZ2CEZ2CEZ2CEZ");
  channel_.received.clear();
  insert(6);
  EXPECT_EQ(received_types(), "2CEZ");
  channel_.received.clear();
  handle({{'Q', z("SELECT id FROM t WHERE id > 0")}});
  EXPECT_EQ(received_types(), "TDDCZ");
}

}  // namespace
}  // namespace idem
