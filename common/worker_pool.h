#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

namespace idem {

// A fixed set of threads that run tasks.
//
// Tasks wait in groups (one submit, or one parallel_run, is a group), and the groups in a ring: a thread
// takes one task of the first group and moves that group to the end, so that a short query behind a long one
// waits for one task of it and not for all.
//
// Thread-safe. The destructor runs what was submitted and joins; nothing may be submitted from then on except
// by tasks that are still running.
class WorkerPool {
 public:
  explicit WorkerPool(size_t thread_count);
  ~WorkerPool();
  WorkerPool(const WorkerPool&) = delete;
  WorkerPool& operator=(const WorkerPool&) = delete;

  size_t thread_count() const { return threads_.size(); }

  // The task must not throw.
  void submit(std::function<void()> task);

  // Calls fn(0), …, fn(worker_count - 1), each exactly once, on the caller's thread and on as many pool
  // threads as are free, and returns when all are done. The caller works on what no thread has taken, so it
  // may be called from within a task. If calls throw, the first exception is thrown again here after all
  // calls that had begun have ended; calls that had not begun by then are left out.
  void parallel_run(size_t worker_count, const std::function<void(size_t worker_index)>& fn);

 private:
  struct Group;

  void work();
  void enqueue(std::shared_ptr<Group> group);

  std::mutex mutex_;
  std::condition_variable available_;
  std::deque<std::shared_ptr<Group>> ring_;  // groups with tasks that no thread has taken
  bool stopping_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace idem
