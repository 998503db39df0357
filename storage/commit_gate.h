#pragma once

#include <condition_variable>
#include <cstdint>
#include <mutex>

namespace idem {

// What a commit to a table passes before it takes any latch: all commits may at a time, or those of one transaction alone, which has failed to
// get between the others too often (Database::begin_alone). Thread-safe.
class CommitGate {
 public:
  // Waits while a transaction other than `owner` has the gate alone.
  void enter(uint64_t owner);
  void leave();

  // From now on `owner` alone may enter, which is not 0. Waits until no other has that right, and those who entered before have left.
  void close_to_others(uint64_t owner);
  void open();

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  uint32_t inside_ = 0;
  uint64_t alone_ = 0;  // 0: all may enter
};

}  // namespace idem
