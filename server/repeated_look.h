#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <functional>

namespace idem {

// Calls a function every few seconds, on a thread of the network, until the network stops. Refers to it.
class RepeatedLook {
 public:
  RepeatedLook(boost::asio::io_context& io, std::function<void()> look)
      : timer_(io), look_(std::move(look)) {}
  void start() {
    timer_.expires_after(std::chrono::seconds(5));
    timer_.async_wait([this](const boost::system::error_code& error) {
      if (error) return;
      look_();
      start();
    });
  }

 private:
  boost::asio::steady_timer timer_;
  const std::function<void()> look_;
};

}  // namespace idem
