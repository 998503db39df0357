#include "server/network_threads.h"

#include <algorithm>
#include <boost/asio/defer.hpp>
#include <boost/asio/post.hpp>
#include <chrono>
#include <utility>

#include "server/statement_pool.h"

namespace idem {

namespace {

constexpr uint32_t kAlone = 16;  // requests in a row
constexpr auto kLook = std::chrono::milliseconds(5);
constexpr int64_t kLookNs = std::chrono::nanoseconds(kLook).count();
constexpr int kQuietLooks = 100;  // without a request, then the watch sleeps
constexpr size_t kMostServers = 8;
// Of the time of those that serve, without that for reading what was sent: above it one more is called, and one is sent away if the others
// would stay below the second. A thread that does nothing but short commits is at 0.65, and two get no more of them done.
constexpr double kBusy = 0.83, kCalm = 0.5;

int64_t steady_ns() {
  using namespace std::chrono;
  return duration_cast<nanoseconds>(steady_clock::now().time_since_epoch()).count();
}

// Where requests that are short come soon after the one before, the thread polls that long for the next: to sleep and to be woken
// costs more time than one takes. One that waits for the disk gains nothing, and statements that take long need the processor.
constexpr int64_t kShortNs = 50'000, kSoonNs = 100'000;
constexpr int kPollFrom = 16, kMostCloseness = 32, kFarAsMany = 4;  // Server::closeness

// A thread that leaves may have put something into the queue that nobody was woken for.
void hand_on(boost::asio::io_context& io) {
  boost::asio::post(io, [] {});
}

}  // namespace

NetworkThreads::NetworkThreads(StatementPool& pool)
    : NetworkThreads(pool, std::clamp<size_t>(std::thread::hardware_concurrency(), 2, kMostServers)) {}

NetworkThreads::NetworkThreads(StatementPool& pool, size_t servers)
    : pool_(pool), may_poll_(std::thread::hardware_concurrency() > 1), io_(static_cast<int>(servers) + 1) {
  for (size_t i = 0; i < servers; ++i) servers_.push_back(std::make_unique<Server>());
}

void NetworkThreads::start() {
  for (size_t i = 0; i < servers_.size(); ++i) servers_[i]->thread = std::thread([this, i] { serve(i); });
  watch_ = std::thread([this] { watch(); });
}

void NetworkThreads::stop() {
  io_.stop();
  {
    std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  serving_changed_.notify_all();
  watch_wakes_.notify_all();
  watch_.join();
  for (const std::unique_ptr<Server>& server : servers_) server->thread.join();
}

void NetworkThreads::run(std::function<void()> request) {
  ++queued_;
  boost::asio::defer(io_, [this, request = std::move(request)]() mutable {
    --queued_;
    Server* const server = this_server();
    if (!server) return pool_.submit(std::move(request));
    const int64_t begin = steady_ns();
    server->running = true;
    ++server->begun;
    if (watch_sleeps_ && watch_sleeps_.exchange(false)) {
      std::lock_guard lock(mutex_);
      watch_wakes_.notify_one();
    }
    request();
    request = nullptr;  // counts as its work
    const int64_t end = steady_ns();
    server->busy_ns.fetch_add(end - begin, std::memory_order_relaxed);
    server->running = false;
    const bool is_close = end - begin < kShortNs && begin - server->last_end_ns < kSoonNs;
    server->closeness = is_close ? std::min(server->closeness + 1, kMostCloseness)
                                 : std::max(server->closeness - kFarAsMany, 0);
    server->last_end_ns = end;
  });
}

bool NetworkThreads::asks_alone(const void* client) {
  if (last_client_.exchange(client) != client) in_a_row_ = 0;
  return ++in_a_row_ > kAlone;
}

// Null on the watch.
NetworkThreads::Server* NetworkThreads::this_server() {
  for (const std::unique_ptr<Server>& server : servers_) {
    if (server->id.load(std::memory_order_relaxed) == std::this_thread::get_id()) return server.get();
  }
  return nullptr;
}

void NetworkThreads::serve(size_t index) {
  servers_[index]->id = std::this_thread::get_id();
  while (!io_.stopped()) {
    if (index < serving_) {
      if (index == 0) poll_for_next(*servers_[0]);
      io_.run_one();
      continue;
    }
    hand_on(io_);
    std::unique_lock lock(mutex_);
    serving_changed_.wait(lock, [&] { return index < serving_ || stopping_; });
  }
}

void NetworkThreads::poll_for_next(const Server& server) {
  if (!may_poll_ || serving_ != 1 || !pool_.is_idle()) return;
  while (server.closeness >= kPollFrom && steady_ns() - server.last_end_ns < kSoonNs) io_.poll_one();
}

void NetworkThreads::watch() {
  bool stands_in = false;
  int quiet_looks = 0;
  while (!io_.stopped()) {
    if (stands_in) io_.run_for(kLook);
    else pause();
    const Look now = look();
    if (std::exchange(stands_in, now.free == 0 && serving_ == servers_.size()) && !stands_in) hand_on(io_);
    adapt(now);
    quiet_looks = now.requests == 0 && !now.running ? quiet_looks + 1 : 0;
    if (quiet_looks == kQuietLooks) {
      quiet_looks = 0;
      sleep_until_request();
    }
  }
}

void NetworkThreads::pause() {
  std::unique_lock lock(mutex_);
  watch_wakes_.wait_for(lock, kLook, [this] { return stopping_; });
}

void NetworkThreads::sleep_until_request() {
  watch_sleeps_ = true;
  // One that began before this thread could be seen to sleep does not wake it.
  if (look().requests > 0) watch_sleeps_ = false;
  std::unique_lock lock(mutex_);
  watch_wakes_.wait(lock, [this] { return !watch_sleeps_ || stopping_; });
}

// What was done since the last look.
NetworkThreads::Look NetworkThreads::look() {
  Look out;
  for (size_t i = 0; i < servers_.size(); ++i) {
    Server& server = *servers_[i];
    const bool running = server.running;
    const uint64_t begun = server.begun;
    const int64_t busy_ns = server.busy_ns.load(std::memory_order_relaxed);
    const uint64_t requests = begun - std::exchange(server.begun_before, begun);
    out.requests += requests;
    out.busy_ns += busy_ns - std::exchange(server.busy_ns_before, busy_ns);
    out.running |= running;
    if (i < serving_ && (!running || requests > 0)) ++out.free;
  }
  return out;
}

void NetworkThreads::adapt(const Look& now) {
  // Who asks alone waits for each answer: a second thread would only take turns with the first.
  const bool alone = in_a_row_ > kAlone;
  const double busy = alone ? 0 : static_cast<double>(now.busy_ns) / static_cast<double>(kLookNs);
  const double free = static_cast<double>(now.free);
  size_t serving = serving_;
  if (serving < servers_.size() && busy >= kBusy * free) {
    ++serving;
  } else if (serving > 1 && now.free > 1 && busy < kCalm * (free - 1)) {
    --serving;
  } else {
    return;
  }
  {
    std::lock_guard lock(mutex_);
    serving_ = serving;
  }
  serving_changed_.notify_all();
}

}  // namespace idem
