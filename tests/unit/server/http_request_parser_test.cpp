#include "server/http_request_parser.h"

#include <algorithm>
#include <fmt/format.h>
#include <gtest/gtest.h>

#include "tests/unit/common/expect_sql_error.h"

namespace idem {
namespace {

// What comes out of the bytes, which come in pieces: "METHOD path [body]" for each request.
std::string requests_of(std::string_view bytes, size_t piece) {
  HttpRequestParser parser;
  std::string out, body;
  bool in_body = false;
  while (!bytes.empty()) {
    const std::span<char> space = parser.space();
    const size_t count = std::min({piece, bytes.size(), space.size()});
    std::copy_n(bytes.begin(), count, space.begin());
    parser.filled(count);
    bytes.remove_prefix(count);
    while (in_body || parser.parse_header()) {
      in_body = true;
      body += parser.parse_body();
      if (parser.has_body_to_come()) break;
      out += parser.request().method + " " + parser.request().path + " [" + std::exchange(body, {}) + "] ";
      parser.begin();
      in_body = false;
    }
  }
  return out;
}

TEST(HttpRequestParser, TakesRequestsHoweverTheyAreCut) {
  const std::string bytes =
      "GET /a?x=1 HTTP/1.1\r\nHost: h\r\n\r\nPOST /b HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nhello"
      "\r\n\r\nPOST /c HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: "
      "chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\nHEAD /d "
      "HTTP/1.0\r\n\r\n"
      "PUT /e HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n";
  for (size_t piece = 1; piece <= bytes.size(); ++piece)
    EXPECT_EQ(requests_of(bytes, piece), "GET /a [] POST /b [hello] POST /c [abcde] HEAD /d [] PUT /e [] ")
        << piece;
}

TEST(HttpRequestParser, TellsWhatTheAnswerIsLike) {
  HttpRequestParser parser;
  const std::string_view text =
      "POST /x HTTP/1.0\r\nConnection: keep-alive\r\nExpect: 100-Continue\r\nX-Up: Value\r\nContent-Length: "
      "1\r\n\r\n";
  std::copy(text.begin(), text.end(), parser.space().begin());
  parser.filled(text.size());
  ASSERT_TRUE(parser.parse_header());
  EXPECT_EQ(parser.form().version, 10u);
  EXPECT_TRUE(parser.form().keep_alive);
  EXPECT_FALSE(parser.form().only_header);
  EXPECT_TRUE(parser.expects_continue());
  EXPECT_EQ(parser.request().header("x-up"), "Value");
}

// RFC 9112, 3.2 and 6.1.
TEST(HttpRequestParser, WantsOneHostAndKnowsOneCoding) {
  const auto request = [](const std::string& target, const std::string& fields) {
    HttpRequestParser parser;
    const std::string text = "GET " + target + fields + "\r\n";
    std::copy(text.begin(), text.end(), parser.space().begin());
    parser.filled(text.size());
    EXPECT_TRUE(parser.parse_header());
    return parser.request();
  };
  expect_sql_error("08P01", "a request has one Host header", [&] { request("/ HTTP/1.1\r\n", ""); });
  expect_sql_error("08P01", "a request has one Host header",
                   [&] { request("/ HTTP/1.1\r\n", "Host: a\r\nHost: a\r\n"); });
  expect_sql_error("08P01", "a request has one Host header",
                   [&] { request("/ HTTP/1.0\r\n", "Host: a\r\nHost: b\r\n"); });
  expect_sql_error("08P01", "the host of the request is not valid",
                   [&] { request("/ HTTP/1.1\r\n", "Host: a b\r\n"); });
  expect_sql_error("08P01", "the host of the request is not valid",
                   [&] { request("http://user@h/ HTTP/1.1\r\n", "Host: h\r\n"); });
  for (const char* coding : {"gzip, chunked", "identity", "", "chunked, identity", "xchunked"})
    expect_sql_error("0A000", fmt::format("Transfer-Encoding \"{}\" is not supported", coding), [&] {
      request("/ HTTP/1.1\r\n", fmt::format("Host: h\r\nTransfer-Encoding: {}\r\n", coding));
    });
  expect_sql_error("0A000", "Transfer-Encoding \"identity, chunked\" is not supported", [&] {
    request("/ HTTP/1.1\r\n", "Host: h\r\nTransfer-Encoding: identity\r\nTransfer-Encoding: chunked\r\n");
  });
  expect_sql_error("08P01", "Transfer-Encoding is unknown to HTTP/1.0",
                   [&] { request("/ HTTP/1.0\r\n", "Transfer-Encoding: chunked\r\n"); });
  EXPECT_NO_THROW(request("/ HTTP/1.1\r\n", "Host: h\r\nTransfer-Encoding: Chunked\r\n"));
  EXPECT_EQ(request("/ HTTP/1.0\r\n", "").header("host"), "");
  const HttpRequest absolute = request("HTTP://other:80/exec?query=a%20b HTTP/1.1\r\n", "Host: h\r\n");
  EXPECT_EQ(absolute.path, "/exec");
  EXPECT_EQ(absolute.parameter("query"), "a b");
  EXPECT_EQ(absolute.header("host"), "other:80");
  EXPECT_EQ(request("http://[::1]?u=x HTTP/1.1\r\n", "Host: h\r\n").path, "/");
}

TEST(HttpRequestParser, RefusesWhatIsNoHttp) {
  for (const char* text : {"QUERY\r\n\r\n", "GET / HTTP/1.1\r\nno colon\r\n\r\n",
                           "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nabc\r\n"})
    expect_sql_error("08P01", "", [&] { requests_of(text, 100); });
  // RFC 9112, 5.2; what follows the header may begin with a space.
  const std::string folded = "GET / HTTP/1.1\r\nHost: h\r\nX-Long: a\r\n\tb\r\n\r\n";
  for (size_t piece = 1; piece <= folded.size(); ++piece)
    expect_sql_error("08P01", "a line of the header begins with a space",
                     [&] { requests_of(folded, piece); });
  expect_sql_error("08P01", "the request is no HTTP: bad field",
                   [] { requests_of("GET / HTTP/1.1\r\n Host: h\r\n\r\n", 100); });
  EXPECT_EQ(requests_of("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\n x", 100), "POST / [ x] ");
  expect_sql_error("54000", "the header is too large",
                   [] { requests_of("GET / HTTP/1.1\r\nX: " + std::string(200'000, 'x'), 5000); });
}

}  // namespace
}  // namespace idem
