#include "server/console_assets.h"

#include <algorithm>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace idem {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

HttpRequest request(const std::string& path, std::map<std::string, std::string> headers = {}) {
  HttpRequest request;
  request.method = "GET";
  request.path = path;
  request.headers = std::move(headers);
  return request;
}

std::string header(const HttpAnswer& answer, std::string_view name) {
  const auto found = std::find_if(answer.headers.begin(), answer.headers.end(),
                                  [&](const auto& field) { return field.first == name; });
  return found == answer.headers.end() ? "" : found->second;
}

TEST(ConsoleAssets, ArePackedOrNotAsTheClientLikes) {
  const HttpAnswer plain = console_answer(request("/"));
  EXPECT_EQ(plain.status, 200);
  EXPECT_EQ(plain.content_type, "text/html; charset=utf-8");
  EXPECT_THAT(plain.body, StartsWith("<!doctype html>"));
  EXPECT_EQ(header(plain, "Content-Encoding"), "");
  const HttpAnswer packed = console_answer(request("/", {{"accept-encoding", "gzip, deflate, br"}}));
  EXPECT_EQ(header(packed, "Content-Encoding"), "gzip");
  EXPECT_THAT(packed.body, StartsWith("\x1f\x8b"));
}

TEST(ConsoleAssets, AreNotSentToWhomHasThem) {
  const std::string tag = header(console_answer(request("/assets/console.js")), "ETag");
  ASSERT_NE(tag, "");
  const HttpAnswer again = console_answer(request("/assets/console.js", {{"if-none-match", tag}}));
  EXPECT_EQ(again.status, 304);
  EXPECT_EQ(again.body, "");
  EXPECT_EQ(console_answer(request("/assets/console.js", {{"if-none-match", "W/\"another\""}})).status, 200);
}

TEST(ConsoleAssets, ComeFromNowhereElse) {
  for (const ConsoleAsset& asset : console_assets()) {
    EXPECT_THAT(header(console_answer(request(std::string(asset.path))), "Content-Security-Policy"),
                HasSubstr("default-src 'none'"));
  }
  const std::string page = console_answer(request("/")).body;
  EXPECT_EQ(page.find("http://"), page.npos);
  EXPECT_EQ(page.find("https://"), page.npos);
  EXPECT_EQ(console_answer(request("/assets/nothing")).status, 404);
}

TEST(ConsoleAssets, CarryTheLicencesOfWhatIsInThem) {
  const std::string licences = console_answer(request("/assets/LICENSES.txt")).body;
  for (const char* package : {"@codemirror/view", "preact", "uplot"})
    EXPECT_THAT(licences, HasSubstr(package));
}

}  // namespace
}  // namespace idem
