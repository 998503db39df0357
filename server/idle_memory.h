#pragma once

#include <cstdint>

#include "server/repeated_look.h"

namespace idem {

struct ServerContext;

// Gives the system back what the allocator keeps of large queries, loads and checkpoints, once there were none for a while, and now and then
// where there is always something: what was a peak is then given back, what is used again and again is soon taken anew. Looks
// every few seconds, on a thread of the network, from start() until the network stops. Refers to both.
class IdleMemory {
 public:
  IdleMemory(boost::asio::io_context& io, const ServerContext& server)
      : timer_(io, [this] { look(); }), server_(server) {}
  void start() { timer_.start(); }
  static constexpr uint32_t kMostBusyLooks = 12;
  // Whether something was done since memory was given back last, but nothing since the look before, or this is the last of so many looks:
  // then it is given back.
  bool look();

 private:
  struct Work {
    uint64_t request_micros = 0, commits = 0;
    int64_t checkpoint_micros = 0;
    bool operator==(const Work&) const = default;
  };
  Work work_done() const;

  RepeatedLook timer_;
  const ServerContext& server_;
  Work last_, given_back_after_;
  uint32_t busy_looks_ = 0;
};

}  // namespace idem
