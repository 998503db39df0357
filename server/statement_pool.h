#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace idem {

// Threads that run the statements of connections. A statement may wait: for its commit to be durable, for a client
// that reads slowly, for a run of the same key. So there are as many threads as statements in progress, up to a limit; they are
// made when none is idle, the one that became idle last is used first, and they end after some seconds without work. The
// parallel work of a query is done by the WorkerPool instead.
//
// Thread-safe. Tasks must not throw.
class StatementPool {
 public:
  explicit StatementPool(size_t max_threads);
  ~StatementPool();  // runs what was submitted, then joins
  StatementPool(const StatementPool&) = delete;
  StatementPool& operator=(const StatementPool&) = delete;

  void submit(std::function<void()> task);
  bool is_idle() const { return working_ == 0; }  // no task runs

 private:
  struct Waiter {  // an idle thread
    std::condition_variable wake;
    std::function<void()> task;
    bool stop = false;
  };
  void work(std::function<void()> first);

  const size_t max_threads_;
  std::atomic<size_t> working_{0};
  std::mutex mutex_;
  std::condition_variable all_ended_;
  std::vector<Waiter*> idle_;                 // last in, first out
  std::vector<std::function<void()>> queue_;  // only while all threads are busy; first in, first out
  size_t queue_at_ = 0;
  size_t threads_ = 0;
  bool stopping_ = false;
};

}  // namespace idem
