#include "server/service_notice.h"

#include <boost/asio/buffer.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/local/datagram_protocol.hpp>
#include <cstdlib>
#include <spdlog/spdlog.h>
#include <string>

namespace idem {

void send_service_notice(std::string_view message) {
  namespace asio = boost::asio;
  using Protocol = asio::local::datagram_protocol;
  const char* const variable = std::getenv("NOTIFY_SOCKET");
  if (!variable || !*variable) return;
  std::string name = variable;
  if (name[0] == '@') name[0] = '\0';  // Linux's abstract names
  try {
    asio::io_context io;
    Protocol::socket socket(io, Protocol());
    socket.send_to(asio::buffer(message), Protocol::endpoint(name));
  } catch (const std::exception& error) {
    spdlog::warn("could not send the service manager \"{}\": {}", message, error.what());
  }
}

}  // namespace idem
