#include "server/http_connection.h"

#include <sys/socket.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http.hpp>
#include <boost/beast/ssl/ssl_stream.hpp>

#include "server/await_statement.h"
#include "server/client_socket.h"

namespace idem {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;

namespace {

constexpr auto kIdleLimit = std::chrono::seconds(75);
constexpr auto kSendLimit = std::chrono::seconds(60);
constexpr uint32_t kMaxHeaderBytes = 64 * 1024;
constexpr unsigned char kTlsHandshake = 0x16;

HttpRequest request_of(http::request<http::string_body>&& message) {
  HttpRequest request;
  request.method = std::string(message.method_string());
  if (!parse_http_target(std::string(message.target()), &request)) request.path = std::string(message.target());
  request.authorization = std::string(message[http::field::authorization]);
  request.content_encoding = std::string(message[http::field::content_encoding]);
  request.body = std::move(message.body());
  return request;
}

http::response<http::string_body> response_of(HttpAnswer&& answer, unsigned version, bool keep_alive) {
  http::response<http::string_body> response{static_cast<http::status>(answer.status), version};
  response.set(http::field::server, "IdemDB");
  if (!answer.content_type.empty()) response.set(http::field::content_type, answer.content_type);
  if (!answer.authenticate.empty()) response.set(http::field::www_authenticate, answer.authenticate);
  response.keep_alive(keep_alive);
  response.body() = std::move(answer.body);
  if (answer.status != 204) response.prepare_payload();
  return response;
}

}  // namespace

HttpConnection::HttpConnection(asio::ip::tcp::socket socket, const ConnectionEnvironment& environment)
    : environment_(environment), stream_(on_strand(std::move(socket))), service_(*environment.server, environment.protocol, address_of(stream_.socket())) {
  boost::system::error_code ignored;
  stream_.socket().set_option(asio::ip::tcp::no_delay(true), ignored);
}

HttpConnection::~HttpConnection() = default;

void HttpConnection::start() {
  asio::co_spawn(stream_.get_executor(), [self = shared_from_this()] { return self->run(); }, asio::detached);
}

asio::awaitable<void> HttpConnection::run() {
  try {
    co_await stream_.socket().async_wait(asio::socket_base::wait_read, asio::use_awaitable);
    unsigned char first = 0;
    const bool any = ::recv(stream_.socket().native_handle(), &first, 1, MSG_PEEK | MSG_DONTWAIT) == 1;
    if (any && first == kTlsHandshake && environment_.tls) {
      beast::ssl_stream<beast::tcp_stream&> encrypted(stream_, *environment_.tls);
      stream_.expires_after(kIdleLimit);
      co_await encrypted.async_handshake(asio::ssl::stream_base::server, asio::use_awaitable);
      co_await serve(encrypted);
    } else if (any) {
      co_await serve(stream_);
    }
  } catch (const std::exception&) {
    // The client went away, or what it sent is not HTTP.
  }
  boost::system::error_code ignored;
  stream_.socket().shutdown(asio::ip::tcp::socket::shutdown_both, ignored);
  stream_.close();
}

template <class Stream>
asio::awaitable<void> HttpConnection::serve(Stream& stream) {
  beast::flat_buffer buffer;
  while (true) {
    http::request_parser<http::string_body> parser;
    parser.body_limit(kMaxHttpBodyBytes);
    parser.header_limit(kMaxHeaderBytes);
    stream_.expires_after(kIdleLimit);
    boost::system::error_code error;
    co_await http::async_read_header(stream, buffer, parser, asio::redirect_error(asio::use_awaitable, error));
    if (!error && beast::iequals(parser.get()[http::field::expect], "100-continue")) {
      http::response<http::empty_body> go_on{http::status::continue_, parser.get().version()};
      co_await http::async_write(stream, go_on, asio::use_awaitable);
    }
    if (!error) co_await http::async_read(stream, buffer, parser, asio::redirect_error(asio::use_awaitable, error));
    if (error == http::error::end_of_stream) co_return;
    const bool too_large = error == http::error::body_limit;
    if (error && !too_large) throw boost::system::system_error(error);

    const unsigned version = parser.get().version();
    const bool keep_alive = parser.get().keep_alive() && !too_large;
    const bool is_head = parser.get().method() == http::verb::head;
    stream_.expires_never();  // a statement may take long; its own limits apply
    HttpAnswer answered;
    if (too_large) {
      answered.status = 413;
      answered.body = http_error_body("request too large", fmt::format("the body has more than {} bytes", kMaxHttpBodyBytes));
    } else {
      const auto request = std::make_shared<HttpRequest>(request_of(parser.release()));
      answered = co_await answer(request);
    }
    http::response<http::string_body> response = response_of(std::move(answered), version, keep_alive);
    if (is_head) response.body().clear();  // Content-Length stays what GET would have
    stream_.expires_after(kSendLimit);
    if (is_head) {
      http::response_serializer<http::string_body> serializer{response};
      co_await http::async_write_header(stream, serializer, asio::use_awaitable);
    } else {
      co_await http::async_write(stream, response, asio::use_awaitable);
    }
    std::lock_guard lock(mutex_);
    if (!keep_alive || ending_) co_return;
  }
}

// Hands the request to a statement thread and goes on when it is answered.
asio::awaitable<HttpAnswer> HttpConnection::answer(std::shared_ptr<HttpRequest> request) {
  {
    std::lock_guard lock(mutex_);
    answering_ = true;
  }
  const auto work = [self = shared_from_this(), request] { return self->service_.answer(std::move(*request)); };
  HttpAnswer result = co_await await_statement(*environment_.statements, stream_.get_executor(), work);
  std::lock_guard lock(mutex_);
  answering_ = false;
  co_return result;
}

void HttpConnection::shut_down(const SqlError&) {
  std::lock_guard lock(mutex_);
  ending_ = true;
  if (answering_) {
    service_.cancel();
  } else {
    asio::post(stream_.get_executor(), [self = shared_from_this()] { self->stream_.cancel(); });
  }
}

}  // namespace idem
