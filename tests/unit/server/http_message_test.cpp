#include "server/http_message.h"

#include <gtest/gtest.h>
#include <zlib.h>

#include "common/error.h"
#include "common/scram_verifier.h"

namespace idem {
namespace {

std::string gzip(const std::string& text) {
  z_stream stream{};
  deflateInit2(&stream, 6, Z_DEFLATED, 16 + MAX_WBITS, 8, Z_DEFAULT_STRATEGY);
  std::string out(deflateBound(&stream, text.size()) + 32, '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
  stream.avail_in = static_cast<uInt>(text.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  deflate(&stream, Z_FINISH);
  out.resize(stream.total_out);
  deflateEnd(&stream);
  return out;
}

// A body that comes piece by piece.
class BodyChannel final : public HttpChannel {
 public:
  BodyChannel(std::string body, size_t piece) : body_(std::move(body)), piece_(piece) {}
  std::string read_body() override {
    const std::string piece = body_.substr(0, piece_);
    body_.erase(0, piece.size());
    return piece;
  }
  void begin_answer(const HttpAnswer& head) override { sent += std::to_string(head.status) + ":"; }
  void send(std::string& bytes) override { sent += std::exchange(bytes, {}); }

  std::string sent;

 private:
  std::string body_;
  const size_t piece_;
};

// The text of the body, or the SQLSTATE.
std::string read_body(const std::string& encoding, const std::string& body, size_t limit) {
  HttpRequest request;
  request.headers["content-encoding"] = encoding;
  BodyChannel channel(body, 1000);
  try {
    return read_http_body(request, channel, limit);
  } catch (const SqlError& error) { return error.sqlstate(); }
}

TEST(HttpMessage, WritesAnswers) {
  HttpAnswer answer;
  answer.body = "{}\n";
  EXPECT_EQ(
      http_answer_bytes(answer, {}),
      "HTTP/1.1 200 OK\r\nServer: IdemDB\r\nContent-Type: application/json\r\nContent-Length: 3\r\n\r\n{}\n");
  EXPECT_EQ(http_answer_bytes(answer, {10, true, true}),
            "HTTP/1.1 200 OK\r\nServer: IdemDB\r\nContent-Type: application/json\r\nConnection: "
            "keep-alive\r\nContent-Length: 3\r\n\r\n");
  answer.status = 204;
  answer.content_type.clear();
  answer.headers = {{"ETag", "\"a\""}};
  EXPECT_EQ(http_answer_bytes(answer, {11, false, false}),
            "HTTP/1.1 204 No Content\r\nServer: IdemDB\r\nETag: \"a\"\r\nConnection: close\r\n\r\n");
}

TEST(HttpMessage, WritesAnswersPieceByPiece) {
  HttpAnswer head;
  EXPECT_EQ(http_answer_head(head, {}),
            "HTTP/1.1 200 OK\r\nServer: IdemDB\r\nContent-Type: application/json\r\nTransfer-Encoding: "
            "chunked\r\n\r\n");
  std::string out;
  append_http_chunk(out, "0123456789abcdef", {});
  out += http_last_chunk({});
  EXPECT_EQ(out, "10\r\n0123456789abcdef\r\n0\r\n\r\n");
  const HttpAnswerForm old{10, false, false};
  out.clear();
  append_http_chunk(out, "ab", old);
  out += http_last_chunk(old);
  EXPECT_EQ(out, "ab");
  EXPECT_EQ(
      http_answer_head(head, old),
      "HTTP/1.1 200 OK\r\nServer: IdemDB\r\nContent-Type: application/json\r\nConnection: close\r\n\r\n");

  BodyChannel channel("", 1);
  HttpAnswerBody body(channel, "text/csv");
  body.bytes() = "small";
  body.flush_if_large();
  EXPECT_EQ(channel.sent, "");
  body.bytes() += std::string(100'000, 'x');
  body.flush_if_large();
  EXPECT_EQ(channel.sent, "200:small" + std::string(100'000, 'x'));
  body.bytes() = "rest";
  const HttpAnswer last = body.finish();
  EXPECT_EQ(last.is, HttpAnswer::Body::kSent);
  EXPECT_EQ(last.body, "rest");
}

TEST(HttpMessage, KnowsWhoseRequestsItAnswers) {
  const auto state = [](std::map<std::string, std::string> headers, bool has_passwords) -> std::string {
    HttpRequest request;
    request.headers = std::move(headers);
    try {
      check_http_origin(request, has_passwords);
      return "";
    } catch (const SqlError& error) { return error.sqlstate(); }
  };
  EXPECT_EQ(state({}, false), "");
  EXPECT_EQ(state({{"host", "127.0.0.1:9000"}, {"origin", "http://127.0.0.1:9000"}}, false), "");
  EXPECT_EQ(state({{"host", "[::1]:9000"}}, false), "");
  EXPECT_EQ(state({{"host", "db.example:9000"}}, false), "42501");
  EXPECT_EQ(state({{"host", "db.example:9000"}, {"origin", "https://db.example:9000"}}, true), "");
  EXPECT_EQ(state({{"host", "db.example:9000"}, {"origin", "https://db.example:9001"}}, true), "42501");
  EXPECT_EQ(state({{"origin", "null"}}, true), "42501");
  EXPECT_EQ(state({{"sec-fetch-site", "same-site"}}, true), "42501");
  EXPECT_EQ(state({{"sec-fetch-site", "none"}}, true), "");
}

TEST(HttpMessage, SplitsTheTarget) {
  HttpRequest request;
  ASSERT_TRUE(parse_http_target("/api/v2/write?bucket=a%2Fb&org=x+y&flag&&precision=s", &request));
  EXPECT_EQ(request.path, "/api/v2/write");
  EXPECT_EQ(request.parameter("bucket"), "a/b");
  EXPECT_EQ(request.parameter("org"), "x y");
  EXPECT_EQ(request.parameter("flag"), "");
  EXPECT_EQ(request.parameter("precision"), "s");
  HttpRequest broken;
  EXPECT_FALSE(parse_http_target("/a%2", &broken));
  EXPECT_FALSE(parse_http_target("/a?x=%zz", &broken));
}

TEST(HttpMessage, FindsCredentials) {
  HttpRequest request;
  EXPECT_FALSE(http_credentials(request));
  request.query = {{"u", "ann"}, {"p", "1"}};
  EXPECT_EQ(http_credentials(request)->user, "ann");
  request.headers["authorization"] = "Basic " + base64_encode("bob:pass:word");
  EXPECT_EQ(http_credentials(request)->user, "bob");
  EXPECT_EQ(http_credentials(request)->password, "pass:word");
  request.headers["authorization"] = "Token eve:secret";
  EXPECT_EQ(http_credentials(request)->password, "secret");
  for (const std::string& wrong :
       {std::string("Bearer x"), std::string("Token secret"), "Basic " + base64_encode("secret")}) {
    request.headers["authorization"] = wrong;
    EXPECT_THROW(http_credentials(request), SqlError);
  }
}

TEST(HttpMessage, UnpacksBodies) {
  std::string text;
  for (int i = 0; i < 100'000; ++i) text += "m v=" + std::to_string(i) + "\n";
  const std::string packed = gzip(text);
  EXPECT_EQ(read_body("gzip", packed, text.size()), text);
  EXPECT_EQ(read_body("gzip", packed, text.size() - 1), "54000");
  EXPECT_EQ(read_body("gzip", packed.substr(0, packed.size() / 2), text.size()), "22P02");
  // Members one after the other are one text.
  EXPECT_EQ(read_body("gzip", gzip("a v=1\n") + gzip("b v=1\n"), 100), "a v=1\nb v=1\n");
  EXPECT_EQ(read_body("gzip", "plain", 100), "22P02");
  EXPECT_EQ(read_body("br", "plain", 100), "22023");
  EXPECT_EQ(read_body("", "plain", 100), "plain");
  EXPECT_EQ(read_body("identity", text, 5000), "54000");
}

}  // namespace
}  // namespace idem
