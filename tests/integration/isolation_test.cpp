// Random concurrent transactions over several tables, and what they saw, checked in the manner of Elle: each
// key holds a list to which transactions append unique numbers, so that a list tells the order in which
// others wrote it.
#include <atomic>
#include <cstdlib>
#include <gtest/gtest.h>
#include <map>
#include <mutex>
#include <random>
#include <set>
#include <thread>

#include "tests/harness/test_server.h"

namespace idem::test {
namespace {

constexpr int kTables = 3, kKeys = 4, kClients = 5;

struct Key {
  int table = 0, key = 0;
  auto operator<=>(const Key&) const = default;
};
using List = std::vector<int>;

struct Step {
  Key key;
  bool is_read = false;
  int appended = 0;
  List read;
};
struct History {
  enum class End { kCommitted, kAborted, kUnknown } end = End::kUnknown;
  bool one_snapshot = false;  // REPEATABLE READ
  std::vector<Step> steps;
};

List parse_list(const std::string& text) {
  List list;
  for (size_t at = 0; at < text.size();) {
    const size_t comma = std::min(text.find(',', at), text.size());
    list.push_back(std::stoi(text.substr(at, comma - at)));
    at = comma + 1;
  }
  return list;
}

class Client {
 public:
  Client(TestServer& server, std::mutex& server_mutex, uint64_t seed, std::atomic<int>& next)
      : server_(server), server_mutex_(server_mutex), random_(seed), next_(next) {}

  void run(int transactions) {
    for (int i = 0; i < transactions; ++i) {
      if (!connection_) connect();
      if (connection_) transact();
    }
  }
  std::vector<History> take() { return std::move(histories_); }

 private:
  int pick(int n) { return static_cast<int>(random_() % static_cast<uint64_t>(n)); }

  void connect() {
    for (int i = 0; i < 200 && !connection_; ++i) {
      try {
        const std::lock_guard lock(server_mutex_);
        connection_ = server_.connect();
      } catch (const std::exception&) { std::this_thread::sleep_for(std::chrono::milliseconds(20)); }
    }
  }

  std::string append_statement(const Key& key, int value) {
    const std::string table = "lists" + std::to_string(key.table);
    const std::string k = std::to_string(key.key), v = std::to_string(value);
    if (pick(2) == 0) return "UPDATE " + table + " SET v = v || '," + v + "' WHERE k = " + k;
    return "MERGE INTO " + table + " t USING (VALUES (" + k +
           ")) s(k) ON t.k = s.k WHEN MATCHED THEN UPDATE SET v = t.v || '," + v + "'";
  }

  void step(History& history) {
    Step step;
    step.key = {pick(kTables), pick(kKeys)};
    step.is_read = pick(2) == 0;
    pqxx::nontransaction work(*connection_);
    if (!step.is_read) {
      // Noted first: if the answer is lost, it may have been applied.
      step.appended = next_.fetch_add(1);
      history.steps.push_back(step);
      work.exec0(append_statement(step.key, step.appended));
      return;
    }
    const auto row = work.exec1("SELECT v FROM lists" + std::to_string(step.key.table) +
                                " WHERE k = " + std::to_string(step.key.key));
    step.read = parse_list(row[0].as<std::string>());
    history.steps.push_back(std::move(step));
  }

  void execute(const char* statement) {
    pqxx::nontransaction work(*connection_);
    work.exec0(statement);
  }

  void transact() {
    History history;
    history.one_snapshot = pick(2) == 0;
    const bool alone = pick(4) == 0;  // one statement without a block: run again by the server where it lost
    const bool gives_up = pick(8) == 0, undoes_a_part = pick(4) == 0;
    bool committing = false;
    try {
      if (alone) {
        committing = true;
        step(history);
      } else {
        execute(history.one_snapshot ? "BEGIN ISOLATION LEVEL REPEATABLE READ" : "BEGIN");
        const int steps = 1 + pick(5);
        for (int i = 0; i < steps; ++i) step(history);
        if (undoes_a_part) {
          execute("SAVEPOINT s");
          History undone;
          const auto note_undone = [&] {
            undone.end = History::End::kAborted;
            // What it read has the appends of the transaction around it, which it does not know.
            std::erase_if(undone.steps, [](const Step& s) { return s.is_read; });
            histories_.push_back(std::move(undone));
          };
          try {
            step(undone);
          } catch (...) {
            note_undone();
            throw;
          }
          note_undone();
          execute("ROLLBACK TO s");
          step(history);
        }
        if (gives_up) {
          execute("ROLLBACK");
          history.end = History::End::kAborted;
          histories_.push_back(std::move(history));
          return;
        }
        committing = true;
        execute("COMMIT");
      }
      history.end = History::End::kCommitted;
    } catch (const pqxx::sql_error& error) {
      EXPECT_EQ(error.sqlstate(), "40001") << error.what();
      EXPECT_FALSE(alone && error.sqlstate() == "40001")
          << "a statement alone in its transaction is run again";
      history.end = History::End::kAborted;
      try {
        if (!alone) execute("ROLLBACK");
      } catch (const std::exception&) { connection_.reset(); }
    } catch (const std::exception&) {
      history.end = committing ? History::End::kUnknown : History::End::kAborted;
      connection_.reset();
    }
    histories_.push_back(std::move(history));
  }

  TestServer& server_;
  std::mutex& server_mutex_;  // held while it restarts, as its port changes then
  std::mt19937_64 random_;
  std::atomic<int>& next_;
  std::unique_ptr<pqxx::connection> connection_;
  std::vector<History> histories_;
};

class Checker {
 public:
  Checker(std::vector<History> histories, std::map<Key, List> last)
      : histories_(std::move(histories)), last_(std::move(last)) {}

  void check() {
    for (size_t t = 0; t < histories_.size(); ++t) {
      for (const Step& step : histories_[t].steps) {
        if (!step.is_read) writer_[step.appended] = t;
      }
    }
    for (const auto& [key, list] : last_) {
      const std::set<int> once(list.begin(), list.end());
      EXPECT_EQ(once.size(), list.size()) << "an append that was applied twice";
      for (const int value : list) {
        if (value == 0) continue;
        EXPECT_NE(histories_[writer_.at(value)].end, History::End::kAborted)
            << value << " was rolled back and is there";
      }
    }
    for (const History& history : histories_) check(history);
  }

 private:
  void check(const History& history) {
    std::map<Key, List> own;
    for (const Step& step : history.steps) {
      const List& last = last_.at(step.key);
      if (!step.is_read) {
        own[step.key].push_back(step.appended);
        if (history.end == History::End::kCommitted) {
          EXPECT_NE(std::find(last.begin(), last.end(), step.appended), last.end())
              << "lost update " << step.appended;
        }
        continue;
      }
      // What others had committed, then its own appends.
      const List& mine = own[step.key];
      ASSERT_GE(step.read.size(), mine.size());
      const auto foreign_end = step.read.end() - static_cast<ptrdiff_t>(mine.size());
      EXPECT_TRUE(std::equal(foreign_end, step.read.end(), mine.begin()))
          << "it does not read its own writes";
      const List foreign(step.read.begin(), foreign_end);
      ASSERT_LE(foreign.size(), last.size()) << "a dirty read";
      EXPECT_TRUE(std::equal(foreign.begin(), foreign.end(), last.begin()))
          << "no prefix of what was committed: a dirty read, or a lost update";
    }
    if (history.one_snapshot && history.end == History::End::kCommitted) check_snapshot(history);
  }

  // All that it read is of one moment: of each transaction that it saw a write of, it saw all.
  void check_snapshot(const History& history) {
    std::map<Key, std::set<int>> seen;
    std::set<size_t> writers;
    for (const Step& step : history.steps) {
      if (!step.is_read) continue;
      seen[step.key].insert(step.read.begin(), step.read.end());
      for (const int value : step.read) {
        if (value != 0) writers.insert(writer_.at(value));
      }
    }
    for (const size_t writer : writers) {
      if (&histories_[writer] == &history) continue;  // what it appends after reading
      for (const Step& step : histories_[writer].steps) {
        if (step.is_read || !seen.contains(step.key)) continue;
        EXPECT_TRUE(seen[step.key].contains(step.appended))
            << "a fractured read: one write of a transaction was seen, " << step.appended << " was not";
      }
    }
  }

  std::vector<History> histories_;
  std::map<Key, List> last_;
  std::map<int, size_t> writer_;  // of each appended value
};

void run_and_check(bool with_kill, uint64_t seed, int transactions) {
  TestServer server;
  {
    auto connection = server.connect();
    for (int t = 0; t < kTables; ++t) {
      const std::string name = "lists" + std::to_string(t);
      execute(*connection,
              "CREATE TABLE " + name + (t == 0 ? " (k INT PRIMARY KEY, v VARCHAR)" : " (k INT, v VARCHAR)"));
      for (int k = 0; k < kKeys; ++k)
        execute(*connection, "INSERT INTO " + name + " VALUES (" + std::to_string(k) + ", '0')");
    }
  }
  std::atomic<int> next{1};
  std::vector<std::unique_ptr<Client>> clients;
  std::vector<std::thread> threads;
  std::mutex server_mutex;
  for (uint64_t c = 0; c < kClients; ++c) {
    clients.push_back(std::make_unique<Client>(server, server_mutex, seed * 100 + c, next));
  }
  for (auto& client : clients) threads.emplace_back([&client, transactions] { client->run(transactions); });
  if (with_kill) {
    while (next.load() < transactions * kClients / 4)
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    const std::lock_guard lock(server_mutex);
    server.restart();
  }
  for (std::thread& thread : threads) thread.join();
  std::vector<History> histories;
  for (auto& client : clients) {
    for (History& history : client->take()) histories.push_back(std::move(history));
  }
  std::map<Key, List> last;
  auto connection = server.connect();
  for (int t = 0; t < kTables; ++t) {
    for (int k = 0; k < kKeys; ++k) {
      last[{t, k}] = parse_list(value_of(
          *connection, "SELECT v FROM lists" + std::to_string(t) + " WHERE k = " + std::to_string(k)));
    }
  }
  Checker(std::move(histories), std::move(last)).check();
}

// IDEM_ISOLATION_SEED=n IDEM_ISOLATION_ROUNDS=m: others than the ones that are run each time.
void run_rounds(bool with_kill, uint64_t seed, int transactions) {
  const char* const seed_text = std::getenv("IDEM_ISOLATION_SEED");
  const char* const rounds_text = std::getenv("IDEM_ISOLATION_ROUNDS");
  if (seed_text) seed = std::strtoull(seed_text, nullptr, 10);
  const int rounds = rounds_text ? std::atoi(rounds_text) : 1;
  for (int round = 0; round < rounds && !::testing::Test::HasFailure(); ++round, ++seed) {
    SCOPED_TRACE("IDEM_ISOLATION_SEED=" + std::to_string(seed));
    run_and_check(with_kill, seed, transactions);
  }
}

TEST(Isolation, OfConcurrentTransactionsOverSeveralTables) { run_rounds(false, 1, 150); }

TEST(Isolation, AcrossAKillOfTheServer) { run_rounds(true, 2, 100); }

}  // namespace
}  // namespace idem::test
