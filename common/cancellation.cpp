#include "common/cancellation.h"

#include "common/error.h"

namespace idem {

void CancelToken::start_statement(int64_t timeout_micros, const char* limit) {
  limit_.store(limit, std::memory_order_relaxed);
  Reason request = Reason::kUserRequest;
  reason_.compare_exchange_strong(request, Reason::kNone, std::memory_order_relaxed);
  deadline_nanos_.store(timeout_micros > 0 ? clock_.monotonic_nanos() + timeout_micros * 1000 : 0,
                        std::memory_order_relaxed);
}

void CancelToken::raise(Reason reason) {
  Reason seen = reason_.load(std::memory_order_relaxed);
  while (seen < reason && !reason_.compare_exchange_weak(seen, reason, std::memory_order_relaxed)) {}
}

bool CancelToken::deadline_passed() const {
  const int64_t deadline = deadline_nanos_.load(std::memory_order_relaxed);
  return deadline != 0 && clock_.monotonic_nanos() >= deadline;
}

bool CancelToken::is_cancelled() const {
  return reason_.load(std::memory_order_relaxed) != Reason::kNone || deadline_passed();
}

void CancelToken::throw_reason() const {
  switch (reason_.load(std::memory_order_relaxed)) {
    case Reason::kUserRequest:
      throw sql_error(sqlstate::kQueryCanceled, "canceling statement due to user request");
    case Reason::kShutdown:
      throw sql_error(sqlstate::kAdminShutdown, "terminating connection due to administrator command");
    case Reason::kNone: break;
  }
  throw sql_error(sqlstate::kQueryCanceled, "canceling statement due to {}",
                  limit_.load(std::memory_order_relaxed));
}

}  // namespace idem
