#include "storage/run_locks.h"

#include <chrono>
#include <utility>

namespace idem {

namespace {

// How late a cancel request or a timeout may be noticed.
constexpr std::chrono::milliseconds kCheckEvery(5);

}  // namespace

RunLock& RunLock::operator=(RunLock&& other) noexcept {
  if (this == &other) return *this;
  release();
  locks_ = std::exchange(other.locks_, nullptr);
  key_ = std::move(other.key_);
  return *this;
}

void RunLock::release() {
  if (!locks_) return;
  {
    std::lock_guard lock(locks_->mutex_);
    locks_->keys_.erase(key_);
  }
  locks_->released_.notify_all();
  locks_ = nullptr;
}

RunLock RunLocks::acquire(const std::string& key, const std::function<void()>& check) {
  std::unique_lock lock(mutex_);
  for (;;) {
    lock.unlock();
    check();
    lock.lock();
    if (keys_.insert(key).second) return RunLock(this, key);
    released_.wait_for(lock, kCheckEvery);
  }
}

}  // namespace idem
