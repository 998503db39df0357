#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

namespace idem {

// Requests and answers of HTTP, apart from the connection that carries them.

struct HttpRequest {
  std::string method;                          // GET, POST, …
  std::string path;                            // decoded, without the query
  std::map<std::string, std::string> query;    // decoded; of equal names the last
  std::string authorization, content_encoding; // headers, "" if they are missing
  std::string body;                            // as it was sent

  std::string parameter(const std::string& name) const;  // "" if it is missing
};

struct HttpAnswer {
  unsigned status = 200;
  std::string content_type = "application/json", body;
  std::string authenticate;  // WWW-Authenticate, "" = none
};

struct HttpAnswerForm {
  unsigned version = 11;     // of the request: 10, 11
  bool keep_alive = true;
  bool only_header = false;  // HEAD: Content-Length stays what GET would have
};
std::string http_answer_bytes(const HttpAnswer& answer, const HttpAnswerForm& form);

// Splits "/write?precision=s&u=a%20b" into path and parameters. False if an escape is broken.
bool parse_http_target(std::string_view target, HttpRequest* request);

struct HttpCredentials {
  std::string user;
  std::optional<std::string> password;
};
// From `Authorization: Basic …`, `Authorization: Token user:password` (InfluxDB), or the parameters u and p. Nothing if there are none;
// throws 28000 for what cannot be read.
std::optional<HttpCredentials> http_credentials(const HttpRequest& request);

// The text of a body with Content-Encoding gzip or none: 22023 for others, 22P02 for broken data, 54000 if there are more than `limit` bytes.
std::string decode_http_body(HttpRequest& request, size_t limit);

// An error as InfluxDB's clients read it: {"code":…,"message":…,"error":…} and more members, if any ("" or `"line":3,…`).
std::string http_error_body(std::string_view code, std::string_view message, std::string_view members = "");

}  // namespace idem
