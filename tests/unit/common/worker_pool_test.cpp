#include "common/worker_pool.h"

#include <atomic>
#include <future>
#include <gtest/gtest.h>
#include <stdexcept>

namespace idem {
namespace {

TEST(WorkerPoolTest, RunsAllThatWasSubmittedBeforeItEnds) {
  std::atomic<int> count{0};
  {
    WorkerPool pool(3);
    for (int i = 0; i < 1000; ++i) pool.submit([&] { ++count; });
  }
  EXPECT_EQ(count, 1000);
}

TEST(WorkerPoolTest, ParallelRunCallsEachIndexOnce) {
  WorkerPool pool(4);
  for (const size_t workers : {0, 1, 2, 5, 64}) {
    std::vector<std::atomic<int>> calls(workers);
    pool.parallel_run(workers, [&](size_t i) { ++calls[i]; });
    for (const auto& n : calls) EXPECT_EQ(n, 1);
  }
}

TEST(WorkerPoolTest, ParallelRunUsesSeveralThreads) {
  WorkerPool pool(1);
  std::promise<void> first, second;  // each waits for the other to have begun
  pool.parallel_run(2, [&](size_t i) {
    (i == 0 ? first : second).set_value();
    (i == 0 ? second : first).get_future().wait();
  });
}

TEST(WorkerPoolTest, NestedParallelRunsDoNotDeadlock) {
  WorkerPool pool(2);
  std::atomic<int> count{0};
  pool.parallel_run(8, [&](size_t) {
    pool.parallel_run(8, [&](size_t) { pool.parallel_run(4, [&](size_t) { ++count; }); });
  });
  EXPECT_EQ(count, 8 * 8 * 4);
}

TEST(WorkerPoolTest, AWorkerMayRunOnAPoolWithoutThreads) {
  WorkerPool pool(0);
  int count = 0;
  pool.parallel_run(3, [&](size_t) { ++count; });
  EXPECT_EQ(count, 3);
}

TEST(WorkerPoolTest, TheFirstExceptionReachesTheCaller) {
  WorkerPool pool(2);
  EXPECT_THROW(pool.parallel_run(16,
                                 [&](size_t i) {
                                   if (i == 3) throw std::runtime_error("three");
                                 }),
               std::runtime_error);
  std::atomic<int> count{0};
  pool.parallel_run(4, [&](size_t) { ++count; });
  EXPECT_EQ(count, 4);
}

TEST(WorkerPoolTest, OneThreadRunsTasksInTheOrderOfSubmission) {
  std::vector<int> order;
  {
    WorkerPool pool(1);
    for (int i = 0; i < 5; ++i) pool.submit([&order, i] { order.push_back(i); });
  }
  EXPECT_EQ(order, (std::vector<int>{0, 1, 2, 3, 4}));
}

}  // namespace
}  // namespace idem
