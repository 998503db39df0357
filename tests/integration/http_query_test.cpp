#include <chrono>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <thread>

#include "tests/harness/socket_client.h"
#include "tests/harness/test_server.h"

namespace idem::test {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

class HttpQueryTest : public ::testing::Test {
 protected:
  TestServer server{{.arguments = {"--http-port", "0"}}};
  HttpClient client{server.http_port()};

  HttpResponse exec(const std::string& sql, const std::string& more = "") {
    return client.request("GET", "/exec?query=" + url_encoded(sql) + more);
  }
  std::string dataset(const std::string& sql, const std::string& more = "") {
    const std::string body = exec(sql, more).body;
    const size_t begin = body.find("\"dataset\":");
    return begin == body.npos ? body : body.substr(begin + 10, body.find(",\"count\"") - begin - 10);
  }
};

TEST_F(HttpQueryTest, AnswersRowsWithTheirTypes) {
  const HttpResponse answer = exec("SELECT 1 AS n, 'a\"b' AS t");
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(
      answer.body,
      "{\"query\":\"SELECT 1 AS n, 'a\\\"b' AS "
      "t\",\"columns\":[{\"name\":\"n\",\"type\":\"INTEGER\",\"pg_type\":\"integer\"},"
      "{\"name\":\"t\",\"type\":\"TEXT\",\"pg_type\":\"text\"}],\"dataset\":[[1,\"a\\\"b\"]],\"count\":1}\n");
  EXPECT_EQ(dataset("SELECT true, 2::smallint, 9007199254740993, 0.1::double, 'NaN'::double, "
                    "1.50::decimal(5,2), NULL::int"),
            "[[true,2,9007199254740993,0.1,\"NaN\",1.50,null]]");
  EXPECT_EQ(
      dataset("SELECT '2024-01-15 10:00:01.25'::timestamp, '2024-01-15'::timestamp, '2024-01-15'::date, "
              "'infinity'::timestamp"),
      "[[\"2024-01-15T10:00:01.250000Z\",\"2024-01-15T00:00:00.000000Z\",\"2024-01-15\",\"infinity\"]]");
  EXPECT_EQ(dataset("SELECT '{\"a\": [1]}'::json, ARRAY[1.5, 2], "
                    "'6ba7b810-9dad-11d1-80b4-00c04fd430c8'::uuid, INTERVAL '1 day'"),
            "[[{\"a\": [1]},[1.5,2],\"6ba7b810-9dad-11d1-80b4-00c04fd430c8\",\"1 day\"]]");
  EXPECT_EQ(dataset("SELECT 1::bigint, 2.5::decimal(3,1), 3", "&quoteLargeNum=true"), "[[\"1\",\"2.5\",3]]");
  EXPECT_EQ(exec("SELECT 1 AS n", "&nm=true").body, "{\"dataset\":[[1]],\"count\":1}\n");
  EXPECT_EQ(dataset("SELECT 1 WHERE false"), "[]");
}

TEST_F(HttpQueryTest, TakesPagesAndCounts) {
  const std::string sql = "SELECT * FROM generate_series(1, 5000) g";
  EXPECT_EQ(exec(sql, "&limit=2&nm=true").body, "{\"dataset\":[[1],[2]],\"count\":2}\n");
  EXPECT_EQ(exec(sql, "&limit=4098,4100&nm=true").body, "{\"dataset\":[[4099],[4100]],\"count\":4100}\n");
  EXPECT_EQ(exec(sql, "&limit=4999,6000&nm=true").body, "{\"dataset\":[[5000]],\"count\":5000}\n");
  EXPECT_EQ(exec(sql, "&limit=0,1&count=true&nm=true").body, "{\"dataset\":[[1]],\"count\":5000}\n");
  EXPECT_EQ(exec(sql, "&limit=5,5").status, 400);
  const std::string timed = exec(sql, "&limit=1&timings=true&explain=true").body;
  EXPECT_THAT(timed, HasSubstr("\"explain\":[\""));
  EXPECT_THAT(timed, HasSubstr("\"timings\":{\"compile_us\":"));
}

TEST_F(HttpQueryTest, ChangesTables) {
  EXPECT_THAT(
      exec("CREATE TABLE t (ts TIMESTAMP, v INT) TIMESTAMP(ts) PARTITION BY DAY DEDUP UPSERT KEYS(ts)").body,
      HasSubstr("\"ddl\":\"OK\",\"tag\":\"CREATE TABLE\""));
  EXPECT_THAT(
      exec("INSERT INTO t VALUES ('2024-01-01', 1), ('2024-01-02', 2)").body,
      HasSubstr("\"dml\":\"OK\",\"tag\":\"INSERT 0 "
                "2\",\"updated\":2,\"written\":{\"inserted\":2,\"replaced\":0,\"skipped\":0,\"deleted\":0}"));
  EXPECT_THAT(exec("INSERT INTO t VALUES ('2024-01-01', 1), ('2024-01-02', 3)").body,
              HasSubstr("{\"inserted\":0,\"replaced\":1,\"skipped\":1,\"deleted\":0}"));
  EXPECT_EQ(dataset("DELETE FROM t WHERE v = 1 RETURNING v"), "[[1]]");
  // All statements are one transaction, and the last one is answered.
  EXPECT_EQ(exec("DELETE FROM t; SELECT 1/0").status, 400);
  EXPECT_EQ(dataset("INSERT INTO t VALUES ('2024-01-03', 4); SELECT count(*) FROM t"), "[[2]]");
  // A transaction spans the requests of a connection.
  exec("BEGIN");
  exec("DELETE FROM t");
  EXPECT_EQ(dataset("SELECT count(*) FROM t"), "[[0]]");
  EXPECT_EQ(
      http_request(server.http_port(), "GET", "/exec?nm=true&query=" + url_encoded("SELECT count(*) FROM t"))
          .body,
      "{\"dataset\":[[2]],\"count\":1}\n");
  exec("ROLLBACK");
  EXPECT_EQ(dataset("SELECT count(*) FROM t"), "[[2]]");
  EXPECT_THAT(exec("COMMIT").body,
              HasSubstr("\"notices\":[{\"severity\":\"WARNING\",\"sqlstate\":\"25P01\""));
  EXPECT_THAT(exec("").body, HasSubstr("\"ddl\":\"OK\",\"tag\":\"\""));
}

TEST_F(HttpQueryTest, BindsArguments) {
  EXPECT_EQ(
      dataset("SELECT $1::int + 1, $2, $3::text IS NULL", "&args=" + url_encoded("[41, \"x'y\", null]")),
      "[[42,\"x'y\",true]]");
  const auto post = [&](const std::string& body, const std::string& type) {
    return client.request("POST", "/exec?nm=true", body, "Content-Type: " + type + "\r\n");
  };
  EXPECT_EQ(post("{\"query\": \"SELECT $1::bigint\", \"args\": [9007199254740993], \"limit\": 1}",
                 "application/json")
                .body,
            "{\"dataset\":[[9007199254740993]],\"count\":1}\n");
  EXPECT_EQ(post("query=SELECT+2%2B1&timings=false", "application/x-www-form-urlencoded; charset=utf-8").body,
            "{\"dataset\":[[3]],\"count\":1}\n");
  EXPECT_EQ(post("SELECT 'plain'", "text/plain").body, "{\"dataset\":[[\"plain\"]],\"count\":1}\n");
  EXPECT_EQ(post("{\"query\": ", "application/json").status, 400);
  EXPECT_EQ(exec("SELECT $1", "&args=[1,2]").status, 400);
}

TEST_F(HttpQueryTest, ReportsErrors) {
  const HttpResponse unknown = exec("SELECT 'ä', x FROM generate_series(1, 2)");
  EXPECT_EQ(unknown.status, 400);
  EXPECT_THAT(
      unknown.body,
      HasSubstr("\"error\":\"column \\\"x\\\" does not exist\",\"sqlstate\":\"42703\",\"position\":13"));
  EXPECT_THAT(client.request("GET", "/exec").body, HasSubstr("\\\"query\\\" is missing"));
  EXPECT_THAT(exec("SELECT 1", "&lmit=3").body, HasSubstr("unknown parameter"));
  EXPECT_EQ(exec("SELECT pg_sleep(10)", "&timeout=50").status, 503);
  EXPECT_EQ(exec("COPY (SELECT 1) TO STDOUT").status, 400);
  EXPECT_EQ(client.request("DELETE", "/exec").status, 405);
  // After rows are on their way.
  const HttpResponse late = exec("SELECT 1/(99999 - g) FROM generate_series(1, 200000) g", "&nm=true");
  EXPECT_EQ(late.status, 200);
  EXPECT_THAT(late.body, StartsWith("{\"dataset\":[[0],"));
  EXPECT_THAT(late.body, HasSubstr("\"error\":\"division by zero\",\"sqlstate\":\"22012\""));
  EXPECT_EQ(exec("SELECT 1").status, 200);  // the connection goes on
}

TEST_F(HttpQueryTest, WritesCsv) {
  const auto exp = [&](const std::string& sql, const std::string& more = "") {
    return client.request("GET", "/exp?query=" + url_encoded(sql) + more);
  };
  EXPECT_EQ(exp("SELECT 1 AS a, 'x,y' AS \"b c\", NULL::int AS c").body, "a,b c,c\n1,\"x,y\",\n");
  EXPECT_EQ(exp("SELECT g, g * 2 FROM generate_series(1, 5) g", "&limit=1,3&nm=true&delimiter=;").body,
            "2;4\n3;6\n");
  EXPECT_EQ(exec("SELECT 5 AS n", "&fmt=csv").body, "n\n5\n");
  EXPECT_EQ(exp("SELECT nothing").status, 400);
  EXPECT_FALSE(exp("SELECT 1/(99999 - g) FROM generate_series(1, 200000) g").is_whole);
}

TEST_F(HttpQueryTest, HoldsBackQueriesOfSlowReaders) {
  SocketClient slow(server.http_port());
  slow.send(
      "GET /exp?query=" + url_encoded("SELECT g, repeat('x', 1000) FROM generate_series(1, 2000000) g") +
      " HTTP/1.1\r\nHost: localhost\r\n\r\n");
  EXPECT_THAT(slow.receive_some(), StartsWith("HTTP/1.1 200"));
  for (int i = 0; i < 20; ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
    EXPECT_LT(server.resident_bytes(), uint64_t{400} << 20);
  }
}

TEST_F(HttpQueryTest, CancelsWhenTheClientHasGone) {
  const auto connection = server.connect();
  {
    SocketClient leaver(server.http_port());
    leaver.send("GET /exec?query=" + url_encoded("SELECT pg_sleep(600)") +
                " HTTP/1.1\r\nHost: localhost\r\n\r\n");
    while (value_of(
               *connection,
               "SELECT count(*) FROM sessions() WHERE query LIKE 'SELECT pg_sleep%' AND state = 'active'") !=
           "1") {}
  }
  while (value_of(*connection, "SELECT count(*) FROM sessions() WHERE application_name = 'http'") != "0") {}
}

TEST_F(HttpQueryTest, AnswersPipelinedRequestsInOrder) {
  SocketClient socket(server.http_port());
  const std::string head = " HTTP/1.1\r\nHost: localhost\r\n";
  socket.send("GET /exec?nm=true&query=SELECT+1" + head + "\r\nGET /exec?nm=true&query=SELECT+2" + head +
              "\r\nGET /ping" + head + "Connection: close\r\n\r\n");
  const std::string all = socket.receive_all();
  const size_t first = all.find("[[1]]"), second = all.find("[[2]]"), third = all.find("204 No Content");
  EXPECT_LT(first, second);
  EXPECT_LT(second, third);
  EXPECT_NE(third, all.npos);
}

TEST_F(HttpQueryTest, RefusesWhatOtherSitesAskFor) {
  const auto status = [&](const std::string& headers) {
    return client.request("GET", "/exec?query=SELECT+1", "", headers).status;
  };
  EXPECT_EQ(status("Origin: http://localhost\r\n"), 200);
  EXPECT_EQ(status("Origin: http://evil.example\r\n"), 403);
  EXPECT_EQ(status("Origin: null\r\n"), 403);
  EXPECT_EQ(status("Sec-Fetch-Site: cross-site\r\n"), 403);
  EXPECT_EQ(status("Sec-Fetch-Site: same-origin\r\n"), 200);
  // Which a proxy would send; its host counts.
  EXPECT_EQ(http_request(server.http_port(), "GET", "http://rebound.example:9000/exec?query=SELECT+1").status,
            403);
  EXPECT_EQ(http_request(server.http_port(), "GET", "http://localhost:9000/exec?query=SELECT+1").status, 200);
}

TEST_F(HttpQueryTest, SaysWhatAPathTakes) {
  const HttpResponse answer = http_request(server.http_port(), "OPTIONS", "/exec");
  EXPECT_EQ(answer.status, 204);
  EXPECT_THAT(answer.head, HasSubstr("Allow: GET, POST\r\n"));
  EXPECT_EQ(http_request(server.http_port(), "OPTIONS", "*").status, 204);
  EXPECT_EQ(http_request(server.http_port(), "OPTIONS", "/nothing").status, 404);
  EXPECT_EQ(http_request(server.http_port(), "DELETE", "/exec").status, 405);
}

TEST_F(HttpQueryTest, RefusesWhatIsNoHttp) {
  SocketClient socket(server.http_port());
  socket.send("QUERY\r\n\r\n");
  EXPECT_THAT(socket.receive_all(), StartsWith("HTTP/1.1 400"));
  SocketClient large(server.http_port());
  large.send("GET / HTTP/1.1\r\nX: " + std::string(100'000, 'x') + "\r\n\r\n");
  EXPECT_THAT(large.receive_all(), StartsWith("HTTP/1.1 431"));
  SocketClient coded(server.http_port());
  coded.send("POST /exec HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: gzip, chunked\r\n\r\n");
  EXPECT_THAT(coded.receive_all(), StartsWith("HTTP/1.1 501"));
  SocketClient identity(server.http_port());
  identity.send("POST /exec HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: identity\r\n\r\n");
  EXPECT_THAT(identity.receive_all(), StartsWith("HTTP/1.1 501"));
  SocketClient folded(server.http_port());
  folded.send("GET /ping HTTP/1.1\r\nHost: localhost\r\nX: a\r\n b\r\n\r\n");
  EXPECT_THAT(folded.receive_all(), StartsWith("HTTP/1.1 400"));
  // Refused before it comes.
  SocketClient huge(server.http_port());
  huge.send(
      "POST /exec HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9000000000\r\nExpect: 100-continue\r\n\r\n");
  EXPECT_THAT(huge.receive_all(), StartsWith("HTTP/1.1 413"));
}

TEST_F(HttpQueryTest, RefusesBodiesThatAreNoHttp) {
  const std::string head =
      "POST /imp?name=broken HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n";
  const std::string chunk = "8\r\na,b\n1,2\n\r\n", no_chunk = "zz\r\n3,4\n\r\n";
  SocketClient together(server.http_port());
  together.send(head + chunk + no_chunk);
  EXPECT_THAT(together.receive_all(), StartsWith("HTTP/1.1 400"));
  const auto connection = server.connect();
  SocketClient later(server.http_port());
  later.send(head + chunk);
  while (value_of(*connection, "SELECT count(*) FROM sessions() WHERE application_name = 'http'") == "0") {}
  later.send(no_chunk);
  EXPECT_THAT(later.receive_all(), StartsWith("HTTP/1.1 400"));
  EXPECT_EQ(value_of(*connection, "SELECT to_regclass('broken') IS NULL"), "t");
}

TEST(HttpQueryAuthentication, AsksForPasswords) {
  TestServer server;
  execute(*server.connect(), "ALTER USER admin PASSWORD 'Geheim-7'");
  execute(*server.connect(), "CREATE USER reader PASSWORD 'r'");
  server.terminate();
  server.set_arguments({"--auth", "scram", "--http-port", "0"});
  server.start();
  const auto exec = [&](const std::string& sql, const std::string& headers) {
    return http_request(server.http_port(), "GET", "/exec?query=" + url_encoded(sql), "", headers);
  };
  const HttpResponse refused = exec("SELECT 1", "");
  EXPECT_EQ(refused.status, 401);
  EXPECT_THAT(refused.head, HasSubstr("WWW-Authenticate: Basic"));
  EXPECT_THAT(exec("SELECT 1", "X-Requested-With: XMLHttpRequest\r\n").head,
              Not(HasSubstr("WWW-Authenticate")));
  EXPECT_EQ(exec("SELECT 1", "Authorization: Token reader:wrong\r\n").status, 401);
  EXPECT_EQ(exec("SELECT 1", "Authorization: Token reader:r\r\n").status, 200);
  EXPECT_EQ(exec("CREATE TABLE t (a INT)", "Authorization: Token reader:r\r\n").status, 403);
  HttpClient first(server.http_port());
  EXPECT_EQ(first.request("GET", "/exec?u=reader&p=r&query=SELECT+1").status, 200);
  EXPECT_EQ(first.request("GET", "/metrics?u=reader&p=r").status, 200);
}

}  // namespace
}  // namespace idem::test
