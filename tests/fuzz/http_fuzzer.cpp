#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "common/error.h"
#include "server/http_message.h"
#include "server/http_request_parser.h"
#include "server/multipart_reader.h"

// Any bytes are requests or fail with SqlError, however they are cut into pieces, and the parser holds no more than a header and what came
// with it. Bodies are read as forms with files. The first byte says how long the pieces are.
namespace {

void require(bool holds) {
  if (!holds) std::abort();
}

void read_form(const idem::HttpRequest& request, std::string body) {
  size_t given = 0;
  idem::MultipartReader reader(idem::multipart_boundary(request.header("content-type")), [&] {
    const std::string piece = body.substr(0, 7);
    body.erase(0, piece.size());
    given += piece.size();
    return piece;
  });
  size_t read = 0;
  while (reader.next_part()) {
    for (std::string piece = reader.read_part(); !piece.empty(); piece = reader.read_part())
      read += piece.size();
    require(read <= given);
  }
}

void take(const idem::HttpRequest& request, std::string body) {
  try {
    idem::check_http_origin(request, body.size() % 2 == 0);
    idem::http_credentials(request);
    std::map<std::string, std::string> parameters;
    idem::parse_http_parameters(body, &parameters);
    read_form(request, std::move(body));
  } catch (const idem::SqlError& error) { require(idem::http_status_of(error) < 500); }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  const size_t piece = size_t{1} << (data[0] & 15);
  std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  idem::HttpRequestParser parser;
  std::string body;
  bool in_body = false;
  try {
    while (!bytes.empty()) {
      const std::span<char> space = parser.space();
      require(!space.empty());
      const size_t count = std::min({piece, bytes.size(), space.size()});
      std::copy_n(bytes.begin(), count, space.begin());
      parser.filled(count);
      bytes.remove_prefix(count);
      while (in_body || parser.parse_header()) {
        in_body = true;
        body += parser.parse_body();
        require(body.size() < size);
        if (parser.has_body_to_come()) break;
        take(parser.request(), std::exchange(body, {}));
        parser.begin();
        in_body = false;
      }
    }
  } catch (const idem::SqlError& error) {
    require(error.sqlstate() == idem::sqlstate::kProtocolViolation ||
            error.sqlstate() == idem::sqlstate::kProgramLimitExceeded);
  }
  return 0;
}
