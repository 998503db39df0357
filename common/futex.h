#pragma once

#include <atomic>

#if defined(__linux__)
#include <climits>
#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>
#endif

namespace idem {

// Waiting for an atomic number to change without the spinning of std::atomic::wait(): for waits that are known to be
// longer than a turn of the scheduler, on machines with more threads than cores.

// Returns when the value may differ from `expected`; look again.
inline void futex_wait(std::atomic<int>& word, int expected) {
#if defined(__linux__)
  static_assert(sizeof(std::atomic<int>) == sizeof(int));
  syscall(SYS_futex, reinterpret_cast<int*>(&word), FUTEX_WAIT_PRIVATE, expected, nullptr, nullptr, 0);
#else
  word.wait(expected);
#endif
}

inline void futex_wake(std::atomic<int>& word, bool all) {
#if defined(__linux__)
  syscall(SYS_futex, reinterpret_cast<int*>(&word), FUTEX_WAKE_PRIVATE, all ? INT_MAX : 1, nullptr, nullptr,
          0);
#else
  if (all) word.notify_all();
  else word.notify_one();
#endif
}

}  // namespace idem
