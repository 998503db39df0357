#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <gtest/gtest.h>
#include <map>
#include <mutex>
#include <random>
#include <thread>

#include "tests/harness/test_server.h"

// Kills the server at random moments while several connections load it, starts it again and compares what it holds with what
// was acknowledged. IDEM_CRASH_ROUNDS sets the number of kills, IDEM_CRASH_SEED repeats a run's choices.

namespace idem::test {
namespace {

constexpr int kWriters = 6;

uint64_t setting(const char* name, uint64_t otherwise) {
  const char* text = std::getenv(name);
  return text ? std::strtoull(text, nullptr, 10) : otherwise;
}

// A transaction of one writer: rows (writer, batch, 0 … rows-1) in `plain`, and in `keyed` the value `batch` under the keys
// (writer, 0 … keys-1). Both or neither.
struct Batch {
  int64_t number = 0;
  int rows = 0, keys = 0;
};

// What one writer knows: batches that were acknowledged, and the one whose answer never came.
class Writer {
 public:
  Writer(int id, uint64_t seed) : id_(id), random_(seed) {}

  // Writes until the connection breaks.
  void run(const TestServer& server) {
    try {
      const auto connection = server.connect();
      while (true) {
        unanswered_ = next_batch();
        write(*connection, *unanswered_);
        acknowledged_.push_back(*unanswered_);
        unanswered_.reset();
        ++total_acknowledged_;
      }
    } catch (const std::exception& error) { last_error_ = error.what(); }
  }

  void check(pqxx::connection& connection) {
    std::map<int64_t, int64_t> stored;  // batch → rows
    const std::string mine = " WHERE writer = " + std::to_string(id_);
    for (const pqxx::row& row :
         execute(connection,
                 "SELECT batch, count(*), count(DISTINCT n), sum(n) FROM plain" + mine + " GROUP BY batch")) {
      const int64_t rows = row[1].as<int64_t>();
      EXPECT_EQ(row[2].as<int64_t>(), rows) << "rows twice in batch " << row[0].c_str();
      EXPECT_EQ(row[3].as<int64_t>(), rows * (rows - 1) / 2) << "rows lost in batch " << row[0].c_str();
      stored[row[0].as<int64_t>()] = rows;
    }
    settle(stored);
    for (const Batch& batch : acknowledged_) {
      EXPECT_EQ(stored[batch.number], batch.rows)
          << "writer " << id_ << " batch " << batch.number << " was acknowledged";
      stored.erase(batch.number);
    }
    EXPECT_TRUE(stored.empty()) << "writer " << id_ << ": " << stored.size()
                                << " batches that nobody sent, first "
                                << (stored.empty() ? 0 : stored.begin()->first);
    check_keyed(connection, mine);
  }

  uint64_t total_acknowledged() const { return total_acknowledged_; }
  const std::string& last_error() const { return last_error_; }

 private:
  Batch next_batch() {
    const int size = std::uniform_int_distribution(0, 9)(random_) == 0 ? 5000 : 50;
    return {++last_number_, std::uniform_int_distribution(1, size)(random_),
            std::uniform_int_distribution(1, 200)(random_)};
  }

  // The batch without an answer is there as a whole, or not at all: from here on it counts as what it is.
  void settle(const std::map<int64_t, int64_t>& stored) {
    if (unanswered_ && stored.contains(unanswered_->number)) acknowledged_.push_back(*unanswered_);
    unanswered_.reset();
  }

  void write(pqxx::connection& connection, const Batch& batch) {
    pqxx::work work(connection);
    // Times go back now and then: late rows cut what is there.
    const int64_t second = (batch.number * 7919) % 200'000;
    const auto time = [&](int n) {
      return "2024-01-" + std::to_string(10 + (second + n) / 86'400) +
             " 00:00:" + std::to_string(10 + n % 50);
    };
    if (batch.number % 2 == 0) {
      pqxx::stream_to stream(work, "plain");
      for (int n = 0; n < batch.rows; ++n)
        stream << std::make_tuple(time(n), id_, batch.number, n, "w" + std::to_string(id_ + n % 7));
      stream.complete();
    } else {
      std::string sql = "INSERT INTO plain VALUES ";
      for (int n = 0; n < batch.rows; ++n) {
        sql += (n > 0 ? "," : "") + ("('" + time(n)) + "'," + std::to_string(id_) + "," +
               std::to_string(batch.number) + "," + std::to_string(n) + ",'w" + std::to_string(id_ + n % 7) +
               "')";
      }
      work.exec0(sql);
    }
    std::string sql = "INSERT INTO keyed VALUES ";
    for (int k = 0; k < batch.keys; ++k) {
      sql += (k > 0 ? "," : "") + ("('2024-01-10 00:00:" + std::to_string(10 + k % 50)) + "'," +
             std::to_string(id_) + "," + std::to_string(k) + "," + std::to_string(batch.number) + ")";
    }
    work.exec0(sql);
    work.commit();
  }

  void check_keyed(pqxx::connection& connection, const std::string& mine) {
    std::map<int, int64_t> expected;
    for (const Batch& batch : acknowledged_) {
      for (int k = 0; k < batch.keys; ++k) expected[k] = batch.number;
    }
    std::map<int, int64_t> stored;
    for (const pqxx::row& row : execute(connection, "SELECT k, batch FROM keyed" + mine)) {
      EXPECT_TRUE(stored.emplace(row[0].as<int>(), row[1].as<int64_t>()).second)
          << "key twice: " << row[0].c_str();
    }
    EXPECT_EQ(stored, expected) << "writer " << id_;
  }

  const int id_;
  std::mt19937_64 random_;
  int64_t last_number_ = 0;
  std::vector<Batch> acknowledged_;
  std::optional<Batch> unanswered_;
  std::atomic<uint64_t> total_acknowledged_{0};
  std::string last_error_;
};

TEST(Crash, LosesNothingAcknowledgedAndShowsNothingHalf) {
  const uint64_t rounds = setting("IDEM_CRASH_ROUNDS", 10);
  const uint64_t seed = setting("IDEM_CRASH_SEED", std::random_device()());
  RecordProperty("seed", std::to_string(seed));
  SCOPED_TRACE("IDEM_CRASH_SEED=" + std::to_string(seed));
  std::mt19937_64 random(seed);

  // Small limits, so that checkpoints run all the time and the log's segments change.
  TestServer server({.arguments = {"--checkpoint-log-bytes", "2MB"}});
  {
    const auto connection = server.connect();
    execute(*connection,
            "CREATE TABLE plain (ts TIMESTAMP, writer INTEGER, batch BIGINT, n INTEGER, tag SYMBOL) "
            "TIMESTAMP(ts) PARTITION BY DAY");
    execute(*connection,
            "CREATE TABLE keyed (ts TIMESTAMP, writer INTEGER, k INTEGER, batch BIGINT) TIMESTAMP(ts) "
            "PARTITION BY DAY "
            "DEDUP UPSERT KEYS(ts, writer, k)");
  }
  std::vector<std::unique_ptr<Writer>> writers;
  for (int i = 0; i < kWriters; ++i) writers.push_back(std::make_unique<Writer>(i, random()));
  const auto acknowledged = [&] {
    uint64_t sum = 0;
    for (const auto& writer : writers) sum += writer->total_acknowledged();
    return sum;
  };

  for (uint64_t round = 0; round < rounds && !::testing::Test::HasFailure(); ++round) {
    SCOPED_TRACE("round " + std::to_string(round));
    const uint64_t wanted = acknowledged() + std::uniform_int_distribution<uint64_t>(1, 150)(random);
    std::vector<std::thread> threads;
    std::atomic<int> running{kWriters};
    for (const auto& writer : writers) {
      threads.emplace_back([&] {
        writer->run(server);
        --running;
      });
    }
    while (acknowledged() < wanted && running > 0) std::this_thread::yield();
    std::this_thread::sleep_for(std::chrono::microseconds(std::uniform_int_distribution(0, 3000)(random)));
    const bool all_running = running == kWriters;
    server.kill();
    for (std::thread& thread : threads) thread.join();
    ASSERT_TRUE(all_running) << "a writer was refused before the kill: " << writers[0]->last_error();
    // A crash during recovery is an ordinary crash: now and then one more.
    if (round % 3 == 2) {
      server.start();
      server.kill();
    }
    server.start();
    const auto connection = server.connect();
    for (const auto& writer : writers) writer->check(*connection);
  }
  ASSERT_TRUE(server.terminate().is_success());
  const Finished checked = run_program(idem_path(), {"check", server.data()});
  EXPECT_TRUE(checked.status.is_success()) << checked.output << checked.errors;
}

}  // namespace
}  // namespace idem::test
