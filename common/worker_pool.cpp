#include "common/worker_pool.h"

#include <algorithm>
#include <atomic>
#include <exception>

namespace idem {

// Tasks that belong together. `waiting` is how many threads may still take one; guarded by the pool's mutex.
struct WorkerPool::Group {
  std::function<void()> run;  // called once by each thread that takes a task
  size_t waiting = 1;
};

WorkerPool::WorkerPool(size_t thread_count) {
  threads_.reserve(thread_count);
  for (size_t i = 0; i < thread_count; ++i) threads_.emplace_back([this] { work(); });
}

WorkerPool::~WorkerPool() {
  {
    std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  available_.notify_all();
  for (std::thread& thread : threads_) thread.join();
}

void WorkerPool::work() {
  std::unique_lock lock(mutex_);
  for (;;) {
    available_.wait(lock, [this] { return stopping_ || !ring_.empty(); });
    if (ring_.empty()) return;
    std::shared_ptr<Group> group = std::move(ring_.front());
    ring_.pop_front();
    if (--group->waiting > 0) ring_.push_back(group);
    lock.unlock();
    group->run();
    group.reset();
    lock.lock();
  }
}

void WorkerPool::enqueue(std::shared_ptr<Group> group) {
  const bool several = group->waiting > 1;
  {
    std::lock_guard lock(mutex_);
    ring_.push_back(std::move(group));
  }
  if (several) {
    available_.notify_all();
  } else {
    available_.notify_one();
  }
}

void WorkerPool::submit(std::function<void()> task) {
  auto group = std::make_shared<Group>();
  group->run = std::move(task);
  enqueue(std::move(group));
}

namespace {

// One parallel_run: indices are handed out by a counter to whichever thread asks. Shared with pool threads
// that may come late, when the caller has gone; such a thread finds no index left and touches nothing of the
// caller's.
class ParallelRun {
 public:
  ParallelRun(size_t count, const std::function<void(size_t)>& fn) : count_(count), fn_(fn) {}

  void take_part() {
    for (size_t i; (i = next_.fetch_add(1)) < count_;) {
      if (!failed_.load(std::memory_order_relaxed)) call(i);
      std::lock_guard lock(mutex_);
      if (++done_ == count_) finished_.notify_all();
    }
  }

  void wait_and_rethrow() {
    std::unique_lock lock(mutex_);
    finished_.wait(lock, [this] { return done_ == count_; });
    if (error_) std::rethrow_exception(error_);
  }

 private:
  void call(size_t i) {
    try {
      fn_(i);
    } catch (...) {
      std::lock_guard lock(mutex_);
      if (!error_) error_ = std::current_exception();
      failed_.store(true, std::memory_order_relaxed);
    }
  }

  const size_t count_;
  const std::function<void(size_t)>& fn_;
  std::atomic<size_t> next_{0};
  std::atomic<bool> failed_{false};
  std::mutex mutex_;
  std::condition_variable finished_;
  size_t done_ = 0;
  std::exception_ptr error_;
};

}  // namespace

void WorkerPool::parallel_run(size_t worker_count, const std::function<void(size_t)>& fn) {
  if (worker_count == 0) return;
  if (worker_count == 1) return fn(0);
  auto run = std::make_shared<ParallelRun>(worker_count, fn);
  std::shared_ptr<Group> group;
  if (const size_t others = std::min(worker_count - 1, threads_.size()); others > 0) {
    group = std::make_shared<Group>();
    group->run = [run] { run->take_part(); };
    group->waiting = others;
    enqueue(group);
  }
  run->take_part();
  if (group) {
    std::lock_guard lock(mutex_);
    if (auto it = std::find(ring_.begin(), ring_.end(), group); it != ring_.end()) ring_.erase(it);
  }
  run->wait_and_rethrow();
}

}  // namespace idem
