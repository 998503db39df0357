#include "server/network_threads.h"

#include <atomic>
#include <boost/asio/post.hpp>
#include <chrono>
#include <future>
#include <gtest/gtest.h>

#include "server/statement_pool.h"

namespace idem {
namespace {

using ThreadId = std::thread::id;

class NetworkThreadsTest : public testing::Test {
 protected:
  void SetUp() override { network_.start(); }
  void TearDown() override { network_.stop(); }

  // Asks on a network thread, as a connection does that has read a request.
  void ask(std::function<void()> request) {
    boost::asio::post(network_.io(),
                      [this, request = std::move(request)]() mutable { network_.run(std::move(request)); });
  }

  // The thread that ran it.
  ThreadId ask_and_wait(const std::function<void()>& request = [] {}) {
    std::promise<ThreadId> ran;
    ask([&] {
      request();
      ran.set_value(std::this_thread::get_id());
    });
    return ran.get_future().get();
  }

  StatementPool pool_{16};
  NetworkThreads network_{pool_, 2};
};

TEST_F(NetworkThreadsTest, RunARequestOnTheThreadThatReadIt) {
  for (int i = 0; i < 100; ++i) {
    std::promise<ThreadId> read, ran;
    boost::asio::post(network_.io(), [&] {
      read.set_value(std::this_thread::get_id());
      network_.run([&] { ran.set_value(std::this_thread::get_id()); });
    });
    EXPECT_EQ(read.get_future().get(), ran.get_future().get());
  }
}

TEST_F(NetworkThreadsTest, ServeOthersWhileARequestWaits) {
  for (int i = 0; i < 20; ++i) {
    // It ends only after what came later was served.
    ask_and_wait([&] {
      std::promise<void> served;
      boost::asio::post(network_.io(), [&] { served.set_value(); });
      served.get_future().wait();
    });
  }
}

TEST_F(NetworkThreadsTest, HandRequestsOnWhileAllWait) {
  // Each ends only after the next has begun: more than there are threads that serve.
  constexpr int kRequests = 8;
  std::promise<void> begun[kRequests + 1];
  std::promise<void> ended[kRequests];
  for (int i = 0; i < kRequests; ++i) {
    ask([&, i] {
      begun[i].set_value();
      begun[i + 1].get_future().wait();
      ended[i].set_value();
    });
  }
  begun[kRequests].set_value();
  for (std::promise<void>& each : ended) each.get_future().wait();
  ask_and_wait();
}

TEST_F(NetworkThreadsTest, WakeUpAfterALongSilence) {
  ask_and_wait();
  std::this_thread::sleep_for(std::chrono::milliseconds(700));  // until the watch sleeps
  ask_and_wait([&] {
    std::promise<void> served;
    boost::asio::post(network_.io(), [&] { served.set_value(); });
    served.get_future().wait();
  });
}

TEST_F(NetworkThreadsTest, ServeManyAtOnce) {
  constexpr int kRequests = 2000;
  std::atomic<int> left{kRequests};
  std::promise<void> all;
  for (int i = 0; i < kRequests; ++i) {
    ask([&] {
      const auto until = std::chrono::steady_clock::now() + std::chrono::microseconds(20);
      while (std::chrono::steady_clock::now() < until) continue;
      if (--left == 0) all.set_value();
    });
  }
  all.get_future().wait();
}

// They are polled for; what is asked, posted or ends meanwhile is not missed.
TEST_F(NetworkThreadsTest, ServeRequestsThatFollowClosely) {
  for (int i = 0; i < 2000; ++i) {
    ask_and_wait();
    if (i % 100 != 99) continue;
    ask_and_wait([&] {
      std::promise<void> served;
      boost::asio::post(network_.io(), [&] { served.set_value(); });
      served.get_future().wait();
    });
  }
}

TEST_F(NetworkThreadsTest, KnowWhoAsksAlone) {
  const int one = 1, other = 2;
  for (int i = 0; i < 100; ++i) EXPECT_FALSE(network_.asks_alone(i % 2 ? &one : &other));
  for (int i = 0; i < 100; ++i) network_.asks_alone(&one);
  EXPECT_TRUE(network_.asks_alone(&one));
  EXPECT_FALSE(network_.asks_alone(&other));
  EXPECT_FALSE(network_.asks_alone(&one));
}

}  // namespace
}  // namespace idem
