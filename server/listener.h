#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <functional>
#include <list>
#include <memory>
#include <mutex>
#include <string>

#include "server/served_connection.h"

namespace idem {

// An address on which connections of one kind are accepted, and those that live.
class Listener {
 public:
  using MakeConnection = std::function<std::shared_ptr<ServedConnection>(boost::asio::ip::tcp::socket)>;

  // Binds and listens; port 0 takes any free one. `setting` names the port in errors: 22023, 55006. More than `most_connections`, also such as
  // have not said who they are, are closed as they come.
  Listener(boost::asio::io_context& io, const std::string& address, uint16_t port, std::string_view setting,
           size_t most_connections, MakeConnection make);

  // The address to listen on: 22023 if there is none of this name.
  static boost::asio::ip::tcp::endpoint resolve(const std::string& address, uint16_t port);

  uint16_t port() const { return acceptor_.local_endpoint().port(); }
  // From here on connections are accepted, while `io` runs.
  void start();
  void stop_accepting();  // any thread
  // Asks those that live to end; false if there are none. Any thread.
  bool shut_down_connections(const SqlError& reason, bool at_once);

 private:
  boost::asio::awaitable<void> accept_loop();

  boost::asio::io_context& io_;
  boost::asio::ip::tcp::acceptor acceptor_;
  const size_t most_connections_;
  const MakeConnection make_;
  std::mutex mutex_;
  std::list<std::weak_ptr<ServedConnection>> connections_;  // guarded by mutex_
};

}  // namespace idem
