#include <algorithm>
#include <array>
#include <cstdlib>
#include <functional>
#include <gtest/gtest.h>
#include <random>
#include <thread>

#include "tests/harness/test_server.h"

// What the database is for: a random pipeline (upserts, merges, overwritten partitions, runs) is executed once on one server, and on
// another with batches sent twice, in pieces that overlap and in another order, steps begun and given up, days run again, and the server
// killed at any moment. Both must hold the same rows. IDEM_REPLAY_ROUNDS sets the number of pipelines, IDEM_REPLAY_SEED repeats them.

namespace idem::test {
namespace {

using Random = std::mt19937_64;
using Row = std::array<std::string, 7>;  // of `readings`

int pick(Random& random, int low, int high) { return std::uniform_int_distribution(low, high)(random); }
bool chance(Random& random, int percent) { return pick(random, 1, 100) <= percent; }

constexpr int kDays = 4, kDevices = 5, kItems = 12;

std::string day(int number) { return "2024-03-0" + std::to_string(number + 1); }

const char* const kTables[] = {"readings", "daily", "stock", "movements", "ledger"};

void create_tables(pqxx::connection& connection) {
  execute(connection,
          "CREATE TABLE readings (ts TIMESTAMP, device SYMBOL, version BIGINT, value BIGINT, note VARCHAR, "
          "peak BIGINT KEEP MAX, "
          "gone BOOLEAN) TIMESTAMP(ts) PARTITION BY DAY DEDUP UPSERT KEYS(ts, device) VERSION BY version "
          "DELETED WHEN gone");
  execute(connection,
          "CREATE TABLE daily (ts TIMESTAMP, device SYMBOL, n BIGINT, total BIGINT) TIMESTAMP(ts) PARTITION "
          "BY DAY");
  execute(connection, "CREATE TABLE stock (item INTEGER PRIMARY KEY, amount BIGINT, note VARCHAR)");
  execute(
      connection,
      "CREATE TABLE movements (ts TIMESTAMP, item INTEGER, amount BIGINT) TIMESTAMP(ts) PARTITION BY DAY");
  execute(connection, "CREATE TABLE ledger (account INTEGER, balance BIGINT, steps VARCHAR)");
  execute(connection, "INSERT INTO ledger SELECT x, 100, '' FROM generate_series(1, 5) g(x)");
}

// One step: the statements of one transaction, COPY data among them. It can be repeated at once, whatever it does.
struct Step {
  enum class Kind : uint8_t {
    kBatch,  // rows into `readings`, of which each carries its version: in any order, in any pieces, at any time until the next other step
    kPlain,  // statements that replace what they write: again before the next step
    kSkipRun,   // a run that does more each time it is executed: again at any time
    kBackfill,  // RESTORE runs of one series: from any of them on, in order
  };
  Kind kind = Kind::kPlain;
  std::string run;                      // key, for runs
  std::vector<std::string> statements;  // of the run or transaction
  std::vector<Row> readings;            // of a batch
};

// Nothing in it depends on what is stored, so that both servers get the same.
class Pipeline {
 public:
  Pipeline(uint64_t seed, int length) : random_(seed) {
    for (int i = 0; i < length; ++i) {
      const int kind = pick(random_, 0, 9);
      if (kind < 4) steps.push_back(batch());
      else if (kind == 4) steps.push_back(overwrite());
      else if (kind == 5) steps.push_back(replace());
      else if (kind == 6) steps.push_back(merge());
      else if (kind < 9) steps.push_back(movement(i));
      else steps.push_back(backfill(i));
    }
  }

  std::vector<Step> steps;

 private:
  Step batch() {
    Step step{.kind = Step::Kind::kBatch};
    const int rows = chance(random_, 10) ? 2000 : pick(random_, 1, 60);
    for (int i = 0; i < rows; ++i) {
      const std::string time =
          day(pick(random_, 0, kDays - 1)) + " 0" + std::to_string(pick(random_, 0, 9)) + ":00:00";
      const std::string value = std::to_string(pick(random_, 0, 9));
      step.readings.push_back(
          {time, "d" + std::to_string(pick(random_, 1, kDevices)), std::to_string(++version_), value,
           "n" + value, std::to_string(pick(random_, 0, 1000)), chance(random_, 15) ? "true" : "false"});
    }
    return step;
  }

  Step overwrite() {
    const std::string one = day(pick(random_, 0, kDays - 1));
    const std::string source =
        "SELECT date_trunc('day', ts), device, count(*), sum(value) FROM readings WHERE ts IN '" + one +
        "' GROUP BY 1, 2";
    if (chance(random_, 50))
      return {.statements = {"INSERT OVERWRITE daily PARTITION ('" + one + "') " + source}};
    return {.statements = {"INSERT INTO daily REPLACE WHERE ts IN '" + one + "' " + source}};
  }

  Step replace() {
    return {.statements = {"DELETE FROM stock WHERE item > " + std::to_string(kItems - 2),
                           "INSERT OVERWRITE daily PARTITION DYNAMIC SELECT date_trunc('day', ts), device, "
                           "count(*), sum(value) FROM readings "
                           "WHERE device <> 'd" +
                               std::to_string(pick(random_, 1, kDevices)) + "' GROUP BY 1, 2",
                           "INSERT INTO stock SELECT " + std::to_string(kItems) +
                               ", count(*), 'rows of readings' FROM readings"}};
  }

  Step merge() {
    std::string values;
    std::vector<int> items(kItems);
    for (int i = 0; i < kItems; ++i) items[i] = i + 1;
    std::shuffle(items.begin(), items.end(), random_);
    items.resize(pick(random_, 1, kItems));
    for (const int item : items) {
      values += (values.empty() ? "(" : ",(") + std::to_string(item) + "," +
                std::to_string(pick(random_, 0, 99)) + "," + (chance(random_, 20) ? "true" : "false") + ")";
    }
    return {.statements = {
                "MERGE INTO stock t USING (VALUES " + values +
                ") s(item, amount, gone) ON t.item = s.item "
                "WHEN MATCHED AND s.gone THEN DELETE WHEN MATCHED THEN UPDATE SET amount = s.amount, note = "
                "'merged' "
                "WHEN NOT MATCHED AND NOT s.gone THEN INSERT VALUES (s.item, s.amount, 'merged')" +
                (chance(random_, 30) ? " WHEN NOT MATCHED BY SOURCE AND t.item < 4 THEN DELETE" : "")}};
  }

  Step movement(int number) {
    Step step{.kind = Step::Kind::kSkipRun, .run = "movements/" + std::to_string(number)};
    for (int i = pick(random_, 1, 3); i > 0; --i) {
      const std::string item = std::to_string(pick(random_, 1, kItems)),
                        amount = std::to_string(pick(random_, -5, 9));
      step.statements.push_back("INSERT INTO movements VALUES ('" + day(pick(random_, 0, kDays - 1)) +
                                " 12:00:00', " + item + ", " + amount + ")");
      step.statements.push_back("UPDATE movements SET amount = amount + 1 WHERE item = " + item);
    }
    step.statements.push_back(
        "INSERT INTO movements SELECT ts, item, amount + 1 FROM movements WHERE item = " +
        std::to_string(pick(random_, 1, kItems)) + " ORDER BY ts, amount LIMIT 5");
    return step;
  }

  Step backfill(int number) {
    const std::string account = std::to_string(pick(random_, 1, 5)),
                      other = std::to_string(pick(random_, 1, 5));
    return {
        .kind = Step::Kind::kBackfill,
        .run = "backfill/" + std::to_string(1000 + number),
        .statements = {
            "UPDATE ledger SET balance = balance * 2 - 7, steps = steps || '" + std::to_string(number) +
                ";' WHERE account = " + account,
            "INSERT INTO ledger SELECT account + 10, balance, steps FROM ledger WHERE account = " + other}};
  }

  Random random_;
  int64_t version_ = 0;
};

void send_batch(pqxx::connection& connection, const std::vector<Row>& rows, bool copy) {
  pqxx::work work(connection);
  if (copy) {
    pqxx::stream_to stream(work, "readings");
    for (const Row& row : rows) stream << row;
    stream.complete();
  } else {
    std::string sql;
    for (const Row& row : rows) {
      sql += (sql.empty() ? "INSERT INTO readings VALUES (" : ",(");
      for (size_t i = 0; i < row.size(); ++i) sql += (i > 0 ? ",'" : "'") + row[i] + "'";
      sql += ")";
    }
    work.exec0(sql);
  }
  work.commit();
}

void execute_step(pqxx::connection& connection, const Step& step, bool commit = true) {
  if (step.kind == Step::Kind::kBatch) return send_batch(connection, step.readings, true);
  std::string begin = "BEGIN";
  if (!step.run.empty())
    begin += " RUN '" + step.run + "' ON REPLAY " + (step.kind == Step::Kind::kBackfill ? "RESTORE" : "SKIP");
  execute(connection, begin);
  for (const std::string& statement : step.statements) execute(connection, statement);
  execute(connection, commit ? "COMMIT" : "ROLLBACK");
}

// Executes a pipeline as the world does.
class TroubledRun {
 public:
  TroubledRun(TestServer& server, const Pipeline& pipeline, uint64_t seed)
      : server_(server), pipeline_(pipeline), random_(seed) {}

  void execute_all() {
    for (const Step& step : pipeline_.steps) {
      if (step.kind == Step::Kind::kBatch) {
        collect_batch(step);
        continue;
      }
      send_waiting();
      perform(
          [&](pqxx::connection& connection) {
            execute_step(connection, step, !chance(random_, 10) || !is_first_attempt());
          },
          /*may_be_given_up=*/true);
      perform([&](pqxx::connection& connection) { execute_step(connection, step); });
      done_.push_back(&step);
      while (chance(random_, 30))
        perform([&](pqxx::connection& connection) { execute_step(connection, step); });
      if (chance(random_, 20)) run_again();
    }
    send_waiting();
    run_again();
    if (connection_) connection_.reset();
    server_.restart();
  }

  int kills() const { return kills_; }

 private:
  bool is_first_attempt() const { return attempt_ == 0; }

  // Until it has gone through, with a kill now and then on the way.
  void perform(const std::function<void(pqxx::connection&)>& work, bool may_be_given_up = false) {
    for (attempt_ = 0;; ++attempt_) {
      std::thread killer;
      if (chance(random_, 12)) {
        const auto delay = std::chrono::microseconds(pick(random_, 0, 8000));
        killer = std::thread([this, delay] {
          std::this_thread::sleep_for(delay);
          server_.kill();
        });
      }
      bool done = false;
      std::string error;
      try {
        if (!connection_) connection_ = server_.connect();
        work(*connection_);
        done = true;
      } catch (const std::exception& caught) { error = caught.what(); }
      const bool killed = killer.joinable();
      if (killed) {
        killer.join();
        connection_.reset();
        server_.start();
        ++kills_;
      }
      if (done || (may_be_given_up && killed)) return;
      // Only a kill is an excuse.
      if (!killed) throw std::runtime_error(error);
    }
  }

  // The batch comes later, in pieces of which some overlap, its rows in any order.
  void collect_batch(const Step& step) {
    std::vector<Row> rows = step.readings;
    std::shuffle(rows.begin(), rows.end(), random_);
    for (size_t begin = 0; begin < rows.size();) {
      const size_t size = chance(random_, 60) ? rows.size() : pick(random_, 1, static_cast<int>(rows.size()));
      const size_t end = std::min(rows.size(), begin + size);
      waiting_.emplace_back(rows.begin() + static_cast<ptrdiff_t>(begin > 3 ? begin - 3 : 0),
                            rows.begin() + static_cast<ptrdiff_t>(end));
      if (chance(random_, 30)) waiting_.push_back(waiting_.back());
      begin = end;
    }
    if (chance(random_, 40)) send_waiting();
  }

  void send_waiting() {
    std::shuffle(waiting_.begin(), waiting_.end(), random_);
    for (const std::vector<Row>& rows : waiting_) {
      const bool copy = chance(random_, 50);
      perform([&](pqxx::connection& connection) { send_batch(connection, rows, copy); });
    }
    waiting_.clear();
  }

  // The scheduler runs the past again: any SKIP runs, and the backfill from one of its runs on.
  void run_again() {
    std::vector<const Step*> backfill;
    for (const Step* step : done_) {
      if (step->kind == Step::Kind::kBackfill) backfill.push_back(step);
      if (step->kind == Step::Kind::kSkipRun && chance(random_, 30))
        perform([&](pqxx::connection& connection) { execute_step(connection, *step); });
    }
    if (backfill.empty()) return;
    for (size_t i = pick(random_, 0, static_cast<int>(backfill.size()) - 1); i < backfill.size(); ++i)
      perform([&](pqxx::connection& connection) { execute_step(connection, *backfill[i]); });
  }

  TestServer& server_;
  const Pipeline& pipeline_;
  Random random_;
  std::unique_ptr<pqxx::connection> connection_;
  std::vector<std::vector<Row>> waiting_;
  std::vector<const Step*> done_;
  int attempt_ = 0, kills_ = 0;
};

std::string contents(pqxx::connection& connection, const std::string& table) {
  std::vector<std::string> lines;
  for (const pqxx::row& row : execute(connection, "SELECT * FROM " + table)) {
    std::string line;
    for (const pqxx::field& field : row)
      line += (field.is_null() ? "NULL" : field.c_str()) + std::string("|");
    lines.push_back(std::move(line));
  }
  std::sort(lines.begin(), lines.end());
  std::string text;
  for (const std::string& line : lines) text += line + "\n";
  return text;
}

TEST(Replay, ARepeatedPipelineEndsAsIfItHadRunOnce) {
  const char* const rounds_text = std::getenv("IDEM_REPLAY_ROUNDS");
  const char* const seed_text = std::getenv("IDEM_REPLAY_SEED");
  const int rounds = rounds_text ? std::atoi(rounds_text) : 3;
  const uint64_t first_seed = seed_text ? std::strtoull(seed_text, nullptr, 10) : std::random_device()();
  for (int round = 0; round < rounds && !::testing::Test::HasFailure(); ++round) {
    const uint64_t seed = first_seed + static_cast<uint64_t>(round);
    SCOPED_TRACE("IDEM_REPLAY_SEED=" + std::to_string(seed));
    const Pipeline pipeline(seed, 40);
    TestServer once, troubled({.arguments = {"--checkpoint-log-bytes", "2MB"}});
    const auto calm = once.connect();
    create_tables(*calm);
    create_tables(*troubled.connect());
    for (const Step& step : pipeline.steps) execute_step(*calm, step);
    TroubledRun run(troubled, pipeline, seed);
    ASSERT_NO_THROW(run.execute_all());
    const auto after = troubled.connect();
    for (const char* const table : kTables)
      EXPECT_EQ(contents(*after, table), contents(*calm, table))
          << table << " after " << run.kills() << " kills";
  }
}

}  // namespace
}  // namespace idem::test
