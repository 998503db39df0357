#include <algorithm>
#include <fmt/format.h>
#include <functional>
#include <iostream>
#include <mutex>
#include <thread>

#include "common/clock.h"
#include "common/error.h"
#include "tools/command.h"
#include "tools/connection_options.h"
#include "tools/json_object.h"
#include "tools/server_link.h"

namespace idem::tools {

namespace {

constexpr const char* kTable = "idem_bench";
constexpr int kSymbols = 100;
constexpr int kRepetitions = 5;
constexpr size_t kCopyBytes = 1 << 18;
constexpr int64_t kFirstMicros = 1'704'067'200'000'000;  // 2024-01-01
constexpr int64_t kStepMicros = 100'000;

struct BenchOptions {
  ConnectionOptions connection;
  uint64_t rows = 1'000'000;
  int connections = 4;
  double seconds = 3;
  bool keep = false;
};

// One line of the report.
struct Measured {
  std::string what;
  std::optional<double> per_second, median_millis, p99_millis;
};

// Trades of a hundred symbols whose prices walk at random, the same each time.
class TradeSource {
 public:
  explicit TradeSource(uint64_t rows) : rows_(rows), prices_(kSymbols, 10'000) {}

  // CSV lines, until there is nothing more: "".
  std::string next() {
    std::string lines;
    for (; made_ < rows_ && lines.size() < kCopyBytes; ++made_) {
      const uint64_t symbol = random() % kSymbols;
      prices_[symbol] += static_cast<int64_t>(random() % 21) - 10;
      const int64_t at = kFirstMicros + static_cast<int64_t>(made_) * kStepMicros;
      fmt::format_to(std::back_inserter(lines), "{},S{},{}.{:02},{}\n", at, symbol, prices_[symbol] / 100,
                     std::abs(prices_[symbol]) % 100, random() % 1000 + 1);
    }
    return lines;
  }

 private:
  uint64_t random() {  // xorshift64
    state_ ^= state_ << 13;
    state_ ^= state_ >> 7;
    state_ ^= state_ << 17;
    return state_;
  }

  const uint64_t rows_;
  uint64_t made_ = 0, state_ = 88172645463325252;
  std::vector<int64_t> prices_;  // in hundredths
};

class Bench {
 public:
  Bench(const BenchOptions& options, bool quiet)
      : options_(options), quiet_(quiet), link_(options.connection.to_text()) {}

  std::vector<Measured> run() {
    link_.execute(
        fmt::format("CREATE TABLE {} (ts TIMESTAMP, symbol SYMBOL, price DOUBLE, amount BIGINT) "
                    "TIMESTAMP(ts) PARTITION BY DAY "
                    "DEDUP UPSERT KEYS(ts, symbol)",
                    kTable));
    try {
      load("load, upsert keys");
      load("the same again, all rows skipped");
      commit("commits of one row, 1 connection", 1);
      if (options_.connections > 1)
        commit(fmt::format("commits of one row, {} connections", options_.connections), options_.connections);
      query("count of all rows", "SELECT count(*) FROM {}");
      query("sums by symbol", "SELECT symbol, count(*), sum(amount), avg(price) FROM {} GROUP BY symbol");
      query("candles by hour",
            "SELECT ts, symbol, first(price), max(price), min(price), last(price), sum(amount) FROM {} "
            "SAMPLE BY 1h");
      query("latest of each symbol", "SELECT * FROM {} LATEST ON ts PARTITION BY symbol");
      query("one symbol of one hour",
            "SELECT avg(price) FROM {} WHERE symbol = 'S7' AND ts IN '2024-01-01T05'");
    } catch (...) {
      if (!options_.keep) link_.execute(fmt::format("DROP TABLE IF EXISTS {}", kTable));
      throw;
    }
    if (!options_.keep) link_.execute(fmt::format("DROP TABLE {}", kTable));
    return std::move(report_);
  }

 private:
  void say(const std::string& what) const {
    if (!quiet_) std::cerr << what << " …\n";
  }

  double seconds_since(int64_t nanos) const {
    return static_cast<double>(clock_.monotonic_nanos() - nanos) / 1e9;
  }

  void load(const std::string& what) {
    say(what);
    TradeSource source(options_.rows);
    const int64_t begun = clock_.monotonic_nanos();
    link_.begin_copy(fmt::format("COPY {} FROM STDIN CSV", kTable));
    for (std::string lines = source.next(); !lines.empty(); lines = source.next()) link_.put_copy_data(lines);
    const uint64_t rows = link_.end_copy();
    report_.push_back({what, static_cast<double>(rows) / std::max(seconds_since(begun), 1e-6), {}, {}});
  }

  // Every commit is on disk before it is answered.
  void commit(const std::string& what, int connections) {
    say(what);
    std::vector<double> millis;
    std::exception_ptr failure;
    std::mutex mutex;
    const int64_t begun = clock_.monotonic_nanos();
    {
      std::vector<std::jthread> clients;
      for (int client = 0; client < connections; ++client) {
        clients.emplace_back([&, client] {
          try {
            const std::vector<double> own = commit_alone(begun, connections, client);
            std::lock_guard lock(mutex);
            millis.insert(millis.end(), own.begin(), own.end());
          } catch (...) {
            std::lock_guard lock(mutex);
            failure = std::current_exception();
          }
        });
      }
    }
    if (failure) std::rethrow_exception(failure);
    const double seconds = seconds_since(begun);
    std::sort(millis.begin(), millis.end());
    report_.push_back(
        {what, static_cast<double>(millis.size()) / seconds, share_of(millis, 0.5), share_of(millis, 0.99)});
  }

  std::vector<double> commit_alone(int64_t begun, int connections, int client) const {
    ServerLink link(options_.connection.to_text());
    std::vector<double> millis;
    // Behind the rows of the load, each client on rows of its own.
    int64_t at = kFirstMicros + (static_cast<int64_t>(options_.rows) * 2 + client) * kStepMicros;
    while (seconds_since(begun) < options_.seconds) {
      const int64_t sent = clock_.monotonic_nanos();
      link.execute(fmt::format("INSERT INTO {} VALUES ({}, 'S{}', 100.5, 1)", kTable, at, client));
      millis.push_back(seconds_since(sent) * 1000);
      at += connections * kStepMicros;
    }
    return millis;
  }

  void query(const std::string& what, const char* sql) {
    say(what);
    std::vector<double> millis;
    for (int i = 0; i < kRepetitions; ++i) {
      const int64_t begun = clock_.monotonic_nanos();
      link_.execute(fmt::format(fmt::runtime(sql), kTable));
      millis.push_back(seconds_since(begun) * 1000);
    }
    std::sort(millis.begin(), millis.end());
    report_.push_back({what, {}, share_of(millis, 0.5), {}});
  }

  // The value that so much of them are not above.
  static double share_of(const std::vector<double>& sorted, double share) {
    if (sorted.empty()) return 0;
    return sorted[std::min(sorted.size() - 1,
                           static_cast<size_t>(share * static_cast<double>(sorted.size())))];
  }

  const BenchOptions& options_;
  const bool quiet_;
  const SystemClock clock_;
  ServerLink link_;
  std::vector<Measured> report_;
};

TextTable table_of(const std::vector<Measured>& report, bool json) {
  TextTable table;
  table.add_column("what");
  for (const char* name : {"per_second", "median_ms", "p99_ms"})
    table.add_column(name, TextTable::Kind::kNumber);
  for (const Measured& line : report) {
    const auto rate = [&]() -> TextTable::Cell {
      if (!line.per_second) return std::nullopt;
      const auto whole = static_cast<uint64_t>(*line.per_second + 0.5);
      return json ? std::to_string(whole) : with_thousands(whole);
    };
    const auto millis = [](const std::optional<double>& value) {
      return value ? TextTable::Cell(fmt::format("{:.2f}", *value)) : std::nullopt;
    };
    table.add_row({line.what, rate(), millis(line.median_millis), millis(line.p99_millis)});
  }
  return table;
}

}  // namespace

void add_bench_command(CLI::App& app, Invocation& invocation) {
  auto options = std::make_shared<BenchOptions>();
  CLI::App* command = app.add_subcommand(
      "bench", fmt::format("Measures loads, commits and queries on a table {} of its own", kTable));
  command->add_option("--rows", options->rows, "rows that are loaded (default 1000000)")
      ->check(CLI::Range(1, 1'000'000'000));
  command
      ->add_option("--connections,-c", options->connections,
                   "connections that commit at the same time (default 4)")
      ->check(CLI::Range(1, 1000));
  command->add_option("--seconds", options->seconds, "how long commits are measured (default 3)")
      ->check(CLI::Range(0.01, 3600.0));
  command->add_flag("--keep", options->keep, "leave the table");
  options->connection.add_to(*command);
  command->callback([options, &invocation] {
    const TextTable table = table_of(Bench(*options, invocation.json).run(), invocation.json);
    if (invocation.json) {
      std::cout << table.json();
    } else {
      std::string text = table.aligned();
      text.erase(text.rfind('('));  // its row count says nothing here
      std::cout << text;
    }
  });
}

}  // namespace idem::tools
