#pragma once

#include <atomic>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

namespace idem {

class StatementPool;

// The threads that wait for clients, read what they send, run their short requests and write what they are slow to take.
//
// To hand a request to another thread and to wake it costs about as much as a short statement. So the thread that has read a request runs
// it, and no more threads serve than the load needs, one at the least; the others sleep where they cost nothing. One thread only watches:
// every few milliseconds, while there are requests, it lets one more serve if those that do are busy or at one request for long, and one
// less if they have little to do. When all of them are at one request for long, it serves the network in their place, but hands requests on.
//
// One that serves alone polls for the next request for a while, where one has followed the other closely (adaptive polling).
class NetworkThreads {
 public:
  // `pool` runs requests while nobody here is free; outlives this.
  explicit NetworkThreads(StatementPool& pool);
  NetworkThreads(StatementPool& pool, size_t servers);

  boost::asio::io_context& io() { return io_; }

  void start();
  void stop();  // and join; what has not begun is dropped

  // Runs the request after what the calling thread does now. It may wait, but not throw.
  void run(std::function<void()> request);

  // To be asked once for each request: whether `client` has been the only one to make any for a while.
  bool asks_alone(const void* client);
  // Whether requests have come that have not begun.
  bool has_queued() const { return queued_.load(std::memory_order_relaxed) > 0; }

 private:
  struct Server {
    std::thread thread;
    std::atomic<std::thread::id> id{};
    std::atomic<uint64_t> begun{0};  // requests
    std::atomic<int64_t> busy_ns{0};
    std::atomic<bool> running{false};  // a request
    // Of the thread itself: when its last request ended, and how many of the last were short and came soon after the one before, less
    // several for each that did not.
    int64_t last_end_ns = 0;
    int closeness = 0;
    // As the watch saw them last.
    uint64_t begun_before = 0;
    int64_t busy_ns_before = 0;
  };

  struct Look {
    uint64_t requests = 0;  // begun
    int64_t busy_ns = 0;    // with those that ended
    size_t free = 0;        // of those that serve, not at one request for the whole time
    bool running = false;   // any
  };

  Server* this_server();
  void serve(size_t index);
  void poll_for_next(const Server& server);
  void watch();
  void pause();
  void sleep_until_request();
  Look look();
  void adapt(const Look& now);

  StatementPool& pool_;
  const bool may_poll_;  // the client has a processor of its own
  boost::asio::io_context io_;
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> keep_running_{io_.get_executor()};
  std::vector<std::unique_ptr<Server>> servers_;
  std::thread watch_;
  std::atomic<const void*> last_client_{nullptr};
  std::atomic<uint32_t> in_a_row_{0};      // requests of last_client_
  std::atomic<size_t> queued_{0};          // requests
  std::atomic<size_t> serving_{1};         // the first of servers_; written by the watch
  std::atomic<bool> watch_sleeps_{false};  // until a request comes
  std::mutex mutex_;
  bool stopping_ = false;  // guarded by mutex_
  std::condition_variable serving_changed_, watch_wakes_;
};

}  // namespace idem
