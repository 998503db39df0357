#include "storage/commit_gate.h"

namespace idem {

void CommitGate::enter(uint64_t owner) {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [&] { return alone_ == 0 || alone_ == owner; });
  ++inside_;
}

void CommitGate::leave() {
  std::lock_guard lock(mutex_);
  if (--inside_ == 0 && alone_ != 0) changed_.notify_all();
}

void CommitGate::close_to_others(uint64_t owner) {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [&] { return alone_ == 0; });
  alone_ = owner;
  changed_.wait(lock, [&] { return inside_ == 0; });
}

void CommitGate::open() {
  {
    std::lock_guard lock(mutex_);
    alone_ = 0;
  }
  changed_.notify_all();
}

}  // namespace idem
