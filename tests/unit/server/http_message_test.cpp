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

std::string state_of(HttpRequest request, size_t limit) {
  try {
    return decode_http_body(request, limit);
  } catch (const SqlError& error) { return error.sqlstate(); }
}

TEST(HttpMessage, WritesAnswers) {
  HttpAnswer answer;
  answer.body = "{}";
  EXPECT_EQ(http_answer_bytes(answer, {}),
            "HTTP/1.1 200 OK\r\nServer: IdemDB\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}");
  EXPECT_EQ(http_answer_bytes(answer, {10, true, true}),
            "HTTP/1.1 200 OK\r\nServer: IdemDB\r\nContent-Type: application/json\r\nConnection: keep-alive\r\nContent-Length: 2\r\n\r\n");
  EXPECT_EQ(http_answer_bytes({204, "", "", ""}, {11, false, false}),
            "HTTP/1.1 204 No Content\r\nServer: IdemDB\r\nConnection: close\r\n\r\n");
  EXPECT_EQ(http_answer_bytes({401, "", "", "Basic"}, {}),
            "HTTP/1.1 401 Unauthorized\r\nServer: IdemDB\r\nWWW-Authenticate: Basic\r\nContent-Length: 0\r\n\r\n");
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
  request.authorization = "Basic " + base64_encode("bob:pass:word");
  EXPECT_EQ(http_credentials(request)->user, "bob");
  EXPECT_EQ(http_credentials(request)->password, "pass:word");
  request.authorization = "Token eve:secret";
  EXPECT_EQ(http_credentials(request)->password, "secret");
  request.authorization = "Bearer x";
  EXPECT_THROW(http_credentials(request), SqlError);
}

TEST(HttpMessage, UnpacksBodies) {
  std::string text;
  for (int i = 0; i < 100'000; ++i) text += "m v=" + std::to_string(i) + "\n";
  HttpRequest request;
  request.content_encoding = "gzip";
  request.body = gzip(text);
  EXPECT_EQ(state_of(request, text.size()), text);
  EXPECT_EQ(state_of(request, text.size() - 1), "54000");
  const std::string packed = request.body;
  request.body = packed.substr(0, packed.size() / 2);
  EXPECT_EQ(state_of(request, text.size()), "22P02");
  request.body = gzip("a v=1\n") + gzip("b v=1\n");  // members one after the other are one text
  EXPECT_EQ(state_of(request, 100), "a v=1\nb v=1\n");
  request.body = "plain";
  EXPECT_EQ(state_of(request, 100), "22P02");
  request.content_encoding = "br";
  EXPECT_EQ(state_of(request, 100), "22023");
  request.content_encoding = "";
  EXPECT_EQ(state_of(request, 100), "plain");
}

}  // namespace
}  // namespace idem
