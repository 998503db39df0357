#pragma once

#include <atomic>
#include <cstdint>

#include "common/clock.h"

namespace idem {

// Tells a running statement to stop: by request, by its timeout, or because the server shuts down. One per
// session, reset at the start of each statement. Any thread may cancel; the statement's threads call check()
// at every vector.
class CancelToken {
 public:
  // `clock` outlives the token.
  explicit CancelToken(const Clock& clock) : clock_(clock) {}

  // Forgets an earlier request and sets the deadline: `timeout_micros` from now, 0 for none. A shutdown is
  // not forgotten. `limit`: what the error names; a literal.
  void start_statement(int64_t timeout_micros, const char* limit = "statement timeout");

  void cancel() { raise(Reason::kUserRequest); }
  void shut_down() { raise(Reason::kShutdown); }
  bool is_cancelled() const;

  // Throws SqlError 57014 "canceling statement due to user request" or "… due to" the limit, or 57P01
  // "terminating connection due to administrator command".
  void check() const {
    if (reason_.load(std::memory_order_relaxed) != Reason::kNone || deadline_passed()) throw_reason();
  }

 private:
  enum class Reason : uint8_t { kNone, kUserRequest, kShutdown };  // a later one wins over those before it

  void raise(Reason reason);
  bool deadline_passed() const;
  [[noreturn]] void throw_reason() const;

  const Clock& clock_;
  std::atomic<Reason> reason_{Reason::kNone};
  std::atomic<int64_t> deadline_nanos_{0};  // monotonic; 0: none
  std::atomic<const char*> limit_{""};
};

}  // namespace idem
