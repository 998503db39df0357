#include "server/http_request_parser.h"

#include <algorithm>
#include <boost/beast/core/buffers_range.hpp>
#include <boost/beast/core/string.hpp>
#include <boost/beast/http/parser.hpp>
#include <cctype>
#include <optional>
#include <string_view>
#include <utility>

#include "common/error.h"
#include "common/utf8.h"

namespace idem {

namespace beast = boost::beast;
namespace http = beast::http;

namespace {

constexpr uint32_t kMaxHeaderBytes = 64 * 1024;
constexpr size_t kReadBytes = 64 * 1024;

// A body that is taken out piece by piece while it is parsed.
struct PieceBody {
  using value_type = std::string;
  class reader {
   public:
    template <bool is_request, class Fields>
    reader(http::header<is_request, Fields>&, value_type& body) : body_(body) {}
    void init(const boost::optional<uint64_t>&, beast::error_code& error) { error = {}; }
    template <class Buffers>
    size_t put(const Buffers& buffers, beast::error_code& error) {
      error = {};
      size_t bytes = 0;
      for (const boost::asio::const_buffer piece : beast::buffers_range_ref(buffers)) {
        body_.append(static_cast<const char*>(piece.data()), piece.size());
        bytes += piece.size();
      }
      return bytes;
    }
    void finish(beast::error_code& error) { error = {}; }

   private:
    value_type& body_;
  };
};

// A name or an address, and a port.
bool is_host(std::string_view host) {
  return std::all_of(host.begin(), host.end(), [](unsigned char c) {
    return std::isalnum(c) ||
           std::string_view("-._~!$&'()*+,;=:[]%").find(static_cast<char>(c)) != std::string_view::npos;
  });
}

// RFC 9112, 6.1 and 7: who takes a body's length for another than a proxy before it did takes a part of it for a request.
void check_transfer_coding(const http::request<PieceBody>& message) {
  std::string codings;
  size_t fields = 0;
  for (const auto& field : message) {
    if (field.name() != http::field::transfer_encoding) continue;
    if (fields++ > 0) codings += ", ";
    codings += std::string_view(field.value());
  }
  if (fields == 0) return;
  if (message.version() < kHttpVersionWithChunks)
    throw SqlError(sqlstate::kProtocolViolation, "Transfer-Encoding is unknown to HTTP/1.0");
  if (!beast::iequals(codings, "chunked"))
    throw sql_error(sqlstate::kFeatureNotSupported, "Transfer-Encoding \"{}\" is not supported", codings);
}

}  // namespace

struct HttpRequestParser::State {
  std::optional<http::request_parser<PieceBody>> parser;
  std::string bytes = std::string(kReadBytes, '\0');
  size_t begin = 0, end = 0;  // of bytes: come but not parsed
};

HttpRequestParser::HttpRequestParser() : state_(std::make_unique<State>()) { begin(); }
HttpRequestParser::~HttpRequestParser() = default;

std::span<char> HttpRequestParser::space() {
  State& s = *state_;
  // Behind what is left, since the parser wants lines whole.
  std::copy(s.bytes.begin() + static_cast<ptrdiff_t>(s.begin),
            s.bytes.begin() + static_cast<ptrdiff_t>(s.end), s.bytes.begin());
  s.end -= std::exchange(s.begin, 0);
  if (s.end == s.bytes.size()) s.bytes.resize(s.bytes.size() * 2);  // at most a header, which is limited
  return std::span(s.bytes).subspan(s.end);
}

void HttpRequestParser::filled(size_t bytes) { state_->end += bytes; }
void HttpRequestParser::discard() { state_->begin = state_->end = 0; }

void HttpRequestParser::begin() {
  state_->parser.emplace();
  state_->parser->body_limit(boost::none);  // bodies are not held here
  state_->parser->header_limit(kMaxHeaderBytes);
}

bool HttpRequestParser::parse_header() {
  State& s = *state_;
  // Some clients end a body with a line end that does not count.
  constexpr std::string_view kLineEnd = "\r\n";
  std::string_view come(s.bytes.data() + s.begin, unparsed_bytes());
  if (!s.parser->got_some()) {
    for (; come.starts_with(kLineEnd); come.remove_prefix(kLineEnd.size())) s.begin += kLineEnd.size();
    if (come == "\r") return false;
  }
  const size_t begin = s.begin;
  parse();
  // RFC 9112, 5.2: Beast takes such lines together, and joins them.
  const std::string_view parsed(s.bytes.data() + begin, s.begin - begin);
  if (parsed.find("\r\n ") != parsed.npos || parsed.find("\r\n\t") != parsed.npos)
    throw SqlError(sqlstate::kProtocolViolation, "a line of the header begins with a space");
  return s.parser->is_header_done();
}

std::string HttpRequestParser::parse_body() {
  // Beast wants the last chunk with no less, and no chunked body ends with fewer.
  constexpr size_t kLastChunkBytes = 5;
  state_->parser->eager(true);
  if (has_body_to_come() && (!state_->parser->chunked() || unparsed_bytes() >= kLastChunkBytes)) parse();
  return std::exchange(state_->parser->get().body(), {});
}

bool HttpRequestParser::has_body_to_come() const { return !state_->parser->is_done(); }
size_t HttpRequestParser::unparsed_bytes() const { return state_->end - state_->begin; }

void HttpRequestParser::parse() {
  State& s = *state_;
  boost::system::error_code error;
  if (unparsed_bytes() > 0)
    s.begin += s.parser->put(boost::asio::const_buffer(s.bytes.data() + s.begin, unparsed_bytes()), error);
  if (error == http::error::header_limit)
    throw SqlError(sqlstate::kProgramLimitExceeded, "the header is too large");
  if (error && error != http::error::need_more)
    throw sql_error(sqlstate::kProtocolViolation, "the request is no HTTP: {}", error.message());
}

HttpRequest HttpRequestParser::request() const {
  const auto& message = state_->parser->get();
  HttpRequest request;
  request.method = std::string(message.method_string());
  for (const auto& field : message)
    request.headers[utf8_lower(std::string(field.name_string()))] = std::string(field.value());
  const size_t hosts = message.count(http::field::host);
  if (hosts > 1 || (hosts == 0 && message.version() >= kHttpVersionWithChunks))
    throw SqlError(sqlstate::kProtocolViolation, "a request has one Host header");
  check_transfer_coding(message);
  if (!parse_http_target(std::string(message.target()), &request))
    throw SqlError(sqlstate::kProtocolViolation, "an escape of the request's target is broken");
  if (!is_host(request.header("host")))
    throw SqlError(sqlstate::kProtocolViolation, "the host of the request is not valid");
  return request;
}

HttpAnswerForm HttpRequestParser::form() const {
  const auto& message = state_->parser->get();
  return {message.version(), state_->parser->keep_alive(), message.method() == http::verb::head};
}

bool HttpRequestParser::expects_continue() const {
  return beast::iequals(state_->parser->get()[http::field::expect], "100-continue");
}

}  // namespace idem
