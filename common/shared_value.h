#pragma once

#include <memory>
#include <mutex>
#include <utility>

namespace idem {

// An immutable value that is replaced as a whole; who has got it keeps what he got. Thread-safe.
template <class T>
class SharedValue {
 public:
  void set(T value) {
    auto next = std::make_shared<const T>(std::move(value));
    std::lock_guard lock(mutex_);
    value_.swap(next);
  }
  std::shared_ptr<const T> get() const {
    std::lock_guard lock(mutex_);
    return value_;
  }

 private:
  mutable std::mutex mutex_;
  std::shared_ptr<const T> value_ = std::make_shared<const T>();
};

}  // namespace idem
