#pragma once

#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <set>
#include <string>

namespace idem {

class RunLocks;

// The right to execute the run of one key, until it is destroyed. Movable.
class RunLock {
 public:
  RunLock() = default;
  RunLock(RunLock&& other) noexcept
      : locks_(std::exchange(other.locks_, nullptr)), key_(std::move(other.key_)) {}
  RunLock& operator=(RunLock&& other) noexcept;
  ~RunLock() { release(); }

 private:
  friend class RunLocks;
  RunLock(RunLocks* locks, std::string key) : locks_(locks), key_(std::move(key)) {}
  void release();

  RunLocks* locks_ = nullptr;  // null: holds nothing
  std::string key_;
};

// Keys of the runs that are being executed: one session for each. Any thread may call. Outlives its locks.
class RunLocks {
 public:
  // Waits until nobody else executes the key. `check` is called before and every few milliseconds while
  // waiting; what it throws ends the wait.
  RunLock acquire(const std::string& key, const std::function<void()>& check);

 private:
  friend class RunLock;
  std::mutex mutex_;
  std::condition_variable released_;
  std::set<std::string> keys_;
};

}  // namespace idem
