#include "server/http_message.h"

#include <algorithm>
#include <boost/beast/http/status.hpp>
#include <charconv>
#include <fmt/format.h>
#include <iterator>

#include "common/ascii.h"
#include "common/error.h"
#include "common/json_text.h"
#include "common/scram_verifier.h"
#include "common/utf8.h"
#include "common/utf8_repair.h"
#include "server/gzip_reader.h"

namespace idem {

namespace {

std::optional<std::string> percent_decode(std::string_view text, bool plus_is_space) {
  std::string out;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '+' && plus_is_space) {
      out += ' ';
    } else if (text[i] != '%') {
      out += text[i];
    } else {
      if (i + 2 >= text.size()) return std::nullopt;
      const int high = hex_digit_value(text[i + 1]), low = hex_digit_value(text[i + 2]);
      if (high < 0 || low < 0) return std::nullopt;
      out += static_cast<char>(high * 16 + low);
      i += 2;
    }
  }
  return out;
}

constexpr size_t kFlushBytes = 64 * 1024;

std::string value_or_empty(const std::map<std::string, std::string>& map, const std::string& name) {
  const auto found = map.find(name);
  return found == map.end() ? "" : found->second;
}

// "example.org:8080" without the port, "[::1]:80" without port and brackets.
std::string_view host_name(std::string_view host) {
  if (host.starts_with('[')) return host.substr(1, host.find(']') - 1);
  return host.substr(0, host.find(':'));
}

// Of the body, as it is sent. 0: it is not said.
size_t announced_bytes(const HttpRequest& request) {
  const std::string length = request.header("content-length");
  size_t bytes = 0;
  std::from_chars(length.data(), length.data() + length.size(), bytes);
  return bytes;
}

bool is_address_or_localhost(std::string_view name) {
  return name == "localhost" || name.find(':') != name.npos ||
         name.find_first_not_of("0123456789.") == name.npos;
}

}  // namespace

std::string HttpRequest::parameter(const std::string& name) const { return value_or_empty(query, name); }
std::string HttpRequest::header(const std::string& name) const { return value_or_empty(headers, name); }

std::string HttpRequest::media_type() const {
  std::string type = utf8_lower(header("content-type"));
  type.resize(std::min(type.find_first_of("; "), type.size()));
  return type;
}

HttpAnswerBody::HttpAnswerBody(HttpChannel& channel, std::string content_type) : channel_(channel) {
  head_.content_type = std::move(content_type);
}

void HttpAnswerBody::flush_if_large() {
  if (bytes_.size() < kFlushBytes) return;
  if (!std::exchange(is_begun_, true)) channel_.begin_answer(head_);
  channel_.send(bytes_);
}

HttpAnswer HttpAnswerBody::finish() {
  head_.is = is_begun_ ? HttpAnswer::Body::kSent : HttpAnswer::Body::kWhole;
  head_.body = std::move(bytes_);
  return std::move(head_);
}

HttpAnswer HttpAnswerBody::cut() {
  head_.is = HttpAnswer::Body::kCut;
  return std::move(head_);
}

namespace {

std::string answer_head(const HttpAnswer& answer, const HttpAnswerForm& form, std::string_view length_field) {
  const std::string_view reason =
      boost::beast::http::obsolete_reason(static_cast<boost::beast::http::status>(answer.status));
  std::string bytes = fmt::format("HTTP/1.1 {} {}\r\nServer: IdemDB\r\n", answer.status, reason);
  const auto field = [&](std::string_view name, std::string_view value) {
    if (!value.empty()) fmt::format_to(std::back_inserter(bytes), "{}: {}\r\n", name, value);
  };
  field("Content-Type", answer.content_type);
  for (const auto& [name, value] : answer.headers) field(name, value);
  if (!form.keep_alive) field("Connection", "close");
  else if (form.version < kHttpVersionWithChunks) field("Connection", "keep-alive");
  return bytes.append(length_field).append("\r\n");
}

}  // namespace

std::string http_answer_bytes(const HttpAnswer& answer, const HttpAnswerForm& form) {
  const bool has_body = answer.status != 204 && answer.status != 304;
  std::string bytes =
      answer_head(answer, form, has_body ? fmt::format("Content-Length: {}\r\n", answer.body.size()) : "");
  if (!form.only_header && has_body) bytes += answer.body;
  return bytes;
}

std::string http_answer_head(const HttpAnswer& answer, const HttpAnswerForm& form) {
  return answer_head(answer, form,
                     form.version < kHttpVersionWithChunks ? "" : "Transfer-Encoding: chunked\r\n");
}

void append_http_chunk(std::string& out, std::string_view bytes, const HttpAnswerForm& form) {
  if (form.version < kHttpVersionWithChunks) {
    out.append(bytes);
    return;
  }
  fmt::format_to(std::back_inserter(out), "{:x}\r\n", bytes.size());
  out.append(bytes).append("\r\n");
}

std::string_view http_last_chunk(const HttpAnswerForm& form) {
  return form.version < kHttpVersionWithChunks ? "" : "0\r\n\r\n";
}

bool parse_http_target(std::string_view target, HttpRequest* request) {
  for (const std::string_view scheme : {"http://", "https://"}) {
    if (utf8_lower(target.substr(0, scheme.size())) != scheme) continue;
    target.remove_prefix(scheme.size());
    const size_t end = std::min(target.find_first_of("/?"), target.size());
    request->headers["host"] = std::string(target.substr(0, end));
    target.remove_prefix(end);
    if (!target.starts_with('/')) {
      request->path = "/";
      return target.empty() || parse_http_parameters(target.substr(1), &request->query);
    }
  }
  const size_t mark = target.find('?');
  const auto path = percent_decode(target.substr(0, mark), false);
  if (!path) return false;
  request->path = *path;
  return mark == target.npos || parse_http_parameters(target.substr(mark + 1), &request->query);
}

bool parse_http_parameters(std::string_view rest, std::map<std::string, std::string>* parameters) {
  while (!rest.empty()) {
    const size_t end = rest.find('&');
    const std::string_view pair = rest.substr(0, end);
    rest = end == rest.npos ? "" : rest.substr(end + 1);
    if (pair.empty()) continue;
    const size_t equals = pair.find('=');
    const auto name = percent_decode(pair.substr(0, equals), true);
    const auto value = percent_decode(equals == pair.npos ? "" : pair.substr(equals + 1), true);
    if (!name || !value) return false;
    (*parameters)[*name] = *value;
  }
  return true;
}

std::optional<HttpCredentials> http_credentials(const HttpRequest& request) {
  const auto split = [](std::string_view text) {
    const size_t colon = text.find(':');
    // What has no colon may be all secret, and names of users are written into the log.
    if (colon == text.npos)
      throw SqlError(sqlstate::kInvalidAuthorization,
                     "user:password was expected in the Authorization header");
    return HttpCredentials{std::string(text.substr(0, colon)), std::string(text.substr(colon + 1))};
  };
  const std::string header = request.header("authorization");
  if (header.starts_with("Basic ")) {
    const auto text = base64_decode(std::string_view(header).substr(6));
    if (!text)
      throw SqlError(sqlstate::kInvalidAuthorization, "the Authorization header is not valid base64");
    return split(*text);
  }
  if (header.starts_with("Token ")) return split(std::string_view(header).substr(6));
  if (!header.empty())
    throw SqlError(sqlstate::kInvalidAuthorization,
                   "unsupported Authorization: Basic or Token user:password was expected");
  if (!request.query.contains("u")) return std::nullopt;
  HttpCredentials credentials{request.parameter("u"), std::nullopt};
  if (request.query.contains("p")) credentials.password = request.parameter("p");
  return credentials;
}

std::function<std::string()> http_body_reader(const HttpRequest& request, HttpChannel& channel,
                                              size_t limit) {
  const std::string encoding = request.header("content-encoding");
  std::function<std::string()> read = [&channel] { return channel.read_body(); };
  const auto too_large = [limit] {
    return sql_error(sqlstate::kProgramLimitExceeded, "the body has more than {} bytes", limit);
  };
  if (announced_bytes(request) > limit) throw too_large();
  if (encoding == "gzip") {
    read = [gzip = std::make_shared<GzipReader>(read)] { return gzip->read_piece(); };
  } else if (!encoding.empty() && encoding != "identity") {
    throw sql_error(sqlstate::kInvalidParameterValue,
                    "unsupported Content-Encoding \"{}\": gzip was expected", encoding);
  }
  return [read, too_large, left = limit]() mutable {
    std::string piece = read();
    if (piece.size() > left) throw too_large();
    left -= piece.size();
    return piece;
  };
}

std::string read_http_body(const HttpRequest& request, HttpChannel& channel, size_t limit) {
  const std::function<std::string()> read = http_body_reader(request, channel, limit);
  std::string body;
  // So that it is not copied as it grows. Beyond that what is announced takes no memory before it comes.
  constexpr size_t kMostReserved = 16 << 20;
  body.reserve(std::min(announced_bytes(request), kMostReserved));
  for (std::string piece = read(); !piece.empty(); piece = read()) body += piece;
  return body;
}

void check_http_origin(const HttpRequest& request, bool has_passwords) {
  const std::string host = request.header("host"), origin = request.header("origin"),
                    site = request.header("sec-fetch-site");
  const size_t scheme = origin.find("://");
  const bool is_foreign = !origin.empty() && (scheme == origin.npos || origin.substr(scheme + 3) != host);
  if (is_foreign || site == "cross-site" || site == "same-site")
    throw SqlError(sqlstate::kInsufficientPrivilege, "requests on behalf of another site are refused");
  if (!has_passwords && !host.empty() && !is_address_or_localhost(host_name(host))) {
    throw sql_error(sqlstate::kInsufficientPrivilege,
                    "without passwords the host must be an address or localhost, not \"{}\"", host)
        .with_hint("Turn passwords on: auth = scram.");
  }
}

unsigned http_status_of(const SqlError& error) {
  const std::string_view state = error.sqlstate();
  if (state == sqlstate::kInvalidAuthorization || state == sqlstate::kInvalidPassword) return 401;
  if (state == sqlstate::kInsufficientPrivilege || state == sqlstate::kReadOnlySqlTransaction) return 403;
  if (state == sqlstate::kProgramLimitExceeded) return 413;
  const std::string_view kind = state.substr(0, 2);
  if (kind == "53" || kind == "57" || kind == "40" || kind == "58") return 503;
  return kind == "XX" ? 500 : 400;
}

std::string http_error_body(std::string_view code, std::string_view message, std::string_view members) {
  const std::string text = json_quoted(utf8_repaired(std::string(message)));
  return fmt::format("{{\"code\":{},\"message\":{},\"error\":{}{}{}}}\n", json_quoted(code), text, text,
                     members.empty() ? "" : ",", members);
}

}  // namespace idem
