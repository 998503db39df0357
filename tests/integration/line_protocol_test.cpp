#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <thread>

#include "tests/harness/socket_client.h"
#include "tests/harness/test_server.h"

namespace idem::test {
namespace {

using ::testing::HasSubstr;

class LineProtocolTest : public ::testing::Test {
 protected:
  TestServer server{{.arguments = {"--http-port", "0", "--line-port", "0"}}};

  HttpResponse write(const std::string& lines, const std::string& path = "/write?precision=s") {
    return http_request(server.http_port(), "POST", path, lines);
  }
  std::string value(const std::string& sql) { return value_of(*server.connect(), sql); }
};

TEST_F(LineProtocolTest, CreatesTablesAndColumns) {
  EXPECT_EQ(write("weather,city=Rome temp=21.5,rain=f,n=3i,note=\"dry\" 1700000000\n"
                  "weather,city=Oslo temp=-3 1700000000\n"
                  "Power,site=A w=5i 1700000000\n")
                .status,
            204);
  EXPECT_EQ(value("SELECT string_agg(concat_ws('|', timestamp, city, temp, rain, n, note), ';' ORDER BY "
                  "city) FROM weather"),
            "2023-11-14 22:13:20|Oslo|-3;2023-11-14 22:13:20|Rome|21.5|f|3|dry");
  EXPECT_EQ(value("SELECT w FROM \"Power\""), "5");
  // A new field, a new tag, which belongs to the keys from then on.
  EXPECT_EQ(write("weather,city=Rome,side=N wind=7 1700000000\nweather,city=Rome,side=S wind=8 1700000000\n")
                .status,
            204);
  EXPECT_EQ(value("SELECT count(*) FROM weather"), "4");
  EXPECT_EQ(value("SELECT string_agg(\"column\", ',') FROM table_columns('weather') WHERE upsertKey"),
            "timestamp,city,side");
}

TEST_F(LineProtocolTest, WritesOnceWhatIsSentTwice) {
  const std::string lines = "cpu,host=a idle=1,user=2 1700000000\ncpu,host=b idle=3 1700000001\n";
  for (int i = 0; i < 3; ++i) EXPECT_EQ(write(lines).status, 204);
  EXPECT_EQ(value("SELECT count(*) FROM cpu"), "2");
  EXPECT_EQ(value("SELECT max(version) FROM table_history('cpu')"), "1");
  // Fields of one point that come apart are put together.
  EXPECT_EQ(write("cpu,host=b user=9 1700000001\n").status, 204);
  EXPECT_EQ(value("SELECT idle::text || '|' || \"user\"::text FROM cpu WHERE host = 'b'"), "3|9");
}

TEST_F(LineProtocolTest, StoresTheLinesThatFitAndNamesTheOthers) {
  EXPECT_EQ(write("m,t=x v=1 1700000000\n").status, 204);
  const HttpResponse answer =
      write("m,t=x v=2 1700000001\nm,t=x v=\"text\" 1700000002\nm,t=x broken\nm,t=x v=3 1700000003\n");
  EXPECT_EQ(answer.status, 400);
  EXPECT_THAT(answer.body, HasSubstr("\"accepted\":2,\"rejected\":2,\"line\":2"));
  EXPECT_THAT(answer.body,
              HasSubstr("column \\\"v\\\" of table \\\"m\\\" is of type DOUBLE, the value is a string"));
  EXPECT_THAT(answer.body, HasSubstr("{\"line\":3,\"reason\":"));
  EXPECT_EQ(value("SELECT count(*) FROM m"), "3");
}

// A line that makes no table costs the others nothing.
TEST_F(LineProtocolTest, LeavesOutALineThatNamesAColumnTwice) {
  const HttpResponse answer = write(
      "good v=1 1700000000\ntwice,x=a x=1 1700000000\ntime,timestamp=a v=1 1700000000\ngood v=2 "
      "1700000001\n");
  EXPECT_EQ(answer.status, 400);
  EXPECT_THAT(answer.body, HasSubstr("\"accepted\":2,\"rejected\":2,\"line\":2"));
  EXPECT_THAT(answer.body, HasSubstr("\\\"x\\\" is given twice"));
  EXPECT_EQ(value("SELECT count(*) FROM good"), "2");
  EXPECT_EQ(value("SELECT to_regclass('twice') IS NULL AND to_regclass('time') IS NULL"), "t");
}

TEST_F(LineProtocolTest, GoesIntoTablesOfUsers) {
  auto connection = server.connect();
  execute(*connection,
          "CREATE TABLE readings (at TIMESTAMP, device SYMBOL, reading DECIMAL(10,2), seen TIMESTAMP DEFAULT "
          "now() KEEP FIRST, version BIGINT, id UUID)"
          " TIMESTAMP(at) PARTITION BY MONTH DEDUP UPSERT KEYS(at, device) VERSION BY version");
  execute(*connection, "CREATE VIEW v AS SELECT * FROM readings");
  EXPECT_EQ(write("readings,device=d1 reading=1.25,version=2i,id=\"6ba7b810-9dad-11d1-80b4-00c04fd430c8\" "
                  "1700000000\n")
                .status,
            204);
  EXPECT_EQ(write("readings,device=d1 reading=9.99,version=1i 1700000000\n").status,
            204);  // late: does not undo the newer one
  EXPECT_EQ(value("SELECT reading::text || id FROM readings"), "1.256ba7b810-9dad-11d1-80b4-00c04fd430c8");
  EXPECT_EQ(value("SELECT count(*) FROM readings WHERE seen IS NULL"), "0");
  EXPECT_THAT(write("v,device=x reading=1 1\n").body, HasSubstr("view"));
  EXPECT_THAT(write("readings,device=d1 reading=\"x\" 1\n").body, HasSubstr("is of type DECIMAL(10,2)"));
  EXPECT_THAT(write("readings,device=d1 at=1t 1\n").body, HasSubstr("designated timestamp"));
}

TEST_F(LineProtocolTest, GivesEachRowAVolatileDefaultOfItsOwn) {
  auto connection = server.connect();
  execute(*connection,
          "CREATE TABLE numbered (at TIMESTAMP, v BIGINT, id UUID NOT NULL DEFAULT gen_random_uuid())"
          " TIMESTAMP(at)");
  EXPECT_EQ(write("numbered v=1i 1\nnumbered v=2i 2\nnumbered v=3i 3\n").status, 204);
  EXPECT_EQ(value("SELECT count(DISTINCT id) FROM numbered"), "3");
}

TEST_F(LineProtocolTest, LeavesTheColumnsBesideADecimalAlone) {
  auto connection = server.connect();
  execute(*connection,
          "CREATE TABLE paid (at TIMESTAMP, amount DECIMAL(10,2), note BIGINT, rate DECIMAL(30,10))"
          " TIMESTAMP(at) PARTITION BY MONTH");
  EXPECT_EQ(write("paid amount=1.25 1\npaid amount=2.50 2\npaid amount=3.75,rate=0.5 3\n").status, 204);
  EXPECT_EQ(value("SELECT string_agg(concat_ws('/', amount, note, rate), ' ' ORDER BY at) FROM paid"),
            "1.25 2.50 3.75/0.5000000000");
}

TEST_F(LineProtocolTest, UnderstandsVersionTwoAndPrecisions) {
  EXPECT_EQ(write("p v=1 1700000000000\n", "/api/v2/write?org=o&bucket=b&precision=ms").status, 204);
  EXPECT_EQ(write("p v=2 1700000001000000000\n", "/api/v2/write?org=o&bucket=b").status, 204);
  EXPECT_EQ(write("p v=3 472222\n", "/write?db=x&precision=h").status, 204);
  EXPECT_EQ(value("SELECT string_agg(v::text || '@' || timestamp::text, ';' ORDER BY v) FROM p"),
            "1@2023-11-14 22:13:20;2@2023-11-14 22:13:21;3@2023-11-14 22:00:00");
  EXPECT_EQ(write("p v=1 1\n", "/write?precision=days").status, 400);
  EXPECT_EQ(http_request(server.http_port(), "GET", "/ping").status, 204);
  EXPECT_EQ(http_request(server.http_port(), "GET", "/health").status, 200);
  EXPECT_EQ(http_request(server.http_port(), "GET", "/write").status, 405);
  EXPECT_EQ(http_request(server.http_port(), "GET", "/nothing").status, 404);
}

// Lines, and characters in them, go on from one piece of the body to the next.
TEST_F(LineProtocolTest, TakesBodiesHoweverTheyAreCut) {
  const std::string lines =
      "cut,t=ü v=1,s=\"a\nö\" 1\ncut,t=\xff v=2 2\nnew,t=x w=1 3\ncut,t=é v=3,z=4 4\nbroken";
  SocketClient client(server.http_port());
  client.send("POST /write?precision=s HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n");
  for (const char byte : lines) {
    client.send(std::string("1\r\n") + byte + "\r\n");
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  client.send("0\r\n\r\n");
  EXPECT_THAT(client.receive_some(),
              HasSubstr("\"accepted\":3,\"rejected\":2,\"line\":3,\"errors\":[{\"line\":3,\"reason\":"
                        "\"the line is not valid UTF-8\"},{\"line\":6,"));
  EXPECT_EQ(value("SELECT string_agg(concat_ws('|', t, v, s, z), ';' ORDER BY v) FROM cut"),
            "ü|1|a\nö;é|3|4");
  EXPECT_EQ(value("SELECT w FROM new"), "1");
}

TEST_F(LineProtocolTest, StoresNothingOfASenderThatVanishes) {
  std::string lines;
  for (int i = 0; i < 100'000; ++i) lines += "gone v=" + std::to_string(i) + " " + std::to_string(i) + "\n";
  {
    SocketClient client(server.http_port());
    client.send("POST /write?precision=s HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100000000\r\n\r\n" +
                lines);
  }
  while (value("SELECT count(*) FROM sessions() WHERE application_name = 'http'") != "0") {}
  EXPECT_EQ(value("SELECT to_regclass('gone') IS NULL"), "t");
}

// The sender gets to know why, and goes on with the same connection.
TEST_F(LineProtocolTest, ReadsABodyThatItRefuses) {
  HttpClient client(server.http_port());
  EXPECT_EQ(client.request("POST", "/exec", "SET default_transaction_read_only = on").status, 200);
  const HttpResponse refused = client.request("POST", "/write", std::string(4 << 20, '\n') + "m v=1\n");
  EXPECT_EQ(refused.status, 403) << refused.body;
  EXPECT_EQ(client.request("POST", "/exec", "SET default_transaction_read_only = off").status, 200);
  EXPECT_EQ(client.request("POST", "/write", "m v=1\n").status, 204);
}

TEST_F(LineProtocolTest, TakesStreamsOverTcp) {
  constexpr int kSenders = 4, kLines = 5'000;
  std::vector<std::thread> senders;
  for (int s = 0; s < kSenders; ++s) {
    senders.emplace_back([&, s] {
      SocketClient client(server.line_port());
      std::string lines;
      for (int i = 0; i < kLines; ++i) {
        lines += "tcp,sender=" + std::to_string(s) + " v=" + std::to_string(i) + "i " +
                 std::to_string(1'700'000'000'000'000'000 + i * 1'000'000LL) + "\n";
        if (lines.size() > 7'001) {
          client.send(lines.substr(0, 7'001));  // pieces end within lines
          lines.erase(0, 7'001);
        }
      }
      lines.pop_back();  // the last line without its end
      client.send(lines);
      client.shut_down_writing();
      EXPECT_EQ(client.receive_all(), "");  // closed when all is stored
    });
  }
  for (std::thread& sender : senders) sender.join();
  EXPECT_EQ(value("SELECT count(*) || '|' || sum(v) FROM tcp"),
            std::to_string(kSenders * kLines) + "|" +
                std::to_string(int64_t{kSenders} * kLines * (kLines - 1) / 2));
}

TEST_F(LineProtocolTest, LosesNothingThatWasAcknowledged) {
  for (int i = 0; i < 5; ++i) {
    EXPECT_EQ(write("k,t=a v=" + std::to_string(i) + " " + std::to_string(1'700'000'000 + i) + "\n").status,
              204);
    server.restart();
    EXPECT_EQ(value("SELECT count(*) FROM k"), std::to_string(i + 1));
  }
}

TEST_F(LineProtocolTest, ManySendersCreateOneTable) {
  std::vector<std::thread> senders;
  for (int s = 0; s < 8; ++s) {
    senders.emplace_back([&, s] {
      for (int i = 0; i < 10; ++i) {
        const std::string name = std::to_string(i);
        const HttpResponse answer = write("many" + name + ",s=" + std::to_string(s) + " f" +
                                          std::to_string(s % 3) + "=1 1700000000\n");
        EXPECT_EQ(answer.status, 204) << answer.body;
      }
    });
  }
  for (std::thread& sender : senders) sender.join();
  for (int i = 0; i < 10; ++i) EXPECT_EQ(value("SELECT count(*) FROM many" + std::to_string(i)), "8");
}

TEST(LineProtocolAuthentication, ChecksPasswords) {
  TestServer server;
  execute(*server.connect(), "ALTER USER admin PASSWORD 'Geheim-7'");
  server.terminate();
  server.set_arguments({"--auth", "scram", "--http-port", "0"});
  server.start();
  const auto status = [&](const std::string& header, const std::string& path) {
    return http_request(server.http_port(), "POST", path, "a v=1 1\n", header).status;
  };
  EXPECT_EQ(status("", "/write"), 401);
  EXPECT_EQ(status("Authorization: Token admin:wrong\r\n", "/write"), 401);
  EXPECT_EQ(status("Authorization: Token nobody:x\r\n", "/write"), 401);
  EXPECT_EQ(status("Authorization: Token admin:Geheim-7\r\n", "/write"), 204);
  EXPECT_EQ(status("Authorization: Basic YWRtaW46R2VoZWltLTc=\r\n", "/api/v2/write"), 204);
  EXPECT_EQ(status("", "/write?u=admin&p=Geheim-7"), 204);
  server.terminate();
  server.set_arguments({"--auth", "scram", "--line-port", "0"});
  EXPECT_THROW(server.start(), std::runtime_error);
}

}  // namespace
}  // namespace idem::test
