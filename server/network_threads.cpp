#include "server/network_threads.h"

#include <algorithm>
#include <boost/asio/defer.hpp>
#include <chrono>

namespace idem {

namespace {

constexpr uint32_t kAlone = 16;  // requests in a row
constexpr auto kLook = std::chrono::milliseconds(2);
constexpr int kQuietLooks = 250;           // without a request, then both threads serve again
constexpr int64_t kLongestPoll = 100'000;  // ns
constexpr int64_t kPauseWeight = 8;        // of those before, against one of the newest

int64_t steady_ns() {
  using namespace std::chrono;
  return duration_cast<nanoseconds>(steady_clock::now().time_since_epoch()).count();
}

}  // namespace

void NetworkThreads::start() {
  first_ = std::thread([this] { serve(); });
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
  const int64_t pause = std::min(steady_ns() - answered_ns_, kLongestPoll * kPauseWeight);
  pause_ns_ = (pause_ns_ * (kPauseWeight - 1) + pause) / kPauseWeight;
  boost::asio::defer(io_, [this, run = std::move(task)] {
    run();
    answered_ns_ = steady_ns();
    running_ = false;
  });
  return true;
}

void NetworkThreads::serve() {
  while (!io_.stopped()) {
    if (!one_client_asks() || !poll_for_request()) io_.run_one();
  }
}

// True if there was something to do.
bool NetworkThreads::poll_for_request() {
  if (running_ || pause_ns_ > kLongestPoll || !may_poll_) return false;
  const int64_t until = answered_ns_ + std::min(2 * pause_ns_.load(), kLongestPoll);
  do {
    if (io_.poll_one() > 0) return true;
  } while (steady_ns() < until);
  return false;
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
