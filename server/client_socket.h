#pragma once

#include <boost/asio/ip/tcp.hpp>
#include <string>

namespace idem {

// The socket on an executor of its own, of which one thread at a time runs what concerns it.
boost::asio::ip::tcp::socket on_strand(boost::asio::ip::tcp::socket socket);

// "127.0.0.1:40112", or "unknown" when the client has gone.
std::string address_of(const boost::asio::ip::tcp::socket& socket);

}  // namespace idem
