#include "server/console_assets.h"

#include <algorithm>
#include <zlib.h>

#include "common/error.h"

namespace idem {

namespace {

constexpr std::string_view kContentSecurityPolicy =
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; base-uri "
    "'none'; form-action 'none'; "
    "frame-ancestors 'none'";

std::string unpacked(const ConsoleAsset& asset) {
  std::string out(asset.size, '\0');
  z_stream stream{};
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(asset.gzip.data()));
  stream.avail_in = static_cast<uInt>(asset.gzip.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  constexpr int kGzip = 16;
  if (inflateInit2(&stream, kGzip + MAX_WBITS) != Z_OK) throw std::bad_alloc();
  const int code = inflate(&stream, Z_FINISH);
  inflateEnd(&stream);
  if (code != Z_STREAM_END)
    throw sql_error(sqlstate::kInternalError, "{} was damaged by the build", asset.path);
  return out;
}

}  // namespace

HttpAnswer console_answer(const HttpRequest& request) {
  const auto assets = console_assets();
  const auto asset = std::find_if(assets.begin(), assets.end(),
                                  [&](const ConsoleAsset& known) { return known.path == request.path; });
  HttpAnswer answer;
  if (asset == assets.end()) {
    answer.status = 404;
    return answer;
  }
  answer.content_type = asset->content_type;
  // Names stay and contents change with the server: browsers are to ask each time.
  answer.headers = {{"Cache-Control", "no-cache"},
                    {"Content-Security-Policy", std::string(kContentSecurityPolicy)},
                    {"ETag", std::string(asset->entity_tag)},
                    {"Referrer-Policy", "no-referrer"},
                    {"Vary", "Accept-Encoding"},
                    {"X-Content-Type-Options", "nosniff"}};
  if (request.header("if-none-match").find(asset->entity_tag) != std::string::npos) {
    answer.status = 304;
  } else if (request.header("accept-encoding").find("gzip") != std::string::npos) {
    answer.headers.emplace_back("Content-Encoding", "gzip");
    answer.body = asset->gzip;
  } else {
    answer.body = unpacked(*asset);
  }
  return answer;
}

}  // namespace idem
