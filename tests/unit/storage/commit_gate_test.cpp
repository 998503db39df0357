#include "storage/commit_gate.h"

#include <atomic>
#include <gtest/gtest.h>
#include <thread>
#include <vector>

namespace idem {
namespace {

TEST(CommitGateTest, ManyMayBeInside) {
  CommitGate gate;
  gate.enter(1);
  gate.enter(2);
  gate.leave();
  gate.leave();
}

TEST(CommitGateTest, WhoHasItAloneWaitsForThoseInsideAndEntersAlone) {
  CommitGate gate;
  std::atomic<bool> left{false}, opened{false};
  gate.enter(1);
  std::thread alone([&] {
    gate.close_to_others(2);
    EXPECT_TRUE(left);
    gate.enter(2);
    gate.leave();
    opened = true;
    gate.open();
  });
  left = true;
  gate.leave();
  alone.join();
  gate.enter(3);
  EXPECT_TRUE(opened);
  gate.leave();
}

// No two have it alone at the same time, and nobody else is inside meanwhile.
TEST(CommitGateTest, ExcludesTheOthers) {
  CommitGate gate;
  std::atomic<int> inside{0}, alone{0}, wrong{0};
  std::vector<std::thread> threads;
  for (uint64_t owner = 1; owner <= 4; ++owner) {
    threads.emplace_back([&, owner] {
      for (int i = 0; i < 200; ++i) {
        gate.enter(owner);
        ++inside;
        wrong += alone != 0;
        --inside;
        gate.leave();
        if (i % 10 != 0) continue;
        gate.close_to_others(owner);
        wrong += ++alone != 1 || inside != 0;
        gate.enter(owner);
        gate.leave();
        --alone;
        gate.open();
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(wrong, 0);
}

}  // namespace
}  // namespace idem
