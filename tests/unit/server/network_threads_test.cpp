#include "server/network_threads.h"

#include <boost/asio/post.hpp>
#include <future>
#include <gtest/gtest.h>

namespace idem {
namespace {

// Asks on a network thread, as a connection does that has read a request; the thread that ran the task, or none if it was not taken.
std::optional<std::thread::id> ask(
    NetworkThreads& network, const void* client, const std::function<void()>& work = [] {}) {
  std::promise<std::optional<std::thread::id>> ran;
  boost::asio::post(network.io(), [&] {
    const bool taken = network.try_run(client, [&] {
      work();
      ran.set_value(std::this_thread::get_id());
    });
    if (!taken) ran.set_value(std::nullopt);
  });
  return ran.get_future().get();
}

class NetworkThreadsTest : public testing::Test {
 protected:
  void SetUp() override { network_.start(); }
  void TearDown() override { network_.stop(); }

  // Until a request is taken; none if that never comes.
  std::optional<std::thread::id> ask_until_taken(
      const void* client, const std::function<void()>& work = [] {}) {
    for (int i = 0; i < 1000; ++i) {
      if (const auto thread = ask(network_, client, work)) return thread;
    }
    return std::nullopt;
  }

  NetworkThreads network_;
  int one_ = 0, other_ = 0;
};

TEST_F(NetworkThreadsTest, RunTheRequestsOfOneClientThatAsksAlone) {
  EXPECT_FALSE(ask(network_, &one_));
  const auto thread = ask_until_taken(&one_);
  ASSERT_TRUE(thread);
  EXPECT_NE(*thread, std::this_thread::get_id());
}

TEST_F(NetworkThreadsTest, RunNothingForClientsThatTakeTurns) {
  for (int i = 0; i < 100; ++i) EXPECT_FALSE(ask(network_, i % 2 ? &one_ : &other_));
}

TEST_F(NetworkThreadsTest, ServeTheOthersWhileATaskWaits) {
  // The task ends only after what came later was served, by the thread that stood by.
  for (int i = 0; i < 20; ++i) {
    const auto thread = ask_until_taken(&one_, [&] {
      std::promise<void> served;
      boost::asio::post(network_.io(), [&] { served.set_value(); });
      served.get_future().wait();
    });
    ASSERT_TRUE(thread);
  }
}

TEST_F(NetworkThreadsTest, TakeOneTaskAtATime) {
  const auto thread = ask_until_taken(&one_, [&] { EXPECT_FALSE(ask(network_, &one_)); });
  ASSERT_TRUE(thread);
}

}  // namespace
}  // namespace idem
