#pragma once

#include <array>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/context.hpp>
#include <chrono>
#include <memory>
#include <string>
#include <string_view>

#include "server/keep_alive.h"

namespace idem {

// A client's socket, and TLS over it once asked for: what all protocols of the server read from and write to. Its executor is a strand,
// on which all members run that do not say otherwise; one coroutine may read while another writes. Failures other than the client's
// orderly end are thrown as boost::system::system_error.
//
// The only place that instantiates Asio's operations over TLS: with composed operations over them a file compiles for minutes.
class ClientStream {
 public:
  using Socket = boost::asio::ip::tcp::socket;
  using Buffers = std::array<boost::asio::mutable_buffer, 2>;

  ClientStream(Socket socket, const KeepAlive& keep_alive);
  ~ClientStream();

  Socket& socket();
  boost::asio::any_io_executor executor();
  // "127.0.0.1:40112", or "unknown" when the client has gone.
  std::string client_address() const;

  boost::asio::awaitable<void> handshake(boost::asio::ssl::context& tls);
  // From the beginning of the handshake on; any thread.
  bool encrypted() const;
  // The common name of the certificate that the client has shown and that the context's authority has signed; "" if none.
  std::string certificate_name() const;

  // At least one byte into the first buffer and, when that is full, the second. 0: the client has ended its side.
  boost::asio::awaitable<size_t> read_some(Buffers buffers);
  // Until nothing is left. The caller keeps the bytes alive.
  boost::asio::awaitable<void> write_all(std::string_view bytes);

  // What reads and writes then still fails. One deadline at a time.
  void set_deadline(std::chrono::steady_clock::duration from_now);
  void clear_deadline();

  void cancel();
  void close();

 private:
  struct State;
  std::shared_ptr<State> state_;  // shared with a deadline that has come but is not handled yet
};

}  // namespace idem
