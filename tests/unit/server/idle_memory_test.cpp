#include "server/idle_memory.h"

#include <gtest/gtest.h>

#include "common/clock.h"
#include "common/memory_budget.h"
#include "common/simulated_file.h"
#include "query/session.h"
#include "storage/database.h"

namespace idem {
namespace {

TEST(IdleMemoryTest, IsGivenBackOnceAfterWork) {
  SimulatedFileSystem files;
  SettableClock clock;
  DatabaseOptions options;
  options.background_checkpoint = false;
  const auto database = Database::open(files, clock, "/data", options);
  MemoryBudget memory("server", 1 << 20);
  ServerContext server;
  server.database = database.get();
  server.memory = &memory;
  boost::asio::io_context io;
  IdleMemory idle(io, server);
  EXPECT_FALSE(idle.look());  // nothing was ever done

  server.metrics.requests.add(1000);
  EXPECT_FALSE(idle.look());  // just now
  EXPECT_TRUE(idle.look());
  EXPECT_FALSE(idle.look());  // it was

  server.metrics.commits.add();
  EXPECT_FALSE(idle.look());
  {
    const MemoryReservation running(memory, 1000);
    EXPECT_FALSE(idle.look());
  }
  EXPECT_TRUE(idle.look());

  for (int round = 0; round < 2; ++round) {  // never without work
    for (uint32_t i = 1; i <= IdleMemory::kMostBusyLooks; ++i) {
      server.metrics.commits.add();
      EXPECT_EQ(idle.look(), i == IdleMemory::kMostBusyLooks);
    }
  }
}

}  // namespace
}  // namespace idem
