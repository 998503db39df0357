#include "server/statement_pool.h"

#include <future>
#include <gtest/gtest.h>
#include <thread>

namespace idem {
namespace {

TEST(StatementPoolTest, IsIdleWhenNoTaskRuns) {
  StatementPool pool(4);
  EXPECT_TRUE(pool.is_idle());
  for (int i = 0; i < 100; ++i) {
    std::promise<void> begun, ended;
    pool.submit([&] {
      begun.set_value();
      ended.get_future().wait();
    });
    begun.get_future().wait();
    EXPECT_FALSE(pool.is_idle());
    ended.set_value();
    while (!pool.is_idle()) std::this_thread::yield();
  }
}

}  // namespace
}  // namespace idem
