// How fast commits become durable: bare fdatasync of a preallocated file, and the log with 1 to 64 committing
// threads, whether they wait themselves or leave it to the listener. Runs in the folder named by
// IDEM_BENCH_DIR (default: the current one), which must be on the disk in question.
#include <atomic>
#include <benchmark/benchmark.h>
#include <condition_variable>
#include <cstdlib>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "common/posix_file.h"
#include "wal/log.h"
#include "wal/recovery.h"

namespace idem::wal {
namespace {

std::string bench_directory() {
  const char* named = std::getenv("IDEM_BENCH_DIR");
  return named ? named : ".";
}

void remove_files(FileSystem& fs, const std::string& directory) {
  auto entries = fs.list(directory);
  if (!entries.ok()) return;
  for (const DirectoryEntry& entry : entries.value())
    fs.remove(join_path(directory, entry.name)).throw_if_error();
  fs.remove(directory).throw_if_error();
}

void BareSync(benchmark::State& state) {
  const auto fs = make_posix_file_system();
  const std::string path = join_path(bench_directory(), "bare_sync.bench");
  auto file = fs->open(path, OpenMode::kOpenOrCreate).value_or_throw();
  const std::string zeros(1 << 20, '\0'), page(4096, 'x');
  for (uint64_t i = 0; i < 16; ++i) file->write_at(i << 20, zeros).throw_if_error();
  file->sync_all().throw_if_error();
  uint64_t offset = 0;
  for (auto _ : state) {
    file->write_at(offset, page).throw_if_error();
    file->sync().throw_if_error();
    offset = (offset + page.size()) % (16 << 20);
  }
  state.SetItemsProcessed(state.iterations());
  fs->remove(path).throw_if_error();
}
BENCHMARK(BareSync)->UseRealTime();

// Stands for sessions whose commits are answered by the listener: each has one commit in flight.
class Sessions final : public LogListener {
 public:
  void on_durable(CommitNumber commit_number) override {
    std::lock_guard lock(mutex_);
    durable_ = commit_number;
    moved_.notify_all();
  }
  void on_failed(const SqlError&) override { std::abort(); }
  void wait(CommitNumber commit_number) {
    std::unique_lock lock(mutex_);
    moved_.wait(lock, [&] { return durable_ >= commit_number; });
  }

 private:
  std::mutex mutex_;
  std::condition_variable moved_;
  CommitNumber durable_ = 0;
};

enum class Waiting { kWaitDurable, kRequestSync, kLazy };

void commit_in_threads(benchmark::State& state, size_t payload_bytes, Waiting waiting) {
  const auto fs = make_posix_file_system();
  const std::string directory = join_path(bench_directory(), "wal_bench");
  remove_files(*fs, directory);
  Sessions sessions;
  auto log = Log::open(*fs, directory, LogOptions{}, RecoveryResult{}, &sessions);
  const std::string payload(payload_bytes, 'x');
  log->append(1, payload);
  log->flush();
  std::mutex order;
  CommitNumber last = 1;
  const auto commit = [&] {
    CommitNumber mine;
    {
      std::lock_guard lock(order);
      mine = ++last;
      log->append(mine, payload);
    }
    if (waiting == Waiting::kWaitDurable) {
      log->wait_durable(mine);
    } else if (waiting == Waiting::kRequestSync) {
      log->request_sync();
      sessions.wait(mine);
    }
  };
  const size_t thread_count = static_cast<size_t>(state.range(0));
  const size_t commits_each = waiting == Waiting::kLazy ? 100'000 : 8'000 / thread_count + 200;
  for (auto _ : state) {
    std::vector<std::thread> threads;
    for (size_t t = 0; t < thread_count; ++t) {
      threads.emplace_back([&] {
        for (size_t i = 0; i < commits_each; ++i) commit();
      });
    }
    for (std::thread& thread : threads) thread.join();
    log->flush();
    log->remove_before(log->durable_position()).value_or_throw();
  }
  const LogStats stats = log->stats();
  state.SetItemsProcessed(static_cast<int64_t>(state.iterations() * thread_count * commits_each));
  state.SetBytesProcessed(static_cast<int64_t>(stats.payload_bytes));
  state.counters["commits_per_sync"] = static_cast<double>(stats.records) / static_cast<double>(stats.syncs);
  state.counters["sync_us"] = stats.sync_micros_mean;
  state.counters["sync_p99_us"] = stats.sync_micros_p99;
  log.reset();
  remove_files(*fs, directory);
}

void WaitDurable(benchmark::State& state) { commit_in_threads(state, 150, Waiting::kWaitDurable); }
BENCHMARK(WaitDurable)->Arg(1)->Arg(8)->Arg(64)->UseRealTime()->Unit(benchmark::kMillisecond)->MinTime(2);
void RequestSync(benchmark::State& state) { commit_in_threads(state, 150, Waiting::kRequestSync); }
BENCHMARK(RequestSync)->Arg(1)->Arg(8)->Arg(64)->UseRealTime()->Unit(benchmark::kMillisecond)->MinTime(2);
void Lazy(benchmark::State& state) { commit_in_threads(state, 150, Waiting::kLazy); }
BENCHMARK(Lazy)->Arg(1)->Arg(8)->UseRealTime()->Unit(benchmark::kMillisecond)->MinTime(1);
void LargeRecords(benchmark::State& state) { commit_in_threads(state, 1 << 20, Waiting::kWaitDurable); }
BENCHMARK(LargeRecords)->Arg(2)->UseRealTime()->Unit(benchmark::kMillisecond)->Iterations(1);

}  // namespace
}  // namespace idem::wal

BENCHMARK_MAIN();
