#include "server/statement_pool.h"

#include <algorithm>

namespace idem {

namespace {

constexpr auto kIdleLimit = std::chrono::seconds(30);

}  // namespace

StatementPool::StatementPool(size_t max_threads) : max_threads_(max_threads) {}

StatementPool::~StatementPool() {
  std::unique_lock lock(mutex_);
  stopping_ = true;
  for (Waiter* waiter : idle_) {
    waiter->stop = true;
    waiter->wake.notify_one();
  }
  idle_.clear();
  all_ended_.wait(lock, [this] { return threads_ == 0; });
}

void StatementPool::submit(std::function<void()> task) {
  std::lock_guard lock(mutex_);
  if (!idle_.empty()) {
    Waiter* waiter = idle_.back();
    idle_.pop_back();
    waiter->task = std::move(task);
    waiter->wake.notify_one();
  } else if (threads_ < max_threads_) {
    threads_++;
    std::thread([this, first = std::move(task)]() mutable { work(std::move(first)); }).detach();
  } else {
    queue_.push_back(std::move(task));
  }
}

void StatementPool::work(std::function<void()> task) {
  Waiter self;
  while (true) {
    ++working_;
    task();
    task = nullptr;
    --working_;
    std::unique_lock lock(mutex_);
    if (queue_at_ < queue_.size()) {
      task = std::move(queue_[queue_at_++]);
      if (queue_at_ == queue_.size()) {
        queue_.clear();
        queue_at_ = 0;
      }
      continue;
    }
    if (!stopping_) {
      idle_.push_back(&self);
      bool woken = self.wake.wait_for(lock, kIdleLimit, [&] { return self.task || self.stop; });
      if (!woken) idle_.erase(std::find(idle_.begin(), idle_.end(), &self));
    }
    if (self.task) {
      task = std::move(self.task);
      self.task = nullptr;
      continue;
    }
    if (--threads_ == 0) all_ended_.notify_all();
    return;
  }
}

}  // namespace idem
