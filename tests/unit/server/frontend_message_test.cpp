#include "server/frontend_message.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/common/expect_sql_error.h"
#include "tests/unit/server/wire_bytes.h"

namespace idem::test {
namespace {

using testing::ElementsAre;
using testing::Pair;

// -- the stream of messages

TEST(FrontendDecoder, CutsMessagesWhateverThePieces) {
  const std::string stream = message(0, be32(kProtocolVersion3) + z("user") + z("admin") + z("")) +
                             message('Q', z("SELECT 1")) + message('S', "") + message('X', "");
  for (size_t piece = 1; piece <= stream.size(); piece++) {
    SCOPED_TRACE(piece);
    FrontendDecoder decoder;
    std::vector<std::pair<char, std::string>> found;
    for (size_t at = 0; at < stream.size(); at += piece) {
      decoder.feed(std::string_view(stream).substr(at, piece));
      FrontendMessage m;
      while (decoder.next(&m)) {
        decoder.expect_startup_packet(false);
        found.emplace_back(m.type, m.body);
      }
    }
    ASSERT_EQ(found.size(), 4U);
    EXPECT_EQ(found[0].first, '\0');
    EXPECT_EQ(decode_startup(found[0].second).parameter("user"), "admin");
    EXPECT_THAT(found[1], Pair('Q', z("SELECT 1")));
    EXPECT_THAT(found[2], Pair('S', ""));
    EXPECT_THAT(found[3], Pair('X', ""));
    EXPECT_EQ(decoder.buffered(), 0U);
  }
}

TEST(FrontendDecoder, WaitsForTheRestOfAMessage) {
  FrontendDecoder decoder;
  decoder.expect_startup_packet(false);
  FrontendMessage m;
  EXPECT_FALSE(decoder.next(&m));
  decoder.feed(message('Q', z("SELECT 1")).substr(0, 7));
  EXPECT_FALSE(decoder.next(&m));
  EXPECT_EQ(decoder.buffered(), 7U);
}

TEST(FrontendDecoder, RefusesLengthsThatCannotBe) {
  const auto next = [](bool startup, const std::string& bytes, uint32_t limit = kMaxStartupBytes) {
    FrontendDecoder decoder;
    decoder.expect_startup_packet(startup);
    decoder.set_max_bytes(limit);
    decoder.feed(bytes);
    FrontendMessage m;
    return decoder.next(&m);
  };
  expect_sql_error("08P01", "invalid message length", [&] { next(false, "Q" + be32(3)); });
  expect_sql_error("08P01", "invalid length of startup packet", [&] { next(true, be32(7)); });
  expect_sql_error("08P01", "invalid length of startup packet",
                   [&] { next(true, be32(kMaxStartupBytes + 1)); });
  // A browser: "GET " is a length of more than a gigabyte.
  expect_sql_error("08P01", "invalid length of startup packet", [&] { next(true, "GET / HTTP/1.1\r\n"); });
  expect_sql_error("08P01", "message of 10001 bytes is too long", [&] { next(false, "Q" + be32(10001)); });
  expect_sql_error("08P01", "", [&] { next(false, "Q" + be32(0xffffffff), kMaxMessageBytes); });
  EXPECT_FALSE(next(false, "Q" + be32(10000)));
}

TEST(FrontendDecoder, AnnouncedLengthsCostNoMemory) {
  FrontendDecoder decoder;
  decoder.expect_startup_packet(false);
  decoder.set_max_bytes(kMaxMessageBytes);
  decoder.feed("d" + be32(kMaxMessageBytes) + "ten bytes.");
  FrontendMessage m;
  EXPECT_FALSE(decoder.next(&m));
  EXPECT_LE(decoder.buffered(), 15U);
  EXPECT_LE(decoder.space().size(), size_t{1} << 20);
}

// -- fields

TEST(MessageReader, ReadsAndChecksBounds) {
  const std::string body = std::string("\x07", 1) + be16(-2) + be32(-3) + z("name") + "rest";
  MessageReader in(body);
  EXPECT_EQ(in.int8(), 7);
  EXPECT_EQ(in.int16(), -2);
  EXPECT_EQ(in.int32(), -3);
  EXPECT_EQ(in.text(), "name");
  expect_sql_error("08P01", "invalid message format", [&] { in.expect_end(); });
  expect_sql_error("08P01", "insufficient data left in message", [&] { in.bytes(5); });
  expect_sql_error("08P01", "invalid string in message", [&] { in.text(); });
  EXPECT_EQ(in.rest(), "rest");
  EXPECT_TRUE(in.at_end());
  in.expect_end();
  expect_sql_error("08P01", "", [&] { in.int8(); });
}

TEST(MessageReader, CountsAreUnsigned) {
  const std::string body = be16(65535);
  EXPECT_EQ(MessageReader(body).uint16(), 65535);
}

// -- start-up

TEST(StartupPacket, HasParameters) {
  const StartupPacket packet =
      decode_startup(be32(kProtocolVersion3) + z("user") + z("admin") + z("database") + z("main") +
                     z("client_encoding") + z("'utf-8'") + z(""));
  EXPECT_EQ(packet.code, kProtocolVersion3);
  EXPECT_THAT(packet.parameters, ElementsAre(Pair("user", "admin"), Pair("database", "main"),
                                             Pair("client_encoding", "'utf-8'")));
  EXPECT_EQ(packet.parameter("missing"), "");
}

TEST(StartupPacket, TakesCancelAndEncryptionRequests) {
  const StartupPacket cancel = decode_startup(be32(kCancelRequestCode) + be32(42) + be32(0xdeadbeef));
  EXPECT_EQ(cancel.cancel_pid, 42);
  EXPECT_EQ(cancel.cancel_key, 0xdeadbeefU);
  EXPECT_EQ(decode_startup(be32(kSslRequestCode)).code, kSslRequestCode);
  EXPECT_EQ(decode_startup(be32(kGssEncRequestCode)).code, kGssEncRequestCode);
}

TEST(StartupPacket, RefusesBrokenOnes) {
  expect_sql_error("08P01", "", [] { decode_startup("abc"); });
  expect_sql_error("08P01", "", [] { decode_startup(be32(kCancelRequestCode) + be32(42)); });
  expect_sql_error("08P01", "", [] { decode_startup(be32(kProtocolVersion3) + z("user")); });
  expect_sql_error("08P01", "", [] { decode_startup(be32(kProtocolVersion3) + "user"); });
  expect_sql_error("08P01", "", [] { decode_startup(be32(kProtocolVersion3) + z("") + "more"); });
}

TEST(StartupOptions, AreSettings) {
  EXPECT_THAT(parse_startup_options("-c extra_float_digits=3 -csearch_path=public"),
              ElementsAre(Pair("extra_float_digits", "3"), Pair("search_path", "public")));
  EXPECT_THAT(parse_startup_options("--statement-timeout=5s"), ElementsAre(Pair("statement_timeout", "5s")));
  EXPECT_THAT(parse_startup_options("  -c application_name=a\\ b\\\\c  "),
              ElementsAre(Pair("application_name", "a b\\c")));
  EXPECT_THAT(parse_startup_options("-c a="), ElementsAre(Pair("a", "")));
  EXPECT_TRUE(parse_startup_options("").empty());
  expect_sql_error("42601", "-c datestyle requires a value", [] { parse_startup_options("-c datestyle"); });
  expect_sql_error("42601", "invalid command-line argument for server process: -x",
                   [] { parse_startup_options("-x"); });
}

// -- the extended protocol

TEST(ParseMessage, HasDeclaredTypes) {
  const ParseMessage m = decode_parse(z("s1") + z("SELECT $1, $2") + be16(2) + be32(23) + be32(0));
  EXPECT_EQ(m.statement, "s1");
  EXPECT_EQ(m.sql, "SELECT $1, $2");
  EXPECT_THAT(m.parameter_oids, ElementsAre(23U, 0U));
  expect_sql_error("08P01", "", [] { decode_parse(z("") + z("SELECT 1") + be16(1)); });
  expect_sql_error("08P01", "", [] { decode_parse(z("") + z("SELECT 1") + be16(0) + "x"); });
  expect_sql_error("08P01", "", [] { decode_parse(z("") + "SELECT 1"); });
}

TEST(BindMessage, FormatsAreNoneOneOrOneForEach) {
  const std::string head = z("p") + z("s");
  const std::string values = be16(2) + sized("1") + be32(-1);
  const std::string none = head + be16(0) + values + be16(0);
  BindMessage m = decode_bind(none);
  EXPECT_EQ(m.portal, "p");
  EXPECT_EQ(m.statement, "s");
  ASSERT_EQ(m.parameters.size(), 2U);
  EXPECT_EQ(m.parameters[0].bytes, "1");
  EXPECT_EQ(m.parameters[0].format, 0);
  EXPECT_FALSE(m.parameters[1].bytes.has_value());
  EXPECT_TRUE(m.result_formats.empty());

  const std::string one = head + be16(1) + be16(1) + values + be16(1) + be16(1);
  m = decode_bind(one);
  EXPECT_EQ(m.parameters[0].format, 1);
  EXPECT_EQ(m.parameters[1].format, 1);
  EXPECT_THAT(m.result_formats, ElementsAre(1));

  const std::string each =
      head + be16(2) + be16(0) + be16(1) + values + be16(3) + be16(1) + be16(0) + be16(1);
  m = decode_bind(each);
  EXPECT_EQ(m.parameters[0].format, 0);
  EXPECT_EQ(m.parameters[1].format, 1);
  EXPECT_THAT(m.result_formats, ElementsAre(1, 0, 1));
}

TEST(BindMessage, TakesAsManyParametersAsSixteenBitsCount) {
  std::string body = z("") + z("") + be16(0) + be16(65535);
  for (int i = 0; i < 65535; i++) body += be32(-1);
  body += be16(0);
  EXPECT_EQ(decode_bind(body).parameters.size(), 65535U);
}

TEST(BindMessage, RefusesWhatDoesNotFit) {
  const std::string head = z("") + z("");
  expect_sql_error("08P01", "bind message has 2 parameter formats but 1 parameters",
                   [&] { decode_bind(head + be16(2) + be16(0) + be16(0) + be16(1) + sized("1") + be16(0)); });
  expect_sql_error("22023", "unsupported format code: 2",
                   [&] { decode_bind(head + be16(1) + be16(2) + be16(1) + sized("1") + be16(0)); });
  expect_sql_error("22023", "unsupported format code: 7",
                   [&] { decode_bind(head + be16(0) + be16(0) + be16(1) + be16(7)); });
  expect_sql_error("08P01", "invalid parameter length in bind message",
                   [&] { decode_bind(head + be16(0) + be16(1) + be32(-2) + be16(0)); });
  expect_sql_error("08P01", "insufficient data left in message",
                   [&] { decode_bind(head + be16(0) + be16(1) + be32(1000) + "abc"); });
  expect_sql_error("08P01", "invalid message format",
                   [&] { decode_bind(head + be16(0) + be16(0) + be16(0) + "x"); });
}

TEST(ExecuteMessage, NoLimitIsAllRows) {
  EXPECT_EQ(decode_execute(z("p") + be32(0)).max_rows, 0U);
  EXPECT_EQ(decode_execute(z("p") + be32(-1)).max_rows, 0U);
  EXPECT_EQ(decode_execute(z("p") + be32(50)).max_rows, 50U);
  EXPECT_EQ(decode_execute(z("p") + be32(50)).portal, "p");
  expect_sql_error("08P01", "", [] { decode_execute(z("p")); });
}

TEST(TargetMessage, IsAStatementOrAPortal) {
  EXPECT_EQ(decode_target("S" + z("s1")).kind, 'S');
  EXPECT_EQ(decode_target("P" + z("p1")).name, "p1");
  expect_sql_error("08P01", "invalid message subtype", [] { decode_target("X" + z("")); });
  expect_sql_error("08P01", "", [] { decode_target(""); });
}

}  // namespace
}  // namespace idem::test
