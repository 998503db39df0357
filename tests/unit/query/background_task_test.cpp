#include "query/background_task.h"

#include <future>
#include <gtest/gtest.h>
#include <stdexcept>
#include <thread>

#include "common/worker_pool.h"

namespace idem {
namespace {

TEST(BackgroundTask, RunsOneTaskAfterTheOther) {
  WorkerPool pool(2);
  for (WorkerPool* workers : {&pool, static_cast<WorkerPool*>(nullptr)}) {
    BackgroundTask task(workers);
    int sum = 0;  // no two run at a time, and all is seen after wait()
    for (int i = 0; i < 10'000; ++i) {
      task.run([&sum, i] { sum = sum * 3 % 1'000'003 + i; });
      if (i % 7 == 0) task.wait();
    }
    task.wait();
    int expected = 0;
    for (int i = 0; i < 10'000; ++i) expected = expected * 3 % 1'000'003 + i;
    EXPECT_EQ(sum, expected);
  }
}

TEST(BackgroundTask, ThrowsOnceWhatATaskThrew) {
  WorkerPool pool(1);
  BackgroundTask task(&pool);
  const auto fail = [] { throw std::runtime_error("no"); };
  task.run(fail);
  EXPECT_THROW(task.wait(), std::runtime_error);
  EXPECT_NO_THROW(task.wait());
  task.run(fail);
  EXPECT_THROW(task.run([] {}), std::runtime_error);
  task.run(fail);  // is lost
}

TEST(BackgroundTask, NeedsNoFreeWorker) {
  WorkerPool pool(1);
  std::promise<void> end;
  pool.submit([ended = end.get_future().share()] { ended.wait(); });
  {
    BackgroundTask task(&pool);
    std::thread::id ran_by;
    task.run([&] { ran_by = std::this_thread::get_id(); });
    task.wait();
    EXPECT_EQ(ran_by, std::this_thread::get_id());
  }
  end.set_value();  // what the pool finds of it now is done
}

}  // namespace
}  // namespace idem
