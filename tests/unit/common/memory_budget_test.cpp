#include "common/memory_budget.h"

#include <gtest/gtest.h>
#include <thread>
#include <vector>

#include "common/error.h"

namespace idem {
namespace {

TEST(MemoryBudgetTest, CountsAgainstAllAncestors) {
  MemoryBudget server("server", 1000);
  MemoryBudget query("query", 600, &server);
  query.reserve(500);
  EXPECT_EQ(server.used(), 500u);
  EXPECT_FALSE(query.try_reserve(101));
  EXPECT_EQ(query.used(), 500u);
  EXPECT_EQ(server.used(), 500u);
  query.release(500);
  EXPECT_EQ(server.used(), 0u);
  EXPECT_EQ(query.peak(), 500u);
  EXPECT_EQ(server.peak(), 500u);
}

TEST(MemoryBudgetTest, NamesTheLimitThatWasMet) {
  MemoryBudget server("server", 1000);
  MemoryBudget query("query", MemoryBudget::kUnlimited, &server);
  query.reserve(900);
  try {
    query.reserve(200);
    FAIL();
  } catch (const SqlError& error) {
    EXPECT_EQ(error.sqlstate(), "53200");
    EXPECT_EQ(error.detail(),
              "Failed on request of 200 bytes: 900 of 1000 bytes of the memory limit of server are in use.");
  }
  EXPECT_EQ(query.used(), 900u);
  server.set_limit(2000);
  query.reserve(200);
  query.release(1100);
}

TEST(MemoryReservationTest, GivesBackWhenDestroyed) {
  MemoryBudget budget("b", 100);
  {
    MemoryReservation a(budget, 30);
    a.grow(10);
    a.shrink(5);
    EXPECT_EQ(budget.used(), 35u);
    EXPECT_FALSE(a.try_grow(66));
    EXPECT_TRUE(a.try_grow(65));
    a.resize(20);
    MemoryReservation b = std::move(a);
    EXPECT_EQ(b.bytes(), 20u);
    MemoryReservation c(budget, 50);
    c = std::move(b);
    EXPECT_EQ(budget.used(), 20u);
    EXPECT_THROW(c.resize(101), SqlError);
    EXPECT_EQ(c.bytes(), 20u);
  }
  EXPECT_EQ(budget.used(), 0u);
}

TEST(MemoryBudgetTest, NeverGrantsMoreThanTheLimit) {
  MemoryBudget budget("b", 1000);
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < 10'000; ++i) {
        if (budget.try_reserve(300)) budget.release(300);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(budget.used(), 0u);
  EXPECT_LE(budget.peak(), 1000u);
}

}  // namespace
}  // namespace idem
