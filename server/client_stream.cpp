#include "server/client_stream.h"

#include <atomic>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/strand.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <fmt/format.h>
#include <netinet/tcp.h>
#include <optional>
#include <sys/socket.h>

namespace idem {

namespace asio = boost::asio;

namespace {

ClientStream::Socket on_strand(ClientStream::Socket socket) {
  const auto protocol = socket.local_endpoint().protocol();
  ClientStream::Socket moved(asio::make_strand(socket.get_executor()));
  moved.assign(protocol, socket.release());
  return moved;
}

void probe_when_silent(ClientStream::Socket& socket, const KeepAlive& how) {
  boost::system::error_code ignored;
  socket.set_option(asio::socket_base::keep_alive(true), ignored);
  const auto set = [&](int option, uint32_t value) {
    if (value > 0) ::setsockopt(socket.native_handle(), IPPROTO_TCP, option, &value, sizeof value);
  };
  set(TCP_KEEPIDLE, how.idle_seconds);
  set(TCP_KEEPINTVL, how.interval_seconds);
  set(TCP_KEEPCNT, how.count);
  set(TCP_USER_TIMEOUT, how.user_timeout_ms);
}

}  // namespace

struct ClientStream::State {
  explicit State(Socket from) : socket(std::move(from)), deadline(socket.get_executor()) {}

  Socket socket;
  asio::steady_timer deadline;
  std::optional<asio::ssl::stream<Socket&>> tls;
  std::atomic<bool> encrypted{false};
};

ClientStream::ClientStream(Socket socket, const KeepAlive& keep_alive)
    : state_(std::make_shared<State>(on_strand(std::move(socket)))) {
  boost::system::error_code ignored;
  state_->socket.set_option(asio::ip::tcp::no_delay(true), ignored);
  probe_when_silent(state_->socket, keep_alive);
  state_->socket.non_blocking(true, ignored);
}

ClientStream::~ClientStream() = default;

ClientStream::Socket& ClientStream::socket() { return state_->socket; }

asio::any_io_executor ClientStream::executor() { return state_->socket.get_executor(); }

std::string ClientStream::client_address() const {
  boost::system::error_code error;
  const auto endpoint = state_->socket.remote_endpoint(error);
  return error ? "unknown" : fmt::format("{}:{}", endpoint.address().to_string(), endpoint.port());
}

asio::awaitable<void> ClientStream::handshake(asio::ssl::context& tls) {
  state_->encrypted = true;
  state_->tls.emplace(state_->socket, tls);
  co_await state_->tls->async_handshake(asio::ssl::stream_base::server, asio::use_awaitable);
}

bool ClientStream::encrypted() const { return state_->encrypted; }

std::string ClientStream::certificate_name() const {
  if (!state_->tls) return "";
  SSL* const ssl = state_->tls->native_handle();
  const std::unique_ptr<X509, void (*)(X509*)> certificate(SSL_get1_peer_certificate(ssl), X509_free);
  if (!certificate || SSL_get_verify_result(ssl) != X509_V_OK) return "";
  X509_NAME* const subject = X509_get_subject_name(certificate.get());
  const int length = X509_NAME_get_text_by_NID(subject, NID_commonName, nullptr, 0);
  if (length <= 0) return "";
  std::string name(static_cast<size_t>(length) + 1, '\0');
  X509_NAME_get_text_by_NID(subject, NID_commonName, name.data(), static_cast<int>(name.size()));
  name.pop_back();
  return name.find('\0') == name.npos ? name : "";
}

asio::awaitable<size_t> ClientStream::read_some(Buffers buffers) {
  boost::system::error_code error;
  size_t bytes = 0;
  if (state_->tls)
    bytes = co_await state_->tls->async_read_some(buffers, asio::redirect_error(asio::use_awaitable, error));
  else
    bytes =
        co_await state_->socket.async_read_some(buffers, asio::redirect_error(asio::use_awaitable, error));
  // Clients that close without TLS's farewell are common; what they sent is whole or not by the protocol above.
  if (error && error != asio::error::eof && error != asio::ssl::error::stream_truncated)
    throw boost::system::system_error(error);
  co_return bytes;
}

asio::awaitable<void> ClientStream::write_all(std::string_view bytes) {
  const auto buffer = asio::buffer(bytes);
  if (state_->tls) co_await asio::async_write(*state_->tls, buffer, asio::use_awaitable);
  else co_await asio::async_write(state_->socket, buffer, asio::use_awaitable);
}

void ClientStream::set_deadline(std::chrono::steady_clock::duration from_now) {
  state_->deadline.expires_after(from_now);
  state_->deadline.async_wait([weak = std::weak_ptr<State>(state_)](const boost::system::error_code& error) {
    const std::shared_ptr<State> state = weak.lock();
    // It may have been moved after it came, before this ran.
    if (error || !state || state->deadline.expiry() > std::chrono::steady_clock::now()) return;
    boost::system::error_code ignored;
    state->socket.cancel(ignored);
  });
}

void ClientStream::clear_deadline() {
  state_->deadline.expires_at(std::chrono::steady_clock::time_point::max());
}

void ClientStream::cancel() {
  boost::system::error_code ignored;
  state_->socket.cancel(ignored);
}

void ClientStream::close() {
  clear_deadline();
  boost::system::error_code ignored;
  state_->socket.shutdown(Socket::shutdown_both, ignored);
  state_->socket.close(ignored);
}

}  // namespace idem
