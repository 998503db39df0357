#include "server/http_connection.h"

#include <sys/socket.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>

#include "server/await_statement.h"

namespace idem {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;

namespace {

constexpr auto kIdleLimit = std::chrono::seconds(75);
constexpr auto kSendLimit = std::chrono::seconds(60);
constexpr uint32_t kMaxHeaderBytes = 64 * 1024;
constexpr size_t kReadBytes = 64 * 1024;
constexpr unsigned char kTlsHandshake = 0x16;

using Parser = http::request_parser<http::string_body>;

HttpRequest request_of(http::request<http::string_body>&& message) {
  HttpRequest request;
  request.method = std::string(message.method_string());
  if (!parse_http_target(std::string(message.target()), &request)) request.path = std::string(message.target());
  request.authorization = std::string(message[http::field::authorization]);
  request.content_encoding = std::string(message[http::field::content_encoding]);
  request.body = std::move(message.body());
  return request;
}

}  // namespace

// What a client sends, request by request.
class HttpConnection::Requests {
 public:
  explicit Requests(ClientStream& stream) : stream_(stream), bytes_(kReadBytes, '\0') {}

  // Reads the next request. False if the client has ended. http::error::body_limit leaves a parser with the header, and the stream where
  // no other request can be found; other errors are thrown.
  asio::awaitable<bool> read(Parser& parser, bool* too_large) {
    parser.eager(true);
    parser.body_limit(kMaxHttpBodyBytes);
    parser.header_limit(kMaxHeaderBytes);
    bool asked_to_go_on = false;
    while (true) {
      boost::system::error_code error;
      if (begin_ < end_) begin_ += parser.put(asio::const_buffer(bytes_.data() + begin_, end_ - begin_), error);
      *too_large = error == http::error::body_limit;
      if (*too_large) co_return true;
      if (error && error != http::error::need_more) throw boost::system::system_error(error);
      if (parser.is_done()) co_return true;
      if (parser.is_header_done() && !asked_to_go_on && beast::iequals(parser.get()[http::field::expect], "100-continue")) {
        asked_to_go_on = true;
        co_await stream_.write_all("HTTP/1.1 100 Continue\r\n\r\n");
      }
      if (!co_await read_more()) {
        if (!parser.got_some()) co_return false;
        throw boost::system::system_error(make_error_code(http::error::partial_message));
      }
    }
  }

 private:
  // Behind what the parser has left, since it wants lines whole.
  asio::awaitable<bool> read_more() {
    std::copy(bytes_.begin() + begin_, bytes_.begin() + end_, bytes_.begin());
    end_ -= std::exchange(begin_, 0);
    if (end_ == bytes_.size()) bytes_.resize(bytes_.size() * 2);  // at most a header, which is limited
    const ClientStream::Buffers buffers{asio::buffer(bytes_.data() + end_, bytes_.size() - end_)};
    const size_t count = co_await stream_.read_some(buffers);
    end_ += count;
    co_return count > 0;
  }

  ClientStream& stream_;
  std::string bytes_;
  size_t begin_ = 0, end_ = 0;  // of bytes_: read but not parsed
};

HttpConnection::HttpConnection(asio::ip::tcp::socket socket, const ConnectionEnvironment& environment)
    : environment_(environment), stream_(std::move(socket)), service_(*environment.server, environment.protocol, stream_.client_address()) {}

HttpConnection::~HttpConnection() = default;

void HttpConnection::start() {
  asio::co_spawn(stream_.executor(), [self = shared_from_this()] { return self->run(); }, asio::detached);
}

asio::awaitable<void> HttpConnection::run() {
  try {
    stream_.set_deadline(kIdleLimit);
    co_await stream_.socket().async_wait(asio::socket_base::wait_read, asio::use_awaitable);
    unsigned char first = 0;
    const bool any = ::recv(stream_.socket().native_handle(), &first, 1, MSG_PEEK | MSG_DONTWAIT) == 1;
    if (any && first == kTlsHandshake && environment_.tls) co_await stream_.handshake(*environment_.tls);
    if (any) co_await serve();
  } catch (const std::exception&) {
    // The client went away, or what it sent is not HTTP.
  }
  stream_.close();
}

asio::awaitable<void> HttpConnection::serve() {
  Requests requests(stream_);
  while (true) {
    Parser parser;
    bool too_large = false;
    stream_.set_deadline(kIdleLimit);
    if (!co_await requests.read(parser, &too_large)) co_return;

    HttpAnswerForm form;
    form.keep_alive = parser.get().keep_alive() && !too_large;
    form.version = parser.get().version();
    form.only_header = parser.get().method() == http::verb::head;
    stream_.clear_deadline();  // a statement may take long; its own limits apply
    HttpAnswer answered;
    if (too_large) {
      answered.status = 413;
      answered.body = http_error_body("request too large", fmt::format("the body has more than {} bytes", kMaxHttpBodyBytes));
    } else {
      const auto request = std::make_shared<HttpRequest>(request_of(parser.release()));
      answered = co_await answer(request);
    }
    const std::string bytes = http_answer_bytes(answered, form);
    stream_.set_deadline(kSendLimit);
    co_await stream_.write_all(bytes);
    std::lock_guard lock(mutex_);
    if (!form.keep_alive || ending_) co_return;
  }
}

// Hands the request to a statement thread and goes on when it is answered.
asio::awaitable<HttpAnswer> HttpConnection::answer(std::shared_ptr<HttpRequest> request) {
  {
    std::lock_guard lock(mutex_);
    answering_ = true;
  }
  const auto work = [self = shared_from_this(), request] { return self->service_.answer(std::move(*request)); };
  HttpAnswer result = co_await await_statement(*environment_.statements, stream_.executor(), work);
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
    asio::post(stream_.executor(), [self = shared_from_this()] { self->stream_.cancel(); });
  }
}

}  // namespace idem
