#include "server/client_socket.h"

#include <fmt/format.h>

#include <boost/asio/strand.hpp>

namespace idem {

using boost::asio::ip::tcp;

tcp::socket on_strand(tcp::socket socket) {
  const auto protocol = socket.local_endpoint().protocol();
  tcp::socket moved(boost::asio::make_strand(socket.get_executor()));
  moved.assign(protocol, socket.release());
  return moved;
}

std::string address_of(const tcp::socket& socket) {
  boost::system::error_code error;
  const auto endpoint = socket.remote_endpoint(error);
  return error ? "unknown" : fmt::format("{}:{}", endpoint.address().to_string(), endpoint.port());
}

}  // namespace idem
