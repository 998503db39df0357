#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/harness/raw_client.h"
#include "tests/harness/test_server.h"

namespace idem::test {
namespace {

using namespace std::string_literals;

class Protocol : public ::testing::Test {
 protected:
  // Whatever a client did, the next one is served.
  void TearDown() override { EXPECT_EQ(value_of(*server_.connect(), "SELECT 1"), "1"); }

  TestServer server_;
};

TEST_F(Protocol, RefusesAMessageOfImpossibleLength) {
  RawClient client(server_.port());
  client.log_in();
  client.send("Q" + network_int32(0x7fffffff));
  const RawClient::Message error = client.receive_until('E');
  ASSERT_EQ(error.type, 'E');
  EXPECT_EQ(error_field(error.body, 'C'), "08P01");
  EXPECT_EQ(client.receive_until('Z').type, '\0')
      << "there is no way to find the next message: the connection ends";
}

TEST_F(Protocol, RefusesANegativeLength) {
  RawClient client(server_.port());
  client.log_in();
  client.send("Q" + network_int32(3));
  EXPECT_EQ(error_field(client.receive_until('E').body, 'C'), "08P01");
}

TEST_F(Protocol, TakesNoMemoryForAnAnnouncedLength) {
  const uint64_t before = server_.resident_bytes();
  std::vector<std::unique_ptr<RawClient>> clients;
  for (int i = 0; i < 20; ++i) {
    clients.push_back(std::make_unique<RawClient>(server_.port()));
    clients.back()->log_in();
    clients.back()->send("Q" + network_int32(900'000'000) + "SELECT");
  }
  const auto other = server_.connect();
  EXPECT_EQ(value_of(*other, "SELECT 1"), "1");
  EXPECT_LT(server_.resident_bytes(), before + (64u << 20));
}

TEST_F(Protocol, TakesTruncatedMessagesForTheEndOfTheConnection) {
  for (const std::string& start :
       {"Q"s, "Q" + network_int32(100), "Q" + network_int32(100) + "SELECT", "P" + network_int32(8)}) {
    RawClient client(server_.port());
    client.log_in();
    client.send(start);
    client.shut_down_writing();
    EXPECT_EQ(client.receive_until('Z').type, '\0');
  }
  for (const std::string& start :
       {""s, "\0\0"s, network_int32(80), network_int32(80) + network_int32(196608)}) {
    RawClient client(server_.port());
    client.send(start);
    client.shut_down_writing();
    EXPECT_EQ(client.receive_until('Z').type, '\0');
  }
}

TEST_F(Protocol, RefusesAnOverlongStartUpPacket) {
  RawClient client(server_.port());
  client.send(network_int32(0x10000000) + network_int32(196608));
  client.receive_until('Z');
}

TEST_F(Protocol, AnswersUnknownMessagesWithAnError) {
  RawClient client(server_.port());
  client.log_in();
  client.send_message('y', "what");
  EXPECT_EQ(error_field(client.receive_until('E').body, 'C'), "08P01");
}

TEST_F(Protocol, AnswersMalformedBodiesWithAnError) {
  for (const auto& [type, body] : {std::pair{'P', "no terminator"s},
                                   {'B', "\0\0\0\1"s},
                                   {'D', "X"s},
                                   {'E', ""s},
                                   {'B', "\0\0\0\1\0\0\0\5\xff\xff\xff\xf0"s}}) {
    RawClient client(server_.port());
    client.log_in();
    client.send_message(type, body);
    client.send_message('S', "");
    EXPECT_EQ(error_field(client.receive_until('E').body, 'C'), "08P01") << type;
  }
}

TEST_F(Protocol, ServesManyStatementsSentAtOnce) {
  RawClient client(server_.port());
  client.log_in();
  std::string bytes;
  const auto message = [&](char type, const std::string& body) {
    bytes += type + network_int32(static_cast<uint32_t>(body.size()) + 4) + body;
  };
  for (int i = 0; i < 500; ++i) {
    message('P', "\0SELECT "s + std::to_string(i) + "\0\0\0"s);
    message('B', "\0\0\0\0\0\0\0\0"s);
    message('E', "\0\0\0\0\0"s);
  }
  message('S', "");
  client.send(bytes);
  for (int i = 0; i < 500; ++i) {
    const RawClient::Message row = client.receive_until('D');
    ASSERT_EQ(row.type, 'D');
    EXPECT_EQ(row.body.substr(6), std::to_string(i));
  }
  EXPECT_EQ(client.receive_until('Z').body, "I");
}

TEST_F(Protocol, SkipsToSyncAfterAnErrorInTheExtendedProtocol) {
  RawClient client(server_.port());
  client.log_in();
  client.send_message('P', "\0SELECT missing\0\0\0"s);
  client.send_message('B', "\0\0\0\0\0\0\0\0"s);
  client.send_message('E', "\0\0\0\0\0"s);
  client.send_message('S', "");
  EXPECT_EQ(error_field(client.receive().body, 'C'), "42703");
  EXPECT_EQ(client.receive().type, 'Z');
}

// A client that reads nothing costs a few vectors of memory, not its whole result.
TEST_F(Protocol, SkipsQueriesToSyncToo) {
  RawClient client(server_.port());
  client.log_in();
  client.send_message('P', "\0selec\0\0\0"s);
  client.send_query("CREATE TABLE skipped (a INT)");
  client.send_message('S', "");
  EXPECT_EQ(error_field(client.receive().body, 'C'), "42601");
  EXPECT_EQ(client.receive().type, 'Z');
  EXPECT_EQ(value_of(*server_.connect(), "SELECT to_regclass('skipped') IS NULL"), "t");
}

// libpq's PQfn() waits for ReadyForQuery without a Sync.
TEST_F(Protocol, AnswersAFunctionCallAsAQuery) {
  RawClient client(server_.port());
  client.log_in();
  client.send_message('F', network_int32(1) + "\0\0\0\0\0\0"s);
  EXPECT_EQ(error_field(client.receive().body, 'C'), "0A000");
  EXPECT_EQ(client.receive().type, 'Z');
}

TEST_F(Protocol, CountsTheRowsOfEachExecute) {
  RawClient client(server_.port());
  client.log_in();
  client.send_message('P', "\0SELECT generate_series(1, 5)\0\0\0"s);
  client.send_message('B', "\0\0\0\0\0\0\0\0"s);
  for (int i = 0; i < 4; ++i) client.send_message('E', "\0"s + network_int32(2));
  client.send_message('S', "");
  std::string seen;
  for (RawClient::Message message = client.receive(); message.type != 'Z'; message = client.receive()) {
    seen += message.type;
    if (message.type == 'C') seen += message.body.substr(0, message.body.size() - 1);
  }
  EXPECT_EQ(seen, "12DDsDDsDCSELECT 1CSELECT 0");
}

// Its sender takes the answers for those of other messages.
TEST_F(Protocol, EndsAConnectionThatAsksWithinItsCopy) {
  RawClient client(server_.port());
  client.log_in();
  client.send_query("CREATE TABLE t (a INT)");
  client.receive_until('Z');
  client.send_query("COPY t FROM STDIN");
  client.receive_until('G');
  client.send_message('d', "1\n");
  client.send_query("SELECT 1");
  const RawClient::Message error = client.receive_until('E');
  EXPECT_EQ(error_field(error.body, 'S'), "FATAL");
  EXPECT_EQ(error_field(error.body, 'C'), "08P01");
  EXPECT_EQ(client.receive().type, '\0');
  EXPECT_EQ(value_of(*server_.connect(), "SELECT count(*) FROM t"), "0");
}

TEST_F(Protocol, TellsTheVersionThatItSpeaks) {
  RawClient client(server_.port());
  const std::string body = network_int32(196610) + "user\0admin\0database\0main\0\0"s;  // 3.2
  client.send(network_int32(static_cast<uint32_t>(body.size()) + 4) + body);
  EXPECT_EQ(client.receive_until('v').body, network_int32(196608) + network_int32(0));
  EXPECT_EQ(client.receive_until('Z').type, 'Z');
}

// Errors that quote what was sent are text all the same.
TEST_F(Protocol, AnswersInUtf8WhateverIsSent) {
  RawClient client(server_.port());
  client.log_in();
  client.send_query("CREATE TABLE t (a TEXT)");
  client.receive_until('Z');
  client.send_query("COPY t FROM STDIN");
  client.receive_until('G');
  client.send_message('f', "\xff\0"s);
  EXPECT_EQ(error_field(client.receive_until('E').body, 'M'), "COPY from stdin failed: \ufffd");
  client.receive_until('Z');
  client.send_query("COPY t FROM STDIN");
  client.receive_until('G');
  client.send_message('d', "\xff\n");
  client.send_message('c', "");
  const RawClient::Message error = client.receive_until('E');
  EXPECT_EQ(error_field(error.body, 'C'), "22021");
  EXPECT_EQ(error.body.find('\xff'), std::string::npos);
  RawClient stranger(server_.port());
  const std::string body = network_int32(196608) + "user\0\xff\0\0"s;
  stranger.send(network_int32(static_cast<uint32_t>(body.size()) + 4) + body);
  EXPECT_EQ(error_field(stranger.receive_until('E').body, 'C'), "22021");
}

TEST_F(Protocol, DoesNotBufferTheResultForASlowReader) {
  const auto other = server_.connect();
  execute(*other, "CREATE TABLE wide (id BIGINT, text VARCHAR)");
  execute(*other, "INSERT INTO wide SELECT x, repeat('x', 1000) FROM generate_series(1, 2000) AS g(x)");
  const uint64_t before = server_.resident_bytes();
  RawClient slow(server_.port());
  slow.log_in();
  // 400 MB of result.
  slow.send_query("SELECT a.text FROM wide a, generate_series(1, 200) AS g(n)");
  ASSERT_EQ(slow.receive_until('T').type, 'T');
  for (int i = 0; i < 20; ++i) EXPECT_EQ(value_of(*other, "SELECT sum(length(text)) FROM wide"), "2000000");
  EXPECT_LT(server_.resident_bytes(), before + (128u << 20));
}

// While one client asks alone a network thread runs its statements, which may be the one that has to write what the socket does not take.
TEST_F(Protocol, SendsLargeResultsToAClientThatAsksAlone) {
  const auto connection = server_.connect();
  for (int i = 0; i < 200; ++i)
    EXPECT_EQ(value_of(*connection, "SELECT " + std::to_string(i)), std::to_string(i));
  for (int i = 0; i < 5; ++i) {
    EXPECT_EQ(execute(*connection, "SELECT repeat('x', 1000) FROM generate_series(1, 20000)").size(), 20000u);
    EXPECT_EQ(value_of(*connection, "SELECT 1"), "1");
  }
}

}  // namespace
}  // namespace idem::test
