#include "server/service_notice.h"

#include <boost/asio/buffer.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/local/datagram_protocol.hpp>
#include <cstdlib>
#include <gtest/gtest.h>
#include <string>
#include <unistd.h>

namespace idem {
namespace {

TEST(ServiceNotice, GoesWhereTheManagerListens) {
  using Protocol = boost::asio::local::datagram_protocol;
  const std::string name = "idem-service-test-" + std::to_string(getpid());
  boost::asio::io_context io;
  Protocol::socket listener(io, Protocol::endpoint(std::string(1, '\0') + name));
  ::setenv("NOTIFY_SOCKET", ("@" + name).c_str(), 1);
  send_service_notice("READY=1");
  std::string message(64, ' ');
  message.resize(listener.receive(boost::asio::buffer(message)));
  EXPECT_EQ(message, "READY=1");
  // Nobody listens: nothing happens.
  listener.close();
  EXPECT_NO_THROW(send_service_notice("STOPPING=1"));
  ::setenv("NOTIFY_SOCKET", std::string(200, 'x').c_str(), 1);
  EXPECT_NO_THROW(send_service_notice("STOPPING=1"));
  ::unsetenv("NOTIFY_SOCKET");
  EXPECT_NO_THROW(send_service_notice("STOPPING=1"));
}

}  // namespace
}  // namespace idem
