#include <atomic>
#include <cstdlib>
#include <gtest/gtest.h>
#include <mutex>
#include <new>
#include <thread>

#include "log_fixture.h"

namespace {

// Allocations that this thread may still make before one fails, once; negative: all succeed.
thread_local int64_t allocations_left = -1;

}  // namespace

// Not inlined: the compiler would take them for mismatched.
[[gnu::noinline]] void* operator new(std::size_t bytes) {
  if (allocations_left >= 0 && allocations_left-- == 0) throw std::bad_alloc();
  if (void* memory = std::malloc(bytes == 0 ? 1 : bytes)) return memory;
  throw std::bad_alloc();
}
[[gnu::noinline]] void operator delete(void* memory) noexcept { std::free(memory); }
[[gnu::noinline]] void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }

namespace idem::wal {
namespace {

// Runs `call`, in which the n-th allocation fails (0 is the first). *failed: whether it came to that.
template <class F>
bool is_done_although_memory_fails(int64_t n, bool* failed, F&& call) {
  bool done = true;
  allocations_left = n;
  try {
    call();
  } catch (const std::bad_alloc&) { done = false; } catch (const SqlError&) {
    done = false;
  }
  *failed = allocations_left < 0;
  allocations_left = -1;
  return done;
}

// Every allocation of a commit fails in turn. The commits after it succeed or are told that the log has failed, and nothing that was
// acknowledged is missing, nothing that is there differs from what was appended.
TEST(LogMemory, EveryAllocationOfACommitMayFail) {
  LogOptions options = small_segments();
  options.own_threads = false;
  bool failed = true;
  int64_t n = 0;
  for (; failed; ++n) {
    SimulatedFileSystem files;
    Records appended, acknowledged;
    {
      const std::unique_ptr<Log> log = open_log(files, options);
      // Until the next record needs another segment.
      appended = acknowledged = commit_range(*log, 1, 20);
      const std::string large(12'000, 'x');
      appended[21] = large;
      const bool done = is_done_although_memory_fails(n, &failed, [&] {
        log->append(21, large);
        log->wait_durable(21);
      });
      if (done) acknowledged[21] = large;
      for (CommitNumber commit = 22; commit <= 30; ++commit) {
        appended[commit] = payload_of(commit);
        try {
          log->append(commit, appended[commit]);
          log->wait_durable(commit);
          acknowledged[commit] = appended[commit];
        } catch (const SqlError& error) {
          EXPECT_NE(error.message().find("the log could not be written"), std::string::npos);
        }
      }
    }
    const Records found = recover_log(*files.copy()).records;
    for (const auto& [commit, payload] : acknowledged) {
      ASSERT_TRUE(found.contains(commit)) << "commit " << commit << ", allocation " << n;
    }
    for (const auto& [commit, payload] : found) {
      ASSERT_EQ(payload, appended.at(commit)) << "commit " << commit << ", allocation " << n;
    }
  }
  EXPECT_GT(n, 5);
}

class ForgetfulListener final : public LogListener {
 public:
  void on_durable(CommitNumber) override { throw std::bad_alloc(); }
  void on_failed(const SqlError&) override { ++failures; }
  std::atomic<int> failures = 0;
};

// Whoever leads a sync serves others: it tells them when memory runs out, in whichever thread.
TEST(LogMemory, WaitersAreToldWhenTheLeaderRunsOutOfMemory) {
  SimulatedFileSystem files;
  ForgetfulListener listener;
  const std::unique_ptr<Log> log = open_log(files, small_segments(), &listener);
  std::vector<std::thread> committers;
  std::atomic<int> told = 0;
  std::mutex order;
  CommitNumber last = 0;
  for (int i = 0; i < 4; ++i) {
    committers.emplace_back([&] {
      try {
        CommitNumber mine = 0;
        {
          const std::lock_guard lock(order);
          mine = ++last;
          log->append(mine, "payload");
        }
        if (mine % 2 == 0) log->request_sync();
        log->wait_durable(mine);
      } catch (const SqlError& error) {
        if (error.sqlstate() == sqlstate::kIoError) ++told;
      }
    });
  }
  for (std::thread& committer : committers) committer.join();
  EXPECT_EQ(told, 4);
  EXPECT_EQ(listener.failures, 1);
  EXPECT_TRUE(log->stats().failed);
}

}  // namespace
}  // namespace idem::wal
