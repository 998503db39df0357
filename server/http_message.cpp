#include "server/http_message.h"

#include <fmt/format.h>
#include <zlib.h>

#include <boost/beast/http/status.hpp>

#include "common/error.h"
#include "common/json_text.h"
#include "common/scram_verifier.h"

namespace idem {

namespace {

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

std::optional<std::string> percent_decode(std::string_view text, bool plus_is_space) {
  std::string out;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '+' && plus_is_space) {
      out += ' ';
    } else if (text[i] != '%') {
      out += text[i];
    } else {
      if (i + 2 >= text.size()) return std::nullopt;
      const int high = hex_digit(text[i + 1]), low = hex_digit(text[i + 2]);
      if (high < 0 || low < 0) return std::nullopt;
      out += static_cast<char>(high * 16 + low);
      i += 2;
    }
  }
  return out;
}

// Frees the inflater on every way out.
struct Inflater {
  z_stream stream{};
  Inflater() {
    constexpr int kGzip = 16;
    if (inflateInit2(&stream, kGzip + MAX_WBITS) != Z_OK) throw SqlError(sqlstate::kOutOfMemory, "could not start decompression");
  }
  ~Inflater() { inflateEnd(&stream); }
};

std::string gunzip(std::string_view bytes, size_t limit) {
  Inflater inflater;
  z_stream& stream = inflater.stream;
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
  stream.avail_in = static_cast<uInt>(bytes.size());
  std::string out;
  while (true) {
    const size_t begin = out.size();
    out.resize(std::max<size_t>(begin * 2, 64 * 1024));
    stream.next_out = reinterpret_cast<Bytef*>(out.data() + begin);
    stream.avail_out = static_cast<uInt>(out.size() - begin);
    const int code = inflate(&stream, Z_NO_FLUSH);
    out.resize(out.size() - stream.avail_out);
    if (out.size() > limit) throw sql_error(sqlstate::kProgramLimitExceeded, "the body has more than {} bytes", limit);
    if (code == Z_STREAM_END) {
      if (stream.avail_in == 0) return out;
      inflateReset(&stream);  // another member follows
      continue;
    }
    if (code != Z_OK || (stream.avail_in == 0 && stream.avail_out > 0))
      throw SqlError(sqlstate::kInvalidTextRepresentation, "the body is not valid gzip data");
  }
}

}  // namespace

std::string HttpRequest::parameter(const std::string& name) const {
  const auto found = query.find(name);
  return found == query.end() ? "" : found->second;
}

std::string http_answer_bytes(const HttpAnswer& answer, const HttpAnswerForm& form) {
  constexpr unsigned kNoContent = 204;
  const std::string_view reason = boost::beast::http::obsolete_reason(static_cast<boost::beast::http::status>(answer.status));
  std::string bytes = fmt::format("HTTP/1.1 {} {}\r\nServer: IdemDB\r\n", answer.status, reason);
  const auto field = [&](std::string_view name, std::string_view value) {
    if (!value.empty()) fmt::format_to(std::back_inserter(bytes), "{}: {}\r\n", name, value);
  };
  field("Content-Type", answer.content_type);
  field("WWW-Authenticate", answer.authenticate);
  if (!form.keep_alive) field("Connection", "close");
  else if (form.version < 11) field("Connection", "keep-alive");
  if (answer.status != kNoContent) field("Content-Length", std::to_string(answer.body.size()));
  bytes += "\r\n";
  if (!form.only_header && answer.status != kNoContent) bytes += answer.body;
  return bytes;
}

bool parse_http_target(std::string_view target, HttpRequest* request) {
  const size_t mark = target.find('?');
  const auto path = percent_decode(target.substr(0, mark), false);
  if (!path) return false;
  request->path = *path;
  std::string_view rest = mark == target.npos ? "" : target.substr(mark + 1);
  while (!rest.empty()) {
    const size_t end = rest.find('&');
    const std::string_view pair = rest.substr(0, end);
    rest = end == rest.npos ? "" : rest.substr(end + 1);
    if (pair.empty()) continue;
    const size_t equals = pair.find('=');
    const auto name = percent_decode(pair.substr(0, equals), true);
    const auto value = percent_decode(equals == pair.npos ? "" : pair.substr(equals + 1), true);
    if (!name || !value) return false;
    request->query[*name] = *value;
  }
  return true;
}

std::optional<HttpCredentials> http_credentials(const HttpRequest& request) {
  const auto split = [](std::string_view text) {
    const size_t colon = text.find(':');
    HttpCredentials credentials{std::string(text.substr(0, colon)), std::nullopt};
    if (colon != text.npos) credentials.password = text.substr(colon + 1);
    return credentials;
  };
  const std::string_view header = request.authorization;
  if (header.starts_with("Basic ")) {
    const auto text = base64_decode(header.substr(6));
    if (!text) throw SqlError(sqlstate::kInvalidAuthorization, "the Authorization header is not valid base64");
    return split(*text);
  }
  if (header.starts_with("Token ")) return split(header.substr(6));
  if (!header.empty()) throw SqlError(sqlstate::kInvalidAuthorization, "unsupported Authorization: Basic or Token user:password was expected");
  if (!request.query.contains("u")) return std::nullopt;
  HttpCredentials credentials{request.parameter("u"), std::nullopt};
  if (request.query.contains("p")) credentials.password = request.parameter("p");
  return credentials;
}

std::string decode_http_body(HttpRequest& request, size_t limit) {
  if (request.content_encoding.empty() || request.content_encoding == "identity") return std::move(request.body);
  if (request.content_encoding != "gzip")
    throw sql_error(sqlstate::kInvalidParameterValue, "unsupported Content-Encoding \"{}\": gzip was expected", request.content_encoding);
  return gunzip(request.body, limit);
}

std::string http_error_body(std::string_view code, std::string_view message, std::string_view members) {
  const std::string text = json_quoted(message);
  return fmt::format("{{\"code\":{},\"message\":{},\"error\":{}{}{}}}\n", json_quoted(code), text, text, members.empty() ? "" : ",", members);
}

}  // namespace idem
