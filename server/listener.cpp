#include "server/listener.h"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/strand.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <spdlog/spdlog.h>

namespace idem {

namespace asio = boost::asio;
using asio::ip::tcp;

Listener::Listener(asio::io_context& io, const std::string& address, uint16_t port, std::string_view setting,
                   size_t most_connections, MakeConnection make)
    : io_(io), acceptor_(asio::make_strand(io)), most_connections_(most_connections), make_(std::move(make)) {
  const tcp::endpoint endpoint = resolve(address, port);
  boost::system::error_code error;
  acceptor_.open(endpoint.protocol());
  acceptor_.set_option(tcp::acceptor::reuse_address(true));
  acceptor_.bind(endpoint, error);
  if (!error) acceptor_.listen(asio::socket_base::max_listen_connections, error);
  if (error) {
    throw sql_error(sqlstate::kObjectInUse, "could not listen on {}:{}: {}", address, port, error.message())
        .with_hint(fmt::format("Is another server running on that port? Choose one with --{}.", setting));
  }
}

tcp::endpoint Listener::resolve(const std::string& address, uint16_t port) {
  asio::io_context io;
  boost::system::error_code error;
  const auto found = tcp::resolver(io).resolve(address, std::to_string(port), tcp::resolver::passive, error);
  if (error)
    throw sql_error(sqlstate::kInvalidParameterValue, "could not resolve the address \"{}\": {}", address,
                    error.message());
  return found.begin()->endpoint();
}

void Listener::start() { asio::co_spawn(acceptor_.get_executor(), accept_loop(), asio::detached); }

asio::awaitable<void> Listener::accept_loop() {
  while (true) {
    boost::system::error_code error;
    tcp::socket socket =
        co_await acceptor_.async_accept(io_, asio::redirect_error(asio::use_awaitable, error));
    if (!acceptor_.is_open()) co_return;
    if (error) {
      // Out of file descriptors, most likely: serve those who are here and try again.
      spdlog::warn("could not accept a connection: {}", error.message());
      asio::steady_timer pause(acceptor_.get_executor(), std::chrono::milliseconds(100));
      co_await pause.async_wait(asio::use_awaitable);
      continue;
    }
    std::shared_ptr<ServedConnection> connection;
    {
      std::lock_guard lock(mutex_);
      connections_.remove_if([](const std::weak_ptr<ServedConnection>& c) { return c.expired(); });
      if (connections_.size() >= most_connections_) continue;
      connection = make_(std::move(socket));
      connections_.push_back(connection);
    }
    connection->start();
  }
}

void Listener::stop_accepting() {
  asio::post(acceptor_.get_executor(), [this] {
    boost::system::error_code ignored;
    acceptor_.close(ignored);
  });
}

bool Listener::shut_down_connections(const SqlError& reason, bool at_once) {
  bool any = false;
  std::lock_guard lock(mutex_);
  for (const auto& weak : connections_) {
    if (const auto connection = weak.lock()) {
      connection->shut_down(reason, at_once);
      any = true;
    }
  }
  return any;
}

}  // namespace idem
