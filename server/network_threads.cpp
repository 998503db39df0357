#include "server/network_threads.h"

#include <boost/asio/defer.hpp>

namespace idem {

namespace {

constexpr uint32_t kAlone = 16;  // requests in a row
constexpr auto kLook = std::chrono::milliseconds(2);
constexpr int kQuietLooks = 250;  // without a request, then both threads serve again

}  // namespace

void NetworkThreads::start() {
  first_ = std::thread([this] { io_.run(); });
  second_ = std::thread([this] { stand_by(); });
}

void NetworkThreads::stop() {
  io_.stop();
  first_.join();
  second_.join();
}

bool NetworkThreads::one_client_asks() const { return in_a_row_ >= kAlone; }

bool NetworkThreads::try_run(const void* client, std::function<void()> task) {
  if (last_client_.exchange(client) != client) {
    in_a_row_ = 0;
    return false;
  }
  ++in_a_row_;
  if (!one_client_asks() || running_.exchange(true)) return false;
  ++begun_;
  boost::asio::defer(io_, [this, run = std::move(task)] {
    run();
    running_ = false;
  });
  return true;
}

void NetworkThreads::stand_by() {
  int quiet_looks = 0;
  while (!io_.stopped()) {
    if (!one_client_asks()) {
      io_.run_one();
      quiet_looks = 0;
      continue;
    }
    const uint64_t seen = begun_;
    std::this_thread::sleep_for(kLook);
    while (running_ && begun_ == seen && !io_.stopped()) io_.run_one_for(kLook);
    quiet_looks = begun_ == seen ? quiet_looks + 1 : 0;
    if (quiet_looks == kQuietLooks) in_a_row_ = 0;
  }
}

}  // namespace idem
