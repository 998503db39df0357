#include "server/http_connection.h"

#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <span>
#include <sys/socket.h>

#include "common/error.h"
#include "server/client_channel.h"

namespace idem {

namespace asio = boost::asio;

namespace {

constexpr std::chrono::milliseconds kIdleLimit =
    std::chrono::seconds(75);                           // with the header of the next request
constexpr auto kBodyLimit = std::chrono::seconds(60);   // without more of a body
constexpr auto kSendLimit = std::chrono::seconds(300);  // without room for more of an answer
constexpr auto kDrainLimit = std::chrono::seconds(2);   // for what a client still sends that is being refused
constexpr size_t kMaxBodyBytes = 256 * 1024;            // read ahead
constexpr size_t kMaxUnsentBytes = 1 << 20;
constexpr size_t kMaxDrainedBytes = 16 << 20;
constexpr unsigned char kTlsHandshake = 0x16;

}  // namespace

HttpConnection::HttpConnection(asio::ip::tcp::socket socket, const ConnectionEnvironment& environment)
    : environment_(environment),
      options_(environment.options.get()),
      stream_(std::move(socket), options_->keep_alive),
      service_(*environment.server, options_->protocol, stream_),
      reader_pause_(stream_.executor()) {}

HttpConnection::~HttpConnection() = default;

void HttpConnection::start() {
  asio::co_spawn(
      stream_.executor(), [self = shared_from_this()] { return self->run(); }, asio::detached);
}

asio::awaitable<void> HttpConnection::run() {
  try {
    stream_.set_deadline(kIdleLimit);
    co_await stream_.socket().async_wait(asio::socket_base::wait_read, asio::use_awaitable);
    unsigned char first = 0;
    const bool any = ::recv(stream_.socket().native_handle(), &first, 1, MSG_PEEK | MSG_DONTWAIT) == 1;
    if (any && first == kTlsHandshake && options_->tls) co_await stream_.handshake(*options_->tls);
    if (any) co_await serve();
  } catch (const std::exception&) {
    // The client went away, or what it sent is not HTTP.
  }
  client_has_gone();
  stream_.close();
}

asio::awaitable<void> HttpConnection::serve() {
  bool goes_on = true;
  while (goes_on) {
    requests_.begin();
    follow_deadline();
    try {
      while (!requests_.parse_header()) {
        if (!co_await read_more()) co_return;
      }
      begin_request();
      while (!take_body()) co_await read_or_pause(body_is_full());
    } catch (const SqlError& error) { refuse(error); }
    // Reads on, for the client's end; a pipelined request waits in the buffer.
    while (!is_answered()) co_await read_or_pause(requests_.unparsed_bytes() > 0);
    goes_on = end_request();
  }
  for (size_t bytes = 0; bytes < kMaxDrainedBytes && co_await read_more();) {
    bytes += requests_.unparsed_bytes();
    requests_.discard();
  }
}

// False if the client has ended.
asio::awaitable<bool> HttpConnection::read_more() {
  const std::span<char> space = requests_.space();
  const ClientStream::Buffers buffers{asio::buffer(space.data(), space.size())};
  const size_t bytes = co_await stream_.read_some(buffers);
  requests_.filled(bytes);
  co_return bytes > 0;
}

// Throws ConnectionClosed where the client has ended.
asio::awaitable<void> HttpConnection::read_or_pause(bool pause) {
  if (!pause) {
    follow_deadline();
    if (!co_await read_more()) throw ConnectionClosed();
    co_return;
  }
  reader_pause_.expires_at(std::chrono::steady_clock::time_point::max());
  boost::system::error_code woken;
  co_await reader_pause_.async_wait(asio::redirect_error(asio::use_awaitable, woken));
}

void HttpConnection::begin_request() {
  HttpRequest request = requests_.request();
  // What came with the header, so that a request without a body is whole before it is answered.
  std::string body = requests_.parse_body();
  {
    std::lock_guard lock(mutex_);
    state_ = State::kAnswering;
    form_ = requests_.form();
    go_on_is_expected_ = requests_.expects_continue();
    body_ = std::move(body);
    body_ended_ = !requests_.has_body_to_come();
  }
  environment_.statements->submit(
      [self = shared_from_this(), request = std::move(request)]() mutable { self->answer(request); });
}

// Passes on what came of the body. True when nothing of it is to come, or wanted.
bool HttpConnection::take_body() {
  std::string piece = requests_.parse_body();
  {
    std::lock_guard lock(mutex_);
    if (body_.empty()) body_ = std::move(piece);
    else body_ += piece;
    body_ended_ = !requests_.has_body_to_come();
    body_came_.notify_all();
    if (!body_ended_ && state_ != State::kAnswered) return false;
  }
  follow_deadline();
  return true;
}

bool HttpConnection::body_is_full() {
  std::lock_guard lock(mutex_);
  return body_.size() > kMaxBodyBytes;
}

// Answers what is no HTTP. Within a body whoever reads it does, if nobody has answered yet.
void HttpConnection::refuse(const SqlError& error) {
  std::lock_guard lock(mutex_);
  if (state_ == State::kAnswering) {
    body_error_ = error;
    body_came_.notify_all();
  }
  if (state_ != State::kIdle) return;
  HttpAnswer answer;
  answer.status = error.sqlstate() == sqlstate::kProgramLimitExceeded  ? 431
                  : error.sqlstate() == sqlstate::kFeatureNotSupported ? 501
                                                                       : 400;
  answer.body = http_error_body("invalid", error.message());
  form_ = {};
  form_.keep_alive = false;
  ending_ = true;
  state_ = State::kAnswered;
  queue(http_answer_bytes(answer, form_));
}

bool HttpConnection::is_answered() {
  std::lock_guard lock(mutex_);
  return state_ == State::kAnswered;
}

// False if it was the last one.
bool HttpConnection::end_request() {
  std::lock_guard lock(mutex_);
  if (ending_) return false;
  state_ = State::kIdle;
  return true;
}

void HttpConnection::answer(HttpRequest& request) {
  HttpAnswer result;
  try {
    result = service_.answer(request, *this);
  } catch (const ConnectionClosed&) { result.is = HttpAnswer::Body::kCut; }
  {
    std::lock_guard lock(mutex_);
    idle_limit_ms_ = service_.idle_limit_ms();
    if (result.is != HttpAnswer::Body::kSent)
      form_.keep_alive &= body_ended_ && !ending_ && result.is == HttpAnswer::Body::kWhole;
    ending_ |= !form_.keep_alive;
    state_ = State::kAnswered;
    std::string bytes;
    if (result.is == HttpAnswer::Body::kWhole) bytes = http_answer_bytes(result, form_);
    if (result.is == HttpAnswer::Body::kSent) {
      if (!result.body.empty()) append_http_chunk(bytes, result.body, form_);
      bytes += http_last_chunk(form_);
    }
    queue(bytes);
    wake_reader();
  }
}

asio::awaitable<void> HttpConnection::write_loop() {
  while (true) {
    std::string batch;
    {
      std::lock_guard lock(mutex_);
      if (unsent_.empty() || closed_) {
        writing_ = false;
        break;
      }
      batch.swap(unsent_);
    }
    sent_.notify_all();
    follow_deadline();
    try {
      co_await stream_.write_all(batch);
    } catch (const boost::system::system_error&) {
      client_has_gone();
      stream_.close();  // the reading coroutine ends, too
    }
  }
  sent_.notify_all();
  follow_deadline();
  std::lock_guard lock(mutex_);
  if (state_ != State::kAnswered || !ending_) co_return;
  boost::system::error_code ignored;
  // A client that still sends would lose the answer if the socket were closed at once.
  if (body_ended_ || stream_.encrypted()) stream_.cancel();
  else stream_.socket().shutdown(ClientStream::Socket::shutdown_send, ignored);
}

void HttpConnection::follow_deadline() {
  std::lock_guard lock(mutex_);
  if (writing_) stream_.set_deadline(kSendLimit);
  else if (state_ == State::kAnswering && body_ended_)
    stream_.clear_deadline();  // a statement may take long; its own limits apply
  else if (state_ == State::kAnswering) stream_.set_deadline(kBodyLimit);
  else if (ending_) stream_.set_deadline(kDrainLimit);
  else
    stream_.set_deadline(idle_limit_ms_ > 0 ? std::min(kIdleLimit, std::chrono::milliseconds(idle_limit_ms_))
                                            : kIdleLimit);
}

void HttpConnection::client_has_gone() {
  std::lock_guard lock(mutex_);
  closed_ = ending_ = true;
  if (state_ == State::kAnswering) service_.cancel();
  body_came_.notify_all();
  sent_.notify_all();
}

void HttpConnection::wake_reader() {
  asio::post(stream_.executor(), [self = shared_from_this()] { self->reader_pause_.cancel(); });
}

void HttpConnection::queue(std::string_view bytes) {
  unsent_ += bytes;
  if (std::exchange(writing_, true)) return;
  // Posted, since on the strand the coroutine would begin at once, with the lock held.
  asio::post(stream_.executor(), [self = shared_from_this()] {
    asio::co_spawn(
        self->stream_.executor(), [self] { return self->write_loop(); }, asio::detached);
  });
}

// -- of the thread that answers -------------------------------------------------------------------------

std::string HttpConnection::read_body() {
  std::unique_lock lock(mutex_);
  if (std::exchange(go_on_is_expected_, false) && body_.empty() && !body_ended_)
    queue("HTTP/1.1 100 Continue\r\n\r\n");
  body_came_.wait(lock, [this] { return !body_.empty() || body_ended_ || body_error_ || ending_; });
  if (body_error_) throw *body_error_;
  if (closed_ || (ending_ && !body_ended_)) throw ConnectionClosed();
  if (body_.size() > kMaxBodyBytes) wake_reader();
  return std::exchange(body_, {});
}

void HttpConnection::begin_answer(const HttpAnswer& head) {
  std::lock_guard lock(mutex_);
  form_.keep_alive &= body_ended_ && !ending_ && form_.version >= kHttpVersionWithChunks;
  queue(http_answer_head(head, form_));
}

void HttpConnection::send(std::string& bytes) {
  std::unique_lock lock(mutex_);
  if (closed_) throw ConnectionClosed();
  std::string chunk;
  append_http_chunk(chunk, bytes, form_);
  bytes.clear();
  queue(chunk);
  sent_.wait(lock, [this] { return unsent_.size() <= kMaxUnsentBytes || closed_; });
  if (closed_) throw ConnectionClosed();
}

void HttpConnection::shut_down(const SqlError&, bool at_once) {
  std::lock_guard lock(mutex_);
  ending_ = true;
  if (state_ == State::kAnswering) {
    if (!at_once) return;
    service_.cancel();
    body_came_.notify_all();
  } else if (!writing_) {
    asio::post(stream_.executor(), [self = shared_from_this()] { self->stream_.cancel(); });
  }
}

}  // namespace idem
