#include "common/cancellation.h"

#include <gtest/gtest.h>

#include "common/error.h"

namespace idem {
namespace {

std::string outcome(const CancelToken& token) {
  try {
    token.check();
  } catch (const SqlError& error) {
    EXPECT_TRUE(token.is_cancelled());
    return error.sqlstate() + " " + error.message();
  }
  EXPECT_FALSE(token.is_cancelled());
  return "runs";
}

TEST(CancelTokenTest, RequestAndTimeout) {
  SettableClock clock;
  CancelToken token(clock);
  EXPECT_EQ(outcome(token), "runs");
  token.start_statement(1000);
  clock.advance_micros(999);
  EXPECT_EQ(outcome(token), "runs");
  clock.advance_micros(1);
  EXPECT_EQ(outcome(token), "57014 canceling statement due to statement timeout");
  token.cancel();
  EXPECT_EQ(outcome(token), "57014 canceling statement due to user request");
  token.start_statement(0);
  clock.advance_micros(1'000'000'000);
  EXPECT_EQ(outcome(token), "runs");
}

TEST(CancelTokenTest, AShutdownOutlastsTheStatement) {
  SettableClock clock;
  CancelToken token(clock);
  token.shut_down();
  token.cancel();
  token.start_statement(0);
  EXPECT_EQ(outcome(token), "57P01 terminating connection due to administrator command");
}

TEST(ClockTest, RealTimePasses) {
  const SystemClock clock;
  EXPECT_GT(clock.now_micros(), 1'700'000'000'000'000);
  const int64_t before = clock.monotonic_nanos();
  EXPECT_GE(clock.monotonic_nanos(), before);
}

TEST(ClockTest, SetTimeStandsStill) {
  SettableClock clock(5);
  EXPECT_EQ(clock.now_micros(), 5);
  clock.advance_micros(2);
  EXPECT_EQ(clock.now_micros(), 7);
  EXPECT_EQ(clock.monotonic_nanos(), 2000);
  clock.set_now_micros(1);
  EXPECT_EQ(clock.now_micros(), 1);
  EXPECT_EQ(clock.monotonic_nanos(), 2000);
}

}  // namespace
}  // namespace idem
