#pragma once

#include <atomic>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <functional>
#include <thread>

namespace idem {

// The two threads that wait for clients, read what they send and write what they are slow to take.
//
// To hand each request to another thread and to wake it costs as much as a third of a short commit. So while one client alone asks, the
// thread that read its request also runs it, and the other thread stands by: it looks from time to time whether the first has been at one
// request for long, and then serves the network in its place.
class NetworkThreads {
 public:
  boost::asio::io_context& io() { return io_; }

  void start();
  void stop();  // and join; what has not begun is dropped

  // Runs the task, which may wait but not throw, on the calling network thread after what it does now, if `client` has been the only one to
  // ask for a while. False, and nothing done, if it has not.
  bool try_run(const void* client, std::function<void()> task);

 private:
  bool one_client_asks() const;
  void stand_by();

  boost::asio::io_context io_{2};
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> keep_running_{io_.get_executor()};
  std::atomic<const void*> last_client_{nullptr};
  std::atomic<uint32_t> in_a_row_{0};  // requests of last_client_
  std::atomic<uint64_t> begun_{0};     // tasks
  std::atomic<bool> running_{false};   // a task is run or about to be
  std::thread first_, second_;
};

}  // namespace idem
