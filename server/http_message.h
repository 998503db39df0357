#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "common/error.h"

namespace idem {

// Requests and answers of HTTP, apart from the connection that carries them.

struct HttpRequest {
  std::string method;                        // GET, POST, …
  std::string path;                          // decoded, without the query
  std::map<std::string, std::string> query;  // decoded; of equal names the last
  std::map<std::string, std::string>
      headers;  // by lower-case name; of equal names the last, but one host at most

  std::string parameter(const std::string& name) const;  // "" if it is missing
  std::string header(const std::string& name) const;     // likewise
  std::string media_type() const;                        // Content-Type without its parameters, lower case
};

struct HttpAnswer {
  enum class Body : uint8_t {
    kWhole,  // `body`
    kSent,   // begun through the channel; `body` is what is left of it
    kCut,    // begun, and cannot be ended: the connection is cut, so that nobody takes it for whole
  };
  unsigned status = 200;
  std::string content_type = "application/json", body;
  std::vector<std::pair<std::string, std::string>> headers;  // more of them
  Body is = Body::kWhole;
};

// How bodies pass that are not held in memory, between the thread that answers and the connection.
class HttpChannel {
 public:
  virtual ~HttpChannel() = default;
  // More of the request's body as it was sent, "" at its end. Waits for the client. Throws ConnectionClosed, also where the client
  // sends nothing for too long.
  virtual std::string read_body() = 0;
  // The head of an answer of which the body follows. Once.
  virtual void begin_answer(const HttpAnswer& head) = 0;
  // Takes more of its body (and empties `bytes`). Waits while too much is unsent. Throws ConnectionClosed.
  virtual void send(std::string& bytes) = 0;
};

// An answer's body as it is made: kept while it is small, sent piece by piece once it is not.
class HttpAnswerBody {
 public:
  HttpAnswerBody(HttpChannel& channel, std::string content_type);

  std::string& bytes() { return bytes_; }  // append here,
  void flush_if_large();                   // and call this now and then: sends what is there
  bool is_begun() const { return is_begun_; }
  HttpAnswer finish();
  HttpAnswer cut();

 private:
  HttpChannel& channel_;
  HttpAnswer head_;
  std::string bytes_;
  bool is_begun_ = false;
};

inline constexpr unsigned kHttpVersionWithChunks = 11;
struct HttpAnswerForm {
  unsigned version = 11;     // of the request: 10, 11
  bool keep_alive = true;    // never with a body that follows in version 10
  bool only_header = false;  // HEAD: Content-Length stays what GET would have
};
// A whole answer; the head of one whose body follows; a piece of it (not empty), and its end.
std::string http_answer_bytes(const HttpAnswer& answer, const HttpAnswerForm& form);
std::string http_answer_head(const HttpAnswer& answer, const HttpAnswerForm& form);
void append_http_chunk(std::string& out, std::string_view bytes, const HttpAnswerForm& form);
std::string_view http_last_chunk(const HttpAnswerForm& form);

// Splits "/write?precision=s&u=a%20b" into path and parameters; of "http://host:80/write", as proxies send it, the host becomes the header's.
// False if an escape is broken.
bool parse_http_target(std::string_view target, HttpRequest* request);
// Adds the pairs of "a=1&b=%20": of a target or a form. False if an escape is broken.
bool parse_http_parameters(std::string_view text, std::map<std::string, std::string>* parameters);

struct HttpCredentials {
  std::string user;
  std::optional<std::string> password;
};
// From `Authorization: Basic …`, `Authorization: Token user:password` (InfluxDB), or the parameters u and p. Nothing if there are none;
// throws 28000 for what cannot be read.
std::optional<HttpCredentials> http_credentials(const HttpRequest& request);

// Gives the body piece by piece, unpacked; "" at its end. Content-Encoding is gzip or none: 22023 for others, 22P02 for broken data, 54000
// if it has more than `limit` bytes. The channel outlives it.
std::function<std::string()> http_body_reader(const HttpRequest& request, HttpChannel& channel,
                                              size_t limit = SIZE_MAX);
// The whole of it.
std::string read_http_body(const HttpRequest& request, HttpChannel& channel, size_t limit);

// 42501 for a request that a browser sends on behalf of another site, or, where there are no passwords, to a name that may not be this
// server's: any page could have it run SQL.
void check_http_origin(const HttpRequest& request, bool has_passwords);

// Error classes as statuses: senders try again after 5xx, and drop what is answered by 4xx.
unsigned http_status_of(const SqlError& error);

// An error as InfluxDB's clients read it: {"code":…,"message":…,"error":…} and more members, if any ("" or `"line":3,…`).
std::string http_error_body(std::string_view code, std::string_view message, std::string_view members = "");

}  // namespace idem
